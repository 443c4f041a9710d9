/* SPDX-License-Identifier: Apache-2.0
 *
 * The same field of eight records with AVX-512: where it stands, its last bytes, and digits into numbers. CSV and JSON
 * have their own loops around it, because they take different texts for numbers. Only for x86-64.
 */
#ifndef HR_DATA_LANES_H
#define HR_DATA_LANES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

#define HR_LANES_TARGET \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))
enum { HR_LANES = 8 };

/* Of a record's starts the field's own, and the next: the field is [starts[0] + margin, starts[1] - 1 - margin). */
struct hr_lanes_index {
    const char *const *text; /* of the records */
    const uint16_t *starts;  /* of the first record */
    size_t stride;           /* from one record's starts to those of the next */
    size_t margin;
};

struct hr_lanes {
    __m512i text; /* addresses of the records */
    __m512i end;
    __m512i length;
};

static inline int hr_lanes_pair_at(const uint16_t *starts)
{
    int pair;
    memcpy(&pair, starts, sizeof(pair));
    return pair;
}

HR_LANES_TARGET static inline struct hr_lanes hr_lanes_load(struct hr_lanes_index index)
{
    /* Eight loads take less time than a gather. */
#define PAIR(k) hr_lanes_pair_at(index.starts + (k)*index.stride)
    __m512i pairs =
        _mm512_cvtepu32_epi64(_mm256_set_epi32(PAIR(7), PAIR(6), PAIR(5), PAIR(4), PAIR(3), PAIR(2), PAIR(1), PAIR(0)));
#undef PAIR
    const long long margin = (long long)index.margin;
    __m512i start = _mm512_and_si512(pairs, _mm512_set1_epi64(0xffff));
    struct hr_lanes lanes = {
        .text = _mm512_loadu_si512(index.text),
        .end = _mm512_sub_epi64(_mm512_srli_epi64(pairs, 16), _mm512_set1_epi64(1 + margin)),
    };
    lanes.length =
        _mm512_sub_epi64(lanes.end, margin == 0 ? start : _mm512_add_epi64(start, _mm512_set1_epi64(margin)));
    return lanes;
}

static inline long long hr_lanes_word_before(const char *text, const uint16_t *next, size_t back)
{
    long long word;
    memcpy(&word, text + *next - back - sizeof(word), sizeof(word));
    return word;
}

/* The eight bytes that end `before` bytes before the field's end in each of the records, all of which have them. */
HR_LANES_TARGET static inline __m512i hr_lanes_words(struct hr_lanes_index index, size_t before)
{
    const uint16_t *next = index.starts + 1;
    const size_t back = 1 + index.margin + before;
#define WORD(k) hr_lanes_word_before(index.text[k], next + (k)*index.stride, back)
    return _mm512_set_epi64(WORD(7), WORD(6), WORD(5), WORD(4), WORD(3), WORD(2), WORD(1), WORD(0));
#undef WORD
}

/* The eight bytes before text[end]. Lanes whose record has not so many before it are taken out. */
HR_LANES_TARGET static inline __m512i hr_lanes_words_before(__m512i text, __m512i end, __mmask8 *lanes)
{
    const __m512i eight = _mm512_set1_epi64(8);
    *lanes &= _mm512_cmpge_epi64_mask(end, eight);
    __m512i at = _mm512_add_epi64(text, _mm512_sub_epi64(end, eight));
    return _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), *lanes, at, NULL, 1);
}

/* The last eight bytes of the field, and bytes before it, with a way out for records that have not so many. */
HR_LANES_TARGET static inline __m512i hr_lanes_last_words(struct hr_lanes_index index, const struct hr_lanes *lanes,
                                                          __mmask8 *done)
{
    __mmask8 enough = _mm512_cmpge_epi64_mask(lanes->end, _mm512_set1_epi64(8));
    return HR_LIKELY(enough == 0xff) ? hr_lanes_words(index, 0) : hr_lanes_words_before(lanes->text, lanes->end, done);
}

/* The bytes of words that end where a field of 0 to 8 bytes does which are the field's. */
HR_LANES_TARGET static inline __mmask64 hr_lanes_inside(__m512i length)
{
    __m512i unused = _mm512_slli_epi64(_mm512_sub_epi64(_mm512_set1_epi64(8), length), 3);
    return _mm512_movepi8_mask(_mm512_sllv_epi64(_mm512_set1_epi64(-1), unused));
}

/* The lanes that begin with a minus, of those with 1 to 8 bytes; what is left of them is one byte less. Inside are
 * the bytes of the field. */
