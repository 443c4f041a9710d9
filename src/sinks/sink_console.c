/* SPDX-License-Identifier: Apache-2.0
 *
 * The console sink: the first rows of each batch on standard output, as a table or as JSON lines. For looking, not for
 * keeping: at least once, and no more than maxRowsPerBatch rows.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/number.h"
#include "sinks/sink.h"

#define CONSOLE_MAX ((size_t)64 << 20)

struct console_options {
    int format;
    int64_t rows_max;
    const char *truncate;
};

enum { CONSOLE_TABLE, CONSOLE_JSON };

struct console_sink {
    struct hr_sink base;
    const struct hr_schema *schema;
    struct hr_format *json;
    size_t width_max;   /* of a cell, code points; 0: no limit */
    struct hr_buf text; /* JSON lines, or the cells back to back */
    size_t *cell_ends;  /* of the table: rows_max * columns */
    size_t *widths;
    size_t cells;
    uint64_t shown;
    bool opened;
};

static pthread_mutex_t console_mutex = PTHREAD_MUTEX_INITIALIZER; /* queries share standard output */

static struct console_sink *console_of(struct hr_sink *sink)
{
    return (struct console_sink *)sink;
}

static void console_check(struct hr_sink *sink, struct hr_findings *findings)
{
    struct console_sink *console = console_of(sink);
    const struct console_options *options = sink->options;
    int64_t width = 20;
    if (strcmp(options->truncate, "false") == 0) {
        width = 0;
    } else if (strcmp(options->truncate, "true") != 0 &&
               (!hr_number_parse_int64(options->truncate, strlen(options->truncate), &width) || width < 0)) {
        hr_findings_error(findings, &sink->place, "truncate: '%s' is not true, false or a number of characters",
                          options->truncate);
    }
    console->width_max = (size_t)width;
    console->json = hr_format_new(NULL, &sink->place, NULL, sink->arena, findings);
}

static enum hr_status console_bind(struct hr_sink *sink, const struct hr_schema *schema, struct hr_error *err)
{
    struct console_sink *console = console_of(sink);
    console->schema = schema;
    return sink->content == HR_CONTENT_METRICS ? HR_OK : hr_format_open(console->json, schema, err);
}

static enum hr_status console_open(struct hr_sink *sink, const struct hr_sink_identity *identity, struct hr_error *err)
{
    struct console_sink *console = console_of(sink);
    const struct console_options *options = sink->options;
    (void)identity;
    (void)err;
    hr_buf_init(&console->text, CONSOLE_MAX);
    (void)hr_buf_reserve(&console->text, 1); /* data is never NULL: fwrite wants none, not even for 0 bytes */
    console->cell_ends = hr_arena_array(sink->arena, (size_t)options->rows_max * sink->column_count + 1, size_t);
    console->widths = hr_arena_array(sink->arena, sink->column_count, size_t);
    console->opened = true;
    return HR_OK;
}

static void console_clear(struct console_sink *console)
{
    hr_buf_clear(&console->text);
    console->cells = 0;
    console->shown = 0;
}

static enum hr_status console_begin(struct hr_sink *sink, int64_t batch, struct hr_error *err)
{
    (void)batch;
    (void)err;
    console_clear(console_of(sink));
    return HR_OK;
}

/* ---- cells -------------------------------------------------------------------------------------------------- */

static void cell_vector(const struct hr_vector *vector, struct hr_buf *out)
{
    if (vector->indices != NULL) {
        hr_buf_printf(out, "(%u,[", vector->size);
        for (uint32_t i = 0; i < vector->count; i++) {
            hr_buf_printf(out, "%s%u", i > 0 ? "," : "", vector->indices[i]);
        }
        hr_buf_append_text(out, "],");
    }
    hr_buf_append_char(out, '[');
    for (uint32_t i = 0; i < vector->count; i++) {
        if (i > 0) {
            hr_buf_append_char(out, ',');
        }
        hr_json_append_double(out, vector->values[i]);
    }
    hr_buf_append_text(out, vector->indices != NULL ? "])" : "]");
}

