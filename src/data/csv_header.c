/* SPDX-License-Identifier: Apache-2.0
 *
 * Which column each field of a CSV record leads to: by the header record that precedes a file's records, else by place.
 */
#include "data/csv_header.h"

#include <stdio.h>
#include <string.h>

/* Field i is the i-th column that is decoded. */
void hr_csv_header_none(struct hr_csv_decoder *decoder)
{
    decoder->index_known = false;
    decoder->field_count = 0;
    decoder->header_error[0] = '\0';
    for (size_t i = 0; i < decoder->column_count; i++) {
        if (decoder->schema->fields[i].origin == HR_ORIGIN_FIELD) {
            decoder->columns[decoder->field_count++] = i;
        }
    }
}

/* The header's name of a column: the column's name, or its path without the slash. */
static const char *header_name(const struct hr_field *field)
{
    return field->pointer != NULL ? field->pointer + 1 : field->name;
}

static size_t column_called(const struct hr_csv_decoder *decoder, struct hr_str name)
{
    const struct hr_schema *schema = decoder->schema;
    for (size_t i = 0; i < decoder->column_count; i++) {
        if (schema->fields[i].origin == HR_ORIGIN_FIELD && hr_str_equal_text(name, header_name(&schema->fields[i]))) {
            return i;
        }
    }
    return HR_CSV_NO_COLUMN;
}

static void add_place(struct hr_csv_decoder *decoder, size_t column)
{
    if (decoder->field_count == decoder->field_capacity) {
        size_t capacity = decoder->field_capacity == 0 ? 16 : decoder->field_capacity * 2;
        size_t *columns = hr_arena_array(&decoder->arena, capacity, size_t);
        memcpy(columns, decoder->columns, decoder->field_count * sizeof(*columns));
        decoder->columns = columns;
        decoder->field_capacity = capacity;
    }
    decoder->columns[decoder->field_count++] = column;
}

/* A header record: from now on fields lead to the columns of these names. */
void hr_csv_header_take(struct hr_csv_decoder *decoder, const struct hr_record *record, struct hr_arena *arena)
{
    const struct hr_schema *schema = decoder->schema;
    struct hr_str text = hr_csv_without_mark(hr_csv_without_line_end(record->value));
    const char *end = text.data + text.length;
    const char *what = NULL;
    decoder->field_count = 0;
    decoder->index_known = false;
    decoder->header_error[0] = '\0';
    memset(decoder->states, 0, decoder->column_count);
    for (const char *p = text.data;; p++) {
        struct hr_csv_field field;
        p = hr_csv_field(decoder->dialect, p, end, arena, &field, &what);
        if (p == NULL) {
            snprintf(decoder->header_error, sizeof(decoder->header_error), "the header of %.*s: %s",
                     HR_STR_ARGS(record->origin), what);
            return;
        }
        size_t column = column_called(decoder, field.text);
        add_place(decoder, column);
        if (column != HR_CSV_NO_COLUMN) {
            decoder->states[column] = 1;
        }
        if (p == end) {
            break;
        }
    }
    if (memchr(decoder->states, 1, decoder->column_count) == NULL) {
        snprintf(decoder->header_error, sizeof(decoder->header_error),
                 "the header of %.*s names none of the columns; a file without one needs header: false",
                 HR_STR_ARGS(record->origin));
        return;
    }
    for (size_t i = 0; i < decoder->column_count; i++) {
        const struct hr_field *field = &schema->fields[i];
        if (field->origin == HR_ORIGIN_FIELD && !field->nullable && !decoder->states[i]) {
            snprintf(decoder->header_error, sizeof(decoder->header_error),
                     "column '%s' is not nullable, and the header of %.*s has no '%s'", field->name,
                     HR_STR_ARGS(record->origin), header_name(field));
            return;
        }
    }
}
