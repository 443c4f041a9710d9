/* SPDX-License-Identifier: Apache-2.0
 *
 * The store port: an ordered map of bytes with atomic, optionally synced writes. Two implementations: RocksDB (the only
 * file that includes it) and memory (tests and simulation: unsynced writes can be lost on purpose). Thread: one;
 * get_all and scan may be called by several at once while none writes.
 */
#ifndef HR_STATE_STORE_H
#define HR_STATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* LOOK: as READ_ONLY, by the process that is about to write: RocksDB's info log may lie beside the store. */
enum hr_store_mode { HR_STORE_CREATE, HR_STORE_READ_ONLY, HR_STORE_LOOK };

#define HR_STORE_PREFIX_MAX 256u

struct hr_store;

/* One atomic set of changes, kept by the caller and reused. */
struct hr_store_change {
    struct hr_str key;
    struct hr_str value;
    uint32_t tail; /* what is stored is the value, then tail_length bytes of this */
    uint8_t tail_length;
    bool remove;
};

struct hr_store_batch {
    struct hr_store_change *changes;
    size_t count;
    size_t capacity;
};

void hr_store_batch_put(struct hr_store_batch *batch, struct hr_str key, struct hr_str value); /* views, not copies */
/* The value, then the word's bytes as they are in memory: a checksum need not be copied behind what it is of. */
void hr_store_batch_put_word(struct hr_store_batch *batch, struct hr_str key, struct hr_str value, uint32_t word);
void hr_store_batch_remove(struct hr_store_batch *batch, struct hr_str key);
void hr_store_batch_clear(struct hr_store_batch *batch);
void hr_store_batch_release(struct hr_store_batch *batch);

/* key and value are valid during the call; return not HR_OK to stop (that status is handed through, HR_END as HR_OK).
 */
typedef enum hr_status hr_store_visit_fn(void *context, struct hr_str key, struct hr_str value, struct hr_error *err);

struct hr_store_type {
    const char *name;
    /* HR_IO: the outcome of the write is unknown; close and reopen. */
    enum hr_status (*write)(struct hr_store *store, const struct hr_store_batch *batch, bool sync,
                            struct hr_error *err);
    /* HR_END: no such key. Appends to out. */
    enum hr_status (*get)(struct hr_store *store, struct hr_str key, struct hr_buf *out, struct hr_error *err);
    /* visit with each of the keys, which ascend; where there is none, the value's data is NULL. */
    enum hr_status (*get_all)(struct hr_store *store, const struct hr_str *keys, size_t count, hr_store_visit_fn *visit,
                              void *context, struct hr_error *err);
    /* All keys from `from` up to and without `to` (empty: to the end), ascending in byte order. */
    enum hr_status (*scan)(struct hr_store *store, struct hr_str from, struct hr_str to, hr_store_visit_fn *visit,
                           void *context, struct hr_error *err);
    /* The start is over: what tidies the store in the background, and would take a core from it, may begin. NULL: there
     * is nothing of the kind. */
    void (*settle)(struct hr_store *store);
    void (*close)(struct hr_store *store);
};

struct hr_store {
    const struct hr_store_type *type;
};

/* READ_ONLY changes no byte on disk. */
enum hr_status hr_store_open_rocksdb(const char *path, enum hr_store_mode mode, struct hr_store **out,
                                     struct hr_error *err);
/* seed: of the unsynced loss, see hr_store_memory_crash. */
struct hr_store *hr_store_open_memory(void);
/* Simulates a power loss: forgets writes after the last synced one, up to a point that the seed chooses. */
void hr_store_memory_crash(struct hr_store *store, uint64_t seed);

enum hr_status hr_store_write(struct hr_store *store, const struct hr_store_batch *batch, bool sync,
                              struct hr_error *err);
enum hr_status hr_store_get(struct hr_store *store, struct hr_str key, struct hr_buf *out, struct hr_error *err);
enum hr_status hr_store_get_all(struct hr_store *store, const struct hr_str *keys, size_t count,
                                hr_store_visit_fn *visit, void *context, struct hr_error *err);
enum hr_status hr_store_scan_range(struct hr_store *store, struct hr_str from, struct hr_str to,
                                   hr_store_visit_fn *visit, void *context, struct hr_error *err);
/* All keys with the prefix, of at most HR_STORE_PREFIX_MAX bytes. */
enum hr_status hr_store_scan(struct hr_store *store, struct hr_str prefix, hr_store_visit_fn *visit, void *context,
                             struct hr_error *err);
void hr_store_settle(struct hr_store *store);
void hr_store_close(struct hr_store *store);

#endif