static void cell_value(const struct hr_column *column, size_t row, struct hr_buf *out)
{
    char text[40];
    if (hr_column_is_null(column, row)) {
        hr_buf_append_text(out, "NULL");
        return;
    }
    switch (column->type) {
    case HR_TYPE_BOOLEAN:
        hr_buf_append_text(out, column->bytes[row] ? "true" : "false");
        break;
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        hr_buf_printf(out, "%lld", (long long)column->longs[row]);
        break;
    case HR_TYPE_FLOAT:
    case HR_TYPE_DOUBLE:
        hr_json_append_double(out, column->doubles[row]);
        break;
    case HR_TYPE_TIMESTAMP:
        (void)hr_clock_format_utc(column->longs[row], text);
        hr_buf_append_text(out, text);
        break;
    case HR_TYPE_STRING:
        hr_buf_append_str(out, column->strings[row]);
        break;
    case HR_TYPE_BINARY:
        hr_buf_printf(out, "(%zu bytes)", column->strings[row].length);
        break;
    case HR_TYPE_STRING_ARRAY:
        hr_buf_append_char(out, '[');
        for (size_t i = 0; i < column->string_arrays[row].count; i++) {
            hr_buf_append_text(out, i > 0 ? ", " : "");
            hr_buf_append_str(out, column->string_arrays[row].items[i]);
        }
        hr_buf_append_char(out, ']');
        break;
    case HR_TYPE_DOUBLE_ARRAY: {
        struct hr_vector vector = {.values = column->double_arrays[row].items,
                                   .count = (uint32_t)column->double_arrays[row].count};
        cell_vector(&vector, out);
        break;
    }
    case HR_TYPE_VECTOR:
        cell_vector(&column->vectors[row], out);
        break;
    }
}

/* Code points, which is near enough to columns of a terminal. */
static size_t text_width(const char *text, size_t length)
{
    size_t width = 0;
    for (size_t i = 0; i < length; i++) {
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return width;
}

/* Cuts what was appended from `start` on to the width, "..." at the end as Spark does; controls become blanks. */
static void cell_finish(const struct console_sink *console, struct hr_buf *out, size_t start)
{
    size_t width = 0;
    for (size_t i = start; i < out->length; i++) {
        if ((unsigned char)out->data[i] < ' ') {
            out->data[i] = ' ';
        }
    }
    if (console->width_max == 0 || text_width(out->data + start, out->length - start) <= console->width_max) {
        return;
    }
    size_t keep = console->width_max > 3 ? console->width_max - 3 : console->width_max;
    size_t end = start;
    for (; end < out->length; end++) {
        if (((unsigned char)out->data[end] & 0xc0) != 0x80 && width++ == keep) {
            break;
        }
    }
    out->length = end;
    if (console->width_max > 3) {
        hr_buf_append_text(out, "...");
    }
}

/* ---- a batch ------------------------------------------------------------------------------------------------ */

static enum hr_status console_write_rows(struct hr_sink *sink, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct console_sink *console = console_of(sink);
    const struct console_options *options = sink->options;
    (void)err;
    uint64_t left = (uint64_t)options->rows_max - console->shown;
    size_t rows = chunk->rows < left ? chunk->rows : (size_t)left;
    console->shown += rows;
    if (options->format == CONSOLE_JSON) {
        hr_format_encode(console->json, chunk, sink->columns, sink->column_count, 0, rows, true, &console->text, NULL);
        return HR_OK;
    }
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < sink->column_count; i++) {
            size_t start = console->text.length;
            cell_value(&chunk->columns[sink->columns[i]], row, &console->text);
            cell_finish(console, &console->text, start);
            console->cell_ends[console->cells++] = console->text.length;
        }
    }
    return HR_OK;
}

static enum hr_status console_write_document(struct hr_sink *sink, const struct hr_document *document,
                                             struct hr_error *err)
{
    struct console_sink *console = console_of(sink);
    (void)err;
    hr_buf_append_str(&console->text, document->value);
    hr_buf_append_char(&console->text, '\n');
    return HR_OK;
}

static void table_rule(const size_t *widths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)fputc('+', stdout);
        for (size_t k = 0; k < widths[i]; k++) {
            (void)fputc('-', stdout);
        }
    }
    (void)fputs("+\n", stdout);
}

