/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints nanoseconds of processor time a row of OnlineLogisticRegression, scored and then learned, and its log loss:
 *
 *     bench_online [ROWS [OPTIMIZER [RATE]]]
 *
 * A row has 5 numbers and 15 categories, the values of a category drawn with P(rank) ~ 1/rank and spread over the
 * weights; its label comes from a hidden model. Once with 2^18 weights, once with 2^24.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "ml/kernel.h"
#include "ml/model.h"

#define NUMBERS 5u
#define CATEGORIES 15u
#define ELEMENTS (NUMBERS + CATEGORIES)

struct rows {
    size_t count;
    uint32_t *indices; /* ELEMENTS a row */
    double *values;
    struct hr_vector *vectors;
    double *labels;
};

static double uniform(uint64_t *seed)
{
    return (double)(hr_random_splitmix(seed) >> 11) * 0x1p-53;
}

static double processor_seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What the hidden model says of an element: between −1 and 1. */
static double effect(uint32_t index)
{
    uint64_t seed = index;
    return 2.0 * uniform(&seed) - 1.0;
}

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static double fill_row(uint32_t *indices, double *values, uint32_t weights, uint64_t *seed)
{
    for (uint32_t i = 0; i < NUMBERS; i++) {
        indices[i] = i;
        values[i] = 2.0 * uniform(seed) - 1.0;
    }
    for (uint32_t i = NUMBERS; i < ELEMENTS; i++) {
        uint64_t place = (uint64_t)i << 32 | (uint32_t)exp(uniform(seed) * log((double)weights));
        indices[i] = NUMBERS + (uint32_t)(hr_random_splitmix(&place) % (weights - NUMBERS));
        values[i] = 1.0;
    }
    qsort(indices + NUMBERS, CATEGORIES, sizeof(*indices), by_value);
    double margin = -0.5;
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        margin += values[i] * effect(indices[i]);
    }
    return uniform(seed) < hr_kernel_sigmoid(margin) ? 1.0 : 0.0;
}

static struct rows make_rows(size_t count, uint32_t weights)
{
    struct rows rows = {
        .count = count,
        .indices = calloc(count * ELEMENTS, sizeof(uint32_t)),
        .values = calloc(count * ELEMENTS, sizeof(double)),
        .vectors = calloc(count, sizeof(struct hr_vector)),
        .labels = calloc(count, sizeof(double)),
    };
    uint64_t seed = 11;
    for (size_t row = 0; row < count; row++) {
        uint32_t *indices = rows.indices + row * ELEMENTS;
        double *values = rows.values + row * ELEMENTS;
        rows.labels[row] = fill_row(indices, values, weights, &seed);
        rows.vectors[row] = (struct hr_vector){values, indices, weights, ELEMENTS};
    }
    return rows;
}

static void free_rows(struct rows *rows)
{
    free(rows->indices);
    free(rows->values);
    free(rows->vectors);
    free(rows->labels);
}

/* All rows, chunk by chunk; the sum of their log losses. */
static double learn_rows(struct hr_model *model, struct hr_chunk *chunk, const struct rows *rows, double *seconds)
{
    struct hr_error err;
    double loss = 0.0;
    for (size_t first = 0; first < rows->count; first += HR_CHUNK_ROWS) {
        hr_arena_reset(chunk->arena);
        chunk->rows = rows->count - first < HR_CHUNK_ROWS ? rows->count - first : HR_CHUNK_ROWS;
        chunk->columns[0] = (struct hr_column){.type = HR_TYPE_VECTOR, .vectors = rows->vectors + first};
        chunk->columns[1] = (struct hr_column){.type = HR_TYPE_DOUBLE, .doubles = rows->labels + first};
        double begin = processor_seconds();
        if (hr_model_learn(model, chunk, &err) != HR_OK) {
            abort();
        }
        *seconds += processor_seconds() - begin;
        for (size_t row = 0; row < chunk->rows; row++) {
            double margin = chunk->columns[model->raw_prediction].vectors[row].values[1];
            loss += hr_kernel_log1p_exp(rows->labels[first + row] == 1.0 ? -margin : margin);
        }
    }
    return loss;
}

static void bench_weights(size_t count, uint32_t weights, const char *optimizer, double rate)
{
    struct hr_arena arena;
    struct hr_arena chunk_arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_rejects rejects;
    struct hr_chunk chunk;
    struct hr_error err;
    hr_arena_init(&arena, 0);
    hr_arena_init(&chunk_arena, (size_t)1 << 20);
    hr_findings_init(&findings);
    hr_schema_init(&schema, &arena);
    const char *text =
        hr_arena_printf(&arena, "{type: OnlineLogisticRegression, optimizer: %s, learningRate: %g}", optimizer, rate);
    struct hr_yaml *node = hr_yaml_read_text(&arena, "bench", text, strlen(text), &findings);
    struct hr_model *model = hr_model_new(node, &arena, &findings);
    size_t index;
    if (model == NULL || hr_schema_add(&schema, "features", HR_TYPE_VECTOR, NULL, &index, &err) != HR_OK ||
        hr_schema_add(&schema, "label", HR_TYPE_DOUBLE, NULL, &index, &err) != HR_OK ||
        hr_model_bind(model, &schema, &err) != HR_OK) {
        abort();
    }
    hr_rejects_init(&rejects, &arena);
    hr_chunk_init(&chunk, &schema, HR_CHUNK_ROWS, NULL, &rejects, &arena);
    chunk.arena = &chunk_arena;
    struct rows rows = make_rows(count, weights);
    double first = 0.0;
    double second = 0.0;
    double loss = learn_rows(model, &chunk, &rows, &first);
    learn_rows(model, &chunk, &rows, &second);
    uint64_t hash = 0;
    for (size_t i = sizeof(struct hr_model_head); i + 8 <= model->state.size; i += 8) {
        uint64_t word;
        memcpy(&word, model->state.data + i, sizeof(word));
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    }
    printf("%s, %u weights: %.1f ns a row, %.1f in a second pass; log loss %.6f, state %016llx\n", optimizer, weights,
           first / (double)count * 1e9, second / (double)count * 1e9, loss / (double)count, (unsigned long long)hash);
    free_rows(&rows);
    hr_model_close(model);
    hr_findings_release(&findings);
    hr_arena_release(&chunk_arena);
    hr_arena_release(&arena);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 500000;
    const char *optimizer = argc > 2 ? argv[2] : "adagrad";
    double rate = argc > 3 ? strtod(argv[3], NULL) : 0.1;
    bench_weights(count, 1u << 18, optimizer, rate);
    bench_weights(count, 1u << 24, optimizer, rate);
    return 0;
}
