/* SPDX-License-Identifier: Apache-2.0
 *
 * See kernel_ftrl.h.
 */
#include "ml/kernel_ftrl.h"

#include "ml/kernel.h"
#include "ml/kernel_fours.h"

#if defined(__x86_64__)
/* Weights of all whole fours of the row; how many elements that is. */
__attribute__((target("avx2"))) static size_t weight_fours(const struct hr_ftrl_rates *rates,
                                                           const struct hr_vector *vector, const double *coordinates,
                                                           double *weights)
{
    const __m256d sign = _mm256_set1_pd(-0.0);
    const __m256d l1 = _mm256_set1_pd(rates->l1);
    size_t i = 0;
    for (; i + 4 <= vector->count; i += 4) {
        struct hr_fours fours;
        hr_fours_load(&fours, vector, coordinates, i);
        __m256d pull = _mm256_or_pd(l1, _mm256_and_pd(sign, fours.first));
        __m256d root = _mm256_sqrt_pd(fours.second);
        __m256d scale = _mm256_div_pd(_mm256_add_pd(_mm256_set1_pd(rates->beta), root), _mm256_set1_pd(rates->alpha));
        scale = _mm256_add_pd(scale, _mm256_set1_pd(rates->l2));
        __m256d weight = _mm256_div_pd(_mm256_xor_pd(sign, _mm256_sub_pd(fours.first, pull)), scale);
        __m256d none = _mm256_cmp_pd(_mm256_andnot_pd(sign, fours.first), l1, _CMP_LE_OQ);
        _mm256_storeu_pd(weights + i, _mm256_andnot_pd(none, weight));
    }
    return i;
}

/* Steps of all whole fours; how many elements that is. */
__attribute__((target("avx2"))) static size_t step_fours(const struct hr_ftrl_rates *rates, double error,
                                                         const struct hr_vector *vector, const double *weights,
                                                         const double *coordinates, double *out, bool *finite)
{
    __m256d zero = _mm256_setzero_pd();
    size_t i = 0;
    for (; i + 4 <= vector->count; i += 4) {
        struct hr_fours old;
        struct hr_fours new;
        hr_fours_load(&old, vector, coordinates, i);
        __m256d values = _mm256_loadu_pd(vector->values + i);
        __m256d gradient = _mm256_mul_pd(_mm256_set1_pd(error), values);
        new.second = _mm256_add_pd(old.second, _mm256_mul_pd(gradient, gradient));
        __m256d grown = _mm256_sub_pd(_mm256_sqrt_pd(new.second), _mm256_sqrt_pd(old.second));
        __m256d sigma = _mm256_div_pd(grown, _mm256_set1_pd(rates->alpha));
        __m256d moved = _mm256_sub_pd(gradient, _mm256_mul_pd(sigma, _mm256_loadu_pd(weights + i)));
        new.first = _mm256_add_pd(old.first, moved);
        hr_fours_keep(&new, &old, values);
        hr_fours_check(&new, &zero);
        hr_fours_store(&new, out + 2 * i);
    }
    *finite = hr_fours_finite(zero);
    return i;
}
#endif

double hr_ftrl_dot(const struct hr_ftrl_rates *rates, const struct hr_vector *vector, const double *coordinates,
                   double *weights)
{
    size_t done = 0;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        done = weight_fours(rates, vector, coordinates, weights);
    }
#endif
    for (size_t i = done; i < vector->count; i++) {
        weights[i] = hr_ftrl_weight(rates, coordinates + 2 * hr_vector_element(vector, i));
    }
    return hr_kernel_dot(vector->values, weights, vector->count);
}

bool hr_ftrl_row(const struct hr_ftrl_rates *rates, double error, const struct hr_vector *vector, const double *weights,
                 const double *coordinates, double *out)
{
    size_t done = 0;
    bool finite = true;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        done = step_fours(rates, error, vector, weights, coordinates, out, &finite);
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
            hr_ftrl_step(rates, error * vector->values[i], weights[i], coordinate, to);
        }
        zero += to[0] * 0.0 + to[1] * 0.0;
    }
    return finite && zero == 0.0;
}
