/* SPDX-License-Identifier: Apache-2.0
 *
 * The rate source: row n has value n and the timestamp start + n / rowsPerSecond, as Spark's source of that name. A
 * record is the JSON text of both, made from n alone, so that a replay is the same bytes. Positions:
 *
 *     rate         the next value
 *     startMicros  the start time, µs since 1970; chosen once, at the very first start
 *
 * With numRows the source is bounded, and a run that wants what is there now (availableNow, eval) gets all rows at
 * once.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "stream/source.h"

#define POSITION_NAME HR_STR("rate")
#define START_NAME HR_STR("startMicros")
#define RECORD_BYTES_MAX 96
#define WAIT_SLICE_US 50000

struct rate_options {
    int64_t rows_per_second;
    int64_t rows_max;
};

static const struct hr_option rate_options[] = {
    HR_OPTION(struct rate_options, rows_per_second, "rowsPerSecond", INT, .fallback = "1", .minimum = 1, .maximum = 1e9,
              .help = "rows a second"),
    HR_OPTION(struct rate_options, rows_max, "numRows", INT, .minimum = 1, .maximum = 1e15,
              .help = "ends after so many rows; default: never"),
};

struct rate_source {
    struct hr_source base;
    struct hr_arena arenas[2]; /* records of the last two reads */
    int filling;
    int64_t opened_wall_us; /* the time goes on from here by the monotonic clock: a wall clock that is set back while
                             * the source is open does not stop it */
    int64_t opened_ns;
};

static const struct rate_options *options_of(const struct hr_source *base)
{
    return base->options;
}

static void rate_check(struct hr_source *base, struct hr_findings *findings)
{
    (void)findings;
    if (options_of(base)->rows_max > 0) {
        base->flags |= HR_SOURCE_BOUNDED;
    }
}

static int64_t rate_now_us(const struct hr_source *base)
{
    const struct rate_source *source = (const struct rate_source *)base;
    return source->opened_wall_us + (hr_clock_monotonic_ns(&hr_clock_system) - source->opened_ns) / 1000;
}

static enum hr_status rate_open(struct hr_source *base, const struct hr_offsets *committed, struct hr_error *err)
{
    struct rate_source *source = (struct rate_source *)base;
    source->opened_wall_us = hr_clock_wall_us(&hr_clock_system);
    source->opened_ns = hr_clock_monotonic_ns(&hr_clock_system);
    if (committed == NULL) {
        hr_offsets_set(&base->position, POSITION_NAME, -1, 0);
        hr_offsets_set(&base->position, START_NAME, -1, source->opened_wall_us);
        return HR_OK;
    }
    hr_offsets_copy(&base->position, committed);
    if (hr_offsets_find(&base->position, POSITION_NAME, -1) == NULL ||
        hr_offsets_find(&base->position, START_NAME, -1) == NULL) {
        return hr_fail(err, HR_CORRUPT, "the checkpoint has no positions 'rate' and 'startMicros'");
    }
    return HR_OK;
}

static int64_t rate_position(const struct hr_offsets *offsets)
{
    const struct hr_offset *offset = hr_offsets_find(offsets, POSITION_NAME, -1);
    return offset != NULL ? offset->position : 0;
}

static int64_t rate_start_us(const struct hr_source *base)
{
    return hr_offsets_find(&base->position, START_NAME, -1)->position;
}

/* µs after the start at which row n is due; exact for all n that a run can reach. */
static int64_t rate_due_us(const struct hr_source *base, int64_t row)
{
    int64_t rate = options_of(base)->rows_per_second;
    return row / rate * 1000000 + row % rate * 1000000 / rate;
}

/* Rows that are due at a time: row n is, when its timestamp is not later. */
static int64_t rate_rows_due(const struct hr_source *base, int64_t now_us)
{
    int64_t rate = options_of(base)->rows_per_second;
    int64_t since = now_us - rate_start_us(base);
    int64_t rows = since < 0 ? 0 : since / 1000000 * rate + since % 1000000 * rate / 1000000 + 1;
    int64_t rows_max = options_of(base)->rows_max;
    return rows_max > 0 && rows > rows_max ? rows_max : rows;
}

static enum hr_status rate_latest(struct hr_source *base, struct hr_offsets *out, struct hr_error *err)
{
    (void)err;
    int64_t rows_max = options_of(base)->rows_max;
    hr_offsets_copy(out, &base->position);
    int64_t due = rows_max > 0 ? rows_max : rate_rows_due(base, rate_now_us(base));
    int64_t position = rate_position(&base->position);
    hr_offsets_set(out, POSITION_NAME, -1, due > position ? due : position);
    return HR_OK;
}

