/* SPDX-License-Identifier: Apache-2.0
 *
 * Schemas as users write them: list form, DDL string, and what is said about wrong ones; time stamps.
 */
#include "test.h"

#include <string.h>

#include "base/clock.h"
#include "data/schema.h"
#include "data/timestamp.h"

struct fixture {
    struct hr_arena arena;
    struct hr_findings findings;
    struct hr_schema schema;
};

static void open_fixture(struct fixture *fixture, const char *yaml)
{
    hr_arena_init(&fixture->arena, 0);
    hr_findings_init(&fixture->findings);
    hr_schema_init(&fixture->schema, &fixture->arena);
    struct hr_yaml *root = hr_yaml_read_text(&fixture->arena, "q.yaml", yaml, strlen(yaml), &fixture->findings);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    hr_schema_read(&fixture->schema, hr_yaml_get(root, "schema"), &fixture->findings);
}

static void close_fixture(struct fixture *fixture)
{
    hr_findings_release(&fixture->findings);
    hr_arena_release(&fixture->arena);
}

/* The findings' text, or the columns as "name type;" with '!' where not nullable. */
static const char *read_schema(const char *yaml)
{
    static char out[2000];
    struct fixture fixture;
    struct hr_buf text;
    hr_buf_init(&text, 1 << 16);
    open_fixture(&fixture, yaml);
    if (fixture.findings.errors > 0) {
        hr_findings_print_text(&fixture.findings, &text);
    } else {
        for (size_t i = 0; i < fixture.schema.count; i++) {
            const struct hr_field *field = &fixture.schema.fields[i];
            hr_buf_printf(&text, "%s%s %s;", field->name, field->nullable ? "" : "!", hr_type_name(field->type));
        }
    }
    snprintf(out, sizeof(out), "%s", hr_buf_text(&text));
    hr_buf_release(&text);
    close_fixture(&fixture);
    return out;
}

static void test_ddl(void)
{
    TEST_TEXT_EQUAL(read_schema("schema: \"id long, x double, tags array<string>, v vector\""),
                    "id long;x double;tags array<string>;v vector;");
    TEST_TEXT_EQUAL(read_schema("schema: 'a BIGINT NOT NULL, b: Integer, c real, `d e``f` array < double >'"),
                    "a! long;b int;c float;d e`f array<double>;");
    TEST_TEXT_EQUAL(read_schema("schema: >\n  a long,\n  b boolean\n"), "a long;b boolean;");
}

static void test_list(void)
{
    TEST_TEXT_EQUAL(read_schema("schema:\n- {name: a, type: long, nullable: false}\n- {name: b, type: binary}\n"),
                    "a! long;b binary;");
    struct fixture fixture;
    open_fixture(&fixture, "schema:\n- {name: t, type: timestamp, format: epochMillis, path: /x/t}\n"
                           "- {name: u, type: timestamp, format: 'yyyy-MM-dd'}\n- {name: w, type: timestamp}\n");
    CU_ASSERT_EQUAL_FATAL(fixture.findings.errors, 0);
    CU_ASSERT_EQUAL(fixture.schema.fields[0].timestamp_format, HR_TIMESTAMP_EPOCH_MILLIS);
    CU_ASSERT_STRING_EQUAL(fixture.schema.fields[0].pointer, "/x/t");
    CU_ASSERT_EQUAL(fixture.schema.fields[0].origin, HR_ORIGIN_FIELD);
    CU_ASSERT_EQUAL(fixture.schema.fields[0].place.line, 2);
    CU_ASSERT_EQUAL(fixture.schema.fields[1].timestamp_format, HR_TIMESTAMP_PATTERN);
    CU_ASSERT_EQUAL(fixture.schema.fields[2].timestamp_format, HR_TIMESTAMP_RFC3339);
    close_fixture(&fixture);
}

static void expect_finding(const char *yaml, const char *message)
{
    const char *text = read_schema(yaml);
    if (strstr(text, message) == NULL) {
        printf("\nwanted: %s\nin: %s\n", message, text);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(text, message));
}

static void test_findings(void)
{
    expect_finding("schema: \"a lnog\"", "q.yaml:1:9: error: column 'a' has the unknown type 'lnog'");
    expect_finding("schema: \"a lonng\"", "did you mean 'long'?");
    expect_finding("schema:\n- {name: a, type: strng}\n", "q.yaml:2:19: error: column 'a' has the unknown type");
    expect_finding("schema:\n- {name: a, type: map<string,string>}\n", "types: boolean, int, long");
    expect_finding("schema: \"a long, b long, a string\"", "column 'a' is declared twice");
    expect_finding("schema: \"a long b\"", "'b' after the type is not understood");
    expect_finding("schema: \"a long, \"", "the schema has a column without a name");
    expect_finding("schema: \"a\"", "the schema has a column without a type");
    expect_finding("schema: \"\"", "the schema is empty");
    expect_finding("schema: []", "the schema is empty");
    expect_finding("schema: {a: long}", "schema must be a list of columns or a string");
    expect_finding("schema: [a long]", "a column must be {name, type");
    expect_finding("schema:\n- {name: a, type: long, path: x/y}\n", "'x/y' is not a JSON pointer");
    expect_finding("schema:\n- {name: a, type: long, path: /x~2}\n", "'/x~2' is not a JSON pointer");
    expect_finding("schema:\n- {name: a, type: long, nulable: true}\n", "nullable");
    expect_finding("schema:\n- {name: a, type: long, format: rfc3339}\n", "only a timestamp has a format");
    expect_finding("schema:\n- {name: a, type: timestamp, format: epochMilis}\n", "did you mean 'epochMillis'?");
    expect_finding("schema:\n- {name: __topic, type: string}\n", "belong to Headrace");
    expect_finding("schema:\n- {type: string}\n", "name");
    /* all at once */
    expect_finding("schema:\n- {name: a, type: x}\n- {name: b, type: y}\n", "'y'");
}

