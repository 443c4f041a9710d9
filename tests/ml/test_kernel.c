/* Kernels against the C library and against long double sums. */
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/random.h"
#include "ml/hashed_row.h"
#include "ml/kernel.h"
#include "ml/kernel_adagrad.h"
#include "ml/kernel_ftrl.h"
#include "ml/kernel_nearest.h"

#define MOST_ELEMENTS 29

/* Units in the last place between two doubles of one sign. */
static double ulps(double a, double b)
{
    return fabs(a - b) / (nextafter(fabs(b), HUGE_VAL) - fabs(b));
}

static double uniform(uint64_t *seed, double low, double high)
{
    return low + (high - low) * (double)(hr_random_splitmix(seed) >> 11) * 0x1p-53;
}

static void test_exp_is_near(void)
{
    uint64_t seed = 1;
    double worst = 0;
    for (int i = 0; i < 200000; i++) {
        double x = uniform(&seed, -700, 700);
        worst = fmax(worst, ulps(hr_kernel_exp(x), exp(x)));
        x = uniform(&seed, -1, 1);
        worst = fmax(worst, ulps(hr_kernel_exp(x), exp(x)));
    }
    CU_ASSERT_TRUE(worst <= 2.0);
}

/* The sum that exp comes to sooner leads to the same bits as Horner's, in the order of its factors. */
static void test_exp_is_its_series(void)
{
    static const double factors[] = {
        1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
        1.0 / 5040.0,       1.0 / 720.0,       1.0 / 120.0,      1.0 / 24.0,      1.0 / 6.0,      0.5,
    };
    uint64_t seed = 3;
    size_t different = 0;
    for (int i = 0; i < 1000000; i++) {
        double x = uniform(&seed, -0.346, 0.346); /* less than ln 2 / 2: the remainder is x itself */
        double sum = factors[0];
        for (size_t k = 1; k < HR_ARRAY_LEN(factors); k++) {
            sum = sum * x + factors[k];
        }
        different += hr_kernel_exp(x) != 1.0 + (x + x * x * sum);
    }
    CU_ASSERT_EQUAL(different, 0);
}

static void test_exp_ends(void)
{
    CU_ASSERT_EQUAL(hr_kernel_exp(0.0), 1.0);
    CU_ASSERT_EQUAL(hr_kernel_exp(-0.0), 1.0);
    CU_ASSERT_EQUAL(hr_kernel_exp(710.0), HUGE_VAL);
    CU_ASSERT_EQUAL(hr_kernel_exp(HUGE_VAL), HUGE_VAL);
    CU_ASSERT_EQUAL(hr_kernel_exp(-HUGE_VAL), 0.0);
    CU_ASSERT_EQUAL(hr_kernel_exp(-746.0), 0.0);
    CU_ASSERT_TRUE(isnan(hr_kernel_exp((double)NAN)));
    CU_ASSERT_TRUE(isfinite(hr_kernel_exp(709.78)));
    CU_ASSERT_DOUBLE_EQUAL(hr_kernel_exp(709.78) / exp(709.78), 1.0, 1e-13);
    CU_ASSERT_TRUE(fabs(hr_kernel_exp(-744.0) - exp(-744.0)) <= 2 * DBL_TRUE_MIN);
    CU_ASSERT_TRUE(ulps(hr_kernel_exp(-710.5), exp(-710.5)) <= 2.0);
}

static void test_log_is_near(void)
{
    uint64_t seed = 2;
    double worst = 0;
    for (int i = 0; i < 200000; i++) {
        double x = exp(uniform(&seed, -700, 700));
        worst = fmax(worst, ulps(hr_kernel_log(x), log(x)));
        x = uniform(&seed, 0.5, 2.0);
        worst = fmax(worst, ulps(hr_kernel_log(x), log(x)));
    }
    CU_ASSERT_TRUE(worst <= 2.0);
    CU_ASSERT_EQUAL(hr_kernel_log(1.0), 0.0);
    CU_ASSERT_EQUAL(hr_kernel_log(0.0), -HUGE_VAL);
    CU_ASSERT_EQUAL(hr_kernel_log(HUGE_VAL), HUGE_VAL);
    CU_ASSERT_TRUE(isnan(hr_kernel_log(-1.0)));
    CU_ASSERT_TRUE(ulps(hr_kernel_log(DBL_TRUE_MIN), log(DBL_TRUE_MIN)) <= 2.0);
}

