/* SPDX-License-Identifier: Apache-2.0
 *
 * See csv_index.h. Each kernel turns up to 64 bytes into a mask of delimiters and says whether there are quotes or
 * bytes past ASCII; what is done with the masks is the same for all.
 */
#include "data/csv_index.h"

#include <string.h>

#include "data/simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest of a word");

/* Records whose text is asked for before its turn. */
#define AHEAD 12

/* Without its line end, as the general way sees it. */
static inline size_t content_length(struct hr_str text)
{
    size_t length = text.length;
    length -= length > 0 && text.data[length - 1] == '\n';
    length -= length > 0 && text.data[length - 1] == '\r';
    return length;
}

/* What can be said of a record before its bytes are looked at. A first blank may begin a record of blanks only. */
static inline bool looks_plain(const struct hr_csv_index *index, struct hr_str text, size_t length)
{
    return length > 0 && length <= HR_CSV_PLAIN_MAX && text.length <= index->record_bytes_max && text.data[0] != ' ' &&
           text.data[0] != '\t';
}

/* A byte order mark, or broken UTF-8, is for the general way. */
static HR_COLD bool past_ascii(const char *text, size_t length)
{
    return (unsigned char)text[0] != 0xef && hr_str_is_utf8((struct hr_str){text, length});
}

/* 0x80 where a byte of the word is zero. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return ~(((word & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu) | word | 0x7f7f7f7f7f7f7f7fu);
}

static bool index_words(const struct hr_csv_index *index, const char *text, size_t length, uint16_t *out)
{
    const uint64_t delimiters = 0x0101010101010101u * (unsigned char)index->dialect.delimiter;
    const uint64_t quotes = 0x0101010101010101u * (unsigned char)index->dialect.quote;
    size_t count = 0;
    uint64_t quoted = 0;
    uint64_t high = 0;
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        size_t left = length - at;
        memcpy(&word, text + at, left < 8 ? left : 8);
        uint64_t inside = left < 8 ? ((uint64_t)1 << (8 * left)) - 1 : UINT64_MAX;
        high |= word & 0x8080808080808080u;
        quoted |= zero_bytes(word ^ quotes) & inside;
        for (uint64_t found = zero_bytes(word ^ delimiters) & inside; found != 0; found &= found - 1) {
            if (count == index->fields) {
                return false;
            }
            out[count++] = (uint16_t)(at + 1 + (size_t)__builtin_ctzll(found) / 8);
        }
    }
    return count == index->fields - 1 && quoted == 0 && (high == 0 || past_ascii(text, length));
}

#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt")))

/* Writes the places after the set bits of a mask, whose first byte stands at `at`. Eight are always written, so that
 * the usual mask needs no loop. */
TARGET_AVX2 static inline void write_places(uint16_t *out, uint64_t mask, size_t at)
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
TARGET_AVX2 static inline __m256i block_avx2(const char *text, size_t length, size_t at, unsigned *passed)
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

TARGET_AVX2 static bool index_avx2(const struct hr_csv_index *index, const char *text, size_t length, uint16_t *out)
{
    const __m256i delimiters = _mm256_set1_epi8(index->dialect.delimiter);
    const __m256i quotes = _mm256_set1_epi8(index->dialect.quote);
    const uint64_t inside = length < 32 ? ((uint64_t)1 << length) - 1 : UINT32_MAX;
    size_t count = 0;
    uint64_t quoted = 0;
    uint64_t high = 0;
    for (size_t at = 0; at < length; at += 32) {
        unsigned passed;
        __m256i block = block_avx2(text, length, at, &passed);
        uint64_t found = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, delimiters)) & inside;
        quoted |= (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, quotes)) & inside;
        high |= (uint32_t)_mm256_movemask_epi8(block);
        found >>= passed;
        write_places(out + count, found, at);
        count += (size_t)__builtin_popcountll(found);
        if (HR_UNLIKELY(count >= index->fields)) {
            return false;
        }
    }
    return count == index->fields - 1 && quoted == 0 && (high == 0 || past_ascii(text, length));
}

TARGET_AVX512 static bool index_avx512(const struct hr_csv_index *index, const char *text, size_t length, uint16_t *out)
{
    const __m512i delimiters = _mm512_set1_epi8(index->dialect.delimiter);
    const __m512i quotes = _mm512_set1_epi8(index->dialect.quote);
    const __m512i places =
        _mm512_set_epi8(64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
                        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
                        16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    size_t count = 0;
    uint64_t quoted = 0;
    uint64_t high = 0;
    for (size_t at = 0; at < length; at += 64) {
        size_t left = length - at;
        __mmask64 inside = left < 64 ? _bzhi_u64(UINT64_MAX, (unsigned)left) : UINT64_MAX;
        __m512i block = _mm512_maskz_loadu_epi8(inside, text + at);
        __mmask64 found = _mm512_mask_cmpeq_epi8_mask(inside, block, delimiters);
        quoted |= _mm512_mask_cmpeq_epi8_mask(inside, block, quotes);
        high |= _mm512_movepi8_mask(block);
        __m512i packed = _mm512_maskz_compress_epi8(found, places);
        __m512i base = _mm512_set1_epi16((short)at);
        __m512i wide = _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(packed)), base);
        _mm512_storeu_si512(out + count, wide);
        size_t more = (size_t)__builtin_popcountll(found);
        if (HR_UNLIKELY(more > 32)) {
            wide = _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(packed, 1)), base);
            _mm512_storeu_si512(out + count + 32, wide);
        }
        count += more;
        if (HR_UNLIKELY(count >= index->fields)) {
            return false;
        }
    }
    return count == index->fields - 1 && quoted == 0 && (high == 0 || past_ascii(text, length));
}
#endif

typedef bool index_fn(const struct hr_csv_index *index, const char *text, size_t length, uint16_t *out);

static index_fn *kernel_function(void)
{
#if defined(__x86_64__)
    switch (hr_simd_best()) {
    case HR_SIMD_AVX512:
        return index_avx512;
    case HR_SIMD_AVX2:
        return index_avx2;
    default:
        break;
    }
#endif
    return index_words;
}

void hr_csv_index_records(struct hr_csv_index *index, const struct hr_record *records, size_t count)
{
    index_fn *kernel = kernel_function();
    uint16_t *starts = index->starts;
    for (size_t i = 0; i < count; i++) {
        struct hr_str text = records[i].value;
        if (i + AHEAD < count) {
            __builtin_prefetch(records[i + AHEAD].value.data);
            __builtin_prefetch(records[i + AHEAD].value.data + 64);
        }
        size_t length = content_length(text);
        index->text[i] = text.data;
        starts[0] = 0;
        /* Later records overwrite what a kernel writes past a record's places. */
        index->odd[i] = !looks_plain(index, text, length) || !kernel(index, text.data, length, starts + 1);
        if (HR_UNLIKELY(index->odd[i])) {
            memset(starts, 0, index->stride * sizeof(*starts));
        } else {
            starts[index->fields] = (uint16_t)(length + 1);
        }
        starts += index->stride;
    }
}
