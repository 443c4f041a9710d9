/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what a checkpoint says about itself and checks that it is whole: the committed batch has its record, the
 * records of the kept batches follow each other without a gap, and nothing that was durable is missing.
 */
#include <string.h>

#include "base/wire.h"
#include "state/checkpoint_internal.h"

enum hr_status hr_checkpoint_hint_corrupt(struct hr_error *err)
{
    return hr_fail_hint(err, "restore the checkpoint directory from a copy, or start a new lineage with "
                             "--new-lineage");
}

uint32_t hr_checkpoint_chain_start(const char *lineage)
{
    return hr_crc32c(0, lineage, strlen(lineage));
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
        return hr_checkpoint_hint_corrupt(err);
    }
    if (batch > checkpoint->committed + 1) {
        hr_fail(err, HR_CORRUPT, "there is a record of batch %lld, but batch %lld was the last one committed",
                (long long)batch, (long long)checkpoint->committed);
        return hr_checkpoint_hint_corrupt(err);
    }
    if (batch == checkpoint->committed) {
        if (entry.chain != checkpoint->committed_chain) {
            hr_fail(err, HR_CORRUPT, "the record of the committed batch %lld is not the one that was committed",
                    (long long)batch);
            return hr_checkpoint_hint_corrupt(err);
        }
        hr_part_table_copy(&checkpoint->parts, &entry.parts, 0, &checkpoint->parts_arena);
    } else if (batch == checkpoint->committed + 1) {
        if (entry.previous_chain != checkpoint->committed_chain) {
            hr_fail(err, HR_CORRUPT, "the prepared batch %lld does not follow the committed one", (long long)batch);
            return hr_checkpoint_hint_corrupt(err);
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
    return hr_checkpoint_hint_corrupt(err);
}

static enum hr_status checkpoint_check_mark(const struct hr_checkpoint *checkpoint, struct hr_error *err)
{
    int64_t known = checkpoint->prepared >= 0 ? checkpoint->prepared : checkpoint->committed;
    if (checkpoint->directory.mark <= known) {
        return HR_OK;
    }
    hr_fail(err, HR_CORRUPT, "%s: batch %lld was durable, but the store ends at batch %lld: a log file is lost",
            checkpoint->directory.path, (long long)checkpoint->directory.mark, (long long)known);
    return hr_checkpoint_hint_corrupt(err);
}

static enum hr_status any_key_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    (void)context;
    (void)key;
    (void)value;
    hr_fail(err, HR_CORRUPT, "the store does not say which batch was committed last");
    return hr_checkpoint_hint_corrupt(err);
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
        return hr_checkpoint_hint_corrupt(err);
    }
    checkpoint->dropped = entry.batch;
    return HR_OK;
}

enum hr_status hr_checkpoint_read(struct hr_checkpoint *checkpoint, struct hr_error *err)
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
        return hr_checkpoint_hint_corrupt(err);
    }
    HR_TRY(status);
    hr_buf_clear(&checkpoint->identity);
    HR_TRY(hr_meta_decode(hr_buf_str(&checkpoint->value), checkpoint->lineage, &checkpoint->identity, err));
    HR_TRY(hr_checkpoint_read_taken_over(checkpoint, err));
    struct record_pass pass = {.checkpoint = checkpoint, .last = -1};
    HR_TRY(hr_store_scan(checkpoint->store, HR_STR("r"), record_visit, &pass, err));
    if (pass.last < checkpoint->committed) {
        hr_fail(err, HR_CORRUPT, "the record of the committed batch %lld is missing", (long long)checkpoint->committed);
        return hr_checkpoint_hint_corrupt(err);
    }
    if (checkpoint->committed < 0 && checkpoint->committed_chain != hr_checkpoint_chain_start(checkpoint->lineage)) {
        hr_fail(err, HR_CORRUPT, "the checkpoint's lineage is not the one that it was made with");
        return hr_checkpoint_hint_corrupt(err);
    }
    HR_TRY(checkpoint_read_dropped(checkpoint, err));
    HR_TRY(hr_store_scan(checkpoint->store, HR_STR("d"), first_batch_visit, &checkpoint->oldest_delta, err));
    HR_TRY(checkpoint_check_window(checkpoint, pass.last, err));
    return checkpoint_check_mark(checkpoint, err);
}
