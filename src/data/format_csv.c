/* SPDX-License-Identifier: Apache-2.0
 *
 * The CSV format. Fields are matched with columns by the header record that precedes a file's records, else by place.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "data/csv_columns.h"
#include "data/csv_text.h"
#include "data/csv_value.h"
#include "data/format.h"
#include "data/json_encode.h"
#include "data/simd.h"

struct csv_options {
    struct hr_format_options common;
    bool header;
    char delimiter;
    char quote;
    const char *null_value;
};

static const struct hr_option csv_rows[] = {
    HR_FORMAT_OPTION_ROWS(struct csv_options),
    HR_OPTION(struct csv_options, header, "header", BOOL, .fallback = "true",
              .help = "files begin with the columns' names; records of Kafka and sockets have none, their fields come "
                      "in the schema's order"),
    HR_OPTION(struct csv_options, delimiter, "delimiter", CHARACTER, .fallback = ",", .help = "between fields"),
    HR_OPTION(struct csv_options, quote, "quote", CHARACTER, .fallback = "\"", .help = "around fields"),
    HR_OPTION(struct csv_options, null_value, "nullValue", STRING, .fallback = "",
              .help = "an unquoted field with this text is null, and so is an empty one"),
};

/* A field's place that leads to no column. */
#define NO_COLUMN SIZE_MAX

struct csv_format {
    struct hr_format base;
    struct hr_csv_dialect dialect;
    struct hr_str null_value;
    struct hr_arena arena;
    struct hr_json_scratch scratch;
    struct hr_json_target *targets; /* one a column of the schema */
    uint8_t *states;
    struct hr_str *texts; /* of the record at hand, for messages */
    size_t *columns;      /* field's place → column */
    size_t field_count;   /* how many fields a record has */
    size_t field_capacity;
    size_t column_count;       /* of the schema when opened */
    char header_error[400];    /* what is wrong with the header, and so with every record; "": nothing */
    struct hr_buf field;       /* encoder: one value */
    struct hr_csv_index index; /* of plain records; its starts are made for index_fields */
    size_t index_fields;
    bool index_fits;  /* fields and columns are such that records may be indexed */
    bool index_known; /* index_fits was found out for the fields at hand */
};

static struct csv_format *csv_of(struct hr_format *base)
{
    struct csv_format *format = (struct csv_format *)base;
    const struct csv_options *options = base->options;
    format->dialect = (struct hr_csv_dialect){options->delimiter, options->quote};
    format->null_value = hr_str_from(options->null_value);
    return format;
}

static void csv_close(struct hr_format *base)
{
    struct csv_format *format = (struct csv_format *)base;
    for (size_t i = 0; format->targets != NULL && i < format->column_count; i++) {
        hr_timestamp_pattern_free(format->targets[i].pattern);
    }
    format->targets = NULL;
    format->index.starts = NULL;
    format->index_fields = 0;
    hr_json_scratch_release(&format->scratch);
    hr_buf_release(&format->field);
    hr_arena_release(&format->arena);
}

/* Field i is the i-th column that is decoded. */
static void order_of_schema(struct csv_format *format)
{
    format->index_known = false;
    format->field_count = 0;
    format->header_error[0] = '\0';
    for (size_t i = 0; i < format->base.schema->count; i++) {
        if (format->base.schema->fields[i].origin == HR_ORIGIN_FIELD) {
            format->columns[format->field_count++] = i;
        }
    }
}

/* The header's name of a column: the column's name, or its path without the slash. */
static const char *header_name(const struct hr_field *field)
{
    return field->pointer != NULL ? field->pointer + 1 : field->name;
}

static enum hr_status csv_open(struct hr_format *base, const struct hr_schema *schema, struct hr_error *err)
{
    csv_close(base);
    struct csv_format *format = csv_of(base);
    hr_arena_init(&format->arena, 4096);
    format->targets = hr_arena_calloc(&format->arena, schema->count, sizeof(*format->targets));
    format->states = hr_arena_calloc(&format->arena, schema->count, 1);
    format->texts = hr_arena_calloc(&format->arena, schema->count, sizeof(*format->texts));
    format->columns = hr_arena_calloc(&format->arena, schema->count, sizeof(*format->columns));
    format->field_capacity = format->column_count = schema->count;
    if (format->dialect.delimiter == format->dialect.quote) {
        return hr_fail(err, HR_BAD_CONFIG, "format csv: delimiter and quote are both '%c'", format->dialect.quote);
    }
    for (size_t i = 0; i < schema->count; i++) {
        const struct hr_field *field = &schema->fields[i];
        if (field->origin != HR_ORIGIN_FIELD) {
            continue;
        }
        if (field->pointer != NULL && strpbrk(field->pointer + 1, "/~") != NULL) {
            (void)hr_fail(err, HR_BAD_CONFIG, "column '%s': path '%s' leads into a nested value, which CSV has not",
                          field->name, field->pointer);
            return hr_fail_hint(err, "name the header's column, as in `path: /%s`", field->name);
        }
        format->targets[i].field = field;
        if (field->type == HR_TYPE_TIMESTAMP && field->timestamp_format == HR_TIMESTAMP_PATTERN) {
            HR_TRY(hr_timestamp_pattern_new(field->timestamp_pattern, &format->targets[i].pattern, err));
        }
    }
    order_of_schema(format);
    return HR_OK;
}

