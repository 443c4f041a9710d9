/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics of small sets, worked out by hand, in all three views; auc in bins against auc by sorting; state that moves.
 */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/random.h"
#include "ml/evaluate.h"
#include "ml/evaluate_state.h"

#define NEAR 1e-14

struct fixture {
    struct hr_arena arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_model_type type;
    struct hr_model model;
    struct hr_chunk chunk;
    struct hr_evaluation evaluation;
};

enum { LABEL, PREDICTION, PROBABILITY, DISTANCE };

static void open_evaluation(struct fixture *fixture, enum hr_model_task task, const char *windows)
{
    memset(fixture, 0, sizeof(*fixture));
    hr_arena_init(&fixture->arena, 0);
    hr_findings_init(&fixture->findings);
    hr_schema_init(&fixture->schema, &fixture->arena);
    static const enum hr_type types[] = {HR_TYPE_DOUBLE, HR_TYPE_DOUBLE, HR_TYPE_VECTOR, HR_TYPE_DOUBLE};
    static const char *const names[] = {"label", "prediction", "probability", "distance"};
    struct hr_error err;
    for (size_t i = 0; i < HR_ARRAY_LEN(types); i++) {
        CU_ASSERT_EQUAL_FATAL(hr_schema_add(&fixture->schema, names[i], types[i], NULL, NULL, &err), HR_OK);
    }
    fixture->type.task = task;
    fixture->type.kind.name = "Test";
    fixture->model = (struct hr_model){.type = &fixture->type,
                                       .label = LABEL,
                                       .prediction = task == HR_TASK_CLUSTERING ? SIZE_MAX : PREDICTION,
                                       .probability = task == HR_TASK_CLASSIFICATION ? PROBABILITY : SIZE_MAX,
                                       .distance = task == HR_TASK_CLUSTERING ? DISTANCE : SIZE_MAX,
                                       .features = SIZE_MAX,
                                       .raw_prediction = SIZE_MAX};
    struct hr_yaml *node = hr_yaml_read_text(&fixture->arena, "q.yaml", windows, strlen(windows), &fixture->findings);
    hr_evaluation_read(&fixture->evaluation, node, &fixture->model, &fixture->arena, &fixture->findings);
    CU_ASSERT_EQUAL_FATAL(fixture->findings.errors, 0);
}

static void close_evaluation(struct fixture *fixture)
{
    hr_evaluation_release(&fixture->evaluation);
    hr_findings_release(&fixture->findings);
    hr_arena_release(&fixture->arena);
}

/* A chunk of one row. A label that is NaN is null. value: P(1), the prediction, or the distance. */
static void observe(struct fixture *fixture, double label, double value)
{
    struct hr_chunk *chunk = &fixture->chunk;
    struct hr_arena *arena = &fixture->arena;
    hr_chunk_init(chunk, &fixture->schema, 1, NULL, NULL, arena);
    chunk->rows = 1;
    for (size_t i = 0; i < fixture->schema.count; i++) {
        hr_column_init(&chunk->columns[i], fixture->schema.fields[i].type, 1, arena);
    }
    double *pair = hr_arena_array(arena, 2, double);
    pair[0] = 1.0 - value;
    pair[1] = value;
    chunk->columns[PROBABILITY].vectors[0] = (struct hr_vector){pair, NULL, 2, 2};
    chunk->columns[PREDICTION].doubles[0] =
        fixture->type.task == HR_TASK_CLASSIFICATION ? (double)(value > 0.5) : value;
    chunk->columns[DISTANCE].doubles[0] = value;
    chunk->columns[LABEL].doubles[0] = label;
    if (isnan(label)) {
        hr_column_set_null(&chunk->columns[LABEL], 0, 1, arena);
    }
    hr_evaluation_observe(&fixture->evaluation, chunk);
}

static void check(const struct fixture *fixture, int view, enum hr_metric_id metric, double expected)
{
    double value = hr_evaluation_value(&fixture->evaluation, view, metric);
    if (!(fabs(value - expected) <= NEAR)) {
        printf("\nview %d, %s: %.17g expected, not %.17g\n", view, hr_metric_infos[metric].name, expected, value);
    }
    CU_ASSERT_DOUBLE_EQUAL(value, expected, NEAR);
}

/* The four rows of scikit-learn's example for roc_auc_score, in another order. */
static void observe_four(struct fixture *fixture)
{
    observe(fixture, 0, 0.1);
    observe(fixture, 1, 0.35);
    observe(fixture, (double)NAN, 0.99); /* no label: not measured */
    observe(fixture, 0, 0.4);
    observe(fixture, 1, 0.8);
}

