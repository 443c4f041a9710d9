/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON text. Strings are scanned sixteen bytes at a time where the processor has SSE2 (every x86-64 has), else eight by
 * arithmetic on a word.
 */
#include "data/json_text.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "data/json_number.h"

HR_COLD const char *hr_json_fail(struct hr_json_input *input, const char *at, enum hr_reason reason, const char *what)
{
    input->reason = reason;
    input->at = at;
    input->what = what;
    return NULL;
}

static inline bool is_plain(char c)
{
    return c != '"' && c != '\\' && (unsigned char)c >= 0x20 && (unsigned char)c < 0x80;
}

const char *hr_json_plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed "less than blank" is a control or a byte past ASCII. */
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
                                    _mm_cmplt_epi8(block, blank));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (mask != 0) {
            return p + __builtin_ctz(mask);
        }
        p += 16;
    }
#endif
    while (p < end && is_plain(*p)) {
        p++;
    }
    return p;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits; -1 when they are not. */
static int hex4(const char *p, const char *end)
{
    if (end - p < 4) {
        return -1;
    }
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (char)point;
    } else if (point < 0x800) {
        *to++ = (char)(0xc0 | point >> 6);
        *to++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *to++ = (char)(0xe0 | point >> 12);
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    } else {
        *to++ = (char)(0xf0 | point >> 18);
        *to++ = (char)(0x80 | (point >> 12 & 0x3f));
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    }
    return to;
}

/* \uXXXX, and the second half of a pair; p stands at the first hex digit. */
static const char *unicode_escape(struct hr_json_input *input, const char *p, uint32_t *out)
{
    int first = hex4(p, input->end);
    if (first < 0) {
        return hr_json_fail(input, p, HR_REASON_MALFORMED, "four hex digits");
    }
    *out = (uint32_t)first;
    if (first < 0xd800 || first > 0xdfff) {
        return p + 4;
    }
    if (first <= 0xdbff && input->end - p >= 10 && p[4] == '\\' && p[5] == 'u') {
        int second = hex4(p + 6, input->end);
        if (second >= 0xdc00 && second <= 0xdfff) {
            *out = 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00);
            return p + 10;
        }
    }
    return hr_json_fail(input, p, HR_REASON_MALFORMED, "the other half of a surrogate pair");
}

/* p stands after the backslash. */
static const char *escape(struct hr_json_input *input, const char *p, uint32_t *out)
{
    if (p == input->end) {
        return hr_json_fail(input, p, HR_REASON_MALFORMED, "the rest of an escape");
    }
    switch (*p) {
    case '"':
    case '\\':
    case '/':
        *out = (unsigned char)*p;
        return p + 1;
    case 'b':
        *out = '\b';
        return p + 1;
    case 'f':
        *out = '\f';
        return p + 1;
    case 'n':
        *out = '\n';
        return p + 1;
    case 'r':
        *out = '\r';
        return p + 1;
    case 't':
        *out = '\t';
        return p + 1;
    case 'u':
        return unicode_escape(input, p + 1, out);
    default:
        return hr_json_fail(input, p, HR_REASON_MALFORMED, "an escape that JSON knows");
    }
}

/* Goes on to the next quote or backslash, checking what it passes. */
static const char *string_part(struct hr_json_input *input, const char *p)
{
    for (;;) {
        p = hr_json_plain_end(p, input->end);
        if (p == input->end) {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "the end of a string");
        }
        if (*p == '"' || *p == '\\') {
            return p;
        }
        if ((unsigned char)*p < 0x20) {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "no control character in a string");
        }
        size_t length = hr_str_utf8_length(p, (size_t)(input->end - p));
        if (length == 0) {
            return hr_json_fail(input, p, HR_REASON_INVALID_UTF8, "UTF-8");
        }
        p += length;
    }
}

/* The closing quote of a string whose text from p on has escapes, checked; NULL when it is not well formed. */
static const char *check_escaped(struct hr_json_input *input, const char *p)
{
    for (;;) {
        uint32_t point;
        p = string_part(input, p);
        if (p == NULL || *p == '"') {
            return p;
        }
        p = escape(input, p + 1, &point);
        if (p == NULL) {
            return NULL;
        }
    }
}

