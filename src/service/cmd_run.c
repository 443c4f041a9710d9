/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace run: all files are read and checked before the first query starts, so that a wrong one changes nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "service/command.h"
#include "service/query_files.h"
#include "service/supervisor.h"

/* Where progress documents go: one line each, written whole. */
struct progress_output {
    FILE *file; /* NULL: nowhere */
    const char *path;
    int failed; /* errno of the last write; 0: it went well */
    bool lost;  /* a document was not written */
    pthread_mutex_t mutex;
};

static void progress_write(void *context, const char *query, struct hr_str document)
{
    struct progress_output *output = context;
    pthread_mutex_lock(&output->mutex);
    errno = 0;
    clearerr(output->file);
    fwrite(document.data, 1, document.length, output->file);
    fputc('\n', output->file);
    int failed = fflush(output->file) != 0 || ferror(output->file) ? (errno != 0 ? errno : EIO) : 0;
    if (failed != 0 && output->failed == 0) {
        hr_log_warn(query, "progress documents cannot be written to %s: %s; the query goes on", output->path,
                    strerror(failed));
    } else if (failed == 0 && output->failed != 0) {
        hr_log_info(query, "progress documents are written to %s again", output->path);
    }
    output->failed = failed;
    output->lost = output->lost || failed != 0;
    pthread_mutex_unlock(&output->mutex);
}

static enum hr_status progress_open(struct progress_output *output, const char *path, struct hr_error *err)
{
    pthread_mutex_init(&output->mutex, NULL);
    if (path == NULL) {
        return HR_OK;
    }
    output->path = path;
    output->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "ae");
    if (output->file == NULL) {
        (void)hr_fail_errno(err, HR_CANNOT_CREATE, "progress file '%s' cannot be opened", path);
        return hr_fail_hint(err, "--progress takes a file to append to, or - for standard output");
    }
    return HR_OK;
}

static enum hr_status progress_close(struct progress_output *output, struct hr_error *err)
{
    pthread_mutex_destroy(&output->mutex);
    if (output->file == NULL || output->file == stdout) {
        return HR_OK;
    }
    (void)fclose(output->file); /* flushed after each document */
    if (output->lost) {
        (void)hr_fail(err, HR_IO, "progress documents could not be written to '%s'", output->path);
        return hr_fail_hint(err, "the batches themselves are done and safe");
    }
    return HR_OK;
}

/* Plans of all files; false: findings were printed, *exit_code says what to return. */
static bool plans_build(struct hr_arguments *arguments, const struct hr_query_files *files, struct hr_plan **plans,
                        int *exit_code)
{
    bool good = true;
    for (size_t i = 0; i < files->count; i++) {
        int code = 0;
        plans[i] = hr_query_file_plan(arguments, files->items[i], HR_PLAN_RUN, &code);
        good = good && plans[i] != NULL;
        *exit_code = code > *exit_code ? code : *exit_code;
    }
    if (!good) {
        return false;
    }
    struct hr_findings findings HR_CLEANUP(hr_findings_release);
    hr_findings_init(&findings);
    hr_query_files_check_distinct(plans, files->count, &findings);
    hr_findings_to_stderr(&findings);
    *exit_code = hr_findings_exit_code(&findings);
    return findings.errors == 0;
}

static int queries_run(struct hr_arguments *arguments, const struct hr_query_files *files, struct hr_plan **plans,
                       struct progress_output *output)
{
    struct hr_query **queries = hr_arena_array(&arguments->arena, files->count, struct hr_query *);
    for (size_t i = 0; i < files->count; i++) {
        struct hr_query_settings settings = {
            .file = files->items[i],
            .new_lineage = hr_arguments_has(arguments, "new-lineage"),
            .clock = &hr_clock_system,
            .random = &hr_random_system,
            .progress = output->file != NULL ? progress_write : NULL,
            .progress_context = output,
        };
        hr_arguments_plan_settings(arguments, HR_PLAN_RUN, &settings.plan);
        queries[i] = hr_query_new(plans[i], &settings);
        plans[i] = NULL;
    }
    int exit_code = hr_supervisor_run(queries, files->count);
    for (size_t i = 0; i < files->count; i++) {
        hr_query_free(queries[i]);
    }
    return exit_code;
}

static int run(struct hr_arguments *arguments)
{
    struct hr_error err;
    struct hr_query_files files;
    if (hr_arguments_has(arguments, "http")) {
        (void)hr_fail(&err, HR_USAGE, "--http: this version has no HTTP interface yet");
        (void)hr_fail_hint(&err, "use --progress FILE to follow a query");
        return hr_command_fail(&err);
    }
    if (hr_query_files_find(arguments, &files, &err) != HR_OK) {
        return hr_command_fail(&err);
    }
    hr_supervisor_hold_signals();
    struct hr_plan **plans = hr_arena_calloc(&arguments->arena, files.count, sizeof(*plans));
    struct progress_output output = {.file = NULL};
    int exit_code = 0;
    if (plans_build(arguments, &files, plans, &exit_code)) {
        if (progress_open(&output, hr_arguments_get(arguments, "progress"), &err) != HR_OK) {
            exit_code = hr_command_fail(&err);
        } else {
            exit_code = queries_run(arguments, &files, plans, &output);
        }
        if (progress_close(&output, &err) != HR_OK) {
            exit_code = hr_command_fail(&err);
        }
    }
    for (size_t i = 0; i < files.count; i++) {
        hr_plan_free(plans[i]);
    }
    return exit_code;
}

static const struct hr_flag flags[] = {
    {.name = "once", .help = "process what is there now, then end (trigger: {availableNow: true})"},
    {.name = "new-lineage",
     .help = "start again from startingOffsets, with nothing learned; rows may be written twice"},
    {.name = "http", .value = "ADDRESS", .help = "reserved: this version has no HTTP interface"},
};

const struct hr_command hr_command_run = {
    .name = "run",
    .operands = "QUERY.yaml|DIR…",
    .summary = "run queries until SIGTERM, SIGINT or the end of bounded ones",
    .doc =
        "A directory stands for its *.yaml. Each query has its own thread; one that fails leaves the others alone,\n"
        "and the exit code is the worst one. The first SIGTERM or SIGINT finishes the batch, commits and exits with\n"
        "0; a second one aborts the batch and exits with 1. A query resumes from its checkpoint.",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = run,
};
