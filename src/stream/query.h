/* SPDX-License-Identifier: Apache-2.0
 *
 * A running query: one plan, one thread, one checkpoint. States: starting → recovering → running ⇄ idle → stopped or
 * failed. A delivery or I/O failure whose outcome is unknown throws the run away and starts again from the checkpoint
 * with back-off; a refusal (configuration, mismatch, data loss, fenced, lock) ends the query with its exit code.
 */
#ifndef HR_STREAM_QUERY_H
#define HR_STREAM_QUERY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "base/thread.h"
#include "stream/plan.h"

/* One progress document a batch (contract §4). Called on the query's thread; must not keep document. */
typedef void hr_progress_fn(void *context, const char *query, struct hr_str document);

struct hr_query_settings {
    struct hr_plan_settings plan;
    const char *file;
    bool new_lineage; /* --new-lineage */
    const struct hr_clock *clock;
    const struct hr_random *random;
    hr_progress_fn *progress; /* may be NULL */
    void *progress_context;
};

struct hr_query;

/* plan: built by the caller with the same settings (so that errors were reported); taken. The thread does not start
 * yet. */
struct hr_query *hr_query_new(struct hr_plan *plan, const struct hr_query_settings *settings);
void hr_query_start(struct hr_query *query);
/* 1: finish the batch, commit, stop; 2: abort the batch. Thread: any, not a signal handler. */
void hr_query_stop(struct hr_query *query, int level);
/* Waits up to timeout_us (negative: for ever); true when the query has ended. */
bool hr_query_wait(struct hr_query *query, int64_t timeout_us);
/* After it has ended: its status and error (valid until free). */
enum hr_status hr_query_result(const struct hr_query *query, const struct hr_error **err);
const char *hr_query_name(const struct hr_query *query);
void hr_query_free(struct hr_query *query);

#endif