/* Copies the text between start and the closing quote, which is known to be well formed. */
static struct hr_str unescape(struct hr_json_input *input, const char *start, const char *quote)
{
    char *copy = hr_arena_alloc(input->arena, (size_t)(quote - start));
    char *to = copy;
    for (const char *p = start; p < quote;) {
        const char *next = memchr(p, '\\', (size_t)(quote - p));
        size_t plain = (size_t)((next != NULL ? next : quote) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (next != NULL) {
            uint32_t point = 0;
            p = escape(input, p + 1, &point);
            to = put_utf8(to, point);
        }
    }
    return (struct hr_str){copy, (size_t)(to - copy)};
}

const char *hr_json_string(struct hr_json_input *input, const char *p, struct hr_str *out)
{
    const char *start = p;
    p = string_part(input, p);
    if (p == NULL) {
        return NULL;
    }
    if (HR_LIKELY(*p == '"')) {
        if (out != NULL) {
            *out = (struct hr_str){start, (size_t)(p - start)};
        }
        return p + 1;
    }
    p = check_escaped(input, p);
    if (p == NULL) {
        return NULL;
    }
    if (out != NULL) {
        *out = unescape(input, start, p);
    }
    return p + 1;
}

const char *hr_json_word(struct hr_json_input *input, const char *p, const char *word, size_t length)
{
    if ((size_t)(input->end - p) < length || memcmp(p, word, length) != 0) {
        return hr_json_fail(input, p, HR_REASON_MALFORMED, "a value");
    }
    return p + length;
}

static const char *skip_object(struct hr_json_input *input, const char *p, int depth)
{
    p = hr_json_skip_blanks(p, input->end);
    if (p < input->end && *p == '}') {
        return p + 1;
    }
    for (;;) {
        if (p == input->end || *p != '"') {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "a member's name in quotes");
        }
        p = hr_json_string(input, p + 1, NULL);
        if (p == NULL) {
            return NULL;
        }
        p = hr_json_skip_blanks(p, input->end);
        if (p == input->end || *p != ':') {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "':'");
        }
        p = hr_json_skip_value(input, hr_json_skip_blanks(p + 1, input->end), depth);
        if (p == NULL) {
            return NULL;
        }
        p = hr_json_skip_blanks(p, input->end);
        if (p == input->end || (*p != ',' && *p != '}')) {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "',' or '}'");
        }
        if (*p == '}') {
            return p + 1;
        }
        p = hr_json_skip_blanks(p + 1, input->end);
    }
}

static const char *skip_array(struct hr_json_input *input, const char *p, int depth)
{
    p = hr_json_skip_blanks(p, input->end);
    if (p < input->end && *p == ']') {
        return p + 1;
    }
    for (;;) {
        p = hr_json_skip_value(input, p, depth);
        if (p == NULL) {
            return NULL;
        }
        p = hr_json_skip_blanks(p, input->end);
        if (p == input->end || (*p != ',' && *p != ']')) {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "',' or ']'");
        }
        if (*p == ']') {
            return p + 1;
        }
        p = hr_json_skip_blanks(p + 1, input->end);
    }
}

const char *hr_json_skip_value(struct hr_json_input *input, const char *p, int depth)
{
    if (p == input->end) {
        return hr_json_fail(input, p, HR_REASON_MALFORMED, "a value");
    }
    switch (*p) {
    case '"':
        return hr_json_string(input, p + 1, NULL);
    case '{':
    case '[':
        if (depth >= HR_JSON_DEPTH_MAX) {
            return hr_json_fail(input, p, HR_REASON_TOO_DEEP, "at most 128 levels");
        }
        return *p == '{' ? skip_object(input, p + 1, depth + 1) : skip_array(input, p + 1, depth + 1);
    case 't':
        return hr_json_word(input, p, "true", 4);
    case 'f':
        return hr_json_word(input, p, "false", 5);
    case 'n':
        return hr_json_word(input, p, "null", 4);
    default: {
        struct hr_json_number number;
        const char *next = hr_json_number(p, input->end, &number);
        return next != NULL ? next : hr_json_fail(input, p, HR_REASON_MALFORMED, "a value");
    }
    }
}
