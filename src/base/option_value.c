/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a value by its row's type. Messages name the key, what was found and what is wanted; never a value that came
 * from a variable or belongs to a secret option.
 */
#include "base/option_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

struct reading {
    const struct hr_option *row;
    struct hr_arena *arena;
    struct hr_findings *findings;
};

static const char *shown(const struct reading *reading, const struct hr_yaml *node)
{
    if (node->kind == HR_YAML_SEQUENCE) {
        return "a list";
    }
    if (node->kind == HR_YAML_MAPPING) {
        return "a mapping";
    }
    if (node->secret || reading->row->secret) {
        return "the value";
    }
    return hr_arena_printf(reading->arena, "'%.80s'", node->text);
}

/* What the key is for, under what is wrong with its value. */
static void hint_help(const struct reading *reading, struct hr_finding *finding)
{
    if (finding->hint == NULL && reading->row->help != NULL) {
        hr_finding_hint(reading->findings, finding, "%s: %s", reading->row->key, reading->row->help);
    }
}

static bool refuse(const struct reading *reading, const struct hr_yaml *node, const char *wanted)
{
    if (node->unusable) {
        hr_findings_repeat(reading->findings);
    } else {
        hint_help(reading, hr_findings_error(reading->findings, &node->place, "%s: %s is not %s", reading->row->key,
                                             shown(reading, node), wanted));
    }
    return false;
}

/* "1000000", "0.5"; durations and sizes as they are written. */
static const char *limit_text(const struct reading *reading, double limit)
{
    char text[32];
    if (reading->row->type == HR_OPTION_DURATION) {
        hr_units_write_duration((int64_t)limit, text);
    } else if (reading->row->type == HR_OPTION_BYTES) {
        hr_units_write_bytes((int64_t)limit, text);
    } else {
        bool whole = limit == floor(limit) && fabs(limit) < 1e18;
        (void)snprintf(text, sizeof(text), whole ? "%.0f" : "%g", limit);
    }
    return hr_arena_strdup(reading->arena, text);
}

static bool in_range(const struct reading *reading, const struct hr_yaml *node, double value)
{
    const struct hr_option *row = reading->row;
    if (row->minimum < row->maximum && !(value >= row->minimum && value <= row->maximum)) {
        hint_help(reading,
                  hr_findings_error(reading->findings, &node->place, "%s: %s is out of range, allowed is %s to %s",
                                    row->key, shown(reading, node), limit_text(reading, row->minimum),
                                    limit_text(reading, row->maximum)));
        return false;
    }
    return true;
}

static bool read_text(const struct reading *reading, const struct hr_yaml *node, const char **out)
{
    if (node->kind != HR_YAML_SCALAR || node->unusable) {
        return refuse(reading, node, "text");
    }
    *out = hr_arena_strdup(reading->arena, node->text);
    return true;
}

static bool read_bool(const struct reading *reading, const struct hr_yaml *node, bool *out)
{
    bool yes = node->kind == HR_YAML_SCALAR && !node->quoted && strcmp(node->text, "true") == 0;
    bool no = node->kind == HR_YAML_SCALAR && !node->quoted && strcmp(node->text, "false") == 0;
    if (!yes && !no) {
        return refuse(reading, node, "true or false");
    }
    *out = yes;
    return true;
}

static bool read_int(const struct reading *reading, const struct hr_yaml *node, int64_t *out)
{
    int64_t value;
    if (!hr_yaml_integer(node, &value)) {
        return refuse(reading, node, "an integer");
    }
    if (!in_range(reading, node, (double)value)) {
        return false;
    }
    *out = value;
    return true;
}

static bool read_double(const struct reading *reading, const struct hr_yaml *node, double *out)
{
    double value;
    if (!hr_yaml_number(node, &value)) {
        return refuse(reading, node, "a number");
    }
    if (!in_range(reading, node, value)) {
        return false;
    }
    *out = value;
    return true;
}

static bool read_quantity(const struct reading *reading, const struct hr_yaml *node, int64_t *out)
{
    bool duration = reading->row->type == HR_OPTION_DURATION;
    int64_t value;
    if (node->kind != HR_YAML_SCALAR || node->unusable ||
        !(duration ? hr_units_parse_duration(node->text, &value) : hr_units_parse_bytes(node->text, &value))) {
        return refuse(reading, node, duration ? "a duration (500ms, 10s, 5m, 1h, 7d)" : "a size (64KiB, 256MiB)");
    }
    if (!in_range(reading, node, (double)value)) {
        return false;
    }
    *out = value;
    return true;
}

