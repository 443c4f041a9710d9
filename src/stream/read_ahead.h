/* SPDX-License-Identifier: Apache-2.0
 *
 * Read-ahead: plan and read of batch N + 1 on a thread of its own, while the query's thread prepares, delivers and
 * commits N. It touches the source and the records' array only; positions become the query's when the batch is taken,
 * and a batch that is never taken was never begun.
 *
 * Worth it with a backlog: the range that it chooses is that of the moment, so that with a trickle of records it would
 * make small batches of what one batch could have had. The caller decides.
 *
 * Thread: all functions are the query's thread's. From begin to join the source and the records are not the caller's.
 */
#ifndef HR_STREAM_READ_AHEAD_H
#define HR_STREAM_READ_AHEAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/status.h"
#include "stream/source.h"

enum hr_read_ahead_state {
    HR_READ_AHEAD_IDLE,
    HR_READ_AHEAD_RUNNING,
    HR_READ_AHEAD_DONE, /* the thread is done, the caller has not looked yet */
};

struct hr_read_ahead {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    bool started;
    bool closing;
    enum hr_read_ahead_state state;
    struct hr_source *source;
    struct hr_records *records;
    struct hr_source_limit limit;
    struct hr_offsets start; /* of the range: where the source was after plan */
    enum hr_status planned;
    enum hr_status read;
    struct hr_error err; /* of the first of the two that failed */
};

void hr_read_ahead_init(struct hr_read_ahead *ahead);
/* Joins first. What was read and not taken is forgotten. */
void hr_read_ahead_release(struct hr_read_ahead *ahead);
/* Begins to plan (without waiting for data) and read. limit->target must live until join. */
void hr_read_ahead_begin(struct hr_read_ahead *ahead, struct hr_source *source, const struct hr_source_limit *limit,
                         struct hr_records *records);
/* What the thread does after begin, on the caller's: for the simulation, whose schedules must be the same each time. */
void hr_read_ahead_work(struct hr_read_ahead *ahead);
/* Waits until the thread does nothing any more; returns at once when it does not. */
void hr_read_ahead_join(struct hr_read_ahead *ahead);
/* After join. false: there is nothing to take, plan and read as ever. true: *planned and *read are what the source's
 * plan and read said, start is where the range starts, the source's position is where it ends, and the records are
 * there. */
bool hr_read_ahead_take(struct hr_read_ahead *ahead, struct hr_offsets *start, enum hr_status *planned,
                        enum hr_status *read, struct hr_error *err);

#endif
