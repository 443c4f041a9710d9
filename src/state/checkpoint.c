/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens and closes a checkpoint: a directory of its own, or over a store of the caller's, to write or to read only; and
 * what its files share.
 */
#include "state/checkpoint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/wire.h"
#include "state/checkpoint_internal.h"

#define IDENTITY_MAX ((size_t)16 << 20)
#define SCRATCH_KEPT_BYTES ((size_t)1 << 20)

enum hr_status hr_checkpoint_usable(const struct hr_checkpoint *checkpoint, struct hr_error *err)
{
    if (checkpoint->read_only) {
        return hr_fail(err, HR_BUG, "the checkpoint was opened read-only");
    }
    if (checkpoint->failed) {
        hr_fail(err, HR_IO, "an earlier write to the checkpoint failed, its outcome is unknown");
        return hr_fail_hint(err, "start the query again: it reads what the checkpoint holds");
    }
    return HR_OK;
}

enum hr_status hr_checkpoint_write(struct hr_checkpoint *checkpoint, const struct hr_store_batch *changes, bool sync,
                                   struct hr_error *err)
{
    enum hr_status status = hr_store_write(checkpoint->store, changes, sync, err);
    checkpoint->failed = checkpoint->failed || status != HR_OK;
    return status;
}

void hr_checkpoint_clear_scratch(struct hr_checkpoint *checkpoint)
{
    if (checkpoint->scratch.total_bytes > SCRATCH_KEPT_BYTES) {
        hr_arena_release(&checkpoint->scratch);
        hr_arena_init(&checkpoint->scratch, 0);
    } else {
        hr_arena_reset(&checkpoint->scratch);
    }
    if (checkpoint->value.capacity > SCRATCH_KEPT_BYTES) {
        hr_buf_release(&checkpoint->value);
        hr_buf_init(&checkpoint->value, HR_STATE_VALUE_MAX);
    }
}

void hr_part_table_copy(struct hr_part_table *to, const struct hr_part_table *from, size_t extra,
                        struct hr_arena *arena)
{
    struct hr_part_table copy = {.count = from->count};
    copy.items = hr_arena_array(arena, from->count + extra, struct hr_part_entry);
    for (size_t i = 0; i < from->count; i++) {
        copy.items[i] = from->items[i];
        copy.items[i].name.data = hr_arena_strndup(arena, from->items[i].name.data, from->items[i].name.length);
    }
    *to = copy;
}

enum hr_status hr_checkpoint_read_entry(struct hr_checkpoint *checkpoint, char kind, int64_t batch,
                                        struct hr_arena *arena, struct hr_batch_entry *out, struct hr_error *err)
{
    char key[HR_BATCH_KEY_LENGTH];
    hr_buf_clear(&checkpoint->value);
    HR_TRY(hr_store_get(checkpoint->store, hr_key_batch(kind, batch, key), &checkpoint->value, err));
    return hr_batch_entry_decode(hr_buf_str(&checkpoint->value), batch, arena, out, err);
}

static struct hr_checkpoint *checkpoint_new(struct hr_store *store, int keep)
{
    HR_ASSERT(keep >= 1);
    struct hr_checkpoint *checkpoint = hr_calloc(1, sizeof(*checkpoint));
    checkpoint->store = store;
    checkpoint->directory = (struct hr_checkpoint_directory){.lock_fd = -1, .mark_fd = -1, .mark = -1};
    checkpoint->keep = keep;
    checkpoint->taken_over.batch = -1;
    checkpoint->committed = -1;
    checkpoint->prepared = -1;
    checkpoint->dropped = -1;
    checkpoint->oldest_record = -1;
    checkpoint->oldest_delta = -1;
    hr_buf_init(&checkpoint->identity, IDENTITY_MAX);
    hr_buf_init(&checkpoint->value, HR_STATE_VALUE_MAX);
    hr_arena_init(&checkpoint->parts_arena, 4096);
    hr_arena_init(&checkpoint->prepared_arena, 4096);
    hr_arena_init(&checkpoint->scratch, 0);
    return checkpoint;
}

