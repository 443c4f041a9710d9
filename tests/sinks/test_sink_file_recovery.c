/* SPDX-License-Identifier: Apache-2.0
 *
 * The file sink after a crash: each state that a crash can leave in the directory is made by hand, and the sink must
 * say which batch was the last, and deliver again what was not visible. Also what it refuses.
 */
#include "test.h"

#include "sinks/sink_rows.h"

#define PART_0 "part-0000000000-0000.json"
#define PART_1 "part-0000000001-0000.json"
#define MANIFEST "_headrace_manifest"

/* A directory in which batches 0 to `last` were delivered: one row {id: batch} each. */
static void deliver(const char *name, int64_t first, int64_t last)
{
    struct sink_rows self;
    char yaml[128];
    snprintf(yaml, sizeof(yaml), "{type: file, path: %s}", name);
    sink_rows_open(&self, yaml);
    for (int64_t batch = first; batch <= last; batch++) {
        char row[32];
        snprintf(row, sizeof(row), "{\"id\":%d}\n", (int)batch);
        sink_rows_begin(&self, batch);
        sink_rows_write(&self, row);
        sink_rows_commit(&self, batch);
    }
    sink_rows_close(&self);
}

/* What a new instance says was the last batch; −9: it does not know this query. */
static int64_t recovered(const char *name)
{
    struct sink_rows self;
    char yaml[128];
    struct hr_sink_position position;
    snprintf(yaml, sizeof(yaml), "{type: file, path: %s}", name);
    sink_rows_open(&self, yaml);
    CU_ASSERT_EQUAL(hr_sink_recover(self.sink, &position, &self.err), HR_OK);
    if (position.known) {
        TEST_TEXT_EQUAL(position.lineage, LINEAGE);
    }
    sink_rows_close(&self);
    return position.known ? position.batch : -9;
}

static enum hr_status open_status(const char *name, const char *id, const char *query, char text[1024])
{
    struct sink_rows self;
    char whole[128];
    snprintf(whole, sizeof(whole), "{type: file, path: %s, id: %s}", name, id);
    sink_rows_new(&self, whole);
    enum hr_status status = sink_rows_open_as(&self, query, LINEAGE);
    snprintf(text, 1024, "%s", status == HR_OK ? "" : self.err.text);
    sink_rows_close(&self);
    return status;
}

static void test_nothing_yet(void)
{
    CU_ASSERT_EQUAL(recovered("new"), -9);
    CU_ASSERT_EQUAL(recovered("new"), -9);
}

static void test_last_batch_is_remembered(void)
{
    deliver("kept", 0, 2);
    CU_ASSERT_EQUAL(recovered("kept"), 2);
    deliver("kept", 7, 7); /* batches without rows for this sink lie between */
    CU_ASSERT_EQUAL(recovered("kept"), 7);
    CU_ASSERT_EQUAL(recovered("kept"), 7);
}

/* Crash after the manifest's line, before the rename: batch 1 was not visible, and comes again. */
static void test_crash_before_rename(void)
{
    deliver("before-rename", 0, 1);
    size_t length;
    char *part = scratch_read(scratch_path("before-rename/" PART_1), &length);
    CU_ASSERT_EQUAL(rename(scratch_path("before-rename/" PART_1), scratch_path("before-rename/.headrace-part")), 0);
    CU_ASSERT_EQUAL(recovered("before-rename"), 0);
    TEST_TEXT_EQUAL(directory_names(scratch_path("before-rename"), false),
                    ".headrace-lock _headrace_manifest " PART_0 " ");
    deliver("before-rename", 1, 1);
    EXPECT_FILE(scratch_path("before-rename/" PART_1), part);
    CU_ASSERT_EQUAL(recovered("before-rename"), 1);
    hr_free(part);
    /* the same in the very first batch */
    deliver("first", 0, 0);
    CU_ASSERT_EQUAL(rename(scratch_path("first/" PART_0), scratch_path("first/.headrace-part")), 0);
    CU_ASSERT_EQUAL(recovered("first"), -9);
    TEST_TEXT_EQUAL(directory_names(scratch_path("first"), true), "");
}

/* Crash after the rename: batch 1 is visible and must not come again. */
static void test_crash_after_rename(void)
{
    deliver("after-rename", 0, 1);
    CU_ASSERT_EQUAL(recovered("after-rename"), 1);
    TEST_TEXT_EQUAL(directory_names(scratch_path("after-rename"), true), PART_0 " " PART_1 " ");
}

