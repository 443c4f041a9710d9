/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON values into columns, by the column's type.
 */
#include "data/json_value.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "data/base64.h"
#include "data/json_number.h"

/* Checks and passes over a value that the column cannot hold. */
static HR_COLD const char *wrong_type(struct hr_json_input *input, const char *p, int depth, uint8_t *state)
{
    *state = HR_JSON_WRONG_TYPE;
    return hr_json_skip_value(input, p, depth);
}

static inline bool starts_number(char c)
{
    return c == '-' || (c >= '0' && c <= '9');
}

static inline const char *scan_number(struct hr_json_input *input, const char *p, struct hr_json_number *number)
{
    const char *next = hr_json_number(p, input->end, number);
    return next != NULL ? next : hr_json_fail(input, p, HR_REASON_MALFORMED, "a number");
}

static const char *boolean_value(struct hr_json_input *input, const char *p, int depth, uint8_t *to, uint8_t *state)
{
    if (*p != 't' && *p != 'f') {
        return wrong_type(input, p, depth, state);
    }
    *to = *p == 't';
    *state = HR_JSON_VALUE;
    return *p == 't' ? hr_json_word(input, p, "true", 4) : hr_json_word(input, p, "false", 5);
}

static const char *integer_value(struct hr_json_input *input, const char *p, int depth, bool is_int, int64_t *to,
                                 uint8_t *state)
{
    struct hr_json_number number;
    if (HR_UNLIKELY(!starts_number(*p))) {
        return wrong_type(input, p, depth, state);
    }
    const char *next = scan_number(input, p, &number);
    if (next == NULL) {
        return NULL;
    }
    *state = HR_JSON_VALUE;
    if (HR_UNLIKELY(!number.integer)) {
        *state = HR_JSON_WRONG_TYPE;
    } else if (HR_UNLIKELY(!hr_json_number_int64(&number, to)) || (is_int && (*to < INT32_MIN || *to > INT32_MAX))) {
        *state = HR_JSON_OUT_OF_RANGE;
    }
    return next;
}

/* The three strings that stand for numbers that JSON cannot write. */
static bool named_number(struct hr_str text, double *out)
{
    if (hr_str_equal(text, HR_STR("NaN"))) {
        *out = (double)NAN;
    } else if (hr_str_equal(text, HR_STR("Infinity"))) {
        *out = (double)INFINITY;
    } else if (hr_str_equal(text, HR_STR("-Infinity"))) {
        *out = -(double)INFINITY;
    } else {
        return false;
    }
    return true;
}

static const char *floating(struct hr_json_input *input, const char *p, int depth, bool is_float, double *out,
                            uint8_t *state)
{
    if (HR_LIKELY(starts_number(*p))) {
        struct hr_json_number number;
        const char *next = scan_number(input, p, &number);
        if (next != NULL) {
            *out = is_float ? hr_json_number_float(&number) : hr_json_number_double(&number);
            *state = HR_LIKELY(isfinite(*out)) ? HR_JSON_VALUE : HR_JSON_OUT_OF_RANGE;
        }
        return next;
    }
    if (*p != '"') {
        return wrong_type(input, p, depth, state);
    }
    struct hr_str text;
    const char *next = hr_json_string(input, p + 1, &text);
    if (next != NULL) {
        *state = named_number(text, out) ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
    }
    return next;
}

const char *hr_json_floating(struct hr_json_input *input, const char *p, int depth, double *out, uint8_t *state)
{
    return floating(input, p, depth, false, out, state);
}

static const char *string_value(struct hr_json_input *input, const char *p, int depth, struct hr_str *to,
                                uint8_t *state)
{
    if (HR_UNLIKELY(*p != '"')) {
        return wrong_type(input, p, depth, state);
    }
    *state = HR_JSON_VALUE;
    return hr_json_string(input, p + 1, to);
}

