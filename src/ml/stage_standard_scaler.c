/* SPDX-License-Identifier: Apache-2.0
 *
 * StandardScaler: centres and scales each element by the mean and the sample standard deviation of the fit:
 *
 *     (x − mean) · (1 / std),  factor 0 where std is 0
 *
 * Without withMean a sparse row stays sparse; with it every row becomes dense. The moments are summed as Spark sums
 * them: Welford's update over the elements that are not zero, the zeros brought in at the end.
 * Source: org.apache.spark.ml.feature.StandardScaler, org.apache.spark.ml.stat.SummarizerBuffer.
 */
#include <math.h>

#include "ml/fitted_values.h"
#include "ml/stage.h"
#include "ml/vectors.h"

struct scaler_options {
    const char *input_col;
    const char *output_col;
    bool with_mean;
    bool with_std;
};

/* Of the elements that are not zero. */
struct moments {
    double mean;
    double squares; /* of the distances from the mean */
    double count;
};

struct scaler {
    struct hr_stage base;
    size_t input;
    size_t output;
    size_t size;
    double *mean; /* fitted */
    double *deviation;
    double *shift; /* what is applied: 0 and 1 for what is off */
    double *factor;
    struct moments *moments; /* of the fit under way */
    double rows;
};

static enum hr_status scaler_load(struct hr_stage *stage, const json_t *fitted, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    size_t count;
    HR_TRY(hr_fitted_doubles(stage, fitted, "mean", &scaler->mean, &scaler->size, err));
    HR_TRY(hr_fitted_doubles(stage, fitted, "std", &scaler->deviation, &count, err));
    if (count != scaler->size) {
        return hr_stage_fail(stage, err, "fitted.std has %zu elements, fitted.mean has %zu", count, scaler->size);
    }
    scaler->shift = hr_arena_array(stage->arena, count, double);
    scaler->factor = hr_arena_array(stage->arena, count, double);
    for (size_t i = 0; i < count; i++) {
        double deviation = scaler->deviation[i];
        scaler->shift[i] = options->with_mean ? scaler->mean[i] : 0.0;
        scaler->factor[i] = !options->with_std ? 1.0 : deviation == 0.0 ? 0.0 : 1.0 / deviation;
    }
    return HR_OK;
}

static json_t *scaler_save(const struct hr_stage *stage)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    return json_pack("{s:o, s:o}", "mean", hr_fitted_from_doubles(scaler->mean, scaler->size), "std",
                     hr_fitted_from_doubles(scaler->deviation, scaler->size));
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

static void scale_dense(const struct scaler *scaler, const double *values, double *out)
{
    const double *shift = scaler->shift;
    const double *factor = scaler->factor;
    size_t size = scaler->size;
    for (size_t i = 0; i < size; i++) {
        out[i] = (values[i] - shift[i]) * factor[i];
    }
}

static struct hr_vector scale_vector(const struct scaler *scaler, const struct hr_vector *vector,
                                     struct hr_arena *arena)
{
    const struct scaler_options *options = scaler->base.options;
    if (vector->indices != NULL && !options->with_mean) {
        double *values = hr_arena_array(arena, vector->count, double);
        for (uint32_t i = 0; i < vector->count; i++) {
            values[i] = vector->values[i] * scaler->factor[vector->indices[i]];
        }
        return (struct hr_vector){values, vector->indices, vector->size, vector->count};
    }
    double *values = hr_arena_array(arena, vector->size, double);
    hr_vector_expand(vector, values);
    scale_dense(scaler, values, values);
    return (struct hr_vector){values, NULL, vector->size, vector->size};
}

static void scaler_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct scaler *scaler = (const struct scaler *)stage;
    const struct scaler_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[scaler->input];
    struct hr_column *output = &chunk->columns[scaler->output];
    if (input->dense != NULL && input->dense_size == scaler->size) {
        double *matrix = hr_column_init_dense(output, chunk->rows, (uint32_t)scaler->size, chunk->arena);
        for (size_t row = 0; row < chunk->rows; row++) {
            scale_dense(scaler, input->dense + row * scaler->size, matrix + row * scaler->size);
        }
        return;
    }
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector = &input->vectors[row];
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, options->input_col, "null is no vector");
        } else if (vector->size != scaler->size) {
            hr_stage_reject(stage, chunk, row, options->input_col,
                            "the vector has %u elements, the scaler was fitted on %zu", vector->size, scaler->size);
        } else {
            output->vectors[row] = scale_vector(scaler, vector, chunk->arena);
        }
    }
    hr_column_find_dense(output, chunk->rows);
}

