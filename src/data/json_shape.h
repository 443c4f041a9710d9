/* SPDX-License-Identifier: Apache-2.0
 *
 * The shape of a stream's records: producers write the same members in the same order without blanks, so that the
 * quotes of a record say where each value is. Learned from one record that was walked (json_walk.h), then compared with
 * others as plain bytes: between two values stands nothing but a known token, as in `","page":"`. A record of another
 * shape is odd, and walked.
 */
#ifndef HR_DATA_JSON_SHAPE_H
#define HR_DATA_JSON_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "data/json_plan.h"

enum {
    HR_JSON_SHAPE_MEMBERS = 96,  /* of a record */
    HR_JSON_SHAPE_WINDOWS = 192, /* what its tokens may need */
    HR_JSON_SHAPE_TOKEN_MAX = 256,
    HR_JSON_SHAPE_QUOTES = 4 * HR_JSON_SHAPE_MEMBERS,
    HR_JSON_SHAPE_GAPS = HR_JSON_SHAPE_QUOTES + 32,
};

/* Sixteen bytes of a record, of which those in the mask have to be these. */
struct hr_json_window {
    uint8_t bytes[16];
    uint8_t mask[16];
    uint16_t quote; /* the window begins at this quote's start + shift */
    int16_t shift;
};

/* A value is [starts[place] + margin, starts[place + 1] - 1 - margin) of its record. */
struct hr_json_shape_value {
    uint16_t place;
    uint16_t margin; /* 0: in quotes, 1: bare */
    uint32_t column; /* HR_JSON_NONE: only checked */
};

/* What a quote's start is before the next one's, where the mask says that this is known. */
struct hr_json_gaps {
    uint16_t lengths[HR_JSON_SHAPE_GAPS];
    uint16_t mask[HR_JSON_SHAPE_GAPS];
};

struct hr_json_shape {
    uint32_t value_count;
    uint32_t window_count;
    uint32_t quote_count; /* of a record */
    uint32_t forward;     /* the last window that might end behind a record of few bytes */
    uint32_t backward;    /* the first that might begin before it */
    uint32_t last;        /* bytes that stand at least behind the last quote */
    struct hr_json_shape_value values[HR_JSON_SHAPE_MEMBERS];
    struct hr_json_window windows[HR_JSON_SHAPE_WINDOWS];
    struct hr_json_gaps gaps;
};

/* May records of this schema have a shape? Every column is a member of the record's own object, of a type without
 * elements. */
bool hr_json_shape_fits(const struct hr_json_plan *plan);
/* text: a record that became a row. false: it has no shape. */
bool hr_json_shape_learn(struct hr_json_shape *shape, struct hr_json_plan *plan, struct hr_str text,
                         struct hr_arena *arena);

#endif
