/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading stages, models and positions out of a checkpoint: see inspector.h.
 */
#include "service/inspector.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ml/model.h"
#include "ml/stage.h"

#define STATE_MAX ((size_t)1 << 40)

/* ---- open --------------------------------------------------------------------------------------------------- */

enum hr_status hr_inspector_record(struct hr_inspector *inspector, int64_t batch, struct hr_batch_record *out,
                                   struct hr_error *err)
{
    struct hr_buf bytes HR_CLEANUP(hr_buf_release);
    hr_buf_init(&bytes, HR_INSPECTOR_DOCUMENT_MAX);
    enum hr_status status = hr_checkpoint_record(inspector->checkpoint, batch, &bytes, err);
    if (status == HR_END) {
        (void)hr_fail(err, HR_NO_INPUT, "batch %" PRId64 " is not in the checkpoint (committed: %" PRId64 ")", batch,
                      inspector->info.committed);
        return hr_fail_hint(err, "headrace checkpoint list shows the batches that are kept");
    }
    HR_TRY(status);
    return hr_batch_record_decode(hr_buf_str(&bytes), out, err);
}

enum hr_status hr_inspector_open(struct hr_inspector *inspector, const char *directory, struct hr_error *err)
{
    HR_TRY(hr_checkpoint_open_read_only(directory, &inspector->checkpoint, err));
    hr_checkpoint_info(inspector->checkpoint, &inspector->info);
    struct hr_str identity = hr_checkpoint_identity(inspector->checkpoint);
    json_error_t problem;
    inspector->identity = json_loadb(identity.data, identity.length, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(inspector->identity)) {
        return hr_fail(err, HR_CORRUPT, "the identity in '%s' is no JSON object: %s", directory, problem.text);
    }
    inspector->batch = inspector->info.committed;
    return HR_OK;
}

void hr_inspector_close(struct hr_inspector *inspector)
{
    hr_batch_record_release(&inspector->record);
    json_decref(inspector->identity);
    hr_checkpoint_close(inspector->checkpoint);
}

const char *hr_inspector_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* ---- inspect ------------------------------------------------------------------------------------------------ */

static enum hr_status part_load(struct hr_inspector *inspector, const char *kind, const char *id, struct hr_paged *out,
                                struct hr_error *err)
{
    char name[256];
    snprintf(name, sizeof(name), "%s:%s", kind, id);
    struct hr_checkpoint_part part = {.name = name, .paged = out};
    return inspector->batch < 0 ? HR_OK : hr_checkpoint_load(inspector->checkpoint, inspector->batch, &part, err);
}

static enum hr_status stage_fitted(struct hr_inspector *inspector, const json_t *node, json_t **out,
                                   struct hr_error *err)
{
    const struct hr_stage_type *type = hr_stage_type_find(hr_inspector_text(node, "type"));
    if (type == NULL || (type->flags & HR_STAGE_ONLINE) == 0) {
        *out = json_incref(json_object_get(node, "fitted"));
        return HR_OK;
    }
    struct hr_paged state HR_CLEANUP(hr_paged_release);
    hr_paged_init(&state, STATE_MAX);
    HR_TRY(part_load(inspector, "stage", hr_inspector_text(node, "id"), &state, err));
    *out = state.size > 0 && type->inspect != NULL ? type->inspect(state.data, state.size) : json_null();
    return HR_OK;
}

/* Stages that hold something fitted or learned. */
static enum hr_status stages_collect(struct hr_inspector *inspector, json_t *out, struct hr_error *err)
{
    const json_t *stages = json_object_get(inspector->identity, "stages");
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *node = json_array_get(stages, i);
        json_t *fitted = NULL;
        HR_TRY(stage_fitted(inspector, node, &fitted, err));
        if (fitted == NULL) {
            continue;
        }
        json_t *entry = json_object();
        json_object_set_new(entry, "id", json_string(hr_inspector_text(node, "id")));
        json_object_set_new(entry, "type", json_string(hr_inspector_text(node, "type")));
        json_object_set_new(entry, "fitted", fitted);
        json_array_append_new(out, entry);
    }
    return HR_OK;
}

