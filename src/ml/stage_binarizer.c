/* SPDX-License-Identifier: Apache-2.0
 *
 * Binarizer: 1 where a value is over the threshold (strictly), else 0; NaN and a null number give 0. A vector gives a
 * vector in its shorter form; under a negative threshold the elements that a sparse vector leaves out become 1.
 * Source: org.apache.spark.ml.feature.Binarizer.
 */
#include <math.h>

#include "ml/column_pairs.h"
#include "ml/stage.h"
#include "ml/vectors.h"

struct binarizer_options {
    struct hr_column_pairs columns;
    double threshold;
    struct hr_double_list thresholds;
};

struct binarizer {
    struct hr_stage base;
    struct hr_column_pair *pairs;
};

static void binarizer_check(struct hr_stage *stage, struct hr_findings *findings)
{
    const struct binarizer_options *options = stage->options;
    hr_column_pairs_check(stage, findings);
    bool nan = isnan(options->threshold);
    for (size_t i = 0; i < options->thresholds.count; i++) {
        nan = nan || isnan(options->thresholds.items[i]);
    }
    if (nan) {
        hr_findings_error(findings, &stage->place, "Binarizer: '%s' is NaN, and no number is above that",
                          options->thresholds.count > 0 ? "thresholds" : "threshold");
    }
    if (options->thresholds.count == 0) {
        return;
    }
    if (options->columns.input_cols.count == 0) {
        hr_findings_error(findings, &stage->place, "Binarizer: 'thresholds' goes with inputCols; use 'threshold'");
    } else if (options->thresholds.count != options->columns.input_cols.count) {
        hr_findings_error(findings, &stage->place, "Binarizer: %zu thresholds for %zu inputCols",
                          options->thresholds.count, options->columns.input_cols.count);
    }
}

static enum hr_status binarizer_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct binarizer *binarizer = (struct binarizer *)stage;
    HR_TRY(hr_column_pairs_find(stage, schema, HR_TYPE_MASK(DOUBLE) | HR_TYPE_MASK(VECTOR), "a double or a vector",
                                &binarizer->pairs, err));
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        struct hr_column_pair *pair = &binarizer->pairs[i];
        enum hr_type type = schema->fields[pair->input].type;
        struct hr_attribute *attribute;
        if (type == HR_TYPE_VECTOR) {
            attribute = hr_vector_size_attribute(hr_vector_known_size(&schema->fields[pair->input]), stage->arena);
        } else {
            attribute = hr_arena_new(stage->arena, struct hr_attribute);
            attribute->kind = HR_ATTRIBUTE_BINARY;
            attribute->name = pair->output_name;
        }
        HR_TRY(hr_schema_add(schema, pair->output_name, type, attribute, &pair->output, err));
    }
    return HR_OK;
}

static void binarize_numbers(const double *input, double threshold, double *output, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        output[i] = input[i] > threshold ? 1.0 : 0.0;
    }
}

static struct hr_vector binarize_vector(const struct hr_vector *vector, double threshold, struct hr_arena *arena)
{
    if (threshold < 0.0) {
        double *values = hr_arena_array(arena, vector->size, double);
        hr_vector_expand(vector, values);
        binarize_numbers(values, threshold, values, vector->size);
        return hr_vector_from_dense(vector->size, values, arena);
    }
    uint32_t *indices = hr_arena_array(arena, vector->count, uint32_t);
    double *ones = hr_arena_array(arena, vector->count, double);
    uint32_t count = 0;
    for (uint32_t i = 0; i < vector->count; i++) {
        if (vector->values[i] > threshold) {
            indices[count] = vector->indices != NULL ? vector->indices[i] : i;
            ones[count++] = 1.0;
        }
    }
    return hr_vector_from_nonzeros(vector->size, indices, ones, count, arena);
}

static void binarize_vectors(const struct hr_stage *stage, struct hr_chunk *chunk, const struct hr_column_pair *pair,
                             double threshold)
{
    const struct hr_column *input = &chunk->columns[pair->input];
    struct hr_column *output = &chunk->columns[pair->output];
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, pair->input_name, "the vector is null");
            continue;
        }
        output->vectors[row] = binarize_vector(&input->vectors[row], threshold, chunk->arena);
    }
    hr_column_find_dense(output, chunk->rows);
}

static void binarize_column(const struct hr_stage *stage, struct hr_chunk *chunk, const struct hr_column_pair *pair,
                            double threshold)
{
    const struct hr_column *input = &chunk->columns[pair->input];
    struct hr_column *output = &chunk->columns[pair->output];
    hr_column_init(output, input->type, chunk->rows, chunk->arena);
    if (input->type == HR_TYPE_VECTOR) {
        binarize_vectors(stage, chunk, pair, threshold);
        return;
    }
    binarize_numbers(input->doubles, threshold, output->doubles, chunk->rows);
    for (size_t row = 0; input->valid != NULL && row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            output->doubles[row] = 0.0;
        }
    }
}

static void binarizer_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct binarizer *binarizer = (const struct binarizer *)stage;
    const struct binarizer_options *options = stage->options;
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        double threshold = options->thresholds.count > 0 ? options->thresholds.items[i] : options->threshold;
        binarize_column(stage, chunk, &binarizer->pairs[i], threshold);
    }
}

static const struct hr_option binarizer_rows[] = {
    HR_COLUMN_PAIR_OPTIONS(struct binarizer_options, "double or vector column"),
    HR_OPTION(struct binarizer_options, threshold, "threshold", DOUBLE, .fallback = "0.0",
              .help = "values over it become 1, all others 0"),
    HR_OPTION(struct binarizer_options, thresholds, "thresholds", DOUBLES,
              .help = "one for each of inputCols, instead of threshold"),
};

const struct hr_stage_type hr_stage_binarizer = {
    .kind =
        {
            .name = "Binarizer",
            .summary = "1 where a value is over a threshold, else 0",
            .doc = "Compares strictly: a value at the threshold gives 0, and so do NaN and null. Vectors are compared "
                   "element by element. Spark: org.apache.spark.ml.feature.Binarizer.",
            .example = "{ type: Binarizer, inputCol: amount, outputCol: large, threshold: 100.0 }",
            .options = {binarizer_rows, HR_ARRAY_LEN(binarizer_rows)},
            .options_size = sizeof(struct binarizer_options),
            .instance_size = sizeof(struct binarizer),
        },
    .check = binarizer_check,
    .bind = binarizer_bind,
    .transform = binarizer_transform,
};
