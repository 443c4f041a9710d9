/* SPDX-License-Identifier: Apache-2.0
 *
 * Triggers: what is written and what it means, the grid, and when the batches of a query start by a clock that the test
 * moves.
 */
#include "test.h"

#include <string.h>

#include "stream/query_run.h"
#include "stream/trigger.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)

/* Errors found. */
static size_t read_trigger(struct hr_trigger *trigger, const char *yaml)
{
    struct hr_arena arena;
    struct hr_findings findings;
    hr_arena_init(&arena, 0);
    hr_findings_init(&findings);
    struct hr_yaml *node = yaml == NULL ? NULL : hr_yaml_read_text(&arena, "query.yaml", yaml, strlen(yaml), &findings);
    hr_trigger_read(trigger, node, &findings);
    size_t errors = findings.errors;
    hr_findings_release(&findings);
    hr_arena_release(&arena);
    return errors;
}

static void test_read(void)
{
    static const struct {
        const char *yaml;
        enum hr_trigger_kind kind;
        int64_t interval_us;
    } right[] = {
        {NULL, HR_TRIGGER_PROCESSING_TIME, 0},
        {"{processingTime: 0s}", HR_TRIGGER_PROCESSING_TIME, 0},
        {"{processingTime: 250ms}", HR_TRIGGER_PROCESSING_TIME, 250000},
        {"{processingTime: 2h}", HR_TRIGGER_PROCESSING_TIME, 2 * HOUR_US},
        {"{availableNow: true}", HR_TRIGGER_AVAILABLE_NOW, 0},
        {"{once: true}", HR_TRIGGER_ONCE, 0},
    };
    struct hr_trigger trigger;
    for (size_t i = 0; i < HR_ARRAY_LEN(right); i++) {
        CU_ASSERT_EQUAL(read_trigger(&trigger, right[i].yaml), 0);
        CU_ASSERT_EQUAL(trigger.kind, right[i].kind);
        CU_ASSERT_EQUAL(trigger.interval_us, right[i].interval_us);
    }
    static const char *const wrong[] = {
        "{}",
        "{once: false}",
        "{once: true, availableNow: true}",
        "{processingTime: 1s, once: true}",
        "{processingTime: 10}",
        "{processingTime: -1s}",
        "{availableNow: maybe}",
        "{continuous: 1s}",
        "[once]",
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(wrong); i++) {
        if (read_trigger(&trigger, wrong[i]) != 1) {
            printf("\n%s\n", wrong[i]);
        }
        CU_ASSERT_EQUAL(read_trigger(&trigger, wrong[i]), 1);
    }
}

static void test_grid(void)
{
    struct hr_trigger trigger = {.kind = HR_TRIGGER_PROCESSING_TIME, .interval_us = 100};
    /* Spark: floor(now / interval) * interval + interval */
    static const int64_t rows[][2] = {{0, 100}, {1, 99}, {99, 1}, {100, 100}, {1050, 50}, {-1, 1}, {-100, 100}};
    for (size_t i = 0; i < HR_ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(hr_trigger_wait_us(&trigger, rows[i][0]), rows[i][1]);
    }
    trigger.interval_us = 0;
    CU_ASSERT_EQUAL(hr_trigger_wait_us(&trigger, 55), 0);
    trigger = (struct hr_trigger){.kind = HR_TRIGGER_ONCE};
    CU_ASSERT_EQUAL(hr_trigger_wait_us(&trigger, 55), 0);
    trigger = (struct hr_trigger){.kind = HR_TRIGGER_AVAILABLE_NOW};
    CU_ASSERT_EQUAL(hr_trigger_wait_us(&trigger, 55), 0);
}

/* ---- a query -------------------------------------------------------------------------------------------------- */

/* A query over a file of `rows` rows, two a batch; the path of the query file. */
static const char *make_query(const char *name, const char *trigger, int rows)
{
    char text[1024];
    CU_ASSERT_EQUAL(mkdir(scratch_path("%s", name), 0777), 0);
    snprintf(text, sizeof(text),
             "apiVersion: headrace/v1\nkind: Query\nname: %s\n%s"
             "checkpoint: {location: checkpoint}\n"
             "source: {type: file, path: rows.json, maxRowsPerTrigger: 2, schema: \"id long\"}\n"
             "pipeline: {stages: []}\n"
             "sinks: [{type: file, path: out}]\n",
             name, trigger);
    scratch_write_text(scratch_path("%s/query.yaml", name), text);
    scratch_write_text(scratch_path("%s/rows.json", name), "");
    for (int i = 0; i < rows; i++) {
        scratch_write(scratch_path("%s/rows.json", name), "{\"id\":1}\n", 9, "a");
    }
    return scratch_path("%s/query.yaml", name);
}

static int64_t now_us(const struct query_run *run)
{
    return hr_clock_wall_us(&hr_clock_system) + run->clock.offset_us;
}

/* Makes the moved clock read this. */
static void set_clock(struct query_run *run, int64_t wall_us)
{
    __atomic_store_n(&run->clock.offset_us, wall_us - hr_clock_wall_us(&hr_clock_system), __ATOMIC_RELAXED);
}

static void append_row(const char *name)
{
    scratch_write(scratch_path("%s/rows.json", name), "{\"id\":2}\n", 9, "a");
}

