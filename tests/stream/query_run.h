/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of whole queries: a query file in the scratch directory, run in this process with a clock that the test
 * moves, and the progress documents it gave.
 */
#ifndef HR_TESTS_STREAM_QUERY_RUN_H
#define HR_TESTS_STREAM_QUERY_RUN_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "scratch.h"
#include "stream/query.h"

/* System time, moved: what is slept is slept. */
struct moved_clock {
    struct hr_clock clock;
    int64_t offset_us;
};

static inline int64_t moved_wall_us(void *context)
{
    const struct moved_clock *moved = context;
    return hr_clock_wall_us(&hr_clock_system) + __atomic_load_n(&moved->offset_us, __ATOMIC_RELAXED);
}

static inline int64_t moved_monotonic_ns(void *context)
{
    const struct moved_clock *moved = context;
    return hr_clock_monotonic_ns(&hr_clock_system) + __atomic_load_n(&moved->offset_us, __ATOMIC_RELAXED) * 1000;
}

static inline void moved_sleep_us(void *context, int64_t duration_us)
{
    (void)context;
    hr_clock_system.sleep_us(hr_clock_system.context, duration_us);
}

#define QUERY_BATCHES_MAX 64

struct query_run {
    struct moved_clock clock;
    void (*after_batch)(struct query_run *run, size_t batches); /* on the query's thread; may be NULL */
    struct hr_query *query;
    int64_t done_us[QUERY_BATCHES_MAX]; /* by the moved clock */
    int64_t rows[QUERY_BATCHES_MAX];
    size_t batches;
    enum hr_status status;
    struct hr_error err;
};

static inline void query_progress(void *context, const char *name, struct hr_str document)
{
    struct query_run *run = context;
    (void)name;
    json_t *json = json_loadb(document.data, document.length, 0, NULL);
    if (json != NULL && run->batches < QUERY_BATCHES_MAX) {
        run->rows[run->batches] = json_integer_value(json_object_get(json, "numInputRows"));
        run->done_us[run->batches] = moved_wall_us(&run->clock);
    }
    json_decref(json);
    size_t batches = __atomic_add_fetch(&run->batches, 1, __ATOMIC_RELEASE);
    if (run->after_batch != NULL) {
        run->after_batch(run, batches);
    }
}

/* clock.offset_us and after_batch are the caller's. path: of the query file. once: --once. */
static inline void query_run_start(struct query_run *run, const char *path, bool once)
{
    struct hr_findings findings;
    struct hr_query_settings settings = {
        .plan = {.purpose = HR_PLAN_RUN, .data_dir = scratch_path("data"), .once = once},
        .file = path,
        .clock = &run->clock.clock,
        .random = &hr_random_system,
        .progress = query_progress,
        .progress_context = run,
    };
    run->clock.clock = (struct hr_clock){moved_wall_us, moved_monotonic_ns, moved_sleep_us, &run->clock};
    run->batches = 0;
    hr_log_configure(HR_LOG_OFF, HR_LOG_TEXT);
    hr_findings_init(&findings);
    struct hr_plan *plan = hr_plan_build(path, &settings.plan, &findings);
    if (plan == NULL) {
        struct hr_buf text;
        hr_buf_init(&text, 1 << 20);
        hr_findings_print_text(&findings, &text);
        printf("\n%s\n", hr_buf_text(&text));
        abort();
    }
    hr_findings_release(&findings);
    run->query = hr_query_new(plan, &settings);
    hr_query_start(run->query);
}

/* Waits until the query ends. */
static inline enum hr_status query_run_finish(struct query_run *run)
{
    if (!hr_query_wait(run->query, 60000000)) {
        printf("\nthe query did not end\n");
        abort();
    }
    const struct hr_error *err;
    run->status = hr_query_result(run->query, &err);
    run->err = *err;
    hr_query_free(run->query);
    return run->status;
}

static inline enum hr_status query_run(struct query_run *run, const char *path, bool once)
{
    query_run_start(run, path, once);
    return query_run_finish(run);
}

#endif
