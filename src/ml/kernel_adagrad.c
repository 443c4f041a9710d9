/* SPDX-License-Identifier: Apache-2.0
 *
 * See kernel_adagrad.h. A row waits for its error, and its error for the exponential, so what is left is the latency of
 * a root and a division: four at once cost as much as one.
 */
#include "ml/kernel_adagrad.h"

#include "ml/kernel_eights.h"

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
/* Whole fours of the row from i on, without l1; where they end. */
HR_FOURS size_t step_fours(const struct hr_adagrad *adagrad, double error, const struct hr_vector *vector,
                           double *coordinates, size_t i, bool *finite)
{
    const __m256d l2 = _mm256_set1_pd(adagrad->rates.l2);
    const __m256d rate = _mm256_set1_pd(adagrad->rates.rate);
    const __m256d errors = _mm256_set1_pd(error);
    const __m256d epsilon = _mm256_set1_pd(HR_ADAGRAD_EPSILON);
    __m256d zero = _mm256_setzero_pd(); /* NaN once a result is NaN or infinite */
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
    *finite = *finite && hr_fours_finite(zero);
    return i;
}

/* The same for whole eights. */
HR_EIGHTS size_t step_eights(const struct hr_adagrad *adagrad, double error, const struct hr_vector *vector,
                             double *coordinates, bool *finite)
{
    const __m512d l2 = _mm512_set1_pd(adagrad->rates.l2);
    const __m512d rate = _mm512_set1_pd(adagrad->rates.rate);
    const __m512d errors = _mm512_set1_pd(error);
    const __m512d epsilon = _mm512_set1_pd(HR_ADAGRAD_EPSILON);
    __m512d zero = _mm512_setzero_pd();
    size_t i = 0;
    for (; i + 8 <= vector->count; i += 8) {
        struct hr_eights old;
        hr_eights_load(&old, vector->indices, coordinates, i);
        _mm512_storeu_pd(adagrad->weights + i, old.first);
        _mm512_storeu_pd(adagrad->sums + i, old.second);
        __m512d values = _mm512_loadu_pd(vector->values + i);
        __m512d gradient = _mm512_add_pd(_mm512_mul_pd(errors, values), _mm512_mul_pd(l2, old.first));
        __m512d sums = _mm512_add_pd(old.second, _mm512_mul_pd(gradient, gradient));
        __m512d root = _mm512_sqrt_pd(_mm512_add_pd(sums, epsilon));
        struct hr_eights new = {_mm512_sub_pd(old.first, _mm512_div_pd(_mm512_mul_pd(rate, gradient), root)), sums};
        hr_eights_keep(&new, &old, values);
        hr_eights_check(&new, &zero);
        hr_eights_store(&new, vector->indices, coordinates, i);
    }
    *finite = hr_eights_finite(zero);
    return i;
}

__attribute__((target("avx2"))) static size_t by_fours(const struct hr_adagrad *adagrad, double error,
                                                       const struct hr_vector *vector, double *coordinates,
                                                       bool *finite)
{
    return step_fours(adagrad, error, vector, coordinates, 0, finite);
}

HR_EIGHTS_TARGET static size_t by_eights(const struct hr_adagrad *adagrad, double error, const struct hr_vector *vector,
                                         double *coordinates, bool *finite)
{
    size_t done = step_eights(adagrad, error, vector, coordinates, finite);
    return step_fours(adagrad, error, vector, coordinates, done, finite);
}
#endif

bool hr_adagrad_learn(const struct hr_adagrad *adagrad, double error, const struct hr_vector *vector,
                      double *coordinates)
{
    size_t done = 0;
    bool finite = true;
#if defined(__x86_64__)
    bool plain = !(adagrad->rates.l1 > 0.0);
    if (plain && hr_eights_supported()) {
        done = by_eights(adagrad, error, vector, coordinates, &finite);
    } else if (plain && __builtin_cpu_supports("avx2")) {
        done = by_fours(adagrad, error, vector, coordinates, &finite);
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
