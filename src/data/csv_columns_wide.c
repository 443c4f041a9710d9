/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of csv_columns.c with AVX-512, for strings, and for numbers of at most eight characters (integers: sixteen)
 * without a sign. A record that has something else goes through the other loop by itself.
 */
#include "data/csv_columns.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512cd,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))
#define LANES 8

/* The same field of eight records. */
struct lanes {
    __m512i text; /* addresses of the records */
    __m512i end;
    __m512i length;
    __mmask8 usual; /* not empty, and not as long as the text that stands for null */
};

static inline int pair_at(const uint16_t *starts)
{
    int pair;
    memcpy(&pair, starts, sizeof(pair));
    return pair;
}

static inline long long word_before(const char *text, const uint16_t *next)
{
    long long word;
    memcpy(&word, text + *next - 1 - sizeof(word), sizeof(word));
    return word;
}

/* The eight bytes before the field's end in each of the records, all of which have them. */
TARGET static inline __m512i lanes_words(const struct hr_csv_index *index, const struct hr_csv_column *column,
                                         size_t first)
{
    const size_t stride = index->stride;
    const uint16_t *next = index->starts + first * stride + column->place + 1;
    const char *const *text = index->text + first;
#define WORD(k) word_before(text[k], next + (k)*stride)
    return _mm512_set_epi64(WORD(7), WORD(6), WORD(5), WORD(4), WORD(3), WORD(2), WORD(1), WORD(0));
#undef WORD
}

TARGET static inline struct lanes lanes_load(const struct hr_csv_index *index, const struct hr_csv_column *column,
                                             size_t first)
{
    const uint16_t *starts = index->starts + first * index->stride + column->place;
    const size_t stride = index->stride;
    /* Start and end stand side by side. Eight loads take less time than a gather. */
#define PAIR(k) pair_at(starts + (k)*stride)
    __m512i pairs =
        _mm512_cvtepu32_epi64(_mm256_set_epi32(PAIR(7), PAIR(6), PAIR(5), PAIR(4), PAIR(3), PAIR(2), PAIR(1), PAIR(0)));
#undef PAIR
    __m512i start = _mm512_and_si512(pairs, _mm512_set1_epi64(0xffff));
    __m512i next = _mm512_srli_epi64(pairs, 16);
    struct lanes lanes = {
        .text = _mm512_loadu_si512(index->text + first),
        .end = _mm512_sub_epi64(next, _mm512_set1_epi64(1)),
    };
    lanes.length = _mm512_sub_epi64(lanes.end, start);
    lanes.usual = _mm512_cmpgt_epi64_mask(lanes.length, _mm512_setzero_si512()) &
                  _mm512_cmpneq_epi64_mask(lanes.length, _mm512_set1_epi64((long long)column->null_value.length));
    return lanes;
}

/* The bytes of words that end where a field does which are the field's. */
TARGET static inline __mmask64 inside_of(__m512i length)
{
    __m512i unused = _mm512_slli_epi64(_mm512_sub_epi64(_mm512_set1_epi64(8), length), 3);
    return _mm512_movepi8_mask(_mm512_sllv_epi64(_mm512_set1_epi64(-1), unused));
}

/* The eight bytes before text[end]. Lanes whose record has not so many before it are taken out. */
TARGET static inline __m512i words_before(__m512i text, __m512i end, __mmask8 *lanes)
{
    const __m512i eight = _mm512_set1_epi64(8);
    *lanes &= _mm512_cmpge_epi64_mask(end, eight);
    __m512i at = _mm512_add_epi64(text, _mm512_sub_epi64(end, eight));
    return _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), *lanes, at, NULL, 1);
}

/* The same for the field's end. */
TARGET static inline __m512i last_words(const struct hr_csv_index *index, const struct hr_csv_column *column,
                                        size_t first, const struct lanes *lanes, __mmask8 *done)
{
    __mmask8 enough = _mm512_cmpge_epi64_mask(lanes->end, _mm512_set1_epi64(8));
    return HR_LIKELY(enough == 0xff) ? lanes_words(index, column, first) : words_before(lanes->text, lanes->end, done);
}

/* One bit for each lane that has none of the 64. */
TARGET static inline __mmask8 lanes_without(__mmask64 bytes)
{
    return _mm512_cmpeq_epi64_mask(_mm512_movm_epi8(bytes), _mm512_setzero_si512());
}

/* Digits 0 to 9 as bytes into their values. */
TARGET static inline __m512i join_digits(__m512i digits)
{
    __m512i twos = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(10 | 1 << 8));
    __m512i fours = _mm512_madd_epi16(twos, _mm512_set1_epi32(100 | 1 << 16));
    return _mm512_add_epi64(_mm512_mul_epu32(fours, _mm512_set1_epi64(10000)), _mm512_srli_epi64(fours, 32));
}

TARGET static inline __m512i words_value(__m512i words, __mmask64 inside, __mmask8 *lanes)
{
    __m512i digits = _mm512_maskz_sub_epi8(inside, words, _mm512_set1_epi8('0'));
    *lanes &= lanes_without(_mm512_cmpgt_epu8_mask(digits, _mm512_set1_epi8(9)));
    return join_digits(digits);
}

