/* SPDX-License-Identifier: Apache-2.0
 *
 * Depth is bounded by jansson's own limit for what it parsed, and by our components for what they make.
 */
#include "service/document.h"

static void write_array(struct hr_json *json, const json_t *array)
{
    hr_json_array_begin(json);
    for (size_t i = 0; i < json_array_size(array); i++) {
        hr_document_write(json, json_array_get(array, i));
    }
    hr_json_array_end(json);
}

static void write_object(struct hr_json *json, const json_t *object)
{
    json_t *mutable_object = (json_t *)object; /* jansson's iterators are not const */
    hr_json_object_begin(json);
    for (void *at = json_object_iter(mutable_object); at != NULL; at = json_object_iter_next(mutable_object, at)) {
        hr_json_key(json, json_object_iter_key(at));
        hr_document_write(json, json_object_iter_value(at));
    }
    hr_json_object_end(json);
}

void hr_document_write(struct hr_json *json, const json_t *value)
{
    if (value == NULL) {
        hr_json_null(json);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(json, value);
        break;
    case JSON_ARRAY:
        write_array(json, value);
        break;
    case JSON_STRING:
        hr_json_str(json, (struct hr_str){json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        hr_json_int(json, json_integer_value(value));
        break;
    case JSON_REAL:
        hr_json_double(json, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        hr_json_bool(json, json_is_true(value));
        break;
    case JSON_NULL:
        hr_json_null(json);
        break;
    }
}
