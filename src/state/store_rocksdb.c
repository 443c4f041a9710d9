/* SPDX-License-Identifier: Apache-2.0
 *
 * RocksDB store, the only file that includes RocksDB. Options are chosen for a small state that is written once a batch
 * and read at start: wrong bytes refuse the start rather than being skipped (WAL recovery mode 0, paranoid checks), the
 * WAL stays small so that a start after a crash is short, and memory at rest is a few MiB.
 *
 * RocksDB cannot be opened without an info log, also when it is opened to read only: the log then goes to a temporary
 * directory.
 */
#include <rocksdb/c.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "state/store.h"
#include "state/store_rocksdb_internal.h"

#define WRITE_BUFFER_BYTES (8u << 20)
#define BLOCK_CACHE_BYTES (8u << 20)
#define WAL_BYTES_MAX (16u << 20)
/* What a scan of a whole part reads at once: by the block, a GiB would be 65,536 reads. But most scans are of a few
 * keys, and what is read ahead for them, of each table, is in vain: a scan is taken for a long one after so many keys.
 */
#define READ_AHEAD_BYTES (256u << 10)
#define READ_AHEAD_AFTER 48u
/* Of a key, in the filter of its table: one lookup in a hundred reads a block in vain. */
#define FILTER_BITS 10.0
/* Of level 0, from which on compaction does not wait for the end of the start. */
#define TABLES_UNSETTLED_MAX 16u
/* Keys that RocksDB looks up at once. */
#define KEYS_AT_ONCE 32
/* A reused write batch keeps its memory; past this size it is made anew. */
#define KEPT_BATCH_BYTES (8u << 20)

struct rocksdb_store {
    struct hr_store store;
    char *path;
    char log_directory[HR_LOG_DIRECTORY_MAX]; /* of a reader */
    rocksdb_t *db;
    rocksdb_column_family_handle_t *family; /* the only one */
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *write_synced;
    rocksdb_writeoptions_t *write_unsynced;
    rocksdb_readoptions_t *read;     /* many keys, once: they would only push others out of the cache */
    rocksdb_readoptions_t *read_far; /* the same, a long scan */
    rocksdb_readoptions_t *read_one; /* one key: its neighbours in the block are often next */
    rocksdb_writebatch_t *batch;
    bool read_only;
    bool settled;
    bool failed; /* a write failed: nothing more is written, also not at close */
};

/* Takes RocksDB's text (freed) and makes an error of it. */
static enum hr_status fail_rocksdb(struct hr_error *err, const char *path, const char *doing, char *text)
{
    enum hr_status status = hr_store_rocksdb_fail(err, path, doing, text);
    rocksdb_free(text);
    return status;
}

/* Returns about how many bytes it takes. */
static size_t add_change(rocksdb_writebatch_t *batch, const struct hr_store_change *change)
{
    if (change->remove) {
        rocksdb_writebatch_delete(batch, change->key.data, change->key.length);
    } else {
        const char *parts[] = {change->value.data, (const char *)&change->tail};
        const size_t lengths[] = {change->value.length, change->tail_length};
        rocksdb_writebatch_putv(batch, 1, &change->key.data, &change->key.length, 2, parts, lengths);
    }
    return change->key.length + change->value.length + change->tail_length + 16;
}

static enum hr_status rocksdb_store_write(struct hr_store *store, const struct hr_store_batch *batch, bool sync,
                                          struct hr_error *err)
{
    struct rocksdb_store *self = (struct rocksdb_store *)store;
    HR_ASSERT(!self->read_only);
    if (self->failed) {
        hr_fail(err, HR_IO, "state store %s: an earlier write failed", self->path);
        return hr_fail_hint(err, "start again: the state is read from the disk anew");
    }
    size_t bytes = 0;
    for (size_t i = 0; i < batch->count; i++) {
        bytes += add_change(self->batch, &batch->changes[i]);
    }
    char *text = NULL;
    rocksdb_write(self->db, sync ? self->write_synced : self->write_unsynced, self->batch, &text);
    if (bytes > KEPT_BATCH_BYTES) {
        rocksdb_writebatch_destroy(self->batch);
        self->batch = rocksdb_writebatch_create();
    } else {
        rocksdb_writebatch_clear(self->batch);
    }
    if (text != NULL) {
        self->failed = true;
        return fail_rocksdb(err, self->path, "write", text);
    }
    return HR_OK;
}

