/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking things up in a tree, what a plain scalar stands for, and the way to and from JSON.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/redact.h"
#include "base/yaml.h"

const char *hr_yaml_shown(const struct hr_yaml *node)
{
    return node->secret ? HR_REDACTED : node->text;
}

struct hr_yaml *hr_yaml_get(const struct hr_yaml *node, const char *key)
{
    if (node == NULL || node->kind != HR_YAML_MAPPING) {
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->keys[i], key) == 0) {
            return node->items[i];
        }
    }
    return NULL;
}

const struct hr_place *hr_yaml_key_place(const struct hr_yaml *node, const char *key)
{
    for (size_t i = 0; node->kind == HR_YAML_MAPPING && i < node->count; i++) {
        if (strcmp(node->keys[i], key) == 0) {
            return &node->key_places[i];
        }
    }
    return &node->place;
}

static bool is_one_of(const char *text, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const struct hr_yaml *node)
{
    return node != NULL && node->kind == HR_YAML_SCALAR && !node->quoted;
}

bool hr_yaml_is_null(const struct hr_yaml *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    return is_plain(node) && is_one_of(node->text, words, HR_ARRAY_LEN(words));
}

/* .inf and .nan of the core schema in three spellings, and JavaScript's and Java's words. */
static bool special_number(const struct hr_yaml *node, double *out)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF"};
    static const char *const nans[] = {".nan", ".NaN", ".NAN"};
    const char *text = node->text;
    bool negative = text[0] == '-';
    const char *rest = negative || text[0] == '+' ? text + 1 : text;
    bool plain = !node->quoted;
    if (strcmp(rest, "Infinity") == 0 || (plain && is_one_of(rest, infinities, HR_ARRAY_LEN(infinities)))) {
        *out = negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (strcmp(text, "NaN") == 0 || (plain && is_one_of(text, nans, HR_ARRAY_LEN(nans)))) {
        *out = (double)NAN;
        return true;
    }
    return false;
}

/* 0x1F, 0o17 */
static bool based_integer(const char *text, int64_t *out)
{
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'o')) {
        return false;
    }
    const char *digits = text[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
    size_t length = strspn(text + 2, digits);
    if (length == 0 || length > 15 || text[2 + length] != '\0') {
        return false;
    }
    *out = strtoll(text + 2, NULL, text[1] == 'x' ? 16 : 8);
    return true;
}

bool hr_yaml_integer(const struct hr_yaml *node, int64_t *out)
{
    if (!is_plain(node)) {
        return false;
    }
    const char *text = node->text;
    if (based_integer(text, out)) {
        return true;
    }
    if (text[0] == '+' && text[1] != '-') {
        text++;
    }
    return hr_number_parse_int64(text, strlen(text), out);
}

bool hr_yaml_number(const struct hr_yaml *node, double *out)
{
    if (node == NULL || node->kind != HR_YAML_SCALAR) {
        return false;
    }
    if (special_number(node, out)) {
        return true;
    }
    int64_t integer;
    if (node->quoted) {
        return false;
    }
    const char *text = node->text;
    if (based_integer(text, &integer)) {
        *out = (double)integer;
        return true;
    }
    if (text[0] == '+' && text[1] != '-') {
        text++;
    }
    return hr_number_parse_double(text, strlen(text), out);
}

static json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    HR_ASSERT(value != NULL);
    return value;
}

static json_t *scalar_to_json(const struct hr_yaml *node)
{
    static const char *const truths[] = {"true", "True", "TRUE"};
    static const char *const lies[] = {"false", "False", "FALSE"};
    if (node->quoted) {
        return json_text(node->text);
    }
    if (hr_yaml_is_null(node)) {
        return json_null();
    }
    if (is_one_of(node->text, truths, HR_ARRAY_LEN(truths))) {
        return json_true();
    }
    if (is_one_of(node->text, lies, HR_ARRAY_LEN(lies))) {
        return json_false();
    }
    int64_t integer;
    if (hr_yaml_integer(node, &integer)) {
        return json_integer(integer);
    }
    double number;
    if (!hr_yaml_number(node, &number)) {
        return json_text(node->text);
    }
    if (isnan(number)) {
        return json_text("NaN");
    }
    return isinf(number) ? json_text(number > 0 ? "Infinity" : "-Infinity") : json_real(number);
}

static json_t *to_json(const struct hr_yaml *node, bool redact)
{
    if (node == NULL) {
        return json_null();
    }
    if (node->kind == HR_YAML_SCALAR) {
        return redact && node->secret ? json_text("<redacted>") : scalar_to_json(node);
    }
    json_t *value = node->kind == HR_YAML_SEQUENCE ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        json_t *item = to_json(node->items[i], redact);
        int failed = node->kind == HR_YAML_SEQUENCE ? json_array_append_new(value, item)
                                                    : json_object_set_new(value, node->keys[i], item);
        HR_ASSERT(failed == 0);
    }
    return value;
}

json_t *hr_yaml_to_json(const struct hr_yaml *node)
{
    return to_json(node, false);
}

json_t *hr_yaml_to_json_redacted(const struct hr_yaml *node)
{
    return to_json(node, true);
}

static const char *json_scalar_text(struct hr_arena *arena, const json_t *value)
{
    char number[HR_NUMBER_TEXT_MAX];
    switch (json_typeof(value)) {
    case JSON_STRING:
        return hr_arena_strdup(arena, json_string_value(value));
    case JSON_INTEGER:
        return hr_arena_strndup(arena, number, hr_number_format_int64(json_integer_value(value), number));
    case JSON_REAL:
        return hr_arena_strndup(arena, number, hr_number_format_java(json_real_value(value), number));
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    default:
        return "null";
    }
}

struct hr_yaml *hr_yaml_from_json(struct hr_arena *arena, const json_t *value, const char *path)
{
    struct hr_yaml *node = hr_arena_new(arena, struct hr_yaml);
    node->place = (struct hr_place){.file = "", .path = path};
    if (!json_is_object(value) && !json_is_array(value)) {
        node->kind = HR_YAML_SCALAR;
        node->text = json_scalar_text(arena, value);
        node->quoted = json_is_string(value);
        return node;
    }
    node->kind = json_is_object(value) ? HR_YAML_MAPPING : HR_YAML_SEQUENCE;
    node->count = json_is_object(value) ? json_object_size(value) : json_array_size(value);
    node->items = hr_arena_array(arena, node->count, struct hr_yaml *);
    if (node->kind == HR_YAML_SEQUENCE) {
        for (size_t i = 0; i < node->count; i++) {
            node->items[i] =
                hr_yaml_from_json(arena, json_array_get(value, i), hr_arena_printf(arena, "%s[%zu]", path, i));
        }
        return node;
    }
    node->keys = hr_arena_array(arena, node->count, const char *);
    node->key_places = hr_arena_array(arena, node->count, struct hr_place);
    const char *key;
    json_t *item;
    size_t i = 0;
    json_object_foreach((json_t *)value, key, item)
    {
        node->keys[i] = hr_arena_strdup(arena, key);
        const char *item_path = path[0] == '\0' ? node->keys[i] : hr_arena_printf(arena, "%s.%s", path, key);
        node->items[i] = hr_yaml_from_json(arena, item, item_path);
        node->key_places[i] = node->items[i]->place;
        i++;
    }
    return node;
}
