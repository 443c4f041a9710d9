/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the values of records of one shape (json_shape.h) stand, 64 bytes at a time with AVX-512. Other
 * processors have no index, and all records are odd: with AVX2 it took longer than to walk the records.
 */
#ifndef HR_DATA_JSON_INDEX_H
#define HR_DATA_JSON_INDEX_H

#include "data/json_shape.h"
#include "data/record.h"

/* Records of a block: they, their index and their columns fit the first level cache. Those of many members have blocks
 * of fewer. */
enum { HR_JSON_BLOCK = 128, HR_JSON_BLOCK_LEAST = 8 };

/* starts: of each quote of a record the place after it, then its length + 1. */
struct hr_json_index {
    size_t record_bytes_max;
    const struct hr_json_shape *shape;
    size_t stride;                   /* quote_count + 1 */
    const char *text[HR_JSON_BLOCK]; /* of odd records: bytes that may be read around their starts */
    uint8_t odd[HR_JSON_BLOCK];
    uint16_t *starts;
};

/* In arena; for this shape, whatever it learns. */
struct hr_json_index *hr_json_index_new(const struct hr_json_shape *shape, size_t record_bytes_max,
                                        struct hr_arena *arena);
/* How many records of the shape it takes at a time. */
size_t hr_json_index_block(const struct hr_json_shape *shape);
/* Indexes records[0..count), at most a block, of `present` that are there. What is not odd is UTF-8, has the
 * shape's tokens, and no escape or control anywhere; bare values are not looked at yet. Returns how many are odd. */
size_t hr_json_index_records(struct hr_json_index *index, const struct hr_json_shape *shape,
                             const struct hr_record *records, size_t count, size_t present);

#endif
