/* SPDX-License-Identifier: Apache-2.0
 *
 * From operands of a command to plans: a directory stands for its *.yaml, findings are printed on standard error.
 */
#ifndef HR_SERVICE_QUERY_FILES_H
#define HR_SERVICE_QUERY_FILES_H

#include "base/finding.h"
#include "base/status.h"
#include "service/command.h"
#include "stream/plan.h"

struct hr_query_files {
    const char **items; /* in the arguments' arena */
    size_t count;
};

/* Directories become their *.yaml in name order; names that start with '.' are left out. HR_NO_INPUT for a directory
 * that has none. A name that is no directory is taken as it stands. */
enum hr_status hr_query_files_find(struct hr_arguments *arguments, struct hr_query_files *out, struct hr_error *err);

/* Builds the plan of one file and prints its findings on standard error. NULL: there were errors, *exit_code says
 * which. */
struct hr_plan *hr_query_file_plan(struct hr_arguments *arguments, const char *file, enum hr_plan_purpose purpose,
                                   int *exit_code);

/* Plans of one process must not share a name or a checkpoint: an error at the later file's name or checkpoint. */
void hr_query_files_check_distinct(struct hr_plan *const *plans, size_t count, struct hr_findings *findings);

/* 0 without errors; 78 when one is about the configuration; else the first error's code. */
int hr_findings_exit_code(const struct hr_findings *findings);
void hr_findings_to_stderr(const struct hr_findings *findings);

#endif