/* The rest of eight records, by the other loop. */
static HR_COLD void read_rest(struct hr_csv_index *index, const struct hr_csv_column *column, size_t first,
                              unsigned done)
{
    for (unsigned i = 0; i < LANES; i++) {
        if (!(done >> i & 1)) {
            hr_csv_column_read_some(index, column, first + i, first + i + 1);
        }
    }
}

TARGET static size_t read_strings(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    const __m512i low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i high = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    struct hr_str *out = column->target->column->strings + column->first;
    size_t i = 0;
    for (; i + LANES <= column->count; i += LANES) {
        struct lanes lanes = lanes_load(index, column, i);
        __m512i data = _mm512_add_epi64(lanes.text, _mm512_sub_epi64(lanes.end, lanes.length));
        _mm512_storeu_si512(out + i, _mm512_permutex2var_epi64(data, low, lanes.length));
        _mm512_storeu_si512(out + i + 4, _mm512_permutex2var_epi64(data, high, lanes.length));
        if (HR_UNLIKELY(lanes.usual != 0xff)) {
            read_rest(index, column, i, lanes.usual);
        }
    }
    return i;
}

TARGET static size_t read_integers(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    const __m512i eight = _mm512_set1_epi64(8);
    const __m512i limit = _mm512_set1_epi64(column->target->field->type == HR_TYPE_INT ? INT32_MAX : INT64_MAX);
    int64_t *out = column->target->column->longs + column->first;
    size_t i = 0;
    for (; i + LANES <= column->count; i += LANES) {
        struct lanes lanes = lanes_load(index, column, i);
        __mmask8 done = lanes.usual & _mm512_cmple_epi64_mask(lanes.length, _mm512_set1_epi64(16));
        __mmask64 inside = inside_of(_mm512_min_epi64(lanes.length, eight));
        __m512i words = last_words(index, column, i, &lanes, &done);
        __m512i values = words_value(words, inside, &done);
        __mmask8 longer = done & _mm512_cmpgt_epi64_mask(lanes.length, eight);
        if (longer != 0) {
            __mmask8 both = longer;
            words = words_before(lanes.text, _mm512_sub_epi64(lanes.end, eight), &both);
            inside = inside_of(_mm512_sub_epi64(lanes.length, eight));
            __m512i more = words_value(words, inside, &both);
            values = _mm512_mask_add_epi64(values, both, values, _mm512_mul_epu32(more, _mm512_set1_epi64(100000000)));
            done &= (__mmask8)(~longer | both);
        }
        done &= _mm512_cmple_epi64_mask(values, limit);
        _mm512_storeu_si512(out + i, values);
        if (HR_UNLIKELY(done != 0xff)) {
            read_rest(index, column, i, done);
        }
    }
    return i;
}

TARGET static size_t read_doubles(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    const __m512i one = _mm512_set1_epi64(1);
    const __m512d powers = _mm512_set_pd(1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1e0);
    double *out = column->target->column->doubles + column->first;
    size_t i = 0;
    for (; i + LANES <= column->count; i += LANES) {
        struct lanes lanes = lanes_load(index, column, i);
        __mmask8 done = lanes.usual & _mm512_cmple_epi64_mask(lanes.length, _mm512_set1_epi64(8));
        __mmask64 inside = inside_of(lanes.length);
        __m512i words = last_words(index, column, i, &lanes, &done);
        __mmask64 points = _mm512_mask_cmpeq_epi8_mask(inside, words, _mm512_set1_epi8('.'));
        __m512i digits = _mm512_maskz_sub_epi8(inside, words, _mm512_set1_epi8('0'));
        /* The lowest bit of the first point's byte; without a point all bits are zero. */
        __m512i marks = _mm512_movm_epi8(points);
        __m512i lowest = _mm512_and_si512(marks, _mm512_sub_epi64(_mm512_setzero_si512(), marks));
        __mmask8 pointed = _mm512_test_epi64_mask(lowest, lowest);
        __m512i below = _mm512_sub_epi64(lowest, one);
        __m512i before = _mm512_slli_epi64(_mm512_and_si512(digits, below), 8);
        __m512i after =
            _mm512_andnot_si512(_mm512_or_si512(below, _mm512_sub_epi64(_mm512_slli_epi64(lowest, 8), one)), digits);
        digits = _mm512_mask_or_epi64(digits, pointed, before, after);
        done &= lanes_without(_mm512_cmpgt_epu8_mask(digits, _mm512_set1_epi8(9)));
        done &= (__mmask8) ~(pointed & _mm512_cmpeq_epi64_mask(lanes.length, one)); /* a point alone */
        /* Places after the point; eight without one, which is taken for none. */
        __m512i scale = _mm512_srli_epi64(_mm512_lzcnt_epi64(lowest), 3);
        __m512d values = _mm512_cvtepu32_pd(_mm512_cvtepi64_epi32(join_digits(digits)));
        _mm512_storeu_pd(out + i, _mm512_div_pd(values, _mm512_permutexvar_pd(scale, powers)));
        if (HR_UNLIKELY(done != 0xff)) {
            read_rest(index, column, i, done);
        }
    }
    return i;
}

size_t hr_csv_column_read_wide(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    switch (column->target->field->type) {
    case HR_TYPE_STRING:
        return read_strings(index, column);
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        return read_integers(index, column);
    case HR_TYPE_DOUBLE:
        return read_doubles(index, column);
    default:
        return 0;
    }
}
#else
size_t hr_csv_column_read_wide(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    (void)index, (void)column;
    return 0;
}
#endif
