/* SPDX-License-Identifier: Apache-2.0
 *
 * Planted bugs: the test of the test. They are put between the engine's layers by the linker (--wrap, CMakeLists.txt)
 * or into the simulated ports, so that nothing of them is in src/, and each must be found.
 */
#include <string.h>

#include "base/wire.h"
#include "sim_bug.h"
#include "state/checkpoint_format.h"
#include "state/checkpoint_internal.h"
#include "stream/start_offsets.h"

const char *const sim_bug_names[SIM_BUG_COUNT] = {
    [SIM_BUG_NONE] = "none",
    [SIM_BUG_COMMIT_BEFORE_DELIVER] = "commit-before-deliver",
    [SIM_BUG_LEDGER_OUTSIDE] = "ledger-outside",
    [SIM_BUG_DELTA_TWICE] = "delta-twice",
    [SIM_BUG_PRUNE_EARLY] = "prune-early",
    [SIM_BUG_LEDGER_UNCHECKED] = "ledger-unchecked",
    [SIM_BUG_PREPARE_UNSYNCED] = "prepare-unsynced",
    [SIM_BUG_NO_FENCE] = "no-fence",
    [SIM_BUG_REDELIVER] = "redeliver",
    [SIM_BUG_MARK_KEPT] = "mark-kept",
    [SIM_BUG_START_FORGOTTEN] = "start-forgotten",
    [SIM_BUG_RANGE_FORGOTTEN] = "range-forgotten",
    [SIM_BUG_RANGE_AHEAD] = "range-ahead",
};
enum sim_bug sim_planted;

static struct sim_instance *checkpoint_instance(const struct hr_checkpoint *checkpoint)
{
    return ((struct sim_store *)checkpoint->store)->instance;
}

/* The linker turns calls of NAME in other files into __wrap_NAME, and __real_NAME is the function itself. */
enum hr_status __real_hr_sink_commit(struct hr_sink *sink, int64_t batch, struct hr_error *err);
enum hr_status __wrap_hr_sink_commit(struct hr_sink *sink, int64_t batch, struct hr_error *err);
enum hr_status __real_hr_sink_recover(struct hr_sink *sink, struct hr_sink_position *out, struct hr_error *err);
enum hr_status __wrap_hr_sink_recover(struct hr_sink *sink, struct hr_sink_position *out, struct hr_error *err);
enum hr_status __real_hr_checkpoint_commit(struct hr_checkpoint *checkpoint, bool sync, struct hr_error *err);
enum hr_status __wrap_hr_checkpoint_commit(struct hr_checkpoint *checkpoint, bool sync, struct hr_error *err);
enum hr_status __real_hr_checkpoint_drop_prepared(struct hr_checkpoint *checkpoint, bool keep_record,
                                                  struct hr_error *err);
enum hr_status __wrap_hr_checkpoint_drop_prepared(struct hr_checkpoint *checkpoint, bool keep_record,
                                                  struct hr_error *err);
enum hr_status __real_hr_checkpoint_load(struct hr_checkpoint *checkpoint, int64_t batch,
                                         const struct hr_checkpoint_part *part, struct hr_error *err);
enum hr_status __wrap_hr_checkpoint_load(struct hr_checkpoint *checkpoint, int64_t batch,
                                         const struct hr_checkpoint_part *part, struct hr_error *err);
void __real_hr_checkpoint_info(const struct hr_checkpoint *checkpoint, struct hr_checkpoint_info *out);
void __wrap_hr_checkpoint_info(const struct hr_checkpoint *checkpoint, struct hr_checkpoint_info *out);
enum hr_status __wrap_hr_checkpoint_directory_mark(struct hr_checkpoint_directory *directory, int64_t batch, bool sync,
                                                   struct hr_error *err);
enum hr_status __real_hr_start_offsets_store(struct hr_checkpoint *checkpoint, const struct hr_offsets *offsets,
                                             struct hr_error *err);
enum hr_status __wrap_hr_start_offsets_store(struct hr_checkpoint *checkpoint, const struct hr_offsets *offsets,
                                             struct hr_error *err);
enum hr_status __real_hr_source_open(struct hr_source *source, const struct hr_offsets *committed,
                                     struct hr_error *err);
enum hr_status __wrap_hr_source_open(struct hr_source *source, const struct hr_offsets *committed,
                                     struct hr_error *err);

/* A checkpoint over a store has no directory, so its mark is simulated here. Planted: a dropped batch leaves it. */
enum hr_status __wrap_hr_checkpoint_directory_mark(struct hr_checkpoint_directory *directory, int64_t batch, bool sync,
                                                   struct hr_error *err)
{
    const char *place = (const char *)directory - offsetof(struct hr_checkpoint, directory);
    struct sim_instance *instance = checkpoint_instance((const struct hr_checkpoint *)place);
    return sync && sim_has_bug(instance->world, SIM_BUG_MARK_KEPT) ? HR_OK : sim_mark(instance, batch, sync, err);
}

/* ---- commit before deliver ---------------------------------------------------------------------------------- */

enum hr_status __wrap_hr_sink_commit(struct hr_sink *sink, int64_t batch, struct hr_error *err)
{
    struct sim_instance *instance = sim_sink_instance(sink);
    if (batch >= 0 && instance->checkpoint->prepared == batch &&
        sim_has_bug(instance->world, SIM_BUG_COMMIT_BEFORE_DELIVER)) {
        HR_TRY(__real_hr_checkpoint_commit(instance->checkpoint, false, err));
    }
    return __real_hr_sink_commit(sink, batch, err);
}

