/* SPDX-License-Identifier: Apache-2.0
 *
 * The `sinks:` and `deadLetter:` sections of a plan: sinks with distinct ids and directories, and their columns.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "stream/plan_build.h"

#define DEAD_LETTER_ID "deadLetter"
/* A batch record has marks for 64 sinks; one is the dead letters'. */
#define SINKS_MAX 63

static void sink_check_id(struct hr_plan_builder *builder, const struct hr_sink *sink, const struct hr_yaml *node)
{
    const struct hr_plan *plan = builder->plan;
    const struct hr_yaml *id = hr_yaml_get(node, "id");
    const struct hr_place *place = id != NULL ? &id->place : &node->place;
    if (strcmp(sink->id, DEAD_LETTER_ID) == 0) {
        struct hr_finding *finding =
            hr_findings_error(builder->findings, place, "the id '" DEAD_LETTER_ID "' is reserved for dead letters");
        hr_finding_hint(builder->findings, finding, "give this sink another id");
        return;
    }
    for (size_t i = 0; i < plan->sink_count; i++) {
        if (strcmp(plan->sinks[i]->id, sink->id) == 0) {
            struct hr_finding *finding =
                hr_findings_error(builder->findings, place, "two sinks have the id '%s' (the first is at line %d)",
                                  sink->id, plan->sinks[i]->place.line);
            hr_finding_hint(builder->findings, finding, "%s",
                            id != NULL ? "give each sink an id of its own"
                                       : "a sink without an id is called by its type; give each an id of its own");
            return;
        }
    }
}

/* ---- directories -------------------------------------------------------------------------------------------- */

const char *hr_plan_section_directory(struct hr_plan *plan, const struct hr_yaml *node)
{
    const struct hr_yaml *type = hr_yaml_get(node, "type");
    const struct hr_yaml *path = hr_yaml_get(node, "path");
    if (type == NULL || type->kind != HR_YAML_SCALAR || strcmp(type->text, "file") != 0 || path == NULL ||
        path->kind != HR_YAML_SCALAR) {
        return NULL;
    }
    const char *full = hr_file_join(&plan->arena, plan->directory, path->text);
    char *clean = hr_arena_alloc(&plan->arena, strlen(full) + 2);
    size_t length = 0;
    for (const char *part = full; *part != '\0';) {
        size_t size = strcspn(part, "/");
        bool skip = size == 0 || (size == 1 && part[0] == '.');
        if (!skip) {
            if (length > 0 || full[0] == '/') {
                clean[length++] = '/';
            }
            memcpy(clean + length, part, size);
            length += size;
        }
        part += size + (part[size] == '/');
    }
    clean[length] = '\0';
    return clean;
}

/* True: a finding was made. */
static bool check_directory(struct hr_plan_builder *builder, const struct hr_yaml *node, const struct hr_yaml *other,
                            const char *other_name)
{
    const char *mine = hr_plan_section_directory(builder->plan, node);
    const char *its = hr_plan_section_directory(builder->plan, other);
    if (mine == NULL || its == NULL || strcmp(mine, its) != 0) {
        return false;
    }
    const struct hr_yaml *path = hr_yaml_get(node, "path");
    struct hr_finding *finding =
        hr_findings_error(builder->findings, &path->place, "'%s' is the directory of %s at line %d too", path->text,
                          other_name, other->place.line);
    hr_finding_hint(builder->findings, finding,
                    "parts of two writers in one directory cannot be told apart: choose "
                    "another path");
    return true;
}

static void check_directories(struct hr_plan_builder *builder)
{
    const struct hr_yaml *sinks = builder->sections.sinks;
    const struct hr_yaml *dead_letter = builder->sections.dead_letter;
    size_t count = sinks != NULL && sinks->kind == HR_YAML_SEQUENCE ? sinks->count : 0;
    bool found = false; /* the dead letters' directory; each directory is reported once, with the first that has it */
    for (size_t i = 0; i < count; i++) {
        bool taken = false;
        for (size_t j = 0; j < i && !taken; j++) {
            taken = check_directory(builder, sinks->items[i], sinks->items[j], "the sink");
        }
        if (builder->sections.source != NULL && !taken) {
            (void)check_directory(builder, sinks->items[i], builder->sections.source, "the source");
        }
        found = found || (dead_letter != NULL && check_directory(builder, dead_letter, sinks->items[i], "the sink"));
    }
}

