/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoint in a directory: opened again, locked, read without a byte changed, and what is missing or damaged on disk.
 */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "scratch.h"
#include "state/checkpoint.h"

#define LINEAGE "11111111-2222-4333-8444-555555555555"

static struct hr_error err;

static enum hr_status open_status(const char *directory, struct hr_checkpoint **out)
{
    bool created;
    *out = NULL;
    return hr_checkpoint_open(directory, HR_STR("{}"), LINEAGE, 3, out, &created, &err);
}

static struct hr_checkpoint *open_directory(const char *directory)
{
    struct hr_checkpoint *checkpoint;
    enum hr_status status = open_status(directory, &checkpoint);
    if (status != HR_OK) {
        printf("\n%s\n", err.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, HR_OK);
    return checkpoint;
}

/* Runs batches [from, to): the first byte of the part is the batch's number plus one. The last one is committed or only
 * prepared. */
static void run_batches(struct hr_checkpoint *checkpoint, int64_t from, int64_t to, bool commit_last)
{
    struct hr_paged paged;
    hr_paged_init(&paged, 1 << 20);
    CU_ASSERT_EQUAL(hr_paged_resize(&paged, 10000, &err), HR_OK);
    struct hr_checkpoint_part part = {"model", &paged};
    for (int64_t batch = from; batch < to; batch++) {
        paged.data[0] = (uint8_t)(batch + 1);
        hr_paged_mark(&paged, 0);
        CU_ASSERT_EQUAL_FATAL(hr_checkpoint_prepare(checkpoint, batch, HR_STR("record"), &part, 1, &err), HR_OK);
        if (batch + 1 < to || commit_last) {
            CU_ASSERT_EQUAL_FATAL(hr_checkpoint_commit(checkpoint, false, &err), HR_OK);
        }
    }
    hr_paged_release(&paged);
}

static void expect_state(struct hr_checkpoint *checkpoint, int64_t committed, int64_t prepared)
{
    struct hr_checkpoint_info info;
    struct hr_paged paged;
    hr_checkpoint_info(checkpoint, &info);
    CU_ASSERT_EQUAL(info.committed, committed);
    CU_ASSERT_EQUAL(info.prepared, prepared);
    TEST_TEXT_EQUAL(info.lineage, LINEAGE);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint_part part = {"model", &paged};
    CU_ASSERT_EQUAL(hr_checkpoint_load(checkpoint, committed, &part, &err), HR_OK);
    CU_ASSERT_EQUAL(paged.size == 0 ? 0 : paged.data[0], committed + 1);
    hr_paged_release(&paged);
}

static void test_reopen(void)
{
    const char *path = scratch_path("a/b/reopen");
    struct hr_checkpoint *checkpoint = open_directory(path);
    expect_state(checkpoint, -1, -1);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_directory(path);
    run_batches(checkpoint, 0, 6, true);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_directory(path);
    expect_state(checkpoint, 5, -1);
    run_batches(checkpoint, 6, 7, false);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_directory(path);
    expect_state(checkpoint, 5, 6);
    CU_ASSERT_EQUAL(hr_checkpoint_commit(checkpoint, false, &err), HR_OK);
    expect_state(checkpoint, 6, -1);
    hr_checkpoint_close(checkpoint);
}

static struct hr_checkpoint *take_over(const char *path, int64_t batch, const char *lineage)
{
    struct hr_checkpoint *checkpoint = open_directory(path);
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_take_over(checkpoint, batch, lineage, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_checkpoint_commit(checkpoint, false, &err), HR_IO); /* to be opened anew */
    hr_checkpoint_close(checkpoint);
    return open_directory(path);
}

/* A new lineage that keeps what was learned up to a kept batch, and knows the ones before it. */
static void test_take_over(void)
{
    static const char *const second = "22222222-2222-4333-8444-555555555555";
    static const char *const third = "33333333-2222-4333-8444-555555555555";
    const char *path = scratch_path("taken");
    struct hr_checkpoint_info info;
    uint64_t pages;
    uint64_t bytes;
    struct hr_checkpoint *checkpoint = open_directory(path);
    run_batches(checkpoint, 0, 6, false); /* 2, 3, 4 are kept, 5 is prepared */
    CU_ASSERT_EQUAL(hr_checkpoint_take_over(checkpoint, 1, second, &err), HR_NO_INPUT);
    CU_ASSERT_EQUAL(hr_checkpoint_take_over(checkpoint, 5, second, &err), HR_NO_INPUT);
    CU_ASSERT_FALSE(hr_checkpoint_may_take_over(checkpoint, LINEAGE));
    hr_checkpoint_close(checkpoint);
    checkpoint = take_over(path, 3, second);
    hr_checkpoint_info(checkpoint, &info);
    CU_ASSERT_EQUAL(info.committed, 3);
    CU_ASSERT_EQUAL(info.prepared, -1);
    CU_ASSERT_EQUAL(info.taken_over, 3);
    TEST_TEXT_EQUAL(info.lineage, second);
    CU_ASSERT_EQUAL(hr_checkpoint_verify(checkpoint, &pages, &bytes, &err), HR_OK);
    hr_checkpoint_close(checkpoint);
    checkpoint = take_over(path, 2, third);
    CU_ASSERT_TRUE(hr_checkpoint_may_take_over(checkpoint, LINEAGE));
    CU_ASSERT_TRUE(hr_checkpoint_may_take_over(checkpoint, second));
    CU_ASSERT_FALSE(hr_checkpoint_may_take_over(checkpoint, third));
    run_batches(checkpoint, 3, 8, true);
    CU_ASSERT_EQUAL(hr_checkpoint_verify(checkpoint, &pages, &bytes, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_checkpoint_restart(checkpoint, LINEAGE, &err), HR_OK);
    CU_ASSERT_FALSE(hr_checkpoint_may_take_over(checkpoint, second));
    hr_checkpoint_close(checkpoint);
    checkpoint = open_directory(path);
    hr_checkpoint_info(checkpoint, &info);
    CU_ASSERT_EQUAL(info.taken_over, -1);
    hr_checkpoint_close(checkpoint);
}

/* A batch is dropped, or all of them with their lineage: what was durable may be less than it was. */
static void test_drop_and_new_lineage(void)
{
    const char *path = scratch_path("dropped");
    struct hr_checkpoint_info info;
    struct hr_checkpoint *checkpoint = open_directory(path);
    run_batches(checkpoint, 0, 3, false);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_directory(path);
    expect_state(checkpoint, 1, 2);
    CU_ASSERT_EQUAL(hr_checkpoint_drop_prepared(checkpoint, true, &err), HR_OK);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_directory(path);
    expect_state(checkpoint, 1, -1);
    CU_ASSERT_EQUAL(hr_checkpoint_restart(checkpoint, "99999999-2222-4333-8444-555555555555", &err), HR_OK);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_directory(path);
    hr_checkpoint_info(checkpoint, &info);
    TEST_TEXT_EQUAL(info.lineage, "99999999-2222-4333-8444-555555555555");
    CU_ASSERT_EQUAL(info.committed, -1);
    CU_ASSERT_EQUAL(info.prepared, -1);
    hr_checkpoint_close(checkpoint);
}

/* A process that runs three batches and dies without closing anything. */
static void run_and_die(const char *path, bool commit_last)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct hr_checkpoint *checkpoint;
        if (open_status(path, &checkpoint) == HR_OK) {
            run_batches(checkpoint, 0, 3, commit_last);
        }
        kill(getpid(), SIGKILL);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
}

/* Comes first, for all tests that need one: ThreadSanitizer wants no fork once RocksDB's threads run. */
static void test_children_die(void)
{
    run_and_die(scratch_path("killed0"), false);
    run_and_die(scratch_path("killed1"), true);
    run_and_die(scratch_path("lost-log"), true);
}

/* After prepare and after commit. */
static void test_killed(void)
{
    for (int committed = 0; committed <= 1; committed++) {
        struct hr_checkpoint *checkpoint = open_directory(scratch_path("killed%d", committed));
        expect_state(checkpoint, committed ? 2 : 1, committed ? -1 : 2);
        hr_checkpoint_close(checkpoint);
    }
}

static void test_locked(void)
{
    const char *path = scratch_path("locked");
    struct hr_checkpoint *second;
    struct hr_checkpoint *checkpoint = open_directory(path);
    CU_ASSERT_EQUAL(open_status(path, &second), HR_LOCKED);
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_EQUAL(hr_status_exit_code(HR_LOCKED), 75);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
    hr_checkpoint_close(checkpoint);
    hr_checkpoint_close(open_directory(path));
}

/* Appends name, time of change and content of every file below a directory. */
static void fingerprint(const char *path, struct hr_buf *out)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char inner[600];
        struct stat status;
        snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && stat(inner, &status) == 0) {
            hr_buf_printf(out, "%s %lld.%ld\n", inner, (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
            size_t length = 0;
            char *data = S_ISDIR(status.st_mode) ? NULL : scratch_read(inner, &length);
            hr_buf_append(out, data, length);
            hr_free(data);
            if (S_ISDIR(status.st_mode)) {
                fingerprint(inner, out);
            }
        }
        free(entries[i]);
    }
    free(entries);
}

