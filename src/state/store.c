/* SPDX-License-Identifier: Apache-2.0
 *
 * The store port: the wrappers that every caller goes through, and the reusable set of changes.
 */
#include "state/store.h"

#include <string.h>

#include "base/alloc.h"

static struct hr_store_change *batch_next(struct hr_store_batch *batch)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity == 0 ? 64 : batch->capacity * 2;
        batch->changes = hr_realloc_array(batch->changes, batch->capacity, sizeof(*batch->changes));
    }
    return &batch->changes[batch->count++];
}

void hr_store_batch_put(struct hr_store_batch *batch, struct hr_str key, struct hr_str value)
{
    *batch_next(batch) = (struct hr_store_change){.key = key, .value = value};
}

void hr_store_batch_put_word(struct hr_store_batch *batch, struct hr_str key, struct hr_str value, uint32_t word)
{
    *batch_next(batch) =
        (struct hr_store_change){.key = key, .value = value, .tail = word, .tail_length = sizeof(word)};
}

void hr_store_batch_remove(struct hr_store_batch *batch, struct hr_str key)
{
    *batch_next(batch) = (struct hr_store_change){.key = key, .remove = true};
}

void hr_store_batch_clear(struct hr_store_batch *batch)
{
    batch->count = 0;
}

void hr_store_batch_release(struct hr_store_batch *batch)
{
    hr_free(batch->changes);
    *batch = (struct hr_store_batch){0};
}

enum hr_status hr_store_write(struct hr_store *store, const struct hr_store_batch *batch, bool sync,
                              struct hr_error *err)
{
    return store->type->write(store, batch, sync, err);
}

enum hr_status hr_store_get(struct hr_store *store, struct hr_str key, struct hr_buf *out, struct hr_error *err)
{
    return store->type->get(store, key, out, err);
}

enum hr_status hr_store_get_all(struct hr_store *store, const struct hr_str *keys, size_t count,
                                hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    enum hr_status status = store->type->get_all(store, keys, count, visit, context, err);
    return status == HR_END ? HR_OK : status;
}

enum hr_status hr_store_scan_range(struct hr_store *store, struct hr_str from, struct hr_str to,
                                   hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    enum hr_status status = store->type->scan(store, from, to, visit, context, err);
    return status == HR_END ? HR_OK : status;
}

enum hr_status hr_store_scan(struct hr_store *store, struct hr_str prefix, hr_store_visit_fn *visit, void *context,
                             struct hr_error *err)
{
    /* Up to the least key that is past all that have the prefix: its last byte counted up, and those of 0xff cut. */
    char after[HR_STORE_PREFIX_MAX];
    size_t length = prefix.length;
    HR_ASSERT(length <= sizeof(after));
    while (length > 0 && (uint8_t)prefix.data[length - 1] == 0xff) {
        length--;
    }
    if (length > 0) {
        memcpy(after, prefix.data, length);
        after[length - 1]++;
    }
    return hr_store_scan_range(store, prefix, (struct hr_str){after, length}, visit, context, err);
}

void hr_store_settle(struct hr_store *store)
{
    if (store->type->settle != NULL) {
        store->type->settle(store);
    }
}

void hr_store_close(struct hr_store *store)
{
    if (store != NULL) {
        store->type->close(store);
    }
}
