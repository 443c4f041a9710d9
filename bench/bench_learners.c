/* SPDX-License-Identifier: Apache-2.0
 *
 * Learners on rows in memory, and the same rows as files for peers:
 *
 *     bench_learners logistic ROWS BITS OPTIONS [FOLDER]
 *     bench_learners k-means POINTS K DIM BATCH [FOLDER]
 *
 * One pass of OnlineLogisticRegression over encoded rows (encoded_rows.h) with 2^BITS weights, each row scored and then
 * learned; or one pass of StreamingKMeans in batches of BATCH points.
 *
 * OPTIONS: the model's, as YAML: "optimizer: adagrad, learningRate: 0.1". Prints a JSON object: processor and wall
 * nanoseconds a row of learning, and the progressive log loss, or the mean squared distance of all points to the
 * centres at the end. With a FOLDER it writes the rows there and learns nothing: rows.vw, indices.u32, values.f32,
 * labels.u8, or points.f64 and centres.f64.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "encoded_rows.h"
#include "learner.h"

struct stopwatch {
    double cpu;
    double wall;
};

static double thread_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double wall_seconds(void)
{
    return (double)hr_clock_monotonic_ns(&hr_clock_system) * 1e-9;
}

static void stopwatch_start(struct stopwatch *watch)
{
    watch->cpu -= thread_seconds();
    watch->wall -= wall_seconds();
}

static void stopwatch_stop(struct stopwatch *watch)
{
    watch->cpu += thread_seconds();
    watch->wall += wall_seconds();
}

static void print(const struct stopwatch *watch, size_t rows, const char *quality, double value)
{
    printf("{\"cpu_ns\": %.2f, \"wall_ns\": %.2f, \"%s\": %.6f}\n", watch->cpu * 1e9 / (double)rows,
           watch->wall * 1e9 / (double)rows, quality, value);
}

static FILE *create(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        fprintf(stderr, "bench_learners: %s cannot be written\n", path);
        exit(2);
    }
    return file;
}

static void finish(FILE *file)
{
    if (ferror(file) != 0 || fclose(file) != 0) {
        fprintf(stderr, "bench_learners: writing failed; is the disk full?\n");
        exit(2);
    }
}

static void write_rows(const struct encoded_rows *rows, const char *folder)
{
    FILE *text = create(folder, "rows.vw");
    FILE *indices = create(folder, "indices.u32");
    FILE *values = create(folder, "values.f32");
    FILE *labels = create(folder, "labels.u8");
    for (size_t row = 0; row < rows->count; row++) {
        fprintf(text, "%d |", rows->labels[row] != 0 ? 1 : -1);
        for (size_t i = row * ENCODED_NONZEROS; i < (row + 1) * ENCODED_NONZEROS; i++) {
            float value = (float)rows->values[i];
            fprintf(text, value == 1.0F ? " %u" : " %u:%.9g", rows->indices[i], (double)value);
            fwrite(&value, sizeof(value), 1, values);
        }
        fputc('\n', text);
        fputc((int)rows->labels[row], labels);
    }
    fwrite(rows->indices, sizeof(*rows->indices), rows->count * ENCODED_NONZEROS, indices);
    finish(text);
    finish(indices);
    finish(values);
    finish(labels);
}

/* Of the chunk that was just learned: P(1) from before. */
static double chunk_loss(const struct learner *learner, const int64_t *labels)
{
    const struct hr_vector *probabilities = learner->chunk.columns[learner->model->probability].vectors;
    double sum = 0;
    for (size_t row = 0; row < learner->chunk.rows; row++) {
        double p = probabilities[row].values[labels[row] != 0];
        sum -= log(fmax(p, 1e-15));
    }
    return sum;
}

/* The kernel's work of handing out the state's pages is not the learner's. */
static void touch_state(const struct learner *learner)
{
    const struct hr_paged *state = &learner->model->state;
    for (size_t offset = 0; offset < state->size; offset += HR_PAGE_SIZE) {
        volatile uint8_t *byte = state->data + offset;
        *byte = *byte;
    }
}

static void logistic(size_t count, unsigned bits, const char *options, const char *folder)
{
    struct learner learner;
    struct encoded_rows rows;
    char model[256];
    snprintf(model, sizeof(model), "{type: OnlineLogisticRegression, %s}", options);
    learner_open(&learner, model, 1u << bits);
    encoded_rows_make(&rows, count, 1u << bits, 1, &learner.arena);
    if (folder != NULL) {
        write_rows(&rows, folder);
        return;
    }
    touch_state(&learner);
    struct stopwatch watch = {0};
    double loss = 0;
    for (size_t first = 0; first < count; first += HR_CHUNK_ROWS) {
        size_t chunk = count - first < HR_CHUNK_ROWS ? count - first : HR_CHUNK_ROWS;
        stopwatch_start(&watch);
        learner_chunk(&learner, rows.vectors + first, NULL, rows.labels + first, chunk);
        learner_learn(&learner);
        stopwatch_stop(&watch);
        loss += chunk_loss(&learner, rows.labels + first);
    }
    print(&watch, count, "log_loss", loss / (double)count);
    learner_close(&learner);
}

