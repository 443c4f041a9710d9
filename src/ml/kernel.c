/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels. Every sum is one chain in the order of the elements: a vector unit would reorder it, and with it the last
 * bits of every weight that comes after.
 *
 * exp: x = k ln 2 + r with |r| <= ln 2 / 2, then the Taylor series of e^r, whose 14th term is below 2^-57.
 * log: x = 2^k m with m in [√½, √2), then ln m = 2 artanh s, s = (m − 1) / (m + 1), |s| <= 0.172; the 12th term of its
 * series is below 2^-57.
 */
#include "ml/kernel.h"

#include <math.h>
#include <string.h>

/* ln 2 in two parts; the high one has 21 trailing zero bits, so that k * high is exact. */
#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33

double hr_kernel_dot(const double *restrict a, const double *restrict b, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

void hr_kernel_axpy(double alpha, const double *restrict x, double *restrict y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        y[i] += alpha * x[i];
    }
}

double hr_kernel_squared_distance(const double *restrict a, const double *restrict b, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double difference = a[i] - b[i];
        sum += difference * difference;
    }
    return sum;
}

double hr_kernel_dot_sparse(const uint32_t *restrict indices, const double *restrict values, size_t count,
                            const double *restrict weights)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i] * weights[indices[i]];
    }
    return sum;
}

void hr_kernel_axpy_sparse(double alpha, const uint32_t *restrict indices, const double *restrict values, size_t count,
                           double *restrict weights)
{
    for (size_t i = 0; i < count; i++) {
        weights[indices[i]] += alpha * values[i];
    }
}

/* c11 … c1 of Σ c_k r^(11−k), which is e^r without its two leading terms, over r². */
static const double exp_factors[] = {
    1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
    1.0 / 5040.0,       1.0 / 720.0,       1.0 / 120.0,      1.0 / 24.0,      1.0 / 6.0,
};

/* The last steps from Horner's sum of all factors; the two leading terms last: their rounding is all that is left to
 * see. */
static inline double exp_end(double r, double sum)
{
    return 1.0 + (r + r * r * (sum * r + 0.5));
}

/* Two numbers at a time, each as alone. */
typedef double pair __attribute__((vector_size(16)));

static HR_COLD double exp_by_horner(double r)
{
    double sum = exp_factors[0];
    for (size_t i = 1; i < HR_ARRAY_LEN(exp_factors); i++) {
        sum = sum * r + exp_factors[i];
    }
    return exp_end(r, sum);
}

/* e^r for |r| <= 0.35 as exp_by_horner has it, sooner: the same polynomial as a tree. Either sum is less than
 * 2.3 · 2^-56 from the polynomial's value (|sum| < 0.19, and what is added to 1/6 is small), so Horner's lies between
 * this one − 2^-53 and + 2^-53. Each step of exp_end is monotonic in the sum, rounding included: where the two ends
 * agree, so does all between. In about one of a hundred they do not. */
static inline double exp_of_remainder(double r)
{
    const double *c = exp_factors;
    double r2 = r * r;
    double r4 = r2 * r2;
    double low = c[9] * r + c[10];
    double middle = (c[7] * r + c[8]) + r2 * (c[5] * r + c[6]);
    double high = ((c[3] * r + c[4]) + r2 * (c[1] * r + c[2])) + r4 * c[0];
    double sum = low + r2 * (middle + r4 * high);
    pair both_r = {r, r};
    pair both_r2 = {r2, r2};
    pair ends = (pair){sum, sum} + (pair){-0x1p-53, 0x1p-53};
    ends = 1.0 + (both_r + both_r2 * (ends * both_r + 0.5));
    if (HR_UNLIKELY(ends[0] != ends[1])) {
        return exp_by_horner(r);
    }
    return exp_end(r, sum);
}

double hr_kernel_exp(double x)
{
    if (isnan(x)) {
        return x;
    }
    if (x > 709.782712893384) {
        return HUGE_VAL;
    }
    if (x < -745.1332191019412) {
        return 0.0;
    }
    /* The nearest whole number: where 2^52 is added nothing is left of a fraction. */
    double k = (x * 1.4426950408889634 + 0x1.8p52) - 0x1.8p52;
    double value = exp_of_remainder((x - k * LN2_HIGH) - k * LN2_LOW);
    if (k < -1020.0 || k > 1022.0) {
        return ldexp(value, (int)k);
    }
    uint64_t bits = (uint64_t)(1023 + (int)k) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof(scale));
    return value * scale;
}

double hr_kernel_log(double x)
{
    if (isnan(x) || x == HUGE_VAL) {
        return x;
    }
    if (x <= 0.0) {
        return x == 0.0 ? -HUGE_VAL : (double)NAN;
    }
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654757) {
        m *= 2.0;
        exponent--;
    }
    double s = (m - 1.0) / (m + 1.0);
    double square = s * s;
    double sum = 0.0;
    for (int n = 25; n >= 3; n -= 2) {
        sum = (sum + 1.0 / n) * square;
    }
    double k = exponent;
    return k * LN2_HIGH + (2.0 * s + (2.0 * s * sum + k * LN2_LOW));
}

double hr_kernel_log1p(double x)
{
    /* What the addition rounded away comes back to first order, so a tiny x is not lost. */
    double sum = 1.0 + x;
    return hr_kernel_log(sum) + (x - (sum - 1.0)) / sum;
}

double hr_kernel_power(double base, uint64_t exponent)
{
    double result = 1.0;
    for (double square = base; exponent > 0; exponent >>= 1) {
        if (exponent & 1) {
            result *= square;
        }
        square *= square;
    }
    return result;
}

double hr_kernel_sigmoid(double x)
{
    return 1.0 / (1.0 + hr_kernel_exp(-x));
}

double hr_kernel_log1p_exp(double x)
{
    return x > 0.0 ? x + hr_kernel_log1p(hr_kernel_exp(-x)) : hr_kernel_log1p(hr_kernel_exp(x));
}

double hr_kernel_dot_vector(const struct hr_vector *vector, const double *weights)
{
    if (vector->indices == NULL) {
        return hr_kernel_dot(vector->values, weights, vector->count);
    }
    return hr_kernel_dot_sparse(vector->indices, vector->values, vector->count, weights);
}

void hr_kernel_axpy_vector(double alpha, const struct hr_vector *vector, double *weights)
{
    if (vector->indices == NULL) {
        hr_kernel_axpy(alpha, vector->values, weights, vector->count);
        return;
    }
    hr_kernel_axpy_sparse(alpha, vector->indices, vector->values, vector->count, weights);
}

bool hr_kernel_all_finite(const double *values, size_t count)
{
    double zero = 0.0;
    for (size_t i = 0; i < count; i++) {
        zero += values[i] * 0.0; /* NaN for NaN and the infinities, and it stays */
    }
    return zero == 0.0;
}
