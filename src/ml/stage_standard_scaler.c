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
#include "ml/vector_scaler.h"
#include "ml/vectors.h"

struct scaler_options {
    struct hr_vector_scaler_options columns;
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
    struct hr_vector_scaler base;
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
    HR_TRY(hr_vector_scaler_load(&scaler->base, fitted, "mean", &scaler->mean, "std", &scaler->deviation, err));
    size_t count = scaler->base.size;
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
    return json_pack("{s:o, s:o}", "mean", hr_fitted_from_doubles(scaler->mean, scaler->base.size), "std",
                     hr_fitted_from_doubles(scaler->deviation, scaler->base.size));
}

static void scale_dense(const struct scaler *scaler, const double *values, double *out)
{
    const double *shift = scaler->shift;
    const double *factor = scaler->factor;
    size_t size = scaler->base.size;
    for (size_t i = 0; i < size; i++) {
        out[i] = (values[i] - shift[i]) * factor[i];
    }
}

static struct hr_vector scale_vector(const struct scaler *scaler, const struct hr_vector *vector,
                                     struct hr_arena *arena)
{
    const struct scaler_options *options = scaler->base.base.options;
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
    const struct hr_column *input = &chunk->columns[scaler->base.input];
    struct hr_column *output = &chunk->columns[scaler->base.output];
    if (input->dense != NULL && input->dense_size == scaler->base.size) {
        double *matrix = hr_column_init_dense(output, chunk->rows, (uint32_t)scaler->base.size, chunk->arena);
        for (size_t row = 0; row < chunk->rows; row++) {
            scale_dense(scaler, input->dense + row * scaler->base.size, matrix + row * scaler->base.size);
        }
        return;
    }
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_vector_scaler_takes(stage, chunk, row)) {
            output->vectors[row] = scale_vector(scaler, &input->vectors[row], chunk->arena);
        }
    }
    hr_column_find_dense(output, chunk->rows);
}

static void begin_moments(struct hr_vector_scaler *base)
{
    struct scaler *scaler = (struct scaler *)base;
    scaler->moments = hr_arena_calloc(base->base.arena, base->size, sizeof(*scaler->moments));
    scaler->rows = 0.0;
}

static void take_in(struct hr_vector_scaler *base, const struct hr_vector *vector)
{
    struct scaler *scaler = (struct scaler *)base;
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
    return hr_vector_scaler_fit_chunk(stage, chunk, begin_moments, take_in, err);
}

static enum hr_status scaler_fit_end(struct hr_stage *stage, bool *again, struct hr_error *err)
{
    struct scaler *scaler = (struct scaler *)stage;
    HR_TRY(hr_vector_scaler_fit_end(stage, again, err));
    const double rows = scaler->rows;
    scaler->mean = hr_arena_array(stage->arena, scaler->base.size, double);
    scaler->deviation = hr_arena_array(stage->arena, scaler->base.size, double);
    for (size_t i = 0; i < scaler->base.size; i++) {
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
    HR_VECTOR_SCALER_OPTIONS(struct scaler_options),
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
    .bind = hr_vector_scaler_bind,
    .transform = scaler_transform,
    .fit_begin = hr_vector_scaler_fit_begin,
    .fit_chunk = scaler_fit_chunk,
    .fit_end = scaler_fit_end,
};