enum hr_status __wrap_hr_checkpoint_commit(struct hr_checkpoint *checkpoint, bool sync, struct hr_error *err)
{
    struct sim_instance *instance = checkpoint_instance(checkpoint);
    if (sim_has_bug(instance->world, SIM_BUG_COMMIT_BEFORE_DELIVER) && checkpoint->prepared < 0) {
        return HR_OK; /* was done before the first sink's */
    }
    return __real_hr_checkpoint_commit(checkpoint, sync, err);
}

/* ---- delta applied twice: a range that is run again starts from the state after it --------------------------- */

enum hr_status __wrap_hr_checkpoint_drop_prepared(struct hr_checkpoint *checkpoint, bool keep_record,
                                                  struct hr_error *err)
{
    struct sim_instance *instance = checkpoint_instance(checkpoint);
    if (sim_has_bug(instance->world, SIM_BUG_DELTA_TWICE)) {
        instance->drop_pending = true;
        instance->keep_record = keep_record;
        return HR_OK;
    }
    return __real_hr_checkpoint_drop_prepared(checkpoint, keep_record, err);
}

enum hr_status __wrap_hr_checkpoint_load(struct hr_checkpoint *checkpoint, int64_t batch,
                                         const struct hr_checkpoint_part *part, struct hr_error *err)
{
    bool twice = sim_has_bug(checkpoint_instance(checkpoint)->world, SIM_BUG_DELTA_TWICE) && checkpoint->prepared >= 0;
    return __real_hr_checkpoint_load(checkpoint, twice ? batch + 1 : batch, part, err);
}

enum hr_status __wrap_hr_source_open(struct hr_source *source, const struct hr_offsets *committed, struct hr_error *err)
{
    struct sim_instance *instance = sim_source_instance(source);
    if (instance->drop_pending) {
        instance->drop_pending = false;
        HR_TRY(__real_hr_checkpoint_drop_prepared(instance->checkpoint, instance->keep_record, err));
    }
    return __real_hr_source_open(source, committed, err);
}

/* ---- start forgotten: where the first batch is to start is not kept ------------------------------------------ */

enum hr_status __wrap_hr_start_offsets_store(struct hr_checkpoint *checkpoint, const struct hr_offsets *offsets,
                                             struct hr_error *err)
{
    bool forgotten = sim_has_bug(checkpoint_instance(checkpoint)->world, SIM_BUG_START_FORGOTTEN);
    return forgotten ? HR_OK : __real_hr_start_offsets_store(checkpoint, offsets, err);
}

/* ---- range forgotten: a dropped batch is planned anew when a second crash comes before it is prepared again --- */

void __wrap_hr_checkpoint_info(const struct hr_checkpoint *checkpoint, struct hr_checkpoint_info *out)
{
    __real_hr_checkpoint_info(checkpoint, out);
    if (sim_has_bug(checkpoint_instance(checkpoint)->world, SIM_BUG_RANGE_FORGOTTEN)) {
        out->dropped = -1;
    }
}

/* ---- ledger not checked: each sink is taken to be where the checkpoint left it ------------------------------- */

enum hr_status __wrap_hr_sink_recover(struct hr_sink *sink, struct hr_sink_position *out, struct hr_error *err)
{
    struct sim_instance *instance = sim_sink_instance(sink);
    HR_TRY(__real_hr_sink_recover(sink, out, err));
    if (!sim_has_bug(instance->world, SIM_BUG_LEDGER_UNCHECKED)) {
        return HR_OK;
    }
    struct hr_checkpoint *checkpoint = instance->checkpoint;
    struct hr_batch_record record = {.batch = -1};
    struct hr_buf bytes HR_CLEANUP(hr_buf_release);
    hr_buf_init(&bytes, 1u << 20);
    if (checkpoint->committed >= 0) {
        HR_TRY(hr_checkpoint_record(checkpoint, checkpoint->committed, &bytes, err));
        HR_TRY(hr_batch_record_decode(hr_buf_str(&bytes), &record, err));
    }
    out->batch = hr_batch_record_mark(&record, sink->id);
    out->known = out->batch >= 0;
    memcpy(out->lineage, checkpoint->lineage, sizeof(out->lineage));
    hr_batch_record_release(&record);
    return HR_OK;
}

/* ---- prune too early: what a batch supersedes goes when the batch is prepared -------------------------------- */

static void prune_superseded(struct sim_instance *instance, struct hr_str value, int64_t batch)
{
    struct hr_store_batch removed HR_CLEANUP(hr_store_batch_release) = {0};
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    struct hr_delta delta;
    hr_arena_init(&arena, 0);
    if (hr_delta_decode(value, batch, &arena, &delta, NULL) != HR_OK) {
        return;
    }
    for (size_t i = 0; i < delta.count; i++) {
        for (size_t j = 0; j < delta.parts[i].count; j++) {
            const struct hr_delta_page *page = &delta.parts[i].pages[j];
            if (page->superseded >= 0) {
                char *key = hr_arena_alloc(&arena, HR_PAGE_KEY_MAX);
                hr_store_batch_remove(&removed, hr_key_page(delta.parts[i].name, page->page, page->superseded, key));
            }
        }
    }
    (void)hr_store_write(instance->memory, &removed, false, NULL);
}

void sim_bug_after_write(struct sim_instance *instance, const struct hr_store_batch *batch)
{
    if (!sim_has_bug(instance->world, SIM_BUG_PRUNE_EARLY)) {
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        int64_t number;
        const struct hr_store_change *change = &batch->changes[i];
        if (!change->remove && change->key.data[0] == 'd' && hr_key_parse_batch(change->key, &number, NULL) == HR_OK) {
            prune_superseded(instance, change->value, number);
        }
    }
}
