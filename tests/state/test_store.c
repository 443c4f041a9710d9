/* SPDX-License-Identifier: Apache-2.0
 *
 * The store port: one set of tests that both stores must pass, then what is particular to each: RocksDB is opened
 * again, read-only and damaged; the memory store loses unsynced writes on purpose.
 */
#include "test.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "state/store.h"

static struct hr_error err;

static void put(struct hr_store *store, const char *key, const char *value, bool sync)
{
    struct hr_store_batch batch = {0};
    hr_store_batch_put(&batch, hr_str_from(key), hr_str_from(value));
    CU_ASSERT_EQUAL(hr_store_write(store, &batch, sync, &err), HR_OK);
    hr_store_batch_release(&batch);
}

/* The value as text, or "-" when the key is not there. */
static const char *get(struct hr_store *store, const char *key)
{
    static char text[64];
    struct hr_buf buf;
    hr_buf_init(&buf, sizeof(text) - 1);
    enum hr_status status = hr_store_get(store, hr_str_from(key), &buf, &err);
    CU_ASSERT_TRUE(status == HR_OK || status == HR_END);
    snprintf(text, sizeof(text), "%s", status == HR_OK ? hr_buf_text(&buf) : "-");
    hr_buf_release(&buf);
    return text;
}

static enum hr_status collect(void *context, struct hr_str key, struct hr_str value, struct hr_error *error)
{
    (void)error;
    hr_buf_printf(context, "%.*s=%.*s ", HR_STR_ARGS(key), HR_STR_ARGS(value));
    return HR_OK;
}

/* "key=value " for each key with the prefix, in the store's order. */
static const char *scan(struct hr_store *store, const char *prefix)
{
    static char text[256];
    struct hr_buf buf;
    hr_buf_init(&buf, sizeof(text) - 1);
    CU_ASSERT_EQUAL(hr_store_scan(store, hr_str_from(prefix), collect, &buf, &err), HR_OK);
    snprintf(text, sizeof(text), "%s", hr_buf_text(&buf));
    hr_buf_release(&buf);
    return text;
}

static enum hr_status stop_at_b(void *context, struct hr_str key, struct hr_str value, struct hr_error *error)
{
    (void)value;
    ++*(int *)context;
    if (hr_str_equal_text(key, "b")) {
        return HR_END;
    }
    return hr_str_equal_text(key, "c") ? hr_fail(error, HR_BUG, "went on past the end") : HR_OK;
}

static enum hr_status refuse(void *context, struct hr_str key, struct hr_str value, struct hr_error *error)
{
    (void)context;
    (void)key;
    (void)value;
    return hr_fail(error, HR_CORRUPT, "not this one");
}

/* More keys than RocksDB is asked for at once, every third of them missing; and a part of them by their range. */
static enum hr_status collect_found(void *context, struct hr_str key, struct hr_str value, struct hr_error *error)
{
    if (value.data == NULL) {
        hr_buf_append_text(context, "- ");
        return HR_OK;
    }
    return collect(context, key, value, error);
}

