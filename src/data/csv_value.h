/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of one CSV field into one column. As JSON values (json_value.h) where that makes sense; other than there:
 * blanks around numbers, booleans and time stamps do not matter; a number may begin with '+' and have no digit before
 * or after its point; true and false in any case; Inf and -Inf are also infinities; arrays and vectors are JSON text.
 */
#ifndef HR_DATA_CSV_VALUE_H
#define HR_DATA_CSV_VALUE_H

#include <stddef.h>

#include "base/str.h"
#include "data/json_value.h"

/* Into row `row` of the target's column. Views into text are kept; the text must be UTF-8. */
enum hr_json_state hr_csv_value(struct hr_str text, struct hr_json_target *target, size_t row,
                                struct hr_json_scratch *scratch, struct hr_arena *arena);

#endif
