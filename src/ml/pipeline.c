/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of stages: reading it from a query, binding it to a schema, running it over chunks.
 */
#include "ml/pipeline.h"

#include <string.h>

#include "ml/pipeline_file.h"

/* Stages of one pipeline: a limit against a runaway file. */
#define STAGES_MAX 1000

static void find_duplicate_ids(const struct hr_pipeline *pipeline, const struct hr_yaml *stages,
                               struct hr_findings *findings)
{
    for (size_t i = 1; i < pipeline->count; i++) {
        for (size_t earlier = 0; earlier < i; earlier++) {
            const struct hr_stage *stage = pipeline->stages[i];
            if (strcmp(stage->id, pipeline->stages[earlier]->id) != 0) {
                continue;
            }
            const struct hr_yaml *id = NULL;
            for (size_t node = 0; stages != NULL && node < stages->count; node++) {
                if (stages->items[node]->place.line == stage->place.line &&
                    stages->items[node]->place.column == stage->place.column) {
                    id = hr_yaml_get(stages->items[node], "id");
                }
            }
            struct hr_finding *finding = hr_findings_error(findings, id != NULL ? &id->place : &stage->place,
                                                           "two stages have the id '%s'", stage->id);
            hr_finding_hint(findings, finding, "ids name stages in messages and checkpoints: give each its own");
            break;
        }
    }
}

static void read_stages(struct hr_pipeline *pipeline, const struct hr_yaml *stages, struct hr_arena *arena,
                        struct hr_findings *findings)
{
    if (stages->kind != HR_YAML_SEQUENCE) {
        if (!hr_yaml_is_null(stages)) {
            struct hr_finding *finding =
                hr_findings_error(findings, &stages->place, "'stages' must be a list of stages");
            hr_finding_hint(findings, finding, "write stages: [{type: Tokenizer, inputCol: text, outputCol: words}]");
        }
        return;
    }
    if (stages->count > STAGES_MAX) {
        struct hr_finding *finding = hr_findings_error(findings, &stages->place, "%zu stages; at most %d are allowed",
                                                       stages->count, STAGES_MAX);
        hr_finding_hint(findings, finding, "many stages take several columns at once: inputCols, outputCols");
        return;
    }
    pipeline->stages = hr_arena_calloc(arena, stages->count, sizeof(*pipeline->stages));
    for (size_t i = 0; i < stages->count; i++) {
        struct hr_stage *stage = hr_stage_new(stages->items[i], i, arena, findings);
        if (stage != NULL) {
            pipeline->stages[pipeline->count++] = stage;
        }
    }
    find_duplicate_ids(pipeline, stages, findings);
}

static void read_from(struct hr_pipeline *pipeline, const struct hr_yaml *from, const char *directory,
                      struct hr_arena *arena, struct hr_findings *findings)
{
    if (from->kind != HR_YAML_SCALAR || from->text[0] == '\0') {
        struct hr_finding *finding =
            hr_findings_error(findings, &from->place, "'from' must be the name of a pipeline file");
        hr_finding_hint(findings, finding, "make one with: headrace fit QUERY.yaml -o PIPELINE.json");
        return;
    }
    struct hr_error err;
    const char *path = hr_file_join(arena, directory, from->text);
    if (hr_pipeline_load(pipeline, path, &from->place, arena, &err) != HR_OK) {
        hr_findings_add(findings, &from->place, &err)->status = HR_BAD_CONFIG; /* also when it is missing */
        return;
    }
    find_duplicate_ids(pipeline, NULL, findings);
}

static void reject_unknown_keys(const struct hr_yaml *node, struct hr_findings *findings)
{
    static const char *const keys[] = {"stages", "from"};
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->keys[i];
        if (strcmp(key, "stages") == 0 || strcmp(key, "from") == 0 || strncmp(key, "x-", 2) == 0) {
            continue;
        }
        struct hr_finding *finding = hr_findings_error(findings, &node->key_places[i], "unknown key '%s'", key);
        const char *near = hr_str_nearest(key, keys, HR_ARRAY_LEN(keys));
        if (near != NULL) {
            hr_finding_hint(findings, finding, "did you mean '%s'?", near);
        } else {
            hr_finding_hint(findings, finding, "a pipeline has 'stages', or 'from'");
        }
    }
}

