/* SPDX-License-Identifier: Apache-2.0
 *
 * Pruning: what leaves the window of kept batches when a batch is committed. Once batch b is the oldest one kept,
 * nobody can ask for a state before it, so the versions that b superseded go, and with them b's list of them. So after
 * a commit the oldest delta is the one after the oldest record.
 */
#include <string.h>

#include "state/checkpoint_internal.h"

/* At most so many batches leave at once, when `keep` was lowered. */
#define PRUNED_AT_ONCE 64

static struct hr_str scratch_copy(struct hr_checkpoint *checkpoint, struct hr_str key)
{
    char *copy = hr_arena_alloc(&checkpoint->scratch, key.length);
    memcpy(copy, key.data, key.length);
    return (struct hr_str){copy, key.length};
}

static enum hr_status prune_delta(struct hr_checkpoint *checkpoint, int64_t batch, struct hr_store_batch *changes,
                                  struct hr_error *err)
{
    char key[HR_PAGE_KEY_MAX];
    struct hr_str delta_key = scratch_copy(checkpoint, hr_key_batch('d', batch, key));
    hr_buf_clear(&checkpoint->value);
    enum hr_status status = hr_store_get(checkpoint->store, delta_key, &checkpoint->value, err);
    if (status == HR_END) {
        return hr_fail(err, HR_CORRUPT, "the delta of batch %lld is missing", (long long)batch);
    }
    HR_TRY(status);
    struct hr_delta delta;
    HR_TRY(hr_delta_decode(hr_buf_str(&checkpoint->value), batch, &checkpoint->scratch, &delta, err));
    for (size_t i = 0; i < delta.count; i++) {
        const struct hr_delta_part *part = &delta.parts[i];
        for (size_t j = 0; j < part->count; j++) {
            const struct hr_delta_page *page = &part->pages[j];
            if (page->superseded >= 0) {
                struct hr_str old = hr_key_page(part->name, page->page, page->superseded, key);
                hr_store_batch_remove(changes, scratch_copy(checkpoint, old));
            }
        }
    }
    hr_store_batch_remove(changes, delta_key);
    return HR_OK;
}

enum hr_status hr_checkpoint_prune(struct hr_checkpoint *checkpoint, int64_t batch, struct hr_store_batch *changes,
                                   int64_t *record, int64_t *delta, struct hr_error *err)
{
    *record = checkpoint->oldest_record >= 0 ? checkpoint->oldest_record : batch;
    *delta = checkpoint->oldest_delta >= 0 ? checkpoint->oldest_delta : batch;
    int64_t oldest = batch - checkpoint->keep + 1;
    oldest = oldest > *record + PRUNED_AT_ONCE ? *record + PRUNED_AT_ONCE : oldest;
    while (*record < oldest) {
        char key[HR_BATCH_KEY_LENGTH];
        hr_store_batch_remove(changes, scratch_copy(checkpoint, hr_key_batch('r', *record, key)));
        ++*record;
    }
    while (*delta <= *record) {
        HR_TRY(prune_delta(checkpoint, *delta, changes, err));
        ++*delta;
    }
    return HR_OK;
}
