/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to time stamp: RFC 3339 by our own parser, and ICU patterns. Values are microseconds since 1970, UTC. Printing
 * is hr_clock_format_utc (base/clock.h).
 *
 * RFC 3339 as read here: date, 'T' or 't' or a blank, time with seconds, an optional fraction (digits past the sixth
 * are cut off), and 'Z', 'z' or ±hh:mm. A time without zone is UTC, as Spark's session time zone of the parity tables.
 * A leap second (…:60) is the first moment of the next minute. Years 0001 to 9999.
 */
#ifndef HR_DATA_TIMESTAMP_H
#define HR_DATA_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The range of years 0001–9999, which is what hr_clock_format_utc can print. */
#define HR_TIMESTAMP_MIN INT64_C(-62135596800000000)
#define HR_TIMESTAMP_MAX INT64_C(253402300799999999)

/* false: not a time stamp of that form. */
bool hr_timestamp_parse_rfc3339(const char *text, size_t length, int64_t *out);

/* A compiled ICU pattern (yyyy-MM-dd HH:mm:ss.SSS …), lenient off, UTC unless the pattern has a zone. Thread: one. */
struct hr_timestamp_pattern;
enum hr_status hr_timestamp_pattern_new(const char *pattern, struct hr_timestamp_pattern **out, struct hr_error *err);
/* The whole text must match. */
bool hr_timestamp_pattern_parse(struct hr_timestamp_pattern *pattern, const char *text, size_t length, int64_t *out);
void hr_timestamp_pattern_free(struct hr_timestamp_pattern *pattern);

#endif
