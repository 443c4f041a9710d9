/* SPDX-License-Identifier: Apache-2.0
 *
 * A memory store that outlives the checkpoint over it, so that a test can close, crash and open again, count what is
 * written, and make a write fail.
 */
#ifndef HR_TESTS_KEPT_STORE_H
#define HR_TESTS_KEPT_STORE_H

#include "state/store.h"

struct kept_store {
    struct hr_store store; /* to give away; its close does nothing */
    struct hr_store *inner;
    size_t page_writes; /* changes that put a page, since last set to 0 */
    size_t synced_writes;
    size_t unsynced_writes;
    size_t scans;
    bool fail_next;
};

static inline struct kept_store *kept_of(struct hr_store *store)
{
    return (struct kept_store *)store;
}

static inline enum hr_status kept_write(struct hr_store *store, const struct hr_store_batch *batch, bool sync,
                                        struct hr_error *err)
{
    struct kept_store *kept = kept_of(store);
    if (kept->fail_next) {
        kept->fail_next = false;
        return hr_fail(err, HR_IO, "the test says so");
    }
    for (size_t i = 0; i < batch->count; i++) {
        kept->page_writes += batch->changes[i].key.data[0] == 'p' && !batch->changes[i].remove;
    }
    kept->synced_writes += sync;
    kept->unsynced_writes += !sync;
    return hr_store_write(kept->inner, batch, sync, err);
}

static inline enum hr_status kept_get(struct hr_store *store, struct hr_str key, struct hr_buf *out,
                                      struct hr_error *err)
{
    return hr_store_get(kept_of(store)->inner, key, out, err);
}

static inline enum hr_status kept_get_all(struct hr_store *store, const struct hr_str *keys, size_t count,
                                          hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    return hr_store_get_all(kept_of(store)->inner, keys, count, visit, context, err);
}

static inline enum hr_status kept_scan(struct hr_store *store, struct hr_str from, struct hr_str to,
                                       hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    __atomic_fetch_add(&kept_of(store)->scans, 1, __ATOMIC_RELAXED);
    return hr_store_scan_range(kept_of(store)->inner, from, to, visit, context, err);
}

static inline void kept_close(struct hr_store *store)
{
    (void)store;
}

static inline void kept_init(struct kept_store *kept)
{
    static const struct hr_store_type type = {
        .name = "kept",
        .write = kept_write,
        .get = kept_get,
        .get_all = kept_get_all,
        .scan = kept_scan,
        .close = kept_close,
    };
    *kept = (struct kept_store){.store = {&type}, .inner = hr_store_open_memory()};
}

static inline void kept_release(struct kept_store *kept)
{
    hr_store_close(kept->inner);
}

#endif