/* ---- decoding ----------------------------------------------------------------------------------------------- */

static struct hr_str without_line_end(struct hr_str text)
{
    text.length -= text.length > 0 && text.data[text.length - 1] == '\n';
    text.length -= text.length > 0 && text.data[text.length - 1] == '\r';
    return text;
}

/* A byte order mark may begin a file. */
static struct hr_str without_mark(struct hr_str text)
{
    if (text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.length -= 3;
    }
    return text;
}

static size_t column_called(const struct hr_schema *schema, struct hr_str name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->fields[i].origin == HR_ORIGIN_FIELD && hr_str_equal_text(name, header_name(&schema->fields[i]))) {
            return i;
        }
    }
    return NO_COLUMN;
}

static void add_place(struct csv_format *format, size_t column)
{
    if (format->field_count == format->field_capacity) {
        size_t capacity = format->field_capacity == 0 ? 16 : format->field_capacity * 2;
        size_t *columns = hr_arena_array(&format->arena, capacity, size_t);
        memcpy(columns, format->columns, format->field_count * sizeof(*columns));
        format->columns = columns;
        format->field_capacity = capacity;
    }
    format->columns[format->field_count++] = column;
}

/* A header record: from now on fields lead to the columns of these names. */
static void take_header(struct csv_format *format, const struct hr_record *record, struct hr_arena *arena)
{
    const struct hr_schema *schema = format->base.schema;
    struct hr_str text = without_mark(without_line_end(record->value));
    const char *end = text.data + text.length;
    const char *what = NULL;
    format->field_count = 0;
    format->index_known = false;
    format->header_error[0] = '\0';
    memset(format->states, 0, schema->count);
    for (const char *p = text.data;; p++) {
        struct hr_csv_field field;
        p = hr_csv_field(format->dialect, p, end, arena, &field, &what);
        if (p == NULL) {
            snprintf(format->header_error, sizeof(format->header_error), "the header of %.*s: %s",
                     HR_STR_ARGS(record->origin), what);
            return;
        }
        size_t column = column_called(schema, field.text);
        add_place(format, column);
        if (column != NO_COLUMN) {
            format->states[column] = 1;
        }
        if (p == end) {
            break;
        }
    }
    if (memchr(format->states, 1, schema->count) == NULL) {
        snprintf(format->header_error, sizeof(format->header_error),
                 "the header of %.*s names none of the columns; a file without one needs header: false",
                 HR_STR_ARGS(record->origin));
        return;
    }
    for (size_t i = 0; i < schema->count; i++) {
        const struct hr_field *field = &schema->fields[i];
        if (field->origin == HR_ORIGIN_FIELD && !field->nullable && !format->states[i]) {
            snprintf(format->header_error, sizeof(format->header_error),
                     "column '%s' is not nullable, and the header of %.*s has no '%s'", field->name,
                     HR_STR_ARGS(record->origin), header_name(field));
            return;
        }
    }
}

static HR_COLD bool reject_value(const struct csv_format *format, size_t column, uint32_t index,
                                 struct hr_rejects *rejects)
{
    const struct hr_field *field = &format->base.schema->fields[column];
    struct hr_str text = format->texts[column];
    size_t shown = text.length;
    for (shown = shown > 40 ? 40 : shown; shown < text.length && shown > 0; shown--) {
        if (((unsigned char)text.data[shown] & 0xc0) != 0x80) {
            break;
        }
    }
    switch ((enum hr_json_state)format->states[column]) {
    case HR_JSON_WRONG_TYPE:
        hr_rejects_add(rejects, index, HR_REASON_WRONG_TYPE, "column '%s' is %s and cannot hold '%.*s'", field->name,
                       hr_type_name(field->type), (int)shown, text.data);
        break;
    case HR_JSON_OUT_OF_RANGE:
        hr_rejects_add(rejects, index, HR_REASON_OUT_OF_RANGE, "column '%s' is %s; '%.*s' is out of its range",
                       field->name, hr_type_name(field->type), (int)shown, text.data);
        break;
    default:
        hr_rejects_add(rejects, index, HR_REASON_NULL_VALUE, "column '%s' is not nullable, and its field is empty",
                       field->name);
        break;
    }
    return false;
}

