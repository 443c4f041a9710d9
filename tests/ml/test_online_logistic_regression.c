/* SPDX-License-Identifier: Apache-2.0
 *
 * The first steps of each optimizer against the formulas, worked out here with the C library; the state page by page.
 */
#include "test.h"

#include <math.h>

#include "ml/lesson.h"

#define NEAR 1e-15

static const char row_one[] = "{\"features\": [2, -1], \"label\": 1}";
static const char row_two[] = "{\"features\": [1, 1], \"label\": 0}";

static double sigmoid(double margin)
{
    return 1.0 / (1.0 + exp(-margin));
}

static void open_model(struct lesson *lesson, const char *options)
{
    lesson_open(lesson, "features vector, label double");
    lesson_model(lesson, hr_arena_printf(&lesson->arena, "{type: OnlineLogisticRegression%s}", options));
}

static void check_weights(struct lesson *lesson, double first, double second, double intercept)
{
    CU_ASSERT_DOUBLE_EQUAL(lesson_state(lesson, "weights", 0, 0), first, NEAR);
    CU_ASSERT_DOUBLE_EQUAL(lesson_state(lesson, "weights", 1, 0), second, NEAR);
    CU_ASSERT_DOUBLE_EQUAL(lesson_state(lesson, "intercept", 0, 0), intercept, NEAR);
}

/* w ← w − η (p − y) x, from p = 1/2. */
static void test_sgd(void)
{
    struct lesson lesson;
    open_model(&lesson, ", learningRate: 0.1");
    lesson_learn(&lesson, row_one);
    check_weights(&lesson, 0.1, -0.05, 0.05);
    CU_ASSERT_EQUAL(lesson.chunk.columns[lesson.model->probability].vectors[0].values[1], 0.5);
    lesson_learn(&lesson, row_two);
    double p = sigmoid(0.1 - 0.05 + 0.05);
    check_weights(&lesson, 0.1 - 0.1 * p, -0.05 - 0.1 * p, 0.05 - 0.1 * p);
    CU_ASSERT_DOUBLE_EQUAL(lesson.chunk.columns[lesson.model->probability].vectors[0].values[1], p, NEAR);
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->rows_learned, 2);
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->version, 2);
    lesson_close(&lesson);
}

static void test_sgd_options(void)
{
    struct lesson lesson;
    open_model(&lesson, ", learningRate: 0.1, l2: 0.5, powerT: 0.5, interceptLearningRate: 0.2");
    lesson_learn(&lesson, row_one);
    check_weights(&lesson, 0.1, -0.05, 0.1);
    lesson_learn(&lesson, row_two);
    double p = sigmoid(0.1 - 0.05 + 0.1);
    double root = sqrt(2.0);
    check_weights(&lesson, 0.1 - 0.1 / root * (p + 0.5 * 0.1), -0.05 - 0.1 / root * (p - 0.5 * 0.05),
                  0.1 - 0.2 / root * p);
    lesson_close(&lesson);

    open_model(&lesson, ", learningRate: 0.1, l1: 0.75, fitIntercept: false");
    lesson_learn(&lesson, row_one);
    check_weights(&lesson, 0.1 - 0.075, 0.0, 0.0); /* 0.05 is less than the pull of 0.075 */
    lesson_close(&lesson);
}

/* G ← G + g²; w ← w − η g / √(G + 1e-8). */
static void test_adagrad(void)
{
    struct lesson lesson;
    open_model(&lesson, ", optimizer: adagrad, learningRate: 0.1");
    lesson_learn(&lesson, row_one);
    double w[3] = {0.1 * 1.0 / sqrt(1.0 + 1e-8), -0.1 * 0.5 / sqrt(0.25 + 1e-8), 0.1 * 0.5 / sqrt(0.25 + 1e-8)};
    check_weights(&lesson, w[0], w[1], w[2]);
    lesson_learn(&lesson, row_two);
    double p = sigmoid(w[0] + w[1] + w[2]);
    check_weights(&lesson, w[0] - 0.1 * p / sqrt(1.0 + p * p + 1e-8), w[1] - 0.1 * p / sqrt(0.25 + p * p + 1e-8),
                  w[2] - 0.1 * p / sqrt(0.25 + p * p + 1e-8));
    lesson_close(&lesson);
}

