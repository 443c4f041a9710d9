/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking a mapping with a table: every key is known, every required key is there, every value is read by its row.
 */
#include "base/option.h"

#include <string.h>

#include "base/option_value.h"

const char *hr_option_type_text(enum hr_option_type type)
{
    static const char *const texts[] = {
#define OPTION_TYPE_TEXT(name, c_type, text) [HR_OPTION_##name] = text,
        HR_OPTION_TYPES(OPTION_TYPE_TEXT)
#undef OPTION_TYPE_TEXT
    };
    return texts[type];
}

const struct hr_option *hr_option_find(struct hr_option_table table, const char *key)
{
    for (size_t i = 0; i < table.count; i++) {
        const struct hr_option *row = &table.rows[i];
        if (strcmp(row->key, key) == 0 || (row->alias != NULL && strcmp(row->alias, key) == 0)) {
            return row;
        }
    }
    return NULL;
}

/* A default is read from its text as a user's value would be; one that is wrong is a bug of the table. */
static void read_default(const struct hr_option *row, void *options, struct hr_arena *arena)
{
    struct hr_findings findings;
    hr_findings_init(&findings);
    const struct hr_yaml *node;
    struct hr_yaml scalar = {.kind = HR_YAML_SCALAR, .text = row->fallback};
    if (row->fallback[0] == '[' || row->fallback[0] == '{') {
        node = hr_yaml_read_text(arena, row->key, row->fallback, strlen(row->fallback), &findings);
    } else {
        node = &scalar;
    }
    if (node != NULL && row->type == HR_OPTION_NODE && node == &scalar) {
        node = NULL;
    }
    HR_ASSERT(node != NULL);
    hr_option_value_read(row, node, options, arena, &findings);
    HR_ASSERT(findings.errors == 0);
    hr_findings_release(&findings);
}

void hr_options_defaults(struct hr_option_table table, void *options, struct hr_arena *arena)
{
    for (size_t i = 0; i < table.count; i++) {
        if (table.rows[i].fallback != NULL) {
            read_default(&table.rows[i], options, arena);
        }
    }
}

static bool is_ignored(const char *const *ignore, const char *key)
{
    if (strncmp(key, "x-", 2) == 0) {
        return true;
    }
    for (size_t i = 0; ignore != NULL && ignore[i] != NULL; i++) {
        if (strcmp(ignore[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static const char *key_list(struct hr_option_table table, const char *const *more, size_t more_count,
                            struct hr_arena *arena)
{
    char *list = hr_arena_strdup(arena, "");
    for (size_t i = 0; i < table.count + more_count; i++) {
        list = hr_arena_printf(arena, "%s%s%s", list, i > 0 ? ", " : "",
                               i < table.count ? table.rows[i].key : more[i - table.count]);
    }
    return list;
}

static void report_unknown(struct hr_option_table table, const struct hr_yaml *node, size_t index,
                           const char *const *ignore, struct hr_arena *arena, struct hr_findings *findings)
{
    size_t ignored = 0;
    while (ignore != NULL && ignore[ignored] != NULL) {
        ignored++;
    }
    const char **names = hr_arena_array(arena, table.count + ignored, const char *);
    for (size_t i = 0; i < table.count + ignored; i++) {
        names[i] = i < table.count ? table.rows[i].key : ignore[i - table.count];
    }
    struct hr_finding *finding =
        hr_findings_error(findings, &node->key_places[index], "unknown key '%s'", node->keys[index]);
    const char *near = hr_str_nearest(node->keys[index], names, table.count + ignored);
    if (near != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", near);
    } else {
        hr_finding_hint(findings, finding, "known keys: %s", key_list(table, ignore, ignored, arena));
    }
}

/* The value of a row's key or alias; both at once is a finding. */
static const struct hr_yaml *value_of(const struct hr_option *row, const struct hr_yaml *node,
                                      struct hr_findings *findings)
{
    const struct hr_yaml *value = hr_yaml_get(node, row->key);
    const struct hr_yaml *other = row->alias != NULL ? hr_yaml_get(node, row->alias) : NULL;
    if (value != NULL && other != NULL) {
        struct hr_finding *finding = hr_findings_error(findings, hr_yaml_key_place(node, row->alias),
                                                       "'%s' and '%s' are the same", row->alias, row->key);
        hr_finding_hint(findings, finding, "remove one of them");
    }
    value = value != NULL ? value : other;
    return value != NULL && !hr_yaml_is_null(value) ? value : NULL;
}

void hr_options_read(struct hr_option_table table, const struct hr_yaml *node, const char *const *ignore, void *options,
                     struct hr_arena *arena, struct hr_findings *findings)
{
    hr_options_defaults(table, options, arena);
    if (node == NULL) {
        return;
    }
    if (node->kind != HR_YAML_MAPPING) {
        if (node->unusable) {
            hr_findings_repeat(findings);
        } else {
            struct hr_finding *finding =
                hr_findings_error(findings, &node->place, "%s: a mapping of keys to values is wanted here",
                                  node->place.path != NULL && node->place.path[0] != '\0' ? node->place.path : "file");
            hr_finding_hint(findings, finding, "its keys are: %s", key_list(table, NULL, 0, arena));
        }
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (hr_option_find(table, node->keys[i]) == NULL && !is_ignored(ignore, node->keys[i])) {
            report_unknown(table, node, i, ignore, arena, findings);
        }
    }
    for (size_t i = 0; i < table.count; i++) {
        const struct hr_option *row = &table.rows[i];
        const struct hr_yaml *value = value_of(row, node, findings);
        if (value != NULL) {
            hr_option_value_read(row, value, options, arena, findings);
        } else if (row->required) {
            struct hr_finding *finding = hr_findings_error(findings, &node->place, "'%s' is missing", row->key);
            hr_finding_hint(findings, finding, "%s: %s", row->key, row->help != NULL ? row->help : "required");
        }
    }
}

enum hr_status hr_options_read_json(struct hr_option_table table, const json_t *object, void *options,
                                    struct hr_arena *arena, struct hr_error *err)
{
    struct hr_findings findings;
    hr_findings_init(&findings);
    const struct hr_yaml *node = hr_yaml_from_json(arena, object, "params");
    hr_options_read(table, node, NULL, options, arena, &findings);
    enum hr_status status = hr_findings_status(&findings);
    if (status != HR_OK) {
        (void)hr_fail(err, status, "%s: %s", findings.first->place.path, findings.first->message);
        if (findings.first->hint != NULL) {
            (void)hr_fail_hint(err, "%s", findings.first->hint);
        }
    }
    hr_findings_release(&findings);
    return status;
}

json_t *hr_options_to_json(struct hr_option_table table, const void *options)
{
    json_t *object = json_object();
    for (size_t i = 0; i < table.count; i++) {
        json_t *value = hr_option_value_to_json(&table.rows[i], options);
        if (value != NULL) {
            json_object_set_new(object, table.rows[i].key, value);
        }
    }
    return object;
}
