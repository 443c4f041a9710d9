/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of JSON (RFC 8259): white space, strings, and values that are only checked and skipped. Every function takes
 * the place to start and returns the place after what it read, or NULL with the reason in the input. Nothing is read
 * past input->end.
 */
#ifndef HR_DATA_JSON_TEXT_H
#define HR_DATA_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "data/record.h"

/* Objects and arrays within each other, the record's own object included. */
#define HR_JSON_DEPTH_MAX 128

struct hr_json_input {
    const char *start;
    const char *end;
    struct hr_arena *arena; /* for strings with escapes */
    enum hr_reason reason;  /* of the first NULL */
    const char *at;         /* where */
    const char *what;       /* what was expected there, a constant */
};

/* Records the reason and returns NULL. */
const char *hr_json_fail(struct hr_json_input *input, const char *at, enum hr_reason reason, const char *what);

static inline const char *hr_json_skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

/* p stands after the opening quote. The text is a view into the input when it has no escapes, else a copy in the arena.
 * out NULL: only checks. */
const char *hr_json_string(struct hr_json_input *input, const char *p, struct hr_str *out);
/* One value of any type. depth: of the containers around it. */
const char *hr_json_skip_value(struct hr_json_input *input, const char *p, int depth);
/* true, false, null: p stands at the first letter. */
const char *hr_json_word(struct hr_json_input *input, const char *p, const char *word, size_t length);

/* The first byte from p on that a string cannot pass over: quote, backslash, control, or not ASCII; or end. */
const char *hr_json_plain_end(const char *p, const char *end);

#endif
