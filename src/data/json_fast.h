/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way for what most records are made of: members in the order of the record before, strings without escapes,
 * numbers of few digits. Each function either takes exactly what the general way (json_text.h, json_number.h) would
 * take, with the same value, or returns NULL (false), and the general way looks again: errors are its job. Nothing is
 * read past `end`.
 */
#ifndef HR_DATA_JSON_FAST_H
#define HR_DATA_JSON_FAST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "base/str.h"
#include "data/json_number.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "digits are taken out of words");

static inline uint64_t hr_json_word8(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

static inline uint32_t hr_json_word4(const char *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

/* Does the text at p begin with the token (at least 3 bytes, as "": has)? By words that overlap, without a call: the
 * lengths of most keys are between 4 and 16 with their quotes. */
static inline bool hr_json_fast_token(const char *p, const char *end, struct hr_str token)
{
    size_t length = token.length;
    if (HR_UNLIKELY((size_t)(end - p) < length)) {
        return false;
    }
    const char *t = token.data;
    if (HR_LIKELY(length >= 8 && length <= 16)) {
        return ((hr_json_word8(p) ^ hr_json_word8(t)) |
                (hr_json_word8(p + length - 8) ^ hr_json_word8(t + length - 8))) == 0;
    }
    if (length >= 4 && length < 8) {
        return ((hr_json_word4(p) ^ hr_json_word4(t)) |
                (hr_json_word4(p + length - 4) ^ hr_json_word4(t + length - 4))) == 0;
    }
    return memcmp(p, t, length) == 0;
}

/* The same for a token of at most 16 bytes, padded, by one comparison whatever its length. others: bits of the padding.
 * false may also mean: look the other way. */
static inline bool hr_json_fast_wide_token(const char *p, const char *end, const char *wide, uint32_t others)
{
#ifdef __SSE2__
    if (HR_LIKELY(end - p >= 16)) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i token = _mm_loadu_si128((const __m128i *)(const void *)wide);
        return ((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, token)) | others) == 0xffff;
    }
#else
    (void)p, (void)end, (void)wide, (void)others;
#endif
    return false;
}

/* A string that ends before anything has to be looked at, and 16 bytes before the record's end. p stands at the opening
 * quote; returns the place after the closing one. */
static inline const char *hr_json_fast_string(const char *p, const char *end, struct hr_str *out)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(0x20);
    const char *start = p + 1;
    for (p = start; end - p >= 16; p += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed "less than blank" is a control or a byte past ASCII. */
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
                                    _mm_cmplt_epi8(block, blank));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (mask != 0) {
            p += __builtin_ctz(mask);
            *out = (struct hr_str){start, (size_t)(p - start)};
            return HR_LIKELY(*p == '"') ? p + 1 : NULL;
        }
    }
#else
    (void)p, (void)end, (void)out;
#endif
    return NULL;
}

/* The eight bytes at p, zeros in the place of those that are past the end. start: of the record. */
static inline bool hr_json_fast_word(const char *start, const char *p, const char *end, uint64_t *word)
{
    size_t left = (size_t)(end - p);
    if (HR_LIKELY(left >= 8)) {
        *word = hr_json_word8(p);
        return true;
    }
    if (left == 0 || end - start < 8) {
        return false;
    }
    *word = hr_json_word8(end - 8) >> (8 * (8 - left));
    return true;
}