static void test_read_only_changes_no_byte(void)
{
    const char *path = scratch_path("looked-at");
    struct hr_checkpoint *reader = NULL;
    struct hr_buf before;
    struct hr_buf after;
    uint64_t pages;
    uint64_t bytes;
    struct hr_checkpoint *checkpoint = open_directory(path);
    run_batches(checkpoint, 0, 4, false);
    /* beside a query that runs, too: no lock is needed */
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_open_read_only(path, &reader, &err), HR_OK);
    expect_state(reader, 2, 3);
    hr_checkpoint_close(reader);
    hr_checkpoint_close(checkpoint);
    hr_buf_init(&before, 64 << 20);
    hr_buf_init(&after, 64 << 20);
    fingerprint(path, &before);
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_open_read_only(path, &reader, &err), HR_OK);
    expect_state(reader, 2, 3);
    CU_ASSERT_EQUAL(hr_checkpoint_verify(reader, &pages, &bytes, &err), HR_OK);
    CU_ASSERT_EQUAL(pages, 3 + 1); /* versions of page 0: three that are kept and the prepared one */
    CU_ASSERT_EQUAL(hr_checkpoint_commit(reader, false, &err), HR_BUG);
    hr_checkpoint_close(reader);
    fingerprint(path, &after);
    CU_ASSERT_TRUE(before.length > 1000);
    CU_ASSERT_TRUE(hr_str_equal(hr_buf_str(&before), hr_buf_str(&after)));
    CU_ASSERT_EQUAL(hr_checkpoint_open_read_only(scratch_path("nowhere"), &reader, &err), HR_NO_INPUT);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("nowhere"), F_OK), 0);
    hr_buf_release(&before);
    hr_buf_release(&after);
}