/* ---- columns ------------------------------------------------------------------------------------------------ */

static void columns_by_default(struct hr_plan_builder *builder, struct hr_sink *sink)
{
    struct hr_plan *plan = builder->plan;
    sink->columns = hr_arena_array(&plan->arena, plan->schema.count + 1, size_t);
    sink->column_count = 0;
    for (size_t i = 0; i < builder->declared_columns; i++) {
        sink->columns[sink->column_count++] = i;
    }
    for (size_t i = builder->model_columns; i < plan->schema.count; i++) {
        sink->columns[sink->column_count++] = i;
    }
}

static const char *nearest_column(const struct hr_schema *schema, const char *name, struct hr_arena *arena)
{
    const char **names = hr_arena_array(arena, schema->count + 1, const char *);
    for (size_t i = 0; i < schema->count; i++) {
        names[i] = schema->fields[i].name;
    }
    return hr_str_nearest(name, names, schema->count);
}

/* A name that is not in the schema, and not because of another error. */
static void column_unknown(struct hr_plan_builder *builder, const char *name, const struct hr_place *place)
{
    struct hr_plan *plan = builder->plan;
    if (!builder->bound && hr_plan_may_exist(builder, name)) {
        return;
    }
    struct hr_finding *finding = hr_findings_error(builder->findings, place, "column '%s' is not in the schema", name);
    const char *nearest = nearest_column(&plan->schema, name, &plan->arena);
    if (nearest != NULL) {
        hr_finding_hint(builder->findings, finding, "did you mean '%s'?", nearest);
        return;
    }
    char list[400] = "";
    for (size_t i = 0; i < plan->schema.count; i++) {
        size_t length = strlen(list);
        snprintf(list + length, sizeof(list) - length, "%s%s", i > 0 ? ", " : "", plan->schema.fields[i].name);
    }
    hr_finding_hint(builder->findings, finding, "columns: %s", list);
}

static void columns_as_written(struct hr_plan_builder *builder, struct hr_sink *sink, const struct hr_yaml *node)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *columns = hr_yaml_get(node, "columns");
    sink->columns = hr_arena_array(&plan->arena, sink->column_name_count + 1, size_t);
    sink->column_count = 0;
    for (size_t i = 0; i < sink->column_name_count; i++) {
        const char *name = sink->column_names[i];
        const struct hr_place *place = columns != NULL && columns->kind == HR_YAML_SEQUENCE && i < columns->count
                                           ? &columns->items[i]->place
                                           : &sink->place;
        size_t index = hr_schema_find(&plan->schema, name);
        if (index == SIZE_MAX) {
            column_unknown(builder, name, place);
            continue;
        }
        bool twice = false;
        for (size_t j = 0; j < sink->column_count; j++) {
            twice = twice || sink->columns[j] == index;
        }
        if (twice) {
            struct hr_finding *finding =
                hr_findings_error(builder->findings, place, "column '%s' is in columns twice", name);
            hr_finding_hint(builder->findings, finding, "remove one of them");
            continue;
        }
        sink->columns[sink->column_count++] = index;
    }
}

