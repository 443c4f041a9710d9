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
__attribute__((target("avx2"))) static size_t step_fours(const struct hr_adagrad *adagrad, double error,
                                                         const struct hr_vector *vector, double *coordinates,
                                                         bool *finite)
{
    const __m256d l2 = _mm256_set1_pd(adagrad->rates.l2);
    const __m256d rate = _mm256_set1_pd(adagrad->rates.rate);
    const __m256d errors = _mm256_set1_pd(error);
    const __m256d epsilon = _mm256_set1_pd(HR_ADAGRAD_EPSILON);
    __m256d zero = _mm256_setzero_pd(); /* NaN once a result is NaN or infinite */
    size_t i = 0;
    for (; i + 4 <= vector->count; i += 4) {
        struct hr_fours old;
        hr_fours_load(&old, vector->indices, coordinates, i);
        _mm256_storeu_pd(adagrad->weights + i, old.first);
        _mm256_storeu_pd(adagrad->sums + i, old.second);
        __m256d values = _mm256_loadu_pd(vector->values + i);
        __m256d gradient = _mm256_add_pd(_mm256_mul_pd(errors, values), _mm256_mul_pd(l2, old.first));
        __m256d sums = _mm256_add_pd(old.second, _mm256_mul_pd(gradient, gradient));
        __m256d root = _mm256_sqrt_pd(_mm256_add_pd(sums, epsilon));
        struct hr_fours new = {_mm256_sub_pd(old.first, _mm256_div_pd(_mm256_mul_pd(rate, gradient), root)), sums};
        hr_fours_keep(&new, &old, values);
        hr_fours_check(&new, &zero);
        hr_fours_store(&new, vector->indices, coordinates, i);
    }
    *finite = hr_fours_finite(zero);
    return i;
}
#endif

bool hr_adagrad_learn(const struct hr_adagrad *adagrad, double error, const struct hr_vector *vector,
                      double *coordinates)
{
    size_t done = 0;
    bool finite = true;
#if defined(__x86_64__)
    if (!(adagrad->rates.l1 > 0.0) && __builtin_cpu_supports("avx2")) {
        done = step_fours(adagrad, error, vector, coordinates, &finite);
    }
#endif
    double zero = 0.0;
    for (size_t i = done; i < vector->count; i++) {
        double *coordinate = coordinates + 2 * hr_element(vector->indices, i);
        adagrad->weights[i] = coordinate[0];
        adagrad->sums[i] = coordinate[1];
        if (vector->values[i] != 0.0) {
            hr_adagrad_step(&adagrad->rates, error * vector->values[i], &coordinate[0], &coordinate[1]);
        }
        zero += coordinate[0] * 0.0 + coordinate[1] * 0.0;
    }
    if (HR_LIKELY(finite && zero == 0.0)) {
        return true;
    }
    hr_pairs_restore(vector, adagrad->weights, adagrad->sums, coordinates);
    return false;
}
