/* SPDX-License-Identifier: Apache-2.0
 *
 * Making vector values: Spark's choice between the dense and the sparse form, copies, and what is known of a column's
 * vector size.
 */
#ifndef HR_ML_VECTORS_H
#define HR_ML_VECTORS_H

#include "data/chunk.h"
#include "data/schema.h"

/* Of larger vectors later stages know only the size: names for a million hashed features serve nobody. */
#define HR_NAMED_ELEMENTS_MAX 65536u

/* Vectors.compressed of Spark 4: sparse when that takes less room. */
static inline bool hr_vector_prefers_sparse(size_t nonzeros, size_t size)
{
    return 1.5 * (double)nonzeros + 2.0 < (double)size;
}
/* The shorter form of a vector given by its non-zero elements in ascending order; the arrays may become part of it. */
struct hr_vector hr_vector_from_nonzeros(uint32_t size, const uint32_t *indices, const double *values, uint32_t count,
                                         struct hr_arena *arena);
/* The shorter form of a vector given by all its elements; the array may become part of it. */
struct hr_vector hr_vector_from_dense(uint32_t size, const double *values, struct hr_arena *arena);
/* Writes vector->size doubles. */
void hr_vector_expand(const struct hr_vector *vector, double *out);
/* Makes a vector column of dense rows of one size, back to back, and returns the matrix, to be filled. */
double *hr_column_init_dense(struct hr_column *column, size_t rows, uint32_t size, struct hr_arena *arena);
/* Of a vector column by its attribute; 0: not known. */
size_t hr_vector_known_size(const struct hr_field *field);
/* An attribute that only tells the size. NULL for 0. */
struct hr_attribute *hr_vector_size_attribute(size_t size, struct hr_arena *arena);

#endif
