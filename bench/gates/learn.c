/* SPDX-License-Identifier: Apache-2.0
 *
 * Learner gates: learning logistic regression against predicting with it on the same rows, and assigning points to
 * centres against the matrix product of the same shape.
 */
#include <cblas.h>
#include <stdlib.h>

#include "base/random.h"
#include "encoded_rows.h"
#include "gates.h"
#include "learner.h"

static struct learner learner;

#define LOGISTIC_ROWS 32768u

static struct encoded_rows rows;

static void logistic_open(void)
{
    learner_open(&learner, "{type: OnlineLogisticRegression, optimizer: adagrad, learningRate: 0.1}", 1u << 18);
    encoded_rows_make(&rows, LOGISTIC_ROWS, 1u << 18, 1, &learner.arena);
}

static void logistic_pass(void (*step)(struct learner *))
{
    for (size_t first = 0; first < LOGISTIC_ROWS; first += HR_CHUNK_ROWS) {
        learner_chunk(&learner, rows.vectors + first, NULL, rows.labels + first, HR_CHUNK_ROWS);
        step(&learner);
    }
}

static void logistic_work(void)
{
    logistic_pass(learner_learn);
}

static void logistic_reference(void)
{
    logistic_pass(learner_score);
}

static void close_learner(void)
{
    learner_close(&learner);
}

const struct gate gate_logistic = {
    .name = "logistic regression, learn / predict only",
    .bound = 4.0,
    .item = "row",
    .items = LOGISTIC_ROWS,
    .open = logistic_open,
    .work = logistic_work,
    .reference = logistic_reference,
    .close = close_learner,
};

#define POINT_CHUNKS 16u
#define POINTS (POINT_CHUNKS * HR_CHUNK_ROWS)
#define DIMENSION 32u
#define CENTRES 64u

static struct {
    double *points;
    double *centres;
    double *products;
    struct hr_vector *vectors;
} data;

static void fill(double *values, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = (double)(hr_random_splitmix(&seed) >> 11) * 0x1p-53;
    }
}

static void k_means_open(void)
{
    openblas_set_num_threads(1);
    learner_open(&learner, "{type: StreamingKMeans, k: 64, initialCenters: {random: {dim: 32, weight: 1, seed: 1}}}",
                 DIMENSION);
    data.points = hr_arena_array(&learner.arena, POINTS * DIMENSION, double);
    data.centres = hr_arena_array(&learner.arena, CENTRES * DIMENSION, double);
    data.products = hr_arena_array(&learner.arena, HR_CHUNK_ROWS * CENTRES, double);
    data.vectors = hr_arena_array(&learner.arena, POINTS, struct hr_vector);
    fill(data.points, POINTS * DIMENSION, 1);
    fill(data.centres, CENTRES * DIMENSION, 2);
    for (size_t i = 0; i < POINTS; i++) {
        data.vectors[i] = (struct hr_vector){data.points + i * DIMENSION, NULL, DIMENSION, DIMENSION};
    }
}

static void k_means_work(void)
{
    for (size_t first = 0; first < POINTS; first += HR_CHUNK_ROWS) {
        learner_chunk(&learner, data.vectors + first, data.points + first * DIMENSION, NULL, HR_CHUNK_ROWS);
        learner_score(&learner);
    }
}

static void k_means_reference(void)
{
    for (size_t first = 0; first < POINTS; first += HR_CHUNK_ROWS) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, HR_CHUNK_ROWS, CENTRES, DIMENSION, 1.0,
                    data.points + first * DIMENSION, DIMENSION, data.centres, DIMENSION, 0.0, data.products, CENTRES);
        gate_keep((uint64_t)(uintptr_t)data.products);
    }
}

const struct gate gate_k_means = {
    .name = "k-means assignment, 64 centres of 32 / dgemm",
    .bound = 1.2,
    .item = "point",
    .items = POINTS,
    .open = k_means_open,
    .work = k_means_work,
    .reference = k_means_reference,
    .close = close_learner,
};
