/* SPDX-License-Identifier: Apache-2.0
 *
 * The nearest of many centres: the inner loop of k-means. Centres are kept element by element, so that one instruction
 * works on many centres and each distance is still one chain of additions in the order of its elements: the bits are
 * the same for every width of vector unit. Widths of 8 (AVX-512), 4 (AVX2) and 2 are chosen at run time.
 */
#ifndef HR_ML_KERNEL_NEAREST_H
#define HR_ML_KERNEL_NEAREST_H

#include <stddef.h>

/* Centres are stored in blocks of so many. */
#define HR_NEAREST_LANES 16u

/* Doubles that the transposed form of count centres takes. */
static inline size_t hr_nearest_size(size_t count, size_t dimension)
{
    return (count + HR_NEAREST_LANES - 1) / HR_NEAREST_LANES * HR_NEAREST_LANES * dimension;
}
/* centres: count rows of dimension doubles. out: hr_nearest_size doubles. */
void hr_nearest_transpose(const double *centres, size_t count, size_t dimension, double *out);
/* The centre with the smallest ‖x − c‖², the first of equal ones; SIZE_MAX when no distance is finite (*squared is then
 * infinite). */
size_t hr_kernel_nearest(const double *restrict point, const double *restrict transposed, size_t count,
                         size_t dimension, double *squared);

#endif
