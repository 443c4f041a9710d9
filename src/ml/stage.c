/* SPDX-License-Identifier: Apache-2.0
 *
 * The stage kind: the registry, and reading and writing one stage as YAML and as an element of a pipeline file.
 */
#include "ml/stage.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define STAGE_POINTER(name) &hr_stage_##name,
const struct hr_stage_type *const hr_stage_types[] = {HR_STAGE_TYPES(STAGE_POINTER)};
const size_t hr_stage_type_count = HR_ARRAY_LEN(hr_stage_types);

const struct hr_stage_type *hr_stage_type_find(const char *name)
{
    for (size_t i = 0; i < hr_stage_type_count; i++) {
        if (strcmp(hr_stage_types[i]->kind.name, name) == 0) {
            return hr_stage_types[i];
        }
    }
    return NULL;
}

static const char *nearest_type(const char *name)
{
    const char *names[HR_ARRAY_LEN(hr_stage_types)];
    for (size_t i = 0; i < hr_stage_type_count; i++) {
        names[i] = hr_stage_types[i]->kind.name;
    }
    return hr_str_nearest(name, names, hr_stage_type_count);
}

/* An instance with zeroed options. id NULL: the default one. */
static struct hr_stage *stage_allocate(const struct hr_stage_type *type, const char *id, size_t index,
                                       struct hr_arena *arena)
{
    struct hr_stage *stage = hr_arena_calloc(arena, 1, type->kind.instance_size);
    stage->type = type;
    stage->arena = arena;
    stage->id = id != NULL ? hr_arena_strdup(arena, id) : hr_arena_printf(arena, "%s_%zu", type->kind.name, index);
    stage->options = hr_arena_calloc(arena, 1, type->kind.options_size);
    return stage;
}

static const struct hr_stage_type *read_type(const struct hr_yaml *node, struct hr_findings *findings)
{
    const struct hr_yaml *name = hr_yaml_get(node, "type");
    if (name == NULL || name->kind != HR_YAML_SCALAR) {
        const struct hr_place *place = name != NULL ? &name->place : &node->place;
        struct hr_finding *finding = hr_findings_error(findings, place, "a stage needs a 'type'");
        hr_finding_hint(findings, finding, "one of those that `headrace list stages` prints");
        return NULL;
    }
    const struct hr_stage_type *type = hr_stage_type_find(name->text);
    if (type == NULL) {
        const char *near = nearest_type(name->text);
        struct hr_finding *finding =
            hr_findings_error(findings, &name->place, "unknown stage '%s'", hr_yaml_shown(name));
        if (near != NULL) {
            hr_finding_hint(findings, finding, "did you mean '%s'?", near);
        } else {
            hr_finding_hint(findings, finding, "`headrace list stages` prints those that there are");
        }
    }
    return type;
}

/* Takes a reference to fitted. */
static enum hr_status stage_load(struct hr_stage *stage, json_t *fitted, struct hr_error *err)
{
    if (stage->type->load == NULL) {
        return hr_stage_fail(stage, err, "'fitted' is for estimators; this stage has nothing to fit");
    }
    if (!json_is_object(fitted)) {
        return hr_stage_fail(stage, err, "'fitted' must be a mapping of names to fitted values");
    }
    if (stage->type->load(stage, fitted, err) != HR_OK) {
        return err->hint[0] != '\0' ? err->status
                                    : hr_fail_hint(err,
                                                   "headrace fit makes these values; `headrace list stages %s` "
                                                   "shows an example",
                                                   stage->type->kind.name);
    }
    json_decref(stage->fitted);
    stage->fitted = json_incref(fitted);
    return HR_OK;
}

enum hr_status hr_stage_take_fit(struct hr_stage *stage, struct hr_error *err)
{
    json_t *fitted = stage->type->save(stage);
    enum hr_status status = stage_load(stage, fitted, err);
    json_decref(fitted);
    return status;
}

/* A fit of data with NaN gives it, so it is no error; but what is computed with it is NaN too. */
static void warn_of_nan(const struct hr_yaml *node, struct hr_findings *findings)
{
    double value;
    if (node->kind == HR_YAML_SCALAR && !node->quoted && hr_yaml_number(node, &value) && isnan(value)) {
        struct hr_finding *finding = hr_findings_warning(findings, &node->place, "a fitted value is NaN");
        hr_finding_hint(findings, finding, "what this stage computes with it is NaN too: fit again without such rows");
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind != HR_YAML_MAPPING || strncmp(node->keys[i], "labels", strlen("labels")) != 0) {
            warn_of_nan(node->items[i], findings);
        }
    }
}

