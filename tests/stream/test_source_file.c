/* SPDX-License-Identifier: Apache-2.0
 *
 * The file source: which records come, in which order and from which positions, while files grow, appear, are cut and
 * are compressed; and that a range read again gives the same records.
 */
#include "test.h"

#include "data/compress.h"
#include "stream/source_rows.h"

#define ALL 1000000

static void make_directory(const char *name)
{
    CU_ASSERT_EQUAL(mkdir(scratch_path("%s", name), 0777), 0);
}

static void write_text(const char *name, const char *text)
{
    scratch_write_text(scratch_path("%s", name), text);
}

static void append_text(const char *name, const char *text)
{
    scratch_write(scratch_path("%s", name), text, strlen(text), "a");
}

static void compress_file(const char *name, enum hr_compression compression, const char *text)
{
    struct hr_buf out;
    struct hr_error err;
    hr_buf_init(&out, 1 << 24);
    CU_ASSERT_EQUAL(hr_compress(compression, text, strlen(text), &out, &err), HR_OK);
    scratch_write(scratch_path("%s", name), out.data, out.length, "w");
    hr_buf_release(&out);
}

static void test_rows_in_name_order(void)
{
    struct source_rows self;
    make_directory("order");
    write_text("order/b.json", "b1\nb2\n");
    write_text("order/a.json", "a1\r\n\n  \t\na2\n");
    write_text("order/.hidden", "no\n");
    write_text("order/_manifest", "no\n");
    make_directory("order/c");
    source_rows_open(&self, "{type: file, path: order}", "json", NULL);
    TEST_TEXT_EQUAL(hr_source_description(self.source), "file order");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "a1 a2 b1 b2 ");
    static const struct {
        const char *origin;
        int64_t offset;
        int64_t line;
    } expected[] = {{"order/a.json", 0, 1}, {"order/a.json", 9, 4}, {"order/b.json", 0, 1}, {"order/b.json", 3, 2}};
    CU_ASSERT_EQUAL_FATAL(self.records.count, 4);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_TRUE(hr_str_equal_text(self.records.items[i].origin, expected[i].origin));
        CU_ASSERT_EQUAL(self.records.items[i].offset, expected[i].offset);
        CU_ASSERT_EQUAL(self.records.items[i].line, expected[i].line);
        CU_ASSERT_EQUAL(self.records.items[i].partition, -1);
    }
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    source_rows_close(&self);
}

static void test_new_and_growing_files(void)
{
    struct source_rows self;
    make_directory("growing");
    source_rows_open(&self, "{type: file, path: growing}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    write_text("growing/m.json", "m1\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "m1 ");
    write_text("growing/z.json", "z1\n");
    append_text("growing/m.json", "m2\n");
    write_text("growing/a.json", "a1\n"); /* before one that was read already */
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "a1 m2 z1 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    append_text("growing/a.json", "a2\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "a2 ");
    source_rows_close(&self);
}

