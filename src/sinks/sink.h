/* SPDX-License-Identifier: Apache-2.0
 *
 * The sink kind: where a batch's rows, documents and dead letters go. Nothing that a sink is given may be visible to
 * readers before commit; commit(N) makes all of it visible at once, and is remembered outside of Headrace (ledger
 * record in the same transaction, or the renamed file), so that recover() can tell which batch was the last.
 *
 * Life cycle, on the query's thread:
 *   hr_sink_new   options read and checked (plan time; touches nothing outside)
 *   preflight     `lint` without --offline: is the broker there, the topic, may we write the directory?
 *   start         begins what takes a while in the background (optional)
 *   open          connect; fence earlier instances; make ledger or directory; waits for what start began
 *   recover       what was committed last
 *   begin(N) → write_rows / write_document … → commit(N)   or abort
 *   close         leaves nothing open behind: readers must not wait for a time-out
 * A sink that had nothing to write in N is not committed for N: the checkpoint knows the last batch that each sink took
 * part in (see stream/recovery.h).
 * After a failed commit the outcome is unknown: the query's run ends, and recovery reads the ledger.
 */
#ifndef HR_SINKS_SINK_H
#define HR_SINKS_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/kind.h"
#include "base/status.h"
#include "base/thread.h"
#include "data/chunk.h"
#include "data/format.h"

enum hr_guarantee { HR_GUARANTEE_BEST, HR_GUARANTEE_AT_LEAST_ONCE, HR_GUARANTEE_EXACTLY_ONCE };
enum hr_sink_content { HR_CONTENT_ROWS, HR_CONTENT_METRICS };

enum hr_sink_flags {
    HR_SINK_IDEMPOTENT = 1,    /* commit(N) again gives the same result */
    HR_SINK_TRANSACTIONAL = 2, /* commit is atomic, and the batch id is stored with the data */
};

/* Who writes. lineage: 36 characters. */
struct hr_sink_identity {
    const char *query;
    char lineage[37];
    bool new_lineage; /* the user knows that rows may be written again: what is lost need not be refused */
};

/* What a sink's own memory says. */
struct hr_sink_position {
    bool known; /* false: nothing was ever committed by this (query, sink) */
    char lineage[37];
    int64_t batch;
    /* A later batch of this lineage that the sink began to show, but whose output is not there now: it counts as
     * committed when the checkpoint has committed it, for then a reader took it away. −1: none. */
    int64_t unseen;
};

struct hr_document_header {
    const char *name;
    struct hr_str value;
};

/* A value that is not a row: a progress document, a dead letter. */
struct hr_document {
    struct hr_str key; /* data NULL: none */
    struct hr_str value;
    const struct hr_document_header *headers;
    size_t header_count;
};

struct hr_sink;

struct hr_sink_type {
    struct hr_kind kind;
    unsigned flags;
    /* Checks between options. NULL: none. */
    void (*check)(struct hr_sink *sink, struct hr_findings *findings);
    /* The schema is final and `columns` resolved. NULL: nothing to do. */
    enum hr_status (*bind)(struct hr_sink *sink, const struct hr_schema *schema, struct hr_error *err);
    void (*preflight)(struct hr_sink *sink, struct hr_findings *findings);
    /* May use other threads, which must not touch the arena. sink->identity is set. NULL: nothing to begin. */
    void (*start)(struct hr_sink *sink);
    enum hr_status (*open)(struct hr_sink *sink, const struct hr_sink_identity *identity, struct hr_error *err);
    enum hr_status (*recover)(struct hr_sink *sink, struct hr_sink_position *out, struct hr_error *err);
    enum hr_status (*begin)(struct hr_sink *sink, int64_t batch, struct hr_error *err);
    enum hr_status (*write_rows)(struct hr_sink *sink, const struct hr_chunk *chunk, struct hr_error *err);
    enum hr_status (*write_document)(struct hr_sink *sink, const struct hr_document *document, struct hr_error *err);
    enum hr_status (*commit)(struct hr_sink *sink, int64_t batch, struct hr_error *err);
    /* Forgets what was written since begin. Never fails: what cannot be undone is left to recovery. */
    void (*abort)(struct hr_sink *sink);
    void (*close)(struct hr_sink *sink);
    /* What comes after the type in descriptions: "topic 'x'"; in the sink's arena. NULL: nothing. */
    const char *(*describe)(const struct hr_sink *sink);
};