static void test_classification(void)
{
    struct fixture fixture;
    open_evaluation(&fixture, HR_TASK_CLASSIFICATION, "{windows: {slidingRows: 2, fadingFactor: 0.5}}");
    CU_ASSERT_TRUE(isnan(hr_evaluation_value(&fixture.evaluation, 0, HR_METRIC_ID_ACCURACY)));
    observe_four(&fixture);
    CU_ASSERT_EQUAL(hr_evaluation_rows(&fixture.evaluation), 4);
    check(&fixture, 0, HR_METRIC_ID_ACCURACY, 3.0 / 4.0);
    check(&fixture, 0, HR_METRIC_ID_PRECISION, 1.0);
    check(&fixture, 0, HR_METRIC_ID_RECALL, 0.5);
    check(&fixture, 0, HR_METRIC_ID_F1, 2.0 / 3.0);
    check(&fixture, 0, HR_METRIC_ID_AUC, 0.75);
    check(&fixture, 0, HR_METRIC_ID_LOG_LOSS, -(log(0.9) + log(0.35) + log(0.6) + log(0.8)) / 4.0);
    /* By chance 1/2 · 1/4 + 1/2 · 3/4 = 1/2 would be right; "as the last one" is right once, for the first row. */
    check(&fixture, 0, HR_METRIC_ID_KAPPA, (0.75 - 0.5) / (1.0 - 0.5));
    check(&fixture, 0, HR_METRIC_ID_KAPPA_T, (0.75 - 0.25) / (1.0 - 0.25));
    check(&fixture, 1, HR_METRIC_ID_ACCURACY, 1.0);
    check(&fixture, 1, HR_METRIC_ID_AUC, 1.0);
    check(&fixture, 1, HR_METRIC_ID_LOG_LOSS, -(log(0.6) + log(0.8)) / 2.0);
    /* Weights 1/8, 1/4, 1/2, 1; only the second row is wrong. */
    check(&fixture, 2, HR_METRIC_ID_ACCURACY, 1.625 / 1.875);
    check(&fixture, 2, HR_METRIC_ID_RECALL, 1.0 / 1.25);
    check(&fixture, 2, HR_METRIC_ID_AUC, 1.0 - 0.25 * 0.5 / (1.25 * 0.625)); /* 0.35 before 0.4 is the one wrong pair */
    close_evaluation(&fixture);
}

static void test_classification_ends(void)
{
    struct fixture fixture;
    open_evaluation(&fixture, HR_TASK_CLASSIFICATION, "{metrics: [auc, precision, kappa, logLoss]}");
    observe(&fixture, 0, 0.25);
    check(&fixture, 0, HR_METRIC_ID_AUC, 1.0); /* one class only */
    check(&fixture, 0, HR_METRIC_ID_PRECISION, 0.0);
    check(&fixture, 0, HR_METRIC_ID_KAPPA, 0.0);
    observe(&fixture, 1, 0.25);
    check(&fixture, 0, HR_METRIC_ID_AUC, 0.5); /* a tie */
    observe(&fixture, 1, 0.0);
    check(&fixture, 0, HR_METRIC_ID_LOG_LOSS, -(log(0.75) + log(0.25) + log(1e-15)) / 3.0);
    observe(&fixture, 1, (double)NAN);
    CU_ASSERT_EQUAL(hr_evaluation_rows(&fixture.evaluation), 3);
    close_evaluation(&fixture);
}

static void test_regression(void)
{
    struct fixture fixture;
    open_evaluation(&fixture, HR_TASK_REGRESSION, "{windows: {slidingRows: 3, fadingFactor: 0.5}}");
    observe(&fixture, 1, 1.5);
    CU_ASSERT_TRUE(isnan(hr_evaluation_value(&fixture.evaluation, 0, HR_METRIC_ID_R2))); /* one label has no variance */
    observe(&fixture, 2, 2);
    observe(&fixture, 3, 2);
    observe(&fixture, 4, 5);
    check(&fixture, 0, HR_METRIC_ID_RMSE, 0.75);
    check(&fixture, 0, HR_METRIC_ID_MAE, 0.625);
    check(&fixture, 0, HR_METRIC_ID_R2, 1.0 - 2.25 / 5.0);
    check(&fixture, 1, HR_METRIC_ID_RMSE, sqrt(2.0 / 3.0));
    check(&fixture, 1, HR_METRIC_ID_R2, 0.0);
    check(&fixture, 2, HR_METRIC_ID_MAE, (0.125 * 0.5 + 0.5 + 1.0) / 1.875);
    double mean = (0.125 * 1 + 0.25 * 2 + 0.5 * 3 + 1.0 * 4) / 1.875;
    double spread = 0.125 * pow(1 - mean, 2) + 0.25 * pow(2 - mean, 2) + 0.5 * pow(3 - mean, 2) + pow(4 - mean, 2);
    check(&fixture, 2, HR_METRIC_ID_R2, 1.0 - (0.125 * 0.25 + 0.5 + 1.0) / spread);
    close_evaluation(&fixture);
}

static void test_clustering(void)
{
    struct fixture fixture;
    open_evaluation(&fixture, HR_TASK_CLUSTERING, "{metrics: [meanSquaredDistance]}");
    observe(&fixture, 0, 3);
    observe(&fixture, 0, 4);
    check(&fixture, 0, HR_METRIC_ID_MEAN_SQUARED_DISTANCE, 12.5);
    close_evaluation(&fixture);
}