static void test_log1p_keeps_small_numbers(void)
{
    for (double x = 0.9; x > 1e-300; x *= 0.37) {
        CU_ASSERT_TRUE(ulps(hr_kernel_log1p(x), log1p(x)) <= 4.0);
        CU_ASSERT_TRUE(ulps(-hr_kernel_log1p(-x), -log1p(-x)) <= 4.0);
    }
    CU_ASSERT_DOUBLE_EQUAL(hr_kernel_log1p_exp(0.0), log(2.0), 1e-15);
    CU_ASSERT_EQUAL(hr_kernel_log1p_exp(1000.0), 1000.0);
    CU_ASSERT_EQUAL(hr_kernel_log1p_exp(-1000.0), 0.0);
    CU_ASSERT_TRUE(ulps(hr_kernel_log1p_exp(-50.0), exp(-50.0)) <= 4.0);
}

static void test_sigmoid_is_symmetric_and_saturates(void)
{
    CU_ASSERT_EQUAL(hr_kernel_sigmoid(0.0), 0.5);
    CU_ASSERT_EQUAL(hr_kernel_sigmoid(800.0), 1.0);
    CU_ASSERT_EQUAL(hr_kernel_sigmoid(-800.0), 0.0);
    for (double x = -30; x < 30; x += 0.37) {
        CU_ASSERT_DOUBLE_EQUAL(hr_kernel_sigmoid(x) + hr_kernel_sigmoid(-x), 1.0, 1e-15);
    }
}

static void test_power_squares(void)
{
    CU_ASSERT_EQUAL(hr_kernel_power(0.9, 0), 1.0);
    CU_ASSERT_EQUAL(hr_kernel_power(0.0, 0), 1.0);
    CU_ASSERT_EQUAL(hr_kernel_power(2.0, 10), 1024.0);
    CU_ASSERT_DOUBLE_EQUAL(hr_kernel_power(0.9, 37) / pow(0.9, 37), 1.0, 1e-14);
    CU_ASSERT_EQUAL(hr_kernel_power(0.5, 5000), 0.0);
}

static void test_dense_and_sparse_agree(void)
{
    double values[] = {1.5, 0.0, -2.0, 0.0, 3.25};
    double weights[] = {0.5, 9.0, 1.5, 9.0, -1.0};
    uint32_t indices[] = {0, 2, 4};
    double packed[] = {1.5, -2.0, 3.25};
    struct hr_vector dense = {values, NULL, 5, 5};
    struct hr_vector sparse = {packed, indices, 5, 3};
    CU_ASSERT_EQUAL(hr_kernel_dot_vector(&dense, weights), 0.75 - 3.0 - 3.25);
    CU_ASSERT_EQUAL(hr_kernel_dot_vector(&sparse, weights), hr_kernel_dot_vector(&dense, weights));
    double a[5] = {0};
    double b[5] = {0};
    hr_kernel_axpy_vector(2.0, &dense, a);
    hr_kernel_axpy_vector(2.0, &sparse, b);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(a[i], b[i]);
    }
    CU_ASSERT_EQUAL(hr_kernel_squared_distance(values, weights, 5), 1.0 + 81.0 + 12.25 + 81.0 + 18.0625);
    CU_ASSERT_EQUAL(hr_kernel_dot(NULL, NULL, 0), 0.0);
}

static void test_sums_run_in_order(void)
{
    /* In any other order one of the ones would survive. */
    double values[] = {1.0, 1e16, 1.0, -1e16, 1.0};
    double ones[] = {1.0, 1.0, 1.0, 1.0, 1.0};
    volatile double sum = 0.0;
    for (int i = 0; i < 5; i++) {
        sum += values[i];
    }
    CU_ASSERT_EQUAL(hr_kernel_dot(values, ones, 5), sum);
}

static void test_finite_check(void)
{
    double values[] = {1.0, -DBL_MAX, 0.0, DBL_TRUE_MIN, -0.0};
    CU_ASSERT_TRUE(hr_kernel_all_finite(values, 5));
    CU_ASSERT_TRUE(hr_kernel_all_finite(values, 0));
    for (int i = 0; i < 5; i++) {
        double copy[5];
        memcpy(copy, values, sizeof(copy));
        copy[i] = (double)NAN;
        CU_ASSERT_FALSE(hr_kernel_all_finite(copy, 5));
        copy[i] = -HUGE_VAL;
        CU_ASSERT_FALSE(hr_kernel_all_finite(copy, 5));
    }
}

