/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of findings and its two printed forms.
 */
#include "base/finding.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json_writer.h"
#include "base/redact.h"

#define MESSAGE_MAX (1u << 20)

void hr_findings_init(struct hr_findings *findings)
{
    *findings = (struct hr_findings){.first = NULL};
    hr_arena_init(&findings->arena, 4096);
}

void hr_findings_release(struct hr_findings *findings)
{
    hr_arena_release(&findings->arena);
    hr_findings_init(findings);
}

static const char *copy_or_empty(struct hr_arena *arena, const char *text)
{
    return text != NULL ? hr_arena_strdup(arena, text) : "";
}

static struct hr_finding *add(struct hr_findings *findings, const struct hr_place *place, enum hr_severity severity)
{
    static const struct hr_place nowhere;
    struct hr_arena *arena = &findings->arena;
    const struct hr_place *from = place != NULL ? place : &nowhere;
    struct hr_finding *finding = hr_arena_new(arena, struct hr_finding);
    finding->place = (struct hr_place){
        .file = copy_or_empty(arena, from->file),
        .line = from->line,
        .column = from->column,
        .path = copy_or_empty(arena, from->path),
    };
    finding->severity = severity;
    finding->status = severity == HR_SEVERITY_ERROR ? HR_BAD_CONFIG : HR_OK;
    if (findings->last != NULL) {
        findings->last->next = finding;
    } else {
        findings->first = finding;
    }
    findings->last = finding;
    if (severity == HR_SEVERITY_ERROR) {
        findings->errors++;
    } else {
        findings->warnings++;
    }
    return finding;
}

struct hr_finding *hr_findings_error(struct hr_findings *findings, const struct hr_place *place, const char *format,
                                     ...)
{
    struct hr_finding *finding = add(findings, place, HR_SEVERITY_ERROR);
    va_list arguments;
    va_start(arguments, format);
    finding->message = hr_arena_vprintf(&findings->arena, format, arguments);
    va_end(arguments);
    return finding;
}

struct hr_finding *hr_findings_warning(struct hr_findings *findings, const struct hr_place *place, const char *format,
                                       ...)
{
    struct hr_finding *finding = add(findings, place, HR_SEVERITY_WARNING);
    va_list arguments;
    va_start(arguments, format);
    finding->message = hr_arena_vprintf(&findings->arena, format, arguments);
    va_end(arguments);
    return finding;
}

void hr_finding_hint(struct hr_findings *findings, struct hr_finding *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    finding->hint = hr_arena_vprintf(&findings->arena, format, arguments);
    va_end(arguments);
}

struct hr_finding *hr_findings_add(struct hr_findings *findings, const struct hr_place *place,
                                   const struct hr_error *err)
{
    struct hr_finding *finding = hr_findings_error(findings, place, "%s", err->text);
    finding->status = err->status;
    if (err->hint[0] != '\0') {
        hr_finding_hint(findings, finding, "%s", err->hint);
    }
    return finding;
}

void hr_findings_filter(struct hr_findings *findings, struct hr_finding *last,
                        bool (*keep)(const struct hr_finding *finding, void *context), void *context)
{
    struct hr_finding *next;
    for (struct hr_finding *finding = last != NULL ? last->next : findings->first; finding != NULL; finding = next) {
        next = finding->next;
        if (keep(finding, context)) {
            last = finding;
            continue;
        }
        if (last != NULL) {
            last->next = next;
        } else {
            findings->first = next;
        }
        findings->errors -= finding->severity == HR_SEVERITY_ERROR;
        findings->warnings -= finding->severity == HR_SEVERITY_WARNING;
    }
    findings->last = last;
}

struct numbered {
    const struct hr_finding *finding;
    size_t number;
};