/* Nulls, and what is wrong with values: the first column that has something wrong speaks. */
static bool judge(const struct csv_format *format, uint32_t index, size_t row, size_t rows, struct hr_chunk *chunk)
{
    const struct hr_schema *schema = format->base.schema;
    for (size_t i = 0; i < schema->count; i++) {
        uint8_t state = format->states[i];
        bool is_field = schema->fields[i].origin == HR_ORIGIN_FIELD;
        if (HR_UNLIKELY(is_field && (state == HR_JSON_WRONG_TYPE || state == HR_JSON_OUT_OF_RANGE ||
                                     (state != HR_JSON_VALUE && !schema->fields[i].nullable)))) {
            return reject_value(format, i, index, chunk->rejects);
        }
    }
    for (size_t i = 0; i < schema->count; i++) {
        if (format->states[i] != HR_JSON_VALUE && schema->fields[i].origin == HR_ORIGIN_FIELD) {
            hr_column_set_null(&chunk->columns[i], row, rows, chunk->arena);
        }
    }
    return true;
}

static bool is_blank(struct hr_str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != ' ' && text.data[i] != '\t') {
            return false;
        }
    }
    return true;
}

/* false, with a reject, for records that are not looked into. */
static bool check_record(const struct csv_format *format, const struct hr_record *record, struct hr_str text,
                         uint32_t index, struct hr_rejects *rejects)
{
    if (HR_UNLIKELY(record->value.length > format->base.record_bytes_max)) {
        hr_rejects_add(rejects, index, HR_REASON_TOO_LARGE, "the record has %zu bytes, the limit is %zu",
                       record->value.length, format->base.record_bytes_max);
    } else if (HR_UNLIKELY(format->header_error[0] != '\0')) {
        hr_rejects_add(rejects, index, HR_REASON_NULL_VALUE, "%s", format->header_error);
    } else if (HR_UNLIKELY(is_blank(text))) {
        hr_rejects_add(rejects, index, HR_REASON_EMPTY, "the record is empty");
    } else if (HR_UNLIKELY(!hr_str_is_utf8(text))) {
        hr_rejects_add(rejects, index, HR_REASON_INVALID_UTF8, "the record is not UTF-8");
    } else {
        return true;
    }
    return false;
}

static inline void take_field(struct csv_format *format, const struct hr_csv_field *field, size_t column, size_t row,
                              struct hr_arena *arena)
{
    format->texts[column] = field->text;
    bool is_null = !field->quoted && (field->text.length == 0 || hr_str_equal(field->text, format->null_value));
    format->states[column] =
        is_null ? HR_JSON_NULL
                : (uint8_t)hr_csv_value(field->text, &format->targets[column], row, &format->scratch, arena);
}

static bool decode_record(struct csv_format *format, const struct hr_record *record, uint32_t index, size_t row,
                          size_t rows, struct hr_chunk *chunk)
{
    struct hr_str text = without_line_end(record->value);
    text = record->line == 1 ? without_mark(text) : text;
    if (!check_record(format, record, text, index, chunk->rejects)) {
        return false;
    }
    memset(format->states, HR_JSON_MISSING, format->base.schema->count);
    const char *end = text.data + text.length;
    const char *what = NULL;
    size_t place = 0;
    for (const char *p = text.data;; p++) {
        struct hr_csv_field field;
        p = hr_csv_field(format->dialect, p, end, chunk->arena, &field, &what);
        if (HR_UNLIKELY(p == NULL)) {
            hr_rejects_add(chunk->rejects, index, HR_REASON_MALFORMED, "field %zu: %s", place + 1, what);
            return false;
        }
        if (HR_LIKELY(place < format->field_count) && format->columns[place] != NO_COLUMN) {
            take_field(format, &field, format->columns[place], row, chunk->arena);
        }
        place++;
        if (p == end) {
            break;
        }
    }
    if (HR_UNLIKELY(place != format->field_count)) {
        hr_rejects_add(chunk->rejects, index, HR_REASON_WRONG_FIELD_COUNT, "the record has %zu fields instead of %zu",
                       place, format->field_count);
        return false;
    }
    return judge(format, index, row, rows, chunk);
}

