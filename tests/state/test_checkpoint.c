/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoint over a memory store: prepare and commit, what a crash leaves, what is written and pruned, lineages, and
 * that no damage goes unnoticed. A random history is compared with a plain copy of every state.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "kept_store.h"
#include "state/checkpoint.h"
#include "state/checkpoint_format.h"

#define LINEAGE "11111111-2222-4333-8444-555555555555"
#define OTHER_LINEAGE "99999999-2222-4333-8444-555555555555"
#define IDENTITY HR_STR("{\"query\":\"q\"}")

static struct hr_error err;

static struct hr_checkpoint *open_keeping(struct kept_store *kept, int keep, bool expect_created)
{
    struct hr_checkpoint *checkpoint = NULL;
    bool created = !expect_created;
    enum hr_status status =
        hr_checkpoint_open_store(&kept->store, IDENTITY, LINEAGE, keep, &checkpoint, &created, &err);
    if (status != HR_OK) {
        printf("\n%s\n", err.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, HR_OK);
    CU_ASSERT_EQUAL(created, expect_created);
    return checkpoint;
}

static void expect_info(struct hr_checkpoint *checkpoint, int64_t committed, int64_t prepared)
{
    struct hr_checkpoint_info info;
    hr_checkpoint_info(checkpoint, &info);
    CU_ASSERT_EQUAL(info.committed, committed);
    CU_ASSERT_EQUAL(info.prepared, prepared);
}

/* The record of a batch; "-" when it is not kept. */
static const char *record_of(struct hr_checkpoint *checkpoint, int64_t batch)
{
    static char text[64];
    struct hr_buf buf;
    hr_buf_init(&buf, sizeof(text) - 1);
    enum hr_status status = hr_checkpoint_record(checkpoint, batch, &buf, &err);
    CU_ASSERT_TRUE(status == HR_OK || status == HR_END);
    snprintf(text, sizeof(text), "%s", status == HR_OK ? hr_buf_text(&buf) : "-");
    hr_buf_release(&buf);
    return text;
}

/* The record of the dropped batch; "-" when there is none. */
static const char *dropped_record(struct hr_checkpoint *checkpoint)
{
    static char text[64];
    struct hr_buf buf;
    struct hr_checkpoint_info info;
    hr_checkpoint_info(checkpoint, &info);
    hr_buf_init(&buf, sizeof(text) - 1);
    enum hr_status status = hr_checkpoint_dropped_record(checkpoint, &buf, &err);
    CU_ASSERT_EQUAL(status, info.dropped >= 0 ? HR_OK : HR_END);
    CU_ASSERT_TRUE(info.dropped < 0 || info.dropped == info.committed + 1);
    snprintf(text, sizeof(text), "%s", status == HR_OK ? hr_buf_text(&buf) : "-");
    hr_buf_release(&buf);
    return text;
}

static void set(struct hr_paged *paged, size_t offset, uint8_t byte)
{
    if (offset >= paged->size) {
        CU_ASSERT_EQUAL_FATAL(hr_paged_resize(paged, offset + 1, &err), HR_OK);
    }
    paged->data[offset] = byte;
    hr_paged_mark(paged, offset);
}

static void prepare(struct hr_checkpoint *checkpoint, int64_t batch, const char *record, struct hr_paged *paged)
{
    struct hr_checkpoint_part part = {"model", paged};
    enum hr_status status = hr_checkpoint_prepare(checkpoint, batch, hr_str_from(record), &part, 1, &err);
    CU_ASSERT_EQUAL_FATAL(status, HR_OK);
}

static void commit(struct hr_checkpoint *checkpoint)
{
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_commit(checkpoint, false, &err), HR_OK);
}

/* The byte at an offset of the part as of a batch; −1 past its end, −2 when the batch is not kept. */
static int load_byte(struct hr_checkpoint *checkpoint, int64_t batch, size_t offset)
{
    struct hr_paged paged;
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint_part part = {"model", &paged};
    enum hr_status status = hr_checkpoint_load(checkpoint, batch, &part, &err);
    CU_ASSERT_TRUE(status == HR_OK || status == HR_NO_INPUT);
    int byte = status == HR_NO_INPUT ? -2 : offset < paged.size ? paged.data[offset] : -1;
    hr_paged_release(&paged);
    return byte;
}