/* Waits until row `position` is due, up to wait_us. */
static bool rate_wait(struct hr_source *base, int64_t position, int64_t wait_us)
{
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    bool due = false;
    for (;;) {
        int64_t now = rate_now_us(base);
        due = rate_rows_due(base, now) > position;
        base->waited_ns = hr_clock_monotonic_ns(&hr_clock_system) - begin;
        int64_t left = wait_us - base->waited_ns / 1000;
        if (due || left <= 0) {
            return due;
        }
        int64_t until = rate_start_us(base) + rate_due_us(base, position) - now;
        int64_t slice = until < WAIT_SLICE_US ? until : WAIT_SLICE_US;
        slice = slice < left ? slice : left;
        slice = slice > 100 ? slice : 100;
        if (base->stop == NULL) {
            hr_clock_system.sleep_us(hr_clock_system.context, slice);
        } else if (hr_stop_wait(base->stop, slice) > 0) {
            return false;
        }
    }
}

static enum hr_status rate_plan(struct hr_source *base, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                                struct hr_error *err)
{
    (void)err;
    int64_t position = rate_position(&base->position);
    int64_t rows_max = options_of(base)->rows_max;
    int64_t end;
    if (limit->target != NULL) {
        end = rate_position(limit->target);
        if (position >= end) {
            return HR_END;
        }
    } else {
        if (rows_max > 0 && position >= rows_max) {
            return HR_END;
        }
        if (!rate_wait(base, position, limit->wait_us)) {
            return HR_AGAIN;
        }
        end = rate_rows_due(base, rate_now_us(base));
    }
    hr_offsets_copy(out_end, &base->position);
    hr_offsets_set(out_end, POSITION_NAME, -1, end - position > limit->rows ? position + limit->rows : end);
    return HR_OK;
}

static struct hr_str rate_record(const struct hr_source *base, int64_t row, struct hr_arena *arena)
{
    char timestamp[40];
    char *text = hr_arena_alloc(arena, RECORD_BYTES_MAX);
    hr_clock_format_utc(rate_start_us(base) + rate_due_us(base, row), timestamp);
    int length = snprintf(text, RECORD_BYTES_MAX, "{\"timestamp\":\"%s\",\"value\":%" PRId64 "}", timestamp, row);
    return (struct hr_str){text, (size_t)length};
}

static enum hr_status rate_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                struct hr_error *err)
{
    (void)err;
    struct rate_source *source = (struct rate_source *)base;
    struct hr_arena *arena = &source->arenas[source->filling];
    source->filling ^= 1;
    hr_arena_reset(arena);
    /* A recorded range knows the start time it was made with. */
    const struct hr_offset *start = hr_offsets_find(end, START_NAME, -1);
    if (start != NULL) {
        hr_offsets_set(&base->position, START_NAME, -1, start->position);
    }
    int64_t last = rate_position(end);
    for (int64_t row = rate_position(&base->position); row < last; row++) {
        struct hr_record *record = hr_records_add(out);
        record->value = rate_record(base, row, arena);
        record->origin = POSITION_NAME;
        record->offset = row;
        record->timestamp_us = rate_start_us(base) + rate_due_us(base, row);
        record->flags = HR_RECORD_HAS_TIME;
        out->bytes += record->value.length;
    }
    hr_offsets_set(&base->position, POSITION_NAME, -1, last);
    return HR_OK;
}

static void rate_close(struct hr_source *base)
{
    struct rate_source *source = (struct rate_source *)base;
    hr_arena_release(&source->arenas[0]);
    hr_arena_release(&source->arenas[1]);
}

static const char *rate_describe(const struct hr_source *base)
{
    return hr_arena_printf(base->arena, "%" PRId64 " rows/s", options_of(base)->rows_per_second);
}

const struct hr_source_type hr_source_rate = {
    .kind =
        {
            .name = "rate",
            .summary = "rows made at a steady rate: timestamp and value 0, 1, 2, …",
            .doc =
                "For trying things out and for load tests. Row n has value n and the timestamp start + n / "
                "rowsPerSecond. Without a schema the columns are timestamp (timestamp) and value (long). With numRows "
                "the source ends; availableNow and eval then read all rows at once. Spark's source of the same name.",
            .example = "{type: rate, rowsPerSecond: 100, numRows: 1000}",
            .options = {rate_options, HR_ARRAY_LEN(rate_options)},
            .options_size = sizeof(struct rate_options),
            .instance_size = sizeof(struct rate_source),
        },
    .flags = HR_SOURCE_REPLAYABLE,
    .check = rate_check,
    .open = rate_open,
    .latest = rate_latest,
    .plan = rate_plan,
    .read = rate_read,
    .close = rate_close,
    .describe = rate_describe,
};
