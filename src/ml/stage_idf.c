/* SPDX-License-Identifier: Apache-2.0
 *
 * IDF: inverse document frequency. With m documents, df of them with a value above 0 in a column:
 *
 *     idf = ln((m + 1) / (df + 1)),  0 (and docFreq 0) where df < minDocFreq
 *
 * and each value is multiplied by its column's idf; the form of the row (dense or sparse, explicit zeros) stays.
 * Source: org.apache.spark.ml.feature.IDF, org.apache.spark.mllib.feature.IDF.
 */
#include <math.h>

#include "ml/stage.h"

struct idf_options {
    const char *input_col;
    const char *output_col;
    int64_t min_doc_freq;
};

struct idf {
    struct hr_stage base;
    size_t input;
    size_t output;
    double *weights; /* fitted */
    int64_t *doc_freq;
    size_t size;
    int64_t documents;
    bool fitted;
};

static enum hr_status idf_load(struct hr_stage *stage, const json_t *fitted, struct hr_error *err)
{
    struct idf *idf = (struct idf *)stage;
    const json_t *weights = json_object_get(fitted, "idf");
    const json_t *doc_freq = json_object_get(fitted, "docFreq");
    if (!json_is_array(weights)) {
        return hr_stage_fail(stage, err, "fitted.idf must be a list of numbers");
    }
    idf->size = json_array_size(weights);
    if (doc_freq != NULL && json_array_size(doc_freq) != idf->size) {
        return hr_stage_fail(stage, err, "fitted.docFreq has %zu elements, fitted.idf has %zu",
                             json_array_size(doc_freq), idf->size);
    }
    idf->weights = hr_arena_array(stage->arena, idf->size, double);
    idf->doc_freq = hr_arena_calloc(stage->arena, idf->size, sizeof(int64_t));
    for (size_t i = 0; i < idf->size; i++) {
        const json_t *weight = json_array_get(weights, i);
        const json_t *count = json_array_get(doc_freq, i);
        if (!json_is_number(weight) || (doc_freq != NULL && !json_is_number(count))) {
            return hr_stage_fail(stage, err, "fitted: element %zu of idf or docFreq is not a number", i);
        }
        idf->weights[i] = json_number_value(weight);
        idf->doc_freq[i] = (int64_t)json_number_value(count);
    }
    idf->documents = (int64_t)json_number_value(json_object_get(fitted, "numDocs"));
    idf->fitted = true;
    return HR_OK;
}

static json_t *idf_save(const struct hr_stage *stage)
{
    const struct idf *idf = (const struct idf *)stage;
    json_t *weights = json_array();
    json_t *doc_freq = json_array();
    for (size_t i = 0; i < idf->size; i++) {
        json_array_append_new(weights, json_real(idf->weights[i]));
        json_array_append_new(doc_freq, json_integer(idf->doc_freq[i]));
    }
    return json_pack("{s:o, s:o, s:I}", "idf", weights, "docFreq", doc_freq, "numDocs", (json_int_t)idf->documents);
}

static enum hr_status idf_find_input(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    struct idf *idf = (struct idf *)stage;
    const struct idf_options *options = stage->options;
    return hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(VECTOR), "a vector", &idf->input, err);
}

static enum hr_status idf_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct idf *idf = (struct idf *)stage;
    const struct idf_options *options = stage->options;
    HR_TRY(idf_find_input(stage, schema, err));
    const struct hr_attribute *known = schema->fields[idf->input].attribute;
    if (known != NULL && known->kind == HR_ATTRIBUTE_GROUP && known->element_count != idf->size) {
        hr_stage_fail(stage, err, "column '%s' has %zu elements, it was fitted on %zu", options->input_col,
                      known->element_count, idf->size);
        return hr_fail_hint(err, "fit it again on such vectors: headrace fit QUERY.yaml -o PIPELINE.json");
    }
    struct hr_attribute *attribute = hr_arena_new(stage->arena, struct hr_attribute);
    attribute->kind = HR_ATTRIBUTE_GROUP;
    attribute->element_count = idf->size;
    return hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, attribute, &idf->output, err);
}