static void test_create_prepare_commit(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    struct hr_checkpoint_info info;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 2, true);
    hr_checkpoint_info(checkpoint, &info);
    TEST_TEXT_EQUAL(info.lineage, LINEAGE);
    CU_ASSERT_TRUE(hr_str_equal(hr_checkpoint_identity(checkpoint), IDENTITY));
    expect_info(checkpoint, -1, -1);
    set(&paged, 10, 1);
    size_t synced = kept.synced_writes;
    prepare(checkpoint, 0, "zero", &paged);
    CU_ASSERT_EQUAL(kept.synced_writes, synced + 1);
    expect_info(checkpoint, -1, 0);
    CU_ASSERT_EQUAL(paged.dirty[0], 0);
    TEST_TEXT_EQUAL(record_of(checkpoint, 0), "zero");
    commit(checkpoint);
    CU_ASSERT_EQUAL(kept.synced_writes, synced + 1);
    CU_ASSERT_EQUAL(kept.unsynced_writes, 1);
    expect_info(checkpoint, 0, -1);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 0, 10), 1);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, 2, false);
    expect_info(checkpoint, 0, -1);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 0, 10), 1);
    TEST_TEXT_EQUAL(record_of(checkpoint, 0), "zero");
    TEST_TEXT_EQUAL(record_of(checkpoint, 1), "-");
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&paged);
    kept_release(&kept);
}

/* Batch 1 is prepared and then the process dies: state 0 is whole, and batch 1 can be committed or dropped. */
static void test_open_after_prepare(void)
{
    for (int drop = 0; drop <= 2; drop++) {
        struct kept_store kept;
        struct hr_paged paged;
        struct hr_checkpoint_info before;
        struct hr_checkpoint_info after;
        kept_init(&kept);
        hr_paged_init(&paged, 1 << 20);
        struct hr_checkpoint *checkpoint = open_keeping(&kept, 2, true);
        set(&paged, 10, 1);
        prepare(checkpoint, 0, "zero", &paged);
        commit(checkpoint);
        set(&paged, 10, 2);
        set(&paged, 5000, 9);
        struct hr_checkpoint_part part = {"model", &paged};
        uint32_t expected = hr_checkpoint_delta_crc(&part, 1);
        prepare(checkpoint, 1, "one", &paged);
        hr_checkpoint_info(checkpoint, &before);
        CU_ASSERT_EQUAL(before.prepared_crc, expected);
        hr_checkpoint_close(checkpoint);
        hr_store_memory_crash(kept.inner, 0);
        checkpoint = open_keeping(&kept, 2, false);
        hr_checkpoint_info(checkpoint, &after);
        CU_ASSERT_EQUAL(after.prepared_crc, expected);
        expect_info(checkpoint, 0, 1);
        CU_ASSERT_EQUAL(load_byte(checkpoint, 0, 10), 1);
        CU_ASSERT_EQUAL(load_byte(checkpoint, 0, 5000), -1);
        TEST_TEXT_EQUAL(dropped_record(checkpoint), "-");
        if (drop) {
            CU_ASSERT_EQUAL(hr_checkpoint_drop_prepared(checkpoint, drop == 1, &err), HR_OK);
            expect_info(checkpoint, 0, -1);
            TEST_TEXT_EQUAL(record_of(checkpoint, 1), "-");
            /* what was to be run is still known after one more crash, until it is prepared */
            TEST_TEXT_EQUAL(dropped_record(checkpoint), drop == 1 ? "one" : "-");
            hr_checkpoint_close(checkpoint);
            hr_store_memory_crash(kept.inner, 0);
            checkpoint = open_keeping(&kept, 2, false);
            TEST_TEXT_EQUAL(dropped_record(checkpoint), drop == 1 ? "one" : "-");
            hr_paged_mark_range(&paged, 0, paged.size);
            prepare(checkpoint, 1, "one again", &paged);
        }
        TEST_TEXT_EQUAL(dropped_record(checkpoint), "-");
        commit(checkpoint);
        TEST_TEXT_EQUAL(record_of(checkpoint, 1), drop ? "one again" : "one");
        CU_ASSERT_EQUAL(load_byte(checkpoint, 1, 10), 2);
        CU_ASSERT_EQUAL(load_byte(checkpoint, 1, 5000), 9);
        CU_ASSERT_EQUAL(load_byte(checkpoint, 0, 10), 1);
        hr_checkpoint_close(checkpoint);
        hr_paged_release(&paged);
        kept_release(&kept);
    }
}

/* What a start after a crash does: the state is loaded while a batch is prepared, then that batch is dropped and
 * prepared again, and the pages are read once. */
static void test_start_reads_pages_once(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 2, true);
    set(&paged, 10, 1);
    set(&paged, 3 * HR_PAGE_SIZE, 2);
    prepare(checkpoint, 0, "zero", &paged);
    commit(checkpoint);
    set(&paged, 10, 3);
    prepare(checkpoint, 1, "one", &paged);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, 2, false);
    expect_info(checkpoint, 0, 1);
    memset(paged.data, 0xff, paged.size); /* pages that were never stored must be zeros again */
    struct hr_checkpoint_part part = {"model", &paged};
    kept.scans = 0;
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_load(checkpoint, 0, &part, &err), HR_OK);
    CU_ASSERT_EQUAL(kept.scans, 1);
    for (size_t i = 0; i < paged.size; i++) {
        CU_ASSERT_EQUAL_FATAL(paged.data[i], i == 10 ? 1 : i == 3 * HR_PAGE_SIZE ? 2 : 0);
    }
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_drop_prepared(checkpoint, true, &err), HR_OK);
    set(&paged, 10, 4);
    prepare(checkpoint, 1, "one again", &paged);
    CU_ASSERT_EQUAL(kept.scans, 1);
    commit(checkpoint);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 1, 10), 4);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 0, 10), 1);
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&paged);
    kept_release(&kept);
}

