/* SPDX-License-Identifier: Apache-2.0
 *
 * The rate source: rows by number alone, the same again, and no faster than asked.
 */
#include "test.h"

#include <time.h>

#include "base/clock.h"
#include "stream/source_rows.h"

#define TEN_ROWS "{type: rate, rowsPerSecond: 1000000, numRows: 10}"

static void start_at(struct hr_offsets *offsets, int64_t next, int64_t start_us)
{
    hr_offsets_set(offsets, HR_STR("rate"), -1, next);
    hr_offsets_set(offsets, HR_STR("startMicros"), -1, start_us);
}

static void test_rows_are_made_of_their_number(void)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    start_at(&committed, 3, 1000000000000000);
    source_rows_open(&self, "{type: rate, rowsPerSecond: 4}", "json", &committed);
    start_at(&self.end, 6, 1000000000000000);
    for (int again = 0; again <= 1; again++) {
        TEST_TEXT_EQUAL(source_rows_read(&self), "{\"timestamp\":\"2001-09-09T01:46:40.75Z\",\"value\":3} "
                                                 "{\"timestamp\":\"2001-09-09T01:46:41Z\",\"value\":4} "
                                                 "{\"timestamp\":\"2001-09-09T01:46:41.25Z\",\"value\":5} ");
        CU_ASSERT_EQUAL(self.records.items[2].offset, 5);
        CU_ASSERT_EQUAL(self.records.items[2].timestamp_us, 1000000001250000);
        CU_ASSERT_EQUAL(hr_source_open(self.source, &committed, &self.err), HR_OK);
    }
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

/* Records of the batch before stay readable while the next one is made. */
static void test_two_batches_at_a_time(void)
{
    struct source_rows self;
    struct hr_records second = {0};
    source_rows_open(&self, TEN_ROWS, "json", NULL);
    source_rows_bound(&self);
    CU_ASSERT_EQUAL(source_rows_plan(&self, 2, 0), HR_OK);
    CU_ASSERT_EQUAL(hr_source_read(self.source, &self.end, &self.records, &self.err), HR_OK);
    CU_ASSERT_EQUAL(source_rows_plan(&self, 2, 0), HR_OK);
    CU_ASSERT_EQUAL(hr_source_read(self.source, &self.end, &second, &self.err), HR_OK);
    CU_ASSERT_EQUAL_FATAL(self.records.count, 2);
    CU_ASSERT_EQUAL(self.records.items[1].value.data[self.records.items[1].value.length - 2], '1');
    CU_ASSERT_EQUAL(second.items[1].value.data[second.items[1].value.length - 2], '3');
    hr_records_release(&second);
    source_rows_close(&self);
}

static void test_bounded(void)
{
    struct source_rows self;
    source_rows_open(&self, TEN_ROWS, "json", NULL);
    CU_ASSERT_TRUE(self.source->flags & HR_SOURCE_BOUNDED);
    source_rows_bound(&self);
    static const size_t counts[] = {4, 4, 2};
    for (size_t i = 0; i < HR_ARRAY_LEN(counts); i++) {
        CU_ASSERT_EQUAL(source_rows_plan(&self, 4, 0), HR_OK);
        source_rows_read(&self);
        CU_ASSERT_EQUAL(self.records.count, counts[i]);
    }
    TEST_TEXT_EQUAL(source_rows_next(&self, 4), "END");
    source_rows_close(&self);
    source_rows_open(&self, "{type: rate, rowsPerSecond: 5}", "json", NULL);
    CU_ASSERT_FALSE(self.source->flags & HR_SOURCE_BOUNDED);
    source_rows_close(&self);
}

/* Rows that are due now and no others: the start is moved to the past and to the future. */
static void test_rows_are_due_by_the_clock(void)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    int64_t now_us = hr_clock_wall_us(&hr_clock_system);
    start_at(&committed, 0, now_us - 3500000);
    source_rows_open(&self, "{type: rate, rowsPerSecond: 1}", "json", &committed);
    CU_ASSERT_EQUAL(source_rows_plan(&self, 1000, 0), HR_OK);
    int64_t end = hr_offsets_find(&self.end, HR_STR("rate"), -1)->position;
    CU_ASSERT_TRUE(end >= 4 && end <= 5 + (hr_clock_wall_us(&hr_clock_system) - now_us) / 1000000);
    source_rows_close(&self);
    hr_offsets_release(&committed);
    start_at(&committed, 0, now_us + 3600000000);
    source_rows_open(&self, "{type: rate, rowsPerSecond: 1}", "json", &committed);
    TEST_TEXT_EQUAL(source_rows_next(&self, 1000), "AGAIN");
    source_rows_close(&self);
    hr_offsets_release(&committed);
    /* waits until the first one is due */
    start_at(&committed, 1, hr_clock_wall_us(&hr_clock_system) - 900000);
    source_rows_open(&self, "{type: rate, rowsPerSecond: 1}", "json", &committed);
    CU_ASSERT_EQUAL(source_rows_plan(&self, 1000, 5000000), HR_OK);
    CU_ASSERT_TRUE(self.source->waited_ns > 0);
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

static void test_a_foreign_checkpoint_is_refused(void)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    hr_offsets_set(&committed, HR_STR("topic"), 0, 1);
    source_rows_new(&self, TEN_ROWS, "json");
    CU_ASSERT_EQUAL(hr_source_open(self.source, &committed, &self.err), HR_CORRUPT);
    source_rows_close(&self);
    hr_offsets_release(&committed);
}

TEST_MAIN("source_rate", {"rows are made of their number", test_rows_are_made_of_their_number},
          {"two batches at a time", test_two_batches_at_a_time}, {"bounded", test_bounded},
          {"rows are due by the clock", test_rows_are_due_by_the_clock},
          {"a foreign checkpoint is refused", test_a_foreign_checkpoint_is_refused})