static enum hr_status scaler_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    scaler->moments = NULL;
    scaler->size = 0;
    scaler->rows = 0.0;
    return find_input(scaler, schema, err);
}

static void take_in(struct scaler *scaler, const struct hr_vector *vector)
{
    for (uint32_t i = 0; i < vector->count; i++) {
        double value = vector->values[i];
        if (value == 0.0) {
            continue;
        }
        struct moments *moments = &scaler->moments[vector->indices != NULL ? vector->indices[i] : i];
        double distance = value - moments->mean;
        moments->count += 1.0;
        moments->mean += distance / moments->count;
        moments->squares += (value - moments->mean) * distance;
    }
    scaler->rows += 1.0;
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
        if (scaler->moments == NULL) {
            scaler->size = vector->size;
            scaler->moments = hr_arena_calloc(stage->arena, scaler->size, sizeof(*scaler->moments));
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
    struct scaler *scaler = (struct scaler *)stage;
    const double rows = scaler->rows;
    *again = false;
    if (rows == 0.0) {
        return hr_stage_fail(stage, err, "there are no rows to fit on");
    }
    scaler->mean = hr_arena_array(stage->arena, scaler->size, double);
    scaler->deviation = hr_arena_array(stage->arena, scaler->size, double);
    for (size_t i = 0; i < scaler->size; i++) {
        const struct moments *moments = &scaler->moments[i];
        double squares = moments->squares + moments->mean * moments->mean * moments->count * (rows - moments->count) /
                                                rows; /* the zeros */
        double variance = rows > 1.0 ? squares / (rows - 1.0) : 0.0;
        scaler->mean[i] = moments->mean * (moments->count / rows);
        scaler->deviation[i] = variance < 0.0 ? 0.0 : sqrt(variance); /* NaN stays */
    }
    return HR_OK;
}

static const struct hr_option scaler_rows[] = {
    HR_OPTION(struct scaler_options, input_col, "inputCol", STRING, .required = true, .help = "vector column to scale"),
    HR_OPTION(struct scaler_options, output_col, "outputCol", STRING, .required = true,
              .help = "vector column to make"),
    HR_OPTION(struct scaler_options, with_mean, "withMean", BOOL, .fallback = "false",
              .help = "subtract the mean; makes sparse vectors dense"),
    HR_OPTION(struct scaler_options, with_std, "withStd", BOOL, .fallback = "true",
              .help = "divide by the standard deviation; an element that never varied becomes 0"),
};

const struct hr_stage_type hr_stage_standard_scaler = {
    .kind =
        {
            .name = "StandardScaler",
            .summary = "centres and scales by mean and deviation of the fit",
            .doc = "Divides each element by its sample standard deviation (n - 1), and subtracts its mean before with "
                   "withMean. Fitted values: mean, std. OnlineStandardScaler learns them in the query instead. "
                   "Spark: org.apache.spark.ml.feature.StandardScaler.",
            .example = "{ type: StandardScaler, inputCol: raw, outputCol: features, withMean: true,\n"
                       "  fitted: { mean: [1.5, 20.0], std: [0.5, 4.0] } }",
            .options = {scaler_rows, HR_ARRAY_LEN(scaler_rows)},
            .options_size = sizeof(struct scaler_options),
            .instance_size = sizeof(struct scaler),
        },
    .flags = HR_STAGE_ESTIMATOR,
    .load = scaler_load,
    .save = scaler_save,
    .bind = scaler_bind,
    .transform = scaler_transform,
    .fit_begin = scaler_fit_begin,
    .fit_chunk = scaler_fit_chunk,
    .fit_end = scaler_fit_end,
};