/* A start that finds the prepared batch delivered: the committed state is in memory already, and only the pages that
 * the batch wrote are read. Growth, a page that became zeros, and a part that the batch was the first to write. */
static void test_start_goes_on_to_prepared(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    struct hr_paged late;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    hr_paged_init(&late, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 2, true);
    for (size_t page = 0; page < 50; page++) {
        set(&paged, page * HR_PAGE_SIZE, (uint8_t)(page + 1));
    }
    prepare(checkpoint, 0, "zero", &paged);
    commit(checkpoint);
    set(&paged, 7 * HR_PAGE_SIZE, 0);
    set(&paged, 9 * HR_PAGE_SIZE + 5, 77);
    set(&paged, 60 * HR_PAGE_SIZE + 3, 88);
    set(&late, 3 * HR_PAGE_SIZE, 99);
    struct hr_checkpoint_part parts[] = {{"model", &paged}, {"stage", &late}};
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_prepare(checkpoint, 1, HR_STR("one"), parts, 2, &err), HR_OK);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, 2, false);
    struct hr_paged copies[2];
    struct hr_checkpoint_part loaded[] = {{"model", &copies[0]}, {"stage", &copies[1]}};
    for (size_t i = 0; i < 2; i++) {
        hr_paged_init(&copies[i], 1 << 20);
        CU_ASSERT_EQUAL_FATAL(hr_paged_resize(&copies[i], HR_PAGE_SIZE, &err), HR_OK);
        memset(copies[i].data, 0xee, copies[i].size); /* what a model begins as */
        CU_ASSERT_EQUAL_FATAL(hr_checkpoint_load(checkpoint, 0, &loaded[i], &err), HR_OK);
    }
    kept.scans = 0;
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_load_prepared(checkpoint, loaded, 2, &err), HR_OK);
    CU_ASSERT_EQUAL(kept.scans, 0);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(copies[i].size, parts[i].paged->size);
        CU_ASSERT_EQUAL(memcmp(copies[i].data, parts[i].paged->data, copies[i].size), 0);
    }
    commit(checkpoint);
    set(&copies[0], 9 * HR_PAGE_SIZE, 78);
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_prepare(checkpoint, 2, HR_STR("two"), loaded, 2, &err), HR_OK);
    CU_ASSERT_EQUAL(kept.scans, 0);
    commit(checkpoint);
    uint64_t pages;
    uint64_t bytes;
    CU_ASSERT_EQUAL(hr_checkpoint_verify(checkpoint, &pages, &bytes, &err), HR_OK);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 2, 9 * HR_PAGE_SIZE), 78);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 2, 9 * HR_PAGE_SIZE + 5), 77);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 1, 9 * HR_PAGE_SIZE), 10);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 2, 7 * HR_PAGE_SIZE), 0);
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&copies[0]);
    hr_paged_release(&copies[1]);
    hr_paged_release(&paged);
    hr_paged_release(&late);
    kept_release(&kept);
}

/* A large part that each batch changes nearly all of is read by key, and is what it was as of each kept batch: with
 * pages that no kept batch wrote, pages that became zeros, pages that never were, and one that is lost. */
