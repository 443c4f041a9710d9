/* SPDX-License-Identifier: Apache-2.0
 *
 * The heart: one batch on one screen (hr_microbatch_run, at the end). Rows go through decode, transform and learn chunk
 * by chunk while they are in the cache, and each chunk is handed to the sinks at once: what a sink is given stays
 * invisible until deliver, so that nothing is shown before prep/N is durable.
 */
#include "stream/microbatch.h"

#include <string.h>

#include "base/fault.h"
#include "stream/bad_records.h"
#include "stream/progress.h"

/* Sources have a limit of bytes, too; a batch that is half as large as the least of them has more behind it. */
#define BACKLOG_BYTES (UINT64_C(8) << 20)

/* ---- 1 plan, 2 read ----------------------------------------------------------------------------------------- */

/* How far a plan may go. */
static struct hr_source_limit batch_limit(const struct hr_run *run, int64_t wait_us)
{
    int64_t rows = run->plan->source->rows_per_trigger_max;
    bool once = run->plan->trigger.kind == HR_TRIGGER_ONCE;
    return (struct hr_source_limit){
        .rows = once                ? INT64_MAX
                : rows == INT64_MAX ? HR_BATCH_ROWS_MAX
                                    : rows,
        .target = run->has_target ? &run->target : NULL,
        .wait_us = wait_us,
    };
}

/* Where the batch starts and ends, when neither a prepared range nor the read-ahead says so. */
static enum hr_status batch_choose_range(struct hr_run *run, int64_t wait_us, struct hr_error *err)
{
    struct hr_source *source = run->plan->source;
    if (!run->has_range) {
        struct hr_source_limit limit = batch_limit(run, wait_us);
        source->waited_ns = 0;
        HR_TRY(hr_source_plan(source, &limit, &run->record.end, err));
        /* Waiting for data is not part of the batch. */
        run->start_ns += source->waited_ns;
        run->step_start_ns += source->waited_ns;
    }
    hr_offsets_copy(&run->record.start, &source->position);
    return HR_OK;
}

static enum hr_status batch_plan(struct hr_run *run, int64_t wait_us, struct hr_error *err)
{
    run->previous_start_ns = run->start_ns;
    run->start_ns = run->step_start_ns = hr_clock_monotonic_ns(run->clock);
    memset(run->step_ns, 0, sizeof(run->step_ns));
    hr_run_enter(run, HR_STEP_PLAN);
    hr_arena_reset(&run->batch_arena);
    hr_rejects_init(&run->rejects, &run->batch_arena);
    run->judged_rejects = 0;
    run->read_ahead = hr_read_ahead_take(&run->ahead, &run->record.start, &run->planned, &run->read, err);
    HR_TRY(run->read_ahead ? run->planned : batch_choose_range(run, wait_us, err));
    run->record.batch = run->batch;
    run->record.timestamp_us = hr_clock_wall_us(run->clock);
    return hr_fault("plan.after", err);
}

static enum hr_status batch_read(struct hr_run *run, struct hr_error *err)
{
    hr_run_enter(run, HR_STEP_READ);
    HR_TRY(run->read_ahead ? run->read : hr_source_read(run->plan->source, &run->record.end, &run->records, err));
    /* The position after the read carries the anchors of the last records. */
    hr_offsets_copy(&run->record.end, &run->plan->source->position);
    run->record.lost_rows = run->plan->source->lost_rows;
    run->tombstones = run->records.tombstones;
    run->input_bytes = run->records.bytes;
    run->record.input_rows = run->record.output_rows = run->record.dead_letters = 0;
    for (size_t i = 0; i < run->records.count; i++) {
        run->record.input_rows += (run->records.items[i].flags & HR_RECORD_HEADER) == 0;
    }
    return hr_fault("read.after", err);
}

/* ---- 3 decode, 4 transform, 5 learn ------------------------------------------------------------------------- */

static enum hr_status chunk_decode(struct hr_run *run, size_t first, size_t count, struct hr_chunk *chunk,
                                   struct hr_error *err)
{
    hr_run_enter(run, HR_STEP_DECODE);
    hr_chunk_init(chunk, &run->plan->schema, count, run->records.items, &run->rejects, &run->chunk_arena);
    hr_format_decode(run->plan->format, run->records.items + first, (uint32_t)first, count, chunk);
    hr_format_fill_metadata(chunk);
    return hr_bad_records_judge(run, err);
}

