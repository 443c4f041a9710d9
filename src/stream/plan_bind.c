/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipeline, model and evaluation of a plan: read, then bound to the schema in order, so that every column's type is
 * known. Findings of the binding are sifted: a column that is missing because the stage that writes it is wrong itself
 * is not a second error; and the place is moved to the column's name in the file.
 */
#include <string.h>

#include "stream/plan_build.h"

const struct hr_place *hr_plan_place_of(const struct hr_yaml *node, const char *text)
{
    if (node->kind == HR_YAML_SCALAR) {
        return &node->place;
    }
    for (size_t i = 0; text != NULL && i < node->count; i++) {
        const struct hr_yaml *item = node->items[i];
        if (item->kind == HR_YAML_SCALAR && strcmp(item->text, text) == 0) {
            return &item->place;
        }
        if (item->kind != HR_YAML_SCALAR) {
            const struct hr_place *place = hr_plan_place_of(item, text);
            if (place != &item->place) {
                return place;
            }
        }
    }
    return &node->place;
}

/* Keys under which stages name what they write. */
static bool writes_column(const struct hr_yaml *stage, const char *column)
{
    static const char *const keys[] = {"outputCol", "outputCols"};
    for (size_t i = 0; i < HR_ARRAY_LEN(keys); i++) {
        const struct hr_yaml *value = hr_yaml_get(stage, keys[i]);
        if (value != NULL && value->kind == HR_YAML_SCALAR && strcmp(value->text, column) == 0) {
            return true;
        }
        if (value != NULL && value->kind == HR_YAML_SEQUENCE && hr_plan_place_of(value, column) != &value->place) {
            return true;
        }
    }
    return false;
}

static const struct hr_yaml *stage_nodes(const struct hr_plan_builder *builder)
{
    const struct hr_yaml *stages = hr_yaml_get(builder->sections.pipeline, "stages");
    return stages != NULL && stages->kind == HR_YAML_SEQUENCE ? stages : NULL;
}

bool hr_plan_stage_writes(const struct hr_plan_builder *builder, const char *column)
{
    const struct hr_yaml *stages = stage_nodes(builder);
    for (size_t i = 0; stages != NULL && i < stages->count; i++) {
        if (writes_column(stages->items[i], column)) {
            return true;
        }
    }
    return false;
}