static void stop_after_three(struct query_run *run, size_t batches)
{
    if (batches == 3) {
        hr_query_stop(run->query, 1);
    }
}

#define HOUR(n) ((500000 + (n)) * HOUR_US)

/* After the first batch the next full hour is near; the second is so slow that the one after it has passed. */
static void move_clock(struct query_run *run, size_t batches)
{
    if (batches == 1) {
        set_clock(run, HOUR(1) - SECOND_US / 3);
    } else if (batches == 2) {
        set_clock(run, HOUR(2) + HOUR_US / 2);
    }
    stop_after_three(run, batches);
}

/* The first batch starts at once, the next on the hour, and one that is late at once. */
static void test_interval(void)
{
    struct query_run run = {.after_batch = move_clock};
    const char *path = make_query("interval", "trigger: {processingTime: 1h}\n", 6);
    set_clock(&run, HOUR(0) + HOUR_US / 2);
    CU_ASSERT_EQUAL(query_run(&run, path, false), HR_OK);
    CU_ASSERT_EQUAL_FATAL(run.batches, 3);
    CU_ASSERT_TRUE(run.done_us[0] < HOUR(1));
    CU_ASSERT_TRUE(run.done_us[1] >= HOUR(1) && run.done_us[1] < HOUR(1) + 30 * SECOND_US);
    CU_ASSERT_TRUE(run.done_us[2] >= HOUR(2) + HOUR_US / 2 && run.done_us[2] < HOUR(3));
}

static void stop_after_two(struct query_run *run, size_t batches)
{
    if (batches == 2) {
        hr_query_stop(run->query, 1);
    }
}

/* Rows that come between two starts wait for the next one, also when there was nothing to do at the last. */
static void test_interval_without_rows(void)
{
    enum { INTERVAL_US = 2000000 };
    struct query_run run = {.after_batch = stop_after_two};
    const char *path = make_query("idle", "trigger: {processingTime: 2s}\n", 1);
    set_clock(&run, HOUR(0));
    query_run_start(&run, path, false);
    while (__atomic_load_n(&run.batches, __ATOMIC_ACQUIRE) == 0) {
        hr_clock_system.sleep_us(hr_clock_system.context, 10000);
    }
    /* well after the next start, which finds nothing, and before the one after it */
    int64_t next_us = run.done_us[0] / INTERVAL_US * INTERVAL_US + 2 * INTERVAL_US;
    hr_clock_system.sleep_us(hr_clock_system.context, next_us - INTERVAL_US / 4 - now_us(&run));
    append_row("idle");
    bool in_time = now_us(&run) < next_us; /* a machine that stood still proves nothing */
    CU_ASSERT_EQUAL(query_run_finish(&run), HR_OK);
    CU_ASSERT_EQUAL_FATAL(run.batches, 2);
    CU_ASSERT_TRUE(!in_time || run.done_us[1] >= next_us);
}

static void test_as_soon_as_there_is_data(void)
{
    struct query_run run = {.after_batch = stop_after_three};
    const char *path = make_query("at-once", "", 5);
    CU_ASSERT_EQUAL(query_run(&run, path, false), HR_OK);
    CU_ASSERT_EQUAL_FATAL(run.batches, 3);
    CU_ASSERT_EQUAL(run.rows[0] + run.rows[1] + run.rows[2], 5);
}

static void append_after_first(struct query_run *run, size_t batches)
{
    (void)run;
    if (batches == 1) {
        append_row("available");
    }
}

/* What came after the start is left to the next run; --once means the same. */
static void test_available_now(void)
{
    struct query_run run = {.after_batch = append_after_first};
    const char *path = make_query("available", "trigger: {availableNow: true}\n", 5);
    CU_ASSERT_EQUAL(query_run(&run, path, false), HR_OK);
    CU_ASSERT_EQUAL_FATAL(run.batches, 3);
    CU_ASSERT_TRUE(run.rows[0] == 2 && run.rows[1] == 2 && run.rows[2] == 1);
    run.after_batch = NULL;
    CU_ASSERT_EQUAL(query_run(&run, path, false), HR_OK);
    CU_ASSERT_EQUAL(run.batches, 1);
    CU_ASSERT_EQUAL(run.rows[0], 1);
    CU_ASSERT_EQUAL(query_run(&run, path, false), HR_OK);
    CU_ASSERT_EQUAL(run.batches, 0);
    path = make_query("once-flag", "trigger: {processingTime: 1h}\n", 3);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_OK);
    CU_ASSERT_EQUAL(run.batches, 2);
}

/* One batch, whatever maxRowsPerTrigger says. */
static void test_once(void)
{
    struct query_run run = {0};
    const char *path = make_query("once", "trigger: {once: true}\n", 5);
    CU_ASSERT_EQUAL(query_run(&run, path, false), HR_OK);
    CU_ASSERT_EQUAL(run.batches, 1);
    CU_ASSERT_EQUAL(run.rows[0], 5);
    CU_ASSERT_EQUAL(query_run(&run, path, false), HR_OK);
    CU_ASSERT_EQUAL(run.batches, 0);
}

TEST_MAIN("trigger", {"read", test_read}, {"grid", test_grid}, {"interval", test_interval},
          {"interval without rows", test_interval_without_rows},
          {"as soon as there is data", test_as_soon_as_there_is_data}, {"availableNow", test_available_now},
          {"once", test_once})
