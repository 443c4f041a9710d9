/* SPDX-License-Identifier: Apache-2.0
 *
 * One micro-batch in eight words: plan, read, decode, transform, learn, prepare, deliver, commit. The run is what changes
 * from batch to batch; the plan is what does not.
 */
#ifndef HR_STREAM_MICROBATCH_H
#define HR_STREAM_MICROBATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/thread.h"
#include "state/checkpoint.h"
#include "stream/plan.h"
#include "stream/record.h"

#define HR_STEPS(X) X(PLAN, "plan") X(READ, "read") X(DECODE, "decode") X(TRANSFORM, "transform") X(LEARN, "learn") \
    X(PREPARE, "prepare") X(DELIVER, "deliver") X(COMMIT, "commit")

enum hr_step {
#define HR_STEP_MEMBER(name, text) HR_STEP_##name,
    HR_STEPS(HR_STEP_MEMBER)
#undef HR_STEP_MEMBER
    HR_STEP_COUNT
};
extern const char *const hr_step_names[HR_STEP_COUNT];

/* The running state of a query. Thread: the query's. */
struct hr_run {
    struct hr_plan *plan;
    struct hr_checkpoint *checkpoint; /* NULL: eval */
    const struct hr_clock *clock;
    struct hr_stop *stop;
    char run_id[37];
    char lineage[37];
    int64_t batch; /* the one being run, or next */
    struct hr_arena batch_arena; /* rejects, progress */
    struct hr_arena chunk_arena;
    struct hr_records records;
    struct hr_rejects rejects;
    struct hr_offsets start; /* of the batch */
    struct hr_offsets end;
    struct hr_offsets target; /* availableNow, once */
    bool has_target;
    struct hr_checkpoint_part *parts; /* everything that learns */
    size_t part_count;
    struct hr_batch_record record; /* what prep/N says beside the delta */
    int64_t step_ns[HR_STEP_COUNT];
    int64_t batch_start_us;
    int64_t previous_start_us;
    uint64_t rows_out;
    uint64_t bad_window[2]; /* records, bad ones: of the maxRatio window */
    bool replay; /* the batch was prepared before: its range is given, its delta must be the same */
    uint32_t replay_crc;
};

/* Runs one batch. HR_AGAIN: no data yet. HR_END: the bounded input or the trigger is done. Any other failure ends the run;
 * the state in memory is then ahead of the checkpoint and must be thrown away. */
enum hr_status hr_microbatch_run(struct hr_run *run, struct hr_error *err);

#endif