static void test_large_parts_are_read_by_key(void)
{
    enum { PAGES = 1500, BATCHES = 6, KEEP = 4, OLD = 17, NEVER = 1201, ZERO = 33 };
    static struct hr_paged copies[BATCHES];
    struct kept_store kept;
    struct hr_paged paged;
    uint64_t pages;
    uint64_t bytes;
    kept_init(&kept);
    hr_paged_init(&paged, 16 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, KEEP, true);
    for (int batch = 0; batch < BATCHES; batch++) {
        for (size_t page = 0; page < PAGES + (size_t)batch; page++) {
            bool left = page == NEVER || (page % 100 == OLD && batch > 0);
            if (!left) {
                set(&paged, page * HR_PAGE_SIZE + page % 7, page == ZERO && batch == 4 ? 0 : (uint8_t)(batch + 1));
            }
        }
        prepare(checkpoint, batch, "r", &paged);
        commit(checkpoint);
        hr_paged_init(&copies[batch], 16 << 20);
        CU_ASSERT_EQUAL_FATAL(hr_paged_resize(&copies[batch], paged.size, &err), HR_OK);
        memcpy(copies[batch].data, paged.data, paged.size);
    }
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, KEEP, false);
    for (int batch = BATCHES - 1; batch >= BATCHES - KEEP + 1; batch--) {
        struct hr_paged loaded;
        struct hr_checkpoint_part part = {"model", &loaded};
        hr_paged_init(&loaded, 16 << 20);
        CU_ASSERT_EQUAL_FATAL(hr_paged_resize(&loaded, HR_PAGE_SIZE, &err), HR_OK);
        memset(loaded.data, 0xee, loaded.size);
        kept.scans = 0;
        CU_ASSERT_EQUAL_FATAL(hr_checkpoint_load(checkpoint, batch, &part, &err), HR_OK);
        /* Of the newest, one for each page that no delta names. */
        CU_ASSERT_TRUE(batch < BATCHES - 1 || (kept.scans > 1 && kept.scans < 40));
        CU_ASSERT_EQUAL_FATAL(loaded.size, copies[batch].size);
        CU_ASSERT_EQUAL(memcmp(loaded.data, copies[batch].data, loaded.size), 0);
        hr_paged_release(&loaded);
    }
    set(&paged, 5 * HR_PAGE_SIZE, 99); /* the indexes of the load serve the next batch */
    prepare(checkpoint, BATCHES, "r", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(hr_checkpoint_verify(checkpoint, &pages, &bytes, &err), HR_OK);
    hr_checkpoint_close(checkpoint);
    char key[HR_PAGE_KEY_MAX];
    struct hr_store_batch lost = {0};
    hr_store_batch_remove(&lost, hr_key_page(HR_STR("model"), 700, BATCHES - 1, key));
    CU_ASSERT_EQUAL(hr_store_write(kept.inner, &lost, true, &err), HR_OK);
    hr_store_batch_release(&lost);
    checkpoint = open_keeping(&kept, KEEP, false);
    struct hr_checkpoint_part part = {"model", &paged};
    CU_ASSERT_EQUAL(hr_checkpoint_load(checkpoint, BATCHES, &part, &err), HR_CORRUPT);
    hr_checkpoint_close(checkpoint);
    for (int batch = 0; batch < BATCHES; batch++) {
        hr_paged_release(&copies[batch]);
    }
    hr_paged_release(&paged);
    kept_release(&kept);
}

/* A part of so many pages that several passes read it side by side, by key and by scan: what they find is one state,
 * and a page that is lost is missed, whichever pass it is of. */
static void test_large_parts_are_read_side_by_side(void)
{
    enum { PAGES = 5000, HOLE = 2499 };
    for (int by_key = 0; by_key < 2; by_key++) {
        struct kept_store kept;
        struct hr_paged paged;
        struct hr_paged loaded;
        struct hr_checkpoint_part part = {"model", &loaded};
        kept_init(&kept);
        hr_paged_init(&paged, 32 << 20);
        hr_paged_init(&loaded, 32 << 20);
        struct hr_checkpoint *checkpoint = open_keeping(&kept, 4, true);
        for (int batch = 0; batch < (by_key ? 4 : 1); batch++) {
            for (size_t page = 0; page < PAGES; page++) {
                if (page / 2 != HOLE / 2) {
                    set(&paged, page * HR_PAGE_SIZE + page % 4096, (uint8_t)(page % 251 + (size_t)batch + 1));
                }
            }
            prepare(checkpoint, batch, "r", &paged);
            commit(checkpoint);
        }
        hr_checkpoint_close(checkpoint);
        checkpoint = open_keeping(&kept, 4, false);
        CU_ASSERT_EQUAL_FATAL(hr_paged_resize(&loaded, paged.size, &err), HR_OK);
        memset(loaded.data, 0xee, loaded.size);
        kept.scans = 0;
        CU_ASSERT_EQUAL_FATAL(hr_checkpoint_load(checkpoint, by_key ? 3 : 0, &part, &err), HR_OK);
        CU_ASSERT_EQUAL(kept.scans, 2); /* the two passes, or the two pages that no delta names */
        CU_ASSERT_EQUAL(memcmp(loaded.data, paged.data, paged.size), 0);
        hr_checkpoint_close(checkpoint);
        const uint32_t lost[] = {0, HOLE - 1000, HOLE + 1000, PAGES - 1};
        for (size_t i = 0; i < HR_ARRAY_LEN(lost); i++) {
            char key[HR_PAGE_KEY_MAX];
            struct hr_buf bytes;
            struct hr_store_batch change = {0};
            struct hr_str lost_key = hr_key_page(HR_STR("model"), lost[i], by_key ? 3 : 0, key);
            hr_buf_init(&bytes, 2 * HR_PAGE_SIZE);
            CU_ASSERT_EQUAL_FATAL(hr_store_get(kept.inner, lost_key, &bytes, &err), HR_OK);
            hr_store_batch_remove(&change, lost_key);
            CU_ASSERT_EQUAL(hr_store_write(kept.inner, &change, true, &err), HR_OK);
            checkpoint = open_keeping(&kept, 4, false);
            CU_ASSERT_EQUAL(hr_checkpoint_load(checkpoint, by_key ? 3 : 0, &part, &err), HR_CORRUPT);
            hr_checkpoint_close(checkpoint);
            hr_store_batch_clear(&change);
            hr_store_batch_put(&change, lost_key, hr_buf_str(&bytes));
            CU_ASSERT_EQUAL(hr_store_write(kept.inner, &change, true, &err), HR_OK);
            hr_store_batch_release(&change);
            hr_buf_release(&bytes);
        }
        hr_paged_release(&loaded);
        hr_paged_release(&paged);
        kept_release(&kept);
    }
}

