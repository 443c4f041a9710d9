/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON records for the differential test: made from a seed and a number alone, so that each can be made again. A record
 * is first made well formed, after a schema (values of all shapes, members in any order, twice, unknown, blanks), and
 * then most are damaged: bytes, spans and tokens are changed, taken out, put in, swapped, spliced with another record.
 */
#ifndef HR_TESTS_DATA_JSON_MAKER_H
#define HR_TESTS_DATA_JSON_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAKER_TEXT_MAX = 16384 };

struct maker {
    char text[MAKER_TEXT_MAX]; /* the record; what does not fit is left out, which is one more kind of damage */
    size_t length;
    uint64_t state;
};

/* The schemas that records are made for, in the forms that hr_schema_read takes. */
extern const char *const maker_schemas[];
extern const size_t maker_schema_count;

/* The record of this seed and number into maker->text. */
void maker_record(struct maker *maker, uint64_t seed, uint64_t number, size_t schema);
/* Number text of any shape, well formed. */
void maker_number(struct maker *maker);
void maker_begin(struct maker *maker, uint64_t seed, uint64_t number);

#endif