struct hr_stage *hr_stage_new(const struct hr_yaml *node, size_t index, struct hr_arena *arena,
                              struct hr_findings *findings)
{
    static const char *const own_keys[] = {"type", "id", "fitted", NULL};
    if (node->kind != HR_YAML_MAPPING) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "a stage is a mapping: {type: NAME, …}");
        hr_finding_hint(findings, finding, "headrace list stages names them");
        return NULL;
    }
    size_t errors = findings->errors;
    const struct hr_stage_type *type = read_type(node, findings);
    if (type == NULL) {
        return NULL;
    }
    const struct hr_yaml *id = hr_yaml_get(node, "id");
    bool named = id != NULL && id->kind == HR_YAML_SCALAR && id->text[0] != '\0';
    if (id != NULL && !named) {
        hr_finding_hint(findings, hr_findings_error(findings, &id->place, "'id' must be a name"),
                        "leave it out, and the stage is called by its type and number");
    }
    struct hr_stage *stage = stage_allocate(type, named ? id->text : NULL, index, arena);
    stage->place = node->place;
    if (named) {
        hr_options_check_id(stage->id, node, findings);
    }
    struct hr_options_check check = hr_options_check_begin(type->kind.options, node, findings);
    hr_options_read(type->kind.options, node, own_keys, stage->options, arena, findings);
    hr_options_check_ready(&check, stage->options);
    if (type->check != NULL) {
        type->check(stage, findings);
        hr_options_check_end(
            &check, hr_arena_printf(arena, "headrace list stages %s shows parameters and an example", type->kind.name));
    }
    const struct hr_yaml *fitted = hr_yaml_get(node, "fitted");
    if (fitted != NULL && findings->errors == errors) {
        struct hr_error err;
        json_t *values = hr_yaml_to_json(fitted);
        if (stage_load(stage, values, &err) != HR_OK) {
            hr_findings_add(findings, &fitted->place, &err);
        }
        json_decref(values);
        warn_of_nan(fitted, findings);
    }
    if (findings->errors > errors) {
        hr_stage_close(stage);
        return NULL;
    }
    return stage;
}

static enum hr_status reject_unknown_keys(const json_t *node, struct hr_error *err)
{
    static const char *const keys[] = {"type", "id", "params", "fitted"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)node, key, value)
    {
        size_t i = 0;
        while (i < HR_ARRAY_LEN(keys) && strcmp(keys[i], key) != 0) {
            i++;
        }
        if (i == HR_ARRAY_LEN(keys)) {
            return hr_fail(err, HR_BAD_CONFIG, "unknown key '%s'; a stage has type, id, params, fitted", key);
        }
    }
    return HR_OK;
}

/* The checks between options, as an error. */
static enum hr_status check_options(struct hr_stage *stage, struct hr_error *err)
{
    if (stage->type->check == NULL) {
        return HR_OK;
    }
    struct hr_findings findings;
    hr_findings_init(&findings);
    stage->type->check(stage, &findings);
    enum hr_status status = HR_OK;
    for (const struct hr_finding *finding = findings.first; finding != NULL; finding = finding->next) {
        if (finding->severity == HR_SEVERITY_ERROR) {
            status = hr_fail(err, finding->status, "%s", finding->message);
            break;
        }
    }
    hr_findings_release(&findings);
    return status;
}

static enum hr_status stage_fill(struct hr_stage *stage, const json_t *node, struct hr_error *err)
{
    const json_t *params = json_object_get(node, "params");
    json_t *fitted = json_object_get(node, "fitted");
    json_t *none = params == NULL ? json_object() : NULL;
    enum hr_status status = hr_options_read_json(stage->type->kind.options, params != NULL ? params : none,
                                                 stage->options, stage->arena, err);
    json_decref(none);
    if (status != HR_OK) {
        return hr_fail_context(err, "%s '%s'", stage->type->kind.name, stage->id);
    }
    HR_TRY(check_options(stage, err));
    return fitted != NULL && !json_is_null(fitted) ? stage_load(stage, fitted, err) : HR_OK;
}