static void expect_refused(const char *name, const char *file, const char *text, enum hr_status expected)
{
    struct hr_checkpoint *checkpoint;
    const char *path = scratch_path("%s", name);
    if (text == NULL) {
        CU_ASSERT_EQUAL(unlink(scratch_path("%s/%s", name, file)), 0);
    } else {
        scratch_write_text(scratch_path("%s/%s", name, file), text);
    }
    CU_ASSERT_EQUAL(open_status(path, &checkpoint), expected);
    CU_ASSERT_PTR_NULL(checkpoint);
    CU_ASSERT_NOT_EQUAL(err.hint[0], 0);
    CU_ASSERT_EQUAL(hr_checkpoint_open_read_only(path, &checkpoint, &err), expected);
}

static void make(const char *name)
{
    struct hr_checkpoint *checkpoint = open_directory(scratch_path("%s", name));
    run_batches(checkpoint, 0, 4, true);
    hr_checkpoint_close(checkpoint);
}

/* What is lost or changed around the store. */
static void test_damaged_directory(void)
{
    make("no-version");
    expect_refused("no-version", "VERSION", NULL, HR_CORRUPT);
    make("newer");
    expect_refused("newer", "VERSION", "headrace checkpoint 2\n", HR_CORRUPT);
    make("no-mark");
    expect_refused("no-mark", "MARK", NULL, HR_CORRUPT);
    make("no-current");
    expect_refused("no-current", "rocksdb/CURRENT", NULL, HR_CORRUPT);
    make("no-store");
    scratch_remove(scratch_path("no-store/rocksdb"));
    struct hr_checkpoint *checkpoint;
    CU_ASSERT_EQUAL(open_status(scratch_path("no-store"), &checkpoint), HR_CORRUPT);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("no-store/rocksdb"), F_OK), 0);
}

