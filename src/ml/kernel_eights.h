/* SPDX-License-Identifier: Apache-2.0
 *
 * As kernel_fours.h, eight at a time: where roots and divisions are what a row waits for, twice the width is half of
 * the wait. Private to kernels; for functions with target("avx512f,avx512dq").
 */
#ifndef HR_ML_KERNEL_EIGHTS_H
#define HR_ML_KERNEL_EIGHTS_H

#include "ml/kernel_fours.h"

#if defined(__x86_64__)

struct hr_eights {
    __m512d first;
    __m512d second;
};

#define HR_EIGHTS_TARGET __attribute__((target("avx512f,avx512dq")))
#define HR_EIGHTS static inline __attribute__((always_inline, target("avx512f,avx512dq")))

static inline bool hr_eights_supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
}

/* Four pairs from four places. */
HR_EIGHTS __m512d hr_eights_gather(const double *a, const double *b, const double *c, const double *d)
{
    __m256d low = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(a)), _mm_loadu_pd(b), 1);
    __m256d high = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(c)), _mm_loadu_pd(d), 1);
    return _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);
}

/* Those of the row's elements i to i + 7. */
HR_EIGHTS void hr_eights_load(struct hr_eights *eights, const uint32_t *indices, const double *coordinates, size_t i)
{
    const double *of[8];
    for (size_t k = 0; k < 8; k++) {
        of[k] = coordinates + 2 * hr_element(indices, i + k);
    }
    __m512d even = hr_eights_gather(of[0], of[2], of[4], of[6]);
    __m512d odd = hr_eights_gather(of[1], of[3], of[5], of[7]);
    eights->first = _mm512_unpacklo_pd(even, odd);
    eights->second = _mm512_unpackhi_pd(even, odd);
}

/* Two pairs to two places. */
HR_EIGHTS void hr_eights_put(__m128d first, __m128d second, double *a, double *b)
{
    _mm_storeu_pd(a, first);
    _mm_storeu_pd(b, second);
}

/* Back to where hr_eights_load took them from, in the order of the elements. */
HR_EIGHTS void hr_eights_store(const struct hr_eights *eights, const uint32_t *indices, double *coordinates, size_t i)
{
    double *of[8];
    for (size_t k = 0; k < 8; k++) {
        of[k] = coordinates + 2 * hr_element(indices, i + k);
    }
    __m512d even = _mm512_unpacklo_pd(eights->first, eights->second);
    __m512d odd = _mm512_unpackhi_pd(eights->first, eights->second);
    hr_eights_put(_mm512_castpd512_pd128(even), _mm512_castpd512_pd128(odd), of[0], of[1]);
    hr_eights_put(_mm512_extractf64x2_pd(even, 1), _mm512_extractf64x2_pd(odd, 1), of[2], of[3]);
    hr_eights_put(_mm512_extractf64x2_pd(even, 2), _mm512_extractf64x2_pd(odd, 2), of[4], of[5]);
    hr_eights_put(_mm512_extractf64x2_pd(even, 3), _mm512_extractf64x2_pd(odd, 3), of[6], of[7]);
}

/* Adds them to a sum, one after the other. */
HR_EIGHTS double hr_eights_add(double sum, __m512d values)
{
    return hr_fours_add(hr_fours_add(sum, _mm512_castpd512_pd256(values)), _mm512_extractf64x4_pd(values, 1));
}

/* Keeps the old ones where the row's value is 0. */
HR_EIGHTS void hr_eights_keep(struct hr_eights *eights, const struct hr_eights *old, __m512d values)
{
    __mmask8 kept = _mm512_cmp_pd_mask(values, _mm512_setzero_pd(), _CMP_EQ_OQ);
    eights->first = _mm512_mask_mov_pd(eights->first, kept, old->first);
    eights->second = _mm512_mask_mov_pd(eights->second, kept, old->second);
}

/* Added up over all, it stays 0 unless one of them is NaN or infinite. */
HR_EIGHTS void hr_eights_check(const struct hr_eights *eights, __m512d *zero)
{
    *zero = _mm512_add_pd(*zero, _mm512_mul_pd(eights->first, _mm512_setzero_pd()));
    *zero = _mm512_add_pd(*zero, _mm512_mul_pd(eights->second, _mm512_setzero_pd()));
}

HR_EIGHTS bool hr_eights_finite(__m512d zero)
{
    return _mm512_cmp_pd_mask(zero, _mm512_setzero_pd(), _CMP_EQ_OQ) == 255;
}
#endif

#endif