/* A commit is not synced: when it is lost, the batch is prepared again, never gone. */
/* What a region holds past the end of a part that was smaller is not stored, so it must be zeros. */
static void test_smaller_part(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 3, true);
    set(&paged, HR_PAGE_SIZE + 99, 1);
    prepare(checkpoint, 0, "r", &paged);
    commit(checkpoint);
    hr_paged_release(&paged);
    hr_paged_init(&paged, 1 << 20);
    CU_ASSERT_EQUAL_FATAL(hr_paged_resize(&paged, 4 * HR_PAGE_SIZE, &err), HR_OK);
    memset(paged.data, 9, paged.size);
    struct hr_checkpoint_part part = {"model", &paged};
    CU_ASSERT_EQUAL(hr_checkpoint_load(checkpoint, 0, &part, &err), HR_OK);
    size_t wrong = 0;
    for (size_t i = 0; i < paged.size; i++) {
        wrong += paged.data[i] != (i == HR_PAGE_SIZE + 99);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&paged);
    kept_release(&kept);
}

static void test_lost_commit_leaves_prepared(void)
{
    bool seen[2] = {false};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct kept_store kept;
        struct hr_paged paged;
        struct hr_checkpoint_info info;
        kept_init(&kept);
        hr_paged_init(&paged, 1 << 20);
        struct hr_checkpoint *checkpoint = open_keeping(&kept, 1, true);
        for (int batch = 0; batch < 3; batch++) {
            set(&paged, 0, (uint8_t)(batch + 1));
            prepare(checkpoint, batch, "r", &paged);
            commit(checkpoint);
        }
        hr_checkpoint_close(checkpoint);
        hr_store_memory_crash(kept.inner, seed);
        checkpoint = open_keeping(&kept, 1, false);
        hr_checkpoint_info(checkpoint, &info);
        bool lost = info.prepared >= 0;
        seen[lost] = true;
        expect_info(checkpoint, lost ? 1 : 2, lost ? 2 : -1);
        CU_ASSERT_EQUAL(load_byte(checkpoint, info.committed, 0), info.committed + 1);
        hr_checkpoint_close(checkpoint);
        hr_paged_release(&paged);
        kept_release(&kept);
    }
    CU_ASSERT_TRUE(seen[0] && seen[1]);
}

static void test_only_dirty_pages_are_written(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 3, true);
    set(&paged, 99 * HR_PAGE_SIZE, 1); /* pages 0 to 98 hold zeros and are not stored */
    prepare(checkpoint, 0, "r", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(kept.page_writes, 1);
    kept.page_writes = 0;
    set(&paged, 3 * HR_PAGE_SIZE, 1);
    set(&paged, 7 * HR_PAGE_SIZE + 100, 1);
    set(&paged, 7 * HR_PAGE_SIZE + 200, 1);
    prepare(checkpoint, 1, "r", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(kept.page_writes, 2);
    kept.page_writes = 0;
    prepare(checkpoint, 2, "r", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(kept.page_writes, 0);
    set(&paged, 3 * HR_PAGE_SIZE, 0); /* zeros again: must hide the older version */
    prepare(checkpoint, 3, "r", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(kept.page_writes, 1);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 3, 3 * HR_PAGE_SIZE), 0);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 2, 3 * HR_PAGE_SIZE), 1);
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&paged);
    kept_release(&kept);
}

static enum hr_status count_key(void *context, struct hr_str key, struct hr_str value, struct hr_error *error)
{
    (void)key;
    (void)value;
    (void)error;
    ++*(size_t *)context;
    return HR_OK;
}

static size_t key_count(struct kept_store *kept, const char *prefix)
{
    size_t count = 0;
    CU_ASSERT_EQUAL(hr_store_scan(kept->inner, hr_str_from(prefix), count_key, &count, &err), HR_OK);
    return count;
}