static void check_many(struct hr_store *store)
{
    enum { COUNT = 100 };
    char names[COUNT][8];
    struct hr_str keys[COUNT];
    struct hr_buf buf;
    hr_buf_init(&buf, 4096);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "m%03d", i);
        keys[i] = hr_str_from(names[i]);
        if (i % 3 != 0) {
            put(store, names[i], i == 98 ? "" : names[i] + 1, false);
        }
    }
    CU_ASSERT_EQUAL(hr_store_get_all(store, keys, 5, collect_found, &buf, &err), HR_OK);
    TEST_TEXT_EQUAL(hr_buf_text(&buf), "- m001=001 m002=002 - m004=004 ");
    hr_buf_clear(&buf);
    CU_ASSERT_EQUAL(hr_store_get_all(store, keys, COUNT, collect_found, &buf, &err), HR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(hr_buf_text(&buf), "m031=031 m032=032 - m034=034 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(hr_buf_text(&buf), "- m097=097 m098= - "));
    CU_ASSERT_EQUAL(hr_store_get_all(store, keys, COUNT, refuse, NULL, &err), HR_CORRUPT);
    CU_ASSERT_EQUAL(hr_store_get_all(store, keys, 0, refuse, NULL, &err), HR_OK);
    hr_buf_clear(&buf);
    CU_ASSERT_EQUAL(hr_store_scan_range(store, HR_STR("m00"), HR_STR("m005"), collect, &buf, &err), HR_OK);
    TEST_TEXT_EQUAL(hr_buf_text(&buf), "m001=001 m002=002 m004=004 ");
    hr_buf_clear(&buf);
    /* A scan that goes on for long is begun anew on the way, reading ahead: nothing comes twice, nothing is left out.
     */
    CU_ASSERT_EQUAL(hr_store_scan_range(store, HR_STR("m"), HR_STR("n"), collect, &buf, &err), HR_OK);
    struct hr_buf expected;
    hr_buf_init(&expected, 4096);
    for (int i = 0; i < COUNT; i++) {
        if (i % 3 != 0) {
            hr_buf_printf(&expected, "%s=%s ", names[i], i == 98 ? "" : names[i] + 1);
        }
    }
    TEST_TEXT_EQUAL(hr_buf_text(&buf), hr_buf_text(&expected));
    hr_buf_release(&expected);
    hr_buf_clear(&buf);
    hr_store_settle(store);
    put(store, "zz", "last", true);
    CU_ASSERT_EQUAL(hr_store_scan_range(store, HR_STR("z"), HR_STR(""), collect, &buf, &err), HR_OK);
    TEST_TEXT_EQUAL(hr_buf_text(&buf), "zz=last ");
    hr_buf_release(&buf);
}

static void check_reads_and_writes(struct hr_store *store)
{
    TEST_TEXT_EQUAL(get(store, "a"), "-");
    TEST_TEXT_EQUAL(scan(store, ""), "");
    put(store, "a", "1", false);
    put(store, "a", "2", true);
    TEST_TEXT_EQUAL(get(store, "a"), "2");
    TEST_TEXT_EQUAL(get(store, ""), "-");
    /* one batch: order counts, removing what is not there is no error */
    struct hr_store_batch batch = {0};
    hr_store_batch_put(&batch, HR_STR("b"), HR_STR("x"));
    hr_store_batch_put(&batch, HR_STR("b"), HR_STR("y"));
    hr_store_batch_put(&batch, HR_STR("gone"), HR_STR("z"));
    hr_store_batch_remove(&batch, HR_STR("gone"));
    hr_store_batch_remove(&batch, HR_STR("never"));
    hr_store_batch_put(&batch, HR_STR("c"), HR_STR(""));
    CU_ASSERT_EQUAL(hr_store_write(store, &batch, true, &err), HR_OK);
    TEST_TEXT_EQUAL(scan(store, ""), "a=2 b=y c= ");
    /* the set is used again */
    hr_store_batch_clear(&batch);
    hr_store_batch_remove(&batch, HR_STR("c"));
    CU_ASSERT_EQUAL(hr_store_write(store, &batch, false, &err), HR_OK);
    TEST_TEXT_EQUAL(scan(store, ""), "a=2 b=y ");
    hr_store_batch_clear(&batch);
    CU_ASSERT_EQUAL(hr_store_write(store, &batch, true, &err), HR_OK);
    hr_store_batch_release(&batch);
}

static void check_order_and_bytes(struct hr_store *store)
{
    /* byte order is unsigned, a prefix ends where it ends, and keys and values may hold any byte */
    put(store, "p\x01", "low", true);
    put(store, "p\xff\xff", "high", false);
    put(store, "p", "bare", true);
    put(store, "q", "next", true);
    put(store, "o", "before", true);
    TEST_TEXT_EQUAL(scan(store, "p"), "p=bare p\x01=low p\xff\xff=high ");
    TEST_TEXT_EQUAL(scan(store, "p\xff"), "p\xff\xff=high ");
    TEST_TEXT_EQUAL(scan(store, "zz"), "");
    struct hr_str key = {"n\0k", 3};
    struct hr_str value = {"v\0\xff", 3};
    struct hr_store_batch batch = {0};
    struct hr_buf buf;
    hr_store_batch_put(&batch, key, value);
    CU_ASSERT_EQUAL(hr_store_write(store, &batch, true, &err), HR_OK);
    hr_store_batch_release(&batch);
    hr_buf_init(&buf, 64);
    hr_buf_append_text(&buf, "kept:");
    CU_ASSERT_EQUAL(hr_store_get(store, key, &buf, &err), HR_OK);
    CU_ASSERT_EQUAL(buf.length, 8);
    CU_ASSERT_EQUAL(memcmp(buf.data, "kept:v\0\xff", 8), 0);
    hr_buf_release(&buf);
    TEST_TEXT_EQUAL(get(store, "n"), "-");
}

static void check_scan_stops(struct hr_store *store)
{
    put(store, "c", "3", true);
    int visits = 0;
    CU_ASSERT_EQUAL(hr_store_scan(store, HR_STR(""), stop_at_b, &visits, &err), HR_OK);
    CU_ASSERT_EQUAL(visits, 2);
    CU_ASSERT_EQUAL(hr_store_scan(store, HR_STR(""), refuse, NULL, &err), HR_CORRUPT);
    TEST_TEXT_EQUAL(err.text, "not this one");
}

static void check_store(struct hr_store *store)
{
    check_reads_and_writes(store);
    check_scan_stops(store);
    check_order_and_bytes(store);
    check_many(store);
    hr_store_close(store);
}

static void test_memory(void)
{
    check_store(hr_store_open_memory());
    hr_store_close(NULL);
}

static struct hr_store *open_rocksdb(const char *path, enum hr_store_mode mode)
{
    struct hr_store *store = NULL;
    enum hr_status status = hr_store_open_rocksdb(path, mode, &store, &err);
    if (status != HR_OK) {
        printf("\n%s\n", err.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, HR_OK);
    return store;
}

static void test_rocksdb(void)
{
    check_store(open_rocksdb(scratch_path("port"), HR_STORE_CREATE));
}

static void test_rocksdb_keeps_what_was_written(void)
{
    const char *path = scratch_path("reopened");
    struct hr_store *store = open_rocksdb(path, HR_STORE_CREATE);
    put(store, "synced", "1", true);
    put(store, "unsynced", "2", false);
    hr_store_close(store);
    for (int i = 0; i < 3; i++) {
        store = open_rocksdb(path, i == 1 ? HR_STORE_READ_ONLY : HR_STORE_CREATE);
        TEST_TEXT_EQUAL(scan(store, ""), "synced=1 unsynced=2 ");
        hr_store_close(store);
    }
}

/* Larger than RocksDB's write buffer, so that tables and several log files come into it. */
static void test_rocksdb_large_values(void)
{
    enum { SIZE = 3 << 20, COUNT = 8 };
    const char *path = scratch_path("large");
    struct hr_store *store = open_rocksdb(path, HR_STORE_CREATE);
    char *value = hr_alloc(SIZE);
    for (int i = 0; i < COUNT; i++) {
        struct hr_store_batch batch = {0};
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        memset(value, 'a' + i, SIZE);
        hr_store_batch_put(&batch, hr_str_from(key), (struct hr_str){value, SIZE});
        CU_ASSERT_EQUAL(hr_store_write(store, &batch, i % 2 == 0, &err), HR_OK);
        hr_store_batch_release(&batch);
    }
    hr_store_close(store);
    store = open_rocksdb(path, HR_STORE_CREATE);
    for (int i = 0; i < COUNT; i++) {
        struct hr_buf buf;
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        hr_buf_init(&buf, SIZE);
        CU_ASSERT_EQUAL(hr_store_get(store, hr_str_from(key), &buf, &err), HR_OK);
        CU_ASSERT_EQUAL_FATAL(buf.length, SIZE);
        CU_ASSERT_TRUE(buf.data[0] == 'a' + i && buf.data[SIZE - 1] == 'a' + i);
        hr_buf_release(&buf);
    }
    hr_store_close(store);
    hr_free(value);
}

static void test_rocksdb_refusals(void)
{
    struct hr_store *store = NULL;
    struct hr_store *second = NULL;
    CU_ASSERT_EQUAL(hr_store_open_rocksdb(scratch_path("none"), HR_STORE_READ_ONLY, &store, &err), HR_NO_INPUT);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("none"), F_OK), 0);
    const char *path = scratch_path("refused");
    store = open_rocksdb(path, HR_STORE_CREATE);
    put(store, "a", "1", true);
    CU_ASSERT_EQUAL(hr_store_open_rocksdb(path, HR_STORE_CREATE, &second, &err), HR_LOCKED);
    CU_ASSERT_PTR_NULL(second);
    hr_store_close(store);
    /* without CURRENT RocksDB would begin an empty store over the old one */
    CU_ASSERT_EQUAL(unlink(scratch_path("refused/CURRENT")), 0);
    CU_ASSERT_EQUAL(hr_store_open_rocksdb(path, HR_STORE_CREATE, &second, &err), HR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "CURRENT"));
    CU_ASSERT_EQUAL(hr_store_open_rocksdb("/proc/headrace/store", HR_STORE_CREATE, &second, &err), HR_CANNOT_CREATE);
}

