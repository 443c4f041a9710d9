/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON format: one object a record, one record a line. Decoder and encoder are json_decode.c and json_encode.c.
 */
#include <string.h>

#include "data/format.h"
#include "data/json_decode.h"
#include "data/json_encode.h"

struct json_options {
    struct hr_format_options common;
};

static const struct hr_option json_rows[] = {HR_FORMAT_OPTION_ROWS(struct json_options)};

struct json_format {
    struct hr_format base;
    struct hr_arena arena; /* what the decoder compiled */
    struct hr_json_decoder decoder;
    struct hr_json_encoder encoder;
};

static void json_close(struct hr_format *base)
{
    struct json_format *format = (struct json_format *)base;
    hr_json_decoder_close(&format->decoder);
    hr_json_encoder_release(&format->encoder);
    hr_arena_release(&format->arena);
}

static enum hr_status json_open(struct hr_format *base, const struct hr_schema *schema, struct hr_error *err)
{
    struct json_format *format = (struct json_format *)base;
    json_close(base);
    hr_arena_init(&format->arena, 4096);
    return hr_json_decoder_open(&format->decoder, schema, base->record_bytes_max, &format->arena, err);
}

static void json_decode(struct hr_format *base, const struct hr_record *records, uint32_t first_index, size_t count,
                        struct hr_chunk *chunk)
{
    struct json_format *format = (struct json_format *)base;
    hr_json_decoder_chunk(&format->decoder, records, first_index, count, chunk);
}

/* A newline cannot stand inside a JSON string, so lines are records; a carriage return before it belongs to it. */
static size_t json_split(struct hr_format *base, const char *data, size_t length, bool at_end, size_t *content)
{
    (void)base;
    const char *newline = memchr(data, '\n', length);
    if (newline == NULL && !at_end) {
        return 0;
    }
    size_t end = newline != NULL ? (size_t)(newline - data) : length;
    *content = end > 0 && data[end - 1] == '\r' ? end - 1 : end;
    return newline != NULL ? end + 1 : length;
}

static void json_encode(struct hr_format *base, const struct hr_chunk *chunk, const size_t *columns,
                        size_t column_count, size_t first, size_t count, bool framed, struct hr_buf *out,
                        size_t *row_end)
{
    struct json_format *format = (struct json_format *)base;
    hr_json_encoder_rows(&format->encoder, chunk, columns, column_count, first, count, framed, out, row_end);
}

const struct hr_format_type hr_format_json = {
    .kind =
        {
            .name = "json",
            .summary = "one JSON object a record, in files one a line",
            .doc = "Members are matched with columns by name, or by the column's `path` (a JSON pointer). Members that "
                   "the schema does not name are ignored, but must be well formed. A missing member and null are null; "
                   "of a member that comes twice the last one counts. Floating-point columns also take \"NaN\", "
                   "\"Infinity\" and \"-Infinity\", integer columns take only numbers written without fraction and "
                   "exponent. A vector is an array of numbers or {\"size\": n, \"indices\": […], \"values\": […]}. "
                   "Text must be UTF-8 and may be nested 128 levels deep. RFC 8259 has the grammar.",
            .example = "{type: json, mode: deadLetter}",
            .options = {json_rows, HR_ARRAY_LEN(json_rows)},
            .options_size = sizeof(struct json_options),
            .instance_size = sizeof(struct json_format),
        },
    .extension = "json",
    .open = json_open,
    .decode = json_decode,
    .split = json_split,
    .encode = json_encode,
    .close = json_close,
};
