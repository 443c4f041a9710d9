/* SPDX-License-Identifier: Apache-2.0
 *
 * What the checkpoint's files share. For nobody else: users of the checkpoint include state/checkpoint.h.
 *
 *     checkpoint.c            open, close
 *     checkpoint_whole.c      reads what it says about itself; is it whole
 *     checkpoint_history.c    what it says about itself and its kept batches
 *     checkpoint_directory.c  LOCK, VERSION and MARK around the store
 *     checkpoint_format.c     keys and documents
 *     checkpoint_read.c       reads a part's pages as of a batch
 *     checkpoint_pages.c      a part's pages in memory; index of live versions
 *     checkpoint_write.c      prepare, drop, commit, restart
 *     checkpoint_prune.c      what leaves the window of kept batches
 *     checkpoint_take_over.c  a new lineage that keeps what was learned
 *     checkpoint_verify.c     reads everything
 *
 * States: clean [prepare →] prepared [commit →, drop_prepared →] clean. A write that fails makes the checkpoint
 * unusable until it is opened again, for its outcome is unknown.
 */
#ifndef HR_STATE_CHECKPOINT_INTERNAL_H
#define HR_STATE_CHECKPOINT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "state/checkpoint.h"
#include "state/checkpoint_format.h"

/* Live version of a page in the committed (or just prepared) state. */
struct hr_page_version {
    int64_t batch; /* −1: not stored */
    uint32_t crc;
};

/* Kept in memory for a part that was loaded or written: what the next delta supersedes. */
struct hr_part_index {
    char *name;
    struct hr_page_version *versions;
    size_t capacity;
    bool built;
};

/* Files around the store. fd −1: none. */
struct hr_checkpoint_directory {
    char *path;
    int lock_fd;
    int mark_fd;
    int64_t mark; /* a batch that was durable, −1: none; the store may not say less */
    bool versioned;
};

#define HR_TAKEN_OVER_MAX 16u

/* Lineages that this one goes on from, the newest first. */
struct hr_taken_over {
    int64_t batch; /* the last one of those lineages; −1: none */
    uint32_t count;
    char lineages[HR_TAKEN_OVER_MAX][37];
};

struct hr_checkpoint {
    struct hr_store *store;
    struct hr_checkpoint_directory directory; /* path NULL: over a store of the caller's */
    bool read_only;
    bool failed;
    int keep;
    char lineage[37];
    struct hr_buf identity;
    struct hr_taken_over taken_over;
    int64_t committed;
    uint32_t committed_chain;
    int64_t prepared;
    uint32_t prepared_crc;
    uint32_t prepared_chain;
    int64_t dropped;       /* −1: none */
    bool prepared_here;    /* the indexes know the prepared pages */
    bool begun;            /* a batch was prepared since it was opened: the start is over */
    int64_t oldest_record; /* −1: none */
    int64_t oldest_delta;
    struct hr_part_table parts; /* as of the committed batch */
    struct hr_arena parts_arena;
    struct hr_part_table prepared_parts; /* as of the prepared batch */
    struct hr_arena prepared_arena;
    struct hr_part_index *indexes;
    size_t index_count;
    struct hr_arena scratch; /* one call's memory */
    struct hr_buf value;     /* one value */
};

/* checkpoint_directory.c. Takes the lock; says whether there is a checkpoint already; refuses what is none. */
enum hr_status hr_checkpoint_directory_open(struct hr_checkpoint_directory *directory, const char *path,
                                            struct hr_error *err);
/* Reads VERSION and MARK, takes no lock, opens nothing to write. */
enum hr_status hr_checkpoint_directory_look(struct hr_checkpoint_directory *directory, const char *path,
                                            struct hr_error *err);
/* After the store was made: from here on it is a checkpoint. */
enum hr_status hr_checkpoint_directory_finish(struct hr_checkpoint_directory *directory, struct hr_error *err);
/* Raises (not synced: it may lag) or lowers (synced, before the store) the mark. */
enum hr_status hr_checkpoint_directory_mark(struct hr_checkpoint_directory *directory, int64_t batch, bool sync,
                                            struct hr_error *err);
void hr_checkpoint_directory_close(struct hr_checkpoint_directory *directory);

/* checkpoint.c. Reads the record of a batch: kind 'r', kept or prepared, or 'a', dropped. HR_END: there is none. */
enum hr_status hr_checkpoint_read_entry(struct hr_checkpoint *checkpoint, char kind, int64_t batch,
                                        struct hr_arena *arena, struct hr_batch_entry *out, struct hr_error *err);
/* Copies the table, names too, into arena (reset before). extra: room for that many more. */
void hr_part_table_copy(struct hr_part_table *to, const struct hr_part_table *from, size_t extra,
                        struct hr_arena *arena);
/* Remembers that a write failed; returns status. */
enum hr_status hr_checkpoint_write(struct hr_checkpoint *checkpoint, const struct hr_store_batch *changes, bool sync,
                                   struct hr_error *err);
/* HR_IO when an earlier write failed, HR_BUG when read-only. */
enum hr_status hr_checkpoint_usable(const struct hr_checkpoint *checkpoint, struct hr_error *err);
/* Frees scratch memory that a large delta left behind. */
void hr_checkpoint_clear_scratch(struct hr_checkpoint *checkpoint);

/* checkpoint_whole.c. Fills the checkpoint from its store; HR_CORRUPT when something is missing, HR_END: it is empty.
 */
enum hr_status hr_checkpoint_read(struct hr_checkpoint *checkpoint, struct hr_error *err);
/* Says what to do about damage, and hands the status through. */
enum hr_status hr_checkpoint_hint_corrupt(struct hr_error *err);
/* What the chain of records begins with. */
uint32_t hr_checkpoint_chain_start(const char *lineage);

/* checkpoint_read.c. Reads the part's pages as of batch; checks them against entry. paged NULL: reads only. index NULL
 * or filled with the versions found. */
enum hr_status hr_checkpoint_read_pages(struct hr_checkpoint *checkpoint, int64_t batch,
                                        const struct hr_part_entry *entry, struct hr_paged *paged,
                                        struct hr_part_index *index, struct hr_error *err);
/* checkpoint_pages.c. The part's index, built when it is not. */
enum hr_status hr_checkpoint_index(struct hr_checkpoint *checkpoint, const char *name, struct hr_part_index **out,
                                   struct hr_error *err);
void hr_checkpoint_forget_indexes(struct hr_checkpoint *checkpoint);
void hr_part_index_reserve(struct hr_part_index *index, size_t pages);

/* checkpoint_write.c. Adds the removal of the newest batch to changes; keys live in scratch. */
enum hr_status hr_checkpoint_drop_changes(struct hr_checkpoint *checkpoint, int64_t batch,
                                          struct hr_store_batch *changes, struct hr_error *err);

/* checkpoint_write.c. Adds the removal of the dropped batch's record, when there is one; its key lives in scratch. */
void hr_checkpoint_forget_dropped(struct hr_checkpoint *checkpoint, struct hr_store_batch *changes);

/* checkpoint_take_over.c. Fills checkpoint->taken_over. */
enum hr_status hr_checkpoint_read_taken_over(struct hr_checkpoint *checkpoint, struct hr_error *err);

/* checkpoint_prune.c. Adds the removal of what leaves the window when batch is committed; keys live in scratch. *record
 * and *delta: the oldest that stay. */
enum hr_status hr_checkpoint_prune(struct hr_checkpoint *checkpoint, int64_t batch, struct hr_store_batch *changes,
                                   int64_t *record, int64_t *delta, struct hr_error *err);

#endif
