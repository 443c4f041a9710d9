/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV in and out: quotes, headers, nulls, types, splitting, and what is written reads back.
 */
#include "test.h"

#include "rows.h"

static void add_header(struct rows *rows, const char *line)
{
    struct hr_record *record = rows_add(rows, hr_str_from(line));
    record->flags = HR_RECORD_HEADER;
    record->origin = HR_STR("in.csv");
}

/* Header (NULL: none) and one record in; what became of it. */
static void expect(const char *schema, const char *format, const char *header, const char *record, const char *expected)
{
    struct rows rows;
    rows_open(&rows, schema, format);
    if (header != NULL) {
        add_header(&rows, header);
    }
    TEST_TEXT_EQUAL(rows_one(&rows, record), expected);
    rows_close(&rows);
}

static void test_fields(void)
{
    const char *csv = "type: csv";
    expect("a string, b string", csv, NULL, "x,y", "{\"a\":\"x\",\"b\":\"y\"}");
    expect("a string, b string", csv, NULL, "\"x,1\",\"y\n2\"", "{\"a\":\"x,1\",\"b\":\"y\\n2\"}");
    expect("a string, b string", csv, NULL, "\"say \"\"hi\"\"\",\"\"\"\"", "{\"a\":\"say \\\"hi\\\"\",\"b\":\"\\\"\"}");
    expect("a string, b string", csv, NULL, " x , \"y\"", "{\"a\":\" x \",\"b\":\" \\\"y\\\"\"}");
    expect("a string, b string", csv, NULL, "5\" disk,y\r\n", "{\"a\":\"5\\\" disk\",\"b\":\"y\"}");
    expect("a string, b string", csv, NULL, ",", "{\"a\":null,\"b\":null}");
    expect("a string, b string", csv, NULL, "\"\",", "{\"a\":\"\",\"b\":null}");
    expect("a string, b string", "{type: csv, delimiter: \";\", quote: \"'\"}", NULL, "'a;''b';\"c\"",
           "{\"a\":\"a;'b\",\"b\":\"\\\"c\\\"\"}");
    expect("a string, b string", csv, NULL, "x", "!wrong_field_count: the record has 1 fields instead of 2");
    expect("a string, b string", csv, NULL, "x,y,z", "!wrong_field_count: the record has 3 fields instead of 2");
    expect("a string, b string", csv, NULL, "x,\"y", "!malformed: field 2: a quoted field has no closing quote");
    expect("a string, b string", csv, NULL, "\"x\"z,y", "!malformed: field 1: text follows a closing quote");
    expect("a string, b string", csv, NULL, "", "!empty: the record is empty");
    expect("a string, b string", csv, NULL, "x,\xff", "!invalid_utf8: the record is not UTF-8");
}

static void test_types(void)
{
    const char *csv = "type: csv";
    expect("a boolean, b boolean", csv, NULL, "true,FALSE", "{\"a\":true,\"b\":false}");
    expect("a boolean", csv, NULL, "1", "!wrong_type: column 'a' is boolean and cannot hold '1'");
    expect("a int, b long", csv, NULL, " -7 ,+9223372036854775807", "{\"a\":-7,\"b\":9223372036854775807}");
    expect("a int", csv, NULL, "2147483648", "!out_of_range: column 'a' is int; '2147483648' is out of its range");
    expect("a long", csv, NULL, "99999999999999999999",
           "!out_of_range: column 'a' is long; '99999999999999999999' is out of its range");
    expect("a long", csv, NULL, "1.0", "!wrong_type: column 'a' is long and cannot hold '1.0'");
    expect("a long", csv, NULL, "-", "!wrong_type: column 'a' is long and cannot hold '-'");
    expect("a double, b double, c double", csv, NULL, ".5,5.,+1e2", "{\"a\":0.5,\"b\":5,\"c\":100}");
    expect("a double, b double, c double", csv, NULL, "NaN,-Inf,Infinity",
           "{\"a\":\"NaN\",\"b\":\"-Infinity\",\"c\":\"Infinity\"}");
    expect("a double", csv, NULL, "1e999", "!out_of_range: column 'a' is double; '1e999' is out of its range");
    expect("a double", csv, NULL, "1,5", "!wrong_field_count: the record has 2 fields instead of 1");
    expect("a double", csv, NULL, "inf", "!wrong_type: column 'a' is double and cannot hold 'inf'");
    expect("a float", csv, NULL, "0.1", "{\"a\":0.1}");
    expect("a timestamp", csv, NULL, "2026-01-31 10:00:00.5", "{\"a\":\"2026-01-31T10:00:00.5Z\"}");
    expect("[{name: a, type: timestamp, format: epochMillis}]", csv, NULL, "1500",
           "{\"a\":\"1970-01-01T00:00:01.5Z\"}");
    expect("a binary", csv, NULL, "AAE=", "{\"a\":\"AAE=\"}");
    expect("a vector, b array<string>", csv, NULL, "\"[1,2]\",\"[\"\"x\"\",null]\"",
           "{\"a\":[1,2],\"b\":[\"x\",null]}");
    expect("a vector", csv, NULL, "[1] 2", "!wrong_type: column 'a' is vector and cannot hold '[1] 2'");
}