/* The limit ends a batch exactly where the file ends, and then the file grows. */
static void test_grows_after_a_full_batch(void)
{
    struct source_rows self;
    write_text("full.json", "1\n2\n");
    source_rows_open(&self, "{type: file, path: full.json}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "1 2 ");
    append_text("full.json", "3\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "3 ");
    append_text("full.json", "4\n5\n6\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "4 5 ");
    append_text("full.json", "7\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "6 7 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "AGAIN");
    source_rows_close(&self);
}

static void test_limits(void)
{
    struct source_rows self;
    make_directory("limits");
    write_text("limits/1", "a\nb\nc\n");
    write_text("limits/2", "d\n");
    write_text("limits/3", "\n\n");
    write_text("limits/4", "e\nf\n");
    source_rows_open(&self, "{type: file, path: limits}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "a b ");
    TEST_TEXT_EQUAL(source_rows_next(&self, 3), "c d e ");
    TEST_TEXT_EQUAL(source_rows_next(&self, 3), "f ");
    source_rows_close(&self);
    source_rows_open(&self, "{type: file, path: limits, maxFilesPerTrigger: 1}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "a b c ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "d ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "e f "); /* a file without a record is none */
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    source_rows_close(&self);
    source_rows_open(&self, "{type: file, path: limits, maxFilesPerTrigger: 2}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "a b c d ");
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "e ");
    source_rows_close(&self);
}

static void test_last_line_without_newline(void)
{
    struct source_rows self;
    write_text("open-end.json", "1\n2");
    /* it may still grow */
    source_rows_open(&self, "{type: file, path: open-end.json}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "1 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    append_text("open-end.json", "2");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    append_text("open-end.json", "2\n3");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "222 ");
    source_rows_close(&self);
    /* bounded: the end of the file ends it */
    source_rows_open(&self, "{type: file, path: open-end.json}", "json", NULL);
    source_rows_bound(&self);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "1 222 3 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "END");
    source_rows_close(&self);
}

/* What comes after the target was taken is not read, in whichever batch. */
static void test_bounded(void)
{
    struct source_rows self;
    make_directory("bounded");
    write_text("bounded/a", "1\n2\n");
    source_rows_open(&self, "{type: file, path: bounded}", "json", NULL);
    source_rows_bound(&self);
    append_text("bounded/a", "3\n");
    write_text("bounded/b", "4\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "1 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "2 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "END");
    hr_offsets_release(&self.target);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "3 4 ");
    source_rows_close(&self);
}

static void check_compressed(const char *name, enum hr_compression compression)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    char yaml[64];
    snprintf(yaml, sizeof(yaml), "{type: file, path: %s}", name);
    compress_file(name, compression, "one\ntwo\nthree\nfour"); /* no newline at the end */
    source_rows_open(&self, yaml, "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "one two ");
    hr_offsets_copy(&committed, &self.source->position);
    CU_ASSERT_EQUAL(committed.items[0].position, 8);
    CU_ASSERT_EQUAL(committed.items[0].line, 2);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "three four ");
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "AGAIN");
    source_rows_close(&self);
    source_rows_open(&self, yaml, "json", &committed);
    source_rows_bound(&self);
    CU_ASSERT_EQUAL(self.target.items[0].position, 18);
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "three ");
    CU_ASSERT_EQUAL(self.records.items[0].line, 3);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "four ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "END");
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

static void test_compressed(void)
{
    check_compressed("rows.json.gz", HR_COMPRESSION_GZIP);
    check_compressed("rows.json.zst", HR_COMPRESSION_ZSTD);
}

/* Opened in the middle of a file by another process, with the line count going on. */
static void test_resumes_in_the_middle(void)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    make_directory("resume");
    write_text("resume/a", "1\n2\n\n3\n");
    write_text("resume/b", "4\n");
    source_rows_open(&self, "{type: file, path: resume}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "1 2 ");
    hr_offsets_copy(&committed, &self.source->position);
    source_rows_close(&self);
    source_rows_open(&self, "{type: file, path: resume/}", "json", &committed); /* the same directory */
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "3 4 ");
    CU_ASSERT_EQUAL(self.records.items[0].line, 4);
    CU_ASSERT_EQUAL(self.records.items[0].offset, 5);
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

/* A range that was recorded is read again: by a new instance, and by one that had planned another range. */
static void test_replay_is_the_same(void)
{
    struct source_rows self;
    struct hr_offsets start = {0};
    struct hr_offsets end = {0};
    make_directory("replay");
    write_text("replay/a", "1\n2\n3\n");
    compress_file("replay/b.gz", HR_COMPRESSION_GZIP, "4\n5\n6\n");
    source_rows_open(&self, "{type: file, path: replay}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "1 2 ");
    hr_offsets_copy(&start, &self.source->position);
    TEST_TEXT_EQUAL(source_rows_next(&self, 3), "3 4 5 ");
    hr_offsets_copy(&end, &self.source->position);
    source_rows_close(&self);
    append_text("replay/a", "later\n");
    for (int planned = 0; planned <= 1; planned++) {
        source_rows_open(&self, "{type: file, path: replay}", "json", &start);
        if (planned) {
            CU_ASSERT_EQUAL(source_rows_plan(&self, ALL, 0), HR_OK);
        }
        hr_offsets_copy(&self.end, &end);
        TEST_TEXT_EQUAL(source_rows_read(&self), "3 4 5 ");
        CU_ASSERT_TRUE(hr_offsets_equal(&self.source->position, &end));
        CU_ASSERT_EQUAL(hr_offsets_find(&self.source->position, HR_STR("replay/a"), -1)->anchor_crc,
                        hr_offsets_find(&end, HR_STR("replay/a"), -1)->anchor_crc);
        TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "later 6 ");
        source_rows_close(&self);
    }
    hr_offsets_release(&start);
    hr_offsets_release(&end);
}

static void test_longer_than_the_limit(void)
{
    struct source_rows self;
    enum { LONG = 1000000 };
    char *line = hr_alloc(LONG + 2);
    memset(line, 'x', LONG);
    strcpy(line + LONG, "\n");
    write_text("long.json", "1\n");
    append_text("long.json", line);
    append_text("long.json", "2\n");
    for (int64_t rows = 1; rows <= 4; rows += 3) {
        source_rows_open(&self, "{type: file, path: long.json}", "{type: json, maxRecordBytes: 4096}", NULL);
        if (rows == 1) {
            TEST_TEXT_EQUAL(source_rows_next(&self, 1), "1 ");
        }
        CU_ASSERT_EQUAL_FATAL(source_rows_plan(&self, rows, 0), HR_OK);
        source_rows_read(&self);
        const struct hr_record *record = &self.records.items[rows == 1 ? 0 : 1];
        CU_ASSERT_EQUAL(record->value.length, 4097); /* enough for the format to refuse it, and no more */
        CU_ASSERT_EQUAL(record->line, 2);
        CU_ASSERT_EQUAL(record->offset, 2);
        if (rows == 1) {
            TEST_TEXT_EQUAL(source_rows_next(&self, 1), "2 ");
        }
        CU_ASSERT_EQUAL(self.records.items[self.records.count - 1].line, 3);
        CU_ASSERT_EQUAL(self.records.items[self.records.count - 1].offset, LONG + 3);
        source_rows_close(&self);
    }
    /* not finished yet: neither taken nor cut up */
    write_text("unfinished.json", "1\n");
    scratch_write(scratch_path("unfinished.json"), line, LONG, "a");
    source_rows_open(&self, "{type: file, path: unfinished.json}", "{type: json, maxRecordBytes: 4096}", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "1 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    append_text("unfinished.json", "\n2\n");
    CU_ASSERT_EQUAL_FATAL(source_rows_plan(&self, ALL, 0), HR_OK);
    source_rows_read(&self);
    CU_ASSERT_EQUAL(self.records.count, 2);
    CU_ASSERT_EQUAL(self.records.items[1].line, 3);
    source_rows_close(&self);
    hr_free(line);
}

/* Many records over the borders of blocks, none lost or changed. */
static void test_many_blocks(void)
{
    enum { ROWS = 60000 };
    struct source_rows self;
    FILE *file = fopen(scratch_path("many.json"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int i = 0; i < ROWS; i++) {
        fprintf(file, "%d %.*s\n", i, i % 61, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
    }
    fclose(file);
    source_rows_open(&self, "{type: file, path: many.json}", "json", NULL);
    int next = 0;
    size_t wrong = 0;
    while (source_rows_plan(&self, 7001, 0) == HR_OK) {
        CU_ASSERT_EQUAL_FATAL(hr_source_read(self.source, &self.end, &self.records, &self.err), HR_OK);
        for (size_t i = 0; i < self.records.count; i++, next++) {
            const struct hr_record *record = &self.records.items[i];
            size_t digits = (size_t)snprintf(NULL, 0, "%d ", next);
            wrong += atoi(record->value.data) != next || record->line != next + 1 ||
                     record->value.length != digits + (size_t)(next % 61);
        }
    }
    CU_ASSERT_EQUAL(next, ROWS);
    CU_ASSERT_EQUAL(wrong, 0);
    source_rows_close(&self);
}

static void test_csv_header_comes_again(void)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    make_directory("csv");
    write_text("csv/a.csv", "id\n1\n2\n");
    write_text("csv/b.csv", "id\n3\n");
    source_rows_open(&self, "{type: file, path: csv}", "{type: csv, header: true}", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "#id 1 ");
    hr_offsets_copy(&committed, &self.source->position);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "#id 2 #id 3 ");
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "AGAIN");
    source_rows_close(&self);
    source_rows_open(&self, "{type: file, path: csv}", "{type: csv, header: true}", &committed);
    TEST_TEXT_EQUAL(source_rows_next(&self, ALL), "#id 2 #id 3 ");
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

static void check_loss(const char *name, const char *now, const char *expected)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    char yaml[64];
    snprintf(yaml, sizeof(yaml), "{type: file, path: %s}", name);
    write_text(name, "first\nsecond\nthird\n");
    source_rows_open(&self, yaml, "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "first second ");
    hr_offsets_copy(&committed, &self.source->position);
    source_rows_close(&self);
    write_text(name, now);
    source_rows_new(&self, yaml, "json");
    CU_ASSERT_EQUAL(hr_source_open(self.source, &committed, &self.err), HR_DATA_LOSS);
    CU_ASSERT_PTR_NOT_NULL(strstr(self.err.text, expected));
    CU_ASSERT_PTR_NOT_NULL(strstr(self.err.text, name));
    CU_ASSERT_PTR_NOT_NULL(strstr(self.err.hint, "--new-lineage"));
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

static void test_data_loss(void)
{
    check_loss("cut.json", "first\nsec", "was cut");
    check_loss("replaced.json", "first\nsecund\nthird\n", "was replaced");
    struct source_rows self;
    source_rows_new(&self, "{type: file, path: not-there.json}", "json");
    CU_ASSERT_EQUAL(hr_source_open(self.source, NULL, &self.err), HR_NO_INPUT);
    source_rows_close(&self);
}

/* Removed with rows in it that were not read; and one that was read to its end, which may go. */
static void test_removed_files(void)
{
    struct source_rows self;
    make_directory("removed");
    write_text("removed/a", "1\n");
    write_text("removed/b", "2\n3\n");
    source_rows_open(&self, "{type: file, path: removed}", "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "1 2 ");
    CU_ASSERT_EQUAL(unlink(scratch_path("removed/a")), 0);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "3 ");
    CU_ASSERT_EQUAL(unlink(scratch_path("removed/b")), 0);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "AGAIN");
    write_text("removed/c", "4\n5\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "4 ");
    source_rows_close(&self);
}

/* Files that come, are read and deleted, for months: the position does not grow, and a name may come again. */
static void test_deleted_files_are_forgotten(void)
{
    const char *yaml = "{type: file, path: feed, cleanSource: delete}";
    struct source_rows self;
    struct hr_offsets committed = {0};
    char name[32];
    char expected[32];
    make_directory("feed");
    source_rows_open(&self, yaml, "json", NULL);
    for (int i = 0; i < 50; i++) {
        char line[32];
        (void)snprintf(name, sizeof(name), "feed/%d", i % 20);
        (void)snprintf(line, sizeof(line), "%d\n", i);
        (void)snprintf(expected, sizeof(expected), "%d ", i);
        write_text(name, line);
        TEST_TEXT_EQUAL(source_rows_next(&self, 2), expected);
        hr_source_committed(self.source, &self.source->position);
        CU_ASSERT_NOT_EQUAL(access(scratch_path("%s", name), F_OK), 0);
        CU_ASSERT_EQUAL(self.source->position.count, 0);
        if (i == 30) { /* a run that ends here left a position of a file that is gone */
            hr_offsets_set(&committed, HR_STR("feed/gone"), -1, 2);
            source_rows_close(&self);
            source_rows_open(&self, yaml, "json", &committed);
            CU_ASSERT_EQUAL(self.source->position.count, 1);
        }
    }
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

/* cleanSource: delete takes what a committed batch came to the end of, nothing else. */
static void test_deletes(void)
{
    const char *yaml = "{type: file, path: deleted, cleanSource: delete}";
    struct source_rows self;
    struct hr_offsets committed = {0};
    make_directory("deleted");
    write_text("deleted/a", "1\n2\n");
    write_text("deleted/b", "3\n4\n");
    write_text("deleted/c", "5\n6");
    source_rows_open(&self, yaml, "json", NULL);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "1 2 "); /* the limit falls on the end of a file */
    CU_ASSERT_EQUAL(access(scratch_path("deleted/a"), F_OK), 0);
    hr_source_committed(self.source, &self.source->position);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("deleted/a"), F_OK), 0);
    TEST_TEXT_EQUAL(source_rows_next(&self, 1), "3 ");
    hr_source_committed(self.source, &self.source->position);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "4 5 ");
    CU_ASSERT_EQUAL(access(scratch_path("deleted/b"), F_OK), 0);
    hr_offsets_copy(&committed, &self.source->position);
    source_rows_close(&self);
    /* Committed, but the run ended before it came to delete. */
    source_rows_open(&self, yaml, "json", &committed);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "AGAIN");
    CU_ASSERT_NOT_EQUAL(access(scratch_path("deleted/b"), F_OK), 0);
    CU_ASSERT_EQUAL(access(scratch_path("deleted/c"), F_OK), 0); /* its last line is not whole */
    append_text("deleted/c", "\n");
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "6 ");
    append_text("deleted/c", "7\n");
    hr_source_committed(self.source, &self.source->position);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "7 ");
    hr_source_committed(self.source, &self.source->position);
    TEST_TEXT_EQUAL(source_rows_next(&self, 2), "AGAIN");
    CU_ASSERT_NOT_EQUAL(access(scratch_path("deleted/c"), F_OK), 0);
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

TEST_MAIN("source_file", {"rows in name order", test_rows_in_name_order},
          {"new and growing files", test_new_and_growing_files},
          {"grows after a full batch", test_grows_after_a_full_batch}, {"limits", test_limits},
          {"last line without newline", test_last_line_without_newline}, {"bounded", test_bounded},
          {"deleted files are forgotten", test_deleted_files_are_forgotten}, {"compressed", test_compressed},
          {"resumes in the middle", test_resumes_in_the_middle}, {"replay is the same", test_replay_is_the_same},
          {"longer than the limit", test_longer_than_the_limit}, {"many blocks", test_many_blocks},
          {"CSV header comes again", test_csv_header_comes_again}, {"data loss", test_data_loss},
          {"removed files", test_removed_files}, {"deletes", test_deletes})
