/* SPDX-License-Identifier: Apache-2.0
 *
 * Time as a port, so that a run can be simulated: wall clock for timestamps in documents, monotonic clock for measuring
 * and waiting. No wall clock ever enters what a batch computes.
 */
#ifndef HR_BASE_CLOCK_H
#define HR_BASE_CLOCK_H

#include <stdint.h>

struct hr_clock {
    int64_t (*wall_us)(void *context); /* µs since 1970, UTC */
    int64_t (*monotonic_ns)(void *context);
    void (*sleep_us)(void *context, int64_t duration_us);
    void *context;
};

extern const struct hr_clock hr_clock_system;

static inline int64_t hr_clock_wall_us(const struct hr_clock *clock)
{
    return clock->wall_us(clock->context);
}
static inline int64_t hr_clock_monotonic_ns(const struct hr_clock *clock)
{
    return clock->monotonic_ns(clock->context);
}

/* Timestamps as RFC 3339 UTC text with as many digits of fraction as needed, at most six ("2026-01-31T10:00:00Z",
 * "….5Z"). out has 40 bytes; returns the length. Years 0001–9999. */
int hr_clock_format_utc(int64_t timestamp_us, char out[40]);
/* Always three digits of fraction, as Spark's progress documents. */
int hr_clock_format_utc_ms(int64_t timestamp_us, char out[40]);

#endif
