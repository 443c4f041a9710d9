/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens a checkpoint, reads what it says about itself and checks that it is whole: the committed batch has its record,
 * the records of the kept batches follow each other without a gap, and nothing that was durable is missing.
 */
#include "state/checkpoint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/wire.h"
#include "state/checkpoint_internal.h"

#define IDENTITY_MAX ((size_t)16 << 20)
#define SCRATCH_KEPT_BYTES ((size_t)1 << 20)

static enum hr_status fail_corrupt_hint(struct hr_error *err)
{
    return hr_fail_hint(err, "restore the checkpoint directory from a copy, or start a new lineage with "
                             "--new-lineage");
}

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

static uint32_t chain_start(const char *lineage)
{
    return hr_crc32c(0, lineage, strlen(lineage));
}

enum hr_status hr_checkpoint_read_entry(struct hr_checkpoint *checkpoint, char kind, int64_t batch,
                                        struct hr_arena *arena, struct hr_batch_entry *out, struct hr_error *err)
{
    char key[HR_BATCH_KEY_LENGTH];
    hr_buf_clear(&checkpoint->value);
    HR_TRY(hr_store_get(checkpoint->store, hr_key_batch(kind, batch, key), &checkpoint->value, err));
    return hr_batch_entry_decode(hr_buf_str(&checkpoint->value), batch, arena, out, err);
}

/* Walks the records and checks the chain. */
struct record_pass {
    struct hr_checkpoint *checkpoint;
    int64_t last; /* −1: none yet */
    uint32_t chain;
};

static enum hr_status record_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct record_pass *pass = context;
    struct hr_checkpoint *checkpoint = pass->checkpoint;
    int64_t batch;
    struct hr_batch_entry entry;
    HR_TRY(hr_key_parse_batch(key, &batch, err));
    hr_arena_reset(&checkpoint->scratch);
    HR_TRY(hr_batch_entry_decode(value, batch, &checkpoint->scratch, &entry, err));
    bool first = pass->last < 0;
    if (!first && (batch != pass->last + 1 || entry.previous_chain != pass->chain)) {
        hr_fail(err, HR_CORRUPT, "the record of batch %lld does not follow that of batch %lld", (long long)batch,
                (long long)pass->last);
        return fail_corrupt_hint(err);
    }
    if (batch > checkpoint->committed + 1) {
        hr_fail(err, HR_CORRUPT, "there is a record of batch %lld, but batch %lld was the last one committed",
                (long long)batch, (long long)checkpoint->committed);
        return fail_corrupt_hint(err);
    }
    if (batch == checkpoint->committed) {
        if (entry.chain != checkpoint->committed_chain) {
            hr_fail(err, HR_CORRUPT, "the record of the committed batch %lld is not the one that was committed",
                    (long long)batch);
            return fail_corrupt_hint(err);
        }
        hr_part_table_copy(&checkpoint->parts, &entry.parts, 0, &checkpoint->parts_arena);
    } else if (batch == checkpoint->committed + 1) {
        if (entry.previous_chain != checkpoint->committed_chain) {
            hr_fail(err, HR_CORRUPT, "the prepared batch %lld does not follow the committed one", (long long)batch);
            return fail_corrupt_hint(err);
        }
        checkpoint->prepared = batch;
        checkpoint->prepared_crc = entry.delta_crc;
        checkpoint->prepared_chain = entry.chain;
        hr_part_table_copy(&checkpoint->prepared_parts, &entry.parts, 0, &checkpoint->prepared_arena);
    }
    checkpoint->oldest_record = first ? batch : checkpoint->oldest_record;
    pass->last = batch;
    pass->chain = entry.chain;
    return HR_OK;
}

static enum hr_status first_batch_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    (void)value;
    HR_TRY(hr_key_parse_batch(key, context, err));
    return HR_END;
}

/* The oldest delta is the one after the oldest record, see checkpoint_prune.c. */
static enum hr_status checkpoint_check_window(const struct hr_checkpoint *checkpoint, int64_t last,
                                              struct hr_error *err)
{
    int64_t first_delta = checkpoint->committed < 0 ? last : checkpoint->oldest_record + 1;
    if (checkpoint->oldest_delta == (first_delta > last ? -1 : first_delta)) {
        return HR_OK;
    }
    hr_fail(err, HR_CORRUPT, "a record or delta of the kept batches is missing (records from %lld, deltas from %lld)",
            (long long)checkpoint->oldest_record, (long long)checkpoint->oldest_delta);
    return fail_corrupt_hint(err);
}

