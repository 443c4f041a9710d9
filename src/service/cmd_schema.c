/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace schema: JSON Schema (2020-12) of a query file, for editors. Made of the same option tables as everything
 * else. Looser than lint where a schema cannot look: columns, variables, checks between keys.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "service/command.h"
#include "service/describe.h"
#include "service/document.h"

#define OUTPUT_MAX (16u << 20)

/* Quantities as base/units.c reads them. */
#define DURATION_PATTERN "^[0-9]+([.][0-9]+)? *(us|ms|s|m|h|d)$|^0$|[$][{]"
#define SIZE_PATTERN "^[0-9]+([.][0-9]+)? *([KMGT]iB|[kKMGT]?B)$|[$][{]"

/* ---- values ------------------------------------------------------------------------------------------------- */

static json_t *reference(const char *kind, const char *name)
{
    char target[200];
    snprintf(target, sizeof(target), "#/$defs/%s%s%s", kind, name != NULL ? "." : "", name != NULL ? name : "");
    return json_pack("{s:s}", "$ref", target);
}

/* Any value but text may also be a variable. */
static json_t *or_variable(json_t *schema)
{
    return json_pack("{s:[o, o]}", "anyOf", schema, reference("variable", NULL));
}

static json_t *number_schema(const struct hr_option *option, const char *type)
{
    json_t *schema = json_pack("{s:s}", "type", type);
    if (option->minimum < option->maximum) {
        json_object_set_new(schema, "minimum", json_real(option->minimum));
        json_object_set_new(schema, "maximum", json_real(option->maximum));
    }
    return or_variable(schema);
}

static json_t *choice_schema(const struct hr_option *option)
{
    json_t *values = json_array();
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        json_array_append_new(values, json_string(option->choices[i]));
    }
    return or_variable(json_pack("{s:o}", "enum", values));
}

static json_t *array_of(json_t *items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

/* What stands below a key that is a structure; `kind` is that of the component the key belongs to. */
static json_t *structure_schema(const char *kind, const char *key)
{
    static const char *const sections[] = {"trigger", "checkpoint", "source",     "pipeline",
                                           "model",   "evaluation", "deadLetter", "windows"};
    for (size_t i = 0; i < HR_ARRAY_LEN(sections); i++) {
        if (strcmp(key, sections[i]) == 0) {
            return json_pack("{s:[o, {s:s}]}", "anyOf", reference(key, NULL), "type", "null");
        }
    }
    if (strcmp(key, "sinks") == 0) {
        return array_of(reference("sink", NULL));
    }
    if (strcmp(key, "stages") == 0) {
        return array_of(reference("stage", NULL));
    }
    if (strcmp(key, "format") == 0) {
        return reference(strcmp(kind, "source") == 0 ? "format" : "sinkFormat", NULL);
    }
    if (strcmp(key, "schema") == 0) {
        return json_pack("{s:[{s:s}, o]}", "anyOf", "type", "string", array_of(reference("schema", NULL)));
    }
    return json_object();
}

static json_t *value_schema(const char *kind, const struct hr_option *option)
{
    switch (option->type) {
    case HR_OPTION_STRING:
    case HR_OPTION_CHARACTER:
        return reference("text", NULL);
    case HR_OPTION_BOOL:
        return or_variable(json_pack("{s:s}", "type", "boolean"));
    case HR_OPTION_INT:
        return number_schema(option, "integer");
    case HR_OPTION_DOUBLE:
        return number_schema(option, "number");
    case HR_OPTION_DURATION:
        return json_pack("{s:[s, s], s:s}", "type", "string", "integer", "pattern", DURATION_PATTERN);
    case HR_OPTION_BYTES:
        return json_pack("{s:[s, s], s:s}", "type", "string", "integer", "pattern", SIZE_PATTERN);
    case HR_OPTION_CHOICE:
        return choice_schema(option);
    case HR_OPTION_STRINGS:
        return array_of(reference("text", NULL));
    case HR_OPTION_DOUBLES:
        return array_of(reference("number", NULL));
    case HR_OPTION_INTS:
        return array_of(or_variable(json_pack("{s:s}", "type", "integer")));
    case HR_OPTION_DOUBLE_LISTS:
        return array_of(array_of(reference("number", NULL)));
    case HR_OPTION_PROPERTIES:
        return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", reference("text", NULL));
    case HR_OPTION_NODE:
        return structure_schema(kind, option->key);
    }
    return json_object();
}

/* ---- components --------------------------------------------------------------------------------------------- */

static void add_text_property(json_t *properties, const char *key)
{
    if (json_object_get(properties, key) == NULL) {
        json_object_set_new(properties, key, reference("text", NULL));
    }
}

/* A mapping with the keys of a table; more: keys that the component's kind reads itself, NULL-terminated. */
static json_t *object_schema(const char *kind, const struct hr_component *component, const char *const *more)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < component->options.count; i++) {
        const struct hr_option *option = &component->options.rows[i];
        json_t *schema = value_schema(kind, option);
        if (option->help != NULL) {
            json_object_set_new(schema, "description", json_string(option->help));
        }
        json_object_set(properties, option->key, schema);
        if (option->alias != NULL) {
            json_object_set(properties, option->alias, schema);
        }
        json_decref(schema);
        if (option->required) {
            json_array_append_new(required, json_string(option->key));
        }
    }
    for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
        add_text_property(properties, more[i]);
    }
    return json_pack("{s:s, s:s, s:o, s:o, s:{s:{}}, s:b}", "description", component->summary, "type", "object",
                     "properties", properties, "required", required, "patternProperties", "^x-", "additionalProperties",
                     0);
}

