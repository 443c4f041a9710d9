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

/* Members of a record, and bytes of what stands between two values. */
enum { HR_JSON_SHAPE_MEMBERS = 1024, HR_JSON_SHAPE_TOKEN_MAX = 256 };

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

struct hr_json_shape {
    uint32_t value_count;
    uint32_t window_count;
    uint32_t quote_count; /* of a record */
    uint32_t forward;     /* the last window that might end behind a record of few bytes */
    uint32_t backward;    /* the first that might begin before it */
    uint32_t last;        /* bytes that stand at least behind the last quote */
    uint32_t value_most;  /* what there is room for; twice as many windows, and four times as many quotes */
    struct hr_json_shape_value *values;
    struct hr_json_window *windows;
    uint16_t *gaps;     /* from each quote's start to the next one's, where this is known */
    uint16_t *gap_mask; /* all bits where it is */
};

/* Room for a shape in arena, nothing learned. NULL: records of this schema have none, because some column is not a
 * member of the record's own object, or of a type with elements, or because there are too many. */
struct hr_json_shape *hr_json_shape_new(const struct hr_json_plan *plan, struct hr_arena *arena);
/* text: a record that became a row. false: it has no shape. */
bool hr_json_shape_learn(struct hr_json_shape *shape, struct hr_json_plan *plan, struct hr_str text,
                         struct hr_arena *arena);

#endif
