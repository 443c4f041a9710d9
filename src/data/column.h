/* SPDX-License-Identifier: Apache-2.0
 *
 * Column: the values of one field for the rows of a chunk, a plain array by type, and a validity bitmap. Values of null
 * rows are zero bytes, so that kernels may read them. Everything lives in the chunk's arena; string bytes may also
 * live in the record they came from, which outlives the chunk.
 *
 * A vector row is a view: dense (`indices` NULL, `count` == `size` values) or sparse (strictly ascending indices). Rows
 * of one column may differ in form, as in Spark. Where all rows of a chunk are dense, non-null, of one size and back to
 * back, `dense` points to the row-major matrix, so that kernels can run over it.
 */
#ifndef HR_DATA_COLUMN_H
#define HR_DATA_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "data/schema.h"

struct hr_vector {
    const double *values;
    const uint32_t *indices; /* NULL: dense */
    uint32_t size;
    uint32_t count; /* of values */
};

struct hr_string_array {
    const struct hr_str *items;
    const uint64_t *valid; /* elements may be null; NULL: none is */
    size_t count;
};

struct hr_double_array {
    const double *items;
    size_t count;
};

struct hr_column {
    enum hr_type type;
    uint64_t *valid; /* bit r of word r/64; NULL: no row is null */
    union {
        uint8_t *bytes;
        int64_t *longs;
        double *doubles;
        struct hr_str *strings;
        struct hr_string_array *string_arrays;
        struct hr_double_array *double_arrays;
        struct hr_vector *vectors;
        void *any;
    };
    const double *dense; /* see above; NULL otherwise */
    uint32_t dense_size; /* columns of that matrix */
};

size_t hr_type_size(enum hr_type type);
/* Room for `rows` values, zeroed, no nulls. */
void hr_column_init(struct hr_column *column, enum hr_type type, size_t rows, struct hr_arena *arena);

static inline bool hr_column_is_null(const struct hr_column *column, size_t row)
{
    return column->valid != NULL && (column->valid[row / 64] >> (row % 64) & 1) == 0;
}

/* Makes the bitmap at the first null; rows: of the chunk. */
void hr_column_set_null(struct hr_column *column, size_t row, size_t rows, struct hr_arena *arena);

/* The value of a numeric or boolean row as double. */
static inline double hr_column_number(const struct hr_column *column, size_t row)
{
    switch (column->type) {
    case HR_TYPE_BOOLEAN:
        return column->bytes[row];
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
    case HR_TYPE_TIMESTAMP:
        return (double)column->longs[row];
    default:
        return column->doubles[row];
    }
}

/* Finds out whether `dense` can be set, and sets it. */
void hr_column_find_dense(struct hr_column *column, size_t rows);

#endif