static void test_keep_and_prune(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 3, true);
    for (int batch = 0; batch < 10; batch++) {
        set(&paged, 0, (uint8_t)(batch + 1));
        prepare(checkpoint, batch, "r", &paged);
        commit(checkpoint);
        size_t visible = 0;
        CU_ASSERT_EQUAL(hr_checkpoint_batches(checkpoint, count_key, &visible, &err), HR_OK);
        CU_ASSERT_EQUAL(visible, batch < 3 ? (size_t)batch + 1 : 3);
        CU_ASSERT_EQUAL(key_count(&kept, "p"), visible);
        CU_ASSERT_EQUAL(load_byte(checkpoint, batch - 2, 0), batch < 2 ? -1 : batch - 1);
        CU_ASSERT_EQUAL(load_byte(checkpoint, batch - 3, 0), batch < 3 ? -1 : -2);
    }
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, 1, false); /* keep was lowered */
    set(&paged, 0, 11);
    prepare(checkpoint, 10, "r", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(key_count(&kept, "p"), 1);
    CU_ASSERT_EQUAL(key_count(&kept, "r"), 1);
    CU_ASSERT_EQUAL(key_count(&kept, "d"), 0);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 10, 0), 11);
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&paged);
    kept_release(&kept);
}

static void test_identity_and_new_lineage(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    struct hr_checkpoint_info info;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 3, true);
    set(&paged, 0, 1);
    prepare(checkpoint, 0, "r", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(hr_checkpoint_set_identity(checkpoint, HR_STR("{\"query\":\"changed\"}"), &err), HR_OK);
    prepare(checkpoint, 1, "r", &paged);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, 3, false);
    CU_ASSERT_TRUE(hr_str_equal_text(hr_checkpoint_identity(checkpoint), "{\"query\":\"changed\"}"));
    CU_ASSERT_EQUAL(hr_checkpoint_restart(checkpoint, OTHER_LINEAGE, &err), HR_OK);
    for (int again = 0; again <= 1; again++) {
        hr_checkpoint_info(checkpoint, &info);
        TEST_TEXT_EQUAL(info.lineage, OTHER_LINEAGE);
        expect_info(checkpoint, -1, -1);
        CU_ASSERT_EQUAL(key_count(&kept, ""), 2);
        hr_checkpoint_close(checkpoint);
        checkpoint = open_keeping(&kept, 3, false);
    }
    hr_paged_mark_range(&paged, 0, paged.size);
    prepare(checkpoint, 0, "first of the new", &paged);
    commit(checkpoint);
    CU_ASSERT_EQUAL(load_byte(checkpoint, 0, 0), 1);
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&paged);
    kept_release(&kept);
}

/* After a write whose outcome is unknown nothing is written until the checkpoint is opened again. */
static void test_failed_write(void)
{
    struct kept_store kept;
    struct hr_paged paged;
    kept_init(&kept);
    hr_paged_init(&paged, 1 << 20);
    struct hr_checkpoint *checkpoint = open_keeping(&kept, 3, true);
    struct hr_checkpoint_part part = {"model", &paged};
    set(&paged, 0, 1);
    kept.fail_next = true;
    CU_ASSERT_EQUAL(hr_checkpoint_prepare(checkpoint, 0, HR_STR("r"), &part, 1, &err), HR_IO);
    CU_ASSERT_EQUAL(paged.dirty[0], 1);
    CU_ASSERT_EQUAL(hr_checkpoint_prepare(checkpoint, 0, HR_STR("r"), &part, 1, &err), HR_IO);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, 3, false);
    prepare(checkpoint, 0, "r", &paged);
    kept.fail_next = true;
    CU_ASSERT_EQUAL(hr_checkpoint_commit(checkpoint, false, &err), HR_IO);
    CU_ASSERT_EQUAL(hr_checkpoint_commit(checkpoint, false, &err), HR_IO);
    hr_checkpoint_close(checkpoint);
    checkpoint = open_keeping(&kept, 3, false);
    expect_info(checkpoint, -1, 0);
    commit(checkpoint);
    hr_checkpoint_close(checkpoint);
    hr_paged_release(&paged);
    kept_release(&kept);
}

enum { HISTORY = 60, HISTORY_KEEP = 4, PARTS = 2, PART_MAX = 12 * HR_PAGE_SIZE };

/* A plain copy of each part after each batch. */
struct history {
    uint8_t *bytes[HISTORY][PARTS];
    size_t size[HISTORY][PARTS];
    uint64_t random;
};

static size_t draw(struct history *history, size_t below)
{
    return (size_t)(hr_random_splitmix(&history->random) % below);
}

static void change_parts(struct history *history, struct hr_checkpoint_part *parts)
{
    for (size_t i = 0; i < PARTS; i++) {
        for (size_t writes = draw(history, 5); writes > 0; writes--) {
            size_t offset = draw(history, 3) == 0 ? draw(history, PART_MAX) : draw(history, parts[i].paged->size + 1);
            set(parts[i].paged, offset, (uint8_t)draw(history, 4));
        }
    }
}

