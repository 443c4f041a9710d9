/* SPDX-License-Identifier: Apache-2.0
 *
 * Hot loops as free functions over arrays. Results do not depend on the processor: sums run in the order of the
 * elements and nothing is contracted to fused multiply-add, so that a resumed run on another machine gives the same
 * bits and Spark's numbers are met. Thread: any.
 */
#ifndef HR_ML_KERNEL_H
#define HR_ML_KERNEL_H

#include <stdbool.h>
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
/* e^x and ln x (x > 0) within 2 units in the last place, from additions, multiplications and divisions alone: the C
 * library picks other code on other processors. */
double hr_kernel_exp(double x);
double hr_kernel_log(double x);
/* ln(1 + x), x > −1, also where x is tiny. */
double hr_kernel_log1p(double x);
/* base^exponent for a whole exponent, by squaring. */
double hr_kernel_power(double base, uint64_t exponent);
/* 1 / (1 + e^−x) */
double hr_kernel_sigmoid(double x);
/* ln(1 + e^x) without overflow */
double hr_kernel_log1p_exp(double x);
/* w·x of either form; the vector's size must fit the weights. */
double hr_kernel_dot_vector(const struct hr_vector *vector, const double *weights);
/* weights += alpha * x of either form. */
void hr_kernel_axpy_vector(double alpha, const struct hr_vector *vector, double *weights);
/* True when no value is NaN or infinite. */
bool hr_kernel_all_finite(const double *values, size_t count);

#endif
