/* SPDX-License-Identifier: Apache-2.0
 *
 * A query's thread:
 *
 *     starting --> recovering --> running <--> idle --> stopped      [attempt_run, attempt_loop]
 *         ^             |            |
 *         +-- back-off -+------------+---> failed                    [query_main]
 *
 * (1) An attempt owns a plan, a checkpoint and a run, and throws all three away when it ends, however it ends.
 * (2) Only HR_UNAVAILABLE starts another attempt: the outside world was away, or the outcome of a delivery is unknown,
 * and recovery finds out. Every other failure is for people to look at, and ends the query. (3) Every line of the log
 * above DEBUG that concerns a query is written here.
 */
#include "stream/query.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metric.h"
#include "stream/microbatch.h"
#include "stream/progress.h"
#include "stream/query_metrics.h"
#include "stream/recovery.h"
#include "stream/start_offsets.h"

#define BACK_OFF_FIRST_US 500000
#define BACK_OFF_MAX_US 5000000
/* How long a batch waits for its first record before the loop looks at the stop flag again. */
#define IDLE_WAIT_US 100000

struct hr_query {
    struct hr_query_settings settings;
    char *name;
    struct hr_plan *plan; /* of the first attempt; NULL once taken */
    struct hr_stop stop;
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* of ended */
    pthread_cond_t changed;
    bool ended;
    enum hr_status status;
    struct hr_error err;
};

struct attempt {
    struct hr_query *query;
    struct hr_plan *plan;
    struct hr_checkpoint *checkpoint;
    struct hr_run run;
    struct hr_query_metrics metrics;
    int64_t batches; /* done by this attempt */
    bool waiting;    /* the source waits, and the log says so */
    struct hr_buf document;
};

/* ---- an attempt --------------------------------------------------------------------------------------------- */

/* No batch is or was prepared: nothing of the query that made the checkpoint is in it, and a typo of its first start
 * must not bind the second one. */
static bool attempt_is_unused(const struct attempt *attempt)
{
    struct hr_checkpoint_info info;
    hr_checkpoint_info(attempt->checkpoint, &info);
    return info.committed < 0 && info.prepared < 0 && info.dropped < 0;
}

static enum hr_status attempt_open_checkpoint(struct attempt *attempt, struct hr_error *err)
{
    struct hr_query *query = attempt->query;
    struct hr_plan *plan = attempt->plan;
    struct hr_str identity = hr_plan_identity(plan);
    char lineage[37];
    hr_random_uuid(query->settings.random, lineage);
    bool created = false;
    HR_TRY(hr_checkpoint_open(plan->checkpoint_location, identity, lineage, (int)plan->checkpoint_keep,
                              &attempt->checkpoint, &created, err));
    if (created) {
        hr_log_info(query->name, "new checkpoint at %s, lineage %s", plan->checkpoint_location, lineage);
    }
    if (query->settings.new_lineage) {
        hr_log_warn(query->name,
                    "new lineage %s: starts again from startingOffsets, with nothing learned; rows that sinks "
                    "have already may be written again",
                    lineage);
    }
    if (created) {
        return HR_OK;
    }
    if (query->settings.new_lineage) {
        HR_TRY(hr_checkpoint_restart(attempt->checkpoint, lineage, err));
        return hr_checkpoint_set_identity(attempt->checkpoint, identity, err);
    }
    struct hr_error ignored;
    if (attempt_is_unused(attempt) &&
        hr_plan_check_identity(plan, hr_checkpoint_identity(attempt->checkpoint), &ignored) != HR_OK) {
        return hr_checkpoint_set_identity(attempt->checkpoint, identity, err);
    }
    HR_TRY(hr_plan_check_identity(plan, hr_checkpoint_identity(attempt->checkpoint), err));
    return hr_identity_update(attempt->checkpoint, identity, err);
}

