/* SPDX-License-Identifier: Apache-2.0
 *
 * The one path from a checkpoint to a running query, after a clean stop and after a crash alike.
 */
#include "stream/recovery.h"

#include <inttypes.h>
#include <string.h>

#include "stream/start_offsets.h"

static bool sink_is_at_mark(const struct hr_recovery_sink *sink)
{
    return sink->known ? sink->ledger == sink->mark : sink->mark < 0;
}

enum hr_recovery_action hr_recovery_decide(int64_t prepared, const struct hr_recovery_sink *sinks, size_t count)
{
    size_t delivered = 0;
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++) {
        const struct hr_recovery_sink *sink = &sinks[i];
        bool takes_part = prepared >= 0 && sink->takes_part;
        if (!sink->exactly_once) {
            waiting += takes_part;
            continue;
        }
        if (sink->known && !sink->same_lineage) {
            return HR_RECOVERY_REFUSE;
        }
        if (takes_part && sink->known && sink->ledger == prepared) {
            delivered++;
        } else if (sink_is_at_mark(sink)) {
            waiting += takes_part;
        } else {
            return HR_RECOVERY_REFUSE;
        }
    }
    if (prepared < 0) {
        return HR_RECOVERY_GO_ON;
    }
    if (waiting == 0) {
        return HR_RECOVERY_COMMIT;
    }
    return delivered == 0 ? HR_RECOVERY_DROP : HR_RECOVERY_REPLAY;
}

/* ---- what is there ------------------------------------------------------------------------------------------ */

struct recovery {
    struct hr_run *run;
    struct hr_checkpoint_info info;
    struct hr_batch_record committed;
    struct hr_batch_record prepared; /* or the dropped one */
    struct hr_recovery_sink sinks[HR_SINK_MARKS_MAX];
    struct hr_sink_position positions[HR_SINK_MARKS_MAX];
};

static void recovery_release(struct recovery *recovery)
{
    hr_batch_record_release(&recovery->committed);
    hr_batch_record_release(&recovery->prepared);
}

static enum hr_status recovery_read_record(struct hr_run *run, int64_t batch, bool dropped, struct hr_batch_record *out,
                                           struct hr_error *err)
{
    if (batch < 0) {
        return HR_OK;
    }
    hr_buf_clear(&run->buffer);
    enum hr_status status = dropped ? hr_checkpoint_dropped_record(run->checkpoint, &run->buffer, err)
                                    : hr_checkpoint_record(run->checkpoint, batch, &run->buffer, err);
    if (status == HR_END) {
        return hr_fail(err, HR_CORRUPT, "the record of batch %" PRId64 " is missing from the checkpoint", batch);
    }
    HR_TRY(status);
    return hr_batch_record_decode(hr_buf_str(&run->buffer), out, err);
}

static enum hr_status recovery_refuse(const struct recovery *recovery, size_t index, struct hr_error *err)
{
    const struct hr_run *run = recovery->run;
    const struct hr_recovery_sink *sink = &recovery->sinks[index];
    const struct hr_sink_position *position = &recovery->positions[index];
    const char *id = run->sinks[index].sink->id;
    if (sink->known && !sink->same_lineage) {
        (void)hr_fail(err, HR_MISMATCH,
                      "sink '%s' was written by another checkpoint: its ledger says lineage %s, batch %" PRId64
                      "; this checkpoint is lineage %s",
                      id, position->lineage, position->batch, run->lineage);
        return hr_fail_hint(err,
                            "use the checkpoint that wrote it; or go on with `headrace run --new-lineage`: the query "
                            "then starts from its startingOffsets and may write again what is there already");
    }
    if (!sink->known) {
        (void)hr_fail(err, HR_MISMATCH,
                      "sink '%s' should be at batch %" PRId64 ", but its ledger knows nothing: the ledger "
                      "was lost, or the sink writes elsewhere than before",
                      id, sink->mark);
    } else {
        (void)hr_fail(err, HR_MISMATCH,
                      "sink '%s' is at batch %" PRId64 ", the checkpoint is at batch %" PRId64
                      ": the state directory was restored from an older copy, or the ledger was",
                      id, position->batch, sink->mark);
    }
    return hr_fail_hint(err,
                        "restore the checkpoint that belongs to the sink; or keep what this one learned with `headrace "
                        "checkpoint take-over %s`: rows after batch %" PRId64 " are written again; or start from "
                        "startingOffsets with nothing learned: `headrace run --new-lineage`: all may be written again",
                        run->plan->checkpoint_location, recovery->info.committed);
}

