/* SPDX-License-Identifier: Apache-2.0
 *
 * See fuzz_records.h.
 */
#include "fuzz_records.h"

#include "fuzz.h"

static const struct hr_yaml *yaml(struct fuzz_records *records, const char *text)
{
    return hr_yaml_read_text(&records->arena, "query.yaml", text, strlen(text), &records->findings);
}

void fuzz_records_open(struct fuzz_records *records, const char *schema, const char *format)
{
    struct hr_place place = {"query.yaml", 1, 1, "source"};
    struct hr_error err = {0};
    hr_arena_init(&records->arena, 0);
    hr_arena_init(&records->chunk_arena, 0);
    hr_arena_init(&records->batch_arena, 0);
    hr_findings_init(&records->findings);
    hr_schema_init(&records->schema, &records->arena);
    hr_schema_read(&records->schema, hr_yaml_get(yaml(records, schema), "schema"), &records->findings);
    records->format = hr_format_new(yaml(records, format), &place, NULL, &records->arena, &records->findings);
    FUZZ_CHECK(records->findings.errors == 0);
    FUZZ_CHECK(hr_format_open(records->format, &records->schema, &err) == HR_OK);
}

/* A record that is found in a part of the bytes must be the one that is found in all of them. */
static void check_part(const struct fuzz_records *records, const char *data, size_t length, size_t whole,
                       size_t content)
{
    size_t part_content = 0;
    size_t part = length - length / 3;
    size_t found = hr_format_split(records->format, data, part, false, &part_content);
    FUZZ_CHECK(found == 0 || (found == whole && part_content == content));
}

static void split(struct fuzz_records *records, const char *data, size_t length)
{
    int64_t line = 1;
    records->count = 0;
    while (length > 0 && records->count < FUZZ_RECORDS_MAX) {
        size_t content = 0;
        size_t whole = hr_format_split(records->format, data, length, true, &content);
        FUZZ_CHECK(whole > 0 && whole <= length && content <= whole);
        check_part(records, data, length, whole, content);
        struct hr_record *record = &records->records[records->count++];
        *record = (struct hr_record){.value = {data, content}, .partition = -1, .line = line};
        record->flags = line == 1 && hr_format_has_header(records->format) ? HR_RECORD_HEADER : 0;
        line++;
        data += whole;
        length -= whole;
    }
}

void fuzz_records_decode(struct fuzz_records *records, const char *data, size_t length)
{
    hr_arena_reset(&records->chunk_arena);
    hr_arena_reset(&records->batch_arena);
    hr_rejects_init(&records->rejects, &records->batch_arena);
    split(records, data, length);
    hr_chunk_init(&records->chunk, &records->schema, records->count, records->records, &records->rejects,
                  &records->chunk_arena);
    hr_format_decode(records->format, records->records, 0, records->count, &records->chunk);
    size_t headers = records->count > 0 && (records->records[0].flags & HR_RECORD_HEADER) != 0 ? 1 : 0;
    FUZZ_CHECK(records->chunk.rows + records->rejects.count + headers == records->count);
    for (size_t i = 0; i < records->rejects.count; i++) {
        FUZZ_CHECK(hr_str_is_utf8(hr_str_from(records->rejects.items[i].message)));
    }
}

void fuzz_records_encode(struct fuzz_records *records, struct hr_buf *out)
{
    size_t columns[64];
    for (size_t i = 0; i < records->schema.count; i++) {
        columns[i] = i;
    }
    hr_format_encode_header(records->format, &records->schema, columns, records->schema.count, out);
    hr_format_encode(records->format, &records->chunk, columns, records->schema.count, 0, records->chunk.rows, true,
                     out, NULL);
    FUZZ_CHECK(!out->overflow);
}

void fuzz_records_check_round_trip(struct fuzz_records *records)
{
    struct hr_buf first HR_CLEANUP(hr_buf_release);
    struct hr_buf second HR_CLEANUP(hr_buf_release);
    hr_buf_init(&first, (size_t)1 << 28);
    hr_buf_init(&second, (size_t)1 << 28);
    fuzz_records_encode(records, &first);
    size_t rows = records->chunk.rows;
    fuzz_records_decode(records, first.data, first.length);
    FUZZ_CHECK(records->rejects.count == 0 && records->chunk.rows == rows);
    fuzz_records_encode(records, &second);
    FUZZ_CHECK(hr_str_equal(hr_buf_str(&first), hr_buf_str(&second)));
}
