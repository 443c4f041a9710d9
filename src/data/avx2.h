/* SPDX-License-Identifier: Apache-2.0
 *
 * What the AVX2 loops over the bytes of records share. Only for x86-64.
 */
#ifndef HR_DATA_AVX2_H
#define HR_DATA_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

#define HR_AVX2_TARGET __attribute__((target("avx2,bmi,popcnt")))

/* Writes the places after the set bits of a mask, whose first byte stands at `at`. Eight are always written, so that
 * the usual mask needs no loop. */
HR_AVX2_TARGET static inline void hr_avx2_write_places(uint16_t *out, uint64_t mask, size_t at)
{
    size_t count = (size_t)__builtin_popcountll(mask);
    for (size_t done = 0; done < count; done += 8) {
        for (int i = 0; i < 8; i++) {
            out[done + (size_t)i] = (uint16_t)(at + 1 + (size_t)__builtin_ctzll(mask | (uint64_t)1 << 63));
            mask &= mask - 1;
        }
    }
}

/* 32 bytes from `at`; of the record's last ones those before them too, which *passed says, or zeros after them. */
HR_AVX2_TARGET static inline __m256i hr_avx2_block(const char *text, size_t length, size_t at, unsigned *passed)
{
    *passed = 0;
    if (HR_LIKELY(length - at >= 32)) {
        return _mm256_loadu_si256((const __m256i *)(const void *)(text + at));
    }
    if (length >= 32) {
        *passed = 32 - (unsigned)(length - at);
        return _mm256_loadu_si256((const __m256i *)(const void *)(text + length - 32));
    }
    char bytes[32] = {0};
    memcpy(bytes, text, length);
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

#endif