/* Does this start take the sinks over, after `headrace checkpoint take-over`? Only the first one does: a batch of the
 * new lineage is prepared when all sinks know of it. */
static bool recovery_takes_over(const struct recovery *recovery)
{
    const struct hr_checkpoint_info *info = &recovery->info;
    return info->taken_over >= 0 && info->committed == info->taken_over && info->prepared < 0;
}

/* The last batch of this lineage in which the sink took part, as the checkpoint has it. */
static int64_t recovery_mark(const struct recovery *recovery, const struct hr_sink *sink)
{
    int64_t mark = hr_batch_record_mark(&recovery->committed, sink->id);
    return mark > recovery->info.taken_over ? mark : -1;
}

enum hr_status hr_recovery_load_state(struct hr_run *run, int64_t batch, struct hr_error *err)
{
    for (size_t i = 0; i < run->part_count && batch >= 0; i++) {
        HR_TRY(hr_checkpoint_load(run->checkpoint, batch, &run->parts[i], err));
    }
    return HR_OK;
}

/* Opens the sinks and asks each for what it remembers. While they are on their way to their brokers, the state of the
 * committed batch is loaded: but for the case that the prepared batch turns out to be delivered, that is the one. */
static enum hr_status recovery_ask_sinks(struct recovery *recovery, bool new_lineage, struct hr_error *err)
{
    struct hr_run *run = recovery->run;
    bool take_over = recovery_takes_over(recovery);
    struct hr_sink_identity identity = {.query = run->plan->name, .new_lineage = new_lineage || take_over};
    memcpy(identity.lineage, run->lineage, sizeof(identity.lineage));
    for (size_t i = 0; i < run->sink_count; i++) {
        hr_sink_start(run->sinks[i].sink, &identity);
    }
    HR_TRY(hr_recovery_load_state(run, recovery->info.committed, err));
    for (size_t i = 0; i < run->sink_count; i++) {
        struct hr_sink *sink = run->sinks[i].sink;
        struct hr_recovery_sink *found = &recovery->sinks[i];
        struct hr_sink_position *position = &recovery->positions[i];
        HR_TRY(hr_sink_open(sink, &identity, err));
        found->exactly_once = sink->guarantee == HR_GUARANTEE_EXACTLY_ONCE;
        found->mark = recovery_mark(recovery, sink);
        found->takes_part = recovery->info.prepared >= 0 &&
                            hr_batch_record_mark(&recovery->prepared, sink->id) == recovery->info.prepared;
        if (!found->exactly_once) {
            continue;
        }
        HR_TRY(hr_sink_recover(sink, position, err));
        found->known = position->known;
        found->ledger = position->batch;
        found->same_lineage = position->known && strcmp(position->lineage, run->lineage) == 0;
        if (position->unseen >= 0 && position->unseen == found->mark) {
            found->known = found->same_lineage = true; /* committed, and taken away by a reader since */
            found->ledger = position->unseen;
        }
        bool follows = !position->known || hr_checkpoint_may_take_over(run->checkpoint, position->lineage);
        if ((new_lineage || (take_over && follows)) && !found->same_lineage) {
            /* The sink learns of the new lineage at once, so that the next start needs no flag. */
            HR_TRY(hr_sink_begin(sink, -1, err));
            HR_TRY(hr_sink_commit(sink, -1, err));
            found->known = found->same_lineage = true;
            found->ledger = -1;
        }
    }
    return HR_OK;
}

/* ---- what to do --------------------------------------------------------------------------------------------- */

/* Where the source goes on: at the end of the committed batch, or where the very first batch was to start. */
static enum hr_status recovery_open_source(struct recovery *recovery, struct hr_error *err)
{
    struct hr_run *run = recovery->run;
    if (run->batch > 0) {
        return hr_source_open(run->plan->source, &run->record.end, err);
    }
    struct hr_offsets start = {0};
    bool known = false;
    enum hr_status status = hr_start_offsets_load(hr_checkpoint_identity(run->checkpoint), &start, &known, err);
    if (status == HR_OK) {
        status = hr_source_open(run->plan->source, known ? &start : NULL, err);
    }
    hr_offsets_release(&start);
    HR_TRY(status);
    return known ? HR_OK : hr_start_offsets_store(run->checkpoint, &run->plan->source->position, err);
}

