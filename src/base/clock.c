/* SPDX-License-Identifier: Apache-2.0
 *
 * The system's clocks, and UTC text without gmtime.
 */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t system_wall_us(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_monotonic_ns(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void system_sleep_us(void *context, int64_t duration_us)
{
    (void)context;
    struct timespec left = {.tv_sec = duration_us / 1000000, .tv_nsec = duration_us % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

const struct hr_clock hr_clock_system = {
    .wall_us = system_wall_us,
    .monotonic_ns = system_monotonic_ns,
    .sleep_us = system_sleep_us,
};

struct civil {
    int64_t year;
    int month;
    int day;
    int64_t second_of_day;
    int microsecond;
};

/* Proleptic Gregorian date of a day number, by 400-year cycles that start in March (H. Hinnant, "chrono-compatible
 * low-level date algorithms"). */
static struct civil civil_from(int64_t timestamp_us)
{
    const int64_t day_us = 86400000000;
    int64_t days = timestamp_us / day_us - (timestamp_us % day_us < 0);
    int64_t in_day_us = timestamp_us - days * day_us;
    int64_t shifted = days + 719468; /* days since 0000-03-01 */
    int64_t cycle = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_cycle = shifted - cycle * 146097;
    int64_t year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
    int64_t day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    int month_from_march = (int)((5 * day_of_year + 2) / 153);
    int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct civil){
        .year = year_of_cycle + cycle * 400 + (month <= 2),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .second_of_day = in_day_us / 1000000,
        .microsecond = (int)(in_day_us % 1000000),
    };
}

static char *put_two(char *out, unsigned value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return out + 2;
}

/* Every row with a time stamp comes by here, so no printf, which costs 200 ns. */
static int civil_format(const struct civil *civil, char out[40])
{
    unsigned second = (unsigned)civil->second_of_day;
    char *to = out;
    if (civil->year < 0 || civil->year > 9999) {
        to += snprintf(out, 16, "%04lld", (long long)civil->year);
    } else {
        to = put_two(to, (unsigned)civil->year / 100);
        to = put_two(to, (unsigned)civil->year % 100);
    }
    *to++ = '-';
    to = put_two(to, (unsigned)civil->month);
    *to++ = '-';
    to = put_two(to, (unsigned)civil->day);
    *to++ = 'T';
    to = put_two(to, second / 3600);
    *to++ = ':';
    to = put_two(to, second / 60 % 60);
    *to++ = ':';
    to = put_two(to, second % 60);
    return (int)(to - out);
}

int hr_clock_format_utc(int64_t timestamp_us, char out[40])
{
    struct civil civil = civil_from(timestamp_us);
    int length = civil_format(&civil, out);
    if (civil.microsecond != 0) {
        unsigned microsecond = (unsigned)civil.microsecond;
        out[length] = '.';
        (void)put_two(put_two(put_two(out + length + 1, microsecond / 10000), microsecond / 100 % 100),
                      microsecond % 100);
        length += 7;
        while (out[length - 1] == '0') {
            length--;
        }
    }
    out[length++] = 'Z';
    out[length] = '\0';
    return length;
}

int hr_clock_format_utc_ms(int64_t timestamp_us, char out[40])
{
    struct civil civil = civil_from(timestamp_us);
    int length = civil_format(&civil, out);
    return length + snprintf(out + length, 40 - (size_t)length, ".%03dZ", civil.microsecond / 1000);
}