static void test_nulls(void)
{
    expect("a string, b long", "{type: csv, nullValue: NA}", NULL, "NA,NA", "{\"a\":null,\"b\":null}");
    expect("a string, b long", "{type: csv, nullValue: NA}", NULL, "\"NA\",", "{\"a\":\"NA\",\"b\":null}");
    expect("a string, b long NOT NULL", "type: csv", NULL, "x,",
           "!null_value: column 'b' is not nullable, and its field is empty");
    expect("a long", "type: csv", NULL, "\"\"", "!wrong_type: column 'a' is long and cannot hold ''");
}

static void test_header(void)
{
    const char *csv = "type: csv";
    expect("a long, b string", csv, "b,zz,a", "x,ignored,7", "{\"a\":7,\"b\":\"x\"}");
    expect("a long, b string", csv, "b", "x", "{\"a\":null,\"b\":\"x\"}");
    expect("a long, b string", csv, "\xef\xbb\xbf\"a\",b\r\n", "7,x", "{\"a\":7,\"b\":\"x\"}");
    expect("a long NOT NULL, b string", csv, "b", "x",
           "!null_value: column 'a' is not nullable, and the header of in.csv has no 'a'");
    expect("[{name: a, type: long, path: /A}]", csv, "a,A", "1,2", "{\"a\":2}");
    expect("a long", csv, "a,\"", "1,2", "!null_value: the header of in.csv: a quoted field has no closing quote");
}

static void test_headers_of_several_files(void)
{
    struct rows rows;
    rows_open(&rows, "a long, b string", "type: csv");
    add_header(&rows, "b,a");
    rows_add(&rows, HR_STR("x,1"));
    add_header(&rows, "a,c,b");
    rows_add(&rows, HR_STR("2,q,y"));
    rows_decode(&rows);
    TEST_TEXT_EQUAL(hr_buf_text(&rows.out), "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n");
    CU_ASSERT_EQUAL(rows.chunk.record_index[1], 3);
    /* the next chunk goes on with the last header */
    rows_add(&rows, HR_STR("3,q,z"));
    rows_decode(&rows);
    TEST_TEXT_EQUAL(hr_buf_text(&rows.out), "{\"a\":3,\"b\":\"z\"}\n");
    CU_ASSERT_TRUE(hr_format_has_header(rows.format));
    rows_close(&rows);
}

static void test_refused(void)
{
    struct hr_arena arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_error err = {0};
    hr_arena_init(&arena, 0);
    hr_findings_init(&findings);
    hr_schema_init(&schema, &arena);
    size_t index;
    CU_ASSERT_EQUAL(hr_schema_add(&schema, "a", HR_TYPE_LONG, NULL, &index, &err), HR_OK);
    schema.fields[0].origin = HR_ORIGIN_FIELD;
    schema.fields[0].pointer = "/x/y";
    struct hr_yaml *node = hr_yaml_read_text(&arena, "q", "type: csv", 9, &findings);
    struct hr_format *format = hr_format_new(node, &node->place, NULL, &arena, &findings);
    CU_ASSERT_EQUAL(hr_format_open(format, &schema, &err), HR_BAD_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "'/x/y' leads into a nested value"));
    hr_format_close(format);
    node = hr_yaml_read_text(&arena, "q", "{type: cvs, header: 1}", 22, &findings);
    CU_ASSERT_PTR_NULL(hr_format_new(node, &node->place, NULL, &arena, &findings));
    CU_ASSERT_STRING_EQUAL(findings.first->message, "unknown format 'cvs'");
    CU_ASSERT_STRING_EQUAL(findings.first->hint, "did you mean 'csv'?");
    hr_findings_release(&findings);
    hr_arena_release(&arena);
}

