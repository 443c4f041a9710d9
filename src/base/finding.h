/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings: what is wrong with a file, all at once. Checks add findings and go on; the command prints them all, as
 * `FILE:LINE:COL: error: MESSAGE` and a hint line, or as JSON `[{file,line,column,path,severity,message,hint}]`.
 * Strings are copied. Thread: one at a time.
 */
#ifndef HR_BASE_FINDING_H
#define HR_BASE_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"

enum hr_severity { HR_SEVERITY_ERROR, HR_SEVERITY_WARNING };

/* Where something stands in a file: line and column from 1, column in bytes; 0 = unknown. */
struct hr_place {
    const char *file;
    int line;
    int column;
    const char *path; /* "source.format.type", "pipeline.stages[2].inputCol" */
};

struct hr_finding {
    struct hr_place place;
    enum hr_severity severity;
    enum hr_status status; /* which exit code an error asks for; HR_BAD_CONFIG mostly */
    const char *message;
    const char *hint; /* NULL: none */
    struct hr_finding *next;
};

struct hr_findings {
    struct hr_arena arena;
    struct hr_finding *first;
    struct hr_finding *last;
    size_t errors;   /* also those that were met again */
    size_t repeated; /* of errors, not listed a second time */
    size_t warnings;
};

void hr_findings_init(struct hr_findings *findings);
void hr_findings_release(struct hr_findings *findings);
/* Adds an error with status HR_BAD_CONFIG; returns it so that a hint or another status can be set:
 * `hr_finding_hint(findings, hr_findings_error(findings, &node->place, "…"), "did you mean '%s'?", near);` */
struct hr_finding *hr_findings_error(struct hr_findings *findings, const struct hr_place *place, const char *format,
                                     ...) HR_PRINTF(3, 4);
struct hr_finding *hr_findings_warning(struct hr_findings *findings, const struct hr_place *place, const char *format,
                                       ...) HR_PRINTF(3, 4);
void hr_finding_hint(struct hr_findings *findings, struct hr_finding *finding, const char *format, ...) HR_PRINTF(3, 4);
/* A value whose error is listed already was wanted: whoever compares `errors` before and after must see it. */
static inline void hr_findings_repeat(struct hr_findings *findings)
{
    findings->errors++;
    findings->repeated++;
}
/* Takes away those findings after `last` (NULL: all) that `keep` does not want. */
void hr_findings_filter(struct hr_findings *findings, struct hr_finding *last,
                        bool (*keep)(const struct hr_finding *finding, void *context), void *context);
/* Adds err (text, hint, status) as an error at a place. */
struct hr_finding *hr_findings_add(struct hr_findings *findings, const struct hr_place *place,
                                   const struct hr_error *err);
/* Appends all findings, sorted by file, line and column. */
void hr_findings_print_text(const struct hr_findings *findings, struct hr_buf *out);
void hr_findings_print_json(const struct hr_findings *findings, struct hr_buf *out);
/* The status of the first error, HR_OK when there is none. */
enum hr_status hr_findings_status(const struct hr_findings *findings);

#endif
