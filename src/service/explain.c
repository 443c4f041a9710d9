/* SPDX-License-Identifier: Apache-2.0
 *
 * The document of a plan. Columns stand where they come into being: those of the source there, what a stage or the
 * model adds with it.
 */
#include "service/explain.h"

#include <string.h>

#include "base/redact.h"
#include "base/units.h"

#define TEXT_MAX (1u << 20)

/* Names of a vector's elements or of labels: more than these are only counted. */
#define NAMES_MAX 20

/* ---- columns ------------------------------------------------------------------------------------------------ */

static json_t *names_of_elements(const struct hr_attribute *attribute)
{
    json_t *names = json_array();
    for (size_t i = 0; attribute->elements != NULL && i < attribute->element_count && i < NAMES_MAX; i++) {
        const char *name = attribute->elements[i].name;
        json_array_append_new(names, name != NULL ? json_string(name) : json_null());
    }
    return names;
}

static json_t *names_of_values(const struct hr_attribute *attribute)
{
    json_t *names = json_array();
    for (size_t i = 0; attribute->values != NULL && i < attribute->value_count && i < NAMES_MAX; i++) {
        json_array_append_new(names, json_string(attribute->values[i]));
    }
    return names;
}

static json_t *attribute_document(const struct hr_attribute *attribute)
{
    static const char *const kinds[] = {
        [HR_ATTRIBUTE_NUMERIC] = "numeric",
        [HR_ATTRIBUTE_BINARY] = "binary",
        [HR_ATTRIBUTE_NOMINAL] = "nominal",
        [HR_ATTRIBUTE_GROUP] = "group",
    };
    if (attribute == NULL || attribute->kind == HR_ATTRIBUTE_NONE) {
        return json_null();
    }
    json_t *document = json_pack("{s:s}", "kind", kinds[attribute->kind]);
    bool group = attribute->kind == HR_ATTRIBUTE_GROUP;
    if (group) {
        json_object_set_new(document, "size", json_integer((json_int_t)attribute->element_count));
    } else if (attribute->value_count > 0) {
        json_object_set_new(document, "values", json_integer((json_int_t)attribute->value_count));
    }
    json_t *names = group ? names_of_elements(attribute) : names_of_values(attribute);
    if (json_array_size(names) > 0) {
        json_object_set(document, "names", names);
    }
    json_decref(names);
    return document;
}

static json_t *columns_document(const struct hr_schema *schema, size_t first, size_t end)
{
    json_t *columns = json_array();
    for (size_t i = first; i < end; i++) {
        const struct hr_field *field = &schema->fields[i];
        json_array_append_new(columns, json_pack("{s:s, s:s, s:b, s:o}", "name", field->name, "type",
                                                 hr_type_name(field->type), "nullable", field->nullable, "attribute",
                                                 attribute_document(field->attribute)));
    }
    return columns;
}

/* ---- sections ----------------------------------------------------------------------------------------------- */

static json_t *source_document(const struct hr_plan *plan)
{
    struct hr_source *source = plan->source;
    static const char *const modes[] = {"auto", "deadLetter", "drop", "failFast"};
    json_t *rows = source->rows_per_trigger_max == INT64_MAX ? json_null() : json_integer(source->rows_per_trigger_max);
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:o, s:o, s:o}", "id", source->id, "type",
                     source->type->kind.name, "description", hr_source_description(source), "replayable",
                     (source->flags & HR_SOURCE_REPLAYABLE) != 0, "bounded", (source->flags & HR_SOURCE_BOUNDED) != 0,
                     "format", plan->format->type->kind.name, "badRecords", modes[plan->format->mode],
                     "maxRowsPerTrigger", rows, "params",
                     hr_options_to_json(source->type->kind.options, source->options), "columns",
                     columns_document(&plan->schema, 0, plan->source_columns));
}

static json_t *stages_document(const struct hr_plan *plan)
{
    json_t *stages = json_array();
    size_t first = plan->source_columns;
    for (size_t i = 0; i < plan->pipeline.count; i++) {
        const struct hr_stage *stage = plan->pipeline.stages[i];
        const char *kind = stage->type->flags & HR_STAGE_ONLINE      ? "online"
                           : stage->type->flags & HR_STAGE_ESTIMATOR ? "fitted"
                                                                     : "transformer";
        json_array_append_new(stages, json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", stage->id, "type",
                                                stage->type->kind.name, "kind", kind, "params",
                                                hr_options_to_json(stage->type->kind.options, stage->options),
                                                "columns", columns_document(&plan->schema, first, stage->column_end)));
        first = stage->column_end;
    }
    return stages;
}

static size_t columns_before_model(const struct hr_plan *plan)
{
    return plan->pipeline.count > 0 ? plan->pipeline.stages[plan->pipeline.count - 1]->column_end
                                    : plan->source_columns;
}

