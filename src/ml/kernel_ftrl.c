/* SPDX-License-Identifier: Apache-2.0
 *
 * See kernel_ftrl.h. The divider is what a row keeps busy, and roots are the dearest that it makes: √n is made once a
 * row. The next row waits for the new coordinates, so they are written at once, and taken back in the rare case that
 * one is not finite; z says it for both, as no finite z comes of an n that is not. Each width is one function for the
 * whole row, its sparse and its dense form apart: what is left is few enough instructions for the processor to begin a
 * row while the one before it waits for its exponential.
 */
#include "ml/kernel_ftrl.h"

#include "ml/kernel_eights.h"

#define ROW static inline __attribute__((always_inline))

/* Weights of the row's elements from i on, one by one; their products with the values are added to a sum. */
ROW double weigh_ones(const struct hr_ftrl *ftrl, const struct hr_vector *vector, const uint32_t *indices,
                      const double *coordinates, size_t i, double sum)
{
    for (; i < vector->count; i++) {
        const double *coordinate = coordinates + 2 * hr_element(indices, i);
        ftrl->z[i] = coordinate[0];
        ftrl->n[i] = coordinate[1];
        ftrl->roots[i] = sqrt(coordinate[1]);
        ftrl->weights[i] = hr_ftrl_weight(&ftrl->rates, coordinate[0], ftrl->roots[i]);
        sum += vector->values[i] * ftrl->weights[i];
    }
    return sum;
}

/* Steps of the row's elements from i on, one by one. False when a result is not finite. */
ROW bool step_ones(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector, const uint32_t *indices,
                   double *coordinates, size_t i)
{
    double zero = 0.0; /* NaN once a result is NaN or infinite */
    for (; i < vector->count; i++) {
        double *coordinate = coordinates + 2 * hr_element(indices, i);
        if (vector->values[i] != 0.0) {
            hr_ftrl_step(&ftrl->rates, error * vector->values[i], ftrl->weights[i], &ftrl->roots[i], &coordinate[0],
                         &coordinate[1]);
        }
        zero += coordinate[0] * 0.0 + coordinate[1] * 0.0;
    }
    return zero == 0.0;
}

#if defined(__x86_64__)
/* The same for whole fours from i on; where they end. */
HR_FOURS size_t weigh_fours(const struct hr_ftrl *ftrl, const struct hr_vector *vector, const uint32_t *indices,
                            const double *coordinates, size_t i, double *sum)
{
    const __m256d sign = _mm256_set1_pd(-0.0);
    const __m256d l1 = _mm256_set1_pd(ftrl->rates.l1);
    for (; i + 4 <= vector->count; i += 4) {
        struct hr_fours fours;
        hr_fours_load(&fours, indices, coordinates, i);
        __m256d root = _mm256_sqrt_pd(fours.second);
        __m256d scale =
            _mm256_div_pd(_mm256_add_pd(_mm256_set1_pd(ftrl->rates.beta), root), _mm256_set1_pd(ftrl->rates.alpha));
        scale = _mm256_add_pd(scale, _mm256_set1_pd(ftrl->rates.l2));
        __m256d pull = _mm256_or_pd(l1, _mm256_and_pd(sign, fours.first));
        __m256d weight = _mm256_div_pd(_mm256_xor_pd(sign, _mm256_sub_pd(fours.first, pull)), scale);
        __m256d none = _mm256_cmp_pd(_mm256_andnot_pd(sign, fours.first), l1, _CMP_LE_OQ);
        weight = _mm256_andnot_pd(none, weight);
        *sum = hr_fours_add(*sum, _mm256_mul_pd(_mm256_loadu_pd(vector->values + i), weight));
        _mm256_storeu_pd(ftrl->weights + i, weight);
        _mm256_storeu_pd(ftrl->roots + i, root);
        _mm256_storeu_pd(ftrl->z + i, fours.first);
        _mm256_storeu_pd(ftrl->n + i, fours.second);
    }
    return i;
}

