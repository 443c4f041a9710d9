/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantities as users write them: durations `500ms 10s 5m 1h 7d` in microseconds, sizes `64KiB 256MiB 1GiB` (also kB,
 * MB, GB; a bare number is bytes).
 */
#ifndef HR_BASE_UNITS_H
#define HR_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* false: not a duration, negative, out of range, or finer than a microsecond. Units us ms s m h d; "1.5s" is allowed. A
 * bare "0" is a duration; other bare numbers are not. */
bool hr_units_parse_duration(const char *text, int64_t *out_us);
bool hr_units_parse_bytes(const char *text, int64_t *out);
/* As a user would write it: the largest unit that needs no fraction ("90s", "1h", "64KiB"; 0 is "0s" and "0"). Reads
 * back to the same value. out has 32 bytes. */
void hr_units_write_duration(int64_t duration_us, char out[32]);
void hr_units_write_bytes(int64_t bytes, char out[32]);
/* "1.5 MB", "12 ms" for people; out has 32 bytes. */
void hr_units_format_bytes(int64_t bytes, char out[32]);
void hr_units_format_duration(int64_t duration_us, char out[32]);

#endif
