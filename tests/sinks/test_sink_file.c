/* SPDX-License-Identifier: Apache-2.0
 *
 * The file sink in normal times: names, what is visible when, formats and compression, the same bytes again.
 */
#include "test.h"

#include "sinks/sink_rows.h"

#define TWO_ROWS "{\"id\":1,\"x\":0.5,\"s\":\"a\"}\n{\"id\":2,\"s\":\"b,\\\"c\\\"\"}\n"
#define TWO_ROWS_OUT "{\"id\":1,\"x\":0.5,\"s\":\"a\"}\n{\"id\":2,\"x\":null,\"s\":\"b,\\\"c\\\"\"}\n"

static void test_parts_are_hidden_until_commit(void)
{
    struct sink_rows self;
    sink_rows_open(&self, "{type: file, path: hidden/deep}");
    TEST_TEXT_EQUAL(hr_sink_description(self.sink), "file hidden/deep");
    const char *directory = hr_arena_strdup(&self.rows.arena, scratch_path("hidden/deep"));
    sink_rows_begin(&self, 0);
    sink_rows_write(&self, TWO_ROWS);
    CU_ASSERT_EQUAL(self.sink->rows, 2);
    TEST_TEXT_EQUAL(directory_names(directory, true), "");
    sink_rows_commit(&self, 0);
    TEST_TEXT_EQUAL(directory_names(directory, true), "part-0000000000-0000.json ");
    EXPECT_FILE(scratch_path("hidden/deep/part-0000000000-0000.json"), TWO_ROWS_OUT);
    sink_rows_begin(&self, 12);
    sink_rows_write(&self, "{\"id\":3}\n");
    sink_rows_write(&self, "{\"id\":4}\n");
    TEST_TEXT_EQUAL(directory_names(directory, true), "part-0000000000-0000.json ");
    sink_rows_commit(&self, 12);
    TEST_TEXT_EQUAL(directory_names(directory, true), "part-0000000000-0000.json part-0000000012-0000.json ");
    EXPECT_FILE(scratch_path("hidden/deep/part-0000000012-0000.json"),
                "{\"id\":3,\"x\":null,\"s\":null}\n{\"id\":4,\"x\":null,\"s\":null}\n");
    sink_rows_close(&self);
    TEST_TEXT_EQUAL(directory_names(scratch_path("hidden/deep"), false),
                    ".headrace-lock _headrace_manifest part-0000000000-0000.json part-0000000012-0000.json ");
}

/* Writes enough for the buffer to go to the hidden file several times; returns what is expected to be read, to be
 * freed. */
static char *write_many(struct sink_rows *self, int chunks, size_t *length)
{
    enum { ROOM = 16 << 20, WIDTH = 200000 };
    char *expected = hr_alloc(ROOM);
    char *line = hr_alloc(WIDTH + 64);
    *length = 0;
    for (int i = 0; i < chunks; i++) {
        int head = sprintf(line, "{\"id\":%d,\"x\":null,\"s\":\"", i);
        for (int k = 0; k < WIDTH; k++) {
            line[head + k] = (char)('a' + (k * (i + 1)) % 23);
        }
        strcpy(line + head + WIDTH, "\"}\n");
        sink_rows_write(self, line);
        memcpy(expected + *length, line, strlen(line));
        *length += strlen(line);
    }
    hr_free(line);
    return expected;
}

static void check_large(const char *compression, const char *extension, size_t size_max)
{
    struct sink_rows self;
    char yaml[128];
    snprintf(yaml, sizeof(yaml), "{type: file, path: large-%s, format: {type: json, compression: %s}}", compression,
             compression);
    sink_rows_open(&self, yaml);
    sink_rows_begin(&self, 3);
    size_t length;
    char *expected = write_many(&self, 45, &length);
    CU_ASSERT_TRUE(length > (8 << 20));
    TEST_TEXT_EQUAL(directory_names(scratch_path("large-%s", compression), true), "");
    sink_rows_commit(&self, 3);
    const char *part = scratch_path("large-%s/part-0000000003-0000.json%s", compression, extension);
    size_t got;
    char *actual = plain_bytes(part, &got);
    CU_ASSERT_EQUAL_FATAL(got, length);
    CU_ASSERT_EQUAL(memcmp(actual, expected, length), 0);
    struct stat status;
    CU_ASSERT_EQUAL(stat(part, &status), 0);
    CU_ASSERT_TRUE((size_t)status.st_size <= size_max);
    hr_free(actual);
    hr_free(expected);
    sink_rows_close(&self);
}

static void test_large_parts(void)
{
    check_large("none", "", SIZE_MAX);
    check_large("gzip", ".gz", 2 << 20);
    check_large("zstd", ".zst", 2 << 20);
}

/* A header in each part, once. */
static void test_csv(void)
{
    struct sink_rows self;
    sink_rows_open(&self, "{type: file, path: csv, format: {type: csv, compression: gzip}}");
    for (int64_t batch = 0; batch < 2; batch++) {
        sink_rows_begin(&self, batch);
        sink_rows_write(&self, TWO_ROWS);
        sink_rows_write(&self, "{\"id\":3,\"x\":1.5,\"s\":\"\"}\n");
        sink_rows_commit(&self, batch);
        EXPECT_FILE(scratch_path("csv/part-000000000%d-0000.csv.gz", (int)batch),
                    "id,x,s\n1,0.5,a\n2,,\"b,\"\"c\"\"\"\n3,1.5,\"\"\n");
    }
    sink_rows_close(&self);
}

