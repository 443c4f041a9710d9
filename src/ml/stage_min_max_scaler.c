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

#include "ml/fitted_values.h"
#include "ml/stage.h"
#include "ml/vectors.h"

struct scaler_options {
    const char *input_col;
    const char *output_col;
    double min;
    double max;
};

struct scaler {
    struct hr_stage base;
    size_t input;
    size_t output;
    size_t size;
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
    size_t count;
    HR_TRY(hr_fitted_doubles(stage, fitted, "originalMin", &scaler->minimum, &scaler->size, err));
    HR_TRY(hr_fitted_doubles(stage, fitted, "originalMax", &scaler->maximum, &count, err));
    if (count != scaler->size) {
        return hr_stage_fail(stage, err, "fitted.originalMax has %zu elements, fitted.originalMin has %zu", count,
                             scaler->size);
    }
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
    return json_pack("{s:o, s:o}", "originalMin", hr_fitted_from_doubles(scaler->minimum, scaler->size), "originalMax",
                     hr_fitted_from_doubles(scaler->maximum, scaler->size));
}

static enum hr_status find_input(struct scaler *scaler, const struct hr_schema *schema, struct hr_error *err)
{
    const struct scaler_options *options = scaler->base.options;
    return hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(VECTOR), "a vector", &scaler->input, err);
}

static enum hr_status scaler_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    HR_TRY(find_input(scaler, schema, err));
    size_t known = hr_vector_known_size(&schema->fields[scaler->input]);
    if (known != 0 && known != scaler->size) {
        hr_stage_fail(stage, err, "column '%s' has %zu elements, the scaler was fitted on %zu", options->input_col,
                      known, scaler->size);
        return hr_fail_hint(err, "fit it again on such vectors: headrace fit QUERY.yaml -o PIPELINE.json");
    }
    struct hr_attribute *attribute = hr_vector_size_attribute(scaler->size, stage->arena);
    return hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, attribute, &scaler->output, err);
}

static void scale_row(const struct scaler *scaler, const double *values, double *out)
{
    const struct scaler_options *options = scaler->base.options;
    const double *minimum = scaler->minimum;
    const double *factor = scaler->factor;
    const double low = options->min;
    const double middle = (options->min + options->max) / 2.0;
    size_t size = scaler->size;
    for (size_t i = 0; i < size; i++) {
        double value = values[i];
        double scaled = factor[i] != 0.0 ? (value - minimum[i]) * factor[i] + low : middle;
        out[i] = isnan(value) ? value : scaled;
    }
}

/* The shorter form of each row. The matrix serves as it is when no row is shorter as a sparse one. */
static void compress_rows(const struct scaler *scaler, struct hr_chunk *chunk)
{
    struct hr_column *output = &chunk->columns[scaler->output];
    if (!hr_vector_prefers_sparse(0, scaler->size)) {
        return;
    }
    for (size_t row = 0; row < chunk->rows; row++) {
        output->vectors[row] = hr_vector_from_dense((uint32_t)scaler->size, output->vectors[row].values, chunk->arena);
        if (output->vectors[row].indices != NULL) {
            output->dense = NULL;
            output->dense_size = 0;
        }
    }
}

static void scaler_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[scaler->input];
    struct hr_column *output = &chunk->columns[scaler->output];
    size_t size = scaler->size;
    double *matrix = hr_column_init_dense(output, chunk->rows, (uint32_t)size, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        double *out = matrix + row * size;
        const struct hr_vector *vector = &input->vectors[row];
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, options->input_col, "null is no vector");
        } else if (vector->size != size) {
            hr_stage_reject(stage, chunk, row, options->input_col,
                            "the vector has %u elements, the scaler was fitted on %zu", vector->size, size);
        } else if (vector->indices == NULL) {
            scale_row(scaler, vector->values, out);
            continue;
        } else {
            hr_vector_expand(vector, out);
            scale_row(scaler, out, out);
            continue;
        }
        for (size_t i = 0; i < size; i++) {
            out[i] = 0.0; /* of a rejected row */
        }
    }
    compress_rows(scaler, chunk);
}

static enum hr_status scaler_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    scaler->minimum = NULL;
    scaler->size = 0;
    return find_input(scaler, schema, err);
}

/* Spark's bounds of an element that is never a number are the largest doubles, so these are the ones to begin with. */
static void begin_bounds(struct scaler *scaler, size_t size)
{
    struct hr_arena *arena = scaler->base.arena;
    scaler->size = size;
    scaler->minimum = hr_arena_array(arena, size, double);
    scaler->maximum = hr_arena_array(arena, size, double);
    scaler->row = hr_arena_array(arena, size, double);
    for (size_t i = 0; i < size; i++) {
        scaler->minimum[i] = DBL_MAX;
        scaler->maximum[i] = -DBL_MAX;
    }
}

static void take_in(struct scaler *scaler, const struct hr_vector *vector)
{
    const double *values = vector->values;
    if (vector->indices != NULL) {
        hr_vector_expand(vector, scaler->row);
        values = scaler->row;
    }
    for (size_t i = 0; i < scaler->size; i++) {
        scaler->minimum[i] = values[i] < scaler->minimum[i] ? values[i] : scaler->minimum[i];
        scaler->maximum[i] = values[i] > scaler->maximum[i] ? values[i] : scaler->maximum[i];
    }
}

static enum hr_status scaler_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[scaler->input];
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector = &input->vectors[row];
        if (hr_column_is_null(input, row)) {
            return hr_stage_fail_row(stage, chunk, row, err, options->input_col, "null is no vector");
        }
        if (vector->size == 0) {
            return hr_stage_fail_row(stage, chunk, row, err, options->input_col, "a vector without elements");
        }
        if (scaler->minimum == NULL) {
            begin_bounds(scaler, vector->size);
        }
        if (vector->size != scaler->size) {
            return hr_stage_fail_row(stage, chunk, row, err, options->input_col,
                                     "a vector of %u elements after one of %zu", vector->size, scaler->size);
        }
        take_in(scaler, vector);
    }
    return HR_OK;
}

static enum hr_status scaler_fit_end(struct hr_stage *stage, bool *again, struct hr_error *err)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    *again = false;
    if (scaler->minimum == NULL) {
        return hr_stage_fail(stage, err, "there are no rows to fit on");
    }
    return HR_OK;
}

static const struct hr_option scaler_rows[] = {
    HR_OPTION(struct scaler_options, input_col, "inputCol", STRING, .required = true, .help = "vector column to scale"),
    HR_OPTION(struct scaler_options, output_col, "outputCol", STRING, .required = true,
              .help = "vector column to make"),
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
    .bind = scaler_bind,
    .transform = scaler_transform,
    .fit_begin = scaler_fit_begin,
    .fit_chunk = scaler_fit_chunk,
    .fit_end = scaler_fit_end,
};
