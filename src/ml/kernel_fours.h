/* SPDX-License-Identifier: Apache-2.0
 *
 * Four coordinates of two doubles at a time, for kernels that learn a row: their first halves in one vector, their
 * second ones in the other. Private to kernels; for functions with target("avx2").
 */
#ifndef HR_ML_KERNEL_FOURS_H
#define HR_ML_KERNEL_FOURS_H

#include <stddef.h>

#include "data/column.h"

/* Where the row's element i is; indices: NULL for a dense row. */
static inline size_t hr_element(const uint32_t *indices, size_t i)
{
    return indices != NULL ? indices[i] : i;
}

/* Puts the row's coordinates back to what they were. */
static inline void hr_pairs_restore(const struct hr_vector *vector, const double *first, const double *second,
                                    double *coordinates)
{
    for (size_t i = 0; i < vector->count; i++) {
        double *coordinate = coordinates + 2 * hr_element(vector->indices, i);
        coordinate[0] = first[i];
        coordinate[1] = second[i];
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

struct hr_fours {
    __m256d first;
    __m256d second;
};

#define HR_FOURS static inline __attribute__((always_inline, target("avx2")))

/* Those of the row's elements i to i + 3. */
HR_FOURS void hr_fours_load(struct hr_fours *fours, const uint32_t *indices, const double *coordinates, size_t i)
{
    const double *of[4];
    for (size_t k = 0; k < 4; k++) {
        of[k] = coordinates + 2 * hr_element(indices, i + k);
    }
    __m256d even = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(of[0])), _mm_loadu_pd(of[2]), 1);
    __m256d odd = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(of[1])), _mm_loadu_pd(of[3]), 1);
    fours->first = _mm256_unpacklo_pd(even, odd);
    fours->second = _mm256_unpackhi_pd(even, odd);
}

/* Back to where hr_fours_load took them from. */
HR_FOURS void hr_fours_store(const struct hr_fours *fours, const uint32_t *indices, double *coordinates, size_t i)
{
    double *of[4];
    for (size_t k = 0; k < 4; k++) {
        of[k] = coordinates + 2 * hr_element(indices, i + k);
    }
    __m256d even = _mm256_unpacklo_pd(fours->first, fours->second);
    __m256d odd = _mm256_unpackhi_pd(fours->first, fours->second);
    _mm_storeu_pd(of[0], _mm256_castpd256_pd128(even));
    _mm_storeu_pd(of[1], _mm256_castpd256_pd128(odd));
    _mm_storeu_pd(of[2], _mm256_extractf128_pd(even, 1));
    _mm_storeu_pd(of[3], _mm256_extractf128_pd(odd, 1));
}

/* Adds them to a sum, one after the other. */
HR_FOURS double hr_fours_add(double sum, __m256d values)
{
    __m128d low = _mm256_castpd256_pd128(values);
    __m128d high = _mm256_extractf128_pd(values, 1);
    sum += _mm_cvtsd_f64(low);
    sum += _mm_cvtsd_f64(_mm_unpackhi_pd(low, low));
    sum += _mm_cvtsd_f64(high);
    return sum + _mm_cvtsd_f64(_mm_unpackhi_pd(high, high));
}

/* Keeps the old ones where the row's value is 0. */
HR_FOURS void hr_fours_keep(struct hr_fours *fours, const struct hr_fours *old, __m256d values)
{
    __m256d kept = _mm256_cmp_pd(values, _mm256_setzero_pd(), _CMP_EQ_OQ);
    fours->first = _mm256_blendv_pd(fours->first, old->first, kept);
    fours->second = _mm256_blendv_pd(fours->second, old->second, kept);
}

/* Added up over all, it stays 0 unless one of them is NaN or infinite. */
HR_FOURS void hr_fours_check(const struct hr_fours *fours, __m256d *zero)
{
    *zero = _mm256_add_pd(*zero, _mm256_mul_pd(fours->first, _mm256_setzero_pd()));
    *zero = _mm256_add_pd(*zero, _mm256_mul_pd(fours->second, _mm256_setzero_pd()));
}

HR_FOURS bool hr_fours_finite(__m256d zero)
{
    return _mm256_movemask_pd(_mm256_cmp_pd(zero, _mm256_setzero_pd(), _CMP_EQ_OQ)) == 15;
}
#endif

#endif