/* {type: NAME, …}: what NAME says. fallback: the type that is meant when none is given, NULL: one is needed. */
static json_t *union_schema(const char *kind, const struct hr_component_group *group, const char *fallback)
{
    json_t *names = json_array();
    json_t *cases = json_array();
    for (size_t i = 0; i < group->count; i++) {
        const char *name = group->items[i].name;
        json_array_append_new(names, json_string(name));
        json_t *condition = json_pack("{s:{s:{s:s}}}", "properties", "type", "const", name);
        if (fallback == NULL || strcmp(fallback, name) != 0) {
            json_object_set_new(condition, "required", json_pack("[s]", "type"));
        }
        json_array_append_new(cases, json_pack("{s:o, s:o}", "if", condition, "then", reference(kind, name)));
    }
    json_t *schema =
        json_pack("{s:s, s:{s:{s:o}}, s:o}", "type", "object", "properties", "type", "enum", names, "allOf", cases);
    if (fallback == NULL) {
        json_object_set_new(schema, "required", json_pack("[s]", "type"));
    }
    return schema;
}

static void define(json_t *definitions, const char *kind, const char *name, json_t *schema)
{
    char key[200];
    snprintf(key, sizeof(key), "%s%s%s", kind, name != NULL ? "." : "", name != NULL ? name : "");
    json_object_set_new(definitions, key, schema);
}

/* One definition a component, and the union of them. */
static void define_group(json_t *definitions, const char *kind, const struct hr_component_group *group,
                         const char *const *more, const char *fallback)
{
    for (size_t i = 0; i < group->count; i++) {
        json_t *schema = object_schema(kind, &group->items[i], more);
        if (strcmp(kind, "stage") == 0) {
            json_object_set_new(json_object_get(schema, "properties"), "fitted", json_pack("{s:s}", "type", "object"));
        }
        define(definitions, kind, group->items[i].name, schema);
    }
    json_t *all = union_schema(kind, group, fallback);
    if (fallback != NULL) {
        /* The short form: format: json */
        all = json_pack("{s:[o, {s:O}]}", "anyOf", all, "enum",
                        json_object_get(json_object_get(json_object_get(all, "properties"), "type"), "enum"));
    }
    define(definitions, kind, NULL, all);
}