/* The log file of the store is emptied: RocksDB alone would start with an older state. */
static void test_lost_log_is_noticed(void)
{
    DIR *stream = opendir(scratch_path("lost-log/rocksdb"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    size_t emptied = 0;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        const char *ending = strrchr(entry->d_name, '.');
        if (ending != NULL && strcmp(ending, ".log") == 0) {
            CU_ASSERT_EQUAL(truncate(scratch_path("lost-log/rocksdb/%s", entry->d_name), 0), 0);
            emptied++;
        }
    }
    closedir(stream);
    CU_ASSERT_TRUE(emptied > 0);
    struct hr_checkpoint *checkpoint;
    CU_ASSERT_EQUAL(open_status(scratch_path("lost-log"), &checkpoint), HR_CORRUPT);
    CU_ASSERT_EQUAL(open_status(scratch_path("lost-log"), &checkpoint), HR_CORRUPT); /* still, after it looked */
}

static void test_foreign_directory_is_left_alone(void)
{
    struct hr_checkpoint *checkpoint;
    CU_ASSERT_EQUAL(mkdir(scratch_path("photos"), 0777), 0);
    scratch_write_text(scratch_path("photos/cat.txt"), "cat");
    CU_ASSERT_EQUAL(open_status(scratch_path("photos"), &checkpoint), HR_CANNOT_CREATE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "cat.txt"));
    CU_ASSERT_NOT_EQUAL(access(scratch_path("photos/LOCK"), F_OK), 0);
    scratch_write_text(scratch_path("file"), "no directory");
    CU_ASSERT_EQUAL(open_status(scratch_path("file"), &checkpoint), HR_CANNOT_CREATE);
}

/* Bits of the tables on disk: RocksDB's sums or ours notice each of them. */
static void test_bit_flips_on_disk(void)
{
    make("flipped");
    DIR *stream = opendir(scratch_path("flipped/rocksdb"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    char table[300] = "";
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        const char *ending = strrchr(entry->d_name, '.');
        if (ending != NULL && strcmp(ending, ".sst") == 0) {
            snprintf(table, sizeof(table), "%s", scratch_path("flipped/rocksdb/%s", entry->d_name));
        }
    }
    closedir(stream);
    size_t length = 0;
    char *data = scratch_read(table, &length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    size_t missed = 0;
    /* the data block comes first; what lies behind it are RocksDB's own properties and padding */
    for (size_t at = 0; at < 400; at += 13) {
        struct hr_checkpoint *checkpoint = NULL;
        uint64_t pages;
        uint64_t bytes;
        data[at] ^= 0x20;
        scratch_write(table, data, length, "w");
        enum hr_status status = hr_checkpoint_open_read_only(scratch_path("flipped"), &checkpoint, &err);
        status = status == HR_OK ? hr_checkpoint_verify(checkpoint, &pages, &bytes, &err) : status;
        missed += status != HR_CORRUPT;
        hr_checkpoint_close(status == HR_NO_INPUT ? NULL : checkpoint);
        data[at] ^= 0x20;
    }
    CU_ASSERT_EQUAL(missed, 0);
    hr_free(data);
}

TEST_MAIN("checkpoint directory", {"children die", test_children_die}, {"opened again", test_reopen},
          {"drop and new lineage", test_drop_and_new_lineage}, {"take-over", test_take_over}, {"killed", test_killed},
          {"locked", test_locked}, {"read-only changes no byte", test_read_only_changes_no_byte},
          {"damaged directory", test_damaged_directory}, {"lost log is noticed", test_lost_log_is_noticed},
          {"a foreign directory is left alone", test_foreign_directory_is_left_alone},
          {"bit flips on disk", test_bit_flips_on_disk})