static void check_kept_batches(const struct history *history, struct hr_checkpoint *checkpoint, int64_t committed)
{
    static const char *const names[PARTS] = {"model:m", "stage:s"};
    int64_t oldest = committed - HISTORY_KEEP + 1;
    for (int64_t batch = oldest < 0 ? 0 : oldest; batch <= committed; batch++) {
        for (size_t i = 0; i < PARTS; i++) {
            struct hr_paged paged;
            hr_paged_init(&paged, PART_MAX);
            struct hr_checkpoint_part part = {names[i], &paged};
            CU_ASSERT_EQUAL_FATAL(hr_checkpoint_load(checkpoint, batch, &part, &err), HR_OK);
            CU_ASSERT_EQUAL(paged.size, history->size[batch][i]);
            CU_ASSERT_EQUAL(paged.size == 0 ? 0 : memcmp(paged.data, history->bytes[batch][i], history->size[batch][i]),
                            0);
            hr_paged_release(&paged);
        }
    }
    uint64_t pages;
    uint64_t bytes;
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_verify(checkpoint, &pages, &bytes, &err), HR_OK);
}

/* Prepares; then goes on, drops and prepares again, or crashes and goes on from what is there. */
static struct hr_checkpoint *history_batch(struct history *history, struct kept_store *kept,
                                           struct hr_checkpoint *checkpoint, int64_t batch,
                                           struct hr_checkpoint_part *parts)
{
    size_t what = draw(history, 4);
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_prepare(checkpoint, batch, HR_STR("r"), parts, PARTS, &err), HR_OK);
    if (what == 1) {
        check_kept_batches(history, checkpoint, batch - 1);
        CU_ASSERT_EQUAL_FATAL(hr_checkpoint_drop_prepared(checkpoint, true, &err), HR_OK);
        check_kept_batches(history, checkpoint, batch - 1);
        for (size_t i = 0; i < PARTS; i++) {
            hr_paged_mark_range(parts[i].paged, 0, parts[i].paged->size);
        }
        CU_ASSERT_EQUAL_FATAL(hr_checkpoint_prepare(checkpoint, batch, HR_STR("r"), parts, PARTS, &err), HR_OK);
    }
    if (what >= 2) {
        commit(checkpoint);
        hr_checkpoint_close(checkpoint);
        hr_store_memory_crash(kept->inner, history->random);
        checkpoint = open_keeping(kept, HISTORY_KEEP, false);
    }
    struct hr_checkpoint_info info;
    hr_checkpoint_info(checkpoint, &info);
    if (info.prepared >= 0) {
        commit(checkpoint);
    }
    return checkpoint;
}

static void run_history(struct kept_store *kept, uint64_t seed)
{
    struct history history = {.random = seed};
    struct hr_paged paged[PARTS];
    struct hr_checkpoint_part parts[PARTS] = {{"model:m", &paged[0]}, {"stage:s", &paged[1]}};
    hr_paged_init(&paged[0], PART_MAX);
    hr_paged_init(&paged[1], PART_MAX);
    struct hr_checkpoint *checkpoint = open_keeping(kept, HISTORY_KEEP, true);
    for (int64_t batch = 0; batch < HISTORY; batch++) {
        change_parts(&history, parts);
        for (size_t i = 0; i < PARTS; i++) {
            history.size[batch][i] = paged[i].size;
            history.bytes[batch][i] = hr_calloc(1, PART_MAX);
            if (paged[i].size > 0) {
                memcpy(history.bytes[batch][i], paged[i].data, paged[i].size);
            }
        }
        checkpoint = history_batch(&history, kept, checkpoint, batch, parts);
        expect_info(checkpoint, batch, -1);
        check_kept_batches(&history, checkpoint, batch);
        /* one version of a page for each kept batch at most, and no delta or record of others */
        CU_ASSERT_TRUE(key_count(kept, "p") <= PARTS * PART_MAX / HR_PAGE_SIZE * HISTORY_KEEP);
        CU_ASSERT_TRUE(key_count(kept, "r") <= HISTORY_KEEP);
    }
    hr_checkpoint_close(checkpoint);
    for (size_t i = 0; i < PARTS; i++) {
        hr_paged_release(&paged[i]);
        for (size_t batch = 0; batch < HISTORY; batch++) {
            hr_free(history.bytes[batch][i]);
        }
    }
}

static void test_random_histories(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct kept_store kept;
        kept_init(&kept);
        run_history(&kept, seed);
        kept_release(&kept);
    }
}

/* Keys and values of a store, copied. */
struct dump {
    char *keys[512];
    size_t key_lengths[512];
    char *values[512];
    size_t value_lengths[512];
    size_t count;
};

static enum hr_status dump_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *error)
{
    (void)error;
    struct dump *dump = context;
    CU_ASSERT_FATAL(dump->count < HR_ARRAY_LEN(dump->keys));
    dump->keys[dump->count] = hr_strndup(key.data, key.length);
    dump->key_lengths[dump->count] = key.length;
    dump->values[dump->count] = hr_alloc(value.length + 1);
    memcpy(dump->values[dump->count], value.data, value.length);
    dump->value_lengths[dump->count++] = value.length;
    return HR_OK;
}

