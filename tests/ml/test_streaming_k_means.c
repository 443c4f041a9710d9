/* SPDX-License-Identifier: Apache-2.0
 *
 * The update formula, worked out by hand: n ← a n + m, c ← c + (m / n) (mean of the points − c).
 */
#include "test.h"

#include <math.h>

#include "ml/lesson.h"

#define NEAR 1e-15

static const char points[] = "{\"features\": [1, 0]}\n{\"features\": [2, 2]}\n{\"features\": [9, 11]}";

static void open_model(struct lesson *lesson, const char *options, const char *centres)
{
    lesson_open(lesson, "features vector");
    lesson_model(lesson,
                 hr_arena_printf(&lesson->arena,
                                 "{type: StreamingKMeans, k: 2, predictionCol: cluster, distanceCol: distance, %s "
                                 "initialCenters: {%s}}",
                                 options, centres));
}

static void check_centre(struct lesson *lesson, size_t j, double x, double y, double weight)
{
    CU_ASSERT_DOUBLE_EQUAL(lesson_state(lesson, "clusterCenters", j, 0), x, NEAR * 16);
    CU_ASSERT_DOUBLE_EQUAL(lesson_state(lesson, "clusterCenters", j, 1), y, NEAR * 16);
    CU_ASSERT_DOUBLE_EQUAL(lesson_state(lesson, "clusterWeights", j, 0), weight, NEAR * 16);
}

static void test_batches(void)
{
    struct lesson lesson;
    open_model(&lesson, "decayFactor: 0.5,", "centers: [[0, 0], [10, 10]], weights: [1, 2]");
    lesson_learn(&lesson, points);
    TEST_TEXT_EQUAL(lesson_column(&lesson, "cluster"), "{\"cluster\":0}\n{\"cluster\":0}\n{\"cluster\":1}\n");
    CU_ASSERT_DOUBLE_EQUAL(lesson.chunk.columns[lesson.model->distance].doubles[1], sqrt(8.0), NEAR);
    check_centre(&lesson, 0, 0.8 * 1.5, 0.8 * 1.0, 2.5); /* n = 1/2 + 2, share 4/5 of the mean (1.5, 1) */
    check_centre(&lesson, 1, 9.5, 10.5, 2.0);            /* n = 1 + 1, half way to (9, 11) */
    lesson_learn(&lesson, "");
    check_centre(&lesson, 0, 1.2, 0.8, 1.25); /* an empty batch forgets, too */
    check_centre(&lesson, 1, 9.5, 10.5, 1.0);
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->version, 1);
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->rows_learned, 3);
    lesson_close(&lesson);
}

static void test_points(void)
{
    struct lesson lesson;
    open_model(&lesson, "decayFactor: 0.5, timeUnit: points,", "centers: [[0, 0], [10, 10]], weights: [8, 16]");
    lesson_learn(&lesson, points); /* 0.5³ is left: 1 and 2 */
    check_centre(&lesson, 0, 2.0 / 3.0 * 1.5, 2.0 / 3.0 * 1.0, 3.0);
    check_centre(&lesson, 1, 10.0 - 1.0 / 3.0, 10.0 + 1.0 / 3.0, 3.0);
    lesson_close(&lesson);
}

static void test_half_life(void)
{
    struct lesson lesson;
    open_model(&lesson, "halfLife: 2,", "centers: [[0, 0], [10, 10]], weights: [4, 8]");
    lesson_learn(&lesson, "");
    lesson_learn(&lesson, "");
    check_centre(&lesson, 0, 0.0, 0.0, 2.0);
    check_centre(&lesson, 1, 10.0, 10.0, 4.0);
    lesson_close(&lesson);
}

static void test_a_dying_cluster_is_put_next_to_the_heaviest(void)
{
    struct lesson lesson;
    open_model(&lesson, "decayFactor: 1.0,", "centers: [[0, 8], [100, 100]], weights: [1, 1.0e-9]");
    lesson_learn(&lesson, "{\"features\": [0, 8]}");
    double weight = (2.0 + 1e-9) / 2.0;
    check_centre(&lesson, 0, 1e-14, 8.0 + 8e-14, weight);
    check_centre(&lesson, 1, -1e-14, 8.0 - 8e-14, weight);
    CU_ASSERT_TRUE(lesson_state(&lesson, "clusterCenters", 0, 1) > lesson_state(&lesson, "clusterCenters", 1, 1));
    lesson_close(&lesson);
}

static void test_sparse_points_and_equal_distances(void)
{
    struct lesson lesson;
    open_model(&lesson, "", "centers: [[2, 0], [0, 2]], weights: [0, 0]");
    lesson_learn(&lesson, "{\"features\": {\"size\": 2, \"indices\": [], \"values\": []}}\n"
                          "{\"features\": {\"size\": 2, \"indices\": [1], \"values\": [4]}}");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "cluster"), "{\"cluster\":0}\n{\"cluster\":1}\n");
    check_centre(&lesson, 0, 0.0, 0.0, 1.0); /* without weight a centre moves to its points */
    check_centre(&lesson, 1, 0.0, 4.0, 1.0);
    lesson_learn(&lesson, "{\"features\": [\"NaN\", 1]}\n{\"features\": [1, 2, 3]}");
    CU_ASSERT_EQUAL(hr_model_head(lesson.model)->nonfinite, 1);
    CU_ASSERT_EQUAL(lesson.rejects.count, 1);
    check_centre(&lesson, 0, 0.0, 0.0, 1.0);
    lesson_close(&lesson);
}

TEST_MAIN("streaming_k_means", {"batches", test_batches}, {"points", test_points}, {"half life", test_half_life},
          {"a dying cluster is put next to the heaviest", test_a_dying_cluster_is_put_next_to_the_heaviest},
          {"sparse points, and equal distances", test_sparse_points_and_equal_distances})
