/* SPDX-License-Identifier: Apache-2.0
 *
 * Column storage: sizes by type, the validity bitmap, and the test for a dense matrix.
 */
#include "data/column.h"

#include <string.h>

size_t hr_type_size(enum hr_type type)
{
    switch (type) {
    case HR_TYPE_BOOLEAN:
        return sizeof(uint8_t);
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
    case HR_TYPE_TIMESTAMP:
        return sizeof(int64_t);
    case HR_TYPE_FLOAT:
    case HR_TYPE_DOUBLE:
        return sizeof(double);
    case HR_TYPE_STRING:
    case HR_TYPE_BINARY:
        return sizeof(struct hr_str);
    case HR_TYPE_STRING_ARRAY:
        return sizeof(struct hr_string_array);
    case HR_TYPE_DOUBLE_ARRAY:
        return sizeof(struct hr_double_array);
    case HR_TYPE_VECTOR:
        return sizeof(struct hr_vector);
    }
    HR_PANIC("unknown column type");
}

void hr_column_init(struct hr_column *column, enum hr_type type, size_t rows, struct hr_arena *arena)
{
    *column = (struct hr_column){.type = type};
    column->any = hr_arena_calloc(arena, rows, hr_type_size(type));
}

void hr_column_set_null(struct hr_column *column, size_t row, size_t rows, struct hr_arena *arena)
{
    HR_ASSERT(row < rows);
    if (column->valid == NULL) {
        size_t words = (rows + 63) / 64;
        column->valid = hr_arena_array(arena, words, uint64_t);
        memset(column->valid, 0xff, words * sizeof(uint64_t));
    }
    column->valid[row / 64] &= ~((uint64_t)1 << (row % 64));
    size_t size = hr_type_size(column->type);
    memset(column->bytes + row * size, 0, size);
    column->dense = NULL;
    column->dense_size = 0;
}

void hr_column_find_dense(struct hr_column *column, size_t rows)
{
    column->dense = NULL;
    column->dense_size = 0;
    if (column->type != HR_TYPE_VECTOR || rows == 0) {
        return;
    }
    const struct hr_vector *first = &column->vectors[0];
    if (first->values == NULL) {
        return;
    }
    for (size_t row = 0; row < rows; row++) {
        const struct hr_vector *vector = &column->vectors[row];
        if (hr_column_is_null(column, row) || vector->indices != NULL || vector->size != first->size ||
            vector->values != first->values + row * first->size) {
            return;
        }
    }
    column->dense = first->values;
    column->dense_size = first->size;
}
