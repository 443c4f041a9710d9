/* SPDX-License-Identifier: Apache-2.0
 *
 * One JSON value into one column. A value that its column cannot hold does not end the record's decoding: the state
 * says so, and is judged when the record is through, because a later duplicate of the member would win, and because
 * text that is not well formed is the graver reason.
 *
 * What a column takes: boolean true and false; int and long integers written without fraction and exponent (1.0 and 1e2
 * are not taken, as in Spark); float and double numbers and "NaN", "Infinity", "-Infinity" (a number too large to be
 * finite is out of range); string strings; binary base64 with padding; timestamp a string, or for epochMillis and
 * epochSeconds a number, digits past the microsecond cut off; array<string> strings and nulls; array<double> as double;
 * vector an array of numbers or {size, indices, values}.
 */
#ifndef HR_DATA_JSON_VALUE_H
#define HR_DATA_JSON_VALUE_H

#include <stdint.h>

#include "data/chunk.h"
#include "data/json_text.h"
#include "data/timestamp.h"

enum hr_json_state {
    HR_JSON_VALUE,
    HR_JSON_MISSING,
    HR_JSON_NULL,
    HR_JSON_WRONG_TYPE,
    HR_JSON_OUT_OF_RANGE,
};

/* One column as the decoder sees it, for the rows of one chunk. */
struct hr_json_target {
    struct hr_column *column;
    const struct hr_field *field;
    struct hr_timestamp_pattern *pattern; /* HR_TIMESTAMP_PATTERN only */
    double *block;                        /* unused rest of the last block of vector values */
    size_t block_left;
    size_t rows_left; /* rows that may still come, for the size of a block */
};

/* Room for the elements of the array that is being read; grows to the longest array seen. */
struct hr_json_scratch {
    double *numbers;
    uint32_t *indices;
    struct hr_str *strings;
    size_t number_capacity;
    size_t index_capacity;
    size_t string_capacity;
};

void hr_json_scratch_release(struct hr_json_scratch *scratch);

/* The value at p (not past the end) into row `row`. depth: of containers around it. */
const char *hr_json_value(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                          size_t row, struct hr_json_scratch *scratch, uint8_t *state);

/* Arrays and vectors, in json_array.c. p stands at '[' or '{'. */
const char *hr_json_vector(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                           size_t row, struct hr_json_scratch *scratch, uint8_t *state);
const char *hr_json_double_array(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                                 size_t row, struct hr_json_scratch *scratch, uint8_t *state);
const char *hr_json_string_array(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                                 size_t row, struct hr_json_scratch *scratch, uint8_t *state);
/* A number, or one of the three strings, as double. *state is what came of it. */
const char *hr_json_floating(struct hr_json_input *input, const char *p, int depth, double *out, uint8_t *state);

#endif
