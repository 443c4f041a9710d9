/* SPDX-License-Identifier: Apache-2.0
 *
 * The `source:` section of a plan: source, format, schema, and the metadata columns that somebody asks for.
 */
#include <string.h>

#include "stream/plan_build.h"

#define HEADERS_COLUMN "__headers"

static const struct hr_yaml *section_key(const struct hr_yaml *node, const char *key)
{
    const struct hr_yaml *value = hr_yaml_get(node, key);
    return value != NULL && hr_yaml_is_null(value) ? NULL : value;
}

/* The rate source has columns of its own. */
static void schema_of_rate(struct hr_plan *plan)
{
    size_t index;
    struct hr_error err;
    if (hr_schema_add(&plan->schema, "timestamp", HR_TYPE_TIMESTAMP, NULL, &index, &err) == HR_OK) {
        plan->schema.fields[index].origin = HR_ORIGIN_FIELD;
        plan->schema.fields[index].nullable = true;
    }
    if (hr_schema_add(&plan->schema, "value", HR_TYPE_LONG, NULL, &index, &err) == HR_OK) {
        plan->schema.fields[index].origin = HR_ORIGIN_FIELD;
        plan->schema.fields[index].nullable = true;
    }
}

static bool is_rate(const struct hr_yaml *node)
{
    const struct hr_yaml *type = hr_yaml_get(node, "type");
    return type != NULL && type->kind == HR_YAML_SCALAR && strcmp(type->text, "rate") == 0;
}

static void source_read_schema(struct hr_plan_builder *builder, const struct hr_yaml *node)
{
    struct hr_findings *findings = builder->findings;
    size_t errors = findings->errors;
    const struct hr_yaml *schema = section_key(node, "schema");
    if (schema != NULL) {
        hr_schema_read(&builder->plan->schema, schema, findings);
    } else if (is_rate(node)) {
        schema_of_rate(builder->plan);
    } else {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "missing key 'schema' in source");
        hr_finding_hint(findings, finding, "list the columns, for example schema: \"id long, x double, y string\"");
    }
    builder->declared_columns = builder->plan->schema.count;
    builder->schema_good = findings->errors == errors;
    builder->names_known =
        builder->schema_good || (schema != NULL && builder->declared_columns > 0 &&
                                 (schema->kind == HR_YAML_SCALAR || builder->declared_columns == schema->count));
}

/* Bad records: where they go by default, and that there is such a place. */
static void source_check_mode(struct hr_plan_builder *builder, const struct hr_yaml *node)
{
    struct hr_format *format = builder->plan->format;
    const struct hr_yaml *root = builder->plan->root;
    bool has_dead_letter = section_key(root, "deadLetter") != NULL;
    if (format->mode == HR_MODE_DEFAULT) {
        format->mode = has_dead_letter ? HR_MODE_DEAD_LETTER : HR_MODE_FAIL_FAST;
    }
    const struct hr_yaml *options = section_key(node, "format");
    const char *key = format->mode == HR_MODE_DEAD_LETTER              ? "mode"
                      : format->tombstones == HR_TOMBSTONE_DEAD_LETTER ? "tombstones"
                                                                       : NULL;
    if (key == NULL || has_dead_letter) {
        return;
    }
    const struct hr_yaml *value = hr_yaml_get(options, key);
    struct hr_finding *finding = hr_findings_error(builder->findings, value != NULL ? &value->place : &node->place,
                                                   "%s: deadLetter needs a deadLetter section, and there is none", key);
    hr_finding_hint(builder->findings, finding, "add deadLetter: {type: file, path: bad} to the query, or choose %s",
                    strcmp(key, "mode") == 0 ? "mode: drop or mode: failFast" : "tombstones: ignore");
}

static void source_read_format(struct hr_plan_builder *builder, const struct hr_yaml *node)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *options = section_key(node, "format");
    plan->format = hr_format_new(options, &node->place, NULL, &plan->arena, builder->findings);
    if (plan->format == NULL) {
        return;
    }
    source_check_mode(builder, node);
    if (is_rate(node) && strcmp(plan->format->type->kind.name, "json") != 0) {
        struct hr_finding *finding =
            hr_findings_error(builder->findings, &options->place,
                              "a rate source makes JSON; format '%s' cannot read it", plan->format->type->kind.name);
        hr_finding_hint(builder->findings, finding, "leave format out");
    }
}