/* A part that is not the one that was delivered was so when it came into sight: it is damaged. */
static void test_changed_part(void)
{
    char text[1024];
    size_t length;
    deliver("changed", 0, 1);
    char *part = scratch_read(scratch_path("changed/" PART_1), &length);
    part[2] ^= 1;
    scratch_write(scratch_path("changed/" PART_1), part, length, "w");
    CU_ASSERT_EQUAL(open_status("changed", "out", "query", text), HR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, PART_1 "' is damaged"));
    part[2] ^= 1;
    scratch_write(scratch_path("changed/" PART_1), part, length, "w");
    CU_ASSERT_EQUAL(recovered("changed"), 1);
    hr_free(part);
    deliver("cut-part", 0, 1);
    CU_ASSERT_EQUAL(truncate(scratch_path("cut-part/" PART_1), 0), 0);
    CU_ASSERT_EQUAL(open_status("cut-part", "out", "query", text), HR_CORRUPT);
}

/* Crash while the hidden file was written. */
static void test_crash_while_writing(void)
{
    deliver("while-writing", 0, 0);
    scratch_write_text(scratch_path("while-writing/.headrace-part"), "{\"id\":1");
    CU_ASSERT_EQUAL(recovered("while-writing"), 0);
    deliver("while-writing", 1, 1);
    EXPECT_FILE(scratch_path("while-writing/" PART_1), "{\"id\":1,\"x\":null,\"s\":null}\n");
}

/* Crash while the manifest's line was written: cut anywhere, or its blocks full of zeros. */
static void test_torn_manifest(void)
{
    deliver("torn", 0, 1);
    size_t length;
    char *manifest = scratch_read(scratch_path("torn/" MANIFEST), &length);
    size_t first_line = (size_t)(strchr(manifest, '\n') - manifest) + 1;
    char *zeros = hr_calloc(1, length);
    memcpy(zeros, manifest, first_line);
    CU_ASSERT_EQUAL(unlink(scratch_path("torn/" PART_1)), 0);
    for (size_t cut = first_line; cut < length; cut++) {
        scratch_write(scratch_path("torn/" MANIFEST), manifest, cut, "w");
        CU_ASSERT_EQUAL(recovered("torn"), 0);
        scratch_write(scratch_path("torn/" MANIFEST), zeros, cut, "w");
        CU_ASSERT_EQUAL(recovered("torn"), 0);
    }
    /* The first line of all; whole without its newline it counts. */
    CU_ASSERT_EQUAL(rename(scratch_path("torn/" PART_0), scratch_path("torn/.kept")), 0);
    for (size_t cut = 0; cut < first_line; cut++) {
        scratch_write(scratch_path("torn/" MANIFEST), manifest, cut, "w");
        CU_ASSERT_EQUAL(recovered("torn"), -9);
    }
    CU_ASSERT_EQUAL(rename(scratch_path("torn/.kept"), scratch_path("torn/" PART_0)), 0);
    scratch_write(scratch_path("torn/" MANIFEST), manifest, first_line - 1, "w");
    CU_ASSERT_EQUAL(recovered("torn"), 0);
    scratch_write(scratch_path("torn/" MANIFEST), manifest, first_line + 5, "w");
    deliver("torn", 1, 1);
    CU_ASSERT_EQUAL(recovered("torn"), 1);
    hr_free(manifest);
    hr_free(zeros);
}

/* A line that was synced is lost or damaged: its part is in sight and says so. Nothing is changed by the refusal. */
static void test_lost_line(void)
{
    char text[1024];
    size_t length;
    deliver("lost-line", 0, 1);
    char *manifest = scratch_read(scratch_path("lost-line/" MANIFEST), &length);
    size_t first_line = (size_t)(strchr(manifest, '\n') - manifest) + 1;
    for (size_t cut = 0; cut < length - 1; cut += 7) {
        scratch_write(scratch_path("lost-line/" MANIFEST), manifest, cut, "w");
        enum hr_status expected = cut < first_line - 1 ? HR_MISMATCH : HR_CORRUPT;
        CU_ASSERT_EQUAL(open_status("lost-line", "out", "query", text), expected);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "says nothing of 'part-"));
        size_t left;
        hr_free(scratch_read(scratch_path("lost-line/" MANIFEST), &left));
        CU_ASSERT_EQUAL(left, cut);
    }
    for (size_t place = 0; place < length; place++) { /* the last line's newline may be wrong: the line is not */
        manifest[place] ^= 4;
        scratch_write(scratch_path("lost-line/" MANIFEST), manifest, length, "w");
        CU_ASSERT_EQUAL(open_status("lost-line", "out", "query", text), place + 1 < length ? HR_CORRUPT : HR_OK);
        manifest[place] ^= 4;
    }
    CU_ASSERT_EQUAL(unlink(scratch_path("lost-line/" MANIFEST)), 0);
    CU_ASSERT_EQUAL(open_status("lost-line", "out", "query", text), HR_MISMATCH);
    hr_free(manifest);
}

