/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_model.h: what a column makes of jansson's values.
 */
#include "json_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- looking up ---------------------------------------------------------------------------------------------- */

/* RFC 6901. */
static json_t *find(json_t *root, const char *pointer)
{
    json_t *value = root;
    while (value != NULL && *pointer == '/' && model_hidden_number(value) == NULL) {
        char token[64];
        size_t length = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
            if (*pointer == '~') {
                pointer++;
                token[length++] = *pointer == '1' ? '/' : '~';
            } else {
                token[length++] = *pointer;
            }
        }
        token[length] = '\0';
        if (json_is_array(value)) {
            bool number = length > 0 && strspn(token, "0123456789") == length && (token[0] != '0' || length == 1);
            value = number ? json_array_get(value, strtoul(token, NULL, 10)) : NULL;
        } else {
            value = json_object_getn(value, token, length);
        }
    }
    return *pointer == '\0' ? value : NULL;
}

struct model_value model_find(const struct model *model, const struct hr_field *field)
{
    if (field->pointer != NULL) {
        return (struct model_value){find(model->root, field->pointer), find(model->reals, field->pointer)};
    }
    return (struct model_value){json_object_get(model->root, field->name), json_object_get(model->reals, field->name)};
}

/* ---- values --------------------------------------------------------------------------------------------------- */

static enum hr_json_state integer_state(const json_t *value, int64_t low, int64_t high)
{
    const char *hidden = model_hidden_number(value);
    if (hidden != NULL) {
        return strpbrk(hidden, ".eE") != NULL ? HR_JSON_WRONG_TYPE : HR_JSON_OUT_OF_RANGE;
    }
    if (!json_is_integer(value)) {
        return HR_JSON_WRONG_TYPE;
    }
    return json_integer_value(value) < low || json_integer_value(value) > high ? HR_JSON_OUT_OF_RANGE : HR_JSON_VALUE;
}

static enum hr_json_state floating_state(struct model_value value, double *out)
{
    const char *hidden = model_hidden_number(value.real);
    if (hidden != NULL) {
        *out = strtod(hidden, NULL);
    } else if (json_is_number(value.real)) {
        *out = json_number_value(value.real);
    } else if (json_is_string(value.real)) {
        static const char *const names[] = {"NaN", "Infinity", "-Infinity"};
        const double values[] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
        for (size_t i = 0; i < 3; i++) {
            if (json_string_length(value.real) == strlen(names[i]) &&
                strcmp(json_string_value(value.real), names[i]) == 0) {
                *out = values[i];
                return HR_JSON_VALUE;
            }
        }
        return HR_JSON_WRONG_TYPE;
    } else {
        return HR_JSON_WRONG_TYPE;
    }
    return isfinite(*out) ? HR_JSON_VALUE : HR_JSON_OUT_OF_RANGE;
}

static struct model_value element(struct model_value array, size_t i)
{
    return (struct model_value){json_array_get(array.value, i), json_array_get(array.real, i)};
}

static struct model_value member(struct model_value object, const char *name)
{
    return (struct model_value){json_object_get(object.value, name), json_object_get(object.real, name)};
}

static enum hr_json_state doubles_state(struct model_value array)
{
    if (!json_is_array(array.value) || model_hidden_number(array.value) != NULL) {
        return HR_JSON_WRONG_TYPE;
    }
    for (size_t i = 0; i < json_array_size(array.value); i++) {
        double value;
        enum hr_json_state state = floating_state(element(array, i), &value);
        if (state != HR_JSON_VALUE) {
            return state;
        }
    }
    return HR_JSON_VALUE;
}

static enum hr_json_state strings_state(const json_t *array)
{
    if (!json_is_array(array) || model_hidden_number(array) != NULL) {
        return HR_JSON_WRONG_TYPE;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!json_is_string(json_array_get(array, i)) && !json_is_null(json_array_get(array, i))) {
            return HR_JSON_WRONG_TYPE;
        }
    }
    return HR_JSON_VALUE;
}

static enum hr_json_state sparse_state(struct model_value vector)
{
    struct model_value values = member(vector, "values");
    json_t *indices = json_object_get(vector.value, "indices");
    json_t *size = json_object_get(vector.value, "size");
    enum hr_json_state state = doubles_state(values);
    if (state == HR_JSON_OUT_OF_RANGE) {
        return state;
    }
    if (state != HR_JSON_VALUE || integer_state(size, 0, INT32_MAX) != HR_JSON_VALUE || !json_is_array(indices) ||
        model_hidden_number(indices) != NULL || json_array_size(indices) != json_array_size(values.value)) {
        return HR_JSON_WRONG_TYPE;
    }
    json_int_t next = 0;
    for (size_t i = 0; i < json_array_size(indices); i++) {
        const json_t *index = json_array_get(indices, i);
        if (integer_state(index, next, json_integer_value(size) - 1) != HR_JSON_VALUE) {
            return HR_JSON_WRONG_TYPE;
        }
        next = json_integer_value(index) + 1;
    }
    return HR_JSON_VALUE;
}

/* Halfway between the largest float and the power of two after it. */
#define FLOAT_LIMIT 0x1.ffffffp127

static int64_t epoch_unit(const struct hr_field *field)
{
    return field->timestamp_format == HR_TIMESTAMP_EPOCH_MILLIS ? 1000 : 1000000;
}

