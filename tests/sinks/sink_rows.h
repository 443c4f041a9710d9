/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of sinks: a sink out of YAML with all columns of a small schema, rows out of JSON, and what lies in its
 * directory.
 */
#ifndef HR_TESTS_SINKS_SINK_ROWS_H
#define HR_TESTS_SINKS_SINK_ROWS_H

#include <dirent.h>

#include "data/compress.h"
#include "data/rows.h"
#include "scratch.h"
#include "sinks/sink.h"

#define LINEAGE "11111111-2222-4333-8444-555555555555"
#define OTHER_LINEAGE "99999999-2222-4333-8444-555555555555"

struct sink_rows {
    struct rows rows;
    struct hr_sink *sink;
    struct hr_error err;
};

/* Reads and binds, does not open. Relative paths are below the scratch directory. */
static inline void sink_rows_new(struct sink_rows *self, const char *yaml)
{
    memset(self, 0, sizeof(*self));
    rows_open(&self->rows, "id long, x double, s string", "json");
    struct hr_arena *arena = &self->rows.arena;
    const char *directory = hr_arena_strdup(arena, scratch_path("."));
    struct hr_yaml *node = rows_yaml(&self->rows, yaml);
    self->sink = hr_sink_new(node, "out", directory, arena, &self->rows.findings);
    if (self->sink == NULL) {
        hr_findings_print_text(&self->rows.findings, &self->rows.out);
        printf("\n%s\n", hr_buf_text(&self->rows.out));
        abort();
    }
    self->sink->columns = hr_arena_array(arena, self->rows.schema.count, size_t);
    self->sink->column_count = self->rows.schema.count;
    for (size_t i = 0; i < self->rows.schema.count; i++) {
        self->sink->columns[i] = i;
    }
    CU_ASSERT_EQUAL_FATAL(hr_sink_bind(self->sink, &self->rows.schema, &self->err), HR_OK);
}

static inline enum hr_status sink_rows_open_as(struct sink_rows *self, const char *query, const char *lineage)
{
    struct hr_sink_identity identity = {.query = query};
    memcpy(identity.lineage, lineage, sizeof(identity.lineage));
    return hr_sink_open(self->sink, &identity, &self->err);
}

static inline void sink_rows_open(struct sink_rows *self, const char *yaml)
{
    sink_rows_new(self, yaml);
    enum hr_status status = sink_rows_open_as(self, "query", LINEAGE);
    if (status != HR_OK) {
        printf("\n%s\n", self->err.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, HR_OK);
}

static inline void sink_rows_close(struct sink_rows *self)
{
    hr_sink_close(self->sink);
    rows_close(&self->rows);
}

/* Rows as JSON objects, one a line. */
static inline void sink_rows_write(struct sink_rows *self, const char *lines)
{
    struct rows *rows = &self->rows;
    for (const char *end; *lines != 0; lines = end + 1) {
        end = strchr(lines, '\n');
        rows_add(rows, (struct hr_str){lines, (size_t)(end - lines)});
    }
    hr_arena_reset(&rows->chunk_arena);
    hr_arena_reset(&rows->batch_arena);
    hr_rejects_init(&rows->rejects, &rows->batch_arena);
    hr_chunk_init(&rows->chunk, &rows->schema, rows->record_count, rows->records, &rows->rejects, &rows->chunk_arena);
    hr_format_decode(rows->format, rows->records, 0, rows->record_count, &rows->chunk);
    CU_ASSERT_EQUAL(rows->chunk.rows, rows->record_count);
    rows->record_count = 0;
    CU_ASSERT_EQUAL_FATAL(hr_sink_write_rows(self->sink, &rows->chunk, &self->err), HR_OK);
}

static inline void sink_rows_begin(struct sink_rows *self, int64_t batch)
{
    CU_ASSERT_EQUAL_FATAL(hr_sink_begin(self->sink, batch, &self->err), HR_OK);
}

static inline void sink_rows_commit(struct sink_rows *self, int64_t batch)
{
    CU_ASSERT_EQUAL_FATAL(hr_sink_commit(self->sink, batch, &self->err), HR_OK);
}

/* Names in a directory in order, each followed by a blank; hidden ones and the manifest left out on request. */
static inline const char *directory_names(const char *path, bool visible_only)
{
    static char names[4096];
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    size_t length = 0;
    names[0] = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        if (!dots && !(visible_only && (name[0] == '.' || name[0] == '_'))) {
            length += (size_t)snprintf(names + length, sizeof(names) - length, "%s ", name);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return names;
}

/* The plain bytes of a file, terminated, to be freed with hr_free; "" when there is none. */
static inline char *plain_bytes(const char *path, size_t *length)
{
    enum { ROOM = 32 << 20 };
    struct hr_reader *reader = NULL;
    struct hr_error err;
    char *data = hr_alloc(ROOM + 1);
    size_t got = 1;
    *length = 0;
    if (hr_reader_open(path, &reader, &err) == HR_OK) {
        while (got > 0 && hr_reader_read(reader, data + *length, ROOM - *length, &got, &err) == HR_OK) {
            *length += got;
        }
        hr_reader_close(reader);
    }
    data[*length] = 0;
    return data;
}

#define EXPECT_FILE(path, expected) \
    do { \
        size_t expect_length; \
        char *expect_text = plain_bytes(path, &expect_length); \
        TEST_TEXT_EQUAL(expect_text, expected); \
        hr_free(expect_text); \
    } while (0)

#endif
