/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON out. Keys are prepared once, with their punctuation; values of known maximal length are written into reserved
 * room, so that a number costs one check of the buffer.
 */
#include "data/json_encode.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/number.h"
#include "data/base64.h"

enum { NUMBER_MAX = HR_NUMBER_TEXT_MAX + 8 };
/* Room for all its numbers is reserved at once. */
enum { SHORT_VECTOR = 16 };

/* Text of a double into room of NUMBER_MAX bytes. */
static size_t put_double(double value, bool is_float, char *out)
{
    if (HR_UNLIKELY(!isfinite(value))) {
        const char *text = isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
        size_t length = strlen(text);
        memcpy(out, text, length);
        return length;
    }
    return is_float ? hr_number_format_float((float)value, out) : hr_number_format_double(value, out);
}

static void append_double(struct hr_buf *out, double value, bool is_float)
{
    char *room = hr_buf_reserve(out, NUMBER_MAX);
    if (room != NULL) {
        out->length += put_double(value, is_float, room);
    }
}

static void append_long(struct hr_buf *out, int64_t value)
{
    char *room = hr_buf_reserve(out, NUMBER_MAX);
    if (room != NULL) {
        out->length += hr_number_format_int64(value, room);
    }
}

static void append_timestamp(struct hr_buf *out, int64_t value)
{
    char text[44];
    text[0] = '"';
    size_t length = (size_t)hr_clock_format_utc(value, text + 1) + 1;
    text[length] = '"';
    hr_buf_append(out, text, length + 1);
}

#define EVERY_BYTE(value) (0x0101010101010101u * (uint64_t)(value))

/* Zero when the eight bytes are ASCII with nothing to escape. (A byte after one that is not may look wrong too.) */
static inline uint64_t not_plain(uint64_t word)
{
    uint64_t quote = word ^ EVERY_BYTE('"');
    uint64_t backslash = word ^ EVERY_BYTE('\\');
    return (word | (word - EVERY_BYTE(0x20)) | (quote - EVERY_BYTE(1)) | (backslash - EVERY_BYTE(1))) &
           EVERY_BYTE(0x80);
}

/* Copies text of 4 bytes and more, the last word over a part of the one before it. False when it is not plain. */
static inline bool copy_plain(char *to, const char *from, size_t length)
{
    uint64_t word;
    uint64_t bad = 0;
    if (length < 8) {
        uint32_t first;
        uint32_t last;
        memcpy(&first, from, 4);
        memcpy(&last, from + length - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + length - 4, &last, 4);
        return not_plain((uint64_t)first << 32 | last) == 0;
    }
    for (size_t i = 0; i + 8 < length; i += 8) {
        memcpy(&word, from + i, 8);
        memcpy(to + i, &word, 8);
        bad |= not_plain(word);
    }
    memcpy(&word, from + length - 8, 8);
    memcpy(to + length - 8, &word, 8);
    return (bad | not_plain(word)) == 0;
}

/* Texts without escapes and past ASCII are copied as they are looked at; all others go the general way. */
static void append_string(struct hr_buf *out, struct hr_str text)
{
    char *room = HR_LIKELY(text.length >= 4) ? hr_buf_reserve(out, text.length + 2) : NULL;
    if (HR_LIKELY(room != NULL && copy_plain(room + 1, text.data, text.length))) {
        room[0] = '"';
        room[text.length + 1] = '"';
        out->length += text.length + 2;
        return;
    }
    hr_json_append_quoted(out, text);
}

static void append_base64(struct hr_buf *out, struct hr_str bytes)
{
    size_t length = hr_base64_length(bytes.length);
    char *room = hr_buf_reserve(out, length + 2);
    if (room == NULL) {
        return;
    }
    room[0] = '"';
    hr_base64_encode(bytes.data, bytes.length, room + 1);
    room[length + 1] = '"';
    out->length += length + 2;
}

