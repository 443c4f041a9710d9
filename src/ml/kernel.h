/* SPDX-License-Identifier: Apache-2.0
 *
 * Hot loops as free functions over arrays. Results do not depend on the processor: sums run in the order of the
 * elements and nothing is contracted to fused multiply-add, so that a resumed run on another machine gives the same bits
 * and Spark's numbers are met. Thread: any.
 */
#ifndef HR_ML_KERNEL_H
#define HR_ML_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "data/column.h"

double hr_kernel_dot(const double *restrict a, const double *restrict b, size_t count);
/* y += alpha * x */
void hr_kernel_axpy(double alpha, const double *restrict x, double *restrict y, size_t count);
double hr_kernel_squared_distance(const double *restrict a, const double *restrict b, size_t count);
double hr_kernel_dot_sparse(const uint32_t *restrict indices, const double *restrict values, size_t count,
                            const double *restrict weights);
void hr_kernel_axpy_sparse(double alpha, const uint32_t *restrict indices, const double *restrict values, size_t count,
                           double *restrict weights);
/* 1 / (1 + e^−x) */
double hr_kernel_sigmoid(double x);
/* ln(1 + e^x) without overflow */
double hr_kernel_log1p_exp(double x);
/* w·x of either form; the vector's size must fit the weights. */
double hr_kernel_dot_vector(const struct hr_vector *vector, const double *weights);

#endif
