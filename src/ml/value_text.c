/* SPDX-License-Identifier: Apache-2.0
 *
 * One number, one text.
 */
#include "ml/value_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double hr_value_shortest_float(double value)
{
    if (!isfinite(value)) {
        return value;
    }
    char text[HR_NUMBER_TEXT_MAX];
    double shortest = value;
    for (int digits = 1; digits <= 9; digits++) {
        int length = snprintf(text, sizeof(text), "%.*e", digits - 1, value);
        double parsed;
        if (hr_number_parse_double(text, (size_t)length, &parsed) && (double)(float)parsed == value) {
            shortest = parsed;
            break;
        }
    }
    return shortest;
}

struct hr_str hr_value_text(const struct hr_column *column, size_t row, char *buffer)
{
    switch (column->type) {
    case HR_TYPE_STRING:
        return column->strings[row];
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        return (struct hr_str){buffer, hr_number_format_int64(column->longs[row], buffer)};
    case HR_TYPE_FLOAT:
        return (struct hr_str){buffer, hr_number_format_java(hr_value_shortest_float(column->doubles[row]), buffer)};
    default:
        return (struct hr_str){buffer, hr_number_format_java(column->doubles[row], buffer)};
    }
}