static void table_cell(const char *text, size_t length, size_t width)
{
    (void)fputc('|', stdout);
    (void)fwrite(text, 1, length, stdout);
    for (size_t k = text_width(text, length); k < width; k++) {
        (void)fputc(' ', stdout);
    }
}

static void table_print(const struct hr_sink *sink, const struct console_sink *console, int64_t batch)
{
    size_t columns = sink->column_count;
    size_t *widths = console->widths;
    for (size_t i = 0; i < columns; i++) {
        const char *name = console->schema->fields[sink->columns[i]].name;
        widths[i] = text_width(name, strlen(name));
    }
    size_t start = 0;
    for (size_t i = 0; i < console->cells; i++) {
        size_t width = text_width(console->text.data + start, console->cell_ends[i] - start);
        widths[i % columns] = width > widths[i % columns] ? width : widths[i % columns];
        start = console->cell_ends[i];
    }
    printf("-------------------------------------------\nBatch: %lld\n-------------------------------------------\n",
           (long long)batch);
    table_rule(widths, columns);
    for (size_t i = 0; i < columns; i++) {
        const char *name = console->schema->fields[sink->columns[i]].name;
        table_cell(name, strlen(name), widths[i]);
    }
    (void)fputs("|\n", stdout);
    table_rule(widths, columns);
    start = 0;
    for (size_t i = 0; i < console->cells; i++) {
        table_cell(console->text.data + start, console->cell_ends[i] - start, widths[i % columns]);
        start = console->cell_ends[i];
        if (i % columns == columns - 1) {
            (void)fputs("|\n", stdout);
        }
    }
    table_rule(widths, columns);
    if (sink->rows > console->shown) {
        printf("only showing top %llu of %llu rows\n", (unsigned long long)console->shown,
               (unsigned long long)sink->rows);
    }
}

static enum hr_status console_commit(struct hr_sink *sink, int64_t batch, struct hr_error *err)
{
    struct console_sink *console = console_of(sink);
    const struct console_options *options = sink->options;
    pthread_mutex_lock(&console_mutex);
    if (options->format == CONSOLE_JSON || sink->content == HR_CONTENT_METRICS) {
        (void)fwrite(console->text.data, 1, console->text.length, stdout);
    } else if (sink->column_count > 0) {
        table_print(sink, console, batch);
    }
    bool failed = fflush(stdout) != 0;
    pthread_mutex_unlock(&console_mutex);
    return failed ? hr_fail_errno(err, HR_IO, "cannot write to standard output") : HR_OK;
}

static void console_abort(struct hr_sink *sink)
{
    console_clear(console_of(sink));
}

static void console_close(struct hr_sink *sink)
{
    struct console_sink *console = console_of(sink);
    if (console->json != NULL) {
        hr_format_close(console->json);
        console->json = NULL;
    }
    if (console->opened) {
        hr_buf_release(&console->text);
        console->opened = false;
    }
}

static const char *const console_formats[] = {"table", "json", NULL};

static const struct hr_option console_options[] = {
    HR_OPTION(struct console_options, format, "format", CHOICE, .choices = console_formats, .fallback = "table",
              .help = "table for people, json for programs"),
    HR_OPTION(struct console_options, rows_max, "maxRowsPerBatch", INT, .fallback = "20", .minimum = 0,
              .maximum = 1000000, .help = "rows of a batch that are shown"),
    HR_OPTION(struct console_options, truncate, "truncate", STRING, .fallback = "true",
              .help = "cut cells of a table: true (20 characters), false, or a number of characters"),
};

const struct hr_sink_type hr_sink_console = {
    .kind =
        {
            .name = "console",
            .summary = "the first rows of each batch on standard output",
            .doc = "Prints a batch when it is delivered, as a table or as JSON lines. For looking: at least once.",
            .example = "{ type: console, maxRowsPerBatch: 5 }",
            .options = {console_options, HR_ARRAY_LEN(console_options)},
            .options_size = sizeof(struct console_options),
            .instance_size = sizeof(struct console_sink),
        },
    .check = console_check,
    .bind = console_bind,
    .open = console_open,
    .begin = console_begin,
    .write_rows = console_write_rows,
    .write_document = console_write_document,
    .commit = console_commit,
    .abort = console_abort,
    .close = console_close,
};