/* Every width of vector unit gives the distance that one chain of additions gives. */
static void test_nearest(void)
{
    enum { COUNT = 37, DIMENSION = 19 };
    static double centres[COUNT * DIMENSION];
    static double transposed[48 * DIMENSION];
    double point[DIMENSION];
    double squared;
    CU_ASSERT_EQUAL_FATAL(hr_nearest_size(COUNT, DIMENSION), HR_ARRAY_LEN(transposed));
    for (size_t i = 0; i < HR_ARRAY_LEN(centres); i++) {
        centres[i] = (double)(i * 7919 % 1000) / 37.0;
    }
    hr_nearest_transpose(centres, COUNT, DIMENSION, transposed);
    for (size_t round = 0; round < 200; round++) {
        for (size_t i = 0; i < DIMENSION; i++) {
            point[i] = (double)((i + round) * 104729 % 1000) / 41.0;
        }
        size_t expected = 0;
        for (size_t j = 1; j < COUNT; j++) {
            if (hr_kernel_squared_distance(point, centres + j * DIMENSION, DIMENSION) <
                hr_kernel_squared_distance(point, centres + expected * DIMENSION, DIMENSION)) {
                expected = j;
            }
        }
        CU_ASSERT_EQUAL(hr_kernel_nearest(point, transposed, COUNT, DIMENSION, &squared), expected);
        CU_ASSERT_EQUAL(squared, hr_kernel_squared_distance(point, centres + expected * DIMENSION, DIMENSION));
    }
    /* The first of equal ones, across blocks; nothing is near a point that is not a number. */
    memcpy(centres + 33 * DIMENSION, centres + 2 * DIMENSION, DIMENSION * sizeof(double));
    hr_nearest_transpose(centres, COUNT, DIMENSION, transposed);
    CU_ASSERT_EQUAL(hr_kernel_nearest(centres + 33 * DIMENSION, transposed, COUNT, DIMENSION, &squared), 2);
    CU_ASSERT_EQUAL(squared, 0.0);
    point[3] = (double)NAN;
    CU_ASSERT_EQUAL(hr_kernel_nearest(point, transposed, COUNT, DIMENSION, &squared), SIZE_MAX);
}

/* Coordinates of a learner, and a row that has some of them, one zero among its values. */
struct learner_row {
    double coordinates[6 * MOST_ELEMENTS];
    double values[MOST_ELEMENTS];
    uint32_t indices[MOST_ELEMENTS];
};

static struct learner_row learner_row(uint64_t seed)
{
    struct learner_row row;
    for (size_t i = 0; i < 3 * MOST_ELEMENTS; i++) {
        row.coordinates[2 * i] = uniform(&seed, -1, 1);
        row.coordinates[2 * i + 1] = uniform(&seed, 0, 5);
    }
    for (uint32_t i = 0; i < MOST_ELEMENTS; i++) {
        row.indices[i] = 3 * i + i % 2;
        row.values[i] = i % 5 == 3 ? 0.0 : uniform(&seed, -2, 2);
    }
    return row;
}

/* Its first elements, sparse or dense. */
static struct hr_vector learner_vector(const struct learner_row *row, uint32_t count, bool sparse)
{
    return (struct hr_vector){row->values, sparse ? row->indices : NULL, 3 * MOST_ELEMENTS, count};
}

/* A row, some elements at a time, against one coordinate after the other: bit by bit. */
static void test_adagrad_rows(void)
{
    double kept[2][MOST_ELEMENTS];
    const struct learner_row row = learner_row(5);
    for (uint32_t count = 0; count <= MOST_ELEMENTS; count++) {
        for (int form = 0; form < 4; form++) {
            const struct hr_adagrad adagrad = {{0.1, form / 2 == 0 ? 0.0 : 0.01, 0.003}, kept[0], kept[1]};
            struct hr_vector vector = learner_vector(&row, count, form % 2 == 0);
            struct learner_row expected = row;
            struct learner_row learned = row;
            double sum = 0.0;
            for (uint32_t i = 0; i < count; i++) {
                double *coordinate = expected.coordinates + 2 * (vector.indices != NULL ? row.indices[i] : i);
                sum += row.values[i] * coordinate[0];
                if (row.values[i] != 0.0) {
                    hr_adagrad_step(&adagrad.rates, 0.37 * row.values[i], &coordinate[0], &coordinate[1]);
                }
            }
            CU_ASSERT_EQUAL(hr_adagrad_dot(&vector, learned.coordinates), sum);
            CU_ASSERT_TRUE(hr_adagrad_learn(&adagrad, 0.37, &vector, learned.coordinates));
            CU_ASSERT_EQUAL(memcmp(&learned, &expected, sizeof(learned)), 0);
        }
    }
    /* A result that is not finite is seen in any place, and nothing has changed. */
    for (uint32_t i = 0; i < MOST_ELEMENTS; i++) {
        const struct hr_adagrad adagrad = {{0.1, 0, 0}, kept[0], kept[1]};
        struct learner_row bad = row;
        bad.values[i] = i % 2 == 0 ? 1e300 : (double)NAN;
        struct hr_vector vector = learner_vector(&bad, MOST_ELEMENTS, true);
        CU_ASSERT_FALSE(hr_adagrad_learn(&adagrad, 0.37, &vector, bad.coordinates));
        CU_ASSERT_EQUAL(memcmp(bad.coordinates, row.coordinates, sizeof(row.coordinates)), 0);
    }
}

