/* SPDX-License-Identifier: Apache-2.0
 *
 * The key table: counts that are known in closed form, growth, keys whose hashes are the same, which pages change, and
 * the same bytes after save and load.
 */
#include "test.h"

#include <stdio.h>

#include "base/alloc.h"
#include "state/key_table.h"

#define MAXIMUM ((size_t)64 << 20)
#define ROWS 1000u

static struct hr_error err;

/* Keys of 1 to 60 bytes: some lie in their slots, some do not. */
static struct hr_str key_text(size_t number, char out[64])
{
    size_t pad = number % 53;
    memset(out, 'k', pad);
    int digits = snprintf(out + pad, 64 - pad, "%zu", number);
    return (struct hr_str){out, pad + (size_t)digits};
}

/* Rows [first, first + count): row r adds r to the sum of key r % keys, and 1 to its count. */
static void enter_rows(struct hr_key_table *table, size_t first, size_t count, size_t keys)
{
    static char texts[ROWS][64];
    struct hr_str names[ROWS] = {{0}};
    void *values[ROWS];
    for (size_t i = 0; i < count; i++) {
        names[i] = key_text((first + i) % keys, texts[i]);
    }
    CU_ASSERT_EQUAL_FATAL(hr_key_table_enter(table, names, count, values, &err), HR_OK);
    for (size_t i = 0; i < count; i++) {
        uint64_t *value = values[i];
        value[0] += 1;
        value[1] += first + i;
    }
}

static void enter_all(struct hr_key_table *table, size_t rows, size_t keys)
{
    for (size_t row = 0; row < rows; row += ROWS) {
        enter_rows(table, row, rows - row < ROWS ? rows - row : ROWS, keys);
    }
}

