/* SPDX-License-Identifier: Apache-2.0
 *
 * Positions: order, text, bytes, and sharing a limit over partitions.
 */
#include "test.h"

#include <string.h>

#include "stream/offset.h"

static struct hr_error err;

static const char *json_of(const struct hr_offsets *offsets)
{
    static char text[512];
    struct hr_buf buf;
    struct hr_json json;
    hr_buf_init(&buf, sizeof(text) - 1);
    hr_json_init(&json, &buf);
    hr_offsets_write(offsets, &json);
    snprintf(text, sizeof(text), "%s", hr_buf_text(&buf));
    hr_buf_release(&buf);
    return text;
}

static void set(struct hr_offsets *offsets, const char *name, int32_t partition, int64_t position)
{
    hr_offsets_set(offsets, hr_str_from(name), partition, position);
}

static void test_json(void)
{
    struct hr_offsets offsets = {0};
    TEST_TEXT_EQUAL(json_of(&offsets), "{}");
    set(&offsets, "b", 10, 7);
    set(&offsets, "a", 0, 1);
    set(&offsets, "b", 2, 9007199254740993);
    set(&offsets, "a", 1, -1);
    TEST_TEXT_EQUAL(json_of(&offsets), "{\"a\":{\"0\":1,\"1\":-1},\"b\":{\"2\":9007199254740993,\"10\":7}}");
    hr_offsets_release(&offsets);
    set(&offsets, "in/\"two\".json", -1, 5);
    set(&offsets, "in/one.json", -1, 12);
    TEST_TEXT_EQUAL(json_of(&offsets), "{\"in/\\\"two\\\".json\":5,\"in/one.json\":12}");
    hr_offsets_release(&offsets);
}

static void test_remove(void)
{
    struct hr_offsets offsets = {0};
    set(&offsets, "a", 0, 1);
    set(&offsets, "a", 1, 2);
    set(&offsets, "b", 0, 3);
    hr_offsets_remove(&offsets, HR_STR("a"), 2);
    TEST_TEXT_EQUAL(json_of(&offsets), "{\"a\":{\"0\":1,\"1\":2},\"b\":{\"0\":3}}");
    hr_offsets_remove(&offsets, HR_STR("a"), 1);
    TEST_TEXT_EQUAL(json_of(&offsets), "{\"a\":{\"0\":1},\"b\":{\"0\":3}}");
    hr_offsets_remove(&offsets, HR_STR("b"), 0);
    hr_offsets_remove(&offsets, HR_STR("a"), 0);
    CU_ASSERT_EQUAL(offsets.count, 0);
    set(&offsets, "c", 0, 4);
    TEST_TEXT_EQUAL(json_of(&offsets), "{\"c\":{\"0\":4}}");
    hr_offsets_release(&offsets);
}

/* Whatever the order of insertion: the same bytes. */
static void test_equal_sets_have_equal_bytes(void)
{
    struct hr_offsets forward = {0};
    struct hr_offsets backward = {0};
    struct hr_buf bytes[2];
    for (int i = 0; i < 50; i++) {
        set(&forward, i % 2 ? "x" : "xy", i, i * 3);
        set(&backward, (49 - i) % 2 ? "x" : "xy", 49 - i, 0);
        set(&backward, (49 - i) % 2 ? "x" : "xy", 49 - i, (49 - i) * 3);
    }
    CU_ASSERT_EQUAL(forward.count, 50);
    CU_ASSERT_TRUE(hr_offsets_equal(&forward, &backward));
    for (int i = 0; i < 2; i++) {
        struct hr_wire_writer writer;
        hr_buf_init(&bytes[i], 1 << 16);
        hr_wire_begin(&writer, &bytes[i], "TEST", 1);
        hr_offsets_encode(i == 0 ? &forward : &backward, &writer);
        hr_wire_end(&writer);
    }
    CU_ASSERT_TRUE(hr_str_equal(hr_buf_str(&bytes[0]), hr_buf_str(&bytes[1])));
    set(&backward, "x", 1, 4);
    CU_ASSERT_FALSE(hr_offsets_equal(&forward, &backward));
    set(&backward, "x", 1, 3);
    set(&backward, "z", 1, 3);
    CU_ASSERT_FALSE(hr_offsets_equal(&forward, &backward));
    CU_ASSERT_EQUAL(hr_offsets_find(&forward, HR_STR("xy"), 4)->position, 12);
    CU_ASSERT_PTR_NULL(hr_offsets_find(&forward, HR_STR("xy"), 5));
    CU_ASSERT_PTR_NULL(hr_offsets_find(&forward, HR_STR(""), 4));
    hr_offsets_release(&forward);
    hr_offsets_release(&backward);
    hr_buf_release(&bytes[0]);
    hr_buf_release(&bytes[1]);
}