static void attempt_log_start(const struct attempt *attempt, enum hr_recovery_action action)
{
    static const char *const found[] = {
        [HR_RECOVERY_GO_ON] = "clean",
        [HR_RECOVERY_DROP] = "a prepared batch that was not delivered: it runs again",
        [HR_RECOVERY_COMMIT] = "a prepared batch that was delivered: committed",
        [HR_RECOVERY_REPLAY] = "a prepared batch that was half delivered: it runs again for the others",
    };
    const struct hr_run *run = &attempt->run;
    const char *name = attempt->query->name;
    bool again = action == HR_RECOVERY_GO_ON && run->has_range;
    const char *state = again ? "a batch that was dropped by an earlier start: it runs again" : found[action];
    if (run->batch > 0) {
        hr_log_info(name, "resumes at batch %" PRId64 ", lineage %s (%s)", run->batch, run->lineage, state);
    } else {
        hr_log_info(name, "starts at batch 0, lineage %s (%s)", run->lineage, state);
    }
    for (size_t i = 0; i < run->sink_count; i++) {
        const struct hr_sink *sink = run->sinks[i].sink;
        hr_log_info(name, "sink '%s': %s, %s", sink->id, hr_sink_description(sink),
                    sink->guarantee == HR_GUARANTEE_EXACTLY_ONCE ? "exactly once" : "at least once");
    }
}

static enum hr_status attempt_open(struct attempt *attempt, struct hr_error *err)
{
    struct hr_query *query = attempt->query;
    struct hr_plan *plan = attempt->plan;
    HR_TRY(attempt_open_checkpoint(attempt, err));
    hr_run_init(&attempt->run, plan, attempt->checkpoint, query->settings.clock, &query->stop);
    hr_random_uuid(query->settings.random, attempt->run.run_id);
    plan->source->stop = &query->stop;
    for (size_t i = 0; i < attempt->run.sink_count; i++) {
        attempt->run.sinks[i].sink->stop = &query->stop;
    }
    plan->source->state_directory = plan->checkpoint_location;
    enum hr_recovery_action action = HR_RECOVERY_GO_ON;
    HR_TRY(hr_recovery_run(&attempt->run, query->settings.new_lineage, &action, err));
    query->settings.new_lineage = false;
    attempt_log_start(attempt, action);
    hr_query_metrics_init(&attempt->metrics, query->name, &attempt->run);
    if (plan->trigger.kind != HR_TRIGGER_PROCESSING_TIME) {
        HR_TRY(hr_source_latest(plan->source, &attempt->run.target, err));
        attempt->run.has_target = true;
    }
    return HR_OK;
}

static void attempt_report(struct attempt *attempt)
{
    struct hr_query *query = attempt->query;
    struct hr_run *run = &attempt->run;
    hr_query_metrics_batch(&attempt->metrics, run);
    hr_log_debug(query->name, "batch %" PRId64 ": %" PRIu64 " rows in, %" PRIu64 " out, %" PRIu64 " dead letters",
                 run->record.batch, run->record.input_rows, run->record.output_rows, run->record.dead_letters);
    if (query->settings.progress == NULL) {
        return;
    }
    struct hr_offsets latest = {0};
    bool known = hr_source_latest(attempt->plan->source, &latest, NULL) == HR_OK;
    hr_buf_clear(&attempt->document);
    hr_progress_write(run, known ? &latest : NULL, &attempt->document);
    query->settings.progress(query->settings.progress_context, query->name, hr_buf_str(&attempt->document));
    hr_offsets_release(&latest);
}

/* One log line when a source begins to wait for the world outside, one when it has it back. */
static void attempt_log_waiting(struct attempt *attempt)
{
    const char *now = attempt->plan->source->waiting_for;
    if ((now[0] != '\0') == attempt->waiting) {
        return;
    }
    attempt->waiting = now[0] != '\0';
    if (attempt->waiting) {
        hr_log_warn(attempt->query->name, "source '%s' waits for %s", attempt->plan->source->id, now);
    } else {
        hr_log_info(attempt->query->name, "source '%s' is back", attempt->plan->source->id);
    }
}