HR_FOURS size_t step_fours(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector,
                           const uint32_t *indices, double *coordinates, size_t i, bool *finite)
{
    __m256d zero = _mm256_setzero_pd();
    for (; i + 4 <= vector->count; i += 4) {
        struct hr_fours old = {_mm256_loadu_pd(ftrl->z + i), _mm256_loadu_pd(ftrl->n + i)};
        struct hr_fours new;
        __m256d values = _mm256_loadu_pd(vector->values + i);
        __m256d gradient = _mm256_mul_pd(_mm256_set1_pd(error), values);
        new.second = _mm256_add_pd(old.second, _mm256_mul_pd(gradient, gradient));
        __m256d grown = _mm256_sub_pd(_mm256_sqrt_pd(new.second), _mm256_loadu_pd(ftrl->roots + i));
        __m256d sigma = _mm256_div_pd(grown, _mm256_set1_pd(ftrl->rates.alpha));
        __m256d moved = _mm256_sub_pd(gradient, _mm256_mul_pd(sigma, _mm256_loadu_pd(ftrl->weights + i)));
        new.first = _mm256_add_pd(old.first, moved);
        zero = _mm256_add_pd(zero, _mm256_mul_pd(new.first, _mm256_setzero_pd()));
        hr_fours_store(&new, indices, coordinates, i);
    }
    *finite = *finite && hr_fours_finite(zero);
    return i;
}

/* And for whole eights. */
HR_EIGHTS size_t weigh_eights(const struct hr_ftrl *ftrl, const struct hr_vector *vector, const uint32_t *indices,
                              const double *coordinates, double *sum)
{
    const __m512d sign = _mm512_set1_pd(-0.0);
    const __m512d l1 = _mm512_set1_pd(ftrl->rates.l1);
    size_t i = 0;
    for (; i + 8 <= vector->count; i += 8) {
        struct hr_eights eights;
        hr_eights_load(&eights, indices, coordinates, i);
        __m512d root = _mm512_sqrt_pd(eights.second);
        __m512d scale =
            _mm512_div_pd(_mm512_add_pd(_mm512_set1_pd(ftrl->rates.beta), root), _mm512_set1_pd(ftrl->rates.alpha));
        scale = _mm512_add_pd(scale, _mm512_set1_pd(ftrl->rates.l2));
        __m512d pull = _mm512_or_pd(l1, _mm512_and_pd(sign, eights.first));
        __m512d weight = _mm512_div_pd(_mm512_xor_pd(sign, _mm512_sub_pd(eights.first, pull)), scale);
        __mmask8 some = _mm512_cmp_pd_mask(_mm512_andnot_pd(sign, eights.first), l1, _CMP_NLE_UQ);
        weight = _mm512_maskz_mov_pd(some, weight);
        *sum = hr_eights_add(*sum, _mm512_mul_pd(_mm512_loadu_pd(vector->values + i), weight));
        _mm512_storeu_pd(ftrl->weights + i, weight);
        _mm512_storeu_pd(ftrl->roots + i, root);
        _mm512_storeu_pd(ftrl->z + i, eights.first);
        _mm512_storeu_pd(ftrl->n + i, eights.second);
    }
    return i;
}

HR_EIGHTS size_t step_eights(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector,
                             const uint32_t *indices, double *coordinates, bool *finite)
{
    __m512d zero = _mm512_setzero_pd();
    size_t i = 0;
    for (; i + 8 <= vector->count; i += 8) {
        struct hr_eights old = {_mm512_loadu_pd(ftrl->z + i), _mm512_loadu_pd(ftrl->n + i)};
        struct hr_eights new;
        __m512d values = _mm512_loadu_pd(vector->values + i);
        __m512d gradient = _mm512_mul_pd(_mm512_set1_pd(error), values);
        new.second = _mm512_add_pd(old.second, _mm512_mul_pd(gradient, gradient));
        __m512d grown = _mm512_sub_pd(_mm512_sqrt_pd(new.second), _mm512_loadu_pd(ftrl->roots + i));
        __m512d sigma = _mm512_div_pd(grown, _mm512_set1_pd(ftrl->rates.alpha));
        __m512d moved = _mm512_sub_pd(gradient, _mm512_mul_pd(sigma, _mm512_loadu_pd(ftrl->weights + i)));
        new.first = _mm512_add_pd(old.first, moved);
        zero = _mm512_add_pd(zero, _mm512_mul_pd(new.first, _mm512_setzero_pd()));
        hr_eights_store(&new, indices, coordinates, i);
    }
    *finite = *finite && hr_eights_finite(zero);
    return i;
}

