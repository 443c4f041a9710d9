/* SPDX-License-Identifier: Apache-2.0
 *
 * A sparse row in the making: (index, value) pairs in the order of their coming, then sorted by index with values of
 * one index added in that order, as Spark's maps of term counts become sparse vectors. One is kept for all rows of a
 * chunk. Indices are below INT32_MAX, as sizes of vectors are.
 */
#ifndef HR_ML_HASHED_ROW_H
#define HR_ML_HASHED_ROW_H

#include "base/arena.h"
#include "data/column.h"

struct hr_hashed_row {
    uint32_t *indices; /* by order of coming */
    double *values;
    size_t count;
    size_t capacity;
    struct hr_arena *arena; /* of the chunk */
};

void hr_hashed_row_add(struct hr_hashed_row *row, uint32_t index, double value);
/* The vector, in the arena; explicit zeros stay. binary: all values become 1. The row is emptied. */
struct hr_vector hr_hashed_row_take(struct hr_hashed_row *row, uint32_t size, bool binary);
/* The same for count pairs that are somewhere else: sorted and added up into out_indices and out_values, which have
 * room for count and are not those. How many are left. arena: for scratch of long rows. */
uint32_t hr_hashed_row_sort(const uint32_t *indices, const double *values, size_t count, bool binary,
                            uint32_t *out_indices, double *out_values, struct hr_arena *arena);

#endif