static bool read_choice(const struct reading *reading, const struct hr_yaml *node, int *out)
{
    const char *const *choices = reading->row->choices;
    size_t count = 0;
    char *list = hr_arena_strdup(reading->arena, "");
    for (; choices[count] != NULL; count++) {
        if (node->kind == HR_YAML_SCALAR && !node->unusable && strcmp(node->text, choices[count]) == 0) {
            *out = (int)count;
            return true;
        }
        list = hr_arena_printf(reading->arena, "%s%s%s", list, count > 0 ? ", " : "", choices[count]);
    }
    if (node->unusable) {
        hr_findings_repeat(reading->findings);
        return false;
    }
    struct hr_finding *finding = hr_findings_error(reading->findings, &node->place, "%s: %s is not one of %s",
                                                   reading->row->key, shown(reading, node), list);
    const char *near = node->kind == HR_YAML_SCALAR ? hr_str_nearest(node->text, choices, count) : NULL;
    if (near != NULL) {
        hr_finding_hint(reading->findings, finding, "did you mean '%s'?", near);
    }
    hint_help(reading, finding);
    return false;
}

static bool read_character(const struct reading *reading, const struct hr_yaml *node, char *out)
{
    if (node->kind == HR_YAML_SCALAR && !node->unusable) {
        const char *text = strcmp(node->text, "\\t") == 0 ? "\t" : node->text;
        if (strlen(text) == 1) {
            *out = text[0];
            return true;
        }
    }
    return refuse(reading, node, "one character (of ASCII)");
}

static bool is_sequence(const struct reading *reading, const struct hr_yaml *node, const char *wanted)
{
    return node->kind == HR_YAML_SEQUENCE || refuse(reading, node, wanted);
}

static bool read_strings(const struct reading *reading, const struct hr_yaml *node, struct hr_string_list *out)
{
    if (!is_sequence(reading, node, "a list of strings")) {
        return false;
    }
    struct hr_string_list list = {hr_arena_array(reading->arena, node->count, const char *), node->count};
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        good = read_text(reading, node->items[i], &list.items[i]) && good;
    }
    *out = good ? list : *out;
    return good;
}

static bool read_doubles(const struct reading *reading, const struct hr_yaml *node, struct hr_double_list *out)
{
    if (!is_sequence(reading, node, "a list of numbers")) {
        return false;
    }
    struct hr_double_list list = {hr_arena_array(reading->arena, node->count, double), node->count};
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        good = read_double(reading, node->items[i], &list.items[i]) && good;
    }
    *out = good ? list : *out;
    return good;
}

static bool read_ints(const struct reading *reading, const struct hr_yaml *node, struct hr_int_list *out)
{
    if (!is_sequence(reading, node, "a list of integers")) {
        return false;
    }
    struct hr_int_list list = {hr_arena_array(reading->arena, node->count, int64_t), node->count};
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        good = read_int(reading, node->items[i], &list.items[i]) && good;
    }
    *out = good ? list : *out;
    return good;
}

static bool read_double_lists(const struct reading *reading, const struct hr_yaml *node, struct hr_double_lists *out)
{
    if (!is_sequence(reading, node, "a list of lists of numbers")) {
        return false;
    }
    struct hr_double_lists lists = {hr_arena_array(reading->arena, node->count, struct hr_double_list), node->count};
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        good = read_doubles(reading, node->items[i], &lists.items[i]) && good;
    }
    *out = good ? lists : *out;
    return good;
}