/* Waits for the next start; false: a stop was asked for. Monotonic, so that a wall clock that is set back does not make
 * the query wait for its old time to come again. */
static bool attempt_wait_until(const struct attempt *attempt, int64_t monotonic_ns)
{
    int64_t wait_ns = monotonic_ns - hr_clock_monotonic_ns(attempt->query->settings.clock);
    return hr_stop_wait(&attempt->query->stop, wait_ns > 0 ? (wait_ns + 999) / 1000 : 0) == 0;
}

static enum hr_status attempt_loop(struct attempt *attempt, struct hr_error *err)
{
    struct hr_query *query = attempt->query;
    struct hr_run *run = &attempt->run;
    const struct hr_trigger *trigger = &attempt->plan->trigger;
    int64_t wait_us = run->has_target ? 0 : IDLE_WAIT_US;
    int64_t next_ns = hr_clock_monotonic_ns(query->settings.clock); /* the first one starts at once */
    while (attempt_wait_until(attempt, next_ns)) {
        int64_t interval_us = hr_trigger_wait_us(trigger, hr_clock_wall_us(query->settings.clock));
        next_ns = hr_clock_monotonic_ns(query->settings.clock) + interval_us * 1000;
        enum hr_status status = hr_microbatch_run(run, wait_us, err);
        if (status == HR_AGAIN) {
            attempt_log_waiting(attempt);
            wait_us = IDLE_WAIT_US;
            continue;
        }
        HR_TRY(status); /* the read-ahead may be at work: nothing is asked of the source any more */
        attempt_log_waiting(attempt);
        wait_us = run->has_target ? 0 : IDLE_WAIT_US;
        attempt->batches++;
        attempt_report(attempt);
        if (trigger->kind == HR_TRIGGER_ONCE) {
            return HR_END;
        }
    }
    return HR_INTERRUPTED;
}

static void attempt_close(struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->run.sink_count; i++) {
        if (attempt->run.sinks[i].sink->dirty) {
            hr_sink_abort(attempt->run.sinks[i].sink);
        }
    }
    hr_buf_release(&attempt->document);
    if (attempt->run.plan != NULL) {
        hr_run_release(&attempt->run);
    }
    hr_plan_free(attempt->plan); /* closes source and sinks: no reader is left waiting */
    hr_checkpoint_close(attempt->checkpoint);
}

/* ---- the query's thread ------------------------------------------------------------------------------------- */

static struct hr_plan *query_plan(struct hr_query *query, struct hr_error *err)
{
    struct hr_plan *plan = query->plan;
    query->plan = NULL;
    if (plan != NULL) {
        return plan;
    }
    struct hr_findings findings;
    hr_findings_init(&findings);
    plan = hr_plan_build(query->settings.file, &query->settings.plan, &findings);
    if (plan == NULL) {
        (void)hr_fail(err, HR_BAD_CONFIG, "%s was changed while the query ran and is wrong now: %s",
                      query->settings.file, findings.first != NULL ? findings.first->message : "?");
    }
    hr_findings_release(&findings);
    return plan;
}

/* One attempt, from plan to close. *batches: how many it finished. */
static enum hr_status query_attempt(struct hr_query *query, int64_t *batches, struct hr_error *err)
{
    struct attempt attempt = {.query = query, .plan = query_plan(query, err)};
    if (attempt.plan == NULL) {
        return err->status;
    }
    hr_buf_init(&attempt.document, 256u << 20);
    enum hr_status status = attempt_open(&attempt, err);
    status = status == HR_OK ? attempt_loop(&attempt, err) : hr_fail_at_start(err);
    if (status == HR_END || status == HR_INTERRUPTED) {
        hr_log_info(query->name, "%s after %" PRId64 " batches; next is batch %" PRId64,
                    status == HR_END ? "done" : "stopped", attempt.batches, attempt.run.batch);
    }
    *batches = attempt.batches;
    attempt_close(&attempt);
    return status;
}