/* alpha 0.1, beta 1, l1 0.3, l2 0.5. */
static double ftrl_weight(double z, double n)
{
    return fabs(z) <= 0.3 ? 0.0 : -(z - copysign(0.3, z)) / ((1.0 + sqrt(n)) / 0.1 + 0.5);
}

static void test_ftrl(void)
{
    struct lesson lesson;
    open_model(&lesson, ", optimizer: ftrl, alpha: 0.1, beta: 1.0, l1: 0.3, l2: 0.5");
    lesson_learn(&lesson, row_one);
    check_weights(&lesson, 0.7 / 20.5, -0.2 / 15.5, 0.2 / 15.5); /* z = −1, 1/2, −1/2; n = z² */
    lesson_learn(&lesson, "{\"features\": [1, 0], \"label\": 0}");
    double p = sigmoid(0.7 / 20.5 + 0.2 / 15.5);
    double first_z = -1.0 + p - (sqrt(1.0 + p * p) - 1.0) / 0.1 * (0.7 / 20.5);
    double intercept_z = -0.5 + p - (sqrt(0.25 + p * p) - 0.5) / 0.1 * (0.2 / 15.5);
    check_weights(&lesson, ftrl_weight(first_z, 1.0 + p * p), -0.2 / 15.5, ftrl_weight(intercept_z, 0.25 + p * p));
    CU_ASSERT_EQUAL(ftrl_weight(intercept_z, 0.25 + p * p), 0.0); /* l1 holds it at nothing */
    lesson_close(&lesson);
}

static void test_dense_and_sparse_teach_the_same_bits(void)
{
    static const char *const optimizers[] = {"sgd", "adagrad", "ftrl"};
    for (size_t i = 0; i < HR_ARRAY_LEN(optimizers); i++) {
        struct lesson dense;
        struct lesson sparse;
        char options[64];
        snprintf(options, sizeof(options), ", optimizer: %s", optimizers[i]);
        open_model(&dense, options);
        open_model(&sparse, options);
        lesson_learn(&dense,
                     "{\"features\": [0, 0.1, 0, -3], \"label\": 1}\n{\"features\": [0.3, 0, 0, 7], \"label\": 0}");
        lesson_learn(&sparse,
                     "{\"features\": {\"size\": 4, \"indices\": [1, 3], \"values\": [0.1, -3]}, \"label\": 1}\n"
                     "{\"features\": {\"size\": 4, \"indices\": [0, 3], \"values\": [0.3, 7]}, \"label\": 0}");
        CU_ASSERT_EQUAL(dense.model->state.size, sparse.model->state.size);
        CU_ASSERT_EQUAL(memcmp(dense.model->state.data, sparse.model->state.data, dense.model->state.size), 0);
        CU_ASSERT_NOT_EQUAL(lesson_state(&sparse, "weights", 3, 0), 0.0);
        lesson_close(&dense);
        lesson_close(&sparse);
    }
}

static void test_rows_that_cannot_teach(void)
{
    struct lesson lesson;
    open_model(&lesson, ", learningRate: 0.1");
    lesson_learn(&lesson, row_one);
    lesson_learn(&lesson, "{\"features\": [\"NaN\", 1], \"label\": 1}\n{\"features\": [1, 1], \"label\": null}\n"
                          "{\"features\": [1, 1, 1], \"label\": 1}\n{\"features\": [1, 1], \"label\": 2}");
    check_weights(&lesson, 0.1, -0.05, 0.05);
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->nonfinite, 1);
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->rows_learned, 1);
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->version, 1);
    CU_ASSERT_EQUAL_FATAL(lesson.rejects.count, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(lesson.rejects.items[0].message, "features"));
    CU_ASSERT_PTR_NOT_NULL(strstr(lesson.rejects.items[1].message, "label"));
    lesson_close(&lesson);
}

