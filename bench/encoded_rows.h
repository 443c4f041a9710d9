/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoded rows for learners, the same for ours and the peers: row i is a pure function of (seed, i) with 20 non-zeros,
 * five dense ones (elements 0 to 4, uniform in [−1, 1]) and fifteen one-hot ones: group g has its own equal share of
 * the other elements, and P(rank) ~ 1/rank in it. A logistic model over all elements decides the label. Values are
 * floats.
 */
#ifndef HR_BENCH_ENCODED_ROWS_H
#define HR_BENCH_ENCODED_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "data/column.h"

#define ENCODED_DENSE 5u
#define ENCODED_GROUPS 15u
#define ENCODED_NONZEROS (ENCODED_DENSE + ENCODED_GROUPS)

struct encoded_rows {
    size_t count;
    uint32_t dimension;
    uint32_t *indices; /* ENCODED_NONZEROS a row, ascending */
    double *values;
    int64_t *labels;
    struct hr_vector *vectors; /* views */
};

/* dimension: a power of two of at least 2^10. */
void encoded_rows_make(struct encoded_rows *rows, size_t count, uint32_t dimension, uint64_t seed,
                       struct hr_arena *arena);

#endif
