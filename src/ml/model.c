/* SPDX-License-Identifier: Apache-2.0
 *
 * The model kind: reading `model:`, columns, and the wrappers that are the only callers of a type's callbacks.
 */
#include "ml/model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/str.h"

/* Bytes of one model: a limit against a wild vector size, far above any use (4 G coordinates of an accumulating
 * optimizer). Only pages that are touched take memory. */
#define MODEL_STATE_MAX ((size_t)64 << 30)

#define MODEL_POINTER(name) &hr_model_##name,
const struct hr_model_type *const hr_model_types[] = {HR_MODEL_TYPES(MODEL_POINTER)};
const size_t hr_model_type_count = HR_ARRAY_LEN(hr_model_types);

const struct hr_model_type *hr_model_type_find(const char *name)
{
    for (size_t i = 0; i < hr_model_type_count; i++) {
        if (strcmp(hr_model_types[i]->kind.name, name) == 0) {
            return hr_model_types[i];
        }
    }
    return NULL;
}

static const struct hr_model_type *read_type(const struct hr_yaml *node, struct hr_findings *findings)
{
    const struct hr_yaml *name = hr_yaml_get(node, "type");
    if (name == NULL || name->kind != HR_YAML_SCALAR) {
        const struct hr_place *place = name != NULL ? &name->place : &node->place;
        struct hr_finding *finding = hr_findings_error(findings, place, "a model needs a 'type'");
        hr_finding_hint(findings, finding, "one of those that `headrace list models` prints");
        return NULL;
    }
    const struct hr_model_type *type = hr_model_type_find(name->text);
    if (type == NULL) {
        const char *names[HR_ARRAY_LEN(hr_model_types)];
        for (size_t i = 0; i < hr_model_type_count; i++) {
            names[i] = hr_model_types[i]->kind.name;
        }
        const char *near = hr_str_nearest(name->text, names, hr_model_type_count);
        struct hr_finding *finding =
            hr_findings_error(findings, &name->place, "unknown model '%s'", hr_yaml_shown(name));
        if (near != NULL) {
            hr_finding_hint(findings, finding, "did you mean '%s'?", near);
        } else {
            hr_finding_hint(findings, finding, "`headrace list models` prints those that there are");
        }
    }
    return type;
}

struct hr_model *hr_model_new(const struct hr_yaml *node, struct hr_arena *arena, struct hr_findings *findings)
{
    static const char *const own_keys[] = {"type", "id", NULL};
    if (node->kind != HR_YAML_MAPPING) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "a model is a mapping: {type: NAME, …}");
        hr_finding_hint(findings, finding, "headrace list models names them");
        return NULL;
    }
    size_t errors = findings->errors;
    const struct hr_model_type *type = read_type(node, findings);
    if (type == NULL) {
        return NULL;
    }
    struct hr_model *model = hr_arena_calloc(arena, 1, type->kind.instance_size);
    model->type = type;
    model->arena = arena;
    model->place = node->place;
    model->node = node;
    model->id = type->kind.name;
    model->label_given = hr_yaml_get(node, "labelCol") != NULL;
    model->features = model->label = model->prediction = SIZE_MAX;
    model->raw_prediction = model->probability = model->distance = SIZE_MAX;
    const struct hr_yaml *id = hr_yaml_get(node, "id");
    if (id != NULL && id->kind == HR_YAML_SCALAR && id->text[0] != '\0') {
        model->id = id->text;
        hr_options_check_id(model->id, node, findings);
    } else if (id != NULL) {
        hr_finding_hint(findings, hr_findings_error(findings, &id->place, "'id' must be a name"),
                        "leave it out, and the model is called by its type");
    }
    model->options = hr_arena_calloc(arena, 1, type->kind.options_size);
    struct hr_options_check check = hr_options_check_begin(type->kind.options, node, findings);
    hr_options_read(type->kind.options, node, own_keys, model->options, arena, findings);
    hr_paged_init(&model->state, MODEL_STATE_MAX);
    hr_options_check_ready(&check, model->options);
    if (type->check != NULL) {
        type->check(model, findings);
        hr_options_check_end(
            &check, hr_arena_printf(arena, "headrace list models %s shows parameters and an example", type->kind.name));
    }
    if (findings->errors > errors) {
        hr_model_close(model);
        return NULL;
    }
    return model;
}

/* Adds an output column unless its name is empty or not set. */
static enum hr_status add_column(struct hr_model *model, struct hr_schema *schema, const char *name, enum hr_type type,
                                 size_t *out, struct hr_error *err)
{
    if (name == NULL || name[0] == '\0') {
        return HR_OK;
    }
    struct hr_attribute *attribute = NULL;
    if (type == HR_TYPE_VECTOR) {
        attribute = hr_arena_new(model->arena, struct hr_attribute);
        attribute->kind = HR_ATTRIBUTE_GROUP;
        attribute->element_count = 2;
    }
    return hr_schema_add(schema, name, type, attribute, out, err);
}