/* Only the pages of the touched coordinates are dirty, and the pages alone carry the model over. */
static void test_state_goes_page_by_page(void)
{
    static const char far[] = "{\"features\": {\"size\": 4000, \"indices\": [3000], \"values\": [1.5]}, \"label\": 1}";
    struct lesson one;
    struct lesson other;
    struct hr_error err;
    open_model(&one, ", optimizer: adagrad");
    open_model(&other, ", optimizer: adagrad");
    lesson_learn(&one, far);
    hr_paged_clear_dirty(&one.model->state);
    lesson_learn(&one, far);
    size_t pages = hr_paged_page_count(&one.model->state);
    size_t touched = (one.model->state.size - (4000 - 3000) * 2 * sizeof(double)) / HR_PAGE_SIZE;
    for (size_t page = 0; page < pages; page++) {
        CU_ASSERT_EQUAL(one.model->state.dirty[page] != 0, page == 0 || page == touched);
    }
    for (size_t page = 0; page < pages; page++) {
        size_t left = one.model->state.size - page * HR_PAGE_SIZE;
        size_t length = left < HR_PAGE_SIZE ? left : HR_PAGE_SIZE;
        CU_ASSERT_EQUAL(hr_paged_load(&other.model->state, one.model->state.size, page,
                                      one.model->state.data + page * HR_PAGE_SIZE, length, &err),
                        HR_OK);
    }
    lesson_learn(&one, far);
    lesson_learn(&other, far);
    CU_ASSERT_EQUAL_FATAL(one.model->state.size, other.model->state.size);
    CU_ASSERT_EQUAL(memcmp(one.model->state.data, other.model->state.data, one.model->state.size), 0);
    CU_ASSERT_EQUAL(hr_model_head(other.model)->rows_learned, 3);
    lesson_close(&one);
    lesson_close(&other);
}

/* A chunk of many rows looks first whether there is a page left to mark. */
static void test_pages_of_many_rows(void)
{
    enum { ROWS = 64, PAGE = 2 }; /* of the coordinates that they touch */
    struct lesson lesson;
    struct hr_buf rows;
    hr_buf_init(&rows, 1 << 20);
    for (int i = 0; i < ROWS; i++) {
        hr_buf_printf(&rows, "{\"features\": {\"size\": 4000, \"indices\": [%d], \"values\": [1.5]}, \"label\": 1}\n",
                      600 + i);
    }
    open_model(&lesson, ", optimizer: ftrl");
    lesson_learn(&lesson, hr_buf_text(&rows));
    struct hr_paged *state = &lesson.model->state;
    CU_ASSERT_TRUE(hr_paged_all_dirty(state)); /* it just grew */
    lesson_learn(&lesson, hr_buf_text(&rows));
    CU_ASSERT_TRUE(hr_paged_all_dirty(state));
    hr_paged_clear_dirty(state);
    lesson_learn(&lesson, hr_buf_text(&rows));
    for (size_t page = 0; page < hr_paged_page_count(state); page++) {
        CU_ASSERT_EQUAL(state->dirty[page] != 0, page == 0 || page == PAGE);
    }
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->rows_learned, 3 * ROWS);
    hr_buf_release(&rows);
    lesson_close(&lesson);
}

TEST_MAIN("online_logistic_regression", {"sgd", test_sgd}, {"sgd with options", test_sgd_options},
          {"adagrad", test_adagrad}, {"ftrl", test_ftrl},
          {"dense and sparse teach the same bits", test_dense_and_sparse_teach_the_same_bits},
          {"rows that cannot teach", test_rows_that_cannot_teach},
          {"state goes page by page", test_state_goes_page_by_page}, {"pages of many rows", test_pages_of_many_rows})
