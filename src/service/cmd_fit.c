/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace fit: as many passes over the source as the estimators of the pipeline ask for, then one file, written
 * whole or not at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "service/bounded.h"
#include "service/command.h"
#include "service/query_files.h"
#include "stream/bad_records.h"

/* Records [first, first + count) through decode and into the estimator. */
static enum hr_status fit_chunk(struct hr_run *run, struct hr_pipeline_fit *fit, size_t first, size_t count,
                                struct hr_error *err)
{
    struct hr_plan *plan = run->plan;
    struct hr_chunk chunk;
    hr_arena_reset(&run->chunk_arena);
    hr_chunk_init(&chunk, &plan->schema, count, run->records.items, &run->rejects, &run->chunk_arena);
    hr_format_decode(plan->format, run->records.items + first, (uint32_t)first, count, &chunk);
    hr_format_fill_metadata(&chunk);
    HR_TRY(hr_bad_records_judge(run, err));
    HR_TRY(hr_pipeline_fit_chunk(fit, &chunk, err));
    return hr_bad_records_judge(run, err);
}

static enum hr_status fit_pass(struct hr_run *run, struct hr_pipeline_fit *fit, int pass, uint64_t *rows,
                               struct hr_error *err)
{
    char what[32];
    snprintf(what, sizeof(what), "fit, pass %d", pass);
    struct hr_progress_line line;
    hr_progress_line_init(&line, what);
    *rows = 0;
    run->record.dead_letters = 0;
    HR_TRY(hr_bounded_open(run, err));
    enum hr_status status;
    while ((status = hr_bounded_read(run, err)) == HR_OK) {
        for (size_t first = 0; first < run->records.count && status == HR_OK; first += HR_CHUNK_ROWS) {
            size_t left = run->records.count - first;
            status = fit_chunk(run, fit, first, left < HR_CHUNK_ROWS ? left : HR_CHUNK_ROWS, err);
            hr_progress_line_show(&line, *rows + first);
        }
        if (status != HR_OK) {
            break;
        }
        *rows += run->records.count;
    }
    hr_progress_line_clear(&line);
    hr_source_close(run->plan->source);
    return status == HR_END ? HR_OK : status;
}

static enum hr_status fit_all(struct hr_run *run, const char *output, struct hr_error *err)
{
    struct hr_plan *plan = run->plan;
    struct hr_pipeline_fit fit;
    uint64_t rows = 0;
    int passes = 0;
    hr_pipeline_fit_begin(&fit, &plan->pipeline, &plan->schema);
    enum hr_status status;
    while ((status = hr_pipeline_fit_next(&fit, err)) == HR_OK) {
        HR_TRY(fit_pass(run, &fit, ++passes, &rows, err));
    }
    if (status != HR_END) {
        return status;
    }
    HR_TRY(hr_pipeline_save(&plan->pipeline, output, err));
    fprintf(stderr, "fitted %zu stages in %d passes over %" PRIu64 " records", plan->pipeline.count, passes, rows);
    if (run->record.dead_letters + run->rejects.count > 0) {
        fprintf(stderr, " (bad ones left out)");
    }
    fprintf(stderr, "; wrote %s\n", output);
    return HR_OK;
}

/* Before the source is read, which may take long. */
static enum hr_status check_output(const char *output, struct hr_arena *arena, struct hr_error *err)
{
    if (access(hr_file_directory(arena, output), W_OK | X_OK) == 0) {
        return HR_OK;
    }
    (void)hr_fail_errno(err, HR_CANNOT_CREATE, "%s: cannot be written", output);
    return hr_fail_hint(err, "name a file in a directory that is there and that this user may write");
}

static int fit(struct hr_arguments *arguments)
{
    struct hr_error err;
    const char *output = hr_arguments_get(arguments, "output");
    if (output == NULL) {
        (void)hr_fail(&err, HR_USAGE, "fit: where does the pipeline file go?");
        (void)hr_fail_hint(&err, "usage: headrace fit QUERY.yaml -o PIPELINE.json");
        return hr_command_fail(&err);
    }
    if (check_output(output, &arguments->arena, &err) != HR_OK) {
        return hr_command_fail(&err);
    }
    int exit_code = 0;
    struct hr_plan *plan = hr_query_file_plan(arguments, arguments->operands[0], HR_PLAN_FIT, &exit_code);
    if (plan == NULL) {
        return exit_code;
    }
    struct hr_run run;
    hr_run_init(&run, plan, NULL, &hr_clock_system, NULL);
    hr_bounded_allow_rejects(&run);
    if (fit_all(&run, output, &err) != HR_OK) {
        exit_code = hr_command_fail(&err);
    }
    hr_run_release(&run);
    hr_plan_free(plan);
    return exit_code;
}

static const struct hr_flag flags[] = {
    {.name = "output", .letter = 'o', .value = "FILE", .help = "the pipeline file to write"},
};

const struct hr_command hr_command_fit = {
    .name = "fit",
    .operands = "QUERY.yaml -o PIPELINE.json",
    .summary = "fit the pipeline's estimators over the source, write a pipeline file",
    .doc = "Reads the source from its start as far as it reaches now, as often as the estimators ask for, and writes\n"
           "the fitted pipeline, which a query names with pipeline: {from: PIPELINE.json}.",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 1,
    .operands_max = 1,
    .run = fit,
};
