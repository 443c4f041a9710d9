/* SPDX-License-Identifier: Apache-2.0
 *
 * Time stamps. Days from a civil date by counting from 0000-03-01, so that the leap day is the last of the year.
 */
#include "data/timestamp.h"

#include <math.h>
#include <string.h>
#include <unicode/udat.h>
#include <unicode/ustring.h>

#include "base/alloc.h"
#include "base/str.h"

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : -1;
}

/* A number of exactly `count` digits; -1 when it is not. */
static int number(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        int d = digit(text[i]);
        if (d < 0) {
            return -1;
        }
        value = value * 10 + d;
    }
    return value;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* The fraction's microseconds; *length is how many characters it takes, 0 when there is none, and -1 after a bare dot.
 */
static int64_t fraction(const char *text, size_t available, int *length)
{
    *length = 0;
    if (available == 0 || text[0] != '.') {
        return 0;
    }
    int64_t value = 0;
    int digits = 0;
    while ((size_t)digits + 1 < available && digit(text[digits + 1]) >= 0) {
        if (digits < 6) {
            value = value * 10 + digit(text[digits + 1]);
        }
        digits++;
    }
    for (int i = digits; i < 6; i++) {
        value *= 10;
    }
    *length = digits == 0 ? -1 : digits + 1;
    return value;
}

/* Zone at the end of the text as seconds east of UTC. */
static bool zone(const char *text, size_t length, int *out)
{
    *out = 0;
    if (length == 0 || (length == 1 && (text[0] == 'Z' || text[0] == 'z'))) {
        return true;
    }
    if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
        return false;
    }
    int hours = number(text + 1, 2);
    int minutes = number(text + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return false;
    }
    *out = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
    return true;
}

bool hr_timestamp_parse_rfc3339(const char *text, size_t length, int64_t *out)
{
    if (length < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
        (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) {
        return false;
    }
    int year = number(text, 4);
    int month = number(text + 5, 2);
    int day = number(text + 8, 2);
    int hour = number(text + 11, 2);
    int minute = number(text + 14, 2);
    int second = number(text + 17, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60) {
        return false;
    }
    int fraction_length;
    int64_t micros = fraction(text + 19, length - 19, &fraction_length);
    if (fraction_length < 0) {
        return false;
    }
    size_t used = 19 + (size_t)fraction_length;
    int offset;
    if (!zone(text + used, length - used, &offset)) {
        return false;
    }
    if (second == 60) {
        micros = 0;
    }
    int64_t seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    int64_t value = seconds * 1000000 + micros;
    if (value < HR_TIMESTAMP_MIN || value > HR_TIMESTAMP_MAX) {
        return false;
    }
    *out = value;
    return true;
}

struct hr_timestamp_pattern {
    UDateFormat *format;
};

enum { PATTERN_MAX = 256, TEXT_MAX = 256 };

enum hr_status hr_timestamp_pattern_new(const char *pattern, struct hr_timestamp_pattern **out, struct hr_error *err)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar wide[PATTERN_MAX];
    int32_t wide_length;
    u_strFromUTF8(wide, PATTERN_MAX, &wide_length, pattern, -1, &code);
    if (U_FAILURE(code) || wide_length == 0) {
        return hr_fail(err, HR_BAD_CONFIG, "'%.60s' is not a date pattern", pattern);
    }
    size_t quotes = 0;
    for (const char *at = pattern; *at != '\0'; at++) {
        quotes += *at == '\'';
    }
    if (quotes % 2 != 0) {
        return hr_fail(err, HR_BAD_CONFIG, "'%.60s' is not a date pattern: a quoted text does not end", pattern);
    }
    static const UChar utc[] = {'U', 'T', 'C', 0};
    UDateFormat *format = udat_open(UDAT_PATTERN, UDAT_PATTERN, "en_US_POSIX", utc, 3, wide, wide_length, &code);
    if (U_FAILURE(code)) {
        return hr_fail(err, HR_BAD_CONFIG, "'%.60s' is not a date pattern (%s)", pattern, u_errorName(code));
    }
    udat_setLenient(format, 0);
    /* A year must be in it: ICU takes any text for a pattern, and one without a year is a misspelt format name. */
    UChar probe[TEXT_MAX];
    int32_t probe_length = udat_format(format, 0.0, probe, TEXT_MAX, NULL, &code);
    UErrorCode parse_code = U_ZERO_ERROR;
    UErrorCode later_code = U_ZERO_ERROR;
    double then = udat_parse(format, probe, probe_length, NULL, &parse_code);
    probe_length = udat_format(format, 3.0e12, probe, TEXT_MAX, NULL, &code);
    double later = udat_parse(format, probe, probe_length, NULL, &later_code);
    if (U_FAILURE(code) || U_FAILURE(parse_code) || U_FAILURE(later_code) || later - then < 2.0e12) {
        udat_close(format);
        return hr_fail(err, HR_BAD_CONFIG, "'%.60s' is not a date pattern with a year in it", pattern);
    }
    *out = hr_calloc(1, sizeof(**out));
    (*out)->format = format;
    return HR_OK;
}

bool hr_timestamp_pattern_parse(struct hr_timestamp_pattern *pattern, const char *text, size_t length, int64_t *out)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar wide[TEXT_MAX];
    int32_t wide_length;
    if (length >= TEXT_MAX) {
        return false;
    }
    u_strFromUTF8(wide, TEXT_MAX, &wide_length, text, (int32_t)length, &code);
    if (U_FAILURE(code) || wide_length == 0) {
        return false;
    }
    int32_t position = 0;
    double millis = udat_parse(pattern->format, wide, wide_length, &position, &code);
    if (U_FAILURE(code) || position != wide_length) {
        return false;
    }
    double micros = millis * 1000.0;
    if (!(micros >= (double)HR_TIMESTAMP_MIN && micros <= (double)HR_TIMESTAMP_MAX)) {
        return false;
    }
    *out = (int64_t)micros;
    return true;
}

void hr_timestamp_pattern_free(struct hr_timestamp_pattern *pattern)
{
    if (pattern == NULL) {
        return;
    }
    udat_close(pattern->format);
    hr_free(pattern);
}
