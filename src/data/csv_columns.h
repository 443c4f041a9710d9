/* SPDX-License-Identifier: Apache-2.0
 *
 * Indexed CSV records (csv_index.h) into columns, one column at a time: no choice of type in the loop, and the
 * processor works on several records at once.
 */
#ifndef HR_DATA_CSV_COLUMNS_H
#define HR_DATA_CSV_COLUMNS_H

#include "data/csv_index.h"
#include "data/csv_value.h"

/* Of one column. */
struct hr_csv_column {
    size_t place; /* of its field in the record */
    size_t first; /* row of the block's first record */
    size_t count; /* of records */
    size_t rows;  /* of the chunk, for its bitmap */
    struct hr_str null_value;
    struct hr_json_target *target;
    struct hr_json_scratch *scratch;
    struct hr_arena *arena;
};

/* The values of records that are not odd, and nulls. A record whose value the column cannot hold becomes odd. */
void hr_csv_column_read(struct hr_csv_index *index, const struct hr_csv_column *column);
/* The same for records [from, to). */
void hr_csv_column_read_some(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to);
/* The same with AVX-512, eight records at a time, for types that it knows. Returns how many records it did. */
size_t hr_csv_column_read_wide(struct hr_csv_index *index, const struct hr_csv_column *column);

#endif
