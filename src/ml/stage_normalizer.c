/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizer: each vector divided by its p-norm; a zero norm leaves it as it is, and so does its form (dense or sparse,
 * explicit zeros). Sums run in element order. Source: org.apache.spark.ml.feature.Normalizer,
 * org.apache.spark.ml.linalg.Vectors.norm.
 */
#include <math.h>

#include "ml/stage.h"
#include "ml/vectors.h"

struct normalizer_options {
    const char *input_col;
    const char *output_col;
    double p;
};

struct normalizer {
    struct hr_stage base;
    size_t input;
    size_t output;
};

static void normalizer_check(struct hr_stage *stage, struct hr_findings *findings)
{
    const struct normalizer_options *options = stage->options;
    if (!(options->p >= 1.0)) {
        hr_findings_error(findings, &stage->place, "Normalizer: p is %g; it must be at least 1", options->p);
    }
}

static enum hr_status normalizer_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct normalizer *normalizer = (struct normalizer *)stage;
    const struct normalizer_options *options = stage->options;
    HR_TRY(hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(VECTOR), "a vector", &normalizer->input, err));
    size_t size = hr_vector_known_size(&schema->fields[normalizer->input]);
    return hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, hr_vector_size_attribute(size, stage->arena),
                         &normalizer->output, err);
}

static double norm_of(const double *values, size_t count, double p)
{
    double sum = 0.0;
    if (p == 1.0) {
        for (size_t i = 0; i < count; i++) {
            sum += fabs(values[i]);
        }
        return sum;
    }
    if (p == 2.0) {
        for (size_t i = 0; i < count; i++) {
            sum += values[i] * values[i];
        }
        return sqrt(sum);
    }
    if (isinf(p)) {
        for (size_t i = 0; i < count; i++) {
            sum = fabs(values[i]) > sum ? fabs(values[i]) : sum;
        }
        return sum;
    }
    for (size_t i = 0; i < count; i++) {
        sum += pow(fabs(values[i]), p);
    }
    return pow(sum, 1.0 / p);
}

static void normalize(const double *values, size_t count, double p, double *out)
{
    double norm = norm_of(values, count, p);
    double divisor = norm != 0.0 ? norm : 1.0;
    for (size_t i = 0; i < count; i++) {
        out[i] = values[i] / divisor;
    }
}

static void normalizer_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct normalizer *normalizer = (const struct normalizer *)stage;
    const struct normalizer_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[normalizer->input];
    struct hr_column *output = &chunk->columns[normalizer->output];
    if (input->dense != NULL) {
        size_t size = input->dense_size;
        double *matrix = hr_column_init_dense(output, chunk->rows, input->dense_size, chunk->arena);
        for (size_t row = 0; row < chunk->rows; row++) {
            normalize(input->dense + row * size, size, options->p, matrix + row * size);
        }
        return;
    }
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, options->input_col, "the vector is null");
            continue;
        }
        const struct hr_vector *vector = &input->vectors[row];
        double *values = hr_arena_array(chunk->arena, vector->count, double);
        normalize(vector->values, vector->count, options->p, values);
        output->vectors[row] = (struct hr_vector){values, vector->indices, vector->size, vector->count};
    }
}

static const struct hr_option normalizer_rows[] = {
    HR_OPTION(struct normalizer_options, input_col, "inputCol", STRING, .required = true, .help = "vector column"),
    HR_OPTION(struct normalizer_options, output_col, "outputCol", STRING, .required = true,
              .help = "vector column to make"),
    HR_OPTION(struct normalizer_options, p, "p", DOUBLE, .fallback = "2.0",
              .help = "which norm, at least 1; .inf: the largest absolute value"),
};

const struct hr_stage_type hr_stage_normalizer = {
    .kind =
        {
            .name = "Normalizer",
            .summary = "divides each vector by its norm",
            .doc = "Each row for itself: nothing is fitted. A vector of zeros stays as it is. "
                   "Spark: org.apache.spark.ml.feature.Normalizer.",
            .example = "{ type: Normalizer, inputCol: features, outputCol: unit, p: 1.0 }",
            .options = {normalizer_rows, HR_ARRAY_LEN(normalizer_rows)},
            .options_size = sizeof(struct normalizer_options),
            .instance_size = sizeof(struct normalizer),
        },
    .check = normalizer_check,
    .bind = normalizer_bind,
    .transform = normalizer_transform,
};
