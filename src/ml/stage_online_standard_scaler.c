/* SPDX-License-Identifier: Apache-2.0
 *
 * OnlineStandardScaler: takes each row into its mean and population variance (Welford 1962), then standardises that
 * same row with them. Per feature, n rows taken in:
 *
 *   n ← n + 1;  d = x − m;  m ← m + d / n;  M ← M + d (x − m);  σ = √(M / n)
 *   out = (x − m) / σ with withMean, x / σ without; 0 where σ is 0 (with withStd)
 *
 * The label plays no part: rows without one teach too. A row with a value that is not finite teaches nothing and is
 * counted; it is standardised with what is known. A null vector passes as null. A sparse row stays sparse without
 * withMean and becomes dense with it; the elements that it leaves out are zeros and count as such.
 *
 * State: struct scaler_state, then [m, M] of each feature.
 */
#include <math.h>
#include <string.h>

#include "ml/kernel.h"
#include "ml/model.h"
#include "ml/stage.h"

#define STATE_MAX ((size_t)1 << 32)

struct scaler_options {
    const char *input_col;
    const char *output_col;
    bool with_mean;
    bool with_std;
};

struct scaler_state {
    uint64_t format; /* 1 */
    uint64_t count;
    uint64_t dimension; /* 0: not known yet */
    uint64_t nonfinite;
    uint64_t reserved[4];
    double moments[]; /* mean, sum of squared distances from it */
};

struct scaler {
    struct hr_stage base;
    size_t input;
    size_t output;
};

static struct scaler_state *state_of(const struct hr_stage *stage)
{
    return (struct scaler_state *)stage->state.data;
}

static enum hr_status set_dimension(struct hr_stage *stage, uint64_t dimension, struct hr_error *err)
{
    HR_TRY(hr_paged_resize(&stage->state, sizeof(struct scaler_state) + 2 * dimension * sizeof(double), err));
    state_of(stage)->dimension = dimension;
    hr_paged_mark(&stage->state, 0);
    return HR_OK;
}

static enum hr_status scaler_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    HR_TRY(hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(VECTOR), "a vector", &scaler->input, err));
    const struct hr_attribute *known = schema->fields[scaler->input].attribute;
    uint64_t dimension = known != NULL && known->kind == HR_ATTRIBUTE_GROUP ? known->element_count : 0;
    struct hr_attribute *attribute = NULL;
    if (dimension > 0) {
        attribute = hr_arena_new(stage->arena, struct hr_attribute);
        attribute->kind = HR_ATTRIBUTE_GROUP;
        attribute->element_count = dimension;
    }
    HR_TRY(hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, attribute, &scaler->output, err));
    if (stage->state.maximum == 0) {
        hr_paged_init(&stage->state, STATE_MAX);
    }
    HR_TRY(hr_paged_resize(&stage->state, sizeof(struct scaler_state), err));
    state_of(stage)->format = 1;
    return dimension > 0 ? set_dimension(stage, dimension, err) : HR_OK;
}

/* The row as `dimension` doubles; scratch is used for a sparse one. */
static const double *dense_values(const struct hr_vector *vector, double *scratch)
{
    if (vector->indices == NULL) {
        return vector->values;
    }
    memset(scratch, 0, vector->size * sizeof(double));
    for (uint32_t i = 0; i < vector->count; i++) {
        scratch[vector->indices[i]] = vector->values[i];
    }
    return scratch;
}

/* Takes a row in, unless that would leave a number that is not finite. next: scratch of 2 * dimension. */
static void take_in(struct hr_stage *stage, const double *values, double *next)
{
    struct scaler_state *state = state_of(stage);
    size_t dimension = state->dimension;
    double count = (double)(state->count + 1);
    for (size_t i = 0; i < dimension; i++) {
        double distance = values[i] - state->moments[2 * i];
        next[2 * i] = state->moments[2 * i] + distance / count;
        next[2 * i + 1] = state->moments[2 * i + 1] + distance * (values[i] - next[2 * i]);
    }
    if (!hr_kernel_all_finite(next, 2 * dimension)) {
        state->nonfinite++;
        return;
    }
    memcpy(state->moments, next, 2 * dimension * sizeof(double));
    state->count++;
}

static double standardised(const struct scaler_options *options, const struct scaler_state *state, size_t i,
                           double value)
{
    double centred = options->with_mean ? value - state->moments[2 * i] : value;
    if (!options->with_std) {
        return centred;
    }
    double deviation = state->count > 0 ? sqrt(state->moments[2 * i + 1] / (double)state->count) : 0.0;
    return deviation > 0.0 ? centred / deviation : centred * 0.0 + 0.0;
}

static struct hr_vector standardise(const struct hr_stage *stage, const struct hr_vector *vector, const double *values,
                                    struct hr_arena *arena)
{
    const struct scaler_options *options = stage->options;
    const struct scaler_state *state = state_of(stage);
    if (vector->indices != NULL && !options->with_mean) {
        double *scaled = hr_arena_array(arena, vector->count, double);
        for (uint32_t i = 0; i < vector->count; i++) {
            scaled[i] = standardised(options, state, vector->indices[i], vector->values[i]);
        }
        return (struct hr_vector){scaled, vector->indices, vector->size, vector->count};
    }
    double *scaled = hr_arena_array(arena, vector->size, double);
    for (uint32_t i = 0; i < vector->size; i++) {
        scaled[i] = standardised(options, state, i, values[i]);
    }
    return (struct hr_vector){scaled, NULL, vector->size, vector->size};
}