/* First write of a new checkpoint. */
static enum hr_status checkpoint_begin(struct hr_checkpoint *checkpoint, struct hr_str identity, const char *lineage,
                                       struct hr_error *err)
{
    HR_ASSERT(strlen(lineage) == 36);
    if (identity.length > IDENTITY_MAX) {
        return hr_fail(err, HR_BAD_CONFIG, "the query's description is longer than 16 MiB");
    }
    memcpy(checkpoint->lineage, lineage, sizeof(checkpoint->lineage));
    hr_buf_clear(&checkpoint->identity);
    hr_buf_append_str(&checkpoint->identity, identity);
    checkpoint->committed_chain = hr_checkpoint_chain_start(lineage);
    struct hr_buf meta HR_CLEANUP(hr_buf_release);
    struct hr_buf committed HR_CLEANUP(hr_buf_release);
    struct hr_store_batch changes HR_CLEANUP(hr_store_batch_release) = {0};
    hr_buf_init(&meta, HR_STATE_VALUE_MAX);
    hr_buf_init(&committed, 256);
    hr_meta_encode(lineage, identity, &meta);
    hr_committed_encode(-1, checkpoint->committed_chain, &committed);
    hr_store_batch_put(&changes, HR_KEY_COMMITTED, hr_buf_str(&committed));
    hr_store_batch_put(&changes, HR_KEY_META, hr_buf_str(&meta));
    return hr_checkpoint_write(checkpoint, &changes, true, err);
}

static enum hr_status fail_empty_store(const struct hr_checkpoint_directory *directory, struct hr_error *err)
{
    hr_fail(err, HR_CORRUPT, "%s: the store is empty: its log files are lost", directory->path);
    return hr_checkpoint_hint_corrupt(err);
}

static enum hr_status checkpoint_start(struct hr_checkpoint *checkpoint, struct hr_str identity, const char *lineage,
                                       bool *created, struct hr_error *err)
{
    bool in_directory = checkpoint->directory.path != NULL;
    bool versioned = checkpoint->directory.versioned;
    *created = false;
    enum hr_status status = hr_checkpoint_read(checkpoint, err);
    if (status != HR_OK && status != HR_END) {
        return status;
    }
    bool empty = status == HR_END;
    bool nothing_yet = empty || (checkpoint->committed < 0 && checkpoint->prepared < 0 && checkpoint->dropped < 0);
    if (in_directory && versioned && empty) {
        return fail_empty_store(&checkpoint->directory, err);
    }
    if (in_directory && !versioned && !nothing_yet) {
        hr_fail(err, HR_CORRUPT, "%s/VERSION is missing", checkpoint->directory.path);
        return hr_fail_hint(err, "restore the checkpoint directory as a whole from a copy");
    }
    if (empty || (in_directory && !versioned)) {
        HR_TRY(checkpoint_begin(checkpoint, identity, lineage, err));
        *created = true;
    }
    return in_directory && !versioned ? hr_checkpoint_directory_finish(&checkpoint->directory, err) : HR_OK;
}

static enum hr_status checkpoint_open_in(struct hr_checkpoint *checkpoint, enum hr_store_mode mode,
                                         struct hr_error *err)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    const char *path = hr_file_join(&arena, checkpoint->directory.path, "rocksdb");
    if (mode != HR_STORE_READ_ONLY && checkpoint->directory.versioned && !hr_file_exists(path)) {
        hr_fail(err, HR_CORRUPT, "%s is missing", path);
        return hr_fail_hint(err, "restore the checkpoint directory as a whole from a copy");
    }
    return hr_store_open_rocksdb(path, mode, &checkpoint->store, err);
}

/* RocksDB goes on from a cut MANIFEST or log with what is left, and removes the files that it then does not know. So
 * damage is looked for before it may write: what is refused is still there, to be restored or looked at. */
