/* SPDX-License-Identifier: Apache-2.0
 *
 * StreamingKMeans (org.apache.spark.mllib.clustering): a batch is assigned to the centres from before it; then, with
 * m_j points of sum S_j at centre j, and the discount d = a ("batches") or a^(points of the batch) ("points"):
 *
 *   every j      n_j ← d n_j
 *   m_j > 0      n_j ← n_j + m_j;  λ = m_j / max(n_j, 1e-16);  c_j ← (1 − λ) c_j + (λ / m_j) S_j
 *   once         p = first largest n, q = first smallest: when n_q < 1e-8 n_p, both weigh (n_p + n_q) / 2 and stand at
 *                c_p ± 1e-14 max(|c_p|, 1), coordinate by coordinate
 *
 * The discount is also due for an empty batch. The first of equally near centres wins. distanceCol is the Euclidean
 * distance; its square is what the metric meanSquaredDistance averages.
 *
 * State: struct hr_model_head, then k centres of `dimension` doubles, then k weights.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "ml/initial_centres.h"
#include "ml/kernel.h"
#include "ml/kernel_nearest.h"
#include "ml/model.h"
#include "ml/nearest.h"

#define DYING_SHARE 1e-8
#define SPLIT_SHIFT 1e-14
#define CENTRES_MAX 100000

struct k_means_options {
    struct hr_model_columns columns;
    int64_t k;
    double decay_factor;
    double half_life;
    int time_unit;
    struct hr_yaml *initial_centers;
};

enum k_means_time_unit { UNIT_BATCHES, UNIT_POINTS };

struct k_means {
    struct hr_model base;
    const struct k_means_options *options;
    size_t k;
    size_t dimension;
    double decay; /* per batch or point */
    struct hr_nearest nearest;
    bool stale;    /* it is of other centres */
    double *point; /* a sparse row, written out; zeros between rows */
    /* Of the batch so far. */
    double *sums;     /* k * dimension */
    uint64_t *counts; /* k */
    uint64_t points;
};

static double *centre(const struct k_means *model, size_t j)
{
    return (double *)(model->base.state.data + sizeof(struct hr_model_head)) + j * model->dimension;
}

static double *weights_of(const struct k_means *model)
{
    return centre(model, model->k);
}

/* Few centres: one distance after the other, with the same bits. */
static size_t nearest_of_few(const struct k_means *model, const double *point, double *squared)
{
    size_t best = SIZE_MAX;
    *squared = HUGE_VAL;
    for (size_t j = 0; j < model->k; j++) {
        double distance = hr_kernel_squared_distance(point, centre(model, j), model->dimension);
        if (distance < *squared) {
            *squared = distance;
            best = j;
        }
    }
    return best;
}

static size_t nearest_of(struct k_means *model, const double *point, double *squared)
{
    if (model->k < HR_NEAREST_LANES) {
        return nearest_of_few(model, point, squared);
    }
    if (model->stale) {
        hr_nearest_set(&model->nearest, centre(model, 0));
        model->stale = false;
    }
    return hr_nearest_find(&model->nearest, point, squared);
}

/* Nearest centre, the first of equal ones; SIZE_MAX when no distance is finite. The elements that a sparse row leaves
 * out are zeros. */
static size_t nearest(struct k_means *model, const struct hr_vector *vector, double *squared)
{
    if (vector->indices == NULL) {
        return nearest_of(model, vector->values, squared);
    }
    for (uint32_t i = 0; i < vector->count; i++) {
        model->point[vector->indices[i]] = vector->values[i];
    }
    size_t best = nearest_of(model, model->point, squared);
    for (uint32_t i = 0; i < vector->count; i++) {
        model->point[vector->indices[i]] = 0.0;
    }
    return best;
}

/* Scores a row; SIZE_MAX when it was rejected or is near nothing (prediction null, distance NaN). */
static size_t score_row(struct k_means *model, struct hr_chunk *chunk, size_t row, const struct hr_model_output *output,
                        const struct hr_vector **vector)
{
    struct hr_model *base = &model->base;
    *vector = hr_model_features(base, chunk, row, model->dimension);
    if (*vector == NULL) {
        return SIZE_MAX;
    }
    double squared;
    size_t best = nearest(model, *vector, &squared);
    if (output->cluster != NULL && best != SIZE_MAX) {
        output->cluster[row] = (int64_t)best;
    } else if (output->cluster != NULL) {
        hr_column_set_null(&chunk->columns[base->prediction], row, chunk->rows, chunk->arena);
    }
    if (output->distance != NULL) {
        output->distance[row] = best != SIZE_MAX ? sqrt(squared) : (double)NAN;
    }
    return best;
}

static void k_means_score(struct hr_model *base, struct hr_chunk *chunk)
{
    struct hr_model_output output;
    hr_model_output_begin(base, chunk, &output);
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector;
        score_row((struct k_means *)base, chunk, row, &output, &vector);
    }
}