/* Five unsynced writes after a synced one: a power loss keeps a prefix of them, the seeds reach each length, and a
 * batch is kept whole or not at all. */
static void test_memory_power_loss(void)
{
    bool seen[6] = {false};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct hr_store *store = hr_store_open_memory();
        put(store, "lost?", "no", false);
        put(store, "old", "0", true);
        for (int i = 1; i <= 5; i++) {
            char number[2] = {(char)('0' + i), 0};
            struct hr_store_batch batch = {0};
            hr_store_batch_put(&batch, HR_STR("new"), hr_str_from(number));
            hr_store_batch_put(&batch, HR_STR("old"), hr_str_from(number));
            if (i == 3) {
                hr_store_batch_remove(&batch, HR_STR("lost?"));
            }
            CU_ASSERT_EQUAL(hr_store_write(store, &batch, false, &err), HR_OK);
            hr_store_batch_release(&batch);
        }
        hr_store_memory_crash(store, seed);
        int kept = get(store, "old")[0] - '0';
        CU_ASSERT_TRUE_FATAL(kept >= 0 && kept <= 5);
        seen[kept] = true;
        CU_ASSERT_EQUAL(get(store, "new")[0], kept == 0 ? '-' : '0' + kept);
        TEST_TEXT_EQUAL(get(store, "lost?"), kept >= 3 ? "-" : "no");
        hr_store_memory_crash(store, seed + 1); /* nothing is in doubt any more */
        CU_ASSERT_EQUAL(get(store, "old")[0] - '0', kept);
        hr_store_close(store);
    }
    for (int i = 0; i <= 5; i++) {
        CU_ASSERT_TRUE(seen[i]);
    }
}

