/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in and out: types, nulls, grammar, escapes, pointers, duplicates, and the reasons of bad records.
 */
#include "test.h"

#include <math.h>

#include "base/json_writer.h"
#include "data/json_encode.h"
#include "rows.h"

/* schema, record, what becomes of it */
struct json_case {
    const char *schema;
    const char *record;
    const char *expected;
};

static void run_cases(const struct json_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rows rows;
        rows_open(&rows, cases[i].schema, "type: json");
        TEST_TEXT_EQUAL(rows_one(&rows, cases[i].record), cases[i].expected);
        rows_close(&rows);
    }
}

static void test_types(void)
{
    static const struct json_case cases[] = {
        {"a boolean, b boolean", "{\"a\":true,\"b\":false}", "{\"a\":true,\"b\":false}"},
        {"a int, b long", "{\"a\":-2147483648,\"b\":-9223372036854775808}",
         "{\"a\":-2147483648,\"b\":-9223372036854775808}"},
        {"a int, b long", "{\"a\":2147483647,\"b\":9223372036854775807}",
         "{\"a\":2147483647,\"b\":9223372036854775807}"},
        {"a long", "{\"a\":-0}", "{\"a\":0}"},
        {"a double, b double", "{\"a\":-0.0,\"b\":1E400e}", "!malformed: byte 20: expected ',' or '}', found 'e'"},
        {"a double, b double", "{\"a\":-0.0,\"b\":1e-400}", "{\"a\":-0,\"b\":0}"},
        {"a double", "{\"a\":0.1}", "{\"a\":0.1}"},
        {"a double", "{\"a\":123456789012345678901234567890}", "{\"a\":1.2345678901234568e+29}"},
        {"a double", "{\"a\":9007199254740993}", "{\"a\":9007199254740992}"},
        {"a double, b double, c double", "{\"a\":\"NaN\",\"b\":\"Infinity\",\"c\":\"-Infinity\"}",
         "{\"a\":\"NaN\",\"b\":\"Infinity\",\"c\":\"-Infinity\"}"},
        {"a float", "{\"a\":0.1}", "{\"a\":0.1}"},
        {"a float", "{\"a\":16777217}", "{\"a\":16777216}"},
        {"a float", "{\"a\":3.5e38}", "!out_of_range: column 'a' is float; 3.5e38 is out of its range"},
        {"a string", "{\"a\":\"x\"}", "{\"a\":\"x\"}"},
        {"a string", "{\"a\":\"\"}", "{\"a\":\"\"}"},
        {"a binary", "{\"a\":\"AAEC/w==\"}", "{\"a\":\"AAEC/w==\"}"},
        {"a binary", "{\"a\":\"AAEC/w=\"}", "!wrong_type: column 'a' is binary and cannot hold \"AAEC/w=\""},
        {"a array<string>", "{\"a\":[\"x\",null,\"\",\"y\\n\"]}", "{\"a\":[\"x\",null,\"\",\"y\\n\"]}"},
        {"a array<string>", "{\"a\":[]}", "{\"a\":[]}"},
        {"a array<string>", "{\"a\":[1]}", "!wrong_type: column 'a' is array<string> and cannot hold [1]"},
        {"a array<double>", "{\"a\":[1,2.5,\"NaN\"]}", "{\"a\":[1,2.5,\"NaN\"]}"},
        {"a array<double>", "{\"a\":[1,null]}", "!wrong_type: column 'a' is array<double> and cannot hold [1,null]"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_vectors(void)
{
    static const struct json_case cases[] = {
        {"v vector", "{\"v\":[1,2,3]}", "{\"v\":[1,2,3]}"},
        {"v vector", "{\"v\":[]}", "{\"v\":[]}"},
        {"v vector", "{\"v\":[1e999]}", "!out_of_range: column 'v' is vector; [1e999] is out of its range"},
        {"v vector", "{\"v\":{\"size\":4,\"indices\":[0,3],\"values\":[1.5,-2]}}",
         "{\"v\":{\"size\":4,\"indices\":[0,3],\"values\":[1.5,-2]}}"},
        {"v vector", "{\"v\":{ \"values\":[ 7 ] , \"indices\":[2],\"size\":4 , \"type\":0}}",
         "{\"v\":{\"size\":4,\"indices\":[2],\"values\":[7]}}"},
        {"v vector", "{\"v\":{\"size\":0,\"indices\":[],\"values\":[]}}",
         "{\"v\":{\"size\":0,\"indices\":[],\"values\":[]}}"},
        /* out of range, not ascending, equal, lengths differ, a part missing */
        {"v vector", "{\"v\":{\"size\":2,\"indices\":[2],\"values\":[1]}}",
         "!wrong_type: column 'v' is vector and cannot hold {\"size\":2,\"indices\":[2],\"values\":[1]}"},
        {"v vector", "{\"v\":{\"size\":9,\"indices\":[1,0],\"values\":[1,2]}}",
         "!wrong_type: column 'v' is vector and cannot hold {\"size\":9,\"indices\":[1,0],\"values\":[1,2]"},
        {"v vector", "{\"v\":{\"size\":9,\"indices\":[1,1],\"values\":[1,2]}}",
         "!wrong_type: column 'v' is vector and cannot hold {\"size\":9,\"indices\":[1,1],\"values\":[1,2]"},
        {"v vector", "{\"v\":{\"size\":9,\"indices\":[1],\"values\":[]}}",
         "!wrong_type: column 'v' is vector and cannot hold {\"size\":9,\"indices\":[1],\"values\":[]}"},
        {"v vector", "{\"v\":{\"indices\":[1],\"values\":[1]}}",
         "!wrong_type: column 'v' is vector and cannot hold {\"indices\":[1],\"values\":[1]}"},
        {"v vector", "{\"v\":{\"size\":-1,\"indices\":[],\"values\":[]}}",
         "!wrong_type: column 'v' is vector and cannot hold {\"size\":-1,\"indices\":[],\"values\":[]}"},
        {"v vector", "{\"v\":[1,]}", "!malformed: byte 9: expected a value, found ']'"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_vectors_are_a_matrix(void)
{
    struct rows rows;
    rows_open(&rows, "v vector", "type: json");
    rows_add(&rows, HR_STR("{\"v\":[1,2]}"));
    rows_add(&rows, HR_STR("{\"v\":[3,4]}"));
    rows_add(&rows, HR_STR("{\"v\":[5,6]}"));
    rows_decode(&rows);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rows.chunk.columns[0].dense);
    CU_ASSERT_EQUAL(rows.chunk.columns[0].dense_size, 2);
    CU_ASSERT_EQUAL(rows.chunk.columns[0].dense[5], 6.0);
    rows_add(&rows, HR_STR("{\"v\":[1,2]}"));
    rows_add(&rows, HR_STR("{\"v\":[3]}"));
    rows_decode(&rows);
    CU_ASSERT_PTR_NULL(rows.chunk.columns[0].dense);
    rows_close(&rows);
}

static void test_wrong_types(void)
{
    static const struct json_case cases[] = {
        {"a boolean", "{\"a\":1}", "!wrong_type: column 'a' is boolean and cannot hold 1"},
        {"a boolean", "{\"a\":\"true\"}", "!wrong_type: column 'a' is boolean and cannot hold \"true\""},
        {"a long", "{\"a\":1.0}", "!wrong_type: column 'a' is long and cannot hold 1.0"},
        {"a long", "{\"a\":1e2}", "!wrong_type: column 'a' is long and cannot hold 1e2"},
        {"a long", "{\"a\":\"1\"}", "!wrong_type: column 'a' is long and cannot hold \"1\""},
        {"a long", "{\"a\":true}", "!wrong_type: column 'a' is long and cannot hold true"},
        {"a long", "{\"a\":9223372036854775808}",
         "!out_of_range: column 'a' is long; 9223372036854775808 is out of its range"},
        {"a long", "{\"a\":-9223372036854775809}",
         "!out_of_range: column 'a' is long; -9223372036854775809 is out of its range"},
        {"a int", "{\"a\":2147483648}", "!out_of_range: column 'a' is int; 2147483648 is out of its range"},
        {"a double", "{\"a\":\"1\"}", "!wrong_type: column 'a' is double and cannot hold \"1\""},
        {"a double", "{\"a\":1e309}", "!out_of_range: column 'a' is double; 1e309 is out of its range"},
        {"a double", "{\"a\":[1]}", "!wrong_type: column 'a' is double and cannot hold [1]"},
        {"a string", "{\"a\":1}", "!wrong_type: column 'a' is string and cannot hold 1"},
        {"a string", "{\"a\":{\"b\":[1,2]}}", "!wrong_type: column 'a' is string and cannot hold {\"b\":[1,2]}"},
        {"a vector", "{\"a\":1}", "!wrong_type: column 'a' is vector and cannot hold 1"},
        /* the first column that is wrong speaks; malformed text is graver */
        {"a long, b long", "{\"b\":\"x\",\"a\":\"y\"}", "!wrong_type: column 'a' is long and cannot hold \"y\""},
        {"a long", "{\"a\":\"x\",}", "!malformed: byte 10: expected a member's name in quotes, found '}'"},
        /* a long value is shortened between characters */
        {"a long", "{\"a\":\"0123456789012345678901234567890123456\xc3\xa4\xc3\xa4\xc3\xa4\"}",
         "!wrong_type: column 'a' is long and cannot hold \"0123456789012345678901234567890123456\xc3\xa4"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_nulls(void)
{
    static const struct json_case cases[] = {
        {"a long, b string, c vector, d boolean", "{\"a\":null,\"b\":null}",
         "{\"a\":null,\"b\":null,\"c\":null,\"d\":null}"},
        {"a long", "{}", "{\"a\":null}"},
        {"a long NOT NULL", "{\"a\":null}", "!null_value: column 'a' is not nullable, and its value is null"},
        {"a long NOT NULL", "{}", "!null_value: column 'a' is not nullable, and its value is missing"},
        {"a long NOT NULL", "{\"A\":1}", "!null_value: column 'a' is not nullable, and its value is missing"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_duplicates(void)
{
    static const struct json_case cases[] = {
        {"a long", "{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"a long", "{\"a\":1,\"a\":null}", "{\"a\":null}"},
        {"a long", "{\"a\":\"wrong\",\"a\":2}", "{\"a\":2}"},
        {"a long", "{\"a\":2,\"a\":\"wrong\"}", "!wrong_type: column 'a' is long and cannot hold \"wrong\""},
        {"a long", "{\"\\u0061\":1,\"a\":2}", "{\"a\":2}"},
        {"[{name: x, type: long, path: /p/x}, {name: y, type: long, path: /p/y}]",
         "{\"p\":{\"x\":1,\"y\":2},\"p\":{\"y\":3}}", "{\"x\":null,\"y\":3}"},
        {"[{name: x, type: long, path: /p/q/x}]", "{\"p\":{\"q\":{\"x\":1}},\"p\":5}", "{\"x\":null}"},
        {"v vector", "{\"v\":{\"size\":9,\"size\":2,\"indices\":[5],\"indices\":[1],\"values\":[1,2],\"values\":[3]}}",
         "{\"v\":{\"size\":2,\"indices\":[1],\"values\":[3]}}"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_pointers(void)
{
    static const struct json_case cases[] = {
        {"[{name: x, type: long, path: /user/id}]", "{\"user\":{\"name\":\"n\",\"id\":7}}", "{\"x\":7}"},
        {"[{name: x, type: long, path: /user/id}]", "{\"user\":null}", "{\"x\":null}"},
        {"[{name: x, type: long, path: /user/id}]", "{\"user\":5}", "{\"x\":null}"},
        {"[{name: x, type: long, path: /a/1}]", "{\"a\":[4,5,6]}", "{\"x\":5}"},
        {"[{name: x, type: long, path: /a/1}]", "{\"a\":{\"1\":8}}", "{\"x\":8}"},
        {"[{name: x, type: long, path: /a/01}]", "{\"a\":[4,5]}", "{\"x\":null}"},
        {"[{name: x, type: long, path: /a/0/b/1}]", "{\"a\":[{\"b\":[[],9]}]}", "{\"x\":9}"},
        {"[{name: x, type: long, path: \"/a~1b/c~0d\"}]", "{\"a/b\":{\"c~d\":3}}", "{\"x\":3}"},
        {"[{name: x, type: long, path: /}]", "{\"\":3}", "{\"x\":3}"},
        /* one value for two columns, and a value with columns below it */
        {"[{name: x, type: long, path: /a}, {name: y, type: double, path: /a}]", "{\"a\":3}", "{\"x\":3,\"y\":3}"},
        {"[{name: v, type: vector, path: /a}, {name: x, type: double, path: /a/1}]", "{\"a\":[3,4]}",
         "{\"v\":[3,4],\"x\":4}"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_timestamps(void)
{
    static const struct json_case cases[] = {
        {"t timestamp", "{\"t\":\"2026-01-31T10:00:00Z\"}", "{\"t\":\"2026-01-31T10:00:00Z\"}"},
        {"t timestamp", "{\"t\":\"2026-01-31t10:00:00.1234569+02:00\"}", "{\"t\":\"2026-01-31T08:00:00.123456Z\"}"},
        {"t timestamp", "{\"t\":\"2026-02-29T10:00:00Z\"}",
         "!wrong_type: column 't' is timestamp and cannot hold \"2026-02-29T10:00:00Z\""},
        {"t timestamp", "{\"t\":1}", "!wrong_type: column 't' is timestamp and cannot hold 1"},
        {"[{name: t, type: timestamp, format: epochMillis}]", "{\"t\":1760000000123}",
         "{\"t\":\"2025-10-09T08:53:20.123Z\"}"},
        {"[{name: t, type: timestamp, format: epochMillis}]", "{\"t\":1760000000123.4567}",
         "{\"t\":\"2025-10-09T08:53:20.123456Z\"}"},
        {"[{name: t, type: timestamp, format: epochSeconds}]", "{\"t\":-1.5}", "{\"t\":\"1969-12-31T23:59:58.5Z\"}"},
        {"[{name: t, type: timestamp, format: epochSeconds}]", "{\"t\":1.76e9}", "{\"t\":\"2025-10-09T08:53:20Z\"}"},
        {"[{name: t, type: timestamp, format: epochSeconds}]", "{\"t\":\"1\"}",
         "!wrong_type: column 't' is timestamp and cannot hold \"1\""},
        {"[{name: t, type: timestamp, format: epochSeconds}]", "{\"t\":1e18}",
         "!out_of_range: column 't' is timestamp; 1e18 is out of its range"},
        {"[{name: t, type: timestamp, format: \"dd/MM/yyyy HH:mm\"}]", "{\"t\":\"31/01/2026 10:05\"}",
         "{\"t\":\"2026-01-31T10:05:00Z\"}"},
        {"[{name: t, type: timestamp, format: \"dd/MM/yyyy HH:mm\"}]", "{\"t\":\"31/02/2026 10:05\"}",
         "!wrong_type: column 't' is timestamp and cannot hold \"31/02/2026 10:05\""},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_escapes(void)
{
    static const struct json_case cases[] = {
        {"a string", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\t\"}"},
        {"a string", "{\"a\":\"\\u00e4\\u20AC\\ud83d\\uDE00\"}", "{\"a\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}"},
        {"a string", "{\"a\":\"\\u0000\\u001f\"}", "{\"a\":\"\\u0000\\u001f\"}"},
        {"a string", "{\"a\":\"\xf0\x9f\x98\x80\"}", "{\"a\":\"\xf0\x9f\x98\x80\"}"},
        {"a string", "{\"a\":\"\\ud83d\"}",
         "!malformed: byte 9: expected the other half of a surrogate pair, found 'd'"},
        {"a string", "{\"a\":\"\\ude00\\ud83d\"}",
         "!malformed: byte 9: expected the other half of a surrogate pair, found 'd'"},
        {"a string", "{\"a\":\"\\u12g4\"}", "!malformed: byte 9: expected four hex digits, found '1'"},
        {"a string", "{\"a\":\"\\x\"}", "!malformed: byte 8: expected an escape that JSON knows, found 'x'"},
        {"a string", "{\"a\":\"\t\"}",
         "!malformed: byte 7: expected no control character in a string, found byte 0x09"},
        {"a string", "{\"a\":\"\xff\"}", "!invalid_utf8: byte 7: 0xff is not UTF-8"},
        {"a string", "{\"a\":\"\xed\xa0\x80\"}", "!invalid_utf8: byte 7: 0xed is not UTF-8"},
        {"a string", "{\"b\":\"\xc0\x80\",\"a\":\"x\"}", "!invalid_utf8: byte 7: 0xc0 is not UTF-8"},
        {"[{name: 'a b\"', type: string}]", "{\"a b\\\"\":\"x\"}", "{\"a b\\\"\":\"x\"}"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static void test_grammar(void)
{
    static const struct json_case cases[] = {
        {"a long", " { \"a\" : 1 } ", "{\"a\":1}"},
        {"a long", "\t{\r\n\"a\"\t:\n1\r}\n", "{\"a\":1}"},
        {"a long", "", "!empty: the record is empty"},
        {"a long", " \t\r\n", "!empty: the record is empty"},
        {"a long", "[1]", "!not_an_object: the record is JSON, but not one object"},
        {"a long", "null", "!not_an_object: the record is JSON, but not one object"},
        {"a long", "\"x\"", "!not_an_object: the record is JSON, but not one object"},
        {"a long", "-1e5", "!not_an_object: the record is JSON, but not one object"},
        {"a long", "nul", "!malformed: byte 1: expected a value, found 'n'"},
        {"a long", "{\"a\":1} {\"a\":2}", "!trailing_bytes: byte 9: expected the end of the record, found '{'"},
        {"a long", "{\"a\":1}}", "!trailing_bytes: byte 8: expected the end of the record, found '}'"},
        {"a long", "{\"a\":1", "!malformed: byte 7: expected ',' or '}', but the record ends"},
        {"a long", "{\"a\":", "!malformed: byte 6: expected a value, but the record ends"},
        {"a long", "{\"a\"", "!malformed: byte 5: expected ':', but the record ends"},
        {"a long", "{\"a", "!malformed: byte 4: expected the end of a string, but the record ends"},
        {"a long", "{", "!malformed: byte 2: expected a member's name in quotes, but the record ends"},
        {"a long", "{\"a\":01}", "!malformed: byte 6: expected a number, found '0'"},
        {"a long", "{\"a\":-}", "!malformed: byte 6: expected a number, found '-'"},
        {"a double", "{\"a\":1.}", "!malformed: byte 6: expected a number, found '1'"},
        {"a double", "{\"a\":.5}", "!malformed: byte 6: expected a value, found '.'"},
        {"a double", "{\"a\":1e}", "!malformed: byte 6: expected a number, found '1'"},
        {"a double", "{\"a\":+1}", "!malformed: byte 6: expected a value, found '+'"},
        {"a double", "{\"a\":NaN}", "!malformed: byte 6: expected a value, found 'N'"},
        {"a double", "{\"a\":0x10}", "!malformed: byte 7: expected ',' or '}', found 'x'"},
        {"a long", "{'a':1}", "!malformed: byte 2: expected a member's name in quotes, found '''"},
        {"a long", "{\"b\":[1,{\"c\":[tru]}],\"a\":1}", "!malformed: byte 15: expected a value, found 't'"},
        {"a long", "{\"b\":[1 2],\"a\":1}", "!malformed: byte 9: expected ',' or ']', found '2'"},
        {"a long", "{\"b\":{\"x\":1,},\"a\":1}", "!malformed: byte 13: expected a member's name in quotes, found '}'"},
        {"a long", "{\"b\":{\"x\":[1,-2.5e+3,\"\\u00e4\",true,false,null,{},[]]},\"a\":1}", "{\"a\":1}"},
    };
    run_cases(cases, HR_ARRAY_LEN(cases));
}

static const char *nested(struct rows *rows, struct hr_buf *text, int arrays, const char *name)
{
    hr_buf_clear(text);
    hr_buf_printf(text, "{\"%s\":", name);
    for (int i = 0; i < arrays; i++) {
        hr_buf_append_char(text, '[');
    }
    for (int i = 0; i < arrays; i++) {
        hr_buf_append_char(text, ']');
    }
    hr_buf_append_char(text, '}');
    return rows_one(rows, hr_buf_text(text));
}

static void test_depth(void)
{
    struct rows rows;
    struct hr_buf text;
    hr_buf_init(&text, 1 << 20);
    rows_open(&rows, "[{name: a, type: long}, {name: b, type: long, path: /n/0/0/0}]", "type: json");
    TEST_TEXT_EQUAL(nested(&rows, &text, 127, "x"), "{\"a\":null,\"b\":null}");
    TEST_TEXT_EQUAL(nested(&rows, &text, 128, "x"), "!too_deep: byte 133: expected at most 128 levels, found '['");
    TEST_TEXT_EQUAL(nested(&rows, &text, 100000, "x"), "!too_deep: byte 133: expected at most 128 levels, found '['");
    TEST_TEXT_EQUAL(nested(&rows, &text, 128, "n"), "!too_deep: byte 133: expected at most 128 levels, found '['");
    TEST_TEXT_EQUAL(nested(&rows, &text, 127, "n"),
                    "!wrong_type: column 'b' is long and cannot hold [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
    hr_buf_release(&text);
    rows_close(&rows);
}

static void test_too_large(void)
{
    struct rows rows;
    rows_open(&rows, "a string", "{type: json, maxRecordBytes: 64}");
    char record[66] = "{\"a\":\"";
    memset(record + 6, 'x', 56);
    strcpy(record + 62, "\"}");
    CU_ASSERT_EQUAL(rows_one(&rows, record)[0], '{');
    strcpy(record + 62, "\"} ");
    TEST_TEXT_EQUAL(rows_one(&rows, record), "!too_large: the record has 65 bytes, the limit is 64");
    rows_close(&rows);
}

/* Members may come in any order and change it from record to record; bad records do not disturb good ones. */
static void test_order(void)
{
    struct rows rows;
    rows_open(&rows, "a long, b string, c double", "type: json");
    rows_add(&rows, HR_STR("{\"a\":1,\"b\":\"x\",\"c\":2.5}"));
    rows_add(&rows, HR_STR("{\"c\":2.5,\"b\":\"y\",\"a\":2}"));
    rows_add(&rows, HR_STR("{\"c\":2.5,\"zz\":[1],\"a\":3,\"b\":\"z\"}"));
    rows_add(&rows, HR_STR("{\"c\":\"bad\",\"a\":4}"));
    rows_add(&rows, HR_STR("{\"b\":\"q\"}"));
    rows_add(&rows, HR_STR("{\"a\":5,\"b\":\"x\",\"c\":7"));
    rows_add(&rows, HR_STR("{\"a\":6,\"b\":\"x\",\"c\":7}"));
    rows_decode(&rows);
    TEST_TEXT_EQUAL(hr_buf_text(&rows.out), "{\"a\":1,\"b\":\"x\",\"c\":2.5}\n"
                                            "{\"a\":2,\"b\":\"y\",\"c\":2.5}\n"
                                            "{\"a\":3,\"b\":\"z\",\"c\":2.5}\n"
                                            "!wrong_type: column 'c' is double and cannot hold \"bad\"\n"
                                            "{\"a\":null,\"b\":\"q\",\"c\":null}\n"
                                            "!malformed: byte 21: expected ',' or '}', but the record ends\n"
                                            "{\"a\":6,\"b\":\"x\",\"c\":7}\n");
    rows_close(&rows);
}

static void test_split(void)
{
    struct rows rows;
    rows_open(&rows, "a long", "type: json");
    size_t content = 99;
    CU_ASSERT_EQUAL(hr_format_split(rows.format, "ab\ncd", 5, false, &content), 3);
    CU_ASSERT_EQUAL(content, 2);
    CU_ASSERT_EQUAL(hr_format_split(rows.format, "ab\r\ncd", 6, false, &content), 4);
    CU_ASSERT_EQUAL(content, 2);
    CU_ASSERT_EQUAL(hr_format_split(rows.format, "cd", 2, false, &content), 0);
    CU_ASSERT_EQUAL(hr_format_split(rows.format, "cd", 2, true, &content), 2);
    CU_ASSERT_EQUAL(content, 2);
    CU_ASSERT_EQUAL(hr_format_split(rows.format, "\n", 1, false, &content), 1);
    CU_ASSERT_EQUAL(content, 0);
    CU_ASSERT_FALSE(hr_format_has_header(rows.format));
    rows_close(&rows);
}

/* What must be escaped is found at every place of texts of every length. */
static void test_strings_out(void)
{
    static const char *const specials[] = {"\"", "\\", "\n", "\x1f", "\x7f", "\u00e9", "\xff"};
    struct hr_buf fast;
    struct hr_buf general;
    hr_buf_init(&fast, 1 << 16);
    hr_buf_init(&general, 1 << 16);
    for (size_t length = 0; length < 40; length++) {
        for (size_t at = 0; at <= length; at++) {
            for (size_t i = 0; i < HR_ARRAY_LEN(specials); i++) {
                char text[48] = "abcdefghijklmnopqrstuvwxyz0123456789 !#$%&'()";
                size_t special = strlen(specials[i]);
                memcpy(text + at, specials[i], special);
                struct hr_str value = {text, at + special > length ? at + special : length};
                struct hr_column column = {.type = HR_TYPE_STRING, .strings = &value};
                hr_buf_clear(&fast);
                hr_buf_clear(&general);
                hr_json_encode_value(&column, 0, &fast);
                hr_json_append_quoted(&general, value);
                TEST_TEXT_EQUAL(hr_buf_text(&fast), hr_buf_text(&general));
            }
        }
    }
    hr_buf_release(&fast);
    hr_buf_release(&general);
}

TEST_MAIN("format_json", {"strings out", test_strings_out}, {"types", test_types}, {"vectors", test_vectors},
          {"vectors are a matrix", test_vectors_are_a_matrix}, {"wrong types", test_wrong_types}, {"nulls", test_nulls},
          {"duplicates", test_duplicates}, {"pointers", test_pointers}, {"timestamps", test_timestamps},
          {"escapes", test_escapes}, {"grammar", test_grammar}, {"depth", test_depth}, {"too large", test_too_large},
          {"order", test_order}, {"split", test_split})