static enum hr_status bind_columns(struct hr_model *model, struct hr_schema *schema, bool need_label,
                                   struct hr_error *err)
{
    const struct hr_model_columns *columns = model->options;
    HR_TRY(hr_schema_need_type(schema, columns->features_col, HR_TYPE_MASK(VECTOR), "a vector", &model->features, err));
    if (columns->label_col != NULL &&
        (need_label || model->label_given || hr_schema_find(schema, columns->label_col) != SIZE_MAX)) {
        HR_TRY(hr_schema_need_type(schema, columns->label_col, HR_TYPE_MASK_NUMERIC | HR_TYPE_MASK(BOOLEAN),
                                   "a number or boolean", &model->label, err));
    }
    enum hr_type type = model->type->task == HR_TASK_CLUSTERING ? HR_TYPE_INT : HR_TYPE_DOUBLE;
    HR_TRY(add_column(model, schema, columns->prediction_col, type, &model->prediction, err));
    HR_TRY(add_column(model, schema, columns->raw_prediction_col, HR_TYPE_VECTOR, &model->raw_prediction, err));
    HR_TRY(add_column(model, schema, columns->probability_col, HR_TYPE_VECTOR, &model->probability, err));
    return add_column(model, schema, columns->distance_col, HR_TYPE_DOUBLE, &model->distance, err);
}

enum hr_status hr_model_bind_columns(struct hr_model *model, struct hr_schema *schema, bool need_label,
                                     struct hr_error *err)
{
    if (bind_columns(model, schema, need_label, err) != HR_OK) {
        return hr_fail_context(err, "%s", model->type->kind.name);
    }
    return HR_OK;
}

uint64_t hr_model_known_dimension(const struct hr_model *model, const struct hr_schema *schema)
{
    const struct hr_attribute *attribute = schema->fields[model->features].attribute;
    return attribute != NULL && attribute->kind == HR_ATTRIBUTE_GROUP ? attribute->element_count : 0;
}

enum hr_status hr_model_bind(struct hr_model *model, struct hr_schema *schema, struct hr_error *err)
{
    HR_TRY(model->type->bind(model, schema, err));
    HR_ASSERT(model->state.size >= sizeof(struct hr_model_head));
    HR_ASSERT(hr_model_head(model)->format > 0);
    return HR_OK;
}

void hr_model_score(struct hr_model *model, struct hr_chunk *chunk)
{
    model->type->score(model, chunk);
}

enum hr_status hr_model_learn(struct hr_model *model, struct hr_chunk *chunk, struct hr_error *err)
{
    return model->type->learn(model, chunk, err);
}

enum hr_status hr_model_end_batch(struct hr_model *model, struct hr_error *err)
{
    return model->type->end_batch != NULL ? model->type->end_batch(model, err) : HR_OK;
}

void hr_model_reject(const struct hr_model *model, struct hr_chunk *chunk, size_t row, const char *column,
                     const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const char *type = model->type->kind.name;
    if (strcmp(type, model->id) == 0) {
        hr_chunk_reject(chunk, row, HR_REASON_MODEL, "%s: column '%s': %s", type, column, text);
    } else {
        hr_chunk_reject(chunk, row, HR_REASON_MODEL, "%s '%s': column '%s': %s", type, model->id, column, text);
    }
}

const struct hr_vector *hr_model_features(const struct hr_model *model, struct hr_chunk *chunk, size_t row,
                                          uint64_t dimension)
{
    const struct hr_column *column = &chunk->columns[model->features];
    const struct hr_model_columns *columns = model->options;
    if (HR_UNLIKELY(hr_column_is_null(column, row))) {
        hr_model_reject(model, chunk, row, columns->features_col, "the feature vector is null");
        return NULL;
    }
    const struct hr_vector *vector = &column->vectors[row];
    if (HR_UNLIKELY(dimension != 0 && vector->size != dimension)) {
        hr_model_reject(model, chunk, row, columns->features_col,
                        "the feature vector has %u elements, the model has %llu weights a row", vector->size,
                        (unsigned long long)dimension);
        return NULL;
    }
    return vector;
}

bool hr_model_binary_label(const struct hr_model *model, struct hr_chunk *chunk, size_t row, double *label)
{
    if (!hr_model_label(model, chunk, row, label)) {
        return false;
    }
    if (HR_LIKELY(*label == 0.0 || *label == 1.0)) {
        return true;
    }
    char text[HR_NUMBER_TEXT_MAX + 1] = "not finite";
    if (isfinite(*label)) {
        text[hr_number_format_double(*label, text)] = '\0';
    }
    const struct hr_model_columns *columns = model->options;
    hr_model_reject(model, chunk, row, columns->label_col, "the label is %s; it must be 0 or 1 (or null: scored only)",
                    text);
    return false;
}

json_t *hr_model_to_json(const struct hr_model *model)
{
    return json_pack("{s:s, s:s, s:o}", "id", model->id, "type", model->type->kind.name, "params",
                     hr_options_to_json(model->type->kind.options, model->options));
}

json_t *hr_model_json_double(double value)
{
    if (isnan(value)) {
        return json_string("NaN");
    }
    if (isinf(value)) {
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    }
    return json_real(value);
}

json_t *hr_model_json_doubles(const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, hr_model_json_double(values[i]));
    }
    return array;
}

enum hr_status hr_model_read_doubles(const json_t *state, const char *key, size_t count, double *out,
                                     struct hr_error *err)
{
    const json_t *array = json_object_get(state, key);
    if (!json_is_array(array) || json_array_size(array) != count) {
        return hr_fail(err, HR_BAD_CONFIG, "'%s' must be a list of %zu numbers", key, count);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_number(item)) {
            return hr_fail(err, HR_BAD_CONFIG, "%s[%zu] is not a finite number", key, i);
        }
        out[i] = json_number_value(item);
    }
    return HR_OK;
}

void hr_model_close(struct hr_model *model)
{
    if (model == NULL) {
        return;
    }
    if (model->type->close != NULL) {
        model->type->close(model);
    }
    hr_paged_release(&model->state);
}
