/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of sources: a source out of YAML, and what a batch of it holds as text.
 */
#ifndef HR_TESTS_STREAM_SOURCE_ROWS_H
#define HR_TESTS_STREAM_SOURCE_ROWS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "stream/source.h"

struct source_rows {
    struct hr_arena arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_source *source;
    struct hr_records records;
    struct hr_offsets end;
    struct hr_offsets target;
    struct hr_buf text;
    struct hr_error err;
};

static inline struct hr_yaml *source_rows_yaml(struct source_rows *self, const char *text)
{
    return hr_yaml_read_text(&self->arena, "query.yaml", text, strlen(text), &self->findings);
}

/* Relative paths are below the scratch directory; the state directory is "state" there. format: YAML. */
static inline void source_rows_new(struct source_rows *self, const char *yaml, const char *format)
{
    memset(self, 0, sizeof(*self));
    hr_arena_init(&self->arena, 0);
    hr_findings_init(&self->findings);
    hr_buf_init(&self->text, 1 << 26);
    hr_schema_init(&self->schema, &self->arena);
    struct hr_place place = {"query.yaml", 1, 1, "source"};
    const char *directory = hr_arena_strdup(&self->arena, scratch_path("."));
    hr_schema_read(&self->schema, hr_yaml_get(source_rows_yaml(self, "schema: \"id long\""), "schema"),
                   &self->findings);
    self->source = hr_source_new(source_rows_yaml(self, yaml), "query", directory, &self->arena, &self->findings);
    struct hr_format *made = hr_format_new(source_rows_yaml(self, format), &place, NULL, &self->arena, &self->findings);
    if (self->findings.errors > 0 || hr_format_open(made, &self->schema, &self->err) != HR_OK) {
        hr_findings_print_text(&self->findings, &self->text);
        printf("\n%s%s\n", hr_buf_text(&self->text), self->err.text);
        abort();
    }
    self->source->format = made;
    self->source->state_directory = hr_arena_strdup(&self->arena, scratch_path("state"));
}

static inline void source_rows_open(struct source_rows *self, const char *yaml, const char *format,
                                    const struct hr_offsets *committed)
{
    source_rows_new(self, yaml, format);
    enum hr_status status = hr_source_open(self->source, committed, &self->err);
    if (status != HR_OK) {
        printf("\n%s\n", self->err.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, HR_OK);
}

static inline void source_rows_close(struct source_rows *self)
{
    hr_source_close(self->source);
    hr_format_close(self->source->format);
    hr_offsets_release(&self->end);
    hr_offsets_release(&self->target);
    hr_records_release(&self->records);
    hr_findings_release(&self->findings);
    hr_buf_release(&self->text);
    hr_arena_release(&self->arena);
}

/* Bounded: not past what is there now. */
static inline void source_rows_bound(struct source_rows *self)
{
    CU_ASSERT_EQUAL(hr_source_latest(self->source, &self->target, &self->err), HR_OK);
}

static inline enum hr_status source_rows_plan(struct source_rows *self, int64_t rows, int64_t wait_us)
{
    struct hr_source_limit limit = {
        .rows = rows,
        .target = self->target.count > 0 ? &self->target : NULL,
        .wait_us = wait_us,
    };
    return hr_source_plan(self->source, &limit, &self->end, &self->err);
}

/* Reads up to self->end: "value " for each record, "#value " for a header. */
static inline const char *source_rows_read(struct source_rows *self)
{
    enum hr_status status = hr_source_read(self->source, &self->end, &self->records, &self->err);
    hr_buf_clear(&self->text);
    if (status != HR_OK) {
        hr_buf_printf(&self->text, "%s: %s", hr_status_name(status), self->err.text);
        return hr_buf_text(&self->text);
    }
    for (size_t i = 0; i < self->records.count; i++) {
        const struct hr_record *record = &self->records.items[i];
        hr_buf_printf(&self->text, "%s%.*s ", record->flags & HR_RECORD_HEADER ? "#" : "", HR_STR_ARGS(record->value));
    }
    return hr_buf_text(&self->text);
}

/* Plans at most `rows` and reads them; "AGAIN" or "END" when there is nothing. */
static inline const char *source_rows_next(struct source_rows *self, int64_t rows)
{
    enum hr_status status = source_rows_plan(self, rows, 0);
    if (status == HR_AGAIN || status == HR_END) {
        return hr_status_name(status);
    }
    if (status != HR_OK) {
        hr_buf_clear(&self->text);
        hr_buf_printf(&self->text, "%s: %s", hr_status_name(status), self->err.text);
        return hr_buf_text(&self->text);
    }
    return source_rows_read(self);
}

#endif
