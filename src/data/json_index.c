/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the quotes of records and compares what is between their values with a shape (json_shape.h). Quotes first, then
 * their distances, so that the windows of sixteen bytes lie in the record, then these.
 */
#include "data/json_index.h"

#include <string.h>

#include "data/simd.h"

#if defined(__x86_64__)
#include "data/avx2.h"

#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))

/* Records whose text is asked for before its turn, and before that into the second level cache. */
enum { AHEAD = 16, FAR_AHEAD = 40 };

/* What odd records are read as: values of no length, with eight bytes before them. */
static const char odd_text[64];
enum { ODD_START = 32 };

/* What can be said of a record before its bytes are looked at. */
static inline bool looks_shaped(const struct hr_json_index *index, struct hr_str text)
{
    return text.length >= 16 && text.length <= HR_JSON_SHAPE_TEXT_MAX && text.length <= index->record_bytes_max &&
           text.data[text.length - 1] == '}';
}

/* Quotes, and nothing that a plain string cannot hold. */
TARGET_AVX512 static bool find_quotes_avx512(struct hr_str text, size_t quotes, uint16_t *out)
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

TARGET_AVX512 static inline bool has_gaps_avx512(const struct hr_json_shape *shape, const uint16_t *starts)
{
    __m512i other = _mm512_setzero_si512();
    for (size_t i = 0; i < shape->quote_count; i += 32) {
        __m512i gap = _mm512_sub_epi16(_mm512_loadu_si512(starts + i + 1), _mm512_loadu_si512(starts + i));
        __m512i lengths = _mm512_loadu_si512(shape->gaps.lengths + i);
        __m512i mask = _mm512_loadu_si512(shape->gaps.mask + i);
        other = _mm512_ternarylogic_epi64(other, _mm512_xor_si512(gap, lengths), mask, 0xf8); /* a | (b & c) */
    }
    return _mm512_test_epi64_mask(other, other) == 0;
}

HR_AVX2_TARGET static bool find_quotes_avx2(struct hr_str text, size_t quotes, uint16_t *out)
{
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i backslash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1f);
    const uint64_t inside = text.length < 32 ? ((uint64_t)1 << text.length) - 1 : UINT32_MAX;
    size_t count = 0;
    uint64_t bad = 0;
    uint64_t high = 0;
    for (size_t at = 0; at < text.length; at += 32) {
        unsigned passed;
        __m256i block = hr_avx2_block(text.data, text.length, at, &passed);
        __m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(block, control), block);
        bad |= (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(_mm256_cmpeq_epi8(block, backslash), controls)) & inside;
        high |= (uint32_t)_mm256_movemask_epi8(block);
        uint64_t found = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, quote)) >> passed;
        hr_avx2_write_places(out + count, found, at);
        count += (size_t)__builtin_popcountll(found);
        if (HR_UNLIKELY(count > quotes)) {
            return false;
        }
    }
    return count == quotes && bad == 0 && (high == 0 || hr_str_is_utf8(text));
}

HR_AVX2_TARGET static inline bool has_gaps_avx2(const struct hr_json_shape *shape, const uint16_t *starts)
{
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
    __m256i other = _mm256_setzero_si256();
    for (size_t i = 0; i < shape->quote_count; i += 16) {
        __m256i gap = _mm256_sub_epi16(LOAD(starts + i + 1), LOAD(starts + i));
        __m256i known =
            _mm256_and_si256(_mm256_xor_si256(gap, LOAD(shape->gaps.lengths + i)), LOAD(shape->gaps.mask + i));
        other = _mm256_or_si256(other, known);
    }
    return _mm256_testz_si256(other, other) != 0;
#undef LOAD
}

/* For each kernel: what it is inlined into says with which instructions. */
#define INLINE static inline __attribute__((always_inline))

INLINE bool has_windows(const struct hr_json_shape *shape, const char *text, const uint16_t *starts)
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
INLINE bool has_tokens(const struct hr_json_shape *shape, const char *text, const uint16_t *starts)
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

typedef bool find_fn(struct hr_str text, size_t quotes, uint16_t *out);
typedef bool gaps_fn(const struct hr_json_shape *shape, const uint16_t *starts);

INLINE size_t index_records(struct hr_json_index *index, const struct hr_record *records, size_t count, size_t present,
                            find_fn *find, gaps_fn *has_gaps)
{
    const struct hr_json_shape *shape = index->shape;
    const size_t quotes = shape->quote_count;
    uint16_t *starts = index->starts;
    for (size_t i = 0; i < count; i++, starts += index->stride) {
        struct hr_str text = records[i].value;
        if (i + AHEAD < present) {
            const char *ahead = records[i + AHEAD].value.data;
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + 64);
            __builtin_prefetch(ahead + 128);
        }
        if (i + FAR_AHEAD < present) {
            const char *ahead = records[i + FAR_AHEAD].value.data;
            __builtin_prefetch(ahead, 0, 2);
            __builtin_prefetch(ahead + 64, 0, 2);
            __builtin_prefetch(ahead + 128, 0, 2);
        }
        index->text[i] = text.data;
        /* Later records overwrite what is written past a record's places. */
        index->odd[i] = !looks_shaped(index, text) || !find(text, quotes, starts);
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

TARGET_AVX512 static size_t index_avx512(struct hr_json_index *index, const struct hr_record *records, size_t count,
                                         size_t present)
{
    return index_records(index, records, count, present, find_quotes_avx512, has_gaps_avx512);
}

HR_AVX2_TARGET static size_t index_avx2(struct hr_json_index *index, const struct hr_record *records, size_t count,
                                        size_t present)
{
    return index_records(index, records, count, present, find_quotes_avx2, has_gaps_avx2);
}
#endif

size_t hr_json_index_records(struct hr_json_index *index, const struct hr_json_shape *shape,
                             const struct hr_record *records, size_t count, size_t present)
{
    index->shape = shape;
    index->stride = shape->quote_count + 1;
#if defined(__x86_64__)
    switch (hr_simd_best()) {
    case HR_SIMD_AVX512:
        return index_avx512(index, records, count, present);
    case HR_SIMD_AVX2:
        return index_avx2(index, records, count, present);
    default:
        break;
    }
#endif
    (void)records, (void)present;
    memset(index->odd, 1, count);
    return count;
}
