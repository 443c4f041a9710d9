/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of formats: a schema and a format out of text, records in, and what became of them as text: one JSON line a
 * row, one "!reason: message" a reject, in the order of records.
 */
#ifndef HR_TESTS_DATA_ROWS_H
#define HR_TESTS_DATA_ROWS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/format.h"

enum { ROWS_MAX = 640, COLUMNS_MAX = 512 };

struct rows {
    struct hr_arena arena;
    struct hr_arena chunk_arena;
    struct hr_arena batch_arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_format *format;
    struct hr_format *printer; /* json */
    struct hr_record records[ROWS_MAX];
    size_t record_count;
    struct hr_rejects rejects;
    struct hr_chunk chunk;
    struct hr_buf out;
};

static inline struct hr_yaml *rows_yaml(struct rows *rows, const char *text)
{
    return hr_yaml_read_text(&rows->arena, "query.yaml", text, strlen(text), &rows->findings);
}

/* schema: DDL or a YAML list; format: YAML. Dies when they are wrong. */
static inline void rows_open(struct rows *rows, const char *schema, const char *format)
{
    memset(rows, 0, sizeof(*rows));
    hr_arena_init(&rows->arena, 0);
    hr_arena_init(&rows->chunk_arena, 0);
    hr_arena_init(&rows->batch_arena, 0);
    hr_findings_init(&rows->findings);
    hr_buf_init(&rows->out, 1 << 26);
    hr_schema_init(&rows->schema, &rows->arena);
    struct hr_buf document;
    hr_buf_init(&document, 1 << 20);
    bool is_list = schema[0] == '-' || schema[0] == '[';
    hr_buf_printf(&document, is_list ? "schema:\n%s\n" : "schema: \"%s\"\n", schema);
    hr_schema_read(&rows->schema, hr_yaml_get(rows_yaml(rows, hr_buf_text(&document)), "schema"), &rows->findings);
    hr_buf_release(&document);
    struct hr_place place = {"query.yaml", 1, 1, "source"};
    rows->format = hr_format_new(rows_yaml(rows, format), &place, NULL, &rows->arena, &rows->findings);
    rows->printer = hr_format_new(NULL, &place, NULL, &rows->arena, &rows->findings);
    struct hr_error err = {0};
    if (rows->findings.errors > 0 || hr_format_open(rows->format, &rows->schema, &err) != HR_OK) {
        hr_findings_print_text(&rows->findings, &rows->out);
        printf("\n%s%s\n", hr_buf_text(&rows->out), err.text);
        abort();
    }
}

static inline void rows_close(struct rows *rows)
{
    hr_format_close(rows->format);
    hr_format_close(rows->printer);
    hr_findings_release(&rows->findings);
    hr_buf_release(&rows->out);
    hr_arena_release(&rows->arena);
    hr_arena_release(&rows->chunk_arena);
    hr_arena_release(&rows->batch_arena);
}

static inline struct hr_record *rows_add(struct rows *rows, struct hr_str value)
{
    struct hr_record *record = &rows->records[rows->record_count++];
    *record = (struct hr_record){.value = value, .partition = -1};
    return record;
}

/* Decodes what was added; forgets the chunk before. Bytes are copied to heap blocks of their exact size, so that a
 * sanitizer sees any read past them. */
static inline void rows_decode(struct rows *rows)
{
    char *copies[ROWS_MAX];
    hr_arena_reset(&rows->chunk_arena);
    hr_arena_reset(&rows->batch_arena);
    hr_rejects_init(&rows->rejects, &rows->batch_arena);
    for (size_t i = 0; i < rows->record_count; i++) {
        size_t length = rows->records[i].value.length;
        copies[i] = malloc(length > 0 ? length : 1);
        memcpy(copies[i], rows->records[i].value.data != NULL ? rows->records[i].value.data : "", length);
        rows->records[i].value.data = copies[i];
    }
    hr_chunk_init(&rows->chunk, &rows->schema, rows->record_count, rows->records, &rows->rejects, &rows->chunk_arena);
    hr_format_decode(rows->format, rows->records, 0, rows->record_count, &rows->chunk);
    hr_format_fill_metadata(&rows->chunk);

    size_t columns[COLUMNS_MAX];
    for (size_t i = 0; i < rows->schema.count; i++) {
        columns[i] = i;
    }
    hr_buf_clear(&rows->out);
    size_t row = 0;
    size_t reject = 0;
    while (row < rows->chunk.rows || reject < rows->rejects.count) {
        uint32_t next_row = row < rows->chunk.rows ? rows->chunk.record_index[row] : UINT32_MAX;
        if (reject < rows->rejects.count && rows->rejects.items[reject].record < next_row) {
            const struct hr_reject *bad = &rows->rejects.items[reject++];
            hr_buf_printf(&rows->out, "!%s: %s\n", hr_reason_name(bad->reason), bad->message);
        } else {
            hr_format_encode(rows->printer, &rows->chunk, columns, rows->schema.count, row++, 1, true, &rows->out,
                             NULL);
        }
    }
    for (size_t i = 0; i < rows->record_count; i++) {
        free(copies[i]);
    }
    rows->record_count = 0;
}

/* One record (of `length` bytes) in, its text out, without the newline. Valid until the next call. */
static inline const char *rows_one_of(struct rows *rows, const char *record, size_t length)
{
    rows_add(rows, (struct hr_str){record, length});
    rows_decode(rows);
    if (rows->out.length > 0) {
        rows->out.length--;
    }
    return hr_buf_text(&rows->out);
}

static inline const char *rows_one(struct rows *rows, const char *record)
{
    return rows_one_of(rows, record, strlen(record));
}

#endif
