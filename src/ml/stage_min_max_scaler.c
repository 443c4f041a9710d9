/* SPDX-License-Identifier: Apache-2.0
 *
 * MinMaxScaler: moves the range of each element at the fit to [min, max]:
 *
 *     (x − originalMin) · ((max − min) / (originalMax − originalMin)) + min
 *
 * and (min + max) / 2 where the range is empty. NaN is left out of the fit and stays NaN. Zeros of a sparse row take
 * part in both; the result is dense or sparse, whichever is shorter. Source: org.apache.spark.ml.feature.MinMaxScaler.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "ml/fitted_values.h"
#include "ml/vector_scaler.h"
#include "ml/vectors.h"

struct scaler_options {
    struct hr_vector_scaler_options columns;
    double min;
    double max;
};

struct scaler {
    struct hr_vector_scaler base;
    double *minimum; /* fitted */
    double *maximum;
    double *factor;
    double *row; /* of the fit: a sparse row with its zeros */
};

static void scaler_check(struct hr_stage *stage, struct hr_findings *findings)
{
    const struct scaler_options *options = stage->options;
    if (!(options->min < options->max)) {
        hr_findings_error(findings, &stage->place, "MinMaxScaler: min %g must be below max %g", options->min,
                          options->max);
    }
}

static enum hr_status scaler_load(struct hr_stage *stage, const json_t *fitted, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    HR_TRY(hr_vector_scaler_load(&scaler->base, fitted, "originalMin", &scaler->minimum, "originalMax",
                                 &scaler->maximum, err));
    size_t count = scaler->base.size;
    scaler->factor = hr_arena_array(stage->arena, count, double);
    for (size_t i = 0; i < count; i++) {
        double range = scaler->maximum[i] - scaler->minimum[i];
        scaler->factor[i] = range != 0.0 ? (options->max - options->min) / range : 0.0;
    }
    return HR_OK;
}

static json_t *scaler_save(const struct hr_stage *stage)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    return json_pack("{s:o, s:o}", "originalMin", hr_fitted_from_doubles(scaler->minimum, scaler->base.size),
                     "originalMax", hr_fitted_from_doubles(scaler->maximum, scaler->base.size));
}

static void scale_row(const struct scaler *scaler, const double *values, double *out)
{
    const struct scaler_options *options = scaler->base.base.options;
    const double *minimum = scaler->minimum;
    const double *factor = scaler->factor;
    const double low = options->min;
    const double middle = (options->min + options->max) / 2.0;
    size_t size = scaler->base.size;
    for (size_t i = 0; i < size; i++) {
        double value = values[i];
        double scaled = factor[i] != 0.0 ? (value - minimum[i]) * factor[i] + low : middle;
        out[i] = isnan(value) ? value : scaled;
    }
}

/* The shorter form of each row. The matrix serves as it is when no row is shorter as a sparse one. */
static void compress_rows(const struct scaler *scaler, struct hr_chunk *chunk)
{
    struct hr_column *output = &chunk->columns[scaler->base.output];
    if (!hr_vector_prefers_sparse(0, scaler->base.size)) {
        return;
    }
    for (size_t row = 0; row < chunk->rows; row++) {
        output->vectors[row] =
            hr_vector_from_dense((uint32_t)scaler->base.size, output->vectors[row].values, chunk->arena);
        if (output->vectors[row].indices != NULL) {
            output->dense = NULL;
            output->dense_size = 0;
        }
    }
}

static void scaler_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    const struct hr_column *input = &chunk->columns[scaler->base.input];
    struct hr_column *output = &chunk->columns[scaler->base.output];
    size_t size = scaler->base.size;
    double *matrix = hr_column_init_dense(output, chunk->rows, (uint32_t)size, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        double *out = matrix + row * size;
        const struct hr_vector *vector = &input->vectors[row];
        if (!hr_vector_scaler_takes(stage, chunk, row)) {
            memset(out, 0, size * sizeof(*out)); /* of a rejected row */
        } else if (vector->indices == NULL) {
            scale_row(scaler, vector->values, out);
        } else {
            hr_vector_expand(vector, out);
            scale_row(scaler, out, out);
        }
    }
    compress_rows(scaler, chunk);
}

/* Spark's bounds of an element that is never a number are the largest doubles, so these are the ones to begin with. */
static void begin_bounds(struct hr_vector_scaler *base)
{
    struct scaler *scaler = (struct scaler *)base;
    struct hr_arena *arena = base->base.arena;
    size_t size = base->size;
    scaler->minimum = hr_arena_array(arena, size, double);
    scaler->maximum = hr_arena_array(arena, size, double);
    scaler->row = hr_arena_array(arena, size, double);
    for (size_t i = 0; i < size; i++) {
        scaler->minimum[i] = DBL_MAX;
        scaler->maximum[i] = -DBL_MAX;
    }
}

static void take_in(struct hr_vector_scaler *base, const struct hr_vector *vector)
{
    struct scaler *scaler = (struct scaler *)base;
    const double *values = vector->values;
    if (vector->indices != NULL) {
        hr_vector_expand(vector, scaler->row);
        values = scaler->row;
    }
    for (size_t i = 0; i < scaler->base.size; i++) {
        scaler->minimum[i] = values[i] < scaler->minimum[i] ? values[i] : scaler->minimum[i];
        scaler->maximum[i] = values[i] > scaler->maximum[i] ? values[i] : scaler->maximum[i];
    }
}

static enum hr_status scaler_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk, struct hr_error *err)
{
    return hr_vector_scaler_fit_chunk(stage, chunk, begin_bounds, take_in, err);
}

static const struct hr_option scaler_rows[] = {
    HR_VECTOR_SCALER_OPTIONS(struct scaler_options),
    HR_OPTION(struct scaler_options, min, "min", DOUBLE, .fallback = "0.0", .help = "lower end of the new range"),
    HR_OPTION(struct scaler_options, max, "max", DOUBLE, .fallback = "1.0", .help = "upper end of the new range"),
};

const struct hr_stage_type hr_stage_min_max_scaler = {
    .kind =
        {
            .name = "MinMaxScaler",
            .summary = "moves the range of the fit to [min, max]",
            .doc = "Each element's smallest value at the fit becomes min, the largest max; an element that never "
                   "varied becomes the middle of both. NaN stays NaN. Fitted values: originalMin, originalMax. "
                   "Spark: org.apache.spark.ml.feature.MinMaxScaler.",
            .example = "{ type: MinMaxScaler, inputCol: raw, outputCol: features,\n"
                       "  fitted: { originalMin: [0.0, -1.0], originalMax: [10.0, 1.0] } }",
            .options = {scaler_rows, HR_ARRAY_LEN(scaler_rows)},
            .options_size = sizeof(struct scaler_options),
            .instance_size = sizeof(struct scaler),
        },
    .flags = HR_STAGE_ESTIMATOR,
    .check = scaler_check,
    .load = scaler_load,
    .save = scaler_save,
    .bind = hr_vector_scaler_bind,
    .transform = scaler_transform,
    .fit_begin = hr_vector_scaler_fit_begin,
    .fit_chunk = scaler_fit_chunk,
    .fit_end = hr_vector_scaler_fit_end,
};