static void test_refusals(void)
{
    char text[1024];
    deliver("refused", 0, 2);
    CU_ASSERT_EQUAL(open_status("refused", "out", "other", text), HR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "query 'query'"));
    CU_ASSERT_EQUAL(open_status("refused", "two", "query", text), HR_MISMATCH);
    TEST_TEXT_EQUAL(directory_names(scratch_path("refused"), true), PART_0 " " PART_1 " part-0000000002-0000.json ");
    /* a damaged line before the last one is no torn write */
    size_t length;
    char *manifest = scratch_read(scratch_path("refused/" MANIFEST), &length);
    manifest[10] ^= 1;
    scratch_write(scratch_path("refused/" MANIFEST), manifest, length, "w");
    CU_ASSERT_EQUAL(open_status("refused", "out", "query", text), HR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "line 1"));
    hr_free(manifest);
    scratch_write_text(scratch_path("plain-file"), "x");
    CU_ASSERT_EQUAL(open_status("plain-file", "out", "query", text), HR_CANNOT_CREATE);
}

static void test_one_writer(void)
{
    struct sink_rows self;
    char text[1024];
    sink_rows_open(&self, "{type: file, path: locked}");
    CU_ASSERT_EQUAL(open_status("locked", "out", "query", text), HR_LOCKED);
    sink_rows_close(&self);
    CU_ASSERT_EQUAL(open_status("locked", "out", "query", text), HR_OK);
}

/* A part of another lineage stays as it is; the new lineage's part of the same batch gets the next number. */
static void test_new_lineage(void)
{
    struct sink_rows self;
    struct hr_sink_position position;
    deliver("lineages", 0, 1);
    sink_rows_new(&self, "{type: file, path: lineages}");
    CU_ASSERT_EQUAL_FATAL(sink_rows_open_as(&self, "query", OTHER_LINEAGE), HR_OK);
    CU_ASSERT_EQUAL(hr_sink_recover(self.sink, &position, &self.err), HR_OK);
    TEST_TEXT_EQUAL(position.lineage, LINEAGE);
    /* taken over with nothing written yet */
    sink_rows_begin(&self, -1);
    sink_rows_commit(&self, -1);
    TEST_TEXT_EQUAL(directory_names(scratch_path("lineages"), true), PART_0 " " PART_1 " ");
    sink_rows_begin(&self, 0);
    sink_rows_write(&self, "{\"id\":100}\n");
    sink_rows_commit(&self, 0);
    sink_rows_close(&self);
    EXPECT_FILE(scratch_path("lineages/" PART_0), "{\"id\":0,\"x\":null,\"s\":null}\n");
    EXPECT_FILE(scratch_path("lineages/part-0000000000-0001.json"), "{\"id\":100,\"x\":null,\"s\":null}\n");
    sink_rows_new(&self, "{type: file, path: lineages}");
    CU_ASSERT_EQUAL_FATAL(sink_rows_open_as(&self, "query", OTHER_LINEAGE), HR_OK);
    CU_ASSERT_EQUAL(hr_sink_recover(self.sink, &position, &self.err), HR_OK);
    TEST_TEXT_EQUAL(position.lineage, OTHER_LINEAGE);
    CU_ASSERT_EQUAL(position.batch, 0);
    sink_rows_close(&self);
}

/* The manifest grows by a line a batch and is cut at a start. */
static void test_long_manifest_is_shortened(void)
{
    deliver("long", 0, 0);
    size_t length;
    char *line = scratch_read(scratch_path("long/" MANIFEST), &length);
    for (int i = 0; i < 1500; i++) {
        scratch_write(scratch_path("long/" MANIFEST), line, length, "a");
    }
    CU_ASSERT_EQUAL(recovered("long"), 0);
    deliver("long", 1, 1);
    size_t shorter;
    hr_free(scratch_read(scratch_path("long/" MANIFEST), &shorter));
    CU_ASSERT_EQUAL(shorter, 2 * length);
    CU_ASSERT_EQUAL(recovered("long"), 1);
    hr_free(line);
}

TEST_MAIN("sink_file recovery", {"nothing yet", test_nothing_yet},
          {"last batch is remembered", test_last_batch_is_remembered},
          {"crash before rename", test_crash_before_rename}, {"crash after rename", test_crash_after_rename},
          {"changed part", test_changed_part}, {"crash while writing", test_crash_while_writing},
          {"torn manifest", test_torn_manifest}, {"lost line", test_lost_line}, {"refusals", test_refusals},
          {"one writer", test_one_writer}, {"new lineage", test_new_lineage},
          {"long manifest is shortened", test_long_manifest_is_shortened})
