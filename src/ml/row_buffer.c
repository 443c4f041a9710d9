/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a batch in growing arrays, doubled when full.
 */
#include "ml/row_buffer.h"

#include <string.h>

#include "base/alloc.h"

void hr_row_buffer_clear(struct hr_row_buffer *buffer)
{
    buffer->rows = 0;
}

void hr_row_buffer_release(struct hr_row_buffer *buffer)
{
    hr_free(buffer->labels);
    hr_free(buffer->starts);
    hr_free(buffer->sparse);
    hr_free(buffer->values);
    hr_free(buffer->indices);
    *buffer = (struct hr_row_buffer){0};
}

static void reserve_row(struct hr_row_buffer *buffer)
{
    if (buffer->rows < buffer->row_capacity) {
        return;
    }
    buffer->row_capacity = buffer->row_capacity == 0 ? 1024 : 2 * buffer->row_capacity;
    buffer->labels = hr_realloc_array(buffer->labels, buffer->row_capacity, sizeof(double));
    buffer->sparse = hr_realloc_array(buffer->sparse, buffer->row_capacity, sizeof(bool));
    buffer->starts = hr_realloc_array(buffer->starts, buffer->row_capacity + 1, sizeof(size_t));
}

static void reserve_values(struct hr_row_buffer *buffer, size_t needed)
{
    if (needed <= buffer->value_capacity) {
        return;
    }
    size_t capacity = buffer->value_capacity == 0 ? 8192 : buffer->value_capacity;
    while (capacity < needed) {
        capacity *= 2;
    }
    buffer->values = hr_realloc_array(buffer->values, capacity, sizeof(double));
    buffer->indices = hr_realloc_array(buffer->indices, capacity, sizeof(uint32_t));
    buffer->value_capacity = capacity;
}

void hr_row_buffer_add(struct hr_row_buffer *buffer, const struct hr_vector *vector, double label)
{
    reserve_row(buffer);
    size_t row = buffer->rows;
    if (row == 0) {
        buffer->starts[0] = 0;
        buffer->dimension = vector->size;
    }
    HR_ASSERT(vector->size == buffer->dimension);
    size_t start = buffer->starts[row];
    reserve_values(buffer, start + vector->count);
    if (vector->count > 0) {
        memcpy(buffer->values + start, vector->values, vector->count * sizeof(double));
    }
    if (vector->count > 0 && vector->indices != NULL) {
        memcpy(buffer->indices + start, vector->indices, vector->count * sizeof(uint32_t));
    }
    buffer->labels[row] = label;
    buffer->sparse[row] = vector->indices != NULL;
    buffer->starts[row + 1] = start + vector->count;
    buffer->rows++;
}
