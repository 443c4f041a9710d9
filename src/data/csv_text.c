/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV text. Splitter and field reader agree on where a quoted field can begin (only at the start of a field), so that
 * they never see a record differently.
 */
#include "data/csv_text.h"

#include <string.h>

/* The end of the quoted text at p (after the opening quote): the place of its closing quote, NULL when there is none.
 * *doubled: the text holds doubled quotes. */
static const char *closing_quote(char quote, const char *p, const char *end, bool *doubled)
{
    *doubled = false;
    for (;;) {
        p = memchr(p, quote, (size_t)(end - p));
        if (p == NULL || p + 1 == end || p[1] != quote) {
            return p;
        }
        *doubled = true;
        p += 2;
    }
}

/* The newline that ends the record at data, with quotes taken into account. NULL: not there yet. */
static const char *record_newline(struct hr_csv_dialect dialect, const char *data, const char *end)
{
    const char *p = data;
    while (p < end) {
        if (*p == dialect.quote) {
            bool doubled;
            p = closing_quote(dialect.quote, p + 1, end, &doubled);
            if (p == NULL) {
                return NULL;
            }
            p++;
        }
        while (p < end && *p != dialect.delimiter && *p != '\n') {
            p++;
        }
        if (p < end && *p == '\n') {
            return p;
        }
        p++;
    }
    return NULL;
}

/* Lines ahead are asked for: who splits a long text is the first to look at it, and the processor by itself does not
 * run far enough ahead of short lines. */
static inline void ask_for(const char *data, size_t length)
{
    enum { AHEAD = 2048 };
    if (HR_LIKELY(length > AHEAD + 64)) {
        __builtin_prefetch(data + AHEAD);
        __builtin_prefetch(data + AHEAD + 64);
    }
}

size_t hr_csv_split(struct hr_csv_dialect dialect, const char *data, size_t length, bool at_end, size_t *content)
{
    ask_for(data, length);
    const char *newline = memchr(data, '\n', length);
    size_t first_line = newline != NULL ? (size_t)(newline - data) : length;
    if (dialect.quote != '\0' && memchr(data, dialect.quote, first_line) != NULL) {
        newline = record_newline(dialect, data, data + length);
    }
    if (newline == NULL && !at_end) {
        return 0;
    }
    size_t end = newline != NULL ? (size_t)(newline - data) : length;
    *content = end > 0 && data[end - 1] == '\r' ? end - 1 : end;
    return newline != NULL ? end + 1 : length;
}

static struct hr_str undouble(char quote, struct hr_str text, struct hr_arena *arena)
{
    char *copy = hr_arena_alloc(arena, text.length);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        copy[length++] = text.data[i];
        i += text.data[i] == quote;
    }
    return (struct hr_str){copy, length};
}

const char *hr_csv_field(struct hr_csv_dialect dialect, const char *p, const char *end, struct hr_arena *arena,
                         struct hr_csv_field *out, const char **what)
{
    if (p == end || *p != dialect.quote || dialect.quote == '\0') {
        const char *start = p;
        while (p < end && *p != dialect.delimiter) {
            p++;
        }
        *out = (struct hr_csv_field){{start, (size_t)(p - start)}, false};
        return p;
    }
    bool doubled;
    const char *start = p + 1;
    const char *quote = closing_quote(dialect.quote, start, end, &doubled);
    if (quote == NULL) {
        *what = "a quoted field has no closing quote";
        return NULL;
    }
    if (quote + 1 < end && quote[1] != dialect.delimiter) {
        *what = "text follows a closing quote";
        return NULL;
    }
    struct hr_str text = {start, (size_t)(quote - start)};
    *out = (struct hr_csv_field){doubled ? undouble(dialect.quote, text, arena) : text, true};
    return quote + 1;
}

/* A byte order mark in quotes cannot be taken for that of the file. */
static bool must_quote(struct hr_csv_dialect dialect, struct hr_str text)
{
    if (text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        return true;
    }
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == dialect.delimiter || c == dialect.quote || c == '\n' || c == '\r') {
            return true;
        }
    }
    return false;
}

void hr_csv_append(struct hr_csv_dialect dialect, struct hr_str text, bool force, struct hr_buf *out)
{
    if (dialect.quote == '\0' || (!force && !must_quote(dialect, text))) {
        hr_buf_append_str(out, text);
        return;
    }
    hr_buf_append_char(out, dialect.quote);
    size_t start = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == dialect.quote) {
            hr_buf_append(out, text.data + start, i + 1 - start);
            hr_buf_append_char(out, dialect.quote);
            start = i + 1;
        }
    }
    hr_buf_append(out, text.data + start, text.length - start);
    hr_buf_append_char(out, dialect.quote);
}
