/* SPDX-License-Identifier: Apache-2.0
 *
 * What a checkpoint remembers of its query, and whether a query may go on from it. The identity is one JSON object:
 *
 *     {"query", "source": {"id", "type", "params": {what names the input}},
 *      "schema": [{"name", "type", "from"}], "stages": [{"type", "id", "params", "fitted"}], "models": [{"id", "type",
 * "params"}], "evaluation": {…}, "sinks": [{"id", "type", "guarantee"}]}
 *
 * Differences that would make the stored positions or the learned state mean something else are refused, all at once
 * (spark.apache.org, Structured Streaming guide, "Recovery semantics after changes in a streaming query", is the
 * model):
 *
 *     query name                      the ledgers know it
 *     source id, type, input          positions are names and numbers of that input
 *     pipeline                        while something learns from its columns
 *     type and place of a column      likewise; columns may come and go
 *     model type, id, what shapes its state or its start
 *     evaluation windows and metrics  their state is laid out by them
 *     type of a sink with a known id, and at_least_once → exactly_once: its ledger does not know the batches
 *
 * Allowed: limits, triggers, formats, other columns, learning rates, names of prediction columns, more or fewer sinks.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "stream/plan.h"

/* A source's keys that say which input it is. */
static const char *const source_keys[] = {"subscribe", "subscribePattern", "assign", "path"};

/* A model's keys that may change under a learned state: they say how fast it goes on, not where it stands. */
static const char *const model_free_keys[] = {
    "stepSize",
    "numIterations",
    "miniBatchFraction",
    "regParam",
    "convergenceTol",
    "threshold",
    "learningRate",
    "interceptLearningRate",
    "powerT",
    "l1",
    "l2",
    "decayFactor",
    "halfLife",
    "timeUnit",
    "predictionCol",
    "rawPredictionCol",
    "probabilityCol",
    "distanceCol",
};

/* ---- writing ------------------------------------------------------------------------------------------------ */

static json_t *identity_source(const struct hr_source *source)
{
    json_t *all = hr_options_to_json(source->type->kind.options, source->options);
    json_t *params = json_object();
    for (size_t i = 0; i < HR_ARRAY_LEN(source_keys); i++) {
        json_t *value = json_object_get(all, source_keys[i]);
        if (value != NULL) {
            json_object_set(params, source_keys[i], value);
        }
    }
    json_decref(all);
    return json_pack("{s:s, s:s, s:o}", "id", source->id, "type", source->type->kind.name, "params", params);
}

/* Where a column's value comes from: a JSON pointer, a header's name, or the number of the field where a CSV file has
 * no header. */
static json_t *identity_schema(const struct hr_plan *plan)
{
    bool by_number = strcmp(plan->format->type->kind.name, "csv") == 0 && !hr_format_has_header(plan->format);
    json_t *list = json_array();
    for (size_t i = 0; i < plan->source_columns; i++) {
        const struct hr_field *field = &plan->schema.fields[i];
        if (field->origin != HR_ORIGIN_FIELD) {
            continue;
        }
        json_t *from = by_number ? json_integer((json_int_t)i)
                                 : json_string(field->pointer != NULL ? field->pointer : field->name);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o}", "name", field->name, "type", hr_type_name(field->type), "from", from));
    }
    return list;
}

static json_t *identity_evaluation(const struct hr_evaluation *evaluation)
{
    json_t *metrics = json_array();
    for (unsigned i = 0; i < HR_METRIC_ID_COUNT; i++) {
        if ((evaluation->metrics >> i & 1) != 0) {
            json_array_append_new(metrics, json_string(hr_metric_infos[i].name));
        }
    }
    return json_pack("{s:o, s:b, s:I, s:f}", "metrics", metrics, "cumulative", evaluation->cumulative, "slidingRows",
                     (json_int_t)evaluation->sliding_rows, "fadingFactor", evaluation->fading_factor);
}

static json_t *identity_sink(const struct hr_sink *sink)
{
    return json_pack("{s:s, s:s, s:s}", "id", sink->id, "type", sink->type->kind.name, "guarantee",
                     sink->guarantee == HR_GUARANTEE_EXACTLY_ONCE ? "exactly_once" : "at_least_once");
}

