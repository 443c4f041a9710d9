/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of CSV (RFC 4180): fields between delimiters, quoted where they hold a delimiter, a quote (then doubled) or
 * a line break. More is accepted than the RFC has: lines that end in a bare newline, quotes inside a field that does
 * not begin with one (they stand for themselves), any delimiter and quote.
 */
#ifndef HR_DATA_CSV_TEXT_H
#define HR_DATA_CSV_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct hr_csv_dialect {
    char delimiter;
    char quote; /* 0: none */
};

struct hr_csv_field {
    struct hr_str text; /* unquoted; a view into the record, or a copy in arena where quotes were doubled */
    bool quoted;
};

/* As hr_format_split_fn. */
size_t hr_csv_split(struct hr_csv_dialect dialect, const char *data, size_t length, bool at_end, size_t *content);
/* The field at p. Returns the place of the delimiter after it or end; NULL when it is not well formed, with *what. */
const char *hr_csv_field(struct hr_csv_dialect dialect, const char *p, const char *end, struct hr_arena *arena,
                         struct hr_csv_field *out, const char **what);
/* Appends a field, quoted where it must be (also when `force`). */
void hr_csv_append(struct hr_csv_dialect dialect, struct hr_str text, bool force, struct hr_buf *out);

static inline struct hr_str hr_csv_without_line_end(struct hr_str text)
{
    text.length -= text.length > 0 && text.data[text.length - 1] == '\n';
    text.length -= text.length > 0 && text.data[text.length - 1] == '\r';
    return text;
}

/* A byte order mark may begin a file. */
static inline struct hr_str hr_csv_without_mark(struct hr_str text)
{
    if (text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.length -= 3;
    }
    return text;
}

#endif