static void append_doubles(struct hr_buf *out, const double *values, size_t count)
{
    hr_buf_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        char *room = hr_buf_reserve(out, NUMBER_MAX + 1);
        if (room == NULL) {
            return;
        }
        size_t comma = i > 0 ? 1 : 0;
        room[0] = ',';
        out->length += comma + put_double(values[i], false, room + comma);
    }
    hr_buf_append_char(out, ']');
}

/* A key and a number, or a key and a short array of them, in room that is reserved once. */
static void append_member_double(struct hr_buf *out, struct hr_str key, double value, bool is_float)
{
    char *room = hr_buf_reserve(out, key.length + NUMBER_MAX);
    if (room != NULL) {
        memcpy(room, key.data, key.length);
        out->length += key.length + put_double(value, is_float, room + key.length);
    }
}

static void append_member_long(struct hr_buf *out, struct hr_str key, int64_t value)
{
    char *room = hr_buf_reserve(out, key.length + NUMBER_MAX);
    if (room != NULL) {
        memcpy(room, key.data, key.length);
        out->length += key.length + hr_number_format_int64(value, room + key.length);
    }
}

static void append_member_doubles(struct hr_buf *out, struct hr_str key, const double *values, size_t count)
{
    char *room = hr_buf_reserve(out, key.length + count * (NUMBER_MAX + 1) + 2);
    if (room == NULL) {
        return;
    }
    memcpy(room, key.data, key.length);
    char *at = room + key.length;
    *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        at += put_double(values[i], false, at);
        *at++ = ',';
    }
    at[count > 0 ? -1 : 0] = ']';
    out->length += (size_t)(at - room) + (count > 0 ? 0 : 1);
}

static void append_member_string(struct hr_buf *out, struct hr_str key, struct hr_str text)
{
    char *room = HR_LIKELY(text.length >= 4) ? hr_buf_reserve(out, key.length + text.length + 2) : NULL;
    if (HR_LIKELY(room != NULL && copy_plain(room + key.length + 1, text.data, text.length))) {
        memcpy(room, key.data, key.length);
        room[key.length] = '"';
        room[key.length + text.length + 1] = '"';
        out->length += key.length + text.length + 2;
        return;
    }
    hr_buf_append_str(out, key);
    hr_json_append_quoted(out, text);
}

static void append_vector(struct hr_buf *out, const struct hr_vector *vector)
{
    if (vector->indices == NULL) {
        append_doubles(out, vector->values, vector->count);
        return;
    }
    hr_buf_append_text(out, "{\"size\":");
    append_long(out, vector->size);
    hr_buf_append_text(out, ",\"indices\":[");
    for (size_t i = 0; i < vector->count; i++) {
        if (i > 0) {
            hr_buf_append_char(out, ',');
        }
        append_long(out, vector->indices[i]);
    }
    hr_buf_append_text(out, "],\"values\":");
    append_doubles(out, vector->values, vector->count);
    hr_buf_append_char(out, '}');
}

static void append_strings(struct hr_buf *out, const struct hr_string_array *array)
{
    hr_buf_append_char(out, '[');
    for (size_t i = 0; i < array->count; i++) {
        if (i > 0) {
            hr_buf_append_char(out, ',');
        }
        if (array->valid != NULL && (array->valid[i / 64] >> (i % 64) & 1) == 0) {
            hr_buf_append_text(out, "null");
        } else {
            hr_json_append_quoted(out, array->items[i]);
        }
    }
    hr_buf_append_char(out, ']');
}

void hr_json_encode_value(const struct hr_column *column, size_t row, struct hr_buf *out)
{
    switch (column->type) {
    case HR_TYPE_BOOLEAN:
        hr_buf_append_text(out, column->bytes[row] ? "true" : "false");
        break;
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        append_long(out, column->longs[row]);
        break;
    case HR_TYPE_FLOAT:
    case HR_TYPE_DOUBLE:
        append_double(out, column->doubles[row], column->type == HR_TYPE_FLOAT);
        break;
    case HR_TYPE_STRING:
        append_string(out, column->strings[row]);
        break;
    case HR_TYPE_TIMESTAMP:
        append_timestamp(out, column->longs[row]);
        break;
    case HR_TYPE_BINARY:
        append_base64(out, column->strings[row]);
        break;
    case HR_TYPE_STRING_ARRAY:
        append_strings(out, &column->string_arrays[row]);
        break;
    case HR_TYPE_DOUBLE_ARRAY:
        append_doubles(out, column->double_arrays[row].items, column->double_arrays[row].count);
        break;
    case HR_TYPE_VECTOR:
        append_vector(out, &column->vectors[row]);
        break;
    }
}

