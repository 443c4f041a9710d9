/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers in JSON, both ways.
 */
#include "ml/fitted_values.h"

#include <math.h>
#include <string.h>

#define VECTOR_SIZE_MAX 100000000

static bool read_number(const json_t *value, double *out)
{
    static const struct {
        const char *text;
        double value;
    } names[] = {{"NaN", (double)NAN}, {"Infinity", (double)INFINITY}, {"-Infinity", -(double)INFINITY}};
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    for (size_t i = 0; text != NULL && i < HR_ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i].text) == 0) {
            *out = names[i].value;
            return true;
        }
    }
    return false;
}

static enum hr_status read_sparse(const struct hr_stage *stage, const json_t *node, const char *key, double **out,
                                  size_t *count, struct hr_error *err)
{
    const json_t *size = json_object_get(node, "size");
    const json_t *indices = json_object_get(node, "indices");
    const json_t *values = json_object_get(node, "values");
    if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > VECTOR_SIZE_MAX ||
        json_array_size(indices) != json_array_size(values)) {
        return hr_stage_fail(stage, err, "fitted.%s: a sparse vector has size, indices and as many values", key);
    }
    size_t length = (size_t)json_integer_value(size);
    double *numbers = hr_arena_calloc(stage->arena, length, sizeof(double));
    for (size_t i = 0; i < json_array_size(indices); i++) {
        const json_t *index = json_array_get(indices, i);
        if (!json_is_integer(index) || json_integer_value(index) < 0 || (size_t)json_integer_value(index) >= length ||
            !read_number(json_array_get(values, i), &numbers[json_integer_value(index)])) {
            return hr_stage_fail(stage, err, "fitted.%s: element %zu of the sparse vector is wrong", key, i);
        }
    }
    *out = numbers;
    *count = length;
    return HR_OK;
}

enum hr_status hr_fitted_doubles(const struct hr_stage *stage, const json_t *fitted, const char *key, double **out,
                                 size_t *count, struct hr_error *err)
{
    const json_t *list = json_object_get(fitted, key);
    if (list == NULL) {
        return hr_stage_fail(stage, err, "fitted.%s is missing", key);
    }
    if (json_is_object(list)) {
        return read_sparse(stage, list, key, out, count, err);
    }
    if (!json_is_array(list)) {
        return hr_stage_fail(stage, err, "fitted.%s must be a list of numbers", key);
    }
    double *numbers = hr_arena_array(stage->arena, json_array_size(list), double);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_number(json_array_get(list, i), &numbers[i])) {
            return hr_stage_fail(stage, err, "fitted.%s[%zu] is not a number", key, i);
        }
    }
    *out = numbers;
    *count = json_array_size(list);
    return HR_OK;
}

json_t *hr_fitted_from_doubles(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i])) {
            json_array_append_new(list, json_real(values[i]));
        } else {
            const char *sign = values[i] > 0 ? "Infinity" : "-Infinity";
            json_array_append_new(list, json_string(isnan(values[i]) ? "NaN" : sign));
        }
    }
    return list;
}
