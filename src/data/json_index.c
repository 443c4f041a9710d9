/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the quotes of records and compares what is between their values with a shape (json_shape.h). Quotes first, then
 * their distances, so that the windows of sixteen bytes lie in the record, then these.
 */
#include "data/json_index.h"

#include <string.h>

#include "data/simd.h"

/* What a block's records have together, at most; places past the last record's that may be written or read. */
enum { BLOCK_STARTS = 8192, START_SLACK = 64 + 1 };

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))

/* Bytes of a record, so that places fit 16 bits. */
enum { TEXT_MAX = 65000 };

/* Records whose text is asked for before its turn, and before that into the second level cache. */
enum { AHEAD = 16, FAR_AHEAD = 40 };

/* What odd records are read as: values of no length, with eight bytes before them. */
static const char odd_text[64];
enum { ODD_START = 32 };

/* What can be said of a record before its bytes are looked at. */
static inline bool looks_shaped(const struct hr_json_index *index, struct hr_str text)
{
    return text.length >= 16 && text.length <= TEXT_MAX && text.length <= index->record_bytes_max &&
           text.data[text.length - 1] == '}';
}

/* Quotes, and nothing that a plain string cannot hold. */
TARGET static bool find_quotes(struct hr_str text, size_t quotes, uint16_t *out)
{
    const __m512i quote = _mm512_set1_epi8('"');
    const __m512i backslash = _mm512_set1_epi8('\\');
    const __m512i places =
        _mm512_set_epi8(64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
                        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
                        16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    __m512i least = quote;
    __m512i most = _mm512_setzero_si512();
    __mmask64 escapes = 0;
    size_t count = 0;
    for (size_t at = 0; at < text.length; at += 64) {
        size_t left = text.length - at;
        __mmask64 inside = left < 64 ? _bzhi_u64(UINT64_MAX, (unsigned)left) : UINT64_MAX;
        __m512i block = _mm512_mask_loadu_epi8(_mm512_set1_epi8('}'), inside, text.data + at);
        __mmask64 found = _mm512_cmpeq_epi8_mask(block, quote);
        escapes |= _mm512_cmpeq_epi8_mask(block, backslash);
        least = _mm512_min_epu8(least, block);
        most = _mm512_or_si512(most, block);
        __m512i packed = _mm512_maskz_compress_epi8(found, places);
        __m512i base = _mm512_set1_epi16((short)at);
        __m512i wide = _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(packed)), base);
        _mm512_storeu_si512(out + count, wide);
        size_t more = (size_t)__builtin_popcountll(found);
        if (HR_UNLIKELY(more > 32)) {
            return false;
        }
        count += more;
        if (HR_UNLIKELY(count > quotes)) {
            return false;
        }
    }
    escapes |= _mm512_cmplt_epu8_mask(least, _mm512_set1_epi8(0x20));
    return count == quotes && escapes == 0 && (_mm512_movepi8_mask(most) == 0 || hr_str_is_utf8(text));
}

TARGET static inline bool has_gaps(const struct hr_json_shape *shape, const uint16_t *starts)
{
    __m512i other = _mm512_setzero_si512();
    for (size_t i = 0; i < shape->quote_count; i += 32) {
        __m512i gap = _mm512_sub_epi16(_mm512_loadu_si512(starts + i + 1), _mm512_loadu_si512(starts + i));
        __m512i lengths = _mm512_loadu_si512(shape->gaps + i);
        __m512i mask = _mm512_loadu_si512(shape->gap_mask + i);
        other = _mm512_ternarylogic_epi64(other, _mm512_xor_si512(gap, lengths), mask, 0xf8); /* a | (b & c) */
    }
    return _mm512_test_epi64_mask(other, other) == 0;
}

TARGET static inline bool has_windows(const struct hr_json_shape *shape, const char *text, const uint16_t *starts)
{
    __m128i other = _mm_setzero_si128();
    for (size_t i = 0; i < shape->window_count; i++) {
        const struct hr_json_window *window = &shape->windows[i];
        __m128i found = _mm_loadu_si128((const __m128i *)(const void *)(text + starts[window->quote] + window->shift));
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)window->bytes);
        __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)window->mask);
        other = _mm_or_si128(other, _mm_and_si128(_mm_xor_si128(found, bytes), mask));
    }
    return _mm_movemask_epi8(_mm_cmpeq_epi8(other, _mm_setzero_si128())) == 0xffff;
}

