/* SPDX-License-Identifier: Apache-2.0
 *
 * A pass over a source without a query around it.
 */
#include "service/bounded.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream/microbatch.h"

/* How long to wait for a broker before the terminal is told again; also how soon an interrupt is seen. */
#define WAIT_US 200000
#define LINE_INTERVAL_NS 200000000

static enum hr_status bounded_check(const struct hr_source *source, struct hr_error *err)
{
    if (strcmp(source->type->kind.name, "socket") != 0) {
        return HR_OK;
    }
    (void)hr_fail(err, HR_BAD_CONFIG, "a socket source has no end and cannot be read again");
    return hr_fail_hint(err, "save its lines to a file and read that, for example --set source='{type: file, …}'");
}

enum hr_status hr_bounded_open(struct hr_run *run, struct hr_error *err)
{
    struct hr_source *source = run->plan->source;
    HR_TRY(bounded_check(source, err));
    HR_TRY(hr_source_open(source, NULL, err));
    if (!run->has_target) {
        HR_TRY(hr_source_latest(source, &run->target, err));
        run->has_target = true;
    }
    return HR_OK;
}

enum hr_status hr_bounded_read(struct hr_run *run, struct hr_error *err)
{
    struct hr_source *source = run->plan->source;
    hr_arena_reset(&run->batch_arena);
    hr_rejects_init(&run->rejects, &run->batch_arena);
    run->judged_rejects = 0;
    int64_t rows = source->rows_per_trigger_max == INT64_MAX ? HR_BATCH_ROWS_MAX : source->rows_per_trigger_max;
    struct hr_source_limit limit = {.rows = rows, .target = &run->target, .wait_us = WAIT_US};
    enum hr_status status;
    do {
        status = hr_source_plan(source, &limit, &run->record.end, err);
    } while (status == HR_AGAIN);
    HR_TRY(status);
    hr_records_clear(&run->records);
    return hr_source_read(source, &run->record.end, &run->records, err);
}

void hr_bounded_allow_rejects(struct hr_run *run)
{
    const struct hr_yaml *dead_letter = hr_yaml_get(run->plan->root, "deadLetter");
    run->discards_rejects = dead_letter != NULL && !hr_yaml_is_null(dead_letter);
}

/* ---- progress on a terminal --------------------------------------------------------------------------------- */

void hr_progress_line_init(struct hr_progress_line *line, const char *what)
{
    *line = (struct hr_progress_line){.what = what, .terminal = isatty(STDERR_FILENO) == 1};
}

void hr_progress_line_show(struct hr_progress_line *line, uint64_t rows)
{
    if (!line->terminal) {
        return;
    }
    int64_t now_ns = hr_clock_monotonic_ns(&hr_clock_system);
    if (line->last_ns != 0 && now_ns - line->last_ns < LINE_INTERVAL_NS) {
        return;
    }
    line->last_ns = now_ns;
    line->shown = true;
    fprintf(stderr, "\r\033[K%s: %llu rows", line->what, (unsigned long long)rows);
    fflush(stderr);
}

void hr_progress_line_clear(struct hr_progress_line *line)
{
    if (line->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line->shown = false;
    }
}