/* May a sink that remembers nothing have shown rows of the prepared batch? Then the batch has to come again with the
 * same range, also when the process dies once more between dropping it and preparing it. */
static bool recovery_may_be_shown(const struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->run->sink_count; i++) {
        if (!recovery->sinks[i].exactly_once && recovery->sinks[i].takes_part) {
            return true;
        }
    }
    return false;
}

/* Not when it may have been too large: who lowers the limit has to be heard. */
static bool recovery_runs_dropped(const struct recovery *recovery)
{
    int64_t limit = recovery->run->plan->source->rows_per_trigger_max;
    return recovery->info.dropped >= 0 && recovery->prepared.input_rows <= (uint64_t)limit;
}

static enum hr_status recovery_act(struct recovery *recovery, enum hr_recovery_action action, struct hr_error *err)
{
    struct hr_run *run = recovery->run;
    struct hr_batch_record *base = &recovery->committed;
    if (action == HR_RECOVERY_DROP) {
        HR_TRY(hr_checkpoint_drop_prepared(run->checkpoint, recovery_may_be_shown(recovery), err));
    } else if (action == HR_RECOVERY_COMMIT) {
        /* Of the pages only those that the batch wrote are read: those before it are in memory. */
        HR_TRY(hr_checkpoint_load_prepared(run->checkpoint, run->parts, run->part_count, err));
        HR_TRY(hr_checkpoint_commit(run->checkpoint, hr_run_commits_durably(run), err));
        base = &recovery->prepared;
    } else if (action == HR_RECOVERY_REPLAY) {
        run->replay = true;
        run->replay_crc = recovery->info.prepared_crc;
        for (size_t i = 0; i < run->sink_count; i++) {
            run->sinks[i].delivered = recovery->sinks[i].exactly_once && recovery->sinks[i].takes_part &&
                                      recovery->sinks[i].known && recovery->sinks[i].ledger == recovery->info.prepared;
        }
    }
    hr_batch_record_release(&run->record);
    run->record = *base;
    *base = (struct hr_batch_record){.batch = -1};
    if (action == HR_RECOVERY_REPLAY) {
        /* The batch's own record is in the checkpoint already; those after it must know who took part in it. */
        memcpy(run->record.marks, recovery->prepared.marks, sizeof(run->record.marks));
        run->record.mark_count = recovery->prepared.mark_count;
    }
    run->batch = run->record.batch + 1;
    HR_TRY(recovery_open_source(recovery, err));
    run->plan->source->lost_rows += run->record.lost_rows;
    if (action == HR_RECOVERY_DROP || action == HR_RECOVERY_REPLAY || recovery_runs_dropped(recovery)) {
        run->has_range = true;
        hr_offsets_copy(&run->record.end, &recovery->prepared.end);
    }
    return HR_OK;
}

static enum hr_status recovery_run(struct recovery *recovery, bool new_lineage, enum hr_recovery_action *out_action,
                                   struct hr_error *err)
{
    struct hr_run *run = recovery->run;
    hr_checkpoint_info(run->checkpoint, &recovery->info);
    memcpy(run->lineage, recovery->info.lineage, sizeof(run->lineage));
    HR_TRY(recovery_read_record(run, recovery->info.committed, false, &recovery->committed, err));
    HR_TRY(recovery_read_record(run, recovery->info.prepared, false, &recovery->prepared, err));
    HR_TRY(recovery_read_record(run, recovery->info.dropped, true, &recovery->prepared, err));
    hr_source_start(run->plan->source);
    HR_TRY(recovery_ask_sinks(recovery, new_lineage, err));
    *out_action = hr_recovery_decide(recovery->info.prepared, recovery->sinks, run->sink_count);
    for (size_t i = 0; *out_action == HR_RECOVERY_REFUSE && i < run->sink_count; i++) {
        if (hr_recovery_decide(recovery->info.prepared, &recovery->sinks[i], 1) == HR_RECOVERY_REFUSE) {
            return recovery_refuse(recovery, i, err);
        }
    }
    return recovery_act(recovery, *out_action, err);
}

enum hr_status hr_recovery_run(struct hr_run *run, bool new_lineage, enum hr_recovery_action *out_action,
                               struct hr_error *err)
{
    struct recovery recovery = {.run = run, .committed.batch = -1, .prepared.batch = -1};
    enum hr_status status = recovery_run(&recovery, new_lineage, out_action, err);
    recovery_release(&recovery);
    return status;
}