static enum hr_status chunk_transform(struct hr_run *run, struct hr_chunk *chunk, struct hr_error *err)
{
    hr_run_enter(run, HR_STEP_TRANSFORM);
    hr_pipeline_transform(&run->plan->pipeline, chunk);
    return hr_bad_records_judge(run, err);
}

static enum hr_status chunk_learn(struct hr_run *run, struct hr_chunk *chunk, struct hr_error *err)
{
    struct hr_model *model = run->plan->model;
    hr_run_enter(run, HR_STEP_LEARN);
    if (model == NULL) {
        return HR_OK;
    }
    if (run->learning) {
        HR_TRY(hr_model_learn(model, chunk, err));
    } else {
        hr_model_score(model, chunk);
    }
    hr_chunk_compact(chunk, chunk->schema->count);
    if (run->plan->evaluation != NULL && run->learning) {
        hr_evaluation_observe(run->plan->evaluation, chunk);
    }
    return hr_bad_records_judge(run, err);
}

enum hr_status hr_microbatch_chunk(struct hr_run *run, size_t first, size_t count, struct hr_chunk *chunk,
                                   struct hr_error *err)
{
    hr_arena_reset(&run->chunk_arena);
    HR_TRY(chunk_decode(run, first, count, chunk, err));
    HR_TRY(chunk_transform(run, chunk, err));
    return chunk_learn(run, chunk, err);
}

/* Hands a finished chunk to the sinks, invisible until deliver; counts as deliver in the times. */
static enum hr_status chunk_write(struct hr_run *run, const struct hr_chunk *chunk, struct hr_error *err)
{
    hr_run_enter(run, HR_STEP_DELIVER);
    for (size_t i = 0; i < run->plan->sink_count; i++) {
        struct hr_run_sink *entry = &run->sinks[i];
        if (entry->sink->content == HR_CONTENT_ROWS && !entry->delivered && chunk->rows > 0) {
            HR_TRY(hr_sink_write_rows(entry->sink, chunk, err));
        }
    }
    run->record.output_rows += chunk->rows;
    return HR_OK;
}

static enum hr_status batch_process(struct hr_run *run, struct hr_error *err)
{
    for (size_t i = 0; i < run->sink_count; i++) {
        if (!run->sinks[i].delivered) {
            HR_TRY(hr_sink_begin(run->sinks[i].sink, run->batch, err));
        }
    }
    for (size_t first = 0; first < run->records.count; first += HR_CHUNK_ROWS) {
        if (run->stop != NULL && hr_stop_level(run->stop) >= 2) {
            return hr_fail(err, HR_INTERRUPTED, "batch %lld aborted on request", (long long)run->batch);
        }
        size_t left = run->records.count - first;
        size_t count = left < HR_CHUNK_ROWS ? left : HR_CHUNK_ROWS;
        size_t rejects = run->rejects.count;
        struct hr_chunk chunk;
        HR_TRY(hr_microbatch_chunk(run, first, count, &chunk, err));
        HR_TRY(chunk_write(run, &chunk, err));
        if (run->rejects.count == rejects) { /* dead letters quote records */
            hr_source_release_records(run->plan->source, first, count);
        }
    }
    hr_run_enter(run, HR_STEP_LEARN);
    if (run->plan->model != NULL) {
        HR_TRY(hr_model_end_batch(run->plan->model, err));
    }
    return hr_fault("learn.after", err);
}

/* ---- 6 prepare, 7 deliver, 8 commit ------------------------------------------------------------------------- */

/* Dead letters and progress documents are part of the batch: they are written before it is known what takes part. */
static enum hr_status batch_write_documents(struct hr_run *run, struct hr_error *err)
{
    HR_TRY(hr_bad_records_write(run, err));
    for (size_t i = 0; i < run->plan->sink_count; i++) {
        struct hr_run_sink *entry = &run->sinks[i];
        if (entry->sink->content == HR_CONTENT_METRICS && !entry->delivered) {
            hr_buf_clear(&run->buffer);
            hr_progress_write(run, NULL, &run->buffer);
            struct hr_document document = {.value = hr_buf_str(&run->buffer)};
            HR_TRY(hr_sink_write_document(entry->sink, &document, err));
        }
    }
    return HR_OK;
}

/* Plan and read of the next batch begin when there is a backlog: this one was as large as it may be. With less, a range
 * chosen now would lack what comes until the next batch starts; with an interval, too. */
