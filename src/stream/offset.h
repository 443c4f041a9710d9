/* SPDX-License-Identifier: Apache-2.0
 *
 * Source positions: for each named stream of a source (topic and partition, file, journal) the next position to read. A
 * sorted list, so that two equal sets of positions have equal bytes. An anchor describes the last record before the
 * position, so that a topic that was made anew or cut can be told from one that was not.
 */
#ifndef HR_STREAM_OFFSET_H
#define HR_STREAM_OFFSET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json_writer.h"
#include "base/status.h"
#include "base/wire.h"

struct hr_offset {
    struct hr_str name; /* topic, file, "journal", "rate" */
    int32_t partition;  /* −1 where there is none */
    int64_t position;   /* next offset, byte or row */
    int64_t line;       /* files: lines before position */
    bool has_anchor;    /* of the record at anchor_offset < position */
    int64_t anchor_offset;
    int64_t anchor_timestamp_us;
    uint32_t anchor_crc; /* CRC32C of key and value */
};

struct hr_offsets {
    struct hr_offset *items; /* sorted by name, partition */
    size_t count;
    size_t capacity;
};

void hr_offsets_release(struct hr_offsets *offsets);
/* Finds, or NULL. */
struct hr_offset *hr_offsets_find(const struct hr_offsets *offsets, struct hr_str name, int32_t partition);
/* Finds or inserts, and sets the position; an existing line and anchor stay. The name is copied (owned by offsets). The
 * pointer is valid until the next insertion. */
struct hr_offset *hr_offsets_set(struct hr_offsets *offsets, struct hr_str name, int32_t partition, int64_t position);
/* Takes an entry out, where there is one. */
void hr_offsets_remove(struct hr_offsets *offsets, struct hr_str name, int32_t partition);
/* Deep copy over to (released first). */
void hr_offsets_copy(struct hr_offsets *to, const struct hr_offsets *from);
bool hr_offsets_equal(const struct hr_offsets *a, const struct hr_offsets *b); /* positions only */
void hr_offsets_encode(const struct hr_offsets *offsets, struct hr_wire_writer *writer);
enum hr_status hr_offsets_decode(struct hr_wire_reader *reader, struct hr_offsets *out, struct hr_error *err);
/* Spark's form: {"topic": {"0": 123}} for partitions, {"file": 123} without. */
void hr_offsets_write(const struct hr_offsets *offsets, struct hr_json *json);
/* Shares `limit` rows over partitions in proportion to what waits between from and to, as Spark's
 * KafkaMicroBatchStream.rateLimit: limit·size/total, ceil below 1, else floor, at least one row where rows wait, never
 * past `to`. out: like `to`, with positions lowered. */
void hr_offsets_limit(const struct hr_offsets *from, const struct hr_offsets *to, int64_t limit,
                      struct hr_offsets *out);

#endif
