/* SPDX-License-Identifier: Apache-2.0
 *
 * Run: everything of a query that changes from batch to batch. The plan is what does not. A run is thrown away whole
 * when a batch fails, and made again from the checkpoint.
 */
#ifndef HR_STREAM_RUN_H
#define HR_STREAM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/thread.h"
#include "state/checkpoint.h"
#include "stream/plan.h"
#include "stream/read_ahead.h"
#include "stream/record.h"

#define HR_STEPS(X) \
    X(PLAN, "plan") \
    X(READ, "read") \
    X(DECODE, "decode") \
    X(TRANSFORM, "transform") \
    X(LEARN, "learn") \
    X(PREPARE, "prepare") \
    X(DELIVER, "deliver") \
    X(COMMIT, "commit")

enum hr_step {
#define HR_STEP_MEMBER(name, text) HR_STEP_##name,
    HR_STEPS(HR_STEP_MEMBER)
#undef HR_STEP_MEMBER
        HR_STEP_COUNT
};
extern const char *const hr_step_names[HR_STEP_COUNT];

/* A sink in a run: the query's sinks in order, then the dead letters' one. */
struct hr_run_sink {
    struct hr_sink *sink;
    bool delivered; /* has the batch already: a half-delivered batch is run again for the others */
};

/* Thread: the query's; while a batch is prepared, delivered and committed, source and records are the read-ahead's. */
struct hr_run {
    struct hr_plan *plan;
    struct hr_checkpoint *checkpoint; /* NULL: eval and score */
    const struct hr_clock *clock;
    struct hr_stop *stop; /* may be NULL */
    char run_id[37];
    char lineage[37];
    bool learning;         /* false: score only */
    bool discards_rejects; /* fit, eval, score: what would be a dead letter is only counted, there is no sink */

    int64_t batch; /* the one that runs, or the next */
    struct hr_arena batch_arena;
    struct hr_arena chunk_arena;
    struct hr_records records; /* of the batch; once it is prepared, of the next one, see read_ahead.h */
    uint64_t tombstones;       /* of the batch */
    uint64_t input_bytes;
    struct hr_read_ahead ahead;
    bool read_ahead; /* the batch was planned and read by it, with these results */
    enum hr_status planned;
    enum hr_status read;
    struct hr_rejects rejects;
    size_t judged_rejects;    /* of rejects, how many the format's mode was applied to */
    struct hr_offsets target; /* availableNow, once: not past these */
    bool has_target;
    bool has_range; /* record.end is the range to run: it was prepared before */
    bool replay;    /* and half of it was delivered: the delta must be the prepared one */
    uint32_t replay_crc;

    struct hr_run_sink sinks[HR_SINK_MARKS_MAX];
    size_t sink_count;
    struct hr_checkpoint_part *parts; /* everything that learns */
    size_t part_count;
    struct hr_paged bad_records;   /* the window of deadLetter.maxRatio */
    struct hr_batch_record record; /* of the batch */
    struct hr_buf buffer;          /* encoded record, progress document */

    enum hr_step step;
    int64_t step_start_ns;
    int64_t step_ns[HR_STEP_COUNT];
    int64_t start_ns;          /* of the batch, monotonic */
    int64_t previous_start_ns; /* 0: the first batch of the run */
};

/* Nothing outside is touched. checkpoint may be NULL. */
void hr_run_init(struct hr_run *run, struct hr_plan *plan, struct hr_checkpoint *checkpoint,
                 const struct hr_clock *clock, struct hr_stop *stop);
void hr_run_release(struct hr_run *run);
/* Must a commit be durable at once? After a power loss a commit may be lost, and the batch is prepared again: where a
 * sink is at least once, its rows are then read again, so that a source may not have taken them away. */
bool hr_run_commits_durably(const struct hr_run *run);
/* Time from here on counts for this step. */
void hr_run_enter(struct hr_run *run, enum hr_step step);
/* The step's time ends, no other begins. */
void hr_run_leave(struct hr_run *run);

#endif