/* With rows = keys * n, key k was in rows k, k + keys, …: n of them, whose sum is n k + keys n (n − 1) / 2. */
static void check_all(const struct hr_key_table *table, size_t keys, size_t n)
{
    size_t wrong = 0;
    for (size_t k = 0; k < keys; k++) {
        char text[64];
        const uint64_t *value = hr_key_table_find(table, key_text(k, text));
        wrong += value == NULL || value[0] != n || value[1] != n * k + keys * n * (n - 1) / 2;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(table->count, keys);
}

static void test_counts_in_closed_form(void)
{
    struct hr_key_table table;
    hr_key_table_init(&table, 16, MAXIMUM);
    CU_ASSERT_PTR_NULL(hr_key_table_find(&table, HR_STR("k")));
    enter_all(&table, 7 * 5000, 5000);
    check_all(&table, 5000, 7);
    CU_ASSERT_PTR_NULL(hr_key_table_find(&table, HR_STR("k")));
    CU_ASSERT_PTR_NULL(hr_key_table_find(&table, HR_STR("")));
    hr_key_table_release(&table);
}

static void test_a_key_twice_in_one_batch_is_one(void)
{
    struct hr_key_table table;
    hr_key_table_init(&table, 8, MAXIMUM);
    struct hr_str keys[] = {HR_STR("a"),
                            HR_STR(""),
                            HR_STR("a"),
                            HR_STR("a key that is longer than a slot"),
                            HR_STR("a key that is longer than a slot"),
                            {NULL, 0}};
    void *values[HR_ARRAY_LEN(keys)];
    CU_ASSERT_EQUAL(hr_key_table_enter(&table, keys, HR_ARRAY_LEN(keys), values, &err), HR_OK);
    CU_ASSERT_EQUAL(table.count, 3);
    CU_ASSERT_PTR_EQUAL(values[0], values[2]);
    CU_ASSERT_PTR_EQUAL(values[3], values[4]);
    CU_ASSERT_PTR_EQUAL(values[1], values[5]);
    CU_ASSERT_PTR_NOT_EQUAL(values[0], values[1]);
    hr_key_table_release(&table);
}

static void test_longs(void)
{
    struct hr_key_table table;
    hr_key_table_init(&table, 8, MAXIMUM);
    int64_t keys[ROWS];
    void *values[ROWS];
    for (size_t batch = 0; batch < 30; batch++) {
        for (size_t i = 0; i < ROWS; i++) {
            keys[i] = (int64_t)((batch * ROWS + i) % 3000) - 1500;
        }
        CU_ASSERT_EQUAL_FATAL(hr_key_table_enter_longs(&table, keys, ROWS, values, &err), HR_OK);
        for (size_t i = 0; i < ROWS; i++) {
            *(int64_t *)values[i] += keys[i];
        }
    }
    size_t slot = 0;
    size_t wrong = 0;
    size_t seen = 0;
    struct hr_str text;
    const void *value;
    while (hr_key_table_next(&table, &slot, &text, &value)) {
        int64_t key;
        CU_ASSERT_EQUAL_FATAL(text.length, sizeof(key));
        memcpy(&key, text.data, sizeof(key));
        wrong += *(const int64_t *)value != 10 * key;
        seen++;
    }
    CU_ASSERT_EQUAL(seen, 3000);
    CU_ASSERT_EQUAL(wrong, 0);
    hr_key_table_release(&table);
}

/* Four hashes for all keys: only the bytes tell them apart, and most probes run past other keys and the end. */
static void test_hashes_that_collide(void)
{
    struct hr_key_table table;
    hr_key_table_init(&table, 16, MAXIMUM);
    table.hash_mask = UINT64_C(3) << 62;
    enter_all(&table, 3 * 1500, 1500);
    check_all(&table, 1500, 3);
    CU_ASSERT_PTR_NULL(hr_key_table_find(&table, HR_STR("no such key")));
    hr_key_table_release(&table);
}

static void test_values_of_any_size(void)
{
    static const size_t sizes[] = {1, 7, 8, 24, 5000, 9000};
    for (size_t s = 0; s < HR_ARRAY_LEN(sizes); s++) {
        struct hr_key_table table;
        hr_key_table_init(&table, sizes[s], MAXIMUM);
        size_t wrong = 0;
        for (int round = 0; round < 2; round++) {
            for (int64_t key = 0; key < 300; key++) {
                void *value;
                CU_ASSERT_EQUAL_FATAL(hr_key_table_enter_longs(&table, &key, 1, &value, &err), HR_OK);
                wrong += (size_t)value % 8 != 0;
                for (size_t i = 0; i < sizes[s]; i++) {
                    wrong += ((uint8_t *)value)[i] != (round == 0 ? 0 : (uint8_t)key);
                    ((uint8_t *)value)[i] = (uint8_t)key;
                }
            }
        }
        CU_ASSERT_EQUAL(wrong, 0);
        hr_key_table_release(&table);
    }
}

/* As a checkpoint does it: what is dirty goes to the copy, and is clean then. Returns how many pages that were. */
static size_t save(struct hr_paged *from, struct hr_paged *to)
{
    size_t pages = 0;
    for (size_t page = 0; page < hr_paged_page_count(from); page++) {
        if (from->dirty[page] != 0) {
            size_t start = page * HR_PAGE_SIZE;
            size_t length = from->size - start < HR_PAGE_SIZE ? from->size - start : HR_PAGE_SIZE;
            CU_ASSERT_EQUAL_FATAL(hr_paged_load(to, from->size, page, from->data + start, length, &err), HR_OK);
            pages++;
        }
    }
    hr_paged_clear_dirty(from);
    return pages;
}

static bool same_bytes(const struct hr_paged *a, const struct hr_paged *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

static void test_save_load_go_on(void)
{
    struct hr_key_table table;
    struct hr_key_table copy;
    hr_key_table_init(&table, 16, MAXIMUM);
    hr_key_table_init(&copy, 16, MAXIMUM);
    CU_ASSERT_EQUAL(hr_key_table_loaded(&copy, &err), HR_OK); /* nothing was ever entered */
    for (size_t row = 0; row < 20000; row += ROWS) {
        enter_rows(&table, row, ROWS, 7000); /* grows between saves */
        (void)save(&table.slots, &copy.slots);
        (void)save(&table.keys, &copy.keys);
        CU_ASSERT_TRUE(same_bytes(&table.slots, &copy.slots));
        CU_ASSERT_TRUE(same_bytes(&table.keys, &copy.keys));
    }
    CU_ASSERT_EQUAL_FATAL(hr_key_table_loaded(&copy, &err), HR_OK);
    for (size_t row = 20000; row < 42000; row += ROWS) {
        enter_rows(&table, row, ROWS, 14000);
        enter_rows(&copy, row, ROWS, 14000);
    }
    CU_ASSERT_EQUAL(table.count, 14000);
    CU_ASSERT_TRUE(same_bytes(&table.slots, &copy.slots));
    CU_ASSERT_TRUE(same_bytes(&table.keys, &copy.keys));
    hr_key_table_release(&table);
    hr_key_table_release(&copy);
}

static void test_few_pages_change(void)
{
    struct hr_key_table table;
    struct hr_key_table copy;
    hr_key_table_init(&table, 16, MAXIMUM);
    hr_key_table_init(&copy, 16, MAXIMUM);
    enter_all(&table, 20000, 20000);
    size_t all = save(&table.slots, &copy.slots);
    CU_ASSERT_TRUE(all > 300);
    enter_rows(&table, 0, 3, 20000);
    size_t few = save(&table.slots, &copy.slots);
    CU_ASSERT_TRUE(few >= 1 && few <= 6);
    CU_ASSERT_EQUAL(save(&table.keys, &copy.keys) > 0, true);
    enter_rows(&table, 0, 3, 20000);
    CU_ASSERT_EQUAL(save(&table.keys, &copy.keys), 0);
    hr_key_table_release(&table);
    hr_key_table_release(&copy);
}

static void test_too_large_enters_nothing(void)
{
    struct hr_key_table table;
    hr_key_table_init(&table, 16, 8192);
    enter_rows(&table, 0, 50, 50);
    struct hr_key_table before = table;
    struct hr_str keys[ROWS];
    void *values[ROWS];
    static char texts[ROWS][64];
    for (size_t i = 0; i < ROWS; i++) {
        keys[i] = key_text(i, texts[i]);
    }
    CU_ASSERT_EQUAL(hr_key_table_enter(&table, keys, ROWS, values, &err), HR_BAD_DATA);
    static const char huge[8000] = "";
    CU_ASSERT_EQUAL(hr_key_table_enter(&table, &(struct hr_str){huge, sizeof(huge)}, 1, values, &err), HR_BAD_DATA);
    CU_ASSERT_EQUAL(memcmp(&before, &table, sizeof(table)), 0);
    check_all(&table, 50, 1);
    hr_key_table_release(&table);
}

/* A table of ten long keys with one word of its region overwritten, loaded with values of that size. */
static enum hr_status load_damaged(size_t word, uint64_t with, size_t value_size)
{
    struct hr_key_table table;
    struct hr_key_table copy;
    hr_key_table_init(&table, 16, MAXIMUM);
    hr_key_table_init(&copy, value_size, MAXIMUM);
    enter_rows(&table, 40, 10, 50);
    ((uint64_t *)table.slots.data)[word] = with;
    (void)save(&table.slots, &copy.slots);
    (void)save(&table.keys, &copy.keys);
    enum hr_status status = hr_key_table_loaded(&copy, &err);
    hr_key_table_release(&table);
    hr_key_table_release(&copy);
    return status;
}

static void test_what_is_no_table_is_refused(void)
{
    CU_ASSERT_EQUAL(load_damaged(7, 0, 16), HR_OK);
    CU_ASSERT_EQUAL(load_damaged(7, 0, 24), HR_MISMATCH);
    CU_ASSERT_EQUAL(load_damaged(0, 1, 16), HR_CORRUPT);
    CU_ASSERT_EQUAL(load_damaged(2, 1 << 20, 16), HR_CORRUPT);
    CU_ASSERT_EQUAL(load_damaged(2, 63, 16), HR_CORRUPT);
    CU_ASSERT_EQUAL(load_damaged(3, 11, 16), HR_CORRUPT);
    CU_ASSERT_EQUAL(load_damaged(3, UINT64_MAX, 16), HR_CORRUPT);
}

static void test_a_key_outside_of_the_keys_is_refused(void)
{
    struct hr_key_table table;
    hr_key_table_init(&table, 16, MAXIMUM);
    enter_rows(&table, 40, 10, 50);
    CU_ASSERT_EQUAL(hr_key_table_loaded(&table, &err), HR_OK);
    table.keys.size /= 2;
    CU_ASSERT_EQUAL(hr_key_table_loaded(&table, &err), HR_CORRUPT);
    hr_key_table_release(&table);
}

TEST_MAIN("key_table", {"counts in closed form", test_counts_in_closed_form},
          {"a key twice in one batch is one", test_a_key_twice_in_one_batch_is_one}, {"longs", test_longs},
          {"hashes that collide", test_hashes_that_collide}, {"values of any size", test_values_of_any_size},
          {"save, load, go on", test_save_load_go_on}, {"few pages change", test_few_pages_change},
          {"too large enters nothing", test_too_large_enters_nothing},
          {"what is no table is refused", test_what_is_no_table_is_refused},
          {"a key outside of the keys is refused", test_a_key_outside_of_the_keys_is_refused})
