/* SPDX-License-Identifier: Apache-2.0
 *
 * Durations and sizes: a table of units each way. Reading is exact integer arithmetic.
 */
#include "base/units.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/number.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: writing takes the first that divides. */
static const struct unit duration_units[] = {
    {"d", 86400000000}, {"h", 3600000000}, {"m", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1},
};

static const struct unit size_units[] = {
    {"TiB", 1ll << 40},   {"GiB", 1ll << 30}, {"MiB", 1ll << 20}, {"KiB", 1ll << 10}, {"TB", 1000000000000},
    {"GB", 1000000000ll}, {"MB", 1000000ll},  {"kB", 1000ll},     {"KB", 1000ll},     {"B", 1ll},
};

static const struct unit *unit_find(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

static size_t digits_length(const char *text)
{
    return strspn(text, "0123456789");
}

/* DIGITS[.DIGITS]UNIT; false also when the value is not a whole number of the smallest unit. */
static bool parse(const char *text, const struct unit *units, size_t unit_count, const char *bare, int64_t *out)
{
    size_t whole_length = digits_length(text);
    int64_t whole;
    if (whole_length == 0 || !hr_number_parse_int64(text, whole_length, &whole)) {
        return false;
    }
    const char *rest = text + whole_length;
    int64_t fraction = 0;
    int64_t fraction_scale = 1;
    if (rest[0] == '.') {
        size_t length = digits_length(rest + 1);
        if (length == 0 || length > 6 || !hr_number_parse_int64(rest + 1, length, &fraction)) {
            return false;
        }
        for (size_t i = 0; i < length; i++) {
            fraction_scale *= 10;
        }
        rest += 1 + length;
    }
    rest += strspn(rest, " ");
    const struct unit *unit = unit_find(units, unit_count, rest[0] != '\0' ? rest : bare);
    if (unit == NULL) {
        return false;
    }
    int64_t part = fraction * unit->factor; /* below 10^6 * 2^40: no overflow */
    int64_t value;
    if (part % fraction_scale != 0 || __builtin_mul_overflow(whole, unit->factor, &value) ||
        __builtin_add_overflow(value, part / fraction_scale, &value)) {
        return false;
    }
    *out = value;
    return true;
}

bool hr_units_parse_duration(const char *text, int64_t *out_us)
{
    if (strcmp(text, "0") == 0) {
        *out_us = 0;
        return true;
    }
    return parse(text, duration_units, HR_ARRAY_LEN(duration_units), "", out_us);
}

bool hr_units_parse_bytes(const char *text, int64_t *out)
{
    return parse(text, size_units, HR_ARRAY_LEN(size_units), "B", out);
}

void hr_units_write_duration(int64_t duration_us, char out[32])
{
    if (duration_us == 0) {
        (void)snprintf(out, 32, "0s");
        return;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(duration_units); i++) {
        if (duration_us % duration_units[i].factor == 0) {
            (void)snprintf(out, 32, "%lld%s", (long long)(duration_us / duration_units[i].factor),
                           duration_units[i].name);
            return;
        }
    }
}

void hr_units_write_bytes(int64_t bytes, char out[32])
{
    for (size_t i = 0; i < 4 && bytes != 0; i++) {
        if (bytes % size_units[i].factor == 0) {
            (void)snprintf(out, 32, "%lld%s", (long long)(bytes / size_units[i].factor), size_units[i].name);
            return;
        }
    }
    (void)snprintf(out, 32, "%lld", (long long)bytes);
}

/* One digit after the point, none when it would be 0 or the number is large enough without. */
static void format_scaled(double value, const char *unit, char out[32])
{
    char text[24];
    (void)snprintf(text, sizeof(text), value < 99.95 && value > -99.95 ? "%.1f" : "%.0f", value);
    size_t length = strlen(text);
    if (length > 2 && strcmp(text + length - 2, ".0") == 0) {
        text[length - 2] = '\0';
    }
    (void)snprintf(out, 32, "%s %s", text, unit);
}

void hr_units_format_bytes(int64_t bytes, char out[32])
{
    static const struct unit people[] = {{"TB", 1000000000000}, {"GB", 1000000000}, {"MB", 1000000}, {"kB", 1000}};
    for (size_t i = 0; i < HR_ARRAY_LEN(people); i++) {
        if (bytes >= people[i].factor || bytes <= -people[i].factor) {
            format_scaled((double)bytes / (double)people[i].factor, people[i].name, out);
            return;
        }
    }
    (void)snprintf(out, 32, "%lld B", (long long)bytes);
}

void hr_units_format_duration(int64_t duration_us, char out[32])
{
    static const struct unit people[] = {
        {"d", 86400000000}, {"h", 3600000000}, {"min", 60000000}, {"s", 1000000}, {"ms", 1000},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(people); i++) {
        if (duration_us >= people[i].factor || duration_us <= -people[i].factor) {
            format_scaled((double)duration_us / (double)people[i].factor, people[i].name, out);
            return;
        }
    }
    (void)snprintf(out, 32, "%lld us", (long long)duration_us);
}