static enum hr_status models_collect(struct hr_inspector *inspector, json_t *out, struct hr_error *err)
{
    const json_t *models = json_object_get(inspector->identity, "models");
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *node = json_array_get(models, i);
        const json_t *params = json_object_get(node, "params");
        const struct hr_model_type *type = hr_model_type_find(hr_inspector_text(node, "type"));
        struct hr_paged state HR_CLEANUP(hr_paged_release);
        hr_paged_init(&state, STATE_MAX);
        HR_TRY(part_load(inspector, "model", hr_inspector_text(node, "id"), &state, err));
        bool known = type != NULL && state.size >= sizeof(struct hr_model_head);
        const struct hr_model_head *head = (const struct hr_model_head *)state.data;
        json_t *entry = json_object();
        json_object_set_new(entry, "id", json_string(hr_inspector_text(node, "id")));
        json_object_set_new(entry, "type", json_string(hr_inspector_text(node, "type")));
        json_object_set_new(entry, "version", json_integer(known ? (json_int_t)head->version : 0));
        json_object_set_new(entry, "rowsLearned", json_integer(known ? (json_int_t)head->rows_learned : 0));
        json_object_set_new(entry, "params", params != NULL ? json_deep_copy(params) : json_object());
        json_object_set_new(entry, "state", known ? type->inspect(state.data, state.size, params) : json_null());
        json_array_append_new(out, entry);
    }
    return HR_OK;
}

static void sources_write(const struct hr_inspector *inspector, struct hr_json *json)
{
    hr_json_array_begin(json);
    hr_json_object_begin(json);
    hr_json_key(json, "id");
    hr_json_text(json, hr_inspector_text(json_object_get(inspector->identity, "source"), "id"));
    hr_json_key(json, "offsets");
    hr_offsets_write(&inspector->record.end, json);
    hr_json_object_end(json);
    hr_json_array_end(json);
}

static void batch_id_write(struct hr_json *json, int64_t batch)
{
    if (batch < 0) {
        hr_json_null(json);
    } else {
        hr_json_int(json, batch);
    }
}

static enum hr_status inspect_document(struct hr_inspector *inspector, struct hr_buf *out, struct hr_error *err)
{
    json_t *stages = json_array();
    json_t *models = json_array();
    enum hr_status status = stages_collect(inspector, stages, err);
    if (status == HR_OK) {
        status = models_collect(inspector, models, err);
    }
    if (status == HR_OK) {
        struct hr_json json;
        hr_json_init(&json, out);
        hr_json_object_begin(&json);
        hr_json_key(&json, "lineage");
        hr_json_text(&json, inspector->info.lineage);
        hr_json_key(&json, "query");
        hr_json_text(&json, hr_inspector_text(inspector->identity, "query"));
        hr_json_key(&json, "batchId");
        batch_id_write(&json, inspector->batch);
        hr_json_key(&json, "prepared");
        batch_id_write(&json, inspector->info.prepared);
        hr_json_key(&json, "sources");
        sources_write(inspector, &json);
        hr_json_key(&json, "stages");
        hr_document_write(&json, stages);
        hr_json_key(&json, "models");
        hr_document_write(&json, models);
        hr_json_object_end(&json);
        hr_buf_append_char(out, '\n');
    }
    json_decref(stages);
    json_decref(models);
    return status;
}

/* The same document for people: one key a line, nested values as JSON. */
static void inspect_text(const json_t *document)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)document, key, value)
    {
        if (!json_is_array(value)) {
            printf("%-10s ", key);
            if (json_is_string(value)) {
                printf("%s\n", json_string_value(value));
            } else if (json_is_null(value)) {
                printf("none\n");
            } else {
                printf("%" PRId64 "\n", (int64_t)json_integer_value(value));
            }
            continue;
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            printf("%s[%zu]\n", key, i);
            const char *field;
            json_t *content;
            json_object_foreach(json_array_get(value, i), field, content)
            {
                struct hr_buf text HR_CLEANUP(hr_buf_release);
                hr_buf_init(&text, HR_INSPECTOR_DOCUMENT_MAX);
                struct hr_json json;
                hr_json_init(&json, &text);
                hr_document_write(&json, content);
                printf("  %-12s %s\n", field,
                       json_is_string(content) ? json_string_value(content) : hr_buf_text(&text));
            }
        }
    }
}

enum hr_status hr_inspector_print(struct hr_inspector *inspector, struct hr_error *err)
{
    if (inspector->batch >= 0) {
        HR_TRY(hr_inspector_record(inspector, inspector->batch, &inspector->record, err));
    }
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, HR_INSPECTOR_DOCUMENT_MAX);
    HR_TRY(inspect_document(inspector, &out, err));
    if (out.overflow) {
        return hr_fail(err, HR_BUG, "the document is larger than %zu bytes", HR_INSPECTOR_DOCUMENT_MAX);
    }
    if (inspector->json) {
        fwrite(out.data, 1, out.length, stdout);
        return HR_OK;
    }
    json_t *document = json_loadb(out.data, out.length, 0, NULL);
    inspect_text(document);
    json_decref(document);
    return HR_OK;
}