static bool is_real(const json_t *value)
{
    const char *hidden = model_hidden_number(value);
    return json_is_real(value) || (hidden != NULL && strpbrk(hidden, ".eE") != NULL);
}

bool model_is_unsure(const struct model *model, const struct hr_schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        double number = 0;
        if (schema->fields[i].type == HR_TYPE_TIMESTAMP && is_real(model_find(model, &schema->fields[i]).value)) {
            return true;
        }
        if (schema->fields[i].type == HR_TYPE_FLOAT &&
            floating_state(model_find(model, &schema->fields[i]), &number) == HR_JSON_VALUE &&
            fabs(number) == FLOAT_LIMIT) {
            return true;
        }
    }
    return false;
}

enum hr_json_state model_state(struct model_value value, const struct hr_field *field)
{
    double number;
    enum hr_json_state state;
    if (value.value == NULL) {
        return HR_JSON_MISSING;
    }
    if (json_is_null(value.value)) {
        return HR_JSON_NULL;
    }
    switch (field->type) {
    case HR_TYPE_BOOLEAN:
        return json_is_boolean(value.value) ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
    case HR_TYPE_INT:
        return integer_state(value.value, INT32_MIN, INT32_MAX);
    case HR_TYPE_LONG:
        return integer_state(value.value, INT64_MIN, INT64_MAX);
    case HR_TYPE_TIMESTAMP:
        return integer_state(value.value, HR_TIMESTAMP_MIN / epoch_unit(field), HR_TIMESTAMP_MAX / epoch_unit(field));
    case HR_TYPE_FLOAT:
        state = floating_state(value, &number);
        return state == HR_JSON_VALUE && isfinite(number) && fabs(number) > FLOAT_LIMIT ? HR_JSON_OUT_OF_RANGE : state;
    case HR_TYPE_DOUBLE:
        return floating_state(value, &number);
    case HR_TYPE_STRING:
        return json_is_string(value.value) ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
    case HR_TYPE_STRING_ARRAY:
        return strings_state(value.value);
    case HR_TYPE_DOUBLE_ARRAY:
        return doubles_state(value);
    case HR_TYPE_VECTOR:
        return json_is_object(value.value) ? sparse_state(value) : doubles_state(value);
    default:
        abort(); /* no schema of the test has another type */
    }
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static bool same_double(struct model_value value, double actual)
{
    double expected = 0;
    return floating_state(value, &expected) == HR_JSON_VALUE && same_bits(expected, actual);
}

static bool same_float(struct model_value value, double actual)
{
    double expected = 0;
    (void)floating_state(value, &expected);
    float near = (float)expected;
    if (same_bits((double)near, actual)) {
        return true;
    }
    float other = nextafterf(near, (double)near < expected ? HUGE_VALF : -HUGE_VALF);
    return same_bits((double)other, actual) && ((double)near + (double)other) / 2 == expected;
}

static bool same_text(const json_t *value, struct hr_str actual)
{
    return hr_str_equal((struct hr_str){json_string_value(value), json_string_length(value)}, actual);
}

static bool same_doubles(struct model_value array, const double *items, size_t count)
{
    if (json_array_size(array.value) != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!same_double(element(array, i), items[i])) {
            return false;
        }
    }
    return true;
}

static bool same_strings(const json_t *array, const struct hr_string_array *actual)
{
    if (json_array_size(array) != actual->count) {
        return false;
    }
    for (size_t i = 0; i < actual->count; i++) {
        const json_t *item = json_array_get(array, i);
        bool is_null = actual->valid != NULL && (actual->valid[i / 64] >> (i % 64) & 1) == 0;
        if (json_is_null(item) != is_null || (!is_null && !same_text(item, actual->items[i]))) {
            return false;
        }
    }
    return true;
}

static bool same_vector(struct model_value value, const struct hr_vector *actual)
{
    if (json_is_array(value.value)) {
        return actual->indices == NULL && actual->size == actual->count &&
               same_doubles(value, actual->values, actual->count);
    }
    const json_t *indices = json_object_get(value.value, "indices");
    if (actual->indices == NULL || actual->size != json_integer_value(json_object_get(value.value, "size"))) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(indices); i++) {
        if (json_integer_value(json_array_get(indices, i)) != actual->indices[i]) {
            return false;
        }
    }
    return same_doubles(member(value, "values"), actual->values, actual->count);
}

bool model_same(struct model_value value, const struct hr_field *field, const struct hr_column *column, size_t row)
{
    switch (column->type) {
    case HR_TYPE_BOOLEAN:
        return json_is_true(value.value) == (column->bytes[row] == 1) && column->bytes[row] <= 1;
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        return json_integer_value(value.value) == column->longs[row];
    case HR_TYPE_TIMESTAMP:
        return json_integer_value(value.value) * epoch_unit(field) == column->longs[row];
    case HR_TYPE_FLOAT:
        return same_float(value, column->doubles[row]);
    case HR_TYPE_DOUBLE:
        return same_double(value, column->doubles[row]);
    case HR_TYPE_STRING:
        return same_text(value.value, column->strings[row]);
    case HR_TYPE_STRING_ARRAY:
        return same_strings(value.value, &column->string_arrays[row]);
    case HR_TYPE_DOUBLE_ARRAY:
        return same_doubles(value, column->double_arrays[row].items, column->double_arrays[row].count);
    case HR_TYPE_VECTOR:
        return same_vector(value, &column->vectors[row]);
    default:
        abort();
    }
}
