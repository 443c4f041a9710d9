/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace lint: every error and warning of every file, at once. Findings are the data of this command, so they go to
 * standard output in both formats.
 */
#include <stdint.h>
#include <stdio.h>

#include "service/command.h"
#include "service/query_files.h"

#define FINDINGS_TEXT_MAX (16u << 20)

static void findings_to_stdout(const struct hr_findings *findings, bool json)
{
    struct hr_buf text HR_CLEANUP(hr_buf_release);
    hr_buf_init(&text, FINDINGS_TEXT_MAX);
    if (json) {
        hr_findings_print_json(findings, &text);
    } else {
        hr_findings_print_text(findings, &text);
    }
    fputs(hr_buf_text(&text), stdout);
    if (text.length == 0 || text.data[text.length - 1] != '\n') {
        fputs(json ? "\n" : "", stdout);
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static int lint(struct hr_arguments *arguments)
{
    struct hr_error err;
    struct hr_query_files files;
    if (hr_query_files_find(arguments, &files, &err) != HR_OK) {
        return hr_command_fail(&err);
    }
    struct hr_findings findings HR_CLEANUP(hr_findings_release);
    hr_findings_init(&findings);
    struct hr_plan_settings settings;
    hr_arguments_plan_settings(arguments, HR_PLAN_RUN, &settings);
    struct hr_plan **plans = hr_arena_calloc(&arguments->arena, files.count, sizeof(*plans));
    size_t good = 0;
    for (size_t i = 0; i < files.count; i++) {
        struct hr_plan *plan = hr_plan_build(files.items[i], &settings, &findings);
        if (plan != NULL && !hr_arguments_has(arguments, "offline")) {
            hr_plan_preflight(plan, &findings);
        }
        if (plan != NULL) {
            plans[good++] = plan;
        }
    }
    hr_query_files_check_distinct(plans, good, &findings);
    findings_to_stdout(&findings, hr_arguments_is(arguments, "format", "json"));
    size_t errors = findings.errors - findings.repeated;
    fprintf(stderr, "%zu file%s: %zu error%s, %zu warning%s\n", files.count, plural(files.count), errors,
            plural(errors), findings.warnings, plural(findings.warnings));
    for (size_t i = 0; i < good; i++) {
        hr_plan_free(plans[i]);
    }
    return hr_findings_exit_code(&findings);
}

static const struct hr_flag flags[] = {
    {.name = "offline", .help = "look at the files only: not at brokers, topics, directories"},
    {.name = "format", .value = "FORMAT", .choices = hr_text_or_json, .help = "default text"},
};

const struct hr_command hr_command_lint = {
    .name = "lint",
    .operands = "FILE|DIR…",
    .summary = "report every error and warning of query files",
    .doc = "Prints FILE:LINE:COLUMN: error|warning: MESSAGE and a hint for each. Exit code 0 without errors (warnings\n"
           "allowed), 78 with errors, 69 when all that is wrong is a broker that does not answer.",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = lint,
};