/* Is it the default name of what some model adds? */
static bool is_model_column(const char *column)
{
    for (size_t i = 0; i < hr_model_type_count; i++) {
        const struct hr_option_table options = hr_model_types[i]->kind.options;
        for (size_t j = 0; j < options.count; j++) {
            if (options.rows[j].fallback != NULL && strcmp(options.rows[j].fallback, column) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool hr_plan_may_exist(const struct hr_plan_builder *builder, const char *column)
{
    const struct hr_plan *plan = builder->plan;
    const struct hr_yaml *pipeline = builder->sections.pipeline;
    const struct hr_yaml *model = builder->sections.model;
    if (column == NULL || !builder->names_known || hr_schema_find(&plan->schema, column) != SIZE_MAX) {
        return true;
    }
    if (pipeline != NULL && (stage_nodes(builder) == NULL || hr_plan_place_of(pipeline, column) != &pipeline->place)) {
        return true;
    }
    return model != NULL && (is_model_column(column) || hr_plan_place_of(model, column) != &model->place);
}

/* The stage whose place (or a place inside it) this is; SIZE_MAX: none. */
static size_t stage_of_place(const struct hr_yaml *stages, const struct hr_place *place)
{
    for (size_t i = 0; stages != NULL && i < stages->count; i++) {
        const char *path = stages->items[i]->place.path;
        size_t length = path != NULL ? strlen(path) : 0;
        if (length > 0 && place->path != NULL && strncmp(place->path, path, length) == 0 &&
            (place->path[length] == '\0' || place->path[length] == '.')) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* The name in "column 'x'…" of a message, in arena; NULL: there is none. */
static const char *column_of_message(const char *message, struct hr_arena *arena)
{
    static const char before[] = "column '";
    const char *begin = strstr(message, before);
    if (begin == NULL) {
        return NULL;
    }
    begin += sizeof(before) - 1;
    const char *end = strchr(begin, '\'');
    return end != NULL ? hr_arena_strndup(arena, begin, (size_t)(end - begin)) : NULL;
}

static bool is_missing_column(const char *message)
{
    return strstr(message, "is not in the schema") != NULL;
}

static void finding_move(struct hr_findings *findings, const struct hr_place *place, const struct hr_finding *finding)
{
    struct hr_finding *copy;
    if (finding->severity == HR_SEVERITY_ERROR) {
        copy = hr_findings_error(findings, place, "%s", finding->message);
    } else {
        copy = hr_findings_warning(findings, place, "%s", finding->message);
    }
    copy->status = finding->status;
    if (finding->hint != NULL) {
        hr_finding_hint(findings, copy, "%s", finding->hint);
    } else {
        hr_finding_hint(findings, copy, "headrace list stages NAME shows a stage's parameters and an example");
    }
}

static void bind_sift(struct hr_plan_builder *builder, const struct hr_finding *finding)
{
    const struct hr_yaml *stages = stage_nodes(builder);
    size_t stage = stage_of_place(stages, &finding->place);
    const char *column = column_of_message(finding->message, &builder->plan->arena);
    const struct hr_place *place = &finding->place;
    if (stage != SIZE_MAX && column != NULL) {
        for (size_t i = 0; i < stage && is_missing_column(finding->message); i++) {
            if (writes_column(stages->items[i], column)) {
                return;
            }
        }
        if (strcmp(place->path, stages->items[stage]->place.path) == 0) {
            place = hr_plan_place_of(stages->items[stage], column);
        }
    }
    finding_move(builder->findings, place, finding);
}

static void bind_pipeline(struct hr_plan_builder *builder)
{
    struct hr_findings findings;
    hr_findings_init(&findings);
    hr_pipeline_bind(&builder->plan->pipeline, &builder->plan->schema, &findings);
    for (const struct hr_finding *finding = findings.first; finding != NULL; finding = finding->next) {
        bind_sift(builder, finding);
    }
    builder->bound = builder->bound && findings.errors == 0;
    hr_findings_release(&findings);
}

/* The default label column need not be there, but who forgot it must hear that nothing is learned. */
static void warn_of_label(struct hr_plan_builder *builder)
{
    const struct hr_model *model = builder->plan->model;
    if (model->type->task == HR_TASK_CLUSTERING || model->label != SIZE_MAX) {
        return;
    }
    struct hr_finding *finding = hr_findings_warning(builder->findings, &model->place,
                                                     "there is no column 'label': rows are scored, not learned");
    hr_finding_hint(builder->findings, finding, "name the column of the label: labelCol: …");
}

static void bind_model(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    struct hr_error err;
    builder->model_columns = plan->schema.count;
    if (hr_model_bind(plan->model, &plan->schema, &err) == HR_OK) {
        warn_of_label(builder);
        return;
    }
    const char *column = column_of_message(err.text, &plan->arena);
    bool missing = is_missing_column(err.text);
    bool follows = missing && !builder->bound &&
                   (column == NULL || builder->sections.pipeline == NULL ||
                    hr_yaml_get(builder->sections.pipeline, "from") != NULL || hr_plan_stage_writes(builder, column));
    builder->bound = false;
    if (!follows) {
        if (err.hint[0] == '\0') {
            (void)hr_fail_hint(&err, "headrace list models %s shows parameters and an example",
                               plan->model->type->kind.name);
        }
        hr_findings_add(builder->findings, hr_plan_place_of(builder->sections.model, column), &err);
    }
}

static void read_evaluation(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *node = builder->sections.evaluation;
    enum hr_plan_purpose purpose = builder->settings->purpose;
    if (builder->sections.model == NULL) {
        if (node != NULL) {
            struct hr_finding *finding =
                hr_findings_error(builder->findings, hr_yaml_key_place(plan->root, "evaluation"),
                                  "evaluation needs a model, and the query has none");
            hr_finding_hint(builder->findings, finding, "add a model, or leave evaluation out");
        }
        return;
    }
    bool wanted = purpose == HR_PLAN_EVAL || (purpose == HR_PLAN_RUN && node != NULL);
    if (plan->model == NULL && wanted && node != NULL) {
        const struct hr_yaml *type = hr_yaml_get(builder->sections.model, "type");
        bool named = type != NULL && type->kind == HR_YAML_SCALAR;
        hr_evaluation_check(node, named ? hr_model_type_find(type->text) : NULL, &plan->arena, builder->findings);
    }
    if (plan->model == NULL || !wanted) {
        return;
    }
    plan->evaluation = hr_arena_new(&plan->arena, struct hr_evaluation);
    hr_evaluation_read(plan->evaluation, node, plan->model, &plan->arena, builder->findings);
}

void hr_plan_bind(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    size_t errors = builder->findings->errors;
    hr_pipeline_read(&plan->pipeline, builder->sections.pipeline, plan->directory, &plan->arena, builder->findings);
    builder->bound = builder->findings->errors == errors;
    if (builder->sections.model != NULL) {
        plan->model = hr_model_new(builder->sections.model, &plan->arena, builder->findings);
    } else if (builder->settings->purpose == HR_PLAN_EVAL) {
        struct hr_finding *finding =
            hr_findings_error(builder->findings, &plan->root->place, "eval needs a model, and the query has none");
        hr_finding_hint(builder->findings, finding, "add model: to the query; headrace list models shows them");
    }
    hr_plan_add_metadata(builder);
    builder->model_columns = plan->schema.count;
    builder->bound = builder->bound && builder->schema_good;
    if (!builder->schema_good || builder->settings->purpose == HR_PLAN_FIT) {
        read_evaluation(builder);
        return;
    }
    bind_pipeline(builder);
    builder->model_columns = plan->schema.count;
    if (plan->model != NULL) {
        bind_model(builder);
    } else if (builder->sections.model != NULL) {
        builder->bound = false;
    }
    read_evaluation(builder);
}
