/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory a query takes, from what its plan knows: exact for what learns (its size is fixed once the number of
 * features is known), an estimate for rows, whose length is not known. The assumptions are part of the answer.
 */
#include "service/explain.h"
#include "stream/microbatch.h"

/* A record as it comes, and a row as a sink holds it back until the batch is delivered. */
#define RECORD_BYTES 256
/* Vectors beyond this size are sparse in practice (hashed features). */
#define DENSE_MAX 1024
#define SPARSE_VALUES 100
#define STRING_BYTES 32
/* What the store is given: its block cache and two write buffers. */
#define STORE_BYTES (24 << 20)

static uint64_t vector_bytes(const struct hr_field *field)
{
    const struct hr_attribute *attribute = field->attribute;
    size_t size = attribute != NULL && attribute->kind == HR_ATTRIBUTE_GROUP ? attribute->element_count : 0;
    if (size == 0 || size > DENSE_MAX) {
        return SPARSE_VALUES * (sizeof(double) + sizeof(uint32_t));
    }
    return size * sizeof(double);
}

/* Beside the value itself. */
static uint64_t payload_bytes(const struct hr_field *field)
{
    switch (field->type) {
    case HR_TYPE_VECTOR:
        return vector_bytes(field);
    case HR_TYPE_DOUBLE_ARRAY:
        return SPARSE_VALUES * sizeof(double);
    case HR_TYPE_STRING_ARRAY:
        return SPARSE_VALUES * sizeof(struct hr_str);
    case HR_TYPE_STRING:
    case HR_TYPE_BINARY:
        return field->origin == HR_ORIGIN_COMPUTED ? STRING_BYTES : 0; /* others are views into the record */
    default:
        return 0;
    }
}

static uint64_t chunk_bytes(const struct hr_plan *plan)
{
    uint64_t row = sizeof(uint32_t) + 1; /* record index, dropped */
    for (size_t i = 0; i < plan->schema.count; i++) {
        const struct hr_field *field = &plan->schema.fields[i];
        row += hr_type_size(field->type) + payload_bytes(field);
    }
    return row * HR_CHUNK_ROWS;
}

static uint64_t batch_rows(const struct hr_plan *plan)
{
    int64_t rows = plan->source->rows_per_trigger_max;
    return rows == INT64_MAX ? HR_BATCH_ROWS_MAX : (uint64_t)rows;
}

static uint64_t batch_bytes(const struct hr_plan *plan)
{
    return batch_rows(plan) * (sizeof(struct hr_record) + RECORD_BYTES * (1 + plan->sink_count));
}

static uint64_t stage_bytes(const struct hr_plan *plan)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < plan->pipeline.count; i++) {
        bytes += plan->pipeline.stages[i]->state.size;
    }
    return bytes;
}

json_t *hr_explain_memory(const struct hr_plan *plan)
{
    const struct hr_model *model = plan->model;
    uint64_t chunk = chunk_bytes(plan);
    uint64_t batch = batch_bytes(plan);
    uint64_t stages = stage_bytes(plan);
    uint64_t learned = model != NULL ? model->state.size : 0;
    uint64_t evaluation = plan->evaluation != NULL ? plan->evaluation->state.size : 0;
    uint64_t total = chunk + batch + stages + learned + evaluation + STORE_BYTES;
    bool known = model == NULL || hr_model_head(model)->dimension > 0;
    json_t *assumed = json_pack("{s:I, s:i, s:i, s:b}", "batchRows", (json_int_t)batch_rows(plan), "recordBytes",
                                RECORD_BYTES, "sparseValues", SPARSE_VALUES, "modelSizeKnown", known);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "chunk", (json_int_t)chunk, "batch", (json_int_t)batch,
                     "stages", (json_int_t)stages, "model", (json_int_t)learned, "evaluation", (json_int_t)evaluation,
                     "store", (json_int_t)STORE_BYTES, "total", (json_int_t)total, "assumed", assumed);
}
