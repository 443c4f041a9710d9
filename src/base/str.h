/* SPDX-License-Identifier: Apache-2.0
 *
 * String slice: pointer and length, not owned, not terminated. 16 bytes, so it is also the element of string columns.
 */
#ifndef HR_BASE_STR_H
#define HR_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"

struct hr_str {
    const char *data; /* may be NULL when length is 0 */
    size_t length;
};

#define HR_STR(literal) ((struct hr_str){"" literal, sizeof(literal) - 1})
/* For printf: "%.*s", HR_STR_ARGS(slice) */
#define HR_STR_ARGS(slice) (int)(slice).length, (slice).data

static inline struct hr_str hr_str_from(const char *text)
{
    return (struct hr_str){text, text ? strlen(text) : 0};
}

static inline bool hr_str_equal(struct hr_str a, struct hr_str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool hr_str_equal_text(struct hr_str a, const char *text)
{
    return hr_str_equal(a, hr_str_from(text));
}

/* Byte order, as strcmp: <0, 0, >0. For UTF-8 this is code point order. */
int hr_str_compare(struct hr_str a, struct hr_str b);
/* Bytes of the well-formed UTF-8 sequence that starts at data, 0 when there is none. left: bytes there, at least 1. */
size_t hr_str_utf8_length(const char *data, size_t left);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool hr_str_is_utf8(struct hr_str slice);
/* Edit distance after case folding and dropping '_', '-', '.': how far a user's word is from a name. Two neighbours
 * that changed places count once. */
size_t hr_str_distance(const char *a, const char *b);
/* The nearest of count names when it is near enough to be meant, else the shortest that contains the word, else NULL.
 * names[i] may be NULL (skipped). */
const char *hr_str_nearest(const char *word, const char *const *names, size_t count);

#endif