static json_t *identity_document(const struct hr_plan *plan)
{
    json_t *root = json_object();
    json_object_set_new(root, "query", json_string(plan->name));
    json_object_set_new(root, "source", identity_source(plan->source));
    json_object_set_new(root, "schema", identity_schema(plan));
    json_t *stages = json_array();
    for (size_t i = 0; i < plan->pipeline.count; i++) {
        json_array_append_new(stages, hr_stage_to_json(plan->pipeline.stages[i]));
    }
    json_object_set_new(root, "stages", stages);
    json_t *models = json_array();
    if (plan->model != NULL) {
        json_array_append_new(models, hr_model_to_json(plan->model));
    }
    json_object_set_new(root, "models", models);
    if (plan->evaluation != NULL) {
        json_object_set_new(root, "evaluation", identity_evaluation(plan->evaluation));
    }
    json_t *sinks = json_array();
    for (size_t i = 0; i < plan->sink_count; i++) {
        json_array_append_new(sinks, identity_sink(plan->sinks[i]));
    }
    if (plan->dead_letter != NULL) {
        json_array_append_new(sinks, identity_sink(plan->dead_letter->sink));
    }
    json_object_set_new(root, "sinks", sinks);
    return root;
}

struct hr_str hr_plan_identity(struct hr_plan *plan)
{
    json_t *root = identity_document(plan);
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    HR_ASSERT(text != NULL);
    size_t length = strlen(text);
    struct hr_str identity = {hr_arena_strndup(&plan->arena, text, length), length};
    hr_free(text);
    json_decref(root);
    return identity;
}

/* ---- comparing ---------------------------------------------------------------------------------------------- */

struct differences {
    char text[800];
    size_t count;
};

static void difference(struct differences *found, const char *format, ...) HR_PRINTF(2, 3);
static void difference(struct differences *found, const char *format, ...)
{
    size_t length = strlen(found->text);
    if (found->count > 0) {
        length += (size_t)snprintf(found->text + length, sizeof(found->text) - length, "; ");
    }
    found->count++;
    if (length < sizeof(found->text)) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(found->text + length, sizeof(found->text) - length, format, arguments);
        va_end(arguments);
    }
}

/* A value for a message, shortened; "nothing" when absent. */
static void value_text(const json_t *value, char out[64])
{
    char *text = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)) : NULL;
    if (text == NULL) {
        snprintf(out, 64, "not set");
    } else {
        snprintf(out, 64, "%.56s%s", text, strlen(text) > 56 ? "…" : "");
    }
    hr_free(text);
}

static void compare_value(struct differences *found, const char *what, const json_t *stored, const json_t *wanted)
{
    if ((stored == NULL && wanted == NULL) || json_equal(stored, wanted)) {
        return;
    }
    char before[64];
    char now[64];
    value_text(stored, before);
    value_text(wanted, now);
    difference(found, "%s was %s and is %s", what, before, now);
}

