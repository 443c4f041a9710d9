/* SPDX-License-Identifier: Apache-2.0
 *
 * Labelled rows of one batch, copied out of its chunks: what a model that learns at the end of a batch remembers.
 * Memory grows to the largest batch and stays. Thread: the query's.
 */
#ifndef HR_ML_ROW_BUFFER_H
#define HR_ML_ROW_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/column.h"

struct hr_row_buffer {
    double *labels;
    size_t *starts; /* of a row's values; starts[rows] is the end */
    bool *sparse;
    size_t rows;
    size_t row_capacity;
    double *values;
    uint32_t *indices; /* read for sparse rows only */
    size_t value_capacity;
    uint32_t dimension; /* of every row */
};

/* Forgets the rows; keeps the memory. */
void hr_row_buffer_clear(struct hr_row_buffer *buffer);
void hr_row_buffer_release(struct hr_row_buffer *buffer);
/* Copies a row. All rows of a batch have the same size. */
void hr_row_buffer_add(struct hr_row_buffer *buffer, const struct hr_vector *vector, double label);
/* A view of row i. */
static inline struct hr_vector hr_row_buffer_vector(const struct hr_row_buffer *buffer, size_t i)
{
    size_t start = buffer->starts[i];
    return (struct hr_vector){
        .values = buffer->values + start,
        .indices = buffer->sparse[i] ? buffer->indices + start : NULL,
        .size = buffer->dimension,
        .count = (uint32_t)(buffer->starts[i + 1] - start),
    };
}

#endif