static int by_score(const void *a, const void *b)
{
    double first = ((const struct hr_auc_pair *)a)->score;
    double second = ((const struct hr_auc_pair *)b)->score;
    return (first > second) - (first < second);
}

/* By the definition: for each positive, how many negatives are before it, half of those that are level with it. */
static double auc_by_definition(struct hr_auc_pair *pairs, size_t count)
{
    double wins = 0;
    double positives = 0;
    double negatives = 0;
    qsort(pairs, count, sizeof(*pairs), by_score);
    for (size_t i = 0; i < count;) {
        size_t end = i;
        double level_positives = 0;
        for (; end < count && pairs[end].score == pairs[i].score; end++) {
            level_positives += pairs[end].label;
        }
        double level_negatives = (double)(end - i) - level_positives;
        wins += level_positives * (negatives + level_negatives / 2);
        positives += level_positives;
        negatives += level_negatives;
        i = end;
    }
    return wins / (positives * negatives);
}

static void test_auc_in_bins_is_near_the_exact_one(void)
{
    enum { ROWS = 20000 };
    static struct hr_auc_pair pairs[ROWS];
    static struct hr_auc_bin bins[HR_AUC_BINS];
    uint64_t seed = 7;
    for (size_t i = 0; i < ROWS; i++) {
        double spread = 0;
        for (int j = 0; j < 6; j++) {
            spread += (double)(hr_random_splitmix(&seed) >> 11) * 0x1p-53 - 0.5;
        }
        double label = (double)(hr_random_splitmix(&seed) >> 63);
        pairs[i] = (struct hr_auc_pair){2 * spread + label, label};
        struct hr_auc_bin *bin = &bins[hr_auc_bin_of(pairs[i].score)];
        bin->positive += label;
        bin->negative += 1 - label;
    }
    double expected = auc_by_definition(pairs, ROWS);
    CU_ASSERT_TRUE(expected > 0.6 && expected < 0.9);
    CU_ASSERT_DOUBLE_EQUAL(hr_auc_of_pairs(pairs, ROWS), expected, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(hr_auc_of_bins(bins), expected, 1e-5);
}

static void test_bins_ascend(void)
{
    static const double scores[] = {-HUGE_VAL, -1e9, -31, -2,  -1.5, -1, -1e-3, -1e-9,   0,
                                    1e-9,      1e-3, 1,   1.5, 2,    31, 1e9,   HUGE_VAL};
    for (size_t i = 1; i < HR_ARRAY_LEN(scores); i++) {
        CU_ASSERT_TRUE(hr_auc_bin_of(scores[i - 1]) <= hr_auc_bin_of(scores[i]));
    }
    CU_ASSERT_TRUE(hr_auc_bin_of(-1) < hr_auc_bin_of(-1e-3) && hr_auc_bin_of(1) < hr_auc_bin_of(1.5));
    CU_ASSERT_EQUAL(hr_auc_bin_of(HUGE_VAL), HR_AUC_BINS - 1);
    CU_ASSERT_EQUAL(hr_auc_bin_of(-HUGE_VAL), 0);
}

/* What a checkpoint does: the bytes go to another evaluation, which goes on with the same numbers. */
static void test_state_moves(void)
{
    static const char windows[] = "{windows: {slidingRows: 3, fadingFactor: 0.9}}";
    struct fixture one;
    struct fixture other;
    struct hr_error err;
    open_evaluation(&one, HR_TASK_CLASSIFICATION, windows);
    open_evaluation(&other, HR_TASK_CLASSIFICATION, windows);
    observe_four(&one);
    const struct hr_paged *state = &one.evaluation.state;
    for (size_t page = 0; page < hr_paged_page_count(state); page++) {
        size_t left = state->size - page * HR_PAGE_SIZE;
        CU_ASSERT_EQUAL(hr_paged_load(&other.evaluation.state, state->size, page, state->data + page * HR_PAGE_SIZE,
                                      left < HR_PAGE_SIZE ? left : HR_PAGE_SIZE, &err),
                        HR_OK);
    }
    observe_four(&one);
    observe_four(&other);
    CU_ASSERT_EQUAL(hr_evaluation_rows(&other.evaluation), 8);
    CU_ASSERT_EQUAL(memcmp(one.evaluation.state.data, other.evaluation.state.data, state->size), 0);
    for (unsigned i = 0; i <= HR_METRIC_ID_KAPPA_T; i++) {
        for (int view = 0; view < 3; view++) {
            check(&other, view, (enum hr_metric_id)i, hr_evaluation_value(&one.evaluation, view, (enum hr_metric_id)i));
        }
    }
    close_evaluation(&one);
    close_evaluation(&other);
}

TEST_MAIN("evaluate", {"classification", test_classification}, {"classification at its ends", test_classification_ends},
          {"regression", test_regression}, {"clustering", test_clustering},
          {"auc in bins is near the exact one", test_auc_in_bins_is_near_the_exact_one},
          {"bins ascend", test_bins_ascend}, {"state moves", test_state_moves})