static bool is_free_key(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* All keys of two objects but the free ones. */
static void compare_objects(struct differences *found, const char *what, json_t *stored, json_t *wanted,
                            const char *const *free_keys, size_t free_count)
{
    char path[160];
    const char *key;
    json_t *value;
    json_object_foreach(stored, key, value)
    {
        if (!is_free_key(key, free_keys, free_count)) {
            snprintf(path, sizeof(path), "%s.%s", what, key);
            compare_value(found, path, value, json_object_get(wanted, key));
        }
    }
    json_object_foreach(wanted, key, value)
    {
        if (json_object_get(stored, key) == NULL && !is_free_key(key, free_keys, free_count)) {
            snprintf(path, sizeof(path), "%s.%s", what, key);
            compare_value(found, path, NULL, value);
        }
    }
}

static void compare_stages(struct differences *found, json_t *stored, json_t *wanted)
{
    if (json_array_size(stored) != json_array_size(wanted)) {
        difference(found, "the pipeline had %zu stages and has %zu", json_array_size(stored), json_array_size(wanted));
        return;
    }
    for (size_t i = 0; i < json_array_size(stored); i++) {
        json_t *before = json_array_get(stored, i);
        json_t *now = json_array_get(wanted, i);
        char what[96];
        snprintf(what, sizeof(what), "stages[%zu].type", i);
        compare_value(found, what, json_object_get(before, "type"), json_object_get(now, "type"));
        snprintf(what, sizeof(what), "stages[%zu].id", i);
        compare_value(found, what, json_object_get(before, "id"), json_object_get(now, "id"));
        if (!json_equal(json_object_get(before, "type"), json_object_get(now, "type"))) {
            continue;
        }
        snprintf(what, sizeof(what), "stages[%zu]", i);
        compare_objects(found, what, json_object_get(before, "params"), json_object_get(now, "params"), NULL, 0);
        json_t *fitted_before = json_object_get(before, "fitted");
        json_t *fitted_now = json_object_get(now, "fitted");
        bool same = (fitted_before == NULL && fitted_now == NULL) || json_equal(fitted_before, fitted_now);
        if (!same) {
            difference(found, "stages[%zu] ('%s') has other fitted values", i,
                       json_string_value(json_object_get(now, "id")));
        }
    }
}

static void compare_models(struct differences *found, json_t *stored, json_t *wanted)
{
    json_t *before = json_array_get(stored, 0);
    json_t *now = json_array_get(wanted, 0);
    if (before == NULL || now == NULL) {
        if (before != now) {
            difference(found, "%s", now == NULL ? "the query had a model and has none" : "the query had no model");
        }
        return;
    }
    compare_value(found, "model.type", json_object_get(before, "type"), json_object_get(now, "type"));
    compare_value(found, "model.id", json_object_get(before, "id"), json_object_get(now, "id"));
    if (json_equal(json_object_get(before, "type"), json_object_get(now, "type"))) {
        compare_objects(found, "model", json_object_get(before, "params"), json_object_get(now, "params"),
                        model_free_keys, HR_ARRAY_LEN(model_free_keys));
    }
}

typedef void compare_fn(struct differences *found, json_t *stored, json_t *wanted);

/* Compares those elements of two lists that have the same value of a key. */
static void compare_same(struct differences *found, const char *key, json_t *stored, json_t *wanted,
                         compare_fn *compare)
{
    size_t i;
    size_t j;
    json_t *before;
    json_t *now;
    json_array_foreach(stored, i, before)
    {
        json_array_foreach(wanted, j, now)
        {
            if (json_equal(json_object_get(before, key), json_object_get(now, key))) {
                compare(found, before, now);
            }
        }
    }
}

static void compare_sink(struct differences *found, json_t *before, json_t *now)
{
    char what[128];
    const char *id = json_string_value(json_object_get(now, "id"));
    snprintf(what, sizeof(what), "the type of sink '%s'", id != NULL ? id : "?");
    compare_value(found, what, json_object_get(before, "type"), json_object_get(now, "type"));
    const char *promised = json_string_value(json_object_get(before, "guarantee"));
    const char *promises = json_string_value(json_object_get(now, "guarantee"));
    if (promised != NULL && promises != NULL && strcmp(promised, "at_least_once") == 0 &&
        strcmp(promises, "exactly_once") == 0) {
        difference(found, "sink '%s' was at_least_once and is exactly_once (give it a new id)", id);
    }
}

/* True when the checkpoint holds something that was learned from the pipeline's columns. */
static bool has_learned(json_t *stored)
{
    if (json_array_size(json_object_get(stored, "models")) > 0) {
        return true;
    }
    size_t i;
    json_t *stage;
    json_array_foreach(json_object_get(stored, "stages"), i, stage)
    {
        const char *name = json_string_value(json_object_get(stage, "type"));
        const struct hr_stage_type *type = name != NULL ? hr_stage_type_find(name) : NULL;
        if (type != NULL && (type->flags & HR_STAGE_ONLINE) != 0) {
            return true;
        }
    }
    return false;
}

static void compare_column(struct differences *found, json_t *before, json_t *now)
{
    char what[160];
    snprintf(what, sizeof(what), "column '%.100s'", json_string_value(json_object_get(now, "name")));
    compare_objects(found, what, before, now, NULL, 0);
}

/* What was learned means the same only of the same columns, behind the same pipeline and in the same model. */
static void compare_learned(struct differences *found, json_t *stored, json_t *wanted)
{
    if (has_learned(stored)) {
        /* Columns that both have. A checkpoint of before columns were kept has none. */
        compare_same(found, "name", json_object_get(stored, "schema"), json_object_get(wanted, "schema"),
                     compare_column);
        compare_stages(found, json_object_get(stored, "stages"), json_object_get(wanted, "stages"));
    }
    if (json_array_size(json_object_get(stored, "models")) > 0) {
        compare_models(found, json_object_get(stored, "models"), json_object_get(wanted, "models"));
    }
}

static void compare_identities(struct differences *found, json_t *stored, json_t *wanted)
{
    json_t *source_before = json_object_get(stored, "source");
    json_t *source_now = json_object_get(wanted, "source");
    compare_value(found, "the query's name", json_object_get(stored, "query"), json_object_get(wanted, "query"));
    compare_value(found, "source.type", json_object_get(source_before, "type"), json_object_get(source_now, "type"));
    compare_value(found, "source.id", json_object_get(source_before, "id"), json_object_get(source_now, "id"));
    if (json_equal(json_object_get(source_before, "type"), json_object_get(source_now, "type"))) {
        compare_objects(found, "source", json_object_get(source_before, "params"),
                        json_object_get(source_now, "params"), NULL, 0);
    }
    compare_learned(found, stored, wanted);
    json_t *evaluation_before = json_object_get(stored, "evaluation");
    json_t *evaluation_now = json_object_get(wanted, "evaluation");
    if (evaluation_before != NULL && evaluation_now != NULL) {
        compare_objects(found, "evaluation", evaluation_before, evaluation_now, NULL, 0);
    }
    compare_same(found, "id", json_object_get(stored, "sinks"), json_object_get(wanted, "sinks"), compare_sink);
}

/* Rows may be scored only by what was learned; an untrained model would answer as if it knew. */
static void compare_for_score(struct differences *found, json_t *stored, json_t *wanted)
{
    if (has_learned(wanted) && !has_learned(stored)) {
        char name[64];
        value_text(json_object_get(stored, "query"), name);
        difference(found, "it is of query %s, which learns nothing", name);
        return;
    }
    compare_learned(found, stored, wanted);
}

static enum hr_status check(struct hr_plan *plan, struct hr_str stored, compare_fn *compare, struct hr_error *err)
{
    json_error_t problem;
    json_t *before = json_loadb(stored.data, stored.length, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(before)) {
        json_decref(before);
        return hr_fail(err, HR_CORRUPT, "the identity in the checkpoint at '%s' is no JSON object: %s",
                       plan->checkpoint_location, problem.text);
    }
    struct hr_str wanted = hr_plan_identity(plan);
    json_t *now = json_loadb(wanted.data, wanted.length, 0, &problem);
    struct differences found = {.count = 0};
    compare(&found, before, now);
    json_decref(before);
    json_decref(now);
    return found.count == 0 ? HR_OK
                            : hr_fail(err, HR_MISMATCH, "the checkpoint at '%s' does not fit the query: %s",
                                      plan->checkpoint_location, found.text);
}

enum hr_status hr_plan_check_learned(struct hr_plan *plan, struct hr_str stored, struct hr_error *err)
{
    enum hr_status status = check(plan, stored, compare_for_score, err);
    return status != HR_MISMATCH
               ? status
               : hr_fail_hint(err, "score with the query that made the checkpoint, or name another with --checkpoint");
}

enum hr_status hr_plan_check_identity(struct hr_plan *plan, struct hr_str stored, struct hr_error *err)
{
    enum hr_status status = check(plan, stored, compare_identities, err);
    if (status != HR_MISMATCH) {
        return status;
    }
    return hr_fail_hint(err,
                        "undo the change, or start anew with --new-lineage or another checkpoint.location; limits, "
                        "trigger, format, learning rates, prediction columns and sinks with new ids may change");
}
