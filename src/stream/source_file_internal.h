/* SPDX-License-Identifier: Apache-2.0
 *
 * The file source's inside: what its files share. source_file.c has the rules and the port; source_file_plan.c chooses
 * a range, source_file_part.c reads one, source_file_clean.c deletes what is committed.
 */
#ifndef HR_STREAM_SOURCE_FILE_INTERNAL_H
#define HR_STREAM_SOURCE_FILE_INTERNAL_H

#include "base/clock.h"
#include "stream/source.h"
#include "stream/source_file_cursor.h"
#include "stream/source_file_list.h"

struct hr_file_options {
    const char *path;
    int64_t files_per_trigger_max;
    int clean; /* enum hr_file_clean */
};

enum hr_file_clean { HR_FILE_CLEAN_OFF, HR_FILE_CLEAN_DELETE };

struct hr_file_source {
    struct hr_source base;
    struct hr_file_list list;
    int64_t scanned_ns;
    struct hr_file_cursor cursor; /* of the file that the last plan ended in */
    struct hr_arena arenas[2];
    int filling; /* the arena that the next plan or replay fills */
    struct hr_records planned;
    struct hr_offsets planned_end;
    bool has_plan;
    struct hr_offsets committed; /* cleanSource: delete only */
};

static inline const struct hr_file_options *hr_file_source_options(const struct hr_file_source *source)
{
    return source->base.options;
}

/* Looks at the file system. */
static inline enum hr_status hr_file_source_scan(struct hr_file_source *source, struct hr_error *err)
{
    source->scanned_ns = hr_clock_monotonic_ns(&hr_clock_system);
    return hr_file_list_scan(&source->list, source->base.directory, hr_file_source_options(source)->path, err);
}

/* source_file_plan.c. The port's plan. */
enum hr_status hr_file_source_plan(struct hr_source *base, const struct hr_source_limit *limit,
                                   struct hr_offsets *out_end, struct hr_error *err);

/* The part of a range that lies in one file. */
struct hr_file_part {
    struct hr_records *records;
    int64_t rows_max;
    uint64_t bytes_max;
    int64_t rows; /* found */
    struct hr_file_line last;
    bool dry; /* no complete record is left */
};

/* source_file_part.c. Adds records from the cursor. A header comes first; without a row after it, it is taken back. */
enum hr_status hr_file_source_read_part(struct hr_file_source *source, struct hr_file_part *part, struct hr_error *err);
/* Forgets what was planned and not read: the arena that is filled next is empty. */
void hr_file_source_restart(struct hr_file_source *source);
/* Reads a range that was not planned just now, from the position to end. */
enum hr_status hr_file_source_replay(struct hr_file_source *source, const struct hr_offsets *end,
                                     struct hr_records *out, struct hr_error *err);
/* The position after a line, with its anchor. */
void hr_file_line_set_position(struct hr_offsets *offsets, const char *name, const struct hr_file_line *last);

/* source_file_clean.c, cleanSource: delete. Files that committed batches came to the end of, and that are as they were
 * then. Those that an earlier run deleted are forgotten too, now that a batch was committed: a prepared one might have
 * named them. */
void hr_file_source_clean(struct hr_file_source *source);
/* Files that a run before this one read to their end, and did not come to delete. */
void hr_file_source_find_read(struct hr_file_source *source);

#endif
