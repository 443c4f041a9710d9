/* SPDX-License-Identifier: Apache-2.0
 *
 * The CSV format: its options, and rows to text. The decoder is csv_decode.c.
 */
#include "data/csv_decode.h"
#include "data/csv_text.h"
#include "data/format.h"
#include "data/json_encode.h"

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

struct csv_format {
    struct hr_format base;
    struct hr_csv_decoder decoder; /* its dialect and null value are the encoder's too */
    struct hr_buf field;           /* encoder: one value */
};

static struct csv_format *csv_of(struct hr_format *base)
{
    struct csv_format *format = (struct csv_format *)base;
    const struct csv_options *options = base->options;
    format->decoder.dialect = (struct hr_csv_dialect){options->delimiter, options->quote};
    format->decoder.null_value = hr_str_from(options->null_value);
    format->decoder.record_bytes_max = base->record_bytes_max;
    return format;
}

static void csv_close(struct hr_format *base)
{
    struct csv_format *format = (struct csv_format *)base;
    hr_csv_decoder_close(&format->decoder);
    hr_buf_release(&format->field);
}

static enum hr_status csv_open(struct hr_format *base, const struct hr_schema *schema, struct hr_error *err)
{
    return hr_csv_decoder_open(&csv_of(base)->decoder, schema, err);
}

static void csv_decode(struct hr_format *base, const struct hr_record *records, uint32_t first_index, size_t count,
                       struct hr_chunk *chunk)
{
    struct csv_format *format = (struct csv_format *)base;
    hr_csv_decoder_chunk(&format->decoder, records, first_index, count, chunk);
}

static size_t csv_split(struct hr_format *base, const char *data, size_t length, bool at_end, size_t *content)
{
    return hr_csv_split(csv_of(base)->decoder.dialect, data, length, at_end, content);
}

static bool csv_has_header(const struct hr_format *base)
{
    return ((const struct csv_options *)base->options)->header;
}

static void append_value(struct csv_format *format, const struct hr_column *column, size_t row, struct hr_buf *out)
{
    if (hr_column_is_null(column, row)) {
        hr_buf_append_str(out, format->decoder.null_value);
        return;
    }
    if (column->type == HR_TYPE_STRING) {
        struct hr_str text = column->strings[row];
        hr_csv_append(format->decoder.dialect, text, text.length == 0 || hr_str_equal(text, format->decoder.null_value),
                      out);
        return;
    }
    hr_buf_clear(&format->field);
    hr_json_encode_value(column, row, &format->field);
    struct hr_str text = hr_buf_str(&format->field);
    if (text.length >= 2 && text.data[0] == '"') { /* time stamps, binary, NaN: JSON's quotes are not CSV's */
        text.data++;
        text.length -= 2;
    }
    hr_csv_append(format->decoder.dialect, text, hr_str_equal(text, format->decoder.null_value), out);
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
                hr_buf_append_char(out, format->decoder.dialect.delimiter);
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
            hr_buf_append_char(out, format->decoder.dialect.delimiter);
        }
        hr_csv_append(format->decoder.dialect, hr_str_from(schema->fields[columns[i]].name), false, out);
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