static void test_columns_are_those_asked_for(void)
{
    struct sink_rows self;
    sink_rows_open(&self, "{type: file, path: columns, columns: [s, id]}");
    self.sink->columns[0] = 2;
    self.sink->columns[1] = 0;
    self.sink->column_count = 2;
    sink_rows_begin(&self, 0);
    sink_rows_write(&self, "{\"id\":3,\"x\":1,\"s\":\"q\"}\n");
    sink_rows_commit(&self, 0);
    EXPECT_FILE(scratch_path("columns/part-0000000000-0000.json"), "{\"s\":\"q\",\"id\":3}\n");
    sink_rows_close(&self);
}

static void test_documents(void)
{
    struct sink_rows self;
    struct hr_document document = {.value = HR_STR("{\"batchId\":0}")};
    sink_rows_open(&self, "{type: file, path: documents, content: metrics}");
    sink_rows_begin(&self, 0);
    CU_ASSERT_EQUAL(hr_sink_write_document(self.sink, &document, &self.err), HR_OK);
    CU_ASSERT_EQUAL(hr_sink_write_document(self.sink, &document, &self.err), HR_OK);
    sink_rows_commit(&self, 0);
    EXPECT_FILE(scratch_path("documents/part-0000000000-0000.json"), "{\"batchId\":0}\n{\"batchId\":0}\n");
    sink_rows_close(&self);
}

static void test_abort_leaves_nothing_visible(void)
{
    struct sink_rows self;
    sink_rows_open(&self, "{type: file, path: aborted}");
    sink_rows_begin(&self, 0);
    size_t length;
    hr_free(write_many(&self, 22, &length));
    hr_sink_abort(self.sink);
    TEST_TEXT_EQUAL(directory_names(scratch_path("aborted"), false), ".headrace-lock _headrace_manifest ");
    /* nothing of it is in the next part */
    sink_rows_begin(&self, 0);
    sink_rows_write(&self, "{\"id\":9}\n");
    sink_rows_commit(&self, 0);
    EXPECT_FILE(scratch_path("aborted/part-0000000000-0000.json"), "{\"id\":9,\"x\":null,\"s\":null}\n");
    /* closed in the middle of a batch */
    sink_rows_begin(&self, 1);
    hr_free(write_many(&self, 22, &length));
    sink_rows_close(&self);
    TEST_TEXT_EQUAL(directory_names(scratch_path("aborted"), false),
                    ".headrace-lock _headrace_manifest part-0000000000-0000.json ");
}

/* A batch that is delivered again, by this process or the next, is the same file. */
static void test_same_batch_again_is_the_same_bytes(void)
{
    static const char *const compressions[] = {"none", "gzip", "zstd"};
    for (size_t i = 0; i < HR_ARRAY_LEN(compressions); i++) {
        char yaml[128];
        snprintf(yaml, sizeof(yaml), "{type: file, path: again-%s, format: {type: json, compression: %s}}",
                 compressions[i], compressions[i]);
        char *first = NULL;
        size_t first_length = 0;
        for (int round = 0; round < 2; round++) {
            struct sink_rows self;
            sink_rows_open(&self, yaml);
            for (int time = 0; time < 2; time++) {
                sink_rows_begin(&self, 5);
                size_t length;
                hr_free(write_many(&self, 22, &length));
                sink_rows_commit(&self, 5);
            }
            const char *directory = scratch_path("again-%s", compressions[i]);
            char name[64];
            snprintf(name, sizeof(name), "%s", directory_names(directory, true));
            name[strcspn(name, " ")] = 0;
            TEST_TEXT_EQUAL(name, i == 0   ? "part-0000000005-0000.json"
                                  : i == 1 ? "part-0000000005-0000.json.gz"
                                           : "part-0000000005-0000.json.zst");
            CU_ASSERT_EQUAL(strlen(directory_names(directory, true)), strlen(name) + 1);
            size_t length;
            char *bytes = scratch_read(scratch_path("again-%s/%s", compressions[i], name), &length);
            if (round == 0) {
                first = bytes;
                first_length = length;
            } else {
                CU_ASSERT_TRUE(hr_str_equal((struct hr_str){first, first_length}, (struct hr_str){bytes, length}));
                hr_free(bytes);
            }
            sink_rows_close(&self);
        }
        hr_free(first);
    }
}

TEST_MAIN("sink_file", {"parts are hidden until commit", test_parts_are_hidden_until_commit},
          {"large parts", test_large_parts}, {"CSV", test_csv},
          {"columns are those asked for", test_columns_are_those_asked_for}, {"documents", test_documents},
          {"abort leaves nothing visible", test_abort_leaves_nothing_visible},
          {"the same batch again is the same bytes", test_same_batch_again_is_the_same_bytes})
