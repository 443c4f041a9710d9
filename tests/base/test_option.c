/* Option tables: reading, ranges, unknown and missing keys with their places, and the way back to JSON. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/option.h"

struct sample {
    const char *name;
    bool flag;
    int64_t count;
    double rate;
    int64_t wait_us;
    int64_t memory;
    int mode;
    char delimiter;
    struct hr_string_list columns;
    struct hr_double_list splits;
    struct hr_properties properties;
};

static const char *const modes[] = {"error", "skip", "keep", NULL};

static const struct hr_option rows[] = {
    HR_OPTION(struct sample, name, "name", STRING, .required = true, .help = "a name"),
    HR_OPTION(struct sample, flag, "flag", BOOL, .fallback = "true"),
    HR_OPTION(struct sample, count, "maxRowsPerTrigger", INT, .minimum = 1, .maximum = 100,
              .alias = "maxOffsetsPerTrigger"),
    HR_OPTION(struct sample, rate, "stepSize", DOUBLE, .fallback = "0.1"),
    HR_OPTION(struct sample, wait_us, "wait", DURATION, .fallback = "1500ms"),
    HR_OPTION(struct sample, memory, "memory", BYTES, .fallback = "64KiB"),
    HR_OPTION(struct sample, mode, "handleInvalid", CHOICE, .choices = modes, .fallback = "error"),
    HR_OPTION(struct sample, delimiter, "delimiter", CHARACTER, .fallback = ","),
    HR_OPTION(struct sample, columns, "columns", STRINGS, .fallback = "[a, b]"),
    HR_OPTION(struct sample, splits, "splits", DOUBLES),
    HR_OPTION(struct sample, properties, "properties", PROPERTIES),
};
static const struct hr_option_table table = {rows, HR_ARRAY_LEN(rows)};

static struct hr_arena arena;
static struct hr_findings findings;
static struct sample sample;

static void read_sample(const char *text)
{
    hr_arena_release(&arena);
    hr_findings_release(&findings);
    hr_arena_init(&arena, 0);
    hr_findings_init(&findings);
    memset(&sample, 0, sizeof(sample));
    struct hr_yaml *root = hr_yaml_read_text(&arena, "f.yaml", text, strlen(text), &findings);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    hr_options_read(table, root, NULL, &sample, &arena, &findings);
}

static void expect_finding(const char *text, int line, int column, const char *message, const char *hint)
{
    read_sample(text);
    CU_ASSERT_EQUAL(findings.errors, 1);
    if (findings.errors != 1) {
        printf("\n%s: %zu errors\n", text, findings.errors);
        return;
    }
    const struct hr_finding *finding = findings.first;
    CU_ASSERT_EQUAL(finding->place.line, line);
    CU_ASSERT_EQUAL(finding->place.column, column);
    TEST_TEXT_EQUAL(finding->message, message);
    if (hint != NULL) {
        TEST_TEXT_EQUAL(finding->hint != NULL ? finding->hint : "", hint);
    }
}

static void test_defaults(void)
{
    read_sample("name: x\n");
    CU_ASSERT_EQUAL(findings.errors, 0);
    CU_ASSERT_STRING_EQUAL(sample.name, "x");
    CU_ASSERT_TRUE(sample.flag);
    CU_ASSERT_EQUAL(sample.wait_us, 1500000);
    CU_ASSERT_EQUAL(sample.memory, 65536);
    CU_ASSERT_EQUAL(sample.delimiter, ',');
    CU_ASSERT_EQUAL(sample.columns.count, 2);
    CU_ASSERT_STRING_EQUAL(sample.columns.items[1], "b");
    CU_ASSERT_PTR_NULL(sample.splits.items);
}

static void test_values(void)
{
    read_sample("name: 12\nflag: false\nmaxOffsetsPerTrigger: 7\nstepSize: 1e-3\nhandleInvalid: keep\n"
                "splits: [-.inf, 0, .5, .inf]\nproperties: {a.b: 1, sasl.password: hush}\nx-note: ignored\n");
    CU_ASSERT_EQUAL(findings.errors, 0);
    CU_ASSERT_STRING_EQUAL(sample.name, "12");
    CU_ASSERT_FALSE(sample.flag);
    CU_ASSERT_EQUAL(sample.count, 7);
    CU_ASSERT_EQUAL(sample.rate, 1e-3);
    CU_ASSERT_EQUAL(sample.mode, 2);
    CU_ASSERT_EQUAL(sample.splits.count, 4);
    CU_ASSERT_TRUE(isinf(sample.splits.items[0]) && sample.splits.items[0] < 0);
    CU_ASSERT_STRING_EQUAL(sample.properties.items[0].value, "1");
    json_t *json = hr_options_to_json(table, &sample);
    char *text = json_dumps(json, JSON_COMPACT);
    TEST_TEXT_EQUAL(text,
                    "{\"name\":\"12\",\"flag\":false,\"maxRowsPerTrigger\":7,\"stepSize\":0.001,\"wait\":\"1500ms\","
                    "\"memory\":\"64KiB\",\"handleInvalid\":\"keep\",\"delimiter\":\",\",\"columns\":[\"a\",\"b\"],"
                    "\"splits\":[\"-Infinity\",0.0,0.5,\"Infinity\"],"
                    "\"properties\":{\"a.b\":\"1\",\"sasl.password\":\"<redacted>\"}}");
    struct sample again = {0};
    struct hr_error err;
    CU_ASSERT_EQUAL(hr_options_read_json(table, json, &again, &arena, &err), HR_OK);
    CU_ASSERT_EQUAL(again.splits.count, 4);
    CU_ASSERT_EQUAL(again.wait_us, 1500000);
    free(text);
    json_decref(json);
}

static void test_findings(void)
{
    expect_finding("name: x\nstepSze: 1\n", 2, 1, "unknown key 'stepSze'", "did you mean 'stepSize'?");
    expect_finding("name: x\nmax_rows_per_trigger: 1\n", 2, 1, "unknown key 'max_rows_per_trigger'",
                   "did you mean 'maxRowsPerTrigger'?");
    expect_finding("flag: true\n", 1, 1, "'name' is missing", "name: a name");
    expect_finding("name: x\nflag: yes\n", 2, 7, "flag: 'yes' is not true or false", NULL);
    expect_finding("name: x\nmaxRowsPerTrigger: 1.5\n", 2, 20, "maxRowsPerTrigger: '1.5' is not an integer", NULL);
    expect_finding("name: x\nmaxRowsPerTrigger: 0\n", 2, 20,
                   "maxRowsPerTrigger: '0' is out of range, allowed is 1 to 100", NULL);
    expect_finding("name: x\nhandleInvalid: skp\n", 2, 16, "handleInvalid: 'skp' is not one of error, skip, keep",
                   "did you mean 'skip'?");
    expect_finding("name: x\nsplits: [1, a]\n", 2, 13, "splits: 'a' is not a number", NULL);
    expect_finding("name: x\ncolumns: a\n", 2, 10, "columns: 'a' is not a list of strings", NULL);
    expect_finding("name: [x]\n", 1, 7, "name: a list is not text", NULL);
    expect_finding("name: x\nwait: 10\n", 2, 7, "wait: '10' is not a duration (500ms, 10s, 5m, 1h, 7d)", NULL);
    expect_finding("name: x\ndelimiter: ab\n", 2, 12, "delimiter: 'ab' is not one character (of ASCII)", NULL);
    expect_finding("name: x\nmaxRowsPerTrigger: 1\nmaxOffsetsPerTrigger: 1\n", 3, 1,
                   "'maxOffsetsPerTrigger' and 'maxRowsPerTrigger' are the same", "remove one of them");
    hr_arena_release(&arena);
    hr_findings_release(&findings);
}

TEST_MAIN("option", {"defaults", test_defaults}, {"values", test_values}, {"findings", test_findings})
