/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON records into columns: one walk over the text beside the compiled schema (json_plan.h), values written where they
 * belong at once. What is not in the schema is checked and passed over. Duplicate members: the last one wins, as if the
 * earlier ones were not there. Thread: one at a time.
 */
#ifndef HR_DATA_JSON_DECODE_H
#define HR_DATA_JSON_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "data/chunk.h"
#include "data/json_index.h"
#include "data/json_plan.h"
#include "data/json_value.h"

struct hr_json_decoder {
    struct hr_json_plan plan;
    struct hr_json_scratch scratch;
    struct hr_json_target *targets; /* one a column of the schema */
    uint8_t *states;                /* of the record at hand: enum hr_json_state, one a column */
    const uint8_t *fresh;           /* states before a record: missing; VALUE where the origin is no field */
    const char **offenders;         /* where a value stands that its column cannot hold */
    struct hr_timestamp_pattern **patterns;
    uint64_t record_number; /* of the record at hand, to notice a member that comes again */
    size_t record_bytes_max;
    struct hr_json_shape *shape; /* NULL: records of this schema have none */
    struct hr_json_index *index;
    bool shape_wanted; /* the processor has an index, and there may be a shape */
    bool shape_known;
    uint32_t shape_pause;   /* records to walk before a shape is looked for */
    uint32_t shape_penalty; /* the next pause; grows while shapes do not fit */
};

/* Compiles; everything in arena but the patterns. HR_BAD_CONFIG: a time stamp pattern that ICU refuses. */
enum hr_status hr_json_decoder_open(struct hr_json_decoder *decoder, const struct hr_schema *schema,
                                    size_t record_bytes_max, struct hr_arena *arena, struct hr_error *err);
/* Also of a decoder that is zeroed or half open. */
void hr_json_decoder_close(struct hr_json_decoder *decoder);
/* As hr_format_decode_fn. */
void hr_json_decoder_chunk(struct hr_json_decoder *decoder, const struct hr_record *records, uint32_t first_index,
                           size_t count, struct hr_chunk *chunk);

#endif
