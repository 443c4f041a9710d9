/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of vectors. Source of the rule: org.apache.spark.ml.linalg.Vector.compressed.
 */
#include "ml/vectors.h"

#include <string.h>

struct hr_vector hr_vector_from_nonzeros(uint32_t size, const uint32_t *indices, const double *values, uint32_t count,
                                         struct hr_arena *arena)
{
    struct hr_vector sparse = {values, indices, size, count};
    if (hr_vector_prefers_sparse(count, size)) {
        return sparse;
    }
    double *dense = hr_arena_array(arena, size, double);
    hr_vector_expand(&sparse, dense);
    return (struct hr_vector){dense, NULL, size, size};
}

struct hr_vector hr_vector_from_dense(uint32_t size, const double *values, struct hr_arena *arena)
{
    uint32_t nonzeros = 0;
    for (uint32_t i = 0; i < size; i++) {
        nonzeros += values[i] != 0.0;
    }
    if (!hr_vector_prefers_sparse(nonzeros, size)) {
        return (struct hr_vector){values, NULL, size, size};
    }
    uint32_t *indices = hr_arena_array(arena, nonzeros, uint32_t);
    double *kept = hr_arena_array(arena, nonzeros, double);
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; i++) {
        if (values[i] != 0.0) {
            indices[count] = i;
            kept[count++] = values[i];
        }
    }
    return (struct hr_vector){kept, indices, size, count};
}

void hr_vector_expand(const struct hr_vector *vector, double *out)
{
    if (vector->indices == NULL) {
        if (vector->size > 0) {
            memcpy(out, vector->values, vector->size * sizeof(double));
        }
        return;
    }
    memset(out, 0, vector->size * sizeof(double));
    for (uint32_t i = 0; i < vector->count; i++) {
        out[vector->indices[i]] = vector->values[i];
    }
}

double *hr_column_init_dense(struct hr_column *column, size_t rows, uint32_t size, struct hr_arena *arena)
{
    hr_column_init(column, HR_TYPE_VECTOR, rows, arena);
    double *matrix = hr_arena_array(arena, rows * size, double);
    for (size_t row = 0; row < rows; row++) {
        column->vectors[row] = (struct hr_vector){matrix + row * size, NULL, size, size};
    }
    column->dense = matrix;
    column->dense_size = size;
    return matrix;
}

size_t hr_vector_known_size(const struct hr_field *field)
{
    const struct hr_attribute *attribute = field->attribute;
    return attribute != NULL && attribute->kind == HR_ATTRIBUTE_GROUP ? attribute->element_count : 0;
}

struct hr_attribute *hr_vector_size_attribute(size_t size, struct hr_arena *arena)
{
    if (size == 0) {
        return NULL;
    }
    struct hr_attribute *attribute = hr_arena_new(arena, struct hr_attribute);
    attribute->kind = HR_ATTRIBUTE_GROUP;
    attribute->element_count = size;
    return attribute;
}
