/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch records: what is written is read, and no cut or flipped byte is taken for a record.
 */
#include "test.h"

#include "stream/record.h"

static void make_record(struct hr_batch_record *record)
{
    *record = (struct hr_batch_record){
        .batch = 12,
        .input_rows = 100,
        .output_rows = 97,
        .dead_letters = 3,
        .lost_rows = 1,
        .timestamp_us = 1760000000000000,
    };
    hr_offsets_set(&record->start, HR_STR("topic"), 0, 5);
    hr_offsets_set(&record->end, HR_STR("topic"), 0, 50);
    struct hr_offset *offset = hr_offsets_set(&record->end, HR_STR("topic"), 1, 60);
    offset->has_anchor = true;
    offset->anchor_offset = 59;
    offset->anchor_crc = 0xdeadbeef;
    hr_batch_record_set_mark(record, "out", 12);
    hr_batch_record_set_mark(record, "deadLetter", 3);
}

static void test_round_trip(void)
{
    struct hr_batch_record record;
    struct hr_batch_record read = {.batch = -1};
    struct hr_buf buf;
    struct hr_error err;
    make_record(&record);
    hr_buf_init(&buf, 1 << 20);
    hr_batch_record_encode(&record, &buf);
    CU_ASSERT_EQUAL_FATAL(hr_batch_record_decode(hr_buf_str(&buf), &read, &err), HR_OK);
    CU_ASSERT_EQUAL(read.batch, 12);
    CU_ASSERT_EQUAL(read.input_rows, 100);
    CU_ASSERT_EQUAL(read.dead_letters, 3);
    CU_ASSERT_TRUE(hr_offsets_equal(&read.end, &record.end));
    CU_ASSERT_FALSE(hr_offsets_equal(&read.start, &record.end));
    CU_ASSERT_EQUAL(hr_offsets_find(&read.end, HR_STR("topic"), 1)->anchor_crc, 0xdeadbeef);
    CU_ASSERT_EQUAL(hr_batch_record_mark(&read, "out"), 12);
    CU_ASSERT_EQUAL(hr_batch_record_mark(&read, "deadLetter"), 3);
    CU_ASSERT_EQUAL(hr_batch_record_mark(&read, "other"), -1);
    hr_batch_record_release(&read);
    hr_batch_record_release(&record);
    hr_buf_release(&buf);
}

static void test_damage_is_refused(void)
{
    struct hr_batch_record record;
    struct hr_batch_record read = {.batch = -1};
    struct hr_buf buf;
    struct hr_error err;
    make_record(&record);
    hr_buf_init(&buf, 1 << 20);
    hr_batch_record_encode(&record, &buf);
    for (size_t length = 0; length < buf.length; length++) {
        CU_ASSERT_NOT_EQUAL(hr_batch_record_decode((struct hr_str){buf.data, length}, &read, &err), HR_OK);
    }
    for (size_t i = 0; i < buf.length; i++) {
        buf.data[i] ^= 0x10;
        CU_ASSERT_NOT_EQUAL(hr_batch_record_decode(hr_buf_str(&buf), &read, &err), HR_OK);
        buf.data[i] ^= 0x10;
    }
    hr_batch_record_release(&read);
    hr_batch_record_release(&record);
    hr_buf_release(&buf);
}

TEST_MAIN("record", {"round trip", test_round_trip}, {"damage is refused", test_damage_is_refused})
