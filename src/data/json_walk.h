/* SPDX-License-Identifier: Apache-2.0
 *
 * One JSON record into one row: a walk over its text beside the compiled schema. What it finds is in the decoder: the
 * state of each column, and where a value stands that its column cannot hold.
 */
#ifndef HR_DATA_JSON_WALK_H
#define HR_DATA_JSON_WALK_H

#include <stddef.h>

#include "data/json_decode.h"
#include "data/json_text.h"

struct hr_json_walk {
    struct hr_json_decoder *decoder;
    struct hr_json_input input; /* the record's text */
    size_t row;
};

/* NULL: the text is not one well-formed object; the input says why. The decoder's states are fresh before it. */
const char *hr_json_walk_record(struct hr_json_walk *walk);

#endif