static enum hr_status k_means_learn(struct hr_model *base, struct hr_chunk *chunk, struct hr_error *err)
{
    (void)err;
    struct k_means *model = (struct k_means *)base;
    struct hr_model_output output;
    hr_model_output_begin(base, chunk, &output);
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector;
        size_t best = score_row(model, chunk, row, &output, &vector);
        if (best != SIZE_MAX) {
            hr_kernel_axpy_vector(1.0, vector, model->sums + best * model->dimension);
            model->counts[best]++;
            model->points++;
        } else if (vector != NULL) {
            hr_model_head(base)->nonfinite++;
            hr_paged_mark(&base->state, 0);
        }
    }
    return HR_OK;
}

static void move_centres(struct k_means *model)
{
    double *weights = weights_of(model);
    for (size_t j = 0; j < model->k; j++) {
        if (model->counts[j] == 0) {
            continue;
        }
        double count = (double)model->counts[j];
        double *values = centre(model, j);
        const double *sum = model->sums + j * model->dimension;
        if (!hr_kernel_all_finite(sum, model->dimension)) {
            hr_model_head(&model->base)->nonfinite += model->counts[j]; /* points too large to add up */
            continue;
        }
        weights[j] += count;
        double share = count / fmax(weights[j], 1e-16);
        for (size_t i = 0; i < model->dimension; i++) {
            values[i] = values[i] * (1.0 - share) + share / count * sum[i];
        }
        hr_model_head(&model->base)->rows_learned += model->counts[j];
    }
}

/* A cluster that lost all weight is put next to the heaviest one. */
static void split_dying(struct k_means *model)
{
    double *weights = weights_of(model);
    size_t largest = 0;
    size_t smallest = 0;
    for (size_t j = 1; j < model->k; j++) {
        largest = weights[j] > weights[largest] ? j : largest;
        smallest = weights[j] < weights[smallest] ? j : smallest;
    }
    if (!(weights[smallest] < DYING_SHARE * weights[largest])) {
        return;
    }
    double weight = (weights[largest] + weights[smallest]) / 2.0;
    weights[largest] = weight;
    weights[smallest] = weight;
    double *from = centre(model, largest);
    double *to = centre(model, smallest);
    for (size_t i = 0; i < model->dimension; i++) {
        double value = from[i];
        double shift = SPLIT_SHIFT * fmax(fabs(value), 1.0);
        from[i] = value + shift;
        to[i] = value - shift;
    }
}

static enum hr_status k_means_end_batch(struct hr_model *base, struct hr_error *err)
{
    (void)err;
    struct k_means *model = (struct k_means *)base;
    struct hr_model_head *head = hr_model_head(base);
    double discount =
        model->options->time_unit == UNIT_POINTS ? hr_kernel_power(model->decay, model->points) : model->decay;
    double *weights = weights_of(model);
    for (size_t j = 0; j < model->k; j++) {
        double weight = weights[j] * discount;
        weights[j] = isfinite(weight) ? weight : weights[j]; /* decayFactor may be above 1 */
    }
    if (model->points > 0) {
        move_centres(model);
        head->version++;
    }
    split_dying(model);
    model->stale = true;
    memset(model->sums, 0, model->k * model->dimension * sizeof(double));
    memset(model->counts, 0, model->k * sizeof(uint64_t));
    model->points = 0;
    hr_paged_mark_range(&base->state, 0, base->state.size);
    return HR_OK;
}

static void k_means_check(struct hr_model *base, struct hr_findings *findings)
{
    const struct k_means_options *options = base->options;
    if (options->half_life > 0.0 && options->decay_factor != 1.0) {
        hr_findings_error(findings, &base->place, "'halfLife' and 'decayFactor' say the same thing: give one of them");
    }
    hr_initial_centres_check(options->initial_centers, &base->place, options->k, findings);
}

static enum hr_status k_means_bind(struct hr_model *base, struct hr_schema *schema, struct hr_error *err)
{
    struct k_means *model = (struct k_means *)base;
    const struct k_means_options *options = base->options;
    HR_TRY(hr_model_bind_columns(base, schema, false, err));
    model->options = options;
    model->k = (size_t)options->k;
    model->dimension = hr_initial_centres_dimension(options->initial_centers);
    uint64_t known = hr_model_known_dimension(base, schema);
    if (known > 0 && known != model->dimension) {
        hr_fail(err, HR_BAD_CONFIG, "StreamingKMeans: the centres have %zu coordinates, the feature vectors %llu",
                model->dimension, (unsigned long long)known);
        return hr_fail_hint(err, "give one coordinate a feature");
    }
    model->decay =
        options->half_life > 0.0 ? hr_kernel_exp(hr_kernel_log(0.5) / options->half_life) : options->decay_factor;
    size_t numbers = model->k * (model->dimension + 1);
    HR_TRY(hr_paged_resize(&base->state, sizeof(struct hr_model_head) + numbers * sizeof(double), err));
    hr_model_head(base)->format = 1;
    hr_model_head(base)->dimension = model->dimension;
    model->sums = hr_calloc(model->k * model->dimension, sizeof(double));
    hr_nearest_open(&model->nearest, model->k, model->dimension);
    model->point = hr_calloc(model->dimension, sizeof(double));
    model->stale = true;
    model->counts = hr_calloc(model->k, sizeof(uint64_t));
    hr_initial_centres_fill(options->initial_centers, model->k, model->dimension, centre(model, 0), weights_of(model));
    return HR_OK;
}

