/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoint: model, operator state and source positions of one query, batch by batch, in one directory. Knows parts
 * (named regions of 4 KiB pages) and opaque records, no models and no Kafka.
 *
 * Pages are stored by version: key = (part, page, batch). prepare(N) writes the dirty pages as version N and prep/N =
 * {record, CRC of the delta} in one synced write: the committed view (versions <= M) is untouched. commit(N) makes N
 * the committed batch in one write that needs no sync, for prep/N is durable. Superseded versions are deleted when the
 * batch that superseded them leaves the window of `keep` batches, so that the state of each kept batch can be read.
 *
 *     directory/LOCK        flock while a query runs
 *     directory/VERSION     "headrace checkpoint 1"
 *     directory/rocksdb/    the store
 *
 * Thread: the query's.
 */
#ifndef HR_STATE_CHECKPOINT_H
#define HR_STATE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/paged.h"
#include "base/status.h"
#include "state/store.h"

struct hr_checkpoint;

/* One part of the state as the caller keeps it in memory. */
struct hr_checkpoint_part {
    const char *name; /* "model:lr", "stage:scaler", "evaluation:lr"; at most 200 bytes, stable */
    struct hr_paged *paged;
};

/* What a checkpoint says about itself. */
struct hr_checkpoint_info {
    char lineage[37];
    int64_t committed;     /* last committed batch, −1: none */
    int64_t prepared;      /* −1: none; else committed + 1 */
    uint32_t prepared_crc; /* of the delta of `prepared` */
    int64_t dropped;       /* committed + 1: prepared, dropped with its record kept, not prepared again; else −1 */
    int64_t taken_over;    /* the last batch before hr_checkpoint_take_over, −1: never */
};

/* Opens or makes the directory, takes the lock (HR_LOCKED), makes a lineage when new (*created). identity: the query's
 * description (JSON text), stored when new. keep: at least 1. */
enum hr_status hr_checkpoint_open(const char *directory, struct hr_str identity, const char lineage[37], int keep,
                                  struct hr_checkpoint **out, bool *created, struct hr_error *err);
/* For `headrace checkpoint`: takes no lock and changes no byte. HR_NO_INPUT when there is none. */
enum hr_status hr_checkpoint_open_read_only(const char *directory, struct hr_checkpoint **out, struct hr_error *err);
/* Over a store of the caller's (simulation, eval); the store is closed with it. */
enum hr_status hr_checkpoint_open_store(struct hr_store *store, struct hr_str identity, const char lineage[37],
                                        int keep, struct hr_checkpoint **out, bool *created, struct hr_error *err);
void hr_checkpoint_close(struct hr_checkpoint *checkpoint);

void hr_checkpoint_info(const struct hr_checkpoint *checkpoint, struct hr_checkpoint_info *out);
/* The stored identity; replaced by hr_checkpoint_set_identity when the query changed in an allowed way. */
struct hr_str hr_checkpoint_identity(const struct hr_checkpoint *checkpoint);
enum hr_status hr_checkpoint_set_identity(struct hr_checkpoint *checkpoint, struct hr_str identity,
                                          struct hr_error *err);
/* The record of a kept or prepared batch, appended to out. HR_END: not kept. */
enum hr_status hr_checkpoint_record(struct hr_checkpoint *checkpoint, int64_t batch, struct hr_buf *out,
                                    struct hr_error *err);
/* The record of info.dropped, appended to out: the batch is to be run again with the same range, for a sink that is at
 * least once may have shown its rows. HR_END: there is none. */
enum hr_status hr_checkpoint_dropped_record(struct hr_checkpoint *checkpoint, struct hr_buf *out, struct hr_error *err);
/* Fills a part with its pages as of `batch` (a kept one; the committed one for resume). A part that is not stored stays
 * empty. Clean afterwards. */
enum hr_status hr_checkpoint_load(struct hr_checkpoint *checkpoint, int64_t batch,
                                  const struct hr_checkpoint_part *part, struct hr_error *err);
/* Names of the stored parts, in order: calls visit with the name as key and an empty value. */
enum hr_status hr_checkpoint_parts(struct hr_checkpoint *checkpoint, hr_store_visit_fn *visit, void *context,
                                   struct hr_error *err);

/* Step 6. batch must be committed + 1. record: opaque (range, sinks, counts). Marks the parts clean. Synced. */
enum hr_status hr_checkpoint_prepare(struct hr_checkpoint *checkpoint, int64_t batch, struct hr_str record,
                                     const struct hr_checkpoint_part *parts, size_t part_count, struct hr_error *err);
/* The CRC that prepare would store for these dirty pages: to check a batch that is run again. */
uint32_t hr_checkpoint_delta_crc(const struct hr_checkpoint_part *parts, size_t part_count);
/* After a start that found N prepared: brings parts that were loaded as of the committed batch to N, reading N's pages
 * only. For hr_checkpoint_commit, after which they are the committed state. Clean afterwards. */
enum hr_status hr_checkpoint_load_prepared(struct hr_checkpoint *checkpoint, const struct hr_checkpoint_part *parts,
                                           size_t part_count, struct hr_error *err);
/* Removes prep/N and its pages: no exactly-once sink shows anything of N. keep_record: its record stays, as that of
 * info.dropped, until N is prepared again. Synced. */
enum hr_status hr_checkpoint_drop_prepared(struct hr_checkpoint *checkpoint, bool keep_record, struct hr_error *err);
/* Step 8. sync: the commit is durable, not only its prepare. */
enum hr_status hr_checkpoint_commit(struct hr_checkpoint *checkpoint, bool sync, struct hr_error *err);
/* Starts a new lineage in place: forgets batches and state (--new-lineage). Synced. */
enum hr_status hr_checkpoint_restart(struct hr_checkpoint *checkpoint, const char lineage[37], struct hr_error *err);
/* A new lineage in place that keeps what was learned up to `batch`, a kept one: later batches are forgotten, and the
 * sinks may be taken over from the lineages before. Synced. Of the checkpoint only hr_checkpoint_close may follow. */
enum hr_status hr_checkpoint_take_over(struct hr_checkpoint *checkpoint, int64_t batch, const char lineage[37],
                                       struct hr_error *err);
/* Was this a lineage of the checkpoint before hr_checkpoint_take_over? */
bool hr_checkpoint_may_take_over(const struct hr_checkpoint *checkpoint, const char *lineage);
/* Kept batches, oldest first: visit with key = 8 bytes big-endian batch id and value = record. */
enum hr_status hr_checkpoint_batches(struct hr_checkpoint *checkpoint, hr_store_visit_fn *visit, void *context,
                                     struct hr_error *err);
/* Reads everything and checks every CRC; HR_CORRUPT names the first damage. *out_pages, *out_bytes for the report. */
enum hr_status hr_checkpoint_verify(struct hr_checkpoint *checkpoint, uint64_t *out_pages, uint64_t *out_bytes,
                                    struct hr_error *err);

#endif
