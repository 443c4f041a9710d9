/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the values of records of one shape (json_shape.h) stand: 64 bytes at a time with AVX-512, 32 with AVX2. Other
 * processors have no index, and all records are odd.
 */
#ifndef HR_DATA_JSON_INDEX_H
#define HR_DATA_JSON_INDEX_H

#include "data/json_shape.h"
#include "data/record.h"

enum {
    HR_JSON_BLOCK = 128,            /* records: they, their index and their columns fit the first level cache */
    HR_JSON_SHAPE_TEXT_MAX = 65000, /* bytes of a record, so that places fit 16 bits */
    HR_JSON_INDEX_SLACK = 64 + 1,   /* places past the last record's that may be written */
};

/* starts: of each quote of a record the place after it, then its length + 1. */
struct hr_json_index {
    size_t record_bytes_max;
    const struct hr_json_shape *shape;
    size_t stride;                   /* quote_count + 1 */
    const char *text[HR_JSON_BLOCK]; /* of odd records: bytes that may be read around their starts */
    uint8_t odd[HR_JSON_BLOCK];
    uint16_t starts[HR_JSON_BLOCK * (HR_JSON_SHAPE_QUOTES + 1) + HR_JSON_INDEX_SLACK];
};

/* Indexes records[0..count), at most HR_JSON_BLOCK, of `present` that are there. What is not odd is UTF-8, has the
 * shape's tokens, and no escape or control anywhere; bare values are not looked at yet. Returns how many are odd. */
size_t hr_json_index_records(struct hr_json_index *index, const struct hr_json_shape *shape,
                             const struct hr_record *records, size_t count, size_t present);

#endif
