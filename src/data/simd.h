/* SPDX-License-Identifier: Apache-2.0
 *
 * Which vector instructions the decoders use: the best that the processor has.
 */
#ifndef HR_DATA_SIMD_H
#define HR_DATA_SIMD_H

enum hr_simd {
    HR_SIMD_NONE,  /* every record goes the general way */
    HR_SIMD_WORDS, /* eight bytes at a time by arithmetic */
    HR_SIMD_AVX2,
    HR_SIMD_AVX512,
};

enum hr_simd hr_simd_best(void);
/* For tests: none better than this one. */
void hr_simd_limit(enum hr_simd most);

#endif
