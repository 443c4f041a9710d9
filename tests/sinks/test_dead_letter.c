/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters in files: one JSON line a reject, with its origin, under the file sink's protocol.
 */
#include "test.h"

#include "sinks/dead_letter.h"
#include "sinks/sink_rows.h"

struct letters {
    struct rows rows;
    struct hr_dead_letter *letters;
    struct hr_error err;
};

static bool letters_new(struct letters *self, const char *yaml)
{
    memset(self, 0, sizeof(*self));
    rows_open(&self->rows, "id long", "json");
    const char *directory = hr_arena_strdup(&self->rows.arena, scratch_path("."));
    struct hr_yaml *node = rows_yaml(&self->rows, yaml);
    self->letters = hr_dead_letter_new(node, directory, &self->rows.arena, &self->rows.findings);
    return self->letters != NULL;
}

static void letters_open(struct letters *self, const char *yaml)
{
    struct hr_sink_identity identity = {.query = "query", .lineage = LINEAGE};
    CU_ASSERT_FATAL(letters_new(self, yaml));
    CU_ASSERT_EQUAL_FATAL(hr_sink_open(self->letters->sink, &identity, &self->err), HR_OK);
}

static void letters_close(struct letters *self)
{
    if (self->letters != NULL) {
        hr_dead_letter_close(self->letters);
    }
    rows_close(&self->rows);
}

static void letters_write(struct letters *self, int64_t batch, const struct hr_record *records, struct hr_reject *items,
                          size_t count)
{
    struct hr_rejects rejects = {.items = items, .count = count};
    CU_ASSERT_EQUAL(hr_sink_begin(self->letters->sink, batch, &self->err), HR_OK);
    CU_ASSERT_EQUAL(hr_dead_letter_write(self->letters, &rejects, records, batch, &self->err), HR_OK);
}

static const struct hr_record records[] = {
    {.value = {"{\"id\":", 6}, .origin = {"in/rows.json", 12}, .partition = -1, .offset = 40, .line = 3},
    {.value = {"fine", 4}, .origin = {"in/rows.json", 12}, .partition = -1, .offset = 46, .line = 4},
    {.value = {"\xff\xfe{}", 4}, .origin = {"clicks", 6}, .partition = 2, .offset = 9007199254740993},
    {.value = {"\"q\"\t\xc3\xbc", 6}, .origin = {"clicks", 6}, .partition = 0, .offset = 0},
    {.value = {NULL, 0}, .origin = {"clicks", 6}, .partition = 0, .offset = 1},
};

static struct hr_reject rejects[] = {
    {0, HR_REASON_MALFORMED, "byte 6: the text ends"},
    {2, HR_REASON_INVALID_UTF8, "byte 0"},
    {3, HR_REASON_NOT_AN_OBJECT, "a \"string\""},
    {4, HR_REASON_TOMBSTONE, "no value"},
};

static void test_json_lines(void)
{
    struct letters self;
    letters_open(&self, "{type: file, path: dead}");
    letters_write(&self, 7, records, rejects, HR_ARRAY_LEN(rejects));
    TEST_TEXT_EQUAL(directory_names(scratch_path("dead"), true), "");
    CU_ASSERT_EQUAL(self.letters->sink->rows, 4);
    CU_ASSERT_EQUAL(hr_sink_commit(self.letters->sink, 7, &self.err), HR_OK);
    TEST_TEXT_EQUAL(directory_names(scratch_path("dead"), true), "part-0000000007-0000.json ");
    EXPECT_FILE(scratch_path("dead/part-0000000007-0000.json"),
                "{\"reason\":\"malformed\",\"message\":\"byte 6: the text ends\",\"topic\":\"in/rows.json\","
                "\"partition\":-1,\"offset\":40,\"line\":3,\"query\":\"query\",\"batch\":7,\"raw\":\"{\\\"id\\\":\"}\n"
                "{\"reason\":\"invalid_utf8\",\"message\":\"byte 0\",\"topic\":\"clicks\",\"partition\":2,"
                "\"offset\":9007199254740993,\"query\":\"query\",\"batch\":7,\"rawBase64\":\"//57fQ==\"}\n"
                "{\"reason\":\"not_an_object\",\"message\":\"a \\\"string\\\"\",\"topic\":\"clicks\",\"partition\":0,"
                "\"offset\":0,\"query\":\"query\",\"batch\":7,\"raw\":\"\\\"q\\\"\\t\xc3\xbc\"}\n"
                "{\"reason\":\"tombstone\",\"message\":\"no value\",\"topic\":\"clicks\",\"partition\":0,"
                "\"offset\":1,\"query\":\"query\",\"batch\":7,\"raw\":\"\"}\n");
    letters_close(&self);
}

static void test_remembers_its_last_batch(void)
{
    struct letters self;
    struct hr_sink_position position;
    letters_open(&self, "{type: file, path: remembered, format: {type: json, compression: gzip}}");
    letters_write(&self, 3, records, rejects, 2);
    CU_ASSERT_EQUAL(hr_sink_commit(self.letters->sink, 3, &self.err), HR_OK);
    letters_write(&self, 4, records, rejects, 2);
    hr_sink_abort(self.letters->sink);
    letters_close(&self);
    letters_open(&self, "{type: file, path: remembered, format: {type: json, compression: gzip}}");
    CU_ASSERT_EQUAL(hr_sink_recover(self.letters->sink, &position, &self.err), HR_OK);
    CU_ASSERT_TRUE(position.known);
    CU_ASSERT_EQUAL(position.batch, 3);
    TEST_TEXT_EQUAL(self.letters->sink->id, "deadLetter");
    TEST_TEXT_EQUAL(directory_names(scratch_path("remembered"), true), "part-0000000003-0000.json.gz ");
    letters_close(&self);
}

static void test_options(void)
{
    struct letters self;
    CU_ASSERT_TRUE(letters_new(&self, "{type: file, path: d, maxRatio: 0.05}"));
    CU_ASSERT_DOUBLE_EQUAL(self.letters->max_ratio, 0.05, 0);
    letters_close(&self);
    CU_ASSERT_TRUE(letters_new(&self, "{type: file, path: d}"));
    CU_ASSERT_DOUBLE_EQUAL(self.letters->max_ratio, 0, 0);
    letters_close(&self);
    static const char *const wrong[] = {
        "{type: console}", "{type: file}", "{type: file, path: d, maxRatio: 1.5}", "{type: file, path: d, maxRato: 1}",
        "{path: d}",
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(wrong); i++) {
        CU_ASSERT_FALSE(letters_new(&self, wrong[i]));
        CU_ASSERT_EQUAL(self.rows.findings.errors, 1);
        letters_close(&self);
    }
}

TEST_MAIN("dead_letter", {"JSON lines", test_json_lines}, {"remembers its last batch", test_remembers_its_last_batch},
          {"options", test_options})