static double normal(uint64_t *seed)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) {
        sum += (double)(hr_random_splitmix(seed) >> 11) * 0x1p-53;
    }
    return sum;
}

/* Points around k centres of their own; the first k points are where all learners start. */
static double *make_points(size_t count, size_t k, size_t dimension, struct hr_arena *arena)
{
    uint64_t seed = 1;
    double *truth = hr_arena_array(arena, k * dimension, double);
    double *points = hr_arena_array(arena, count * dimension, double);
    for (size_t i = 0; i < k * dimension; i++) {
        truth[i] = normal(&seed) * 2.0;
    }
    for (size_t i = 0; i < count; i++) {
        const double *around = truth + (i < k ? i : hr_random_splitmix(&seed) % k) * dimension;
        for (size_t j = 0; j < dimension; j++) {
            points[i * dimension + j] = around[j] + normal(&seed);
        }
    }
    return points;
}

static char *k_means_model(const double *points, size_t k, size_t dimension, struct hr_arena *arena)
{
    struct hr_buf text;
    hr_buf_init(&text, 1 << 28);
    hr_buf_printf(&text, "{type: StreamingKMeans, k: %zu, decayFactor: 1.0, initialCenters: {centers: [", k);
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < dimension; j++) {
            hr_buf_printf(&text, "%s%.17g", j == 0 ? i == 0 ? "[" : ", [" : ", ", points[i * dimension + j]);
        }
        hr_buf_printf(&text, "]");
    }
    hr_buf_printf(&text, "], weights: [");
    for (size_t i = 0; i < k; i++) {
        hr_buf_printf(&text, i == 0 ? "0" : ", 0");
    }
    hr_buf_printf(&text, "]}}");
    char *copy = hr_arena_strdup(arena, hr_buf_text(&text));
    hr_buf_release(&text);
    return copy;
}

struct points {
    size_t count;
    size_t dimension;
    const double *values;
    struct hr_vector *vectors;
};

static void points_chunk(struct learner *learner, const struct points *points, size_t first, size_t end)
{
    size_t chunk = end - first < HR_CHUNK_ROWS ? end - first : HR_CHUNK_ROWS;
    learner_chunk(learner, points->vectors + first, points->values + first * points->dimension, NULL, chunk);
}

static double mean_squared_distance(struct learner *learner, const struct points *points)
{
    double sum = 0;
    for (size_t first = 0; first < points->count; first += HR_CHUNK_ROWS) {
        points_chunk(learner, points, first, points->count);
        learner_score(learner);
        const double *distances = learner->chunk.columns[learner->model->distance].doubles;
        for (size_t row = 0; row < learner->chunk.rows; row++) {
            sum += distances[row] * distances[row];
        }
    }
    return sum / (double)points->count;
}

static void learn_points(struct learner *learner, const struct points *points, size_t batch)
{
    struct stopwatch watch = {0};
    stopwatch_start(&watch);
    for (size_t first = 0; first < points->count; first += batch) {
        size_t end = points->count - first < batch ? points->count : first + batch;
        for (size_t next = first; next < end; next += HR_CHUNK_ROWS) {
            points_chunk(learner, points, next, end);
            learner_learn(learner);
        }
        learner_end_batch(learner);
    }
    stopwatch_stop(&watch);
    print(&watch, points->count, "mean_squared_distance", mean_squared_distance(learner, points));
}

static void k_means(size_t count, size_t k, size_t dimension, size_t batch, const char *folder)
{
    struct hr_arena arena;
    hr_arena_init(&arena, 0);
    double *values = make_points(count, k, dimension, &arena);
    if (folder != NULL) {
        FILE *file = create(folder, "points.f64");
        fwrite(values, sizeof(double), count * dimension, file);
        finish(file);
        file = create(folder, "centres.f64");
        fwrite(values, sizeof(double), k * dimension, file);
        finish(file);
    } else {
        struct learner learner;
        struct points points = {count, dimension, values, hr_arena_array(&arena, count, struct hr_vector)};
        for (size_t i = 0; i < count; i++) {
            points.vectors[i] =
                (struct hr_vector){values + i * dimension, NULL, (uint32_t)dimension, (uint32_t)dimension};
        }
        learner_open(&learner, k_means_model(values, k, dimension, &arena), (uint32_t)dimension);
        learn_points(&learner, &points, batch);
        learner_close(&learner);
    }
    hr_arena_release(&arena);
}

int main(int argc, char **argv)
{
    size_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    if (argc >= 5 && argc <= 6 && count > 0 && strcmp(argv[1], "logistic") == 0) {
        logistic(count, (unsigned)atoi(argv[3]), argv[4], argc > 5 ? argv[5] : NULL);
        return 0;
    }
    if (argc >= 6 && argc <= 7 && count > 0 && strcmp(argv[1], "k-means") == 0) {
        k_means(count, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10),
                argc > 6 ? argv[6] : NULL);
        return 0;
    }
    fprintf(stderr, "usage: bench_learners logistic ROWS BITS OPTIONS [FOLDER]\n"
                    "       bench_learners k-means POINTS K DIM BATCH [FOLDER]\n");
    return 2;
}