/* Names under which a library takes what must not be shown. */
static bool key_is_secret(const char *key)
{
    static const char *const words[] = {"password", "secret", "token", "sasl.jaas", "key.pem", "oauthbearer.config"};
    for (size_t i = 0; i < HR_ARRAY_LEN(words); i++) {
        if (strstr(key, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool read_properties(const struct reading *reading, const struct hr_yaml *node, struct hr_properties *out)
{
    if (node->kind != HR_YAML_MAPPING) {
        return refuse(reading, node, "a mapping of names to values");
    }
    struct hr_properties list = {hr_arena_calloc(reading->arena, node->count, sizeof(struct hr_property)), node->count};
    bool good = true;
    list.count = 0; /* those that cannot be read are left out, so that the others are checked */
    for (size_t i = 0; i < node->count; i++) {
        struct hr_property *property = &list.items[list.count];
        property->key = node->keys[i];
        property->place = node->key_places[i];
        property->secret = node->items[i]->secret || key_is_secret(property->key);
        bool readable = read_text(reading, node->items[i], &property->value);
        list.count += readable;
        good = readable && good;
    }
    *out = list;
    return good;
}

void hr_option_value_read(const struct hr_option *row, const struct hr_yaml *node, void *options,
                          struct hr_arena *arena, struct hr_findings *findings)
{
    const struct reading reading = {row, arena, findings};
    void *field = (char *)options + row->offset;
    switch (row->type) {
    case HR_OPTION_STRING:
        (void)read_text(&reading, node, field);
        break;
    case HR_OPTION_BOOL:
        (void)read_bool(&reading, node, field);
        break;
    case HR_OPTION_INT:
        (void)read_int(&reading, node, field);
        break;
    case HR_OPTION_DOUBLE:
        (void)read_double(&reading, node, field);
        break;
    case HR_OPTION_DURATION:
    case HR_OPTION_BYTES:
        (void)read_quantity(&reading, node, field);
        break;
    case HR_OPTION_CHOICE:
        (void)read_choice(&reading, node, field);
        break;
    case HR_OPTION_CHARACTER:
        (void)read_character(&reading, node, field);
        break;
    case HR_OPTION_STRINGS:
        (void)read_strings(&reading, node, field);
        break;
    case HR_OPTION_DOUBLES:
        (void)read_doubles(&reading, node, field);
        break;
    case HR_OPTION_INTS:
        (void)read_ints(&reading, node, field);
        break;
    case HR_OPTION_DOUBLE_LISTS:
        (void)read_double_lists(&reading, node, field);
        break;
    case HR_OPTION_PROPERTIES:
        (void)read_properties(&reading, node, field);
        break;
    case HR_OPTION_NODE:
        memcpy(field, &node, sizeof(node));
        break;
    }
}

/* ---- back to JSON ------------------------------------------------------------------------------------------- */

static json_t *double_to_json(double value)
{
    if (isnan(value)) {
        return json_string("NaN");
    }
    if (isinf(value)) {
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    }
    return json_real(value);
}

static json_t *doubles_to_json(const struct hr_double_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(array, double_to_json(list->items[i]));
    }
    return array;
}

static json_t *list_to_json(const struct hr_option *row, const void *field)
{
    if (row->type == HR_OPTION_DOUBLES) {
        const struct hr_double_list *list = field;
        return list->items != NULL ? doubles_to_json(list) : NULL;
    }
    /* All lists begin with the pointer to their items, and the count follows. */
    const struct hr_string_list *shape = field;
    if (shape->items == NULL) {
        return NULL;
    }
    json_t *array = json_array();
    for (size_t i = 0; i < shape->count; i++) {
        json_t *item;
        if (row->type == HR_OPTION_STRINGS) {
            item = json_string(shape->items[i]);
        } else if (row->type == HR_OPTION_INTS) {
            item = json_integer(((const struct hr_int_list *)field)->items[i]);
        } else {
            item = doubles_to_json(&((const struct hr_double_lists *)field)->items[i]);
        }
        json_array_append_new(array, item);
    }
    return array;
}

static json_t *properties_to_json(const struct hr_properties *list)
{
    if (list->items == NULL) {
        return NULL;
    }
    json_t *object = json_object();
    for (size_t i = 0; i < list->count; i++) {
        const struct hr_property *property = &list->items[i];
        json_object_set_new(object, property->key, json_string(property->secret ? "<redacted>" : property->value));
    }
    return object;
}

static json_t *quantity_to_json(const struct hr_option *row, int64_t value)
{
    char text[32];
    if (value == 0 && row->fallback == NULL) {
        return NULL;
    }
    if (row->type == HR_OPTION_INT) {
        return json_integer(value);
    }
    if (row->type == HR_OPTION_DURATION) {
        hr_units_write_duration(value, text);
    } else {
        hr_units_write_bytes(value, text);
    }
    return json_string(text);
}

json_t *hr_option_value_to_json(const struct hr_option *row, const void *options)
{
    const void *field = (const char *)options + row->offset;
    bool has_default = row->fallback != NULL;
    switch (row->type) {
    case HR_OPTION_STRING: {
        const char *text = *(const char *const *)field;
        return text == NULL ? NULL : json_string(row->secret ? "<redacted>" : text);
    }
    case HR_OPTION_BOOL:
        return *(const bool *)field || has_default ? json_boolean(*(const bool *)field) : NULL;
    case HR_OPTION_INT:
    case HR_OPTION_DURATION:
    case HR_OPTION_BYTES:
        return quantity_to_json(row, *(const int64_t *)field);
    case HR_OPTION_DOUBLE:
        return *(const double *)field != 0 || has_default ? double_to_json(*(const double *)field) : NULL;
    case HR_OPTION_CHOICE:
        return *(const int *)field != 0 || has_default ? json_string(row->choices[*(const int *)field]) : NULL;
    case HR_OPTION_CHARACTER:
        return *(const char *)field != 0 ? json_stringn(field, 1) : NULL;
    case HR_OPTION_STRINGS:
    case HR_OPTION_DOUBLES:
    case HR_OPTION_INTS:
    case HR_OPTION_DOUBLE_LISTS:
        return list_to_json(row, field);
    case HR_OPTION_PROPERTIES:
        return properties_to_json(field);
    case HR_OPTION_NODE: {
        const struct hr_yaml *node = *(const struct hr_yaml *const *)field;
        return node != NULL ? hr_yaml_to_json(node) : NULL;
    }
    }
    return NULL;
}
