/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns, sizes and rows of the fitted scalers: see vector_scaler.h.
 */
#include "ml/vector_scaler.h"

#include "ml/fitted_values.h"
#include "ml/vectors.h"

static struct hr_vector_scaler *scaler_of(struct hr_stage *stage)
{
    return (struct hr_vector_scaler *)stage;
}

static const char *input_of(const struct hr_stage *stage)
{
    return ((const struct hr_vector_scaler_options *)stage->options)->input_col;
}

static enum hr_status find_input(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    return hr_schema_need_type(schema, input_of(stage), HR_TYPE_MASK(VECTOR), "a vector", &scaler_of(stage)->input,
                               err);
}

enum hr_status hr_vector_scaler_load(struct hr_vector_scaler *scaler, const json_t *fitted, const char *first_key,
                                     double **first, const char *second_key, double **second, struct hr_error *err)
{
    struct hr_stage *stage = &scaler->base;
    size_t count;
    HR_TRY(hr_fitted_doubles(stage, fitted, first_key, first, &scaler->size, err));
    HR_TRY(hr_fitted_doubles(stage, fitted, second_key, second, &count, err));
    if (count != scaler->size) {
        return hr_stage_fail(stage, err, "fitted.%s has %zu elements, fitted.%s has %zu", second_key, count, first_key,
                             scaler->size);
    }
    return HR_OK;
}

enum hr_status hr_vector_scaler_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct hr_vector_scaler *scaler = scaler_of(stage);
    const struct hr_vector_scaler_options *options = stage->options;
    HR_TRY(find_input(stage, schema, err));
    size_t known = hr_vector_known_size(&schema->fields[scaler->input]);
    if (known != 0 && known != scaler->size) {
        hr_stage_fail(stage, err, "column '%s' has %zu elements, the scaler was fitted on %zu", options->input_col,
                      known, scaler->size);
        return hr_fail_hint(err, "fit it again on such vectors: headrace fit QUERY.yaml -o PIPELINE.json");
    }
    struct hr_attribute *attribute = hr_vector_size_attribute(scaler->size, stage->arena);
    return hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, attribute, &scaler->output, err);
}

bool hr_vector_scaler_takes(struct hr_stage *stage, struct hr_chunk *chunk, size_t row)
{
    const struct hr_vector_scaler *scaler = scaler_of(stage);
    const struct hr_column *input = &chunk->columns[scaler->input];
    if (hr_column_is_null(input, row)) {
        hr_stage_reject(stage, chunk, row, input_of(stage), "null is no vector");
        return false;
    }
    if (input->vectors[row].size != scaler->size) {
        hr_stage_reject(stage, chunk, row, input_of(stage), "the vector has %u elements, the scaler was fitted on %zu",
                        input->vectors[row].size, scaler->size);
        return false;
    }
    return true;
}

enum hr_status hr_vector_scaler_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    scaler_of(stage)->size = 0;
    return find_input(stage, schema, err);
}

enum hr_status hr_vector_scaler_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk,
                                          hr_vector_scaler_begin *begin, hr_vector_scaler_take *take,
                                          struct hr_error *err)
{
    struct hr_vector_scaler *scaler = scaler_of(stage);
    const struct hr_column *input = &chunk->columns[scaler->input];
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector = &input->vectors[row];
        if (hr_column_is_null(input, row)) {
            return hr_stage_fail_row(stage, chunk, row, err, input_of(stage), "null is no vector");
        }
        if (vector->size == 0) {
            return hr_stage_fail_row(stage, chunk, row, err, input_of(stage), "a vector without elements");
        }
        if (scaler->size == 0) {
            scaler->size = vector->size;
            begin(scaler);
        }
        if (vector->size != scaler->size) {
            return hr_stage_fail_row(stage, chunk, row, err, input_of(stage),
                                     "a vector of %u elements after one of %zu", vector->size, scaler->size);
        }
        take(scaler, vector);
    }
    return HR_OK;
}

enum hr_status hr_vector_scaler_fit_end(struct hr_stage *stage, bool *again, struct hr_error *err)
{
    *again = false;
    return scaler_of(stage)->size > 0 ? HR_OK : hr_stage_fail(stage, err, "there are no rows to fit on");
}