/* First member of a sink's own struct. */
struct hr_sink {
    const struct hr_sink_type *type;
    const char *id;
    void *options;
    struct hr_place place;
    struct hr_arena *arena; /* of the query */
    enum hr_sink_content content;
    enum hr_guarantee requested; /* as written in the query file */
    enum hr_guarantee guarantee; /* decided by plan.c */
    const char **column_names;   /* as written; NULL: the default */
    size_t column_name_count;
    const struct hr_place *columns_place;
    size_t *columns; /* resolved by plan.c: indices into the final schema */
    size_t column_count;
    struct hr_sink_identity identity; /* after open */
    const char *directory;            /* of the query file, for relative paths */
    const char *description;
    const struct hr_stop *stop; /* NULL: never stops. Who waits for the world outside waits less from then on */
    uint64_t rows;              /* written since begin */
    bool dirty;                 /* something was written since begin */
};

#define HR_SINK_TYPES(X) X(kafka) X(file) X(console)

#define HR_SINK_EXTERN(name) extern const struct hr_sink_type hr_sink_##name;
HR_SINK_TYPES(HR_SINK_EXTERN)
#undef HR_SINK_EXTERN

extern const struct hr_sink_type *const hr_sink_types[];
extern const size_t hr_sink_type_count;

/* All options of a type: those that all sinks share, then its own. In arena. */
struct hr_option_table hr_sink_options(const struct hr_sink_type *type, struct hr_arena *arena);
/* Reads one element of `sinks:` (the common keys id, columns, content, deliveryGuarantee and the type's own).
 * default_id: when there is no id. NULL when there are findings. */
struct hr_sink *hr_sink_new(const struct hr_yaml *node, const char *default_id, const char *directory,
                            struct hr_arena *arena, struct hr_findings *findings);
/* The same with keys that the caller reads itself (NULL-terminated). */
struct hr_sink *hr_sink_new_ignoring(const struct hr_yaml *node, const char *default_id, const char *directory,
                                     const char *const *ignore, struct hr_arena *arena, struct hr_findings *findings);
/* Thin wrappers, the only callers of the callbacks; they keep rows and dirty, and put "sink 'id'" before errors. */
enum hr_status hr_sink_bind(struct hr_sink *sink, const struct hr_schema *schema, struct hr_error *err);
/* Before open, for all sinks of a query, so that their round trips overlap. */
void hr_sink_start(struct hr_sink *sink, const struct hr_sink_identity *identity);
enum hr_status hr_sink_open(struct hr_sink *sink, const struct hr_sink_identity *identity, struct hr_error *err);
enum hr_status hr_sink_recover(struct hr_sink *sink, struct hr_sink_position *out, struct hr_error *err);
enum hr_status hr_sink_begin(struct hr_sink *sink, int64_t batch, struct hr_error *err);
enum hr_status hr_sink_write_rows(struct hr_sink *sink, const struct hr_chunk *chunk, struct hr_error *err);
enum hr_status hr_sink_write_document(struct hr_sink *sink, const struct hr_document *document, struct hr_error *err);
enum hr_status hr_sink_commit(struct hr_sink *sink, int64_t batch, struct hr_error *err);
void hr_sink_abort(struct hr_sink *sink);
void hr_sink_close(struct hr_sink *sink);
/* "kafka topic 'x'", "file out/" for logs, progress and explain; lives in the sink's arena. */
const char *hr_sink_description(const struct hr_sink *sink);

#endif