static enum hr_status checkpoint_check_mark(const struct hr_checkpoint *checkpoint, struct hr_error *err)
{
    int64_t known = checkpoint->prepared >= 0 ? checkpoint->prepared : checkpoint->committed;
    if (checkpoint->directory.mark <= known) {
        return HR_OK;
    }
    hr_fail(err, HR_CORRUPT, "%s: batch %lld was durable, but the store ends at batch %lld: a log file is lost",
            checkpoint->directory.path, (long long)checkpoint->directory.mark, (long long)known);
    return fail_corrupt_hint(err);
}

static enum hr_status any_key_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    (void)context;
    (void)key;
    (void)value;
    hr_fail(err, HR_CORRUPT, "the store does not say which batch was committed last");
    return fail_corrupt_hint(err);
}

static enum hr_status checkpoint_read_dropped(struct hr_checkpoint *checkpoint, struct hr_error *err)
{
    struct hr_batch_entry entry;
    if (checkpoint->prepared >= 0) {
        return HR_OK; /* prepared again, by a version that knows nothing of dropped ones */
    }
    hr_arena_reset(&checkpoint->scratch);
    enum hr_status status =
        hr_checkpoint_read_entry(checkpoint, 'a', checkpoint->committed + 1, &checkpoint->scratch, &entry, err);
    if (status == HR_END) {
        return HR_OK;
    }
    HR_TRY(status);
    if (entry.previous_chain != checkpoint->committed_chain) {
        hr_fail(err, HR_CORRUPT, "the dropped batch %lld does not follow the committed one", (long long)entry.batch);
        return fail_corrupt_hint(err);
    }
    checkpoint->dropped = entry.batch;
    return HR_OK;
}

/* HR_END: the store is empty. */
static enum hr_status checkpoint_read(struct hr_checkpoint *checkpoint, struct hr_error *err)
{
    hr_buf_clear(&checkpoint->value);
    enum hr_status status = hr_store_get(checkpoint->store, HR_KEY_COMMITTED, &checkpoint->value, err);
    if (status == HR_END) {
        HR_TRY(hr_store_scan(checkpoint->store, HR_STR(""), any_key_visit, NULL, err));
    }
    HR_TRY(status);
    HR_TRY(
        hr_committed_decode(hr_buf_str(&checkpoint->value), &checkpoint->committed, &checkpoint->committed_chain, err));
    hr_buf_clear(&checkpoint->value);
    status = hr_store_get(checkpoint->store, HR_KEY_META, &checkpoint->value, err);
    if (status == HR_END) {
        hr_fail(err, HR_CORRUPT, "the checkpoint's lineage and identity are missing");
        return fail_corrupt_hint(err);
    }
    HR_TRY(status);
    hr_buf_clear(&checkpoint->identity);
    HR_TRY(hr_meta_decode(hr_buf_str(&checkpoint->value), checkpoint->lineage, &checkpoint->identity, err));
    HR_TRY(hr_checkpoint_read_taken_over(checkpoint, err));
    struct record_pass pass = {.checkpoint = checkpoint, .last = -1};
    HR_TRY(hr_store_scan(checkpoint->store, HR_STR("r"), record_visit, &pass, err));
    if (pass.last < checkpoint->committed) {
        hr_fail(err, HR_CORRUPT, "the record of the committed batch %lld is missing", (long long)checkpoint->committed);
        return fail_corrupt_hint(err);
    }
    if (checkpoint->committed < 0 && checkpoint->committed_chain != chain_start(checkpoint->lineage)) {
        hr_fail(err, HR_CORRUPT, "the checkpoint's lineage is not the one that it was made with");
        return fail_corrupt_hint(err);
    }
    HR_TRY(checkpoint_read_dropped(checkpoint, err));
    HR_TRY(hr_store_scan(checkpoint->store, HR_STR("d"), first_batch_visit, &checkpoint->oldest_delta, err));
    HR_TRY(checkpoint_check_window(checkpoint, pass.last, err));
    return checkpoint_check_mark(checkpoint, err);
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
    checkpoint->committed_chain = chain_start(lineage);
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
    return fail_corrupt_hint(err);
}

static enum hr_status checkpoint_start(struct hr_checkpoint *checkpoint, struct hr_str identity, const char *lineage,
                                       bool *created, struct hr_error *err)
{
    bool in_directory = checkpoint->directory.path != NULL;
    bool versioned = checkpoint->directory.versioned;
    *created = false;
    enum hr_status status = checkpoint_read(checkpoint, err);
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
        status = checkpoint_read(look, err);
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
        status = checkpoint_read(checkpoint, err);
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