static json_t *k_means_inspect(const void *state, size_t size, const json_t *params)
{
    (void)params;
    const struct hr_model_head *head = state;
    if (size < sizeof(*head) || head->dimension == 0 || head->dimension > HR_CENTRE_DIMENSION_MAX) {
        return json_null();
    }
    size_t k = (size - sizeof(*head)) / sizeof(double) / (head->dimension + 1);
    const double *values = (const double *)(head + 1);
    json_t *centres = json_array();
    for (size_t j = 0; j < k; j++) {
        json_array_append_new(centres, hr_model_json_doubles(values + j * head->dimension, head->dimension));
    }
    return json_pack("{s:o, s:o}", "clusterCenters", centres, "clusterWeights",
                     hr_model_json_doubles(values + k * head->dimension, k));
}

static enum hr_status k_means_restore(struct hr_model *base, const json_t *state, struct hr_error *err)
{
    struct k_means *model = (struct k_means *)base;
    const json_t *centres = json_object_get(state, "clusterCenters");
    model->stale = true;
    if (json_array_size(centres) != model->k) {
        return hr_fail(err, HR_BAD_CONFIG, "'clusterCenters' must be a list of %zu centres", model->k);
    }
    for (size_t j = 0; j < model->k; j++) {
        json_t *row = json_pack("{s:O}", "clusterCenters", json_array_get(centres, j));
        enum hr_status status = hr_model_read_doubles(row, "clusterCenters", model->dimension, centre(model, j), err);
        json_decref(row);
        if (status != HR_OK) {
            return hr_fail_context(err, "centre %zu", j);
        }
    }
    return hr_model_read_doubles(state, "clusterWeights", model->k, weights_of(model), err);
}

static void k_means_close(struct hr_model *base)
{
    struct k_means *model = (struct k_means *)base;
    hr_free(model->sums);
    hr_nearest_close(&model->nearest);
    hr_free(model->point);
    hr_free(model->counts);
    model->sums = NULL;
    model->point = NULL;
    model->counts = NULL;
}

static const char *const time_unit_names[] = {"batches", "points", NULL};

static const struct hr_option k_means_option_rows[] = {
    HR_MODEL_OPTION_FEATURES(struct k_means_options),
    HR_MODEL_OPTION_PREDICTION(struct k_means_options),
    HR_OPTION(struct k_means_options, columns.distance_col, "distanceCol", STRING, .fallback = "distance",
              .help = "column that receives the Euclidean distance to the assigned centre; empty: none"),
    HR_OPTION(struct k_means_options, k, "k", INT, .fallback = "2", .minimum = 1, .maximum = CENTRES_MAX,
              .help = "number of centres"),
    HR_OPTION(struct k_means_options, decay_factor, "decayFactor", DOUBLE, .fallback = "1.0", .minimum = 0.0,
              .maximum = 1e6, .help = "what a time unit leaves of the past: 1 all of it, 0 nothing"),
    HR_OPTION(struct k_means_options, half_life, "halfLife", DOUBLE, .minimum = 0.0, .maximum = 1e18,
              .help = "instead of decayFactor: time units after which the past weighs half"),
    HR_OPTION(struct k_means_options, time_unit, "timeUnit", CHOICE, .fallback = "batches", .choices = time_unit_names,
              .help = "the past fades with batches or with points"),
    HR_OPTION(struct k_means_options, initial_centers, "initialCenters", NODE, .required = true,
              .help = "{centers: [[…], …], weights: […]} or {random: {dim, weight, seed}}"),
};

const struct hr_model_type hr_model_streaming_k_means = {
    .kind =
        {
            .name = "StreamingKMeans",
            .summary = "k-means that forgets, as Spark's",
            .doc =
                "Spark's streaming k-means: a batch is assigned to the centres from before it, then the centres move "
                "to the decayed mean of what they were given; a cluster that lost all weight is put next to the "
                "heaviest one. Every row with a feature vector teaches; there is no label. Random centres are those "
                "of Spark's Scala class. Source: org.apache.spark.mllib.clustering.StreamingKMeans.",
            .example = "type: StreamingKMeans\nk: 3\ndecayFactor: 0.9\n"
                       "initialCenters: { random: { dim: 2, weight: 1.0, seed: 42 } }\n",
            .options = {k_means_option_rows, HR_ARRAY_LEN(k_means_option_rows)},
            .options_size = sizeof(struct k_means_options),
            .instance_size = sizeof(struct k_means),
        },
    .task = HR_TASK_CLUSTERING,
    .check = k_means_check,
    .bind = k_means_bind,
    .score = k_means_score,
    .learn = k_means_learn,
    .end_batch = k_means_end_batch,
    .inspect = k_means_inspect,
    .restore = k_means_restore,
    .close = k_means_close,
};