static json_t *model_document(const struct hr_plan *plan)
{
    const struct hr_model *model = plan->model;
    if (model == NULL) {
        return json_null();
    }
    uint64_t dimension = hr_model_head(model)->dimension;
    json_t *document = hr_model_to_json(model);
    json_object_set_new(document, "learns", json_string(model->type->row_by_row ? "row by row" : "batch by batch"));
    json_object_set_new(document, "features", dimension > 0 ? json_integer((json_int_t)dimension) : json_null());
    json_object_set_new(document, "columns",
                        columns_document(&plan->schema, columns_before_model(plan), plan->schema.count));
    return document;
}

static json_t *evaluation_document(const struct hr_evaluation *evaluation)
{
    if (evaluation == NULL) {
        return json_null();
    }
    json_t *metrics = json_array();
    for (unsigned i = 0; i < HR_METRIC_ID_COUNT; i++) {
        if ((evaluation->metrics >> i & 1) != 0) {
            json_array_append_new(metrics, json_string(hr_metric_infos[i].name));
        }
    }
    return json_pack("{s:o, s:b, s:I, s:f}", "metrics", metrics, "cumulative", evaluation->cumulative, "slidingRows",
                     (json_int_t)evaluation->sliding_rows, "fadingFactor", evaluation->fading_factor);
}

static json_t *sink_document(const struct hr_sink *sink, const struct hr_schema *schema)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < sink->column_count; i++) {
        json_array_append_new(columns, json_string(schema->fields[sink->columns[i]].name));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", sink->id, "type", sink->type->kind.name, "description",
                     hr_sink_description((struct hr_sink *)sink), "deliveryGuarantee",
                     sink->guarantee == HR_GUARANTEE_EXACTLY_ONCE ? "exactly_once" : "at_least_once", "content",
                     sink->content == HR_CONTENT_METRICS ? "metrics" : "rows", "columns", columns);
}

static json_t *sinks_document(const struct hr_plan *plan)
{
    json_t *sinks = json_array();
    for (size_t i = 0; i < plan->sink_count; i++) {
        json_array_append_new(sinks, sink_document(plan->sinks[i], &plan->schema));
    }
    return sinks;
}

static json_t *dead_letter_document(const struct hr_plan *plan)
{
    if (plan->dead_letter == NULL) {
        return json_null();
    }
    json_t *document = sink_document(plan->dead_letter->sink, &plan->schema);
    json_object_del(document, "columns");
    json_object_del(document, "content");
    double ratio = plan->dead_letter->max_ratio;
    json_object_set_new(document, "maxRatio", ratio > 0 ? json_real(ratio) : json_null());
    return document;
}

static json_t *trigger_document(const struct hr_trigger *trigger)
{
    if (trigger->kind != HR_TRIGGER_PROCESSING_TIME) {
        return json_pack("{s:b}", trigger->kind == HR_TRIGGER_ONCE ? "once" : "availableNow", 1);
    }
    char interval[32];
    hr_units_write_duration(trigger->interval_us, interval);
    return json_pack("{s:s}", "processingTime", interval);
}

/* Strings that are the query's name and file, or one of a few words of ours. */
static bool is_shown(const char *key)
{
    static const char *const keys[] = {"query",      "file", "type",  "deliveryGuarantee", "content", "format",
                                       "badRecords", "kind", "learns"};
    for (size_t i = 0; i < HR_ARRAY_LEN(keys); i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* The value without what came from a variable; takes and gives a reference. */
static json_t *redacted(json_t *value)
{
    if (json_is_string(value)) {
        struct hr_buf shown HR_CLEANUP(hr_buf_release);
        hr_buf_init(&shown, TEXT_MAX);
        json_t *text = json_string(hr_redact(json_string_value(value), &shown));
        json_decref(value);
        return text;
    }
    size_t index;
    const char *key;
    void *next;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        json_array_set_new(value, index, redacted(json_incref(item)));
    }
    json_object_foreach_safe(value, next, key, item)
    {
        if (!json_is_string(item) || !is_shown(key)) {
            json_object_set_new(value, key, redacted(json_incref(item)));
        }
    }
    return value;
}

json_t *hr_explain_document(const struct hr_plan *plan)
{
    json_t *document = json_object();
    json_object_set_new(document, "query", json_string(plan->name));
    json_object_set_new(document, "file", json_string(plan->file));
    json_object_set_new(document, "trigger", trigger_document(&plan->trigger));
    json_object_set_new(
        document, "checkpoint",
        json_pack("{s:s, s:I}", "location", plan->checkpoint_location, "keep", (json_int_t)plan->checkpoint_keep));
    json_object_set_new(document, "source", source_document(plan));
    json_object_set_new(document, "stages", stages_document(plan));
    json_object_set_new(document, "model", model_document(plan));
    json_object_set_new(document, "evaluation", evaluation_document(plan->evaluation));
    json_object_set_new(document, "sinks", sinks_document(plan));
    json_object_set_new(document, "deadLetter", dead_letter_document(plan));
    json_object_set_new(document, "memory", hr_explain_memory(plan));
    return redacted(document);
}