static void test_need(void)
{
    struct fixture fixture;
    struct hr_error err = {0};
    size_t index = 7;
    open_fixture(&fixture, "schema: \"temperature double, pressure double, city string\"");
    CU_ASSERT_EQUAL(hr_schema_need(&fixture.schema, "pressure", &index, &err), HR_OK);
    CU_ASSERT_EQUAL(index, 1);
    CU_ASSERT_EQUAL(hr_schema_need(&fixture.schema, "presure", &index, &err), HR_BAD_CONFIG);
    TEST_TEXT_EQUAL(err.text, "column 'presure' is not in the schema (columns: temperature, pressure, city)");
    TEST_TEXT_EQUAL(err.hint, "did you mean 'pressure'?");
    CU_ASSERT_EQUAL(index, 1);
    CU_ASSERT_EQUAL(
        hr_schema_need_type(&fixture.schema, "city", HR_TYPE_MASK_NUMERIC, "a numeric column", &index, &err),
        HR_BAD_CONFIG);
    TEST_TEXT_EQUAL(err.text, "column 'city' is string, but a numeric column is needed here");
    CU_ASSERT_EQUAL(hr_schema_add(&fixture.schema, "city", HR_TYPE_LONG, NULL, &index, &err), HR_BAD_CONFIG);
    CU_ASSERT_TRUE(hr_schema_add_metadata(&fixture.schema, "__offset", &index));
    CU_ASSERT_EQUAL(index, 3);
    CU_ASSERT_TRUE(hr_schema_add_metadata(&fixture.schema, "__offset", &index));
    CU_ASSERT_EQUAL(index, 3);
    CU_ASSERT_FALSE(hr_schema_add_metadata(&fixture.schema, "__ofset", &index));
    close_fixture(&fixture);
}

static void expect_time(const char *text, const char *expected)
{
    int64_t value = 0;
    char out[40] = "";
    if (!hr_timestamp_parse_rfc3339(text, strlen(text), &value)) {
        TEST_TEXT_EQUAL("", expected);
        return;
    }
    hr_clock_format_utc(value, out);
    TEST_TEXT_EQUAL(out, expected);
}

static void test_rfc3339(void)
{
    expect_time("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
    expect_time("2000-02-29T23:59:59.999999Z", "2000-02-29T23:59:59.999999Z");
    expect_time("1900-02-29T00:00:00Z", "");
    expect_time("2400-02-29T00:00:00Z", "2400-02-29T00:00:00Z");
    expect_time("1969-12-31T23:59:59.000001Z", "1969-12-31T23:59:59.000001Z");
    expect_time("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z");
    expect_time("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z");
    expect_time("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
    expect_time("2026-01-01 00:00:00", "2026-01-01T00:00:00Z");
    expect_time("2026-01-01t00:00:00.1z", "2026-01-01T00:00:00.1Z");
    expect_time("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
    expect_time("0001-01-01T00:00:00+00:01", "");
    expect_time("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z");
    static const char *const wrong[] = {
        "",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01",
        "2026-01-01T00:00:00Zx",
        "2026-1-01T00:00:00Z0",
        "2026-01-01T00:00:00 Z",
        "+026-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_time(wrong[i], "");
    }
}

static void test_patterns(void)
{
    struct hr_timestamp_pattern *pattern = NULL;
    struct hr_error err = {0};
    int64_t value = 0;
    CU_ASSERT_EQUAL_FATAL(hr_timestamp_pattern_new("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", &pattern, &err), HR_OK);
    CU_ASSERT_TRUE(hr_timestamp_pattern_parse(pattern, "2026-01-01T00:00:00.250+01:00", 29, &value));
    CU_ASSERT_EQUAL(value, INT64_C(1767222000250000));
    CU_ASSERT_FALSE(hr_timestamp_pattern_parse(pattern, "2026-01-01T00:00:00.250+01:00x", 30, &value));
    CU_ASSERT_FALSE(hr_timestamp_pattern_parse(pattern, "2026-02-30T00:00:00.250+01:00", 29, &value));
    CU_ASSERT_FALSE(hr_timestamp_pattern_parse(pattern, "", 0, &value));
    hr_timestamp_pattern_free(pattern);
    CU_ASSERT_EQUAL(hr_timestamp_pattern_new("HH:mm", &pattern, &err), HR_BAD_CONFIG);
    CU_ASSERT_EQUAL(hr_timestamp_pattern_new("iso8601", &pattern, &err), HR_BAD_CONFIG);
    hr_timestamp_pattern_free(NULL);
}

TEST_MAIN("schema", {"ddl", test_ddl}, {"list", test_list}, {"findings", test_findings}, {"need", test_need},
          {"rfc 3339", test_rfc3339}, {"patterns", test_patterns})