static void test_bytes_round_trip(void)
{
    struct hr_offsets offsets = {0};
    struct hr_offsets read = {0};
    struct hr_buf bytes;
    struct hr_wire_writer writer;
    struct hr_wire_reader reader;
    set(&offsets, "topic", 3, 17);
    struct hr_offset *file = hr_offsets_set(&offsets, HR_STR("in/a.json"), -1, 400);
    file->line = 12;
    file->has_anchor = true;
    file->anchor_offset = 390;
    file->anchor_timestamp_us = -5;
    file->anchor_crc = 0xfeedface;
    hr_buf_init(&bytes, 1 << 16);
    hr_wire_begin(&writer, &bytes, "TEST", 1);
    hr_offsets_encode(&offsets, &writer);
    hr_wire_end(&writer);
    set(&read, "old", 0, 1);
    CU_ASSERT_EQUAL(hr_wire_open(&reader, bytes.data, bytes.length, "TEST", 1, "test", &err), HR_OK);
    CU_ASSERT_EQUAL_FATAL(hr_offsets_decode(&reader, &read, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_wire_done(&reader, "test", &err), HR_OK);
    CU_ASSERT_TRUE(hr_offsets_equal(&offsets, &read));
    file = hr_offsets_find(&read, HR_STR("in/a.json"), -1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(file->has_anchor);
    CU_ASSERT_EQUAL(file->line, 12);
    CU_ASSERT_EQUAL(file->anchor_offset, 390);
    CU_ASSERT_EQUAL(file->anchor_timestamp_us, -5);
    CU_ASSERT_EQUAL(file->anchor_crc, 0xfeedface);
    CU_ASSERT_FALSE(hr_offsets_find(&read, HR_STR("topic"), 3)->has_anchor);
    /* a copy does not share memory */
    struct hr_offsets copy = {0};
    hr_offsets_copy(&copy, &read);
    hr_offsets_release(&read);
    CU_ASSERT_TRUE(hr_offsets_equal(&offsets, &copy));
    CU_ASSERT_EQUAL(hr_offsets_find(&copy, HR_STR("in/a.json"), -1)->anchor_crc, 0xfeedface);
    hr_offsets_release(&copy);
    hr_offsets_release(&offsets);
    hr_buf_release(&bytes);
}

static void test_bad_bytes_are_refused(void)
{
    struct hr_buf bytes;
    struct hr_offsets read = {0};
    struct hr_wire_writer writer;
    struct hr_wire_reader reader;
    static const int64_t counts[] = {2, INT64_MAX, 3};
    for (size_t i = 0; i < HR_ARRAY_LEN(counts); i++) {
        hr_buf_init(&bytes, 1 << 16);
        hr_wire_begin(&writer, &bytes, "TEST", 1);
        hr_wire_put_i64(&writer, counts[i]);
        for (int k = 0; k < 2; k++) { /* "b" then "a": out of order, or fewer than the count says */
            hr_wire_put_str(&writer,
                            i == 0 ? (k == 0 ? HR_STR("b") : HR_STR("a")) : (k == 0 ? HR_STR("a") : HR_STR("b")));
            hr_wire_put_u32(&writer, 0);
            hr_wire_put_i64(&writer, 1);
            hr_wire_put_i64(&writer, 0);
            hr_wire_put_u8(&writer, 0);
        }
        hr_wire_end(&writer);
        CU_ASSERT_EQUAL(hr_wire_open(&reader, bytes.data, bytes.length, "TEST", 1, "test", &err), HR_OK);
        CU_ASSERT_EQUAL(hr_offsets_decode(&reader, &read, &err), HR_CORRUPT);
        CU_ASSERT_EQUAL(read.count, 0);
        hr_buf_release(&bytes);
    }
}

/* from, to and the shares, of at most four partitions; −1: no such partition in `from`. */
static void test_limit_is_shared(void)
{
    static const struct {
        int64_t limit;
        int64_t from[4];
        int64_t to[4];
        int64_t expected[4];
    } rows[] = {
        {100, {0, 0, 0, 0}, {10, 20, 30, 40}, {10, 20, 30, 40}},  /* all fits exactly */
        {1000, {0, 0, 0, 0}, {10, 20, 30, 40}, {10, 20, 30, 40}}, /* and more than that */
        {50, {0, 0, 0, 0}, {10, 20, 30, 40}, {5, 10, 15, 20}},    /* in proportion */
        {10, {100, 0, 0, 0}, {110, 10, 0, 0}, {105, 5, 0, 0}},    /* of what waits, not of the positions */
        {4, {0, 0, 0, 0}, {1000, 1, 1, 1}, {3, 1, 1, 1}},         /* at least one row for each */
        {1, {0, 0, 0, 0}, {5, 5, 5, 0}, {1, 1, 1, 0}},            /* even when that is more than the limit */
        {10, {0, 0, 0, 0}, {7, 7, 7, 0}, {3, 3, 3, 0}},           /* shares are rounded down */
        {3, {5, 9, 0, 0}, {5, 4, 10, 0}, {5, 4, 3, 0}},           /* nothing waits, or a topic made anew */
        {2, {-1, 0, 0, 0}, {6, 0, 0, 0}, {2, 0, 0, 0}},           /* a partition that is new */
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(rows); i++) {
        struct hr_offsets from = {0};
        struct hr_offsets to = {0};
        struct hr_offsets out = {0};
        for (int p = 0; p < 4; p++) {
            if (rows[i].from[p] >= 0) {
                set(&from, "t", p, rows[i].from[p]);
            }
            set(&to, "t", p, rows[i].to[p]);
        }
        hr_offsets_limit(&from, &to, rows[i].limit, &out);
        CU_ASSERT_EQUAL(out.count, 4);
        for (int p = 0; p < 4; p++) {
            int64_t position = hr_offsets_find(&out, HR_STR("t"), p)->position;
            if (position != rows[i].expected[p]) {
                printf("\nrow %zu, partition %d: %lld\n", i, p, (long long)position);
            }
            CU_ASSERT_EQUAL(position, rows[i].expected[p]);
        }
        hr_offsets_release(&from);
        hr_offsets_release(&to);
        hr_offsets_release(&out);
    }
}

/* With any limit the end is reached, no partition stands still, and none is read past it. */
static void test_limit_always_gets_on(void)
{
    for (int64_t limit = 1; limit < 40; limit += 3) {
        struct hr_offsets from = {0};
        struct hr_offsets to = {0};
        int64_t ends[] = {1, 13, 100, 0};
        for (int p = 0; p < 4; p++) {
            set(&to, "t", p, ends[p]);
        }
        int batches = 0;
        while (!hr_offsets_equal(&from, &to) && batches < 200) {
            struct hr_offsets out = {0};
            hr_offsets_limit(&from, &to, limit, &out);
            int64_t rows = 0;
            for (int p = 0; p < 4; p++) {
                const struct hr_offset *before = hr_offsets_find(&from, HR_STR("t"), p);
                int64_t begin = before != NULL ? before->position : 0;
                int64_t end = hr_offsets_find(&out, HR_STR("t"), p)->position;
                CU_ASSERT_TRUE(end <= ends[p] && (begin == ends[p] ? end == begin : end > begin));
                rows += end - begin;
            }
            CU_ASSERT_TRUE(rows <= limit + 2); /* three partitions, each rounded up by less than a row */
            hr_offsets_copy(&from, &out);
            hr_offsets_release(&out);
            batches++;
        }
        CU_ASSERT_TRUE(batches < 200);
        hr_offsets_release(&from);
        hr_offsets_release(&to);
    }
}

TEST_MAIN("offset", {"JSON", test_json}, {"remove", test_remove},
          {"equal sets have equal bytes", test_equal_sets_have_equal_bytes},
          {"bytes, there and back", test_bytes_round_trip}, {"bad bytes are refused", test_bad_bytes_are_refused},
          {"a limit is shared", test_limit_is_shared}, {"a limit always gets on", test_limit_always_gets_on})