HR_FOURS double dot_by_fours(const struct hr_ftrl *ftrl, const struct hr_vector *vector, const uint32_t *indices,
                             const double *coordinates, size_t done, double sum)
{
    done = weigh_fours(ftrl, vector, indices, coordinates, done, &sum);
    return weigh_ones(ftrl, vector, indices, coordinates, done, sum);
}

HR_FOURS bool learn_by_fours(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector,
                             const uint32_t *indices, double *coordinates, size_t done)
{
    bool finite = true;
    done = step_fours(ftrl, error, vector, indices, coordinates, done, &finite);
    return step_ones(ftrl, error, vector, indices, coordinates, done) && finite;
}

HR_EIGHTS double dot_by_eights(const struct hr_ftrl *ftrl, const struct hr_vector *vector, const uint32_t *indices,
                               const double *coordinates)
{
    double sum = 0.0;
    size_t done = weigh_eights(ftrl, vector, indices, coordinates, &sum);
    return dot_by_fours(ftrl, vector, indices, coordinates, done, sum);
}

HR_EIGHTS bool learn_by_eights(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector,
                               const uint32_t *indices, double *coordinates)
{
    bool finite = true;
    size_t done = step_eights(ftrl, error, vector, indices, coordinates, &finite);
    return learn_by_fours(ftrl, error, vector, indices, coordinates, done) && finite;
}

__attribute__((target("avx2"))) static double dot_fours(const struct hr_ftrl *ftrl, const struct hr_vector *vector,
                                                        const double *coordinates)
{
    return vector->indices != NULL ? dot_by_fours(ftrl, vector, vector->indices, coordinates, 0, 0.0)
                                   : dot_by_fours(ftrl, vector, NULL, coordinates, 0, 0.0);
}

__attribute__((target("avx2"))) static bool learn_fours(const struct hr_ftrl *ftrl, double error,
                                                        const struct hr_vector *vector, double *coordinates)
{
    return vector->indices != NULL ? learn_by_fours(ftrl, error, vector, vector->indices, coordinates, 0)
                                   : learn_by_fours(ftrl, error, vector, NULL, coordinates, 0);
}

HR_EIGHTS_TARGET static double dot_eights(const struct hr_ftrl *ftrl, const struct hr_vector *vector,
                                          const double *coordinates)
{
    return vector->indices != NULL ? dot_by_eights(ftrl, vector, vector->indices, coordinates)
                                   : dot_by_eights(ftrl, vector, NULL, coordinates);
}

HR_EIGHTS_TARGET static bool learn_eights(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector,
                                          double *coordinates)
{
    return vector->indices != NULL ? learn_by_eights(ftrl, error, vector, vector->indices, coordinates)
                                   : learn_by_eights(ftrl, error, vector, NULL, coordinates);
}
#endif

double hr_ftrl_dot(const struct hr_ftrl *ftrl, const struct hr_vector *vector, const double *coordinates)
{
#if defined(__x86_64__)
    if (hr_eights_supported()) {
        return dot_eights(ftrl, vector, coordinates);
    }
    if (__builtin_cpu_supports("avx2")) {
        return dot_fours(ftrl, vector, coordinates);
    }
#endif
    return weigh_ones(ftrl, vector, vector->indices, coordinates, 0, 0.0);
}

static bool learn(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector, double *coordinates)
{
#if defined(__x86_64__)
    if (hr_eights_supported()) {
        return learn_eights(ftrl, error, vector, coordinates);
    }
    if (__builtin_cpu_supports("avx2")) {
        return learn_fours(ftrl, error, vector, coordinates);
    }
#endif
    return step_ones(ftrl, error, vector, vector->indices, coordinates, 0);
}

bool hr_ftrl_learn(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector, double *coordinates)
{
    if (HR_LIKELY(learn(ftrl, error, vector, coordinates))) {
        return true;
    }
    hr_pairs_restore(vector, ftrl->z, ftrl->n, coordinates);
    return false;
}
