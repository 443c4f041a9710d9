/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator's way on when a checkpoint and its sinks went apart: the checkpoint keeps what it has learned, or goes
 * back to a kept batch, and gets a new lineage that may take the sinks over from those it had before. Which these are,
 * and after which batch it happened, is one more key of the store; a restart (--new-lineage) removes it.
 */
#include <string.h>

#include "base/wire.h"
#include "state/checkpoint_internal.h"

#define FORMAT_VERSION 1u

enum hr_status hr_checkpoint_read_taken_over(struct hr_checkpoint *checkpoint, struct hr_error *err)
{
    struct hr_taken_over *out = &checkpoint->taken_over;
    *out = (struct hr_taken_over){.batch = -1};
    hr_buf_clear(&checkpoint->value);
    enum hr_status status = hr_store_get(checkpoint->store, HR_KEY_TAKEN_OVER, &checkpoint->value, err);
    if (status == HR_END) {
        return HR_OK;
    }
    HR_TRY(status);
    struct hr_wire_reader reader;
    struct hr_str value = hr_buf_str(&checkpoint->value);
    const char *what = "list of the lineages before";
    HR_TRY(hr_wire_open(&reader, value.data, value.length, "HRCT", FORMAT_VERSION, what, err));
    int64_t batch = hr_wire_get_i64(&reader);
    uint32_t count = hr_wire_get_u32(&reader);
    for (uint32_t i = 0; i < count && !reader.bad; i++) {
        struct hr_str lineage = hr_wire_get_str(&reader);
        reader.bad = reader.bad || lineage.length != 36 || i >= HR_TAKEN_OVER_MAX;
        if (!reader.bad) {
            memcpy(out->lineages[i], lineage.data, 36);
            out->count = i + 1;
        }
    }
    HR_TRY(hr_wire_done(&reader, what, err));
    out->batch = batch;
    return HR_OK;
}

/* The lineage that the checkpoint has now, and those before it that some sink may still be at. */
static void taken_over_encode(const struct hr_checkpoint *checkpoint, int64_t batch, struct hr_buf *out)
{
    const struct hr_taken_over *before = &checkpoint->taken_over;
    uint32_t kept = before->count < HR_TAKEN_OVER_MAX - 1 ? before->count : HR_TAKEN_OVER_MAX - 1;
    struct hr_wire_writer writer;
    hr_wire_begin(&writer, out, "HRCT", FORMAT_VERSION);
    hr_wire_put_i64(&writer, batch);
    hr_wire_put_u32(&writer, kept + 1);
    hr_wire_put_str(&writer, hr_str_from(checkpoint->lineage));
    for (uint32_t i = 0; i < kept; i++) {
        hr_wire_put_str(&writer, hr_str_from(before->lineages[i]));
    }
    hr_wire_end(&writer);
}

static enum hr_status take_over_write(struct hr_checkpoint *checkpoint, const struct hr_batch_entry *entry,
                                      const char *lineage, struct hr_store_batch *changes, struct hr_error *err)
{
    struct hr_buf committed HR_CLEANUP(hr_buf_release);
    struct hr_buf meta HR_CLEANUP(hr_buf_release);
    struct hr_buf before HR_CLEANUP(hr_buf_release);
    hr_buf_init(&committed, 256);
    hr_buf_init(&meta, HR_STATE_VALUE_MAX);
    hr_buf_init(&before, 4096);
    hr_committed_encode(entry->batch, entry->chain, &committed);
    hr_meta_encode(lineage, hr_buf_str(&checkpoint->identity), &meta);
    taken_over_encode(checkpoint, entry->batch, &before);
    hr_store_batch_put(changes, HR_KEY_COMMITTED, hr_buf_str(&committed));
    hr_store_batch_put(changes, HR_KEY_META, hr_buf_str(&meta));
    hr_store_batch_put(changes, HR_KEY_TAKEN_OVER, hr_buf_str(&before));
    HR_TRY(hr_checkpoint_directory_mark(&checkpoint->directory, entry->batch, true, err));
    return hr_checkpoint_write(checkpoint, changes, true, err);
}

enum hr_status hr_checkpoint_take_over(struct hr_checkpoint *checkpoint, int64_t batch, const char lineage[37],
                                       struct hr_error *err)
{
    HR_TRY(hr_checkpoint_usable(checkpoint, err));
    HR_ASSERT(strlen(lineage) == 36);
    struct hr_store_batch changes HR_CLEANUP(hr_store_batch_release) = {0};
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    struct hr_batch_entry entry;
    hr_arena_init(&arena, 4096);
    enum hr_status status =
        batch > checkpoint->committed ? HR_END : hr_checkpoint_read_entry(checkpoint, 'r', batch, &arena, &entry, err);
    if (status == HR_END) {
        (void)hr_fail(err, HR_NO_INPUT, "batch %lld is not kept", (long long)batch);
        return hr_fail_hint(err, "see 'headrace checkpoint list' for those that are");
    }
    HR_TRY(status);
    hr_checkpoint_clear_scratch(checkpoint);
    int64_t last = checkpoint->prepared >= 0 ? checkpoint->prepared : checkpoint->committed;
    for (int64_t dropped = last; dropped > batch; dropped--) {
        HR_TRY(hr_checkpoint_drop_changes(checkpoint, dropped, &changes, err));
    }
    hr_checkpoint_forget_dropped(checkpoint, &changes);
    HR_TRY(take_over_write(checkpoint, &entry, lineage, &changes, err));
    checkpoint->failed = true; /* what is in memory is of the time before */
    return HR_OK;
}

bool hr_checkpoint_may_take_over(const struct hr_checkpoint *checkpoint, const char *lineage)
{
    for (uint32_t i = 0; i < checkpoint->taken_over.count; i++) {
        if (strcmp(checkpoint->taken_over.lineages[i], lineage) == 0) {
            return true;
        }
    }
    return false;
}