static void sink_bind(struct hr_plan_builder *builder, struct hr_sink *sink, const struct hr_yaml *node)
{
    size_t errors = builder->findings->errors;
    if (sink->content == HR_CONTENT_ROWS && sink->column_names != NULL) {
        columns_as_written(builder, sink, node);
    } else if (sink->content == HR_CONTENT_ROWS) {
        columns_by_default(builder, sink);
    }
    bool whole = builder->bound && builder->findings->errors == errors;
    struct hr_error err;
    if (hr_sink_bind(sink, &builder->plan->schema, &err) != HR_OK) {
        if (err.hint[0] == '\0') {
            (void)hr_fail_hint(&err, "headrace list sinks %s shows parameters and an example", sink->type->kind.name);
        }
        const char *begin = strstr(err.text, "column '");
        const char *name = NULL;
        if (begin != NULL) {
            begin += strlen("column '");
            name = hr_arena_strndup(&builder->plan->arena, begin, strcspn(begin, "'"));
        }
        /* Beside other errors only what does not follow from them: a name that nothing could give. */
        bool missing = strstr(err.text, "is not in the schema") != NULL;
        if (!whole && (!missing || (!builder->bound && hr_plan_may_exist(builder, name)))) {
            return;
        }
        hr_findings_add(builder->findings, hr_plan_place_of(node, name), &err);
    }
}

/* The names of a sink that is wrong itself. */
static void check_names(struct hr_plan_builder *builder, const struct hr_yaml *node)
{
    static const char *const keys[] = {"columns", "keyCol"};
    for (size_t i = 0; i < HR_ARRAY_LEN(keys); i++) {
        const struct hr_yaml *value = hr_yaml_get(node, keys[i]);
        bool list = value != NULL && value->kind == HR_YAML_SEQUENCE;
        for (size_t j = 0; value != NULL && j < (list ? value->count : 1); j++) {
            const struct hr_yaml *name = list ? value->items[j] : value;
            if (name->kind == HR_YAML_SCALAR && !name->unusable && list == (i == 0) &&
                hr_schema_find(&builder->plan->schema, name->text) == SIZE_MAX) {
                column_unknown(builder, name->text, &name->place);
            }
        }
    }
}

/* ---- the sections ------------------------------------------------------------------------------------------- */

static void build_sink(struct hr_plan_builder *builder, const struct hr_yaml *node)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *type = hr_yaml_get(node, "type");
    const char *default_id = type != NULL && type->kind == HR_YAML_SCALAR ? type->text : "sink";
    struct hr_sink *sink = hr_sink_new(node, default_id, plan->directory, &plan->arena, builder->findings);
    if (sink == NULL) {
        check_names(builder, node);
        return;
    }
    sink_check_id(builder, sink, node);
    plan->sinks[plan->sink_count++] = sink;
    sink_bind(builder, sink, node);
}

static void build_sink_list(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *sinks = builder->sections.sinks;
    if (sinks == NULL || hr_yaml_is_null(sinks)) {
        if (builder->sections.model == NULL) {
            struct hr_finding *finding = hr_findings_warning(builder->findings, &plan->root->place,
                                                             "no sinks and no model: nothing comes of it");
            hr_finding_hint(builder->findings, finding, "add sinks: [{type: console}]");
        }
        return;
    }
    if (sinks->kind != HR_YAML_SEQUENCE) {
        struct hr_finding *finding = hr_findings_error(builder->findings, &sinks->place, "sinks must be a list");
        hr_finding_hint(builder->findings, finding, "write sinks: [{type: console}]");
        return;
    }
    if (sinks->count > SINKS_MAX) {
        struct hr_finding *finding =
            hr_findings_error(builder->findings, &sinks->items[SINKS_MAX]->place,
                              "a query has at most %d sinks, and this one has %zu", SINKS_MAX, sinks->count);
        hr_finding_hint(builder->findings, finding, "move some of them to another query");
    }
    plan->sinks = hr_arena_array(&plan->arena, sinks->count + 1, struct hr_sink *);
    for (size_t i = 0; i < sinks->count; i++) {
        build_sink(builder, sinks->items[i]);
    }
}

void hr_plan_build_sinks(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    build_sink_list(builder);
    const struct hr_yaml *node = builder->sections.dead_letter;
    if (node != NULL && !hr_yaml_is_null(node)) {
        plan->dead_letter = hr_dead_letter_new(node, plan->directory, &plan->arena, builder->findings);
    }
    check_directories(builder);
}