/* Decimal digits at the start of a word: their number (0 to 8) and their value. */
static inline unsigned hr_json_fast_digits(uint64_t word, uint64_t *value)
{
    uint64_t digits = word ^ 0x3030303030303030u; /* 0 to 9 for digits, more for others */
    /* A carry of a byte that is no digit reaches only bytes after it. */
    uint64_t others = ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
    unsigned count = others == 0 ? 8 : (unsigned)__builtin_ctzll(others) / 8;
    if (HR_UNLIKELY(count == 0)) {
        return 0;
    }
    digits <<= 64 - 8 * count; /* leading zeros come in from below */
    digits = digits * 10 + (digits >> 8);
    *value = ((digits & 0x000000ff000000ffu) * 0x000f424000000064u +
              ((digits >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u) >>
             32;
    return count;
}

static inline bool hr_json_fast_number_goes_on(char c)
{
    return c == '.' || (c | 0x20) == 'e' || (unsigned char)(c - '0') <= 9;
}

/* An integer of at most 15 digits. */
static inline const char *hr_json_fast_integer(const char *start, const char *p, const char *end, int64_t *out)
{
    uint64_t word;
    uint64_t value = 0;
    uint64_t more = 0;
    bool negative = *p == '-';
    p += negative;
    if (HR_UNLIKELY(!hr_json_fast_word(start, p, end, &word))) {
        return NULL;
    }
    unsigned count = hr_json_fast_digits(word, &value);
    if (HR_UNLIKELY(count == 0 || (*p == '0' && count > 1))) {
        return NULL;
    }
    p += count;
    if (count == 8) {
        static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
        if (!hr_json_fast_word(start, p, end, &word)) {
            return NULL;
        }
        count = hr_json_fast_digits(word, &more);
        if (count == 8) {
            return NULL;
        }
        value = value * powers[count] + more;
        p += count;
    }
    if (HR_UNLIKELY(p == end || hr_json_fast_number_goes_on(*p))) {
        return NULL;
    }
    *out = negative ? -(int64_t)value : (int64_t)value;
    return p;
}

/* A number with at most 7 digits before the point and 8 after it: value / 10^scale. p stands after the sign. Returns
 * the place after it, which may be in the middle of a longer number. */
static inline const char *hr_json_fast_decimal(const char *start, const char *p, const char *end, uint64_t *value,
                                               unsigned *count, unsigned *scale)
{
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t word;
    uint64_t fraction = 0;
    *scale = 0;
    if (HR_UNLIKELY(!hr_json_fast_word(start, p, end, &word))) {
        return NULL;
    }
    *count = hr_json_fast_digits(word, value);
    if (HR_UNLIKELY(*count - 1 >= 7 || (*p == '0' && *count > 1))) {
        return NULL;
    }
    p += *count;
    if (p < end && *p == '.') {
        p++;
        if (HR_UNLIKELY(!hr_json_fast_word(start, p, end, &word))) {
            return NULL;
        }
        *scale = hr_json_fast_digits(word, &fraction);
        if (HR_UNLIKELY(*scale == 0)) {
            return NULL;
        }
        p += *scale;
        *value = *value * powers[*scale] + fraction;
    }
    return HR_LIKELY(p < end) ? p : NULL;
}

/* The mantissa is below 2^53 and the power of ten a double, so that their quotient is rounded once, as it should be
 * (Clinger 1990). With more behind the point the rest is read by a call. */
static inline const char *hr_json_fast_double(const char *start, const char *p, const char *end, double *out)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    uint64_t value = 0;
    unsigned count;
    unsigned scale;
    bool negative = *p == '-';
    p = hr_json_fast_decimal(start, p + negative, end, &value, &count, &scale);
    if (HR_UNLIKELY(p == NULL)) {
        return NULL;
    }
    if (HR_UNLIKELY(hr_json_fast_number_goes_on(*p))) {
        if (scale < 8) {
            return NULL;
        }
        p = hr_json_number_long_fraction(p, end, (struct hr_json_long_fraction){value, (int)count + 8, 8}, out);
        *out = negative ? -*out : *out;
        return p;
    }
    double result = (double)value / powers[scale];
    *out = negative ? -result : result;
    return p;
}

/* The nearest float, in the same way: the mantissa is at most 2^24. */
static inline const char *hr_json_fast_float(const char *start, const char *p, const char *end, double *out)
{
    static const float powers[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F};
    uint64_t value = 0;
    unsigned count;
    unsigned scale;
    bool negative = *p == '-';
    p = hr_json_fast_decimal(start, p + negative, end, &value, &count, &scale);
    if (HR_UNLIKELY(p == NULL || value > (uint64_t)1 << 24 || hr_json_fast_number_goes_on(*p))) {
        return NULL;
    }
    float result = (float)value / powers[scale];
    *out = (double)(negative ? -result : result);
    return p;
}

/* Passes over a short string or number. */
static inline const char *hr_json_fast_skip(const char *start, const char *p, const char *end)
{
    struct hr_str text;
    uint64_t value;
    unsigned count;
    unsigned scale;
    if (*p == '"') {
        return hr_json_fast_string(p, end, &text);
    }
    p = hr_json_fast_decimal(start, p + (*p == '-'), end, &value, &count, &scale);
    return p != NULL && !hr_json_fast_number_goes_on(*p) ? p : NULL;
}

#endif