void hr_json_encoder_release(struct hr_json_encoder *encoder)
{
    hr_free(encoder->columns);
    hr_free(encoder->keys);
    hr_buf_release(&encoder->text);
    *encoder = (struct hr_json_encoder){0};
}

static bool is_prepared(const struct hr_json_encoder *encoder, const struct hr_schema *schema, const size_t *columns,
                        size_t count)
{
    return encoder->fields == schema->fields && encoder->count == count && encoder->columns != NULL && count > 0 &&
           memcmp(encoder->columns, columns, count * sizeof(*columns)) == 0;
}

static void prepare(struct hr_json_encoder *encoder, const struct hr_schema *schema, const size_t *columns,
                    size_t count)
{
    hr_json_encoder_release(encoder);
    encoder->fields = schema->fields;
    encoder->count = count;
    encoder->columns = hr_calloc(count + 1, sizeof(*encoder->columns));
    encoder->keys = hr_calloc(count + 1, sizeof(*encoder->keys));
    hr_buf_init(&encoder->text, SIZE_MAX / 2);
    for (size_t i = 0; i < count; i++) {
        size_t start = encoder->text.length;
        hr_buf_append_char(&encoder->text, i == 0 ? '{' : ',');
        hr_json_append_quoted(&encoder->text, hr_str_from(schema->fields[columns[i]].name));
        hr_buf_append_char(&encoder->text, ':');
        encoder->columns[i] = columns[i];
        encoder->keys[i].length = encoder->text.length - start;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        encoder->keys[i].data = encoder->text.data + at;
        at += encoder->keys[i].length;
    }
}

/* Types that most columns have go their own way. */
static void append_member(struct hr_buf *out, struct hr_str key, const struct hr_column *column, size_t row)
{
    if (hr_column_is_null(column, row)) {
        hr_buf_append_str(out, key);
        hr_buf_append(out, "null", 4);
        return;
    }
    if (column->type == HR_TYPE_VECTOR && column->vectors[row].indices == NULL &&
        column->vectors[row].count <= SHORT_VECTOR) {
        append_member_doubles(out, key, column->vectors[row].values, column->vectors[row].count);
        return;
    }
    switch (column->type) {
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        append_member_long(out, key, column->longs[row]);
        break;
    case HR_TYPE_FLOAT:
    case HR_TYPE_DOUBLE:
        append_member_double(out, key, column->doubles[row], column->type == HR_TYPE_FLOAT);
        break;
    case HR_TYPE_STRING:
        append_member_string(out, key, column->strings[row]);
        break;
    default:
        hr_buf_append_str(out, key);
        hr_json_encode_value(column, row, out);
        break;
    }
}

void hr_json_encoder_rows(struct hr_json_encoder *encoder, const struct hr_chunk *chunk, const size_t *columns,
                          size_t column_count, size_t first, size_t count, bool framed, struct hr_buf *out,
                          size_t *row_end)
{
    if (!is_prepared(encoder, chunk->schema, columns, column_count)) {
        prepare(encoder, chunk->schema, columns, column_count);
    }
    for (size_t row = first; row < first + count; row++) {
        for (size_t i = 0; i < column_count; i++) {
            append_member(out, encoder->keys[i], &chunk->columns[columns[i]], row);
        }
        hr_buf_append_text(out, column_count == 0 ? "{}" : "}");
        if (row_end != NULL) {
            row_end[row - first] = out->length;
        }
        if (framed) {
            hr_buf_append_char(out, '\n');
        }
    }
}
