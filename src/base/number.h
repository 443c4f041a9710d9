/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to number and back, by the C++ standard library's <charconv> behind extern "C" (number.cc, the only C++ file):
 * correctly rounded, locale-free, shortest round-trip form. Thread: any.
 */
#ifndef HR_BASE_NUMBER_H
#define HR_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Enough for any double or int64 in the forms below, without a terminator. */
#define HR_NUMBER_TEXT_MAX 32

/* The whole slice must be a number (no blanks, no '+'). Exactly strtod's value; overflow gives ±infinity and underflow
 * ±0 or a subnormal, as strtod, and true. false: not a number. Accepts the grammar of from_chars(general), so the
 * caller checks a stricter grammar (JSON) first; "inf" and "nan" are not accepted. */
bool hr_number_parse_double(const char *text, size_t length, double *out);
/* The same for a float, rounded once (not by way of a double). */
bool hr_number_parse_float(const char *text, size_t length, float *out);
/* Decimal integer with optional '-'. false: not an integer, or out of range. */
bool hr_number_parse_int64(const char *text, size_t length, int64_t *out);
/* Shortest form that reads back to the same bits, as JSON number text ("1", "0.1", "1e+23", "-0"): finite only.
 * Returns the number of bytes written to out (>= HR_NUMBER_TEXT_MAX bytes long). */
size_t hr_number_format_double(double value, char *out);
/* The shortest form that reads back to the same float. */
size_t hr_number_format_float(float value, char *out);
size_t hr_number_format_int64(int64_t value, char *out);
/* As Java 17's Double.toString writes it ("1.0", "1.0E10", "NaN", "-Infinity"), with the shortest digits. Spark's
 * FeatureHasher and StringIndexer see numbers as this text. */
size_t hr_number_format_java(double value, char *out);

#ifdef __cplusplus
}
#endif

#endif