enum hr_status hr_stage_from_json(const json_t *node, size_t index, struct hr_arena *arena, struct hr_stage **out,
                                  struct hr_error *err)
{
    if (!json_is_object(node)) {
        return hr_fail(err, HR_BAD_CONFIG, "stage %zu is not an object", index);
    }
    const char *name = json_string_value(json_object_get(node, "type"));
    if (name == NULL) {
        return hr_fail(err, HR_BAD_CONFIG, "stage %zu has no 'type'", index);
    }
    const struct hr_stage_type *type = hr_stage_type_find(name);
    if (type == NULL) {
        const char *near = nearest_type(name);
        hr_fail(err, HR_BAD_CONFIG, "stage %zu: unknown stage '%s'", index, name);
        return near != NULL ? hr_fail_hint(err, "did you mean '%s'?", near) : HR_BAD_CONFIG;
    }
    if (reject_unknown_keys(node, err) != HR_OK) {
        return hr_fail_context(err, "stage %zu", index);
    }
    struct hr_stage *stage = stage_allocate(type, json_string_value(json_object_get(node, "id")), index, arena);
    enum hr_status status = stage_fill(stage, node, err);
    if (status != HR_OK) {
        hr_stage_close(stage);
        return status;
    }
    *out = stage;
    return HR_OK;
}

json_t *hr_stage_to_json(const struct hr_stage *stage)
{
    json_t *node = json_pack("{s:s, s:s, s:o}", "type", stage->type->kind.name, "id", stage->id, "params",
                             hr_options_to_json(stage->type->kind.options, stage->options));
    if (node != NULL && stage->fitted != NULL) {
        json_object_set(node, "fitted", stage->fitted);
    }
    return node;
}

void hr_stage_close(struct hr_stage *stage)
{
    if (stage == NULL) {
        return;
    }
    if (stage->type->close != NULL) {
        stage->type->close(stage);
    }
    hr_paged_release(&stage->state);
    json_decref(stage->fitted);
    stage->fitted = NULL;
}

/* "StandardScaler 'sc'"; the default id says no more than the type. */
static void stage_title(const struct hr_stage *stage, char *out, size_t size)
{
    const char *type = stage->type->kind.name;
    size_t length = strlen(type);
    bool is_default = strncmp(stage->id, type, length) == 0 && stage->id[length] == '_' &&
                      stage->id[length + 1] != '\0' &&
                      strspn(stage->id + length + 1, "0123456789") == strlen(stage->id + length + 1);
    snprintf(out, size, is_default ? "%s" : "%s '%s'", type, stage->id);
}

void hr_stage_reject(const struct hr_stage *stage, struct hr_chunk *chunk, size_t row, const char *column,
                     const char *format, ...)
{
    char text[300];
    char title[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    stage_title(stage, title, sizeof(title));
    hr_chunk_reject(chunk, row, HR_REASON_STAGE, "%s: column '%s': %s", title, column, text);
}

enum hr_status hr_stage_fail_record(const struct hr_chunk *chunk, uint32_t record, const char *message,
                                    struct hr_error *err)
{
    char place[400] = "";
    if (chunk->records != NULL) {
        hr_record_place(&chunk->records[record], place, sizeof(place));
    }
    hr_fail(err, HR_BAD_DATA, "%s", message);
    if (place[0] != '\0') {
        hr_fail_context(err, "%s", place);
    }
    return hr_fail_hint(err, "a fit leaves no row out silently: mend the row, or have a stage leave it out "
                             "(handleInvalid: skip)");
}

enum hr_status hr_stage_fail_row(const struct hr_stage *stage, const struct hr_chunk *chunk, size_t row,
                                 struct hr_error *err, const char *column, const char *format, ...)
{
    char text[300];
    char title[160];
    char message[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    stage_title(stage, title, sizeof(title));
    (void)snprintf(message, sizeof(message), "%s: column '%s': %s", title, column, text);
    return hr_stage_fail_record(chunk, chunk->record_index[row], message, err);
}

enum hr_status hr_stage_fail(const struct hr_stage *stage, struct hr_error *err, const char *format, ...)
{
    char text[900];
    char title[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    stage_title(stage, title, sizeof(title));
    return hr_fail(err, HR_BAD_CONFIG, "%s: %s", title, text);
}