static size_t split(const char *data, bool at_end, size_t *content)
{
    struct rows rows;
    rows_open(&rows, "a string", "type: csv");
    *content = 99;
    size_t length = hr_format_split(rows.format, data, strlen(data), at_end, content);
    rows_close(&rows);
    return length;
}

static void test_split(void)
{
    size_t content;
    CU_ASSERT_EQUAL(split("a,b\nc", false, &content), 4);
    CU_ASSERT_EQUAL(content, 3);
    CU_ASSERT_EQUAL(split("a,\"b\n\"\"c\"\r\nd", false, &content), 11);
    CU_ASSERT_EQUAL(content, 9);
    CU_ASSERT_EQUAL(split("a,\"b\nc", false, &content), 0);
    CU_ASSERT_EQUAL(split("a,\"b\nc", true, &content), 6);
    CU_ASSERT_EQUAL(split("5\" disk\nx", false, &content), 8);
    CU_ASSERT_EQUAL(split("\"a\"", false, &content), 0);
    CU_ASSERT_EQUAL(split("\"a\"", true, &content), 3);
    CU_ASSERT_EQUAL(split("\"\"\n", false, &content), 3);
    CU_ASSERT_EQUAL(content, 2);
}

/* Rows to CSV and back give the same rows. */
static void test_round_trip(void)
{
    static const char schema[] = "a string, b double, c float, d long, e vector, f array<string>, g timestamp, h "
                                 "boolean, i binary";
    static const char *const records[] = {
        "{\"a\":\"x, \\\"y\\\"\\r\\nz\",\"b\":0.1,\"c\":0.1,\"d\":-5,\"e\":[1,2.5],\"f\":[\"p\",null,\"\\\"\"],"
        "\"g\":\"2026-01-31T10:00:00.5Z\",\"h\":true,\"i\":\"AAE=\"}",
        "{\"a\":\"\",\"b\":\"NaN\",\"c\":\"-Infinity\",\"d\":0,\"e\":{\"size\":3,\"indices\":[1],\"values\":[\"NaN\"]},"
        "\"f\":[],\"g\":null,\"h\":false,\"i\":\"\"}",
        "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":null,\"g\":null,\"h\":null,\"i\":null}",
    };
    struct rows in;
    struct rows back;
    rows_open(&in, schema, "type: json");
    rows_open(&back, schema, "type: csv");
    size_t columns[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t i = 0; i < HR_ARRAY_LEN(records); i++) {
        struct hr_buf line;
        hr_buf_init(&line, 1 << 20);
        TEST_TEXT_EQUAL(rows_one(&in, records[i]), records[i]);
        /* rows_one freed the record's bytes; decode once more and keep them */
        in.records[0] = (struct hr_record){.value = hr_str_from(records[i]), .partition = -1};
        hr_arena_reset(&in.chunk_arena);
        hr_chunk_init(&in.chunk, &in.schema, 1, in.records, &in.rejects, &in.chunk_arena);
        hr_format_decode(in.format, in.records, 0, 1, &in.chunk);
        size_t end = 0;
        hr_format_encode(back.format, &in.chunk, columns, 9, 0, 1, true, &line, &end);
        CU_ASSERT_EQUAL(end + 1, line.length);
        TEST_TEXT_EQUAL(rows_one_of(&back, line.data, end), records[i]);
        hr_buf_release(&line);
    }
    struct hr_buf header;
    hr_buf_init(&header, 1 << 20);
    hr_format_encode_header(back.format, &back.schema, columns, 3, &header);
    TEST_TEXT_EQUAL(hr_buf_text(&header), "a,b,c\n");
    hr_buf_release(&header);
    rows_close(&in);
    rows_close(&back);
}

TEST_MAIN("format_csv", {"fields", test_fields}, {"types", test_types}, {"nulls", test_nulls}, {"header", test_header},
          {"headers of several files", test_headers_of_several_files}, {"refused", test_refused}, {"split", test_split},
          {"round trip", test_round_trip})