/* The same for FTRL; l1 is large enough that some weights are 0. */
static void test_ftrl_rows(void)
{
    static double found[4][64];
    const struct learner_row row = learner_row(6);
    struct hr_ftrl ftrl = {.weights = found[0], .roots = found[1], .z = found[2], .n = found[3]};
    for (uint32_t count = 0; count <= MOST_ELEMENTS; count++) {
        for (int form = 0; form < 4; form++) {
            ftrl.rates = (struct hr_ftrl_rates){0.1, 0.7, form / 2 == 0 ? 0.0 : 0.4, 0.03};
            struct hr_vector vector = learner_vector(&row, count, form % 2 == 0);
            struct learner_row expected = row;
            struct learner_row learned = row;
            double sum = 0.0;
            double dot = hr_ftrl_dot(&ftrl, &vector, learned.coordinates);
            for (uint32_t i = 0; i < count; i++) {
                double *coordinate = expected.coordinates + 2 * (vector.indices != NULL ? row.indices[i] : i);
                double root = sqrt(coordinate[1]);
                double weight = hr_ftrl_weight(&ftrl.rates, coordinate[0], root);
                sum += row.values[i] * weight;
                if (row.values[i] != 0.0) {
                    hr_ftrl_step(&ftrl.rates, 0.37 * row.values[i], weight, &root, &coordinate[0], &coordinate[1]);
                    CU_ASSERT_EQUAL(root, sqrt(coordinate[1]));
                }
                CU_ASSERT_EQUAL(memcmp(&ftrl.weights[i], &weight, sizeof(weight)), 0);
            }
            CU_ASSERT_EQUAL(dot, sum);
            CU_ASSERT_TRUE(hr_ftrl_learn(&ftrl, 0.37, &vector, learned.coordinates));
            CU_ASSERT_EQUAL(memcmp(&learned, &expected, sizeof(learned)), 0);
        }
    }
    for (uint32_t i = 0; i < MOST_ELEMENTS; i++) {
        ftrl.rates = (struct hr_ftrl_rates){0.1, 0.7, 0.0, 0.0};
        struct learner_row bad = row;
        bad.values[i] = i % 2 == 0 ? 1e300 : (double)NAN;
        struct hr_vector vector = learner_vector(&bad, MOST_ELEMENTS, true);
        hr_ftrl_dot(&ftrl, &vector, bad.coordinates);
        CU_ASSERT_FALSE(hr_ftrl_learn(&ftrl, 0.37, &vector, bad.coordinates));
        CU_ASSERT_EQUAL(memcmp(bad.coordinates, row.coordinates, sizeof(row.coordinates)), 0);
    }
}

static void learn_ones(const struct hr_adagrad *adagrad, const struct hr_ftrl *ftrl, double error,
                       const struct hr_vector *vector, double *of_adagrad, double *of_ftrl)
{
    for (uint32_t i = 0; i < vector->count; i++) {
        double *coordinate = of_ftrl + 2 * vector->indices[i];
        double root = sqrt(coordinate[1]);
        double weight = hr_ftrl_weight(&ftrl->rates, coordinate[0], root);
        if (vector->values[i] != 0.0) {
            hr_ftrl_step(&ftrl->rates, error * vector->values[i], weight, &root, &coordinate[0], &coordinate[1]);
            coordinate = of_adagrad + 2 * vector->indices[i];
            hr_adagrad_step(&adagrad->rates, error * vector->values[i], &coordinate[0], &coordinate[1]);
        }
    }
}

