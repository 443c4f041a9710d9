/* SPDX-License-Identifier: Apache-2.0
 *
 * Each part that learns is filled once: from the file when it has it, else from the checkpoint, which is opened only
 * when some part needs it.
 */
#include "service/learned.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "state/checkpoint.h"

#define DOCUMENT_MAX ((size_t)1 << 32)

struct learned {
    struct hr_plan *plan;
    const char *directory;
    const char *file;
    json_t *document;                 /* of the file; NULL: no file */
    struct hr_checkpoint *checkpoint; /* NULL: not needed so far */
    struct hr_checkpoint_info info;
};

/* ---- file --------------------------------------------------------------------------------------------------- */

static enum hr_status document_read(struct learned *learned, struct hr_error *err)
{
    struct hr_buf text HR_CLEANUP(hr_buf_release);
    hr_buf_init(&text, DOCUMENT_MAX);
    HR_TRY(hr_file_read(learned->file, DOCUMENT_MAX, &text, err));
    json_error_t where;
    learned->document = json_loadb(text.data != NULL ? text.data : "", text.length, JSON_REJECT_DUPLICATES, &where);
    if (learned->document == NULL) {
        (void)hr_fail(err, HR_BAD_CONFIG, "%s:%d:%d: not a model file: %s", learned->file, where.line, where.column,
                      where.text);
        return hr_fail_hint(err, "make one with: headrace checkpoint inspect DIR --format json");
    }
    return HR_OK;
}

static bool text_is(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL && strcmp(value, text) == 0;
}

/* The element of a list that is meant: of this id, else the only one of this type. NULL: none. */
static const json_t *entry_find(const json_t *list, const char *id, const char *type)
{
    const json_t *of_type = NULL;
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        if (text_is(entry, "id", id) && text_is(entry, "type", type)) {
            return entry;
        }
        if (text_is(entry, "type", type)) {
            of_type = entry;
            count++;
        }
    }
    return count == 1 ? of_type : NULL;
}

static const json_t *model_entry(const struct learned *learned)
{
    const struct hr_model *model = learned->plan->model;
    const json_t *document = learned->document;
    if (json_is_object(document) && json_object_get(document, "models") == NULL) {
        return text_is(document, "type", model->type->kind.name) ? document : NULL;
    }
    const json_t *list = json_is_array(document) ? document : json_object_get(document, "models");
    return entry_find(list, model->id, model->type->kind.name);
}

static enum hr_status model_from_file(struct learned *learned, struct hr_error *err)
{
    struct hr_model *model = learned->plan->model;
    const json_t *entry = model_entry(learned);
    if (entry == NULL) {
        (void)hr_fail(err, HR_BAD_CONFIG, "%s holds no %s '%s'", learned->file, model->type->kind.name, model->id);
        return hr_fail_hint(err, "it must be what headrace checkpoint inspect --format json prints, or its models");
    }
    const json_t *state = json_object_get(entry, "state");
    if (!json_is_object(state)) {
        return hr_fail(err, HR_BAD_CONFIG, "%s: the model '%s' has no state: it has learned nothing yet", learned->file,
                       model->id);
    }
    if (model->type->restore(model, state, err) != HR_OK) {
        return hr_fail_context(err, "%s: model '%s'", learned->file, model->id);
    }
    return HR_OK;
}

static const json_t *stage_entry(const struct learned *learned, const struct hr_stage *stage)
{
    const json_t *stages = json_is_object(learned->document) ? json_object_get(learned->document, "stages") : NULL;
    return entry_find(stages, stage->id, stage->type->kind.name);
}

static enum hr_status stage_from_file(struct learned *learned, struct hr_stage *stage, const json_t *entry,
                                      struct hr_error *err)
{
    const json_t *fitted = json_object_get(entry, "fitted");
    if (stage->type->restore(stage, fitted, err) != HR_OK) {
        return hr_fail_context(err, "%s: stage '%s'", learned->file, stage->id);
    }
    return HR_OK;
}

/* ---- checkpoint --------------------------------------------------------------------------------------------- */

static enum hr_status checkpoint_open(struct learned *learned, struct hr_error *err)
{
    if (learned->checkpoint != NULL) {
        return HR_OK;
    }
    enum hr_status status = hr_checkpoint_open_read_only(learned->directory, &learned->checkpoint, err);
    if (status == HR_NO_INPUT) {
        return hr_fail_hint(err, "run the query first, or name a checkpoint with --checkpoint%s",
                            learned->file != NULL ? " for the stages that learn" : ", or a model with --model");
    }
    HR_TRY(status);
    hr_checkpoint_info(learned->checkpoint, &learned->info);
    if (learned->info.committed < 0) {
        hr_log_warn(learned->plan->name, "no batch is committed in %s: nothing is learned yet", learned->directory);
    }
    learned->plan->checkpoint_location = learned->directory;
    return hr_plan_check_learned(learned->plan, hr_checkpoint_identity(learned->checkpoint), err);
}

static enum hr_status part_from_checkpoint(struct learned *learned, const char *kind, const char *id,
                                           struct hr_paged *paged, struct hr_error *err)
{
    char name[256];
    snprintf(name, sizeof(name), "%s:%s", kind, id);
    struct hr_checkpoint_part part = {.name = name, .paged = paged};
    HR_TRY(checkpoint_open(learned, err));
    return learned->info.committed < 0 ? HR_OK
                                       : hr_checkpoint_load(learned->checkpoint, learned->info.committed, &part, err);
}

/* ---- all parts ---------------------------------------------------------------------------------------------- */

static enum hr_status load_stages(struct learned *learned, struct hr_error *err)
{
    const struct hr_pipeline *pipeline = &learned->plan->pipeline;
    for (size_t i = 0; i < pipeline->count; i++) {
        struct hr_stage *stage = pipeline->stages[i];
        if ((stage->type->flags & HR_STAGE_ONLINE) == 0) {
            continue;
        }
        const json_t *entry = stage_entry(learned, stage);
        HR_TRY(entry != NULL ? stage_from_file(learned, stage, entry, err)
                             : part_from_checkpoint(learned, "stage", stage->id, &stage->state, err));
        stage->frozen = true;
    }
    return HR_OK;
}

static enum hr_status load_all(struct learned *learned, struct hr_error *err)
{
    struct hr_model *model = learned->plan->model;
    if (learned->file != NULL) {
        HR_TRY(document_read(learned, err));
    }
    HR_TRY(load_stages(learned, err));
    if (model == NULL) {
        return HR_OK;
    }
    return learned->file != NULL ? model_from_file(learned, err)
                                 : part_from_checkpoint(learned, "model", model->id, &model->state, err);
}

enum hr_status hr_learned_load(struct hr_plan *plan, const char *directory, const char *file, struct hr_error *err)
{
    struct learned learned = {.plan = plan, .directory = directory, .file = file};
    enum hr_status status = load_all(&learned, err);
    json_decref(learned.document);
    hr_checkpoint_close(learned.checkpoint);
    return status;
}
