/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows as JSON objects, one a row: columns in order, nulls as null, numbers in the shortest form that reads back to the
 * same bits (a float column: the same float), NaN and infinities as strings, time stamps as RFC 3339 UTC, binary as
 * base64, sparse vectors as {"size","indices","values"}. Thread: one at a time.
 */
#ifndef HR_DATA_JSON_ENCODE_H
#define HR_DATA_JSON_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "data/chunk.h"

/* The text before each value, made when schema or columns change. */
struct hr_json_encoder {
    const struct hr_field *fields; /* of the schema that it was made for */
    size_t *columns;
    struct hr_str *keys; /* `{"name":` and `,"name":`, views into text */
    size_t count;
    struct hr_buf text;
};

void hr_json_encoder_release(struct hr_json_encoder *encoder);
/* As hr_format_encode_fn. */
void hr_json_encoder_rows(struct hr_json_encoder *encoder, const struct hr_chunk *chunk, const size_t *columns,
                          size_t column_count, size_t first, size_t count, bool framed, struct hr_buf *out,
                          size_t *row_end);
/* One value, not null, appended as JSON text. */
void hr_json_encode_value(const struct hr_column *column, size_t row, struct hr_buf *out);

#endif