static size_t decode_general(struct csv_format *format, const struct hr_record *records, uint32_t first_index,
                             size_t count, size_t row, size_t rows, struct hr_chunk *chunk)
{
    for (size_t i = 0; i < count; i++) {
        if (decode_record(format, &records[i], first_index + (uint32_t)i, row, rows, chunk)) {
            chunk->record_index[row++] = first_index + (uint32_t)i;
        }
    }
    return row;
}

/* The records up to the next header, at most a block. */
static size_t block_of(const struct hr_record *records, size_t count)
{
    size_t block = 0;
    while (block < count && block < HR_CSV_BLOCK && !(records[block].flags & HR_RECORD_HEADER)) {
        block++;
    }
    return block;
}

/* Every column has exactly one field. A header that names none or too many, or some twice, is for the general way. */
static bool index_fits(struct csv_format *format)
{
    const struct hr_schema *schema = format->base.schema;
    if (format->header_error[0] != '\0' || format->field_count == 0 || format->field_count > HR_CSV_PLAIN_FIELDS) {
        return false;
    }
    memset(format->states, 0, schema->count);
    for (size_t i = 0; i < format->field_count; i++) {
        size_t column = format->columns[i];
        if (column != NO_COLUMN && format->states[column]++ != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->fields[i].origin == HR_ORIGIN_FIELD && format->states[i] == 0) {
            return false;
        }
    }
    return true;
}

static bool may_index(struct csv_format *format)
{
    if (HR_UNLIKELY(!format->index_known)) {
        format->index_known = true;
        format->index_fits = index_fits(format);
        struct hr_csv_index *index = &format->index;
        if (format->index_fits && format->index_fields != format->field_count) {
            format->index_fields = format->field_count;
            index->starts =
                hr_arena_array(&format->arena, HR_CSV_BLOCK * (format->field_count + 1) + HR_CSV_INDEX_SLACK, uint16_t);
        }
        index->dialect = format->dialect;
        index->fields = format->field_count;
        index->stride = format->field_count + 1;
        index->record_bytes_max = format->base.record_bytes_max;
    }
    return format->index_fits && hr_simd_best() != HR_SIMD_NONE;
}

/* Plain records a column at a time into the rows [row, row + count), then the odd ones the general way; rows of those
 * that are bad are dropped. */
static size_t decode_plain(struct csv_format *format, const struct hr_record *records, uint32_t first_index,
                           size_t count, size_t row, size_t rows, struct hr_chunk *chunk)
{
    struct hr_csv_index *index = &format->index;
    hr_csv_index_records(index, records, count);
    for (size_t place = 0; place < format->field_count; place++) {
        if (format->columns[place] != NO_COLUMN) {
            struct hr_csv_column column = {place,
                                           row,
                                           count,
                                           rows,
                                           format->null_value,
                                           &format->targets[format->columns[place]],
                                           &format->scratch,
                                           chunk->arena};
            hr_csv_column_read(index, &column);
        }
    }
    for (size_t i = 0; i < count; i++) {
        chunk->record_index[row + i] = first_index + (uint32_t)i;
    }
    chunk->rows = row + count;
    for (size_t i = 0; i < count; i++) {
        if (HR_UNLIKELY(index->odd[i]) &&
            !decode_record(format, &records[i], first_index + (uint32_t)i, row + i, rows, chunk)) {
            hr_chunk_drop(chunk, row + i);
        }
    }
    return chunk->rows;
}

static void csv_decode(struct hr_format *base, const struct hr_record *records, uint32_t first_index, size_t count,
                       struct hr_chunk *chunk)
{
    struct csv_format *format = (struct csv_format *)base;
    HR_ASSERT(base->schema->count <= chunk->schema->count);
    for (size_t i = 0; i < base->schema->count; i++) {
        if (base->schema->fields[i].origin == HR_ORIGIN_FIELD) {
            hr_column_init(&chunk->columns[i], base->schema->fields[i].type, count, chunk->arena);
            format->targets[i].column = &chunk->columns[i];
            format->targets[i].block = NULL;
            format->targets[i].block_left = 0;
            format->targets[i].rows_left = count;
        }
    }
    size_t row = 0;
    for (size_t i = 0; i < count;) {
        size_t block = block_of(records + i, count - i);
        uint32_t index = first_index + (uint32_t)i;
        if (records[i].flags & HR_RECORD_HEADER) {
            take_header(format, &records[i], chunk->arena);
            block = 1;
        } else if (HR_LIKELY(may_index(format))) {
            row = decode_plain(format, records + i, index, block, row, count, chunk);
        } else {
            row = decode_general(format, records + i, index, block, row, count, chunk);
        }
        i += block;
    }
    chunk->rows = row;
    hr_chunk_compact(chunk, base->schema->count);
    for (size_t i = 0; i < base->schema->count; i++) {
        if (base->schema->fields[i].origin == HR_ORIGIN_FIELD) {
            hr_column_find_dense(&chunk->columns[i], chunk->rows);
        }
    }
}