static enum hr_status checkpoint_look(struct hr_checkpoint *checkpoint, struct hr_error *err)
{
    if (!checkpoint->directory.versioned) {
        return HR_OK;
    }
    struct hr_checkpoint *look = checkpoint_new(NULL, 1);
    look->read_only = true;
    look->directory = checkpoint->directory;
    enum hr_status status = checkpoint_open_in(look, HR_STORE_LOOK, err);
    if (status == HR_OK) {
        status = hr_checkpoint_read(look, err);
    }
    look->directory = (struct hr_checkpoint_directory){.lock_fd = -1, .mark_fd = -1, .mark = -1};
    hr_checkpoint_close(look);
    return status == HR_END ? fail_empty_store(&checkpoint->directory, err) : status;
}

enum hr_status hr_checkpoint_open(const char *directory, struct hr_str identity, const char lineage[37], int keep,
                                  struct hr_checkpoint **out, bool *created, struct hr_error *err)
{
    struct hr_checkpoint *checkpoint = checkpoint_new(NULL, keep);
    enum hr_status status = hr_checkpoint_directory_open(&checkpoint->directory, directory, err);
    if (status == HR_OK) {
        status = checkpoint_look(checkpoint, err);
    }
    if (status == HR_OK) {
        status = checkpoint_open_in(checkpoint, HR_STORE_CREATE, err);
    }
    if (status == HR_OK) {
        status = checkpoint_start(checkpoint, identity, lineage, created, err);
    }
    if (status != HR_OK) {
        hr_checkpoint_close(checkpoint);
        return hr_fail_at_start(err);
    }
    *out = checkpoint;
    return HR_OK;
}

enum hr_status hr_checkpoint_open_store(struct hr_store *store, struct hr_str identity, const char lineage[37],
                                        int keep, struct hr_checkpoint **out, bool *created, struct hr_error *err)
{
    struct hr_checkpoint *checkpoint = checkpoint_new(store, keep);
    enum hr_status status = checkpoint_start(checkpoint, identity, lineage, created, err);
    if (status != HR_OK) {
        checkpoint->store = NULL; /* stays the caller's */
        hr_checkpoint_close(checkpoint);
        return status;
    }
    *out = checkpoint;
    return HR_OK;
}

static enum hr_status checkpoint_try_read_only(const char *directory, struct hr_checkpoint **out, struct hr_error *err)
{
    struct hr_checkpoint *checkpoint = checkpoint_new(NULL, 1);
    checkpoint->read_only = true;
    enum hr_status status = hr_checkpoint_directory_look(&checkpoint->directory, directory, err);
    if (status == HR_OK) {
        status = checkpoint_open_in(checkpoint, HR_STORE_READ_ONLY, err);
        status = status == HR_NO_INPUT ? hr_fail(err, HR_CORRUPT, "%s/rocksdb: there is no store", directory) : status;
    }
    if (status == HR_OK) {
        status = hr_checkpoint_read(checkpoint, err);
        if (status == HR_END) {
            status = fail_empty_store(&checkpoint->directory, err);
        }
    }
    if (status != HR_OK) {
        hr_checkpoint_close(checkpoint);
        return status;
    }
    *out = checkpoint;
    return HR_OK;
}

enum hr_status hr_checkpoint_open_read_only(const char *directory, struct hr_checkpoint **out, struct hr_error *err)
{
    /* A query that runs meanwhile may remove a file between two looks; the next look finds its successor. */
    enum hr_status status = HR_OK;
    for (int attempt = 0; attempt < 3; attempt++) {
        status = checkpoint_try_read_only(directory, out, err);
        if (status != HR_CORRUPT && status != HR_IO) {
            break;
        }
    }
    return status;
}

void hr_checkpoint_close(struct hr_checkpoint *checkpoint)
{
    if (checkpoint == NULL) {
        return;
    }
    hr_store_close(checkpoint->store);
    hr_checkpoint_directory_close(&checkpoint->directory);
    hr_checkpoint_forget_indexes(checkpoint);
    hr_buf_release(&checkpoint->identity);
    hr_buf_release(&checkpoint->value);
    hr_arena_release(&checkpoint->parts_arena);
    hr_arena_release(&checkpoint->prepared_arena);
    hr_arena_release(&checkpoint->scratch);
    hr_free(checkpoint);
}
