/* SPDX-License-Identifier: Apache-2.0
 *
 * What a checkpoint remembers of itself, its query and its kept batches: their records, and the names of the parts.
 */
#include <string.h>

#include "state/checkpoint_internal.h"

void hr_checkpoint_info(const struct hr_checkpoint *checkpoint, struct hr_checkpoint_info *out)
{
    memcpy(out->lineage, checkpoint->lineage, sizeof(out->lineage));
    out->committed = checkpoint->committed;
    out->prepared = checkpoint->prepared;
    out->prepared_crc = checkpoint->prepared_crc;
    out->dropped = checkpoint->dropped;
    out->taken_over = checkpoint->taken_over.batch;
}

struct hr_str hr_checkpoint_identity(const struct hr_checkpoint *checkpoint)
{
    return hr_buf_str(&checkpoint->identity);
}

enum hr_status hr_checkpoint_set_identity(struct hr_checkpoint *checkpoint, struct hr_str identity,
                                          struct hr_error *err)
{
    HR_TRY(hr_checkpoint_usable(checkpoint, err));
    struct hr_buf meta HR_CLEANUP(hr_buf_release);
    struct hr_store_batch changes HR_CLEANUP(hr_store_batch_release) = {0};
    hr_buf_init(&meta, HR_STATE_VALUE_MAX);
    hr_meta_encode(checkpoint->lineage, identity, &meta);
    hr_store_batch_put(&changes, HR_KEY_META, hr_buf_str(&meta));
    HR_TRY(hr_checkpoint_write(checkpoint, &changes, true, err));
    hr_buf_clear(&checkpoint->identity);
    hr_buf_append_str(&checkpoint->identity, identity);
    return HR_OK;
}

enum hr_status hr_checkpoint_record(struct hr_checkpoint *checkpoint, int64_t batch, struct hr_buf *out,
                                    struct hr_error *err)
{
    if (batch < 0) {
        return hr_fail(err, HR_END, "batch %lld is not kept", (long long)batch);
    }
    struct hr_batch_entry entry;
    hr_arena_reset(&checkpoint->scratch);
    enum hr_status status = hr_checkpoint_read_entry(checkpoint, 'r', batch, &checkpoint->scratch, &entry, err);
    if (status == HR_END) {
        return hr_fail(err, HR_END, "batch %lld is not kept", (long long)batch);
    }
    HR_TRY(status);
    hr_buf_append_str(out, entry.record);
    return HR_OK;
}

enum hr_status hr_checkpoint_dropped_record(struct hr_checkpoint *checkpoint, struct hr_buf *out, struct hr_error *err)
{
    struct hr_batch_entry entry;
    if (checkpoint->dropped < 0) {
        return hr_fail(err, HR_END, "no batch was dropped");
    }
    hr_arena_reset(&checkpoint->scratch);
    HR_TRY(hr_checkpoint_read_entry(checkpoint, 'a', checkpoint->dropped, &checkpoint->scratch, &entry, err));
    hr_buf_append_str(out, entry.record);
    return HR_OK;
}

enum hr_status hr_checkpoint_parts(struct hr_checkpoint *checkpoint, hr_store_visit_fn *visit, void *context,
                                   struct hr_error *err)
{
    for (size_t i = 0; i < checkpoint->parts.count; i++) {
        enum hr_status status = visit(context, checkpoint->parts.items[i].name, HR_STR(""), err);
        if (status != HR_OK) {
            return status == HR_END ? HR_OK : status;
        }
    }
    return HR_OK;
}

struct batches_pass {
    struct hr_checkpoint *checkpoint;
    hr_store_visit_fn *visit;
    void *context;
};

static enum hr_status batches_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct batches_pass *pass = context;
    int64_t batch;
    struct hr_batch_entry entry;
    HR_TRY(hr_key_parse_batch(key, &batch, err));
    if (batch > pass->checkpoint->committed) {
        return HR_END;
    }
    /* An arena of its own: visit may use the checkpoint. */
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 4096);
    HR_TRY(hr_batch_entry_decode(value, batch, &arena, &entry, err));
    return pass->visit(pass->context, (struct hr_str){key.data + 1, key.length - 1}, entry.record, err);
}

enum hr_status hr_checkpoint_batches(struct hr_checkpoint *checkpoint, hr_store_visit_fn *visit, void *context,
                                     struct hr_error *err)
{
    struct batches_pass pass = {checkpoint, visit, context};
    return hr_store_scan(checkpoint->store, HR_STR("r"), batches_visit, &pass, err);
}