static void query_end(struct hr_query *query, enum hr_status status)
{
    pthread_mutex_lock(&query->mutex);
    query->status = status == HR_END || status == HR_INTERRUPTED ? HR_OK : status;
    query->ended = true;
    pthread_cond_broadcast(&query->changed);
    pthread_mutex_unlock(&query->mutex);
}

static void *query_main(void *argument)
{
    struct hr_query *query = argument;
    int64_t back_off_us = BACK_OFF_FIRST_US;
    enum hr_status status;
    for (;;) {
        int64_t batches = 0;
        status = query_attempt(query, &batches, &query->err);
        if (status != HR_UNAVAILABLE || hr_stop_level(&query->stop) > 0) {
            break;
        }
        back_off_us = batches > 0 ? BACK_OFF_FIRST_US : back_off_us;
        hr_log_warn(query->name, "%s; starts again from the checkpoint in %" PRId64 " ms", query->err.text,
                    back_off_us / 1000);
        hr_query_metrics_restart(query->name);
        if (hr_stop_wait(&query->stop, back_off_us) > 0) {
            status = HR_INTERRUPTED;
            break;
        }
        back_off_us = back_off_us * 2 < BACK_OFF_MAX_US ? back_off_us * 2 : BACK_OFF_MAX_US;
    }
    /* Asked to stop while the outside world is away: what is committed is safe, and nothing else counts. */
    if (status == HR_UNAVAILABLE && hr_stop_level(&query->stop) > 0) {
        hr_log_warn(query->name, "%s; stopped: the next start goes on from what is committed", query->err.text);
        status = HR_INTERRUPTED;
    }
    query_end(query, status);
    return NULL;
}

/* ---- from other threads ------------------------------------------------------------------------------------- */

struct hr_query *hr_query_new(struct hr_plan *plan, const struct hr_query_settings *settings)
{
    struct hr_query *query = hr_calloc(1, sizeof(*query));
    query->settings = *settings;
    query->name = hr_strdup(plan->name);
    query->plan = plan;
    hr_stop_init(&query->stop);
    pthread_mutex_init(&query->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&query->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return query;
}

void hr_query_start(struct hr_query *query)
{
    query->thread = hr_thread_start(query->name, query_main, query);
    query->started = true;
}

void hr_query_stop(struct hr_query *query, int level)
{
    hr_stop_request(&query->stop, level);
}

bool hr_query_wait(struct hr_query *query, int64_t timeout_us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us >= 0) {
        int64_t nanoseconds = until.tv_nsec + (timeout_us % 1000000) * 1000;
        until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
        until.tv_nsec = nanoseconds % 1000000000;
    }
    pthread_mutex_lock(&query->mutex);
    int waited = 0;
    while (!query->ended && waited == 0) {
        waited = timeout_us < 0 ? pthread_cond_wait(&query->changed, &query->mutex)
                                : pthread_cond_timedwait(&query->changed, &query->mutex, &until);
    }
    bool ended = query->ended;
    pthread_mutex_unlock(&query->mutex);
    return ended;
}

enum hr_status hr_query_result(const struct hr_query *query, const struct hr_error **err)
{
    *err = &query->err;
    return query->status;
}

const char *hr_query_name(const struct hr_query *query)
{
    return query->name;
}

void hr_query_free(struct hr_query *query)
{
    if (query == NULL) {
        return;
    }
    if (query->started) {
        pthread_join(query->thread, NULL);
    }
    hr_plan_free(query->plan);
    hr_metric_drop("query", query->name);
    hr_stop_release(&query->stop);
    pthread_mutex_destroy(&query->mutex);
    pthread_cond_destroy(&query->changed);
    hr_free(query->name);
    hr_free(query);
}