static size_t count_tables(const char *path)
{
    char pattern[512];
    glob_t found;
    (void)snprintf(pattern, sizeof(pattern), "%s/*.sst", path);
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return count;
}

/* Lives that end before their first commit never say that the start is over: their tables are tidied all the same. */
static void test_rocksdb_short_lives(void)
{
    const char *path = scratch_path("short");
    struct hr_store *store;
    for (int i = 0; i < 16; i++) {
        store = open_rocksdb(path, HR_STORE_CREATE);
        put(store, "a", "value", true);
        put(store, "z", "value", true); /* tables whose keys overlap, or they would only be moved */
        hr_store_close(store);
    }
    CU_ASSERT_TRUE(count_tables(path) >= 16);
    store = open_rocksdb(path, HR_STORE_CREATE);
    for (int i = 0; i < 200 && count_tables(path) >= 16; i++) {
        usleep(50000);
    }
    CU_ASSERT_TRUE(count_tables(path) < 16);
    TEST_TEXT_EQUAL(get(store, "z"), "value");
    hr_store_close(store);
}

TEST_MAIN("store", {"memory", test_memory}, {"RocksDB", test_rocksdb},
          {"RocksDB keeps what was written", test_rocksdb_keeps_what_was_written},
          {"RocksDB, short lives", test_rocksdb_short_lives}, {"RocksDB, large values", test_rocksdb_large_values},
          {"RocksDB refuses", test_rocksdb_refusals}, {"memory, power loss", test_memory_power_loss})
