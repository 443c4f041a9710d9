/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as the text that Java, and so Spark's cast to string, gives them.
 */
#ifndef HR_ML_VALUE_TEXT_H
#define HR_ML_VALUE_TEXT_H

#include "base/number.h"
#include "data/column.h"

/* The text of a string or numeric row that is not null: the string itself, or the number written into buffer
 * (HR_NUMBER_TEXT_MAX bytes). */
struct hr_str hr_value_text(const struct hr_column *column, size_t row, char *buffer);
/* Float.toString: the shortest decimal that reads back to the same float, as a double. */
double hr_value_shortest_float(double value);

#endif