static enum hr_status rocksdb_store_get(struct hr_store *store, struct hr_str key, struct hr_buf *out,
                                        struct hr_error *err)
{
    struct rocksdb_store *self = (struct rocksdb_store *)store;
    char *text = NULL;
    rocksdb_pinnableslice_t *slice = rocksdb_get_pinned(self->db, self->read_one, key.data, key.length, &text);
    if (text != NULL) {
        return fail_rocksdb(err, self->path, "read", text);
    }
    if (slice == NULL) {
        return hr_fail(err, HR_END, "state store %s: no such key", self->path);
    }
    size_t length;
    const char *value = rocksdb_pinnableslice_value(slice, &length);
    hr_buf_append(out, value, length);
    rocksdb_pinnableslice_destroy(slice);
    return HR_OK;
}

/* At most KEYS_AT_ONCE. */
static enum hr_status get_some(struct rocksdb_store *self, const struct hr_str *keys, size_t count,
                               hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    const char *key_data[KEYS_AT_ONCE];
    size_t key_lengths[KEYS_AT_ONCE];
    rocksdb_pinnableslice_t *values[KEYS_AT_ONCE];
    char *texts[KEYS_AT_ONCE];
    for (size_t i = 0; i < count; i++) {
        key_data[i] = keys[i].data;
        key_lengths[i] = keys[i].length;
    }
    rocksdb_batched_multi_get_cf(self->db, self->read, self->family, count, key_data, key_lengths, values, texts, true);
    enum hr_status status = HR_OK;
    for (size_t i = 0; i < count; i++) {
        if (status != HR_OK) {
            rocksdb_free(texts[i]);
        } else if (texts[i] != NULL) {
            status = fail_rocksdb(err, self->path, "read", texts[i]);
        } else {
            struct hr_str value = {NULL, 0};
            if (values[i] != NULL) {
                value.data = rocksdb_pinnableslice_value(values[i], &value.length);
            }
            status = visit(context, keys[i], value, err);
        }
        if (values[i] != NULL) {
            rocksdb_pinnableslice_destroy(values[i]);
        }
    }
    return status;
}

static enum hr_status rocksdb_store_get_all(struct hr_store *store, const struct hr_str *keys, size_t count,
                                            hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    struct rocksdb_store *self = (struct rocksdb_store *)store;
    for (size_t i = 0; i < count; i += KEYS_AT_ONCE) {
        HR_TRY(get_some(self, keys + i, count - i < KEYS_AT_ONCE ? count - i : KEYS_AT_ONCE, visit, context, err));
    }
    return HR_OK;
}

static void iterator_release(rocksdb_iterator_t **iterator)
{
    rocksdb_iter_destroy(*iterator);
}

/* Sets the iterator on the first key from `from`. */
static rocksdb_iterator_t *iterator_at(struct rocksdb_store *self, const rocksdb_readoptions_t *read,
                                       struct hr_str from)
{
    rocksdb_iterator_t *iterator = rocksdb_create_iterator(self->db, read);
    if (from.length == 0) {
        rocksdb_iter_seek_to_first(iterator);
    } else {
        rocksdb_iter_seek(iterator, from.data, from.length);
    }
    return iterator;
}

/* The scan turns out to be a long one: goes on from the same key, reading ahead. */
static void iterator_read_ahead(struct rocksdb_store *self, rocksdb_iterator_t **iterator)
{
    struct hr_str key;
    key.data = rocksdb_iter_key(*iterator, &key.length);
    rocksdb_iterator_t *ahead = iterator_at(self, self->read_far, key);
    rocksdb_iter_destroy(*iterator);
    *iterator = ahead;
}