void hr_plan_build_source(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *node = builder->sections.source;
    if (node == NULL) {
        return;
    }
    plan->source = hr_source_new(node, plan->name, plan->directory, &plan->arena, builder->findings);
    if (node->kind != HR_YAML_MAPPING) {
        return;
    }
    source_read_format(builder, node);
    source_read_schema(builder, node);
    if (plan->source != NULL) {
        plan->source->format = plan->format;
    }
}

/* ---- metadata columns --------------------------------------------------------------------------------------- */

static void metadata_name(struct hr_plan_builder *builder, const char *text)
{
    struct hr_schema *schema = &builder->plan->schema;
    size_t index;
    if (strncmp(text, "__", 2) == 0 && hr_schema_find(schema, text) == SIZE_MAX) {
        (void)hr_schema_add_metadata(schema, hr_arena_strdup(&builder->plan->arena, text), &index);
    }
}

static void metadata_in_yaml(struct hr_plan_builder *builder, const struct hr_yaml *node)
{
    if (node == NULL) {
        return;
    }
    if (node->kind == HR_YAML_SCALAR) {
        metadata_name(builder, node->text);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        metadata_in_yaml(builder, node->items[i]);
    }
}

static void metadata_in_json(struct hr_plan_builder *builder, json_t *node)
{
    if (json_is_string(node)) {
        metadata_name(builder, json_string_value(node));
    }
    size_t index;
    json_t *item;
    json_array_foreach(node, index, item)
    {
        metadata_in_json(builder, item);
    }
}

/* Headers are kept only when asked for: a column that would be null for ever is no wish. */
static void check_headers(struct hr_plan_builder *builder)
{
    const struct hr_yaml *source = builder->sections.source;
    const struct hr_yaml *type = hr_yaml_get(source, "type");
    const struct hr_yaml *wanted = hr_yaml_get(source, "includeHeaders");
    const struct hr_yaml *const sections[] = {builder->sections.pipeline, builder->sections.model,
                                              builder->sections.sinks};
    bool kafka = type != NULL && type->kind == HR_YAML_SCALAR && strcmp(type->text, "kafka") == 0;
    bool included = wanted != NULL && wanted->kind == HR_YAML_SCALAR && strcmp(wanted->text, "true") == 0;
    if (!kafka || included || hr_schema_find(&builder->plan->schema, HEADERS_COLUMN) == SIZE_MAX) {
        return;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(sections); i++) {
        const struct hr_place *place = sections[i] != NULL ? hr_plan_place_of(sections[i], HEADERS_COLUMN) : NULL;
        if (place != NULL && place != &sections[i]->place) {
            struct hr_finding *finding = hr_findings_error(
                builder->findings, place, "column '" HEADERS_COLUMN "' is empty without includeHeaders");
            hr_finding_hint(builder->findings, finding, "add includeHeaders: true to the source");
            return;
        }
    }
}

void hr_plan_add_metadata(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    for (size_t i = 0; i < plan->pipeline.count; i++) {
        const struct hr_stage *stage = plan->pipeline.stages[i];
        json_t *params = hr_options_to_json(stage->type->kind.options, stage->options);
        const char *key;
        json_t *value;
        json_object_foreach(params, key, value)
        {
            metadata_in_json(builder, value);
        }
        json_decref(params);
    }
    metadata_in_yaml(builder, builder->sections.model);
    if (builder->settings->purpose == HR_PLAN_RUN) {
        metadata_in_yaml(builder, builder->sections.sinks);
    }
    check_headers(builder);
    plan->source_columns = plan->schema.count;
    if (plan->format == NULL || !builder->schema_good) {
        return;
    }
    /* The decoder sees the source's columns only: the fields stay where they are when stages add theirs. */
    struct hr_schema *columns = hr_arena_new(&plan->arena, struct hr_schema);
    *columns = plan->schema;
    struct hr_error err;
    if (hr_format_open(plan->format, columns, &err) != HR_OK) {
        const struct hr_yaml *source = builder->sections.source;
        const struct hr_yaml *schema = hr_yaml_get(source, "schema");
        hr_findings_add(builder->findings, schema != NULL ? &schema->place : &source->place, &err);
        builder->schema_good = false;
    }
}