static void define_scalars(json_t *definitions)
{
    define(definitions, "text", NULL, json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean"));
    define(definitions, "variable", NULL, json_pack("{s:s, s:s}", "type", "string", "pattern", "[$][{]"));
    define(definitions, "number", NULL,
           json_pack("{s:[{s:s}, {s:[s, s, s]}, o]}", "anyOf", "type", "number", "enum", "NaN", "Infinity", "-Infinity",
                     reference("variable", NULL)));
}

/* Dead letters go to a sink that keeps them, and have keys of their own beside its. */
static void define_dead_letter(json_t *definitions, const struct hr_component *section,
                               const struct hr_component_group *sinks, struct hr_arena *arena)
{
    struct hr_component_group group = {.items = hr_arena_array(arena, sinks->count, struct hr_component)};
    for (size_t i = 0; i < sinks->count; i++) {
        if (strcmp(sinks->items[i].name, "console") != 0) {
            group.items[group.count++] = sinks->items[i];
        }
    }
    json_t *own = object_schema("deadLetter", section, NULL);
    for (size_t i = 0; i < group.count; i++) {
        json_t *schema = object_schema("sink", &group.items[i], NULL);
        json_object_update(json_object_get(schema, "properties"), json_object_get(own, "properties"));
        define(definitions, "deadLetter", group.items[i].name, schema);
    }
    json_decref(own);
    define(definitions, "deadLetter", NULL, union_schema("deadLetter", &group, NULL));
}

static json_t *query_schema(struct hr_arena *arena)
{
    static const char *const type_only[] = {"type", NULL};
    static const char *const type_and_id[] = {"type", "id", NULL};
    static const char *const of_sink_format[] = {"type", "compression", NULL};
    struct hr_component_group groups[HR_COMPONENT_GROUPS];
    hr_describe_all(arena, groups);
    json_t *definitions = json_object();
    json_t *root = NULL;
    define_scalars(definitions);
    for (size_t i = 0; i < HR_COMPONENT_GROUPS; i++) {
        const struct hr_component_group *group = &groups[i];
        if (strcmp(group->name, "sources") == 0) {
            define_group(definitions, "source", group, NULL, NULL);
        } else if (strcmp(group->name, "formats") == 0) {
            define_group(definitions, "format", group, type_only, "json");
            define_group(definitions, "sinkFormat", group, of_sink_format, "json");
        } else if (strcmp(group->name, "stages") == 0) {
            define_group(definitions, "stage", group, type_and_id, NULL);
        } else if (strcmp(group->name, "models") == 0) {
            define_group(definitions, "model", group, type_and_id, NULL);
        } else if (strcmp(group->name, "sinks") == 0) {
            define_group(definitions, "sink", group, NULL, NULL);
        }
    }
    const struct hr_component_group *sections = &groups[0];
    for (size_t i = 0; i < sections->count; i++) {
        const struct hr_component *section = &sections->items[i];
        if (strcmp(section->name, "query") == 0) {
            root = object_schema("query", section, NULL);
        } else if (strcmp(section->name, "deadLetter") == 0) {
            define_dead_letter(definitions, section, &groups[HR_COMPONENT_GROUPS - 1], arena);
        } else {
            define(definitions, section->name, NULL, object_schema(section->name, section, NULL));
        }
    }
    json_t *document =
        json_pack("{s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title", "Headrace query");
    json_object_update(document, root);
    json_object_set_new(document, "$defs", definitions);
    json_decref(root);
    return document;
}

static int schema(struct hr_arguments *arguments)
{
    json_t *document = query_schema(&arguments->arena);
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, OUTPUT_MAX);
    struct hr_json json;
    hr_json_init(&json, &out);
    hr_document_write(&json, document);
    hr_buf_append_char(&out, '\n');
    fwrite(out.data, 1, out.length, stdout);
    json_decref(document);
    return 0;
}

const struct hr_command hr_command_schema = {
    .name = "schema",
    .operands = "",
    .summary = "JSON Schema of a query file, for editors",
    .doc = "headrace schema > query.schema.json, and in a query file the line\n"
           "# yaml-language-server: $schema=query.schema.json\n"
           "gives completion and help in editors. lint sees more: columns, variables, checks between keys.",
    .operands_min = 0,
    .operands_max = 0,
    .run = schema,
};