static size_t csv_split(struct hr_format *base, const char *data, size_t length, bool at_end, size_t *content)
{
    return hr_csv_split(csv_of(base)->dialect, data, length, at_end, content);
}

static bool csv_has_header(const struct hr_format *base)
{
    return ((const struct csv_options *)base->options)->header;
}

/* ---- encoding ----------------------------------------------------------------------------------------------- */

static void append_value(struct csv_format *format, const struct hr_column *column, size_t row, struct hr_buf *out)
{
    if (hr_column_is_null(column, row)) {
        hr_buf_append_str(out, format->null_value);
        return;
    }
    if (column->type == HR_TYPE_STRING) {
        struct hr_str text = column->strings[row];
        hr_csv_append(format->dialect, text, text.length == 0 || hr_str_equal(text, format->null_value), out);
        return;
    }
    hr_buf_clear(&format->field);
    hr_json_encode_value(column, row, &format->field);
    struct hr_str text = hr_buf_str(&format->field);
    if (text.length >= 2 && text.data[0] == '"') { /* time stamps, binary, NaN: JSON's quotes are not CSV's */
        text.data++;
        text.length -= 2;
    }
    hr_csv_append(format->dialect, text, hr_str_equal(text, format->null_value), out);
}

static void csv_encode(struct hr_format *base, const struct hr_chunk *chunk, const size_t *columns, size_t column_count,
                       size_t first, size_t count, bool framed, struct hr_buf *out, size_t *row_end)
{
    struct csv_format *format = csv_of(base);
    if (format->field.maximum == 0) {
        hr_buf_init(&format->field, SIZE_MAX / 2);
    }
    for (size_t row = first; row < first + count; row++) {
        for (size_t i = 0; i < column_count; i++) {
            if (i > 0) {
                hr_buf_append_char(out, format->dialect.delimiter);
            }
            append_value(format, &chunk->columns[columns[i]], row, out);
        }
        if (row_end != NULL) {
            row_end[row - first] = out->length;
        }
        if (framed) {
            hr_buf_append_char(out, '\n');
        }
    }
}

static void csv_encode_header(struct hr_format *base, const struct hr_schema *schema, const size_t *columns,
                              size_t column_count, struct hr_buf *out)
{
    struct csv_format *format = csv_of(base);
    if (!csv_has_header(base)) {
        return;
    }
    for (size_t i = 0; i < column_count; i++) {
        if (i > 0) {
            hr_buf_append_char(out, format->dialect.delimiter);
        }
        hr_csv_append(format->dialect, hr_str_from(schema->fields[columns[i]].name), false, out);
    }
    hr_buf_append_char(out, '\n');
}

const struct hr_format_type hr_format_csv = {
    .kind =
        {
            .name = "csv",
            .summary = "comma-separated values with quotes and an optional header",
            .doc =
                "RFC 4180: a field in quotes may hold delimiters, line breaks and doubled quotes; lines end in LF or "
                "CRLF. With a header, fields are matched with columns by name (or by `path: /name`), and fields that "
                "the schema does not name are ignored; a column that the header does not name is null. Without one, "
                "and in records of Kafka and sockets, fields come in the schema's order. An unquoted field that is "
                "empty or equals nullValue is null; a quoted one never is. Arrays and vectors are JSON text in "
                "quotes. In a sink, every file begins with a header unless `header: false`.",
            .example = "{type: csv, header: true, delimiter: \",\", quote: '\"', nullValue: \"\"}",
            .options = {csv_rows, HR_ARRAY_LEN(csv_rows)},
            .options_size = sizeof(struct csv_options),
            .instance_size = sizeof(struct csv_format),
        },
    .extension = "csv",
    .open = csv_open,
    .decode = csv_decode,
    .split = csv_split,
    .encode = csv_encode,
    .encode_header = csv_encode_header,
    .has_header = csv_has_header,
    .close = csv_close,
};