void hr_pipeline_read(struct hr_pipeline *pipeline, const struct hr_yaml *node, const char *directory,
                      struct hr_arena *arena, struct hr_findings *findings)
{
    *pipeline = (struct hr_pipeline){0};
    if (node == NULL || hr_yaml_is_null(node)) {
        return;
    }
    if (node->kind != HR_YAML_MAPPING) {
        struct hr_finding *finding =
            hr_findings_error(findings, &node->place, "a pipeline is a mapping: {stages: […]} or {from: FILE}");
        hr_finding_hint(findings, finding, "headrace list stages names the stages");
        return;
    }
    reject_unknown_keys(node, findings);
    const struct hr_yaml *stages = hr_yaml_get(node, "stages");
    const struct hr_yaml *from = hr_yaml_get(node, "from");
    if (stages != NULL && from != NULL) {
        struct hr_finding *finding =
            hr_findings_error(findings, hr_yaml_key_place(node, "from"), "a pipeline has either 'stages' or 'from'");
        hr_finding_hint(findings, finding, "remove one of them");
    } else if (from != NULL) {
        read_from(pipeline, from, directory, arena, findings);
    } else if (stages != NULL) {
        read_stages(pipeline, stages, arena, findings);
    }
}

static bool is_fitted(const struct hr_stage *stage)
{
    return (stage->type->flags & HR_STAGE_ESTIMATOR) == 0 || stage->fitted != NULL;
}

bool hr_pipeline_is_fitted(const struct hr_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        if (!is_fitted(pipeline->stages[i])) {
            return false;
        }
    }
    return true;
}

enum hr_status hr_pipeline_bind_stage(struct hr_pipeline *pipeline, size_t index, struct hr_schema *schema,
                                      struct hr_error *err)
{
    struct hr_stage *stage = pipeline->stages[index];
    enum hr_status status = stage->type->bind(stage, schema, err);
    stage->column_end = schema->count;
    if (status != HR_OK && strncmp(err->text, stage->type->kind.name, strlen(stage->type->kind.name)) != 0) {
        hr_fail_context(err, "%s", stage->type->kind.name);
    }
    if (status != HR_OK && err->hint[0] == '\0') {
        hr_fail_hint(err, "`headrace list stages %s` shows what it takes", stage->type->kind.name);
    }
    return status;
}

static void list_remove(struct hr_string_list *list, size_t index)
{
    if (index < list->count) {
        list->count--;
        memmove(&list->items[index], &list->items[index + 1], (list->count - index) * sizeof(*list->items));
    }
}

/* A stage that could not be bound for one of its inputCols is bound again without it, so that what is wrong with the
 * others is found too (the plan is lost anyway). False: it was not for one of them, or none is left. */
static bool drop_input(struct hr_stage *stage, const char *message)
{
    const struct hr_option *row = hr_option_find(stage->type->kind.options, "inputCols");
    const struct hr_option *outputs = hr_option_find(stage->type->kind.options, "outputCols");
    if (row == NULL || row->type != HR_OPTION_STRINGS) {
        return false;
    }
    struct hr_string_list *list = (struct hr_string_list *)((char *)stage->options + row->offset);
    for (size_t i = 0; i < list->count && list->count > 1; i++) {
        if (strstr(message, hr_arena_printf(stage->arena, "column '%s'", list->items[i])) == NULL) {
            continue;
        }
        list_remove(list, i);
        if (outputs != NULL && outputs->type == HR_OPTION_STRINGS) {
            list_remove((struct hr_string_list *)((char *)stage->options + outputs->offset), i);
        }
        return true;
    }
    return false;
}

void hr_pipeline_bind(struct hr_pipeline *pipeline, struct hr_schema *schema, struct hr_findings *findings)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        struct hr_stage *stage = pipeline->stages[i];
        if (!is_fitted(stage)) {
            struct hr_finding *finding = hr_findings_error(findings, &stage->place, "%s '%s' has no fitted values",
                                                           stage->type->kind.name, stage->id);
            hr_finding_hint(findings, finding,
                            "run: headrace fit QUERY.yaml -o PIPELINE.json, then pipeline: {from: PIPELINE.json}");
            continue;
        }
        struct hr_error err;
        bool good = hr_pipeline_bind_stage(pipeline, i, schema, &err) == HR_OK;
        if (!good) {
            hr_findings_add(findings, &stage->place, &err);
        }
        while (!good && drop_input(stage, err.text)) {
            good = hr_pipeline_bind_stage(pipeline, i, schema, &err) == HR_OK;
            if (!good) {
                hr_findings_add(findings, &stage->place, &err);
            }
        }
    }
}

void hr_pipeline_transform_stages(struct hr_pipeline *pipeline, size_t count, struct hr_chunk *chunk)
{
    for (size_t i = 0; i < count; i++) {
        struct hr_stage *stage = pipeline->stages[i];
        stage->type->transform(stage, chunk);
        if (chunk->dropped_count > 0) {
            hr_chunk_compact(chunk, stage->column_end);
        }
    }
}

void hr_pipeline_transform(struct hr_pipeline *pipeline, struct hr_chunk *chunk)
{
    hr_pipeline_transform_stages(pipeline, pipeline->count, chunk);
}

void hr_pipeline_close(struct hr_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        hr_stage_close(pipeline->stages[i]);
    }
    *pipeline = (struct hr_pipeline){0};
}
