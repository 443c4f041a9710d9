/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV fields into columns, by the column's type.
 */
#include "data/csv_value.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "data/base64.h"
#include "data/json_number.h"

static struct hr_str trimmed(struct hr_str text)
{
    while (text.length > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t')) {
        text.length--;
    }
    return text;
}

static struct hr_str without_plus(struct hr_str text)
{
    if (text.length > 1 && text.data[0] == '+' && text.data[1] != '-') {
        text.data++;
        text.length--;
    }
    return text;
}

static enum hr_json_state boolean_text(struct hr_str text, uint8_t *out)
{
    bool is_true = text.length == 4 && strncasecmp(text.data, "true", 4) == 0;
    if (!is_true && (text.length != 5 || strncasecmp(text.data, "false", 5) != 0)) {
        return HR_JSON_WRONG_TYPE;
    }
    *out = is_true;
    return HR_JSON_VALUE;
}

static bool is_integer(struct hr_str text)
{
    size_t sign = text.length > 0 && text.data[0] == '-' ? 1 : 0;
    for (size_t i = sign; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.length > sign;
}

static enum hr_json_state integer_text(struct hr_str text, bool is_int, int64_t *out)
{
    text = without_plus(text);
    if (!is_integer(text)) {
        return HR_JSON_WRONG_TYPE;
    }
    bool fits =
        hr_number_parse_int64(text.data, text.length, out) && (!is_int || (*out >= INT32_MIN && *out <= INT32_MAX));
    return fits ? HR_JSON_VALUE : HR_JSON_OUT_OF_RANGE;
}

static bool named_number(struct hr_str text, double *out)
{
    if (hr_str_equal_text(text, "NaN")) {
        *out = (double)NAN;
    } else if (hr_str_equal_text(text, "Infinity") || hr_str_equal_text(text, "Inf")) {
        *out = (double)INFINITY;
    } else if (hr_str_equal_text(text, "-Infinity") || hr_str_equal_text(text, "-Inf")) {
        *out = -(double)INFINITY;
    } else {
        return false;
    }
    return true;
}

static enum hr_json_state floating_text(struct hr_str text, bool is_float, double *out)
{
    text = without_plus(text);
    struct hr_json_number number;
    const char *end = text.data + text.length;
    if (HR_LIKELY(!is_float && hr_json_number(text.data, end, &number) == end)) {
        *out = hr_json_number_double(&number);
    } else if (is_float) {
        float value = 0;
        if (!hr_number_parse_float(text.data, text.length, &value)) {
            return named_number(text, out) ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
        }
        *out = (double)value;
    } else if (!hr_number_parse_double(text.data, text.length, out)) {
        return named_number(text, out) ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
    }
    return isfinite(*out) ? HR_JSON_VALUE : HR_JSON_OUT_OF_RANGE;
}

static enum hr_json_state epoch_text(struct hr_str text, int power, int64_t *out)
{
    struct hr_json_number number;
    text = without_plus(text);
    if (hr_json_number(text.data, text.data + text.length, &number) != text.data + text.length) {
        return HR_JSON_WRONG_TYPE;
    }
    bool fits = hr_json_number_scaled(&number, power, out) && *out >= HR_TIMESTAMP_MIN && *out <= HR_TIMESTAMP_MAX;
    return fits ? HR_JSON_VALUE : HR_JSON_OUT_OF_RANGE;
}

static enum hr_json_state timestamp_text(struct hr_str text, const struct hr_json_target *target, int64_t *out)
{
    bool parsed = false;
    switch (target->field->timestamp_format) {
    case HR_TIMESTAMP_EPOCH_MILLIS:
        return epoch_text(text, 3, out);
    case HR_TIMESTAMP_EPOCH_SECONDS:
        return epoch_text(text, 6, out);
    case HR_TIMESTAMP_PATTERN:
        parsed = hr_timestamp_pattern_parse(target->pattern, text.data, text.length, out);
        break;
    case HR_TIMESTAMP_RFC3339:
        parsed = hr_timestamp_parse_rfc3339(text.data, text.length, out);
        break;
    }
    return parsed ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
}

static enum hr_json_state binary_text(struct hr_str text, struct hr_str *out, struct hr_arena *arena)
{
    char *bytes = hr_arena_alloc(arena, text.length / 4 * 3);
    size_t length = 0;
    if (!hr_base64_decode(text.data, text.length, bytes, &length)) {
        return HR_JSON_WRONG_TYPE;
    }
    *out = (struct hr_str){bytes, length};
    return HR_JSON_VALUE;
}

/* Arrays and vectors: the whole field is one JSON value. */
static enum hr_json_state json_text(struct hr_str text, struct hr_json_target *target, size_t row,
                                    struct hr_json_scratch *scratch, struct hr_arena *arena)
{
    const char *end = text.data + text.length;
    struct hr_json_input input = {.start = text.data, .end = end, .arena = arena};
    const char *p = hr_json_skip_blanks(text.data, end);
    uint8_t state = HR_JSON_WRONG_TYPE;
    if (p == end) {
        return HR_JSON_WRONG_TYPE;
    }
    p = hr_json_value(&input, p, 0, target, row, scratch, &state);
    if (p == NULL || hr_json_skip_blanks(p, end) != end) {
        return HR_JSON_WRONG_TYPE;
    }
    return (enum hr_json_state)state;
}

enum hr_json_state hr_csv_value(struct hr_str text, struct hr_json_target *target, size_t row,
                                struct hr_json_scratch *scratch, struct hr_arena *arena)
{
    struct hr_column *column = target->column;
    switch (column->type) {
    case HR_TYPE_BOOLEAN:
        return boolean_text(trimmed(text), &column->bytes[row]);
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        return integer_text(trimmed(text), column->type == HR_TYPE_INT, &column->longs[row]);
    case HR_TYPE_FLOAT:
    case HR_TYPE_DOUBLE:
        return floating_text(trimmed(text), column->type == HR_TYPE_FLOAT, &column->doubles[row]);
    case HR_TYPE_STRING:
        column->strings[row] = text;
        return HR_JSON_VALUE;
    case HR_TYPE_BINARY:
        return binary_text(text, &column->strings[row], arena);
    case HR_TYPE_TIMESTAMP:
        return timestamp_text(trimmed(text), target, &column->longs[row]);
    case HR_TYPE_STRING_ARRAY:
    case HR_TYPE_DOUBLE_ARRAY:
    case HR_TYPE_VECTOR:
        return json_text(text, target, row, scratch, arena);
    }
    HR_PANIC("unknown column type");
}