static enum hr_status rocksdb_store_scan(struct hr_store *store, struct hr_str from, struct hr_str to,
                                         hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    struct rocksdb_store *self = (struct rocksdb_store *)store;
    rocksdb_iterator_t *iterator HR_CLEANUP(iterator_release) = iterator_at(self, self->read, from);
    size_t seen = 0;
    for (; rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
        struct hr_str key;
        struct hr_str value;
        if (++seen == READ_AHEAD_AFTER) {
            iterator_read_ahead(self, &iterator);
            if (!rocksdb_iter_valid(iterator)) {
                break; /* an error: the key was there */
            }
        }
        key.data = rocksdb_iter_key(iterator, &key.length);
        if (to.length > 0 && hr_str_compare(key, to) >= 0) {
            break;
        }
        value.data = rocksdb_iter_value(iterator, &value.length);
        HR_TRY(visit(context, key, value, err));
    }
    char *text = NULL;
    rocksdb_iter_get_error(iterator, &text);
    return text == NULL ? HR_OK : fail_rocksdb(err, self->path, "scan", text);
}

/* Compaction waits for this, for after a clean stop, too, there is mostly something to compact; but not when many runs
 * were so short that there is much of it. */
static void rocksdb_store_settle(struct hr_store *store)
{
    struct rocksdb_store *self = (struct rocksdb_store *)store;
    if (self->settled || self->read_only) {
        return;
    }
    const char *const keys[] = {"disable_auto_compactions"};
    const char *const values[] = {"false"};
    char *text = NULL;
    rocksdb_set_options(self->db, 1, keys, values, &text);
    rocksdb_free(text); /* it tidies then after the next start */
    self->settled = true;
}

static void rocksdb_store_close(struct hr_store *store)
{
    struct rocksdb_store *self = (struct rocksdb_store *)store;
    if (self->db != NULL) {
        if (!self->read_only && !self->failed) {
            /* The WAL becomes a table, so that the next start has nothing to replay. */
            rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
            rocksdb_flushoptions_set_wait(flush, 1);
            char *text = NULL;
            rocksdb_flush(self->db, flush, &text);
            rocksdb_free(text); /* the WAL still has everything */
            rocksdb_flushoptions_destroy(flush);
        }
        rocksdb_column_family_handle_destroy(self->family);
        rocksdb_close(self->db);
    }
    if (self->batch != NULL) {
        rocksdb_writebatch_destroy(self->batch);
    }
    rocksdb_writeoptions_destroy(self->write_synced);
    rocksdb_writeoptions_destroy(self->write_unsynced);
    rocksdb_readoptions_destroy(self->read);
    rocksdb_readoptions_destroy(self->read_far);
    rocksdb_readoptions_destroy(self->read_one);
    rocksdb_options_destroy(self->options);
    hr_free(self->path);
    hr_free(self);
}

static const struct hr_store_type store_rocksdb = {
    .name = "rocksdb",
    .write = rocksdb_store_write,
    .get = rocksdb_store_get,
    .get_all = rocksdb_store_get_all,
    .scan = rocksdb_store_scan,
    .settle = rocksdb_store_settle,
    .close = rocksdb_store_close,
};

