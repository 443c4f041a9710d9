/* SPDX-License-Identifier: Apache-2.0
 *
 * Journal of the socket source: lines that were taken from a connection, durable before they are used, numbered from 0.
 * What was appended can be read again by number until it is dropped.
 *
 *     directory/<first row, 20 digits>.journal     a segment: frames, one an append
 *     frame                                        u32 length, then a wire document "HRJL" {i64 first row, u32 count,
 *                                                  count × bytes} with its CRC
 *
 * An append that was cut off by a crash is the last frame of the last segment; opening removes it: its lines were never
 * used. A bad frame with good ones behind it is damage, and refused.
 */
#ifndef HR_STREAM_SOURCE_JOURNAL_H
#define HR_STREAM_SOURCE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct hr_journal_frame {
    int64_t first; /* row */
    uint32_t count;
    uint32_t length; /* of the document */
    int64_t offset;  /* of the document in its segment */
    int64_t segment; /* first row of the segment: its name */
};

struct hr_journal {
    char *directory;
    int64_t first; /* oldest row that can be read */
    int64_t next;  /* number of the next row */
    bool unsynced; /* a write or sync failed: nothing may be appended until the journal is opened again */
    int fd;        /* of the segment that grows; -1: the next append makes one */
    int64_t segment;
    int64_t segment_bytes;
    int64_t dropped_bytes; /* of an unfinished append, found when opened */
    struct hr_journal_frame *frames;
    size_t frame_count;
    size_t frame_capacity;
    struct hr_buf buffer;
};

enum hr_status hr_journal_open(struct hr_journal *journal, const char *directory, struct hr_error *err);
/* Durable when it returns HR_OK. */
enum hr_status hr_journal_append(struct hr_journal *journal, const struct hr_str *lines, uint32_t count,
                                 struct hr_error *err);
typedef void hr_journal_visit_fn(void *context, int64_t row, struct hr_str line);
/* Rows [first, end) in order; lines live in arena. HR_DATA_LOSS when they are not all there. */
enum hr_status hr_journal_read(const struct hr_journal *journal, int64_t first, int64_t end, struct hr_arena *arena,
                               hr_journal_visit_fn *visit, void *context, struct hr_error *err);
/* Rows below `row` are not needed any more: whole segments of them are deleted. */
void hr_journal_drop(struct hr_journal *journal, int64_t row);
void hr_journal_close(struct hr_journal *journal);

#endif
