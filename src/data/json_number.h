/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of JSON text. The scan checks the grammar and collects up to 19 digits in an integer and a power of ten; most
 * doubles then are one exact multiplication or division (Clinger 1990: a mantissa up to 2^53 and a power up to 10^22
 * are both doubles, so the one rounding is the right one). With more digits, and a power up to 10^19, the quotient or
 * product is taken in 128 bits. All others go to base/number.h, which rounds correctly too.
 */
#ifndef HR_DATA_JSON_NUMBER_H
#define HR_DATA_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hr_json_number {
    const char *text;
    size_t length;
    uint64_t mantissa; /* all digits, when exact */
    int exponent;      /* value = ±mantissa · 10^exponent, when exact; else only its sign and size matter little */
    bool negative;
    bool integer; /* neither fraction nor exponent written */
    bool exact;   /* at most 19 digits */
};

/* p stands at the first character. Returns the place after the number, NULL when the grammar does not match. */
const char *hr_json_number(const char *p, const char *end, struct hr_json_number *out);
/* The digits of a number whose fraction is longer than json_fast.h takes. */
struct hr_json_long_fraction {
    uint64_t mantissa;
    int digits;      /* in it, leading zeros too */
    unsigned places; /* of them behind the point */
};
/* Reads on at p. NULL: there is an exponent, or there are too many digits, or the end. */
const char *hr_json_number_long_fraction(const char *p, const char *end, struct hr_json_long_fraction start,
                                         double *out);
/* As strtod: infinity when too large, zero or a subnormal when too small. */
double hr_json_number_double(const struct hr_json_number *number);
/* The nearest float, rounded once, as double; infinity when too large. */
double hr_json_number_float(const struct hr_json_number *number);
/* For a number with `integer` set. false: it does not fit. */
bool hr_json_number_int64(const struct hr_json_number *number, int64_t *out);
/* value · 10^power, digits past the integer cut off. false: it does not fit into an int64. */
bool hr_json_number_scaled(const struct hr_json_number *number, int power, int64_t *out);

#endif