static const char *binary_value(struct hr_json_input *input, const char *p, int depth, struct hr_str *to,
                                uint8_t *state)
{
    struct hr_str text = {NULL, 0};
    const char *next = string_value(input, p, depth, &text, state);
    if (next == NULL || *state != HR_JSON_VALUE) {
        return next;
    }
    char *bytes = hr_arena_alloc(input->arena, text.length / 4 * 3);
    size_t length = 0;
    if (!hr_base64_decode(text.data, text.length, bytes, &length)) {
        *state = HR_JSON_WRONG_TYPE;
        return next;
    }
    *to = (struct hr_str){bytes, length};
    return next;
}

static const char *epoch_value(struct hr_json_input *input, const char *p, int depth, int power, int64_t *to,
                               uint8_t *state)
{
    struct hr_json_number number;
    if (!starts_number(*p)) {
        return wrong_type(input, p, depth, state);
    }
    const char *next = scan_number(input, p, &number);
    if (next != NULL) {
        bool fits = hr_json_number_scaled(&number, power, to) && *to >= HR_TIMESTAMP_MIN && *to <= HR_TIMESTAMP_MAX;
        *state = fits ? HR_JSON_VALUE : HR_JSON_OUT_OF_RANGE;
    }
    return next;
}

static const char *timestamp_value(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                                   int64_t *to, uint8_t *state)
{
    if (target->field->timestamp_format == HR_TIMESTAMP_EPOCH_MILLIS) {
        return epoch_value(input, p, depth, 3, to, state);
    }
    if (target->field->timestamp_format == HR_TIMESTAMP_EPOCH_SECONDS) {
        return epoch_value(input, p, depth, 6, to, state);
    }
    struct hr_str text = {NULL, 0};
    const char *next = string_value(input, p, depth, &text, state);
    if (next == NULL || *state != HR_JSON_VALUE) {
        return next;
    }
    bool parsed = target->field->timestamp_format == HR_TIMESTAMP_PATTERN
                      ? hr_timestamp_pattern_parse(target->pattern, text.data, text.length, to)
                      : hr_timestamp_parse_rfc3339(text.data, text.length, to);
    *state = parsed ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
    return next;
}

const char *hr_json_value(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                          size_t row, struct hr_json_scratch *scratch, uint8_t *state)
{
    struct hr_column *column = target->column;
    if (HR_UNLIKELY(*p == 'n')) {
        *state = HR_JSON_NULL;
        return hr_json_word(input, p, "null", 4);
    }
    switch (column->type) {
    case HR_TYPE_BOOLEAN:
        return boolean_value(input, p, depth, &column->bytes[row], state);
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        return integer_value(input, p, depth, column->type == HR_TYPE_INT, &column->longs[row], state);
    case HR_TYPE_FLOAT:
    case HR_TYPE_DOUBLE:
        return floating(input, p, depth, column->type == HR_TYPE_FLOAT, &column->doubles[row], state);
    case HR_TYPE_STRING:
        return string_value(input, p, depth, &column->strings[row], state);
    case HR_TYPE_BINARY:
        return binary_value(input, p, depth, &column->strings[row], state);
    case HR_TYPE_TIMESTAMP:
        return timestamp_value(input, p, depth, target, &column->longs[row], state);
    case HR_TYPE_STRING_ARRAY:
        return hr_json_string_array(input, p, depth, target, row, scratch, state);
    case HR_TYPE_DOUBLE_ARRAY:
        return hr_json_double_array(input, p, depth, target, row, scratch, state);
    case HR_TYPE_VECTOR:
        return hr_json_vector(input, p, depth, target, row, scratch, state);
    }
    HR_PANIC("unknown column type");
}

void hr_json_scratch_release(struct hr_json_scratch *scratch)
{
    hr_free(scratch->numbers);
    hr_free(scratch->indices);
    hr_free(scratch->strings);
    *scratch = (struct hr_json_scratch){0};
}
