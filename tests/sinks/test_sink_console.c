/* SPDX-License-Identifier: Apache-2.0
 *
 * The console sink: what it prints, byte for byte.
 */
#include "test.h"

#include "sinks/sink_rows.h"

#define HEAD \
    "-------------------------------------------\nBatch: 0\n" \
    "-------------------------------------------\n"

/* Standard output goes to a file between the two. */
static int saved;

static void capture_begin(void)
{
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    FILE *file = fopen(scratch_path("captured"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    dup2(fileno(file), STDOUT_FILENO);
    fclose(file);
}

static char *capture_end(void)
{
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    size_t length;
    return scratch_read(scratch_path("captured"), &length);
}

static void check(const char *yaml, const char *rows, const char *expected)
{
    struct sink_rows self;
    sink_rows_open(&self, yaml);
    sink_rows_begin(&self, 0);
    sink_rows_write(&self, "{\"id\":77}\n");
    hr_sink_abort(self.sink); /* is not shown */
    sink_rows_begin(&self, 0);
    sink_rows_write(&self, rows);
    capture_begin();
    sink_rows_commit(&self, 0);
    char *text = capture_end();
    TEST_TEXT_EQUAL(text, expected);
    hr_free(text);
    sink_rows_close(&self);
}

static void test_table(void)
{
    check("{type: console}", "{\"id\":1,\"x\":0.5,\"s\":\"größer\"}\n{\"id\":22,\"s\":\"a\\nb\"}\n",
          HEAD "+--+----+------+\n"
               "|id|x   |s     |\n"
               "+--+----+------+\n"
               "|1 |0.5 |größer|\n"
               "|22|NULL|a b   |\n"
               "+--+----+------+\n");
}

static void test_table_truncates(void)
{
    static const char row[] = "{\"id\":1,\"s\":\"abcdefghijklmnopqrstuvwxyz\"}\n";
    check("{type: console}", row,
          HEAD "+--+----+--------------------+\n"
               "|id|x   |s                   |\n"
               "+--+----+--------------------+\n"
               "|1 |NULL|abcdefghijklmnopq...|\n"
               "+--+----+--------------------+\n");
    check("{type: console, truncate: 5}", row,
          HEAD "+--+----+-----+\n"
               "|id|x   |s    |\n"
               "+--+----+-----+\n"
               "|1 |NULL|ab...|\n"
               "+--+----+-----+\n");
    check("{type: console, truncate: false}", row,
          HEAD "+--+----+--------------------------+\n"
               "|id|x   |s                         |\n"
               "+--+----+--------------------------+\n"
               "|1 |NULL|abcdefghijklmnopqrstuvwxyz|\n"
               "+--+----+--------------------------+\n");
}

static void test_rows_are_limited(void)
{
    static const char rows[] = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n";
    check("{type: console, maxRowsPerBatch: 2}", rows,
          HEAD "+--+----+----+\n"
               "|id|x   |s   |\n"
               "+--+----+----+\n"
               "|1 |NULL|NULL|\n"
               "|2 |NULL|NULL|\n"
               "+--+----+----+\n"
               "only showing top 2 of 3 rows\n");
    check("{type: console, format: json, maxRowsPerBatch: 1}", rows, "{\"id\":1,\"x\":null,\"s\":null}\n");
    check("{type: console, format: json, maxRowsPerBatch: 0}", rows, "");
}

static void test_has_no_memory(void)
{
    struct sink_rows self;
    struct hr_sink_position position;
    sink_rows_open(&self, "{type: console}");
    CU_ASSERT_EQUAL(hr_sink_recover(self.sink, &position, &self.err), HR_OK);
    CU_ASSERT_FALSE(position.known);
    CU_ASSERT_EQUAL(self.sink->type->flags & (HR_SINK_IDEMPOTENT | HR_SINK_TRANSACTIONAL), 0);
    sink_rows_close(&self);
}

TEST_MAIN("sink_console", {"table", test_table}, {"table truncates", test_table_truncates},
          {"rows are limited", test_rows_are_limited}, {"has no memory", test_has_no_memory})