static rocksdb_options_t *rocksdb_store_options(bool create, bool read_only)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, create);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_wal_recovery_mode(options, rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_write_buffer_size(options, WRITE_BUFFER_BYTES);
    rocksdb_options_set_max_total_wal_size(options, WAL_BYTES_MAX);
    rocksdb_options_set_max_write_buffer_number(options, 2);
    rocksdb_options_set_target_file_size_base(options, WRITE_BUFFER_BYTES);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    /* Pages live for `keep` batches and die in the order they came: the later they are moved, the fewer are left. */
    rocksdb_options_set_level0_file_num_compaction_trigger(options, 8);
    rocksdb_options_set_disable_auto_compactions(options, 1); /* until rocksdb_store_settle */
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_max_file_opening_threads(options, 1);
    /* A reader must hold all tables open, for a process that writes may remove them meanwhile. */
    rocksdb_options_set_max_open_files(options, read_only ? -1 : 128);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    rocksdb_options_set_manifest_preallocation_size(options, 64u << 10);
    /* FATAL, which means silence: a build of RocksDB with assertions (Debian's) aborts the process when its info log
     * cannot be written, and what it would say is in the errors that its calls return. */
    rocksdb_options_set_info_log_level(options, 4);
    rocksdb_options_set_keep_log_file_num(options, 2);
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_cache_t *cache = rocksdb_cache_create_lru(BLOCK_CACHE_BYTES);
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, 16u << 10);
    /* Of a table as large as a batch's pages the index does not fit the cache: it is held beside it, as long as the
     * table is open. Filters keep a page's key from being looked for in each of the newest batches' tables. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 0);
    rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS));
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_cache_destroy(cache);
    return options;
}

/* By family, for a lookup of many keys wants to be told which. */
static const char *const families[] = {"default"};

static void open_read_only(struct rocksdb_store *self, char **text)
{
    const rocksdb_options_t *options[] = {self->options};
    self->db = rocksdb_open_for_read_only_column_families(self->options, self->path, 1, families, options,
                                                          &self->family, 0, text);
}

/* RocksDB has this number as text only. */
static bool has_many_tables(const struct rocksdb_store *self)
{
    char *tables = rocksdb_property_value(self->db, "rocksdb.num-files-at-level0");
    bool many = tables != NULL && strtoull(tables, NULL, 10) >= TABLES_UNSETTLED_MAX;
    rocksdb_free(tables);
    return many;
}

static void open_to_write(struct rocksdb_store *self, char **text)
{
    const rocksdb_options_t *options[] = {self->options};
    self->db = rocksdb_open_column_families(self->options, self->path, 1, families, options, &self->family, text);
    if (*text == NULL && has_many_tables(self)) {
        rocksdb_store_settle(&self->store);
    }
}

enum hr_status hr_store_open_rocksdb(const char *path, enum hr_store_mode mode, struct hr_store **out,
                                     struct hr_error *err)
{
    bool exists;
    HR_TRY(hr_store_rocksdb_look(path, &exists, err));
    if (!exists && mode != HR_STORE_CREATE) {
        return hr_fail(err, HR_NO_INPUT, "state store %s: there is none", path);
    }
    if (!exists) {
        HR_TRY(hr_file_make_directory(path, err));
    }
    struct rocksdb_store *self = hr_calloc(1, sizeof(*self));
    self->store.type = &store_rocksdb;
    self->path = hr_strdup(path);
    self->read_only = mode != HR_STORE_CREATE;
    self->options = rocksdb_store_options(!exists, mode == HR_STORE_READ_ONLY);
    self->write_unsynced = rocksdb_writeoptions_create();
    self->write_synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(self->write_synced, 1);
    self->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(self->read, 1);
    rocksdb_readoptions_set_fill_cache(self->read, 0);
    self->read_far = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(self->read_far, 1);
    rocksdb_readoptions_set_fill_cache(self->read_far, 0);
    rocksdb_readoptions_set_readahead_size(self->read_far, READ_AHEAD_BYTES);
    self->read_one = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(self->read_one, 1);
    char *text = NULL;
    if (mode == HR_STORE_LOOK) {
        open_read_only(self, &text);
    } else if (self->read_only) {
        enum hr_status made = hr_store_rocksdb_log_directory(self->log_directory, err);
        if (made != HR_OK) {
            rocksdb_store_close(&self->store);
            return made;
        }
        rocksdb_options_set_db_log_dir(self->options, self->log_directory);
        open_read_only(self, &text);
        hr_store_rocksdb_remove_directory(self->log_directory); /* the log lives on without a name */
    } else {
        open_to_write(self, &text);
        self->batch = rocksdb_writebatch_create();
    }
    if (text != NULL) {
        self->db = NULL;
        enum hr_status status = fail_rocksdb(err, path, "open", text);
        rocksdb_store_close(&self->store);
        return status;
    }
    *out = &self->store;
    return HR_OK;
}
