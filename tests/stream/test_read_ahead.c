/* SPDX-License-Identifier: Apache-2.0
 *
 * Read-ahead over a source that is slow, has nothing, ends, or fails: what is taken is what the source said, nothing is
 * touched before join, and a batch that is not taken is forgotten.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/read_ahead.h"

struct fake {
    struct hr_source base;
    enum hr_status plan;
    enum hr_status read;
    int64_t rows;
    unsigned delay_us;
    int plans;
    int reads;
    pthread_t caller;
};

static struct hr_error err;

static enum hr_status fake_plan(struct hr_source *base, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                                struct hr_error *error)
{
    struct fake *fake = (struct fake *)base;
    fake->plans++;
    fake->caller = pthread_self();
    usleep(fake->delay_us);
    if (fake->plan == HR_OK) {
        CU_ASSERT_EQUAL(limit->wait_us, 0);
        int64_t begin = hr_offsets_find(&base->position, HR_STR("log"), 0)->position;
        hr_offsets_set(out_end, HR_STR("log"), 0, begin + (fake->rows < limit->rows ? fake->rows : limit->rows));
        return HR_OK;
    }
    return fake->plan == HR_AGAIN || fake->plan == HR_END ? fake->plan : hr_fail(error, fake->plan, "no plan");
}

static enum hr_status fake_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                struct hr_error *error)
{
    struct fake *fake = (struct fake *)base;
    fake->reads++;
    usleep(fake->delay_us);
    if (fake->read != HR_OK) {
        return hr_fail(error, fake->read, "cannot read");
    }
    int64_t last = hr_offsets_find(end, HR_STR("log"), 0)->position;
    for (int64_t i = hr_offsets_find(&base->position, HR_STR("log"), 0)->position; i < last; i++) {
        hr_records_add(out)->offset = i;
    }
    hr_offsets_set(&base->position, HR_STR("log"), 0, last);
    return HR_OK;
}

static const struct hr_source_type fake_type = {.kind = {.name = "fake"}, .plan = fake_plan, .read = fake_read};

struct fixture {
    struct fake fake;
    struct hr_read_ahead ahead;
    struct hr_records records;
    struct hr_offsets start;
    enum hr_status planned;
    enum hr_status read;
};

static void fixture_init(struct fixture *fixture, enum hr_status plan, enum hr_status read)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->fake = (struct fake){.base = {.type = &fake_type, .id = "fake"}, .plan = plan, .read = read, .rows = 7};
    hr_offsets_set(&fixture->fake.base.position, HR_STR("log"), 0, 100);
    hr_read_ahead_init(&fixture->ahead);
}

static void fixture_release(struct fixture *fixture)
{
    hr_read_ahead_release(&fixture->ahead);
    hr_records_release(&fixture->records);
    hr_offsets_release(&fixture->start);
    hr_offsets_release(&fixture->fake.base.position);
}

static void begin(struct fixture *fixture)
{
    struct hr_source_limit limit = {.rows = 5, .wait_us = 1000000};
    hr_read_ahead_begin(&fixture->ahead, &fixture->fake.base, &limit, &fixture->records);
}

static bool take(struct fixture *fixture)
{
    fixture->planned = fixture->read = HR_BUG;
    return hr_read_ahead_take(&fixture->ahead, &fixture->start, &fixture->planned, &fixture->read, &err);
}

static void test_batches_in_turn(void)
{
    struct fixture fixture;
    fixture_init(&fixture, HR_OK, HR_OK);
    CU_ASSERT_FALSE(take(&fixture)); /* nothing was begun */
    fixture.fake.delay_us = 2000;
    for (int64_t batch = 0; batch < 20; batch++) {
        begin(&fixture);
        hr_read_ahead_join(&fixture.ahead);
        CU_ASSERT_TRUE_FATAL(take(&fixture));
        CU_ASSERT_FALSE(pthread_equal(fixture.fake.caller, pthread_self()));
        CU_ASSERT_TRUE(fixture.planned == HR_OK && fixture.read == HR_OK);
        CU_ASSERT_EQUAL(hr_offsets_find(&fixture.start, HR_STR("log"), 0)->position, 100 + batch * 5);
        CU_ASSERT_EQUAL(hr_offsets_find(&fixture.fake.base.position, HR_STR("log"), 0)->position, 105 + batch * 5);
        CU_ASSERT_EQUAL_FATAL(fixture.records.count, 5);
        CU_ASSERT_EQUAL(fixture.records.items[4].offset, 104 + batch * 5);
        CU_ASSERT_FALSE(take(&fixture)); /* once */
    }
    fixture_release(&fixture);
}

static void test_nothing_end_failures(void)
{
    static const struct {
        enum hr_status plan;
        enum hr_status read;
        bool taken;
        const char *text;
    } rows[] = {
        {HR_AGAIN, HR_OK, false, ""},
        {HR_END, HR_OK, true, ""},
        {HR_DATA_LOSS, HR_OK, true, "source 'fake': no plan"},
        {HR_OK, HR_UNAVAILABLE, true, "source 'fake': cannot read"},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(rows); i++) {
        struct fixture fixture;
        fixture_init(&fixture, rows[i].plan, rows[i].read);
        begin(&fixture);
        hr_read_ahead_join(&fixture.ahead);
        err.text[0] = '\0';
        CU_ASSERT_EQUAL(take(&fixture), rows[i].taken);
        CU_ASSERT_EQUAL(fixture.planned, rows[i].taken ? rows[i].plan : HR_BUG);
        CU_ASSERT_EQUAL(fixture.read, rows[i].taken ? rows[i].read : HR_BUG);
        if (rows[i].text[0] != '\0') {
            TEST_TEXT_EQUAL(err.text, rows[i].text);
        }
        CU_ASSERT_EQUAL(fixture.fake.reads, rows[i].plan == HR_OK);
        CU_ASSERT_FALSE(take(&fixture));
        fixture_release(&fixture);
    }
}

/* A run that ends while the thread is at work waits for it: source and records are freed right after. */
static void test_release_waits(void)
{
    struct fixture fixture;
    fixture_init(&fixture, HR_OK, HR_OK);
    fixture.fake.delay_us = 50000;
    begin(&fixture);
    hr_read_ahead_release(&fixture.ahead);
    CU_ASSERT_EQUAL(fixture.fake.reads, 1);
    CU_ASSERT_EQUAL(fixture.records.count, 5);
    hr_read_ahead_init(&fixture.ahead);
    fixture_release(&fixture);
}

TEST_MAIN("read-ahead", {"batches in turn", test_batches_in_turn},
          {"nothing, the end, failures", test_nothing_end_failures}, {"release waits", test_release_waits})