static void transform_row(struct hr_stage *stage, struct hr_chunk *chunk, size_t row, double *scratch)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    const struct hr_vector *vector = &chunk->columns[scaler->input].vectors[row];
    uint64_t dimension = state_of(stage)->dimension;
    if (vector->size != dimension) {
        hr_stage_reject(stage, chunk, row, options->input_col, "the vector has %u elements, those before it have %llu",
                        vector->size, (unsigned long long)dimension);
        return;
    }
    const double *values = dense_values(vector, scratch);
    if (!stage->frozen) {
        take_in(stage, values, scratch + dimension);
    }
    chunk->columns[scaler->output].vectors[row] = standardise(stage, vector, values, chunk->arena);
}

static void scaler_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[scaler->input];
    struct hr_column *output = &chunk->columns[scaler->output];
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    double *scratch = NULL;
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_column_set_null(output, row, chunk->rows, chunk->arena);
            continue;
        }
        struct hr_error err;
        if (state_of(stage)->dimension == 0 && input->vectors[row].size > 0 &&
            set_dimension(stage, input->vectors[row].size, &err) != HR_OK) {
            hr_stage_reject(stage, chunk, row, options->input_col, "%s", err.text);
            continue;
        }
        if (scratch == NULL) {
            scratch = hr_arena_array(chunk->arena, 3 * state_of(stage)->dimension, double);
        }
        transform_row(stage, chunk, row, scratch);
    }
    hr_paged_mark_range(&stage->state, 0, stage->state.size);
    hr_column_find_dense(output, chunk->rows);
}

static json_t *scaler_inspect(const void *bytes, size_t size)
{
    const struct scaler_state *state = bytes;
    if (size < sizeof(*state) || (size - sizeof(*state)) / (2 * sizeof(double)) < state->dimension) {
        return json_null();
    }
    json_t *mean = json_array();
    json_t *deviation = json_array();
    for (uint64_t i = 0; i < state->dimension; i++) {
        double variance = state->count > 0 ? state->moments[2 * i + 1] / (double)state->count : 0.0;
        json_array_append_new(mean, hr_model_json_double(state->moments[2 * i]));
        json_array_append_new(deviation, hr_model_json_double(sqrt(variance)));
    }
    return json_pack("{s:o, s:o, s:I}", "mean", mean, "std", deviation, "count", (json_int_t)state->count);
}

static enum hr_status scaler_restore(struct hr_stage *stage, const json_t *fitted, struct hr_error *err)
{
    size_t count = json_array_size(json_object_get(fitted, "mean"));
    uint64_t known = state_of(stage)->dimension;
    if (known > 0 && known != count) {
        return hr_fail(err, HR_BAD_CONFIG, "'mean' has %zu numbers, the vectors have %llu elements", count,
                       (unsigned long long)known);
    }
    HR_TRY(set_dimension(stage, count, err));
    struct scaler_state *state = state_of(stage);
    double *numbers = hr_arena_array(stage->arena, 2 * count, double);
    HR_TRY(hr_model_read_doubles(fitted, "mean", count, numbers, err));
    HR_TRY(hr_model_read_doubles(fitted, "std", count, numbers + count, err));
    state->count = 1; /* the deviation is stored, not the sum that many rows made */
    for (size_t i = 0; i < count; i++) {
        state->moments[2 * i] = numbers[i];
        state->moments[2 * i + 1] = numbers[count + i] * numbers[count + i];
    }
    return HR_OK;
}

static const struct hr_option scaler_options[] = {
    HR_OPTION(struct scaler_options, input_col, "inputCol", STRING, .required = true, .help = "vector column to scale"),
    HR_OPTION(struct scaler_options, output_col, "outputCol", STRING, .required = true,
              .help = "vector column that receives the standardised values"),
    HR_OPTION(struct scaler_options, with_mean, "withMean", BOOL, .fallback = "true",
              .help = "subtract the mean; makes sparse vectors dense"),
    HR_OPTION(struct scaler_options, with_std, "withStd", BOOL, .fallback = "true",
              .help = "divide by the standard deviation; a feature that never varied becomes 0"),
};

const struct hr_stage_type hr_stage_online_standard_scaler = {
    .kind =
        {
            .name = "OnlineStandardScaler",
            .summary = "standardises features by the mean and deviation of all rows so far",
            .doc = "Takes each row into a running mean and population variance (Welford's method), then standardises "
                   "that row with them. It learns in the query and needs no fit; its state is checkpointed with the "
                   "source's positions. A null label does not keep a row from teaching.",
            .example = "type: OnlineStandardScaler\ninputCol: features\noutputCol: scaled\n",
            .options = {scaler_options, HR_ARRAY_LEN(scaler_options)},
            .options_size = sizeof(struct scaler_options),
            .instance_size = sizeof(struct scaler),
        },
    .flags = HR_STAGE_ONLINE,
    .bind = scaler_bind,
    .transform = scaler_transform,
    .inspect = scaler_inspect,
    .restore = scaler_restore,
};