static int compare_numbers(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

/* By place, then in the order of finding. */
static int compare_places(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    int order = strcmp(a->finding->place.file, b->finding->place.file);
    if (order == 0) {
        order = compare_numbers((size_t)a->finding->place.line, (size_t)b->finding->place.line);
    }
    if (order == 0) {
        order = compare_numbers((size_t)a->finding->place.column, (size_t)b->finding->place.column);
    }
    return order != 0 ? order : compare_numbers(a->number, b->number);
}

/* All findings in printing order; the caller frees. */
static struct numbered *sorted(const struct hr_findings *findings, size_t *out_count)
{
    struct numbered *all = hr_calloc(findings->errors - findings->repeated + findings->warnings, sizeof(*all));
    size_t count = 0;
    for (const struct hr_finding *finding = findings->first; finding != NULL; finding = finding->next) {
        all[count] = (struct numbered){finding, count};
        count++;
    }
    qsort(all, count, sizeof(*all), compare_places);
    *out_count = count;
    return all;
}

static const char *severity_text(enum hr_severity severity)
{
    return severity == HR_SEVERITY_ERROR ? "error" : "warning";
}

/* A finding stays on its line, whatever a library put into its text; what came from a variable is not shown. */
static void append_line(struct hr_buf *out, const char *message)
{
    struct hr_buf shown HR_CLEANUP(hr_buf_release);
    hr_buf_init(&shown, MESSAGE_MAX);
    const char *text = hr_redact(message, &shown);
    for (; *text != '\0'; text++) {
        hr_buf_append_char(out, (unsigned char)*text < 0x20 ? ' ' : *text);
    }
    hr_buf_append_char(out, '\n');
}

void hr_findings_print_text(const struct hr_findings *findings, struct hr_buf *out)
{
    size_t count;
    HR_CLEANUP(hr_free_pointer) struct numbered *all = sorted(findings, &count);
    for (size_t i = 0; i < count; i++) {
        const struct hr_finding *finding = all[i].finding;
        const struct hr_place *place = &finding->place;
        if (place->file[0] != '\0') {
            hr_buf_printf(out, "%s:", place->file);
            if (place->line > 0) {
                hr_buf_printf(out, "%d:%d:", place->line, place->column);
            }
            hr_buf_append_char(out, ' ');
        }
        hr_buf_printf(out, "%s: ", severity_text(finding->severity));
        append_line(out, finding->message);
        if (finding->hint != NULL) {
            hr_buf_append_text(out, "  hint: ");
            append_line(out, finding->hint);
        }
    }
}

void hr_findings_print_json(const struct hr_findings *findings, struct hr_buf *out)
{
    size_t count;
    HR_CLEANUP(hr_free_pointer) struct numbered *all = sorted(findings, &count);
    struct hr_buf shown HR_CLEANUP(hr_buf_release);
    hr_buf_init(&shown, MESSAGE_MAX);
    struct hr_json json;
    hr_json_init(&json, out);
    hr_json_array_begin(&json);
    for (size_t i = 0; i < count; i++) {
        const struct hr_finding *finding = all[i].finding;
        hr_json_object_begin(&json);
        hr_json_key(&json, "file");
        hr_json_text(&json, finding->place.file);
        hr_json_key(&json, "line");
        hr_json_int(&json, finding->place.line);
        hr_json_key(&json, "column");
        hr_json_int(&json, finding->place.column);
        hr_json_key(&json, "path");
        hr_json_text(&json, finding->place.path);
        hr_json_key(&json, "severity");
        hr_json_text(&json, severity_text(finding->severity));
        hr_json_key(&json, "message");
        hr_json_text(&json, hr_redact(finding->message, &shown));
        hr_json_key(&json, "hint");
        hr_json_text(&json, finding->hint != NULL ? hr_redact(finding->hint, &shown) : NULL);
        hr_json_object_end(&json);
    }
    hr_json_array_end(&json);
    hr_buf_append_char(out, '\n');
}

enum hr_status hr_findings_status(const struct hr_findings *findings)
{
    for (const struct hr_finding *finding = findings->first; finding != NULL; finding = finding->next) {
        if (finding->severity == HR_SEVERITY_ERROR) {
            return finding->status;
        }
    }
    return HR_OK;
}