HR_LANES_TARGET static inline __mmask8 hr_lanes_take_minus(__m512i words, __mmask64 *inside, __m512i *length)
{
    if (_mm512_mask_cmpeq_epi8_mask(*inside, words, _mm512_set1_epi8('-')) == 0) {
        return 0;
    }
    __m512i shift = _mm512_slli_epi64(_mm512_sub_epi64(_mm512_set1_epi64(8), *length), 3);
    __m512i first = _mm512_and_si512(_mm512_srlv_epi64(words, shift), _mm512_set1_epi64(0xff));
    __mmask8 minus = _mm512_cmpeq_epi64_mask(first, _mm512_set1_epi64('-'));
    *length = _mm512_mask_sub_epi64(*length, minus, *length, _mm512_set1_epi64(1));
    *inside = hr_lanes_inside(_mm512_min_epi64(*length, _mm512_set1_epi64(8)));
    return minus;
}

/* One bit for each lane that has none of the 64. */
HR_LANES_TARGET static inline __mmask8 hr_lanes_without(__mmask64 bytes)
{
    return _mm512_cmpeq_epi64_mask(_mm512_movm_epi8(bytes), _mm512_setzero_si512());
}

/* Digits 0 to 9 as bytes into their values. */
HR_LANES_TARGET static inline __m512i hr_lanes_join_digits(__m512i digits)
{
    __m512i twos = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(10 | 1 << 8));
    __m512i fours = _mm512_madd_epi16(twos, _mm512_set1_epi32(100 | 1 << 16));
    return _mm512_add_epi64(_mm512_mul_epu32(fours, _mm512_set1_epi64(10000)), _mm512_srli_epi64(fours, 32));
}

/* The value of the bytes inside; lanes in which not all of them are digits are taken out. */
HR_LANES_TARGET static inline __m512i hr_lanes_digits_value(__m512i words, __mmask64 inside, __mmask8 *lanes)
{
    __m512i digits = _mm512_maskz_sub_epi8(inside, words, _mm512_set1_epi8('0'));
    *lanes &= hr_lanes_without(_mm512_cmpgt_epu8_mask(digits, _mm512_set1_epi8(9)));
    return hr_lanes_join_digits(digits);
}

/* Digits with a point anywhere between them or none: value / 10^scale. */
struct hr_lanes_decimal {
    __m512i value;
    __m512i scale; /* eight: no point */
    __mmask8 pointed;
};

HR_LANES_TARGET static inline struct hr_lanes_decimal hr_lanes_decimal(__m512i words, __mmask64 inside, __mmask8 *lanes)
{
    const __m512i one = _mm512_set1_epi64(1);
    __mmask64 points = _mm512_mask_cmpeq_epi8_mask(inside, words, _mm512_set1_epi8('.'));
    __m512i digits = _mm512_maskz_sub_epi8(inside, words, _mm512_set1_epi8('0'));
    /* The lowest bit of the first point's byte; without a point all bits are zero. */
    __m512i marks = _mm512_movm_epi8(points);
    __m512i lowest = _mm512_and_si512(marks, _mm512_sub_epi64(_mm512_setzero_si512(), marks));
    __mmask8 pointed = _mm512_test_epi64_mask(lowest, lowest);
    /* Takes the point out: the bytes before it move up by one. */
    __m512i below = _mm512_sub_epi64(lowest, one);
    __m512i before = _mm512_slli_epi64(_mm512_and_si512(digits, below), 8);
    __m512i after =
        _mm512_andnot_si512(_mm512_or_si512(below, _mm512_sub_epi64(_mm512_slli_epi64(lowest, 8), one)), digits);
    digits = _mm512_mask_or_epi64(digits, pointed, before, after);
    *lanes &= hr_lanes_without(_mm512_cmpgt_epu8_mask(digits, _mm512_set1_epi8(9)));
    return (struct hr_lanes_decimal){
        .value = hr_lanes_join_digits(digits),
        .scale = _mm512_srli_epi64(_mm512_lzcnt_epi64(lowest), 3),
        .pointed = pointed,
    };
}

/* The quotient of two doubles, so rounded once. A zero with a minus is -0. */
HR_LANES_TARGET static inline __m512d hr_lanes_decimal_double(struct hr_lanes_decimal decimal, __mmask8 minus)
{
    const __m512d powers = _mm512_set_pd(1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1e0);
    __m512d values = _mm512_cvtepu32_pd(_mm512_cvtepi64_epi32(decimal.value));
    values = _mm512_mask_xor_pd(values, minus, values, _mm512_set1_pd(-0.0));
    return _mm512_div_pd(values, _mm512_permutexvar_pd(decimal.scale, powers));
}

/* Views of text: pairs of address and length, in the order of the lanes. */
HR_LANES_TARGET static inline void hr_lanes_store_texts(void *out, const struct hr_lanes *lanes)
{
    const __m512i low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i high = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    __m512i data = _mm512_add_epi64(lanes->text, _mm512_sub_epi64(lanes->end, lanes->length));
    _mm512_storeu_si512(out, _mm512_permutex2var_epi64(data, low, lanes->length));
    _mm512_storeu_si512((char *)out + 64, _mm512_permutex2var_epi64(data, high, lanes->length));
}

#endif