static void dump_put(const struct dump *dump, struct kept_store *kept, size_t i, bool remove)
{
    struct hr_store_batch batch = {0};
    struct hr_str key = {dump->keys[i], dump->key_lengths[i]};
    if (remove) {
        hr_store_batch_remove(&batch, key);
    } else {
        hr_store_batch_put(&batch, key, (struct hr_str){dump->values[i], dump->value_lengths[i]});
    }
    CU_ASSERT_EQUAL(hr_store_write(kept->inner, &batch, true, &err), HR_OK);
    hr_store_batch_release(&batch);
}

/* True when opening or verifying says that something is damaged. */
static bool damage_is_found(struct kept_store *kept)
{
    struct hr_checkpoint *checkpoint = NULL;
    bool created = false;
    uint64_t pages;
    uint64_t bytes;
    enum hr_status status =
        hr_checkpoint_open_store(&kept->store, IDENTITY, LINEAGE, HISTORY_KEEP, &checkpoint, &created, &err);
    if (status == HR_OK) {
        status = hr_checkpoint_verify(checkpoint, &pages, &bytes, &err);
        hr_checkpoint_close(checkpoint);
    }
    CU_ASSERT_TRUE(status == HR_OK || status == HR_CORRUPT);
    return status == HR_CORRUPT;
}

/* A batch is prepared and dropped: its record stays. */
static void leave_dropped(struct kept_store *kept)
{
    struct hr_checkpoint_info info;
    struct hr_checkpoint *checkpoint = open_keeping(kept, HISTORY_KEEP, false);
    hr_checkpoint_info(checkpoint, &info);
    if (info.prepared < 0) {
        CU_ASSERT_EQUAL_FATAL(
            hr_checkpoint_prepare(checkpoint, info.committed + 1, HR_STR("to be dropped"), NULL, 0, &err), HR_OK);
    }
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_drop_prepared(checkpoint, true, &err), HR_OK);
    hr_checkpoint_close(checkpoint);
}

static void test_no_damage_goes_unnoticed(void)
{
    struct kept_store kept;
    static struct dump dump;
    kept_init(&kept);
    run_history(&kept, 77);
    leave_dropped(&kept);
    CU_ASSERT_EQUAL(hr_store_scan(kept.inner, HR_STR(""), dump_visit, &dump, &err), HR_OK);
    CU_ASSERT_TRUE(dump.count > 20);
    CU_ASSERT_FALSE(damage_is_found(&kept));
    size_t missed = 0;
    for (size_t i = 0; i < dump.count; i++) {
        size_t step = dump.value_lengths[i] / 16 + 1;
        for (size_t at = 0; at < dump.value_lengths[i]; at += step) {
            dump.values[i][at] ^= (char)(1 << (at % 8));
            dump_put(&dump, &kept, i, false);
            missed += !damage_is_found(&kept);
            dump.values[i][at] ^= (char)(1 << (at % 8));
        }
        dump_put(&dump, &kept, i, true);
        missed += dump.keys[i][0] != 'a' && !damage_is_found(&kept); /* without it, the range is chosen anew */
        dump_put(&dump, &kept, i, false);
        /* the value of the neighbour: whole, but in the wrong place */
        struct dump swapped = dump;
        size_t other = i == 0 ? 1 : i - 1;
        swapped.values[i] = dump.values[other];
        swapped.value_lengths[i] = dump.value_lengths[other];
        dump_put(&swapped, &kept, i, false);
        missed += !damage_is_found(&kept);
        dump_put(&dump, &kept, i, false);
    }
    CU_ASSERT_EQUAL(missed, 0);
    CU_ASSERT_FALSE(damage_is_found(&kept));
    for (size_t i = 0; i < dump.count; i++) {
        hr_free(dump.keys[i]);
        hr_free(dump.values[i]);
    }
    kept_release(&kept);
}

TEST_MAIN("checkpoint", {"create, prepare, commit", test_create_prepare_commit},
          {"opened after prepare", test_open_after_prepare}, {"a start reads pages once", test_start_reads_pages_once},
          {"a start goes on to the prepared batch", test_start_goes_on_to_prepared},
          {"large parts are read by key", test_large_parts_are_read_by_key},
          {"large parts are read side by side", test_large_parts_are_read_side_by_side},
          {"a part smaller than its region", test_smaller_part},
          {"a lost commit leaves a prepared batch", test_lost_commit_leaves_prepared},
          {"only dirty pages are written", test_only_dirty_pages_are_written}, {"keep and prune", test_keep_and_prune},
          {"identity and new lineage", test_identity_and_new_lineage}, {"a write that fails", test_failed_write},
          {"random histories", test_random_histories}, {"no damage goes unnoticed", test_no_damage_goes_unnoticed})