/* Row after row, each with some coordinates of the one before, in other places too: each sees what that one left. */
static void test_rows_that_share_coordinates(void)
{
    static double found[4][64];
    double kept[2][MOST_ELEMENTS];
    struct learner_row row = learner_row(7);
    struct learner_row adagrad_expected = row;
    struct learner_row ftrl_expected = row;
    struct learner_row adagrad_learned = row;
    struct learner_row ftrl_learned = row;
    const struct hr_adagrad adagrad = {{0.1, 0, 0.003}, kept[0], kept[1]};
    const struct hr_ftrl ftrl = {{0.1, 0.7, 0.4, 0.03}, found[0], found[1], found[2], found[3]};
    for (uint32_t turn = 0; turn < 200; turn++) {
        for (uint32_t i = 0; i < MOST_ELEMENTS; i++) {
            row.indices[i] = i < 5 ? i : 5 + i + (i * turn / 7) % 2 + turn % 3;
        }
        for (uint32_t i = 6; i < MOST_ELEMENTS; i++) { /* ascending */
            row.indices[i] = row.indices[i] > row.indices[i - 1] ? row.indices[i] : row.indices[i - 1] + 1;
        }
        struct hr_vector vector = learner_vector(&row, MOST_ELEMENTS - turn % 9, true);
        double error = turn % 2 == 0 ? 0.4 : -0.3;
        learn_ones(&adagrad, &ftrl, error, &vector, adagrad_expected.coordinates, ftrl_expected.coordinates);
        CU_ASSERT_TRUE(hr_adagrad_learn(&adagrad, error, &vector, adagrad_learned.coordinates));
        hr_ftrl_dot(&ftrl, &vector, ftrl_learned.coordinates);
        CU_ASSERT_TRUE(hr_ftrl_learn(&ftrl, error, &vector, ftrl_learned.coordinates));
    }
    CU_ASSERT_EQUAL(memcmp(&adagrad_learned, &adagrad_expected, sizeof(row)), 0);
    CU_ASSERT_EQUAL(memcmp(&ftrl_learned, &ftrl_expected, sizeof(row)), 0);
}

/* Index after index, the values of each added up in the order of their coming. */
static uint32_t sort_simply(const uint32_t *indices, const double *values, size_t count, uint32_t *out_indices,
                            double *out_values)
{
    uint32_t left = 0;
    for (int64_t last = -1;; last = out_indices[left++]) {
        int64_t next = INT64_MAX;
        for (size_t i = 0; i < count; i++) {
            next = indices[i] > last && indices[i] < next ? indices[i] : next;
        }
        if (next == INT64_MAX) {
            return left;
        }
        out_indices[left] = (uint32_t)next;
        out_values[left] = 0.0;
        for (size_t i = 0; i < count; i++) {
            out_values[left] += indices[i] == next ? values[i] : 0.0;
        }
    }
}

static void test_hashed_rows(void)
{
    enum { MOST = 45 };
    uint64_t seed = 9;
    struct hr_arena arena;
    hr_arena_init(&arena, 0);
    for (uint32_t round = 0; round < 20 * MOST; round++) {
        size_t count = round % MOST;
        uint32_t range = round % 3 == 0 ? 20 : INT32_MAX; /* many equal ones, or none */
        struct hr_hashed_row row = {.arena = &arena};
        uint32_t indices[MOST];
        double values[MOST];
        uint32_t sorted[MOST];
        double sums[MOST];
        for (size_t i = 0; i < count; i++) {
            indices[i] = (uint32_t)(hr_random_splitmix(&seed) % range);
            values[i] = uniform(&seed, -1, 1);
            hr_hashed_row_add(&row, indices[i], values[i]);
        }
        uint32_t left = sort_simply(indices, values, count, sorted, sums);
        struct hr_vector vector = hr_hashed_row_take(&row, INT32_MAX, false);
        CU_ASSERT_EQUAL_FATAL(vector.count, left);
        CU_ASSERT_EQUAL(memcmp(vector.indices, sorted, left * sizeof(*sorted)), 0);
        CU_ASSERT_EQUAL(memcmp(vector.values, sums, left * sizeof(*sums)), 0);
        CU_ASSERT_EQUAL(row.count, 0);
    }
    hr_arena_release(&arena);
}

TEST_MAIN("kernel", {"exp is near", test_exp_is_near}, {"exp is its series", test_exp_is_its_series},
          {"exp at its ends", test_exp_ends}, {"log is near", test_log_is_near},
          {"log1p keeps small numbers", test_log1p_keeps_small_numbers},
          {"sigmoid is symmetric and saturates", test_sigmoid_is_symmetric_and_saturates},
          {"power squares", test_power_squares}, {"dense and sparse agree", test_dense_and_sparse_agree},
          {"sums run in order", test_sums_run_in_order}, {"finite check", test_finite_check},
          {"nearest centre", test_nearest}, {"rows of AdaGrad", test_adagrad_rows}, {"rows of FTRL", test_ftrl_rows},
          {"rows that share coordinates", test_rows_that_share_coordinates}, {"hashed rows", test_hashed_rows})
