/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunks of CSV records: plain ones by blocks, a column at a time (csv_columns.h), all others field by field.
 */
#include "data/csv_decode.h"

#include <stdio.h>
#include <string.h>

#include "data/csv_columns.h"
#include "data/csv_header.h"
#include "data/csv_value.h"
#include "data/simd.h"

static HR_COLD bool reject_value(const struct hr_csv_decoder *decoder, size_t column, uint32_t index,
                                 struct hr_rejects *rejects)
{
    const struct hr_field *field = &decoder->schema->fields[column];
    struct hr_str text = decoder->texts[column];
    size_t shown = text.length;
    for (shown = shown > 40 ? 40 : shown; shown < text.length && shown > 0; shown--) {
        if (((unsigned char)text.data[shown] & 0xc0) != 0x80) {
            break;
        }
    }
    switch ((enum hr_json_state)decoder->states[column]) {
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
static bool judge(const struct hr_csv_decoder *decoder, uint32_t index, size_t row, size_t rows, struct hr_chunk *chunk)
{
    const struct hr_schema *schema = decoder->schema;
    for (size_t i = 0; i < decoder->column_count; i++) {
        uint8_t state = decoder->states[i];
        bool is_field = schema->fields[i].origin == HR_ORIGIN_FIELD;
        if (HR_UNLIKELY(is_field && (state == HR_JSON_WRONG_TYPE || state == HR_JSON_OUT_OF_RANGE ||
                                     (state != HR_JSON_VALUE && !schema->fields[i].nullable)))) {
            return reject_value(decoder, i, index, chunk->rejects);
        }
    }
    for (size_t i = 0; i < decoder->column_count; i++) {
        if (decoder->states[i] != HR_JSON_VALUE && schema->fields[i].origin == HR_ORIGIN_FIELD) {
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
static bool check_record(const struct hr_csv_decoder *decoder, const struct hr_record *record, struct hr_str text,
                         uint32_t index, struct hr_rejects *rejects)
{
    if (HR_UNLIKELY(record->value.length > decoder->record_bytes_max)) {
        hr_rejects_add(rejects, index, HR_REASON_TOO_LARGE, "the record has %zu bytes, the limit is %zu",
                       record->value.length, decoder->record_bytes_max);
    } else if (HR_UNLIKELY(decoder->header_error[0] != '\0')) {
        hr_rejects_add(rejects, index, HR_REASON_NULL_VALUE, "%s", decoder->header_error);
    } else if (HR_UNLIKELY(is_blank(text))) {
        hr_rejects_add(rejects, index, HR_REASON_EMPTY, "the record is empty");
    } else if (HR_UNLIKELY(!hr_str_is_utf8(text))) {
        hr_rejects_add(rejects, index, HR_REASON_INVALID_UTF8, "the record is not UTF-8");
    } else {
        return true;
    }
    return false;
}

static inline void take_field(struct hr_csv_decoder *decoder, const struct hr_csv_field *field, size_t column,
                              size_t row, struct hr_arena *arena)
{
    decoder->texts[column] = field->text;
    bool is_null = !field->quoted && (field->text.length == 0 || hr_str_equal(field->text, decoder->null_value));
    decoder->states[column] =
        is_null ? HR_JSON_NULL
                : (uint8_t)hr_csv_value(field->text, &decoder->targets[column], row, &decoder->scratch, arena);
}

static bool decode_record(struct hr_csv_decoder *decoder, const struct hr_record *record, uint32_t index, size_t row,
                          size_t rows, struct hr_chunk *chunk)
{
    struct hr_str text = hr_csv_without_line_end(record->value);
    text = record->line == 1 ? hr_csv_without_mark(text) : text;
    if (!check_record(decoder, record, text, index, chunk->rejects)) {
        return false;
    }
    memset(decoder->states, HR_JSON_MISSING, decoder->column_count);
    const char *end = text.data + text.length;
    const char *what = NULL;
    size_t place = 0;
    for (const char *p = text.data;; p++) {
        struct hr_csv_field field;
        p = hr_csv_field(decoder->dialect, p, end, chunk->arena, &field, &what);
        if (HR_UNLIKELY(p == NULL)) {
            hr_rejects_add(chunk->rejects, index, HR_REASON_MALFORMED, "field %zu: %s", place + 1, what);
            return false;
        }
        if (HR_LIKELY(place < decoder->field_count) && decoder->columns[place] != HR_CSV_NO_COLUMN) {
            take_field(decoder, &field, decoder->columns[place], row, chunk->arena);
        }
        place++;
        if (p == end) {
            break;
        }
    }
    if (HR_UNLIKELY(place != decoder->field_count)) {
        hr_rejects_add(chunk->rejects, index, HR_REASON_WRONG_FIELD_COUNT, "the record has %zu fields instead of %zu",
                       place, decoder->field_count);
        return false;
    }
    return judge(decoder, index, row, rows, chunk);
}

static size_t decode_general(struct hr_csv_decoder *decoder, const struct hr_record *records, uint32_t first_index,
                             size_t count, size_t row, size_t rows, struct hr_chunk *chunk)
{
    for (size_t i = 0; i < count; i++) {
        if (decode_record(decoder, &records[i], first_index + (uint32_t)i, row, rows, chunk)) {
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
static bool index_fits(struct hr_csv_decoder *decoder)
{
    const struct hr_schema *schema = decoder->schema;
    if (decoder->header_error[0] != '\0' || decoder->field_count == 0 || decoder->field_count > HR_CSV_PLAIN_FIELDS) {
        return false;
    }
    memset(decoder->states, 0, decoder->column_count);
    for (size_t i = 0; i < decoder->field_count; i++) {
        size_t column = decoder->columns[i];
        if (column != HR_CSV_NO_COLUMN && decoder->states[column]++ != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < decoder->column_count; i++) {
        if (schema->fields[i].origin == HR_ORIGIN_FIELD && decoder->states[i] == 0) {
            return false;
        }
    }
    return true;
}

static bool may_index(struct hr_csv_decoder *decoder)
{
    if (HR_UNLIKELY(!decoder->index_known)) {
        decoder->index_known = true;
        decoder->index_fits = index_fits(decoder);
        struct hr_csv_index *index = &decoder->index;
        if (decoder->index_fits && decoder->index_fields != decoder->field_count) {
            decoder->index_fields = decoder->field_count;
            index->starts = hr_arena_array(&decoder->arena,
                                           HR_CSV_BLOCK * (decoder->field_count + 1) + HR_CSV_INDEX_SLACK, uint16_t);
        }
        index->dialect = decoder->dialect;
        index->fields = decoder->field_count;
        index->stride = decoder->field_count + 1;
        index->record_bytes_max = decoder->record_bytes_max;
    }
    return decoder->index_fits && hr_simd_best() != HR_SIMD_NONE;
}

/* Plain records a column at a time into the rows [row, row + count), then the odd ones the general way; rows of those
 * that are bad are dropped. */
static size_t decode_plain(struct hr_csv_decoder *decoder, const struct hr_record *records, uint32_t first_index,
                           size_t count, size_t row, size_t rows, struct hr_chunk *chunk)
{
    struct hr_csv_index *index = &decoder->index;
    hr_csv_index_records(index, records, count);
    for (size_t place = 0; place < decoder->field_count; place++) {
        if (decoder->columns[place] != HR_CSV_NO_COLUMN) {
            struct hr_csv_column column = {place,
                                           row,
                                           count,
                                           rows,
                                           decoder->null_value,
                                           &decoder->targets[decoder->columns[place]],
                                           &decoder->scratch,
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
            !decode_record(decoder, &records[i], first_index + (uint32_t)i, row + i, rows, chunk)) {
            hr_chunk_drop(chunk, row + i);
        }
    }
    return chunk->rows;
}

void hr_csv_decoder_chunk(struct hr_csv_decoder *decoder, const struct hr_record *records, uint32_t first_index,
                          size_t count, struct hr_chunk *chunk)
{
    HR_ASSERT(decoder->column_count <= chunk->schema->count);
    for (size_t i = 0; i < decoder->column_count; i++) {
        if (decoder->schema->fields[i].origin == HR_ORIGIN_FIELD) {
            hr_column_init(&chunk->columns[i], decoder->schema->fields[i].type, count, chunk->arena);
            decoder->targets[i].column = &chunk->columns[i];
            decoder->targets[i].block = NULL;
            decoder->targets[i].block_left = 0;
            decoder->targets[i].rows_left = count;
        }
    }
    size_t row = 0;
    for (size_t i = 0; i < count;) {
        size_t block = block_of(records + i, count - i);
        uint32_t index = first_index + (uint32_t)i;
        if (records[i].flags & HR_RECORD_HEADER) {
            hr_csv_header_take(decoder, &records[i], chunk->arena);
            block = 1;
        } else if (HR_LIKELY(may_index(decoder))) {
            row = decode_plain(decoder, records + i, index, block, row, count, chunk);
        } else {
            row = decode_general(decoder, records + i, index, block, row, count, chunk);
        }
        i += block;
    }
    chunk->rows = row;
    hr_chunk_compact(chunk, decoder->column_count);
    for (size_t i = 0; i < decoder->column_count; i++) {
        if (decoder->schema->fields[i].origin == HR_ORIGIN_FIELD) {
            hr_column_find_dense(&chunk->columns[i], chunk->rows);
        }
    }
}

enum hr_status hr_csv_decoder_open(struct hr_csv_decoder *decoder, const struct hr_schema *schema, struct hr_error *err)
{
    hr_csv_decoder_close(decoder);
    decoder->schema = schema;
    hr_arena_init(&decoder->arena, 4096);
    decoder->targets = hr_arena_calloc(&decoder->arena, schema->count, sizeof(*decoder->targets));
    decoder->states = hr_arena_calloc(&decoder->arena, schema->count, 1);
    decoder->texts = hr_arena_calloc(&decoder->arena, schema->count, sizeof(*decoder->texts));
    decoder->columns = hr_arena_calloc(&decoder->arena, schema->count, sizeof(*decoder->columns));
    decoder->field_capacity = decoder->column_count = schema->count;
    if (decoder->dialect.delimiter == decoder->dialect.quote) {
        return hr_fail(err, HR_BAD_CONFIG, "format csv: delimiter and quote are both '%c'", decoder->dialect.quote);
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
        decoder->targets[i].field = field;
        if (field->type == HR_TYPE_TIMESTAMP && field->timestamp_format == HR_TIMESTAMP_PATTERN) {
            HR_TRY(hr_timestamp_pattern_new(field->timestamp_pattern, &decoder->targets[i].pattern, err));
        }
    }
    hr_csv_header_none(decoder);
    return HR_OK;
}

void hr_csv_decoder_close(struct hr_csv_decoder *decoder)
{
    for (size_t i = 0; decoder->targets != NULL && i < decoder->column_count; i++) {
        hr_timestamp_pattern_free(decoder->targets[i].pattern);
    }
    decoder->targets = NULL;
    decoder->index.starts = NULL;
    decoder->index_fields = 0;
    hr_json_scratch_release(&decoder->scratch);
    hr_arena_release(&decoder->arena);
}
