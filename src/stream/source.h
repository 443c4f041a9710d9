/* SPDX-License-Identifier: Apache-2.0
 *
 * The source kind: raw records by absolute position. A source knows no checkpoint: the engine tells it where to start
 * and which range to read; the same range gives the same records again (REPLAYABLE).
 *
 * Life cycle, on the query's thread (plan and read with HR_SOURCE_AHEAD on the read-ahead's, too): hr_source_new (plan
 * time, touches nothing outside) → preflight (lint) → open(start) → per batch: plan → read → [committed] → close. In a
 * replay the engine calls read with the recorded end, without plan.
 */
#ifndef HR_STREAM_SOURCE_H
#define HR_STREAM_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/kind.h"
#include "base/status.h"
#include "base/thread.h"
#include "data/format.h"
#include "data/record.h"
#include "stream/offset.h"

enum hr_source_flags {
    HR_SOURCE_REPLAYABLE = 1, /* read(range) again gives the same records */
    HR_SOURCE_AHEAD = 4,      /* plan and read may be called on another thread, while sinks deliver: one call at a time,
                                 and nothing of the query's arena is used */
    HR_SOURCE_CONSUMES = 8,   /* committed() takes away what was read: it must never be needed again */
    HR_SOURCE_BOUNDED = 2,    /* ends by itself: without a trigger the query ends when it is read */
};

struct hr_records {
    struct hr_record *items;
    size_t count;
    size_t capacity;
    uint64_t tombstones; /* counted and left out */
    uint64_t bytes;
};

/* Grows; keeps memory between batches. */
struct hr_record *hr_records_add(struct hr_records *records);
void hr_records_clear(struct hr_records *records);
void hr_records_release(struct hr_records *records);

/* How far a plan may go. */
struct hr_source_limit {
    int64_t rows;                    /* at most so many records; INT64_MAX: none */
    const struct hr_offsets *target; /* availableNow: not past these; NULL: no such end */
    int64_t wait_us;                 /* how long to wait for the first record */
};

struct hr_source;

struct hr_source_type {
    struct hr_kind kind;
    unsigned flags;
    void (*check)(struct hr_source *source, struct hr_findings *findings);
    void (*preflight)(struct hr_source *source, struct hr_findings *findings);
    /* Begins to connect, so that open finds a connection. Never fails: open says what is wrong. NULL: nothing. */
    void (*start)(struct hr_source *source);
    /* committed NULL: a fresh start, from the query's starting options. Sets source->position. HR_DATA_LOSS when the
     * positions cannot be read any more and failOnDataLoss. */
    enum hr_status (*open)(struct hr_source *source, const struct hr_offsets *committed, struct hr_error *err);
    /* Where the source reaches now. */
    enum hr_status (*latest)(struct hr_source *source, struct hr_offsets *out, struct hr_error *err);
    /* Step 1: chooses the end of the next range, from source->position. HR_AGAIN: nothing new within wait_us. HR_END: a
     * bounded source (or one with a target) is at its end. May fetch ahead. */
    enum hr_status (*plan)(struct hr_source *source, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                           struct hr_error *err);
    /* Step 2: all records of [position, end), in a fixed order (partition by partition for Kafka, file by file); sets
     * position = end, with anchors. Records' bytes live until the next plan, read or close, or until they are
     * released. HR_INTERRUPTED when source->stop says 2. */
    enum hr_status (*read)(struct hr_source *source, const struct hr_offsets *end, struct hr_records *out,
                           struct hr_error *err);
    /* Nothing points into the bytes of records [first, first + count) of the last read any more. NULL: nothing. */
    void (*release_records)(struct hr_source *source, size_t first, size_t count);
    /* The batch that ends at `end` is committed (position may be ahead of it): publish to the group, delete journal
     * segments. NULL: nothing. Never fails a batch. */
    void (*committed)(struct hr_source *source, const struct hr_offsets *end);
    /* Also of a source that was never opened, or whose open failed. May be opened again. */
    void (*close)(struct hr_source *source);
    /* "topics a, b", without the type's name; in the source's arena. NULL: nothing to add to the type's name. */
    const char *(*describe)(const struct hr_source *source);
};

/* First member of a source's own struct. */
struct hr_source {
    const struct hr_source_type *type;
    const char *id;
    void *options;
    struct hr_place place;
    const struct hr_yaml *node;  /* as written; during check */
    struct hr_arena *arena;      /* of the query */
    struct hr_format *format;    /* for splitting; owned by the plan */
    const char *query;           /* name, for logs */
    const char *directory;       /* of the query file */
    const char *state_directory; /* the checkpoint's; the socket source keeps its journal there */
    struct hr_stop *stop;        /* NULL: never stops */
    struct hr_offsets position;
    int64_t rows_per_trigger_max; /* INT64_MAX: none */
    uint64_t lost_rows;           /* with failOnDataLoss: false */
    int64_t waited_ns;            /* how long the last plan only waited: not counted as work of the batch */
    unsigned flags;               /* the type's, and what the options add (check may set HR_SOURCE_BOUNDED) */
    const char *description;      /* set by hr_source_new */
    char waiting_for[400]; /* while plan says HR_AGAIN: what it waits for other than data ("connection to host:1");
                              "": for data only. The engine logs it when it changes. */
};

#define HR_SOURCE_TYPES(X) X(kafka) X(file) X(socket) X(rate)

#define HR_SOURCE_EXTERN(name) extern const struct hr_source_type hr_source_##name;
HR_SOURCE_TYPES(HR_SOURCE_EXTERN)
#undef HR_SOURCE_EXTERN

extern const struct hr_source_type *const hr_source_types[];
extern const size_t hr_source_type_count;

const struct hr_source_type *hr_source_type_find(const char *name);
/* All options of a type: those that all sources share, then its own. In arena. */
struct hr_option_table hr_source_options(const struct hr_source_type *type, struct hr_arena *arena);
/* Reads `source:` but for `format` and `schema`, which plan.c reads. NULL when there are findings. */
struct hr_source *hr_source_new(const struct hr_yaml *node, const char *query, const char *directory,
                                struct hr_arena *arena, struct hr_findings *findings);
/* Optional, before open. */
void hr_source_start(struct hr_source *source);
enum hr_status hr_source_open(struct hr_source *source, const struct hr_offsets *committed, struct hr_error *err);
enum hr_status hr_source_latest(struct hr_source *source, struct hr_offsets *out, struct hr_error *err);
enum hr_status hr_source_plan(struct hr_source *source, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                              struct hr_error *err);
enum hr_status hr_source_read(struct hr_source *source, const struct hr_offsets *end, struct hr_records *out,
                              struct hr_error *err);
void hr_source_release_records(struct hr_source *source, size_t first, size_t count);
void hr_source_committed(struct hr_source *source, const struct hr_offsets *end);
void hr_source_close(struct hr_source *source);
/* "kafka topics a, b" for progress, logs, explain; in the source's arena. */
const char *hr_source_description(const struct hr_source *source);

#endif