/* Of a record with the right gaps between its quotes. starts: with the record's end. */
TARGET static inline bool has_tokens(const struct hr_json_shape *shape, const char *text, const uint16_t *starts)
{
    const struct hr_json_window *forward = &shape->windows[shape->forward];
    const struct hr_json_window *backward = &shape->windows[shape->backward];
    int end = starts[shape->quote_count];
    return starts[0] == 2 && end - starts[shape->quote_count - 1] > (int)shape->last &&
           end > starts[forward->quote] + forward->shift + 16 && starts[backward->quote] + backward->shift >= 0 &&
           has_windows(shape, text, starts);
}

static HR_COLD void set_odd(struct hr_json_index *index, size_t i)
{
    uint16_t *starts = index->starts + i * index->stride;
    for (size_t k = 0; k < index->stride; k++) {
        starts[k] = ODD_START;
    }
    index->text[i] = odd_text;
    index->odd[i] = 1;
}

TARGET static size_t index_avx512(struct hr_json_index *index, const struct hr_record *records, size_t count,
                                  size_t present)
{
    const struct hr_json_shape *shape = index->shape;
    const size_t quotes = shape->quote_count;
    uint16_t *starts = index->starts;
    for (size_t i = 0; i < count; i++, starts += index->stride) {
        struct hr_str text = records[i].value;
        if (i + AHEAD < present) {
            uintptr_t ahead = (uintptr_t)records[i + AHEAD].value.data;
            __builtin_prefetch((const void *)ahead);
            __builtin_prefetch((const void *)(ahead + 64));
            __builtin_prefetch((const void *)(ahead + 128));
        }
        if (i + FAR_AHEAD < present) {
            uintptr_t ahead = (uintptr_t)records[i + FAR_AHEAD].value.data;
            __builtin_prefetch((const void *)ahead, 0, 2);
            __builtin_prefetch((const void *)(ahead + 64), 0, 2);
            __builtin_prefetch((const void *)(ahead + 128), 0, 2);
        }
        index->text[i] = text.data;
        /* Later records overwrite what is written past a record's places. */
        index->odd[i] = !looks_shaped(index, text) || !find_quotes(text, quotes, starts);
        starts[quotes] = (uint16_t)(text.length + 1);
    }
    starts = index->starts;
    size_t odd = 0;
    for (size_t i = 0; i < count; i++, starts += index->stride) {
        if (HR_UNLIKELY(index->odd[i] || !has_gaps(shape, starts) || !has_tokens(shape, index->text[i], starts))) {
            set_odd(index, i);
            odd++;
        }
    }
    return odd;
}
#endif

struct hr_json_index *hr_json_index_new(const struct hr_json_shape *shape, size_t record_bytes_max,
                                        struct hr_arena *arena)
{
    size_t stride = 4 * (size_t)shape->value_most + 1;
    size_t room = HR_JSON_BLOCK_LEAST * stride > BLOCK_STARTS ? HR_JSON_BLOCK_LEAST * stride : BLOCK_STARTS;
    struct hr_json_index *index = hr_arena_new(arena, struct hr_json_index);
    index->record_bytes_max = record_bytes_max;
    index->starts = hr_arena_array(arena, room + START_SLACK, uint16_t);
    return index;
}

size_t hr_json_index_block(const struct hr_json_shape *shape)
{
    size_t records = BLOCK_STARTS / (shape->quote_count + 1) & ~(size_t)7;
    records = records < HR_JSON_BLOCK_LEAST ? HR_JSON_BLOCK_LEAST : records;
    return records < HR_JSON_BLOCK ? records : HR_JSON_BLOCK;
}

size_t hr_json_index_records(struct hr_json_index *index, const struct hr_json_shape *shape,
                             const struct hr_record *records, size_t count, size_t present)
{
    index->shape = shape;
    index->stride = shape->quote_count + 1;
#if defined(__x86_64__)
    if (hr_simd_best() == HR_SIMD_AVX512) {
        return index_avx512(index, records, count, present);
    }
#endif
    (void)records, (void)present;
    memset(index->odd, 1, count);
    return count;
}
