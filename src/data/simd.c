/* SPDX-License-Identifier: Apache-2.0
 *
 * See simd.h. Every processor with VBMI2 has the other parts of AVX-512 that are used.
 */
#include "data/simd.h"

static enum hr_simd limit = HR_SIMD_AVX512;

void hr_simd_limit(enum hr_simd most)
{
    limit = most;
}

enum hr_simd hr_simd_best(void)
{
    enum hr_simd best = HR_SIMD_WORDS;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2")) {
        best = HR_SIMD_AVX512;
    } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) {
        best = HR_SIMD_AVX2;
    }
#endif
    return best < limit ? best : limit;
}