static void batch_begin_ahead(struct hr_run *run)
{
    const struct hr_trigger *trigger = &run->plan->trigger;
    struct hr_source_limit limit = batch_limit(run, 0);
    uint64_t rows = run->record.input_rows + run->tombstones;
    bool backlog =
        rows + rows / 8 >= (uint64_t)limit.rows || run->input_bytes >= BACKLOG_BYTES; /* gaps have no record */
    bool at_once = trigger->kind != HR_TRIGGER_ONCE && trigger->interval_us == 0;
    bool stopping = run->stop != NULL && hr_stop_level(run->stop) > 0;
    if ((run->plan->source->flags & HR_SOURCE_AHEAD) && backlog && at_once && !stopping) {
        hr_read_ahead_begin(&run->ahead, run->plan->source, &limit, &run->records);
    }
}

static enum hr_status batch_check_replay(struct hr_run *run, struct hr_error *err)
{
    if (hr_checkpoint_delta_crc(run->parts, run->part_count) != run->replay_crc) {
        (void)hr_fail(err, HR_CORRUPT, "batch %lld was run again and came to another state than the one prepared",
                      (long long)run->batch);
        return hr_fail_hint(err, "the source gave other records, or this is another version of the program: run the "
                                 "one that prepared it; or drop the batch with `headrace checkpoint take-over`: sinks "
                                 "that have it get its rows again (docs/recovery.md)");
    }
    for (size_t i = 0; i < run->part_count; i++) {
        hr_paged_clear_dirty(run->parts[i].paged);
    }
    return HR_OK;
}

static enum hr_status batch_prepare(struct hr_run *run, struct hr_error *err)
{
    hr_run_enter(run, HR_STEP_PREPARE);
    HR_TRY(batch_write_documents(run, err));
    batch_begin_ahead(run); /* from here on nothing looks at this batch's records */
    if (run->replay) {
        return batch_check_replay(run, err);
    }
    for (size_t i = 0; i < run->sink_count; i++) {
        if (run->sinks[i].sink->dirty) {
            hr_batch_record_set_mark(&run->record, run->sinks[i].sink->id, run->batch);
        }
    }
    HR_TRY(hr_fault("prepare.before", err));
    hr_buf_clear(&run->buffer);
    hr_batch_record_encode(&run->record, &run->buffer);
    HR_TRY(
        hr_checkpoint_prepare(run->checkpoint, run->batch, hr_buf_str(&run->buffer), run->parts, run->part_count, err));
    return hr_fault("prepare.after", err);
}

static enum hr_status batch_deliver(struct hr_run *run, struct hr_error *err)
{
    hr_run_enter(run, HR_STEP_DELIVER);
    HR_TRY(hr_fault("deliver.before", err));
    for (size_t i = 0; i < run->sink_count; i++) {
        struct hr_run_sink *entry = &run->sinks[i];
        if (!entry->delivered && entry->sink->dirty) {
            HR_TRY(hr_sink_commit(entry->sink, run->batch, err));
            HR_TRY(hr_fault("deliver.sink", err));
        }
        entry->delivered = false;
    }
    return hr_fault("deliver.after", err);
}

static enum hr_status batch_commit(struct hr_run *run, struct hr_error *err)
{
    hr_run_enter(run, HR_STEP_COMMIT);
    HR_TRY(hr_fault("commit.before", err));
    HR_TRY(hr_checkpoint_commit(run->checkpoint, hr_run_commits_durably(run), err));
    hr_run_enter(run, HR_STEP_READ); /* of the next batch, but waited for now */
    hr_read_ahead_join(&run->ahead); /* what follows asks the source */
    hr_run_leave(run);
    hr_source_committed(run->plan->source, &run->record.end);
    run->batch++;
    run->has_range = run->replay = false;
    return hr_fault("commit.after", err);
}

/* ---- a batch, whole ----------------------------------------------------------------------------------------- */

enum hr_status hr_microbatch_run(struct hr_run *run, int64_t wait_us, struct hr_error *err)
{
    HR_TRY(batch_plan(run, wait_us, err)); /* choose the range, capped by the trigger */
    HR_TRY(batch_read(run, err));          /* fetch exactly that range */
    HR_TRY(batch_process(run, err));       /* chunk by chunk: decode, transform, learn */
    HR_TRY(batch_prepare(run, err));       /* one synced write: range, delta, who takes part */
    HR_TRY(batch_deliver(run, err));       /* every sink commits N, idempotent by (lineage, N) */
    return batch_commit(run, err);         /* the delta is the state: N is done */
}
