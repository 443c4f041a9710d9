/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of indexed JSON records (json_index.h) into columns, one column at a time. What is not written the usual way
 * makes its record odd.
 */
#ifndef HR_DATA_JSON_COLUMNS_H
#define HR_DATA_JSON_COLUMNS_H

#include "data/json_index.h"
#include "data/json_value.h"

/* Of one column. */
struct hr_json_column {
    struct hr_json_shape_value value;
    size_t first;                  /* row of the block's first record */
    size_t count;                  /* of records */
    struct hr_json_target *target; /* NULL: the values are only checked */
    struct hr_json_scratch *scratch;
    struct hr_arena *arena;
};

void hr_json_column_read(struct hr_json_index *index, const struct hr_json_column *column);
/* The same for records [from, to). */
void hr_json_column_read_some(struct hr_json_index *index, const struct hr_json_column *column, size_t from, size_t to);
/* The same with AVX-512, eight records at a time, for types that it knows. Returns how many records it did. */
size_t hr_json_column_read_wide(struct hr_json_index *index, const struct hr_json_column *column);

#endif
