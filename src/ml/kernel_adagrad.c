/* SPDX-License-Identifier: Apache-2.0
 *
 * See kernel_adagrad.h. A row waits for its error, and its error for the exponential, so what is left is the latency of
 * a root and a division: four at once cost as much as one.
 */
#include "ml/kernel_adagrad.h"

#include "ml/kernel_fours.h"

double hr_adagrad_dot(const struct hr_vector *vector, const double *coordinates)
{
    const double *values = vector->values;
    const uint32_t *indices = vector->indices;
    size_t count = vector->count;
    double sum = 0.0;
    if (indices == NULL) {
        for (size_t i = 0; i < count; i++) {
            sum += values[i] * coordinates[2 * i];
        }
        return sum;
    }
    for (size_t i = 0; i < count; i++) {
        sum += values[i] * coordinates[2 * (size_t)indices[i]];
    }
    return sum;
}

#if defined(__x86_64__)
/* All whole fours of the row, without l1; how many elements that is. */
__attribute__((target("avx2"))) static size_t row_fours(const struct hr_adagrad_rates *rates, double error,
                                                        const struct hr_vector *vector, const double *coordinates,
                                                        double *out, bool *finite)
{
    const __m256d l2 = _mm256_set1_pd(rates->l2);
    const __m256d rate = _mm256_set1_pd(rates->rate);
    const __m256d errors = _mm256_set1_pd(error);
    const __m256d epsilon = _mm256_set1_pd(HR_ADAGRAD_EPSILON);
    __m256d zero = _mm256_setzero_pd(); /* NaN once a result is NaN or infinite */
    size_t i = 0;
    for (; i + 4 <= vector->count; i += 4) {
        struct hr_fours old;
        hr_fours_load(&old, vector, coordinates, i);
        __m256d values = _mm256_loadu_pd(vector->values + i);
        __m256d gradient = _mm256_add_pd(_mm256_mul_pd(errors, values), _mm256_mul_pd(l2, old.first));
        __m256d sums = _mm256_add_pd(old.second, _mm256_mul_pd(gradient, gradient));
        __m256d root = _mm256_sqrt_pd(_mm256_add_pd(sums, epsilon));
        struct hr_fours new = {_mm256_sub_pd(old.first, _mm256_div_pd(_mm256_mul_pd(rate, gradient), root)), sums};
        hr_fours_keep(&new, &old, values);
        hr_fours_check(&new, &zero);
        hr_fours_store(&new, out + 2 * i);
    }
    *finite = hr_fours_finite(zero);
    return i;
}
#endif

bool hr_adagrad_row(const struct hr_adagrad_rates *rates, double error, const struct hr_vector *vector,
                    const double *coordinates, double *out)
{
    size_t done = 0;
    bool finite = true;
#if defined(__x86_64__)
    if (!(rates->l1 > 0.0) && __builtin_cpu_supports("avx2")) {
        done = row_fours(rates, error, vector, coordinates, out, &finite);
    }
#endif
    double zero = 0.0;
    for (size_t i = done; i < vector->count; i++) {
        const double *coordinate = coordinates + 2 * hr_vector_element(vector, i);
        double *to = out + 2 * i;
        if (vector->values[i] == 0.0) {
            to[0] = coordinate[0];
            to[1] = coordinate[1];
        } else {
            hr_adagrad_step(rates, error * vector->values[i], coordinate, to);
        }
        zero += to[0] * 0.0 + to[1] * 0.0;
    }
    return finite && zero == 0.0;
}