static void idf_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct idf *idf = (const struct idf *)stage;
    const struct idf_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[idf->input];
    struct hr_column *output = &chunk->columns[idf->output];
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, options->input_col, "null is no vector");
            continue;
        }
        const struct hr_vector *vector = &input->vectors[row];
        if (vector->size != idf->size) {
            hr_stage_reject(stage, chunk, row, options->input_col, "the vector has %u elements, it was fitted on %zu",
                            vector->size, idf->size);
            continue;
        }
        double *values = hr_arena_array(chunk->arena, vector->count, double);
        for (uint32_t i = 0; i < vector->count; i++) {
            values[i] = vector->values[i] * idf->weights[vector->indices != NULL ? vector->indices[i] : i];
        }
        output->vectors[row] = (struct hr_vector){values, vector->indices, vector->size, vector->count};
    }
    hr_column_find_dense(output, chunk->rows);
}

static enum hr_status idf_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    struct idf *idf = (struct idf *)stage;
    idf->size = 0;
    idf->doc_freq = NULL;
    idf->documents = 0;
    return idf_find_input(stage, schema, err);
}

static enum hr_status idf_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct idf *idf = (struct idf *)stage;
    const struct idf_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[idf->input];
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector = &input->vectors[row];
        if (hr_column_is_null(input, row)) {
            return hr_stage_fail_row(stage, chunk, row, err, options->input_col, "null is no vector");
        }
        if (idf->documents == 0) {
            idf->size = vector->size;
            idf->doc_freq = hr_arena_calloc(stage->arena, idf->size, sizeof(int64_t));
        }
        if (vector->size != idf->size) {
            return hr_stage_fail_row(stage, chunk, row, err, options->input_col,
                                     "a vector of %u elements after one of %zu", vector->size, idf->size);
        }
        for (uint32_t i = 0; i < vector->count; i++) {
            idf->doc_freq[vector->indices != NULL ? vector->indices[i] : i] += vector->values[i] > 0.0;
        }
        idf->documents++;
    }
    return HR_OK;
}

static enum hr_status idf_fit_end(struct hr_stage *stage, bool *again, struct hr_error *err)
{
    struct idf *idf = (struct idf *)stage;
    const struct idf_options *options = stage->options;
    *again = false;
    if (idf->documents == 0) {
        return hr_stage_fail(stage, err, "there are no rows to fit on");
    }
    idf->weights = hr_arena_calloc(stage->arena, idf->size, sizeof(double));
    for (size_t i = 0; i < idf->size; i++) {
        if (idf->doc_freq[i] >= options->min_doc_freq) {
            idf->weights[i] = log(((double)idf->documents + 1.0) / ((double)idf->doc_freq[i] + 1.0));
        } else {
            idf->doc_freq[i] = 0;
        }
    }
    idf->fitted = true;
    return HR_OK;
}

static const struct hr_option idf_rows[] = {
    HR_OPTION(struct idf_options, input_col, "inputCol", STRING, .required = true,
              .help = "vector column of term counts"),
    HR_OPTION(struct idf_options, output_col, "outputCol", STRING, .required = true, .help = "vector column to make"),
    HR_OPTION(struct idf_options, min_doc_freq, "minDocFreq", INT, .fallback = "0", .minimum = 0, .maximum = 9e15,
              .help = "terms in fewer documents get weight 0"),
};

const struct hr_stage_type hr_stage_idf = {
    .kind =
        {
            .name = "IDF",
            .summary = "weighs term counts by how rare the term is",
            .doc = "Multiplies each element by ln((m + 1) / (df + 1)), m the number of documents of the fit and df of "
                   "those with a value above 0. Fitted values: idf, docFreq, numDocs. "
                   "Spark: org.apache.spark.ml.feature.IDF.",
            .example = "{ type: IDF, inputCol: tf, outputCol: tfidf, minDocFreq: 2, fitted: { idf: [0.4, 0.6] } }",
            .options = {idf_rows, HR_ARRAY_LEN(idf_rows)},
            .options_size = sizeof(struct idf_options),
            .instance_size = sizeof(struct idf),
        },
    .flags = HR_STAGE_ESTIMATOR,
    .load = idf_load,
    .save = idf_save,
    .bind = idf_bind,
    .transform = idf_transform,
    .fit_begin = idf_fit_begin,
    .fit_chunk = idf_fit_chunk,
    .fit_end = idf_fit_end,
};
