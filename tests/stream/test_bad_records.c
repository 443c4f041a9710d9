/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad records in whole queries: what the format's mode makes of them, and the window of deadLetter.maxRatio, exact to
 * the record, over batches and starts.
 */
#include "test.h"

#include <dirent.h>
#include <string.h>

#include "stream/query_run.h"

#define DEAD_LETTERS "deadLetter: {type: file, path: dead, maxRatio: 0.05}\n"

/* A query over rows.<format> with `more` of YAML; the path of its file. */
static const char *make_query(const char *name, const char *format, const char *source, const char *more)
{
    char text[1024];
    CU_ASSERT_EQUAL(mkdir(scratch_path("%s", name), 0777), 0);
    snprintf(text, sizeof(text),
             "apiVersion: headrace/v1\nkind: Query\nname: %s\n"
             "checkpoint: {location: checkpoint}\n"
             "source: {type: file, path: rows, format: %s, schema: \"id long\"%s}\n"
             "pipeline: {stages: []}\n"
             "sinks: [{type: file, path: out}]\n%s",
             name, format, source, more);
    scratch_write_text(scratch_path("%s/query.yaml", name), text);
    scratch_write_text(scratch_path("%s/rows", name), "");
    return scratch_path("%s/query.yaml", name);
}

static void append_lines(const char *name, const char *line, int count)
{
    FILE *file = fopen(scratch_path("%s/rows", name), "a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int i = 0; i < count; i++) {
        fprintf(file, "%s\n", line);
    }
    fclose(file);
}

static void good(const char *name, int count)
{
    append_lines(name, "{\"id\":1}", count);
}

static void bad(const char *name, int count)
{
    append_lines(name, "{\"id\":", count);
}

/* Lines in all visible parts of a directory. */
static size_t lines_in(const char *name, const char *directory)
{
    size_t lines = 0;
    struct dirent **entries;
    int count = scandir(scratch_path("%s/%s", name, directory), &entries, NULL, NULL);
    for (int i = 0; i < count; i++) {
        size_t length;
        if (strncmp(entries[i]->d_name, "part-", 5) == 0) {
            char *bytes = scratch_read(scratch_path("%s/%s/%s", name, directory, entries[i]->d_name), &length);
            for (size_t at = 0; at < length; at++) {
                lines += bytes[at] == '\n';
            }
            hr_free(bytes);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return lines;
}

static void test_not_judged_before_ten_thousand(void)
{
    struct query_run run = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s", make_query("few", "json", "", DEAD_LETTERS));
    bad("few", 9999);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_OK);
    CU_ASSERT_EQUAL(lines_in("few", "dead"), 9999);
    CU_ASSERT_EQUAL(lines_in("few", "out"), 0);
    good("few", 1); /* the 10,000th: 99.99 % */
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_BAD_DATA);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err.text, "99.99 %"));
    CU_ASSERT_EQUAL(lines_in("few", "out"), 0);
}

/* A header is no record. */
static void test_csv_header_is_not_counted(void)
{
    struct query_run run = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s",
             make_query("csv", "{type: csv, header: true}", ", maxRowsPerTrigger: 1000", DEAD_LETTERS));
    append_lines("csv", "id", 1);
    append_lines("csv", "x", 9999);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_OK);
    CU_ASSERT_EQUAL(run.batches, 10);
    CU_ASSERT_EQUAL(lines_in("csv", "dead"), 9999);
}

static void test_the_share_is_exact(void)
{
    for (int count = 500; count <= 501; count++) {
        struct query_run run = {0};
        char name[16];
        char path[512];
        snprintf(name, sizeof(name), "share%d", count);
        snprintf(path, sizeof(path), "%s", make_query(name, "json", "", DEAD_LETTERS));
        good(name, 10000 - 600);
        bad(name, count);
        good(name, 600 - count);
        CU_ASSERT_EQUAL(query_run(&run, path, true), count == 500 ? HR_OK : HR_BAD_DATA);
        CU_ASSERT_EQUAL(lines_in(name, "dead"), count == 500 ? 500 : 0);
        CU_ASSERT_EQUAL(lines_in(name, "out"), count == 500 ? 9500 : 0);
        if (count == 501) {
            CU_ASSERT_PTR_NOT_NULL(strstr(run.err.text, "5.01 %"));
            CU_ASSERT_EQUAL(hr_status_exit_code(run.status), 65);
        }
    }
}

/* Over several batches and starts: what leaves the window is taken off, and nothing is forgotten. */
static void test_the_window_slides(void)
{
    struct query_run run = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s", make_query("slides", "json", ", maxRowsPerTrigger: 777", DEAD_LETTERS));
    bad("slides", 500);
    good("slides", 9500);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_OK);
    CU_ASSERT_EQUAL(run.batches, 13);
    bad("slides", 400); /* for 400 that leave */
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_OK);
    bad("slides", 100); /* for the other 100 */
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_OK);
    bad("slides", 1); /* for a good one */
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_BAD_DATA);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_BAD_DATA); /* starting again does not help */
    CU_ASSERT_EQUAL(lines_in("slides", "dead"), 1000);
    CU_ASSERT_EQUAL(lines_in("slides", "out"), 9500);
}

static void test_fail_fast(void)
{
    struct query_run run = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s", make_query("fails", "json", "", ""));
    good("fails", 2);
    bad("fails", 1);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_BAD_DATA);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err.text, "rows:3: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err.hint, "deadLetter"));
    CU_ASSERT_EQUAL(lines_in("fails", "out"), 0);
    /* written out, it is stronger than a place for dead letters */
    snprintf(path, sizeof(path), "%s", make_query("fails-too", "{type: json, mode: failFast}", "", DEAD_LETTERS));
    bad("fails-too", 1);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_BAD_DATA);
    CU_ASSERT_EQUAL(lines_in("fails-too", "dead"), 0);
}

static void test_drop(void)
{
    struct query_run run = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s", make_query("drops", "{type: json, mode: drop}", "", ""));
    good("drops", 2);
    bad("drops", 3);
    good("drops", 1);
    CU_ASSERT_EQUAL(query_run(&run, path, true), HR_OK);
    CU_ASSERT_EQUAL(run.rows[0], 6);
    CU_ASSERT_EQUAL(lines_in("drops", "out"), 3);
}

TEST_MAIN("bad_records", {"not judged before 10,000", test_not_judged_before_ten_thousand},
          {"a CSV header is not counted", test_csv_header_is_not_counted},
          {"the share is exact", test_the_share_is_exact}, {"the window slides", test_the_window_slides},
          {"failFast", test_fail_fast}, {"drop", test_drop})
