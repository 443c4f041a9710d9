/* SPDX-License-Identifier: Apache-2.0
 *
 * Fitting, estimator by estimator: each sees what the stages before it make of the rows. A row that a stage rejects
 * ends the fit: values that were fitted without some rows would be wrong without a sign of it.
 */
#include <string.h>

#include "data/record.h"
#include "ml/pipeline.h"

void hr_pipeline_fit_begin(struct hr_pipeline_fit *fit, struct hr_pipeline *pipeline, struct hr_schema *schema)
{
    *fit = (struct hr_pipeline_fit){.pipeline = pipeline, .schema = schema};
}

/* Ends a pass. *again: the same stage wants another one. */
static enum hr_status end_pass(struct hr_pipeline_fit *fit, bool *again, struct hr_error *err)
{
    struct hr_stage *stage = fit->pipeline->stages[fit->next];
    *again = false;
    if (stage->type->fit_end(stage, again, err) != HR_OK) {
        return err->hint[0] != '\0' ? err->status
                                    : hr_fail_hint(err, "see that the source has rows, and that no stage before leaves "
                                                        "them all out");
    }
    if (*again) {
        fit->pass++;
        return HR_OK;
    }
    HR_TRY(hr_stage_take_fit(stage, err));
    HR_TRY(hr_pipeline_bind_stage(fit->pipeline, fit->next, fit->schema, err));
    fit->running = false;
    fit->next++;
    return HR_OK;
}

enum hr_status hr_pipeline_fit_next(struct hr_pipeline_fit *fit, struct hr_error *err)
{
    if (fit->running) {
        bool again = false;
        HR_TRY(end_pass(fit, &again, err));
        if (again) {
            return HR_OK;
        }
    }
    for (; fit->next < fit->pipeline->count; fit->next++) {
        struct hr_stage *stage = fit->pipeline->stages[fit->next];
        if ((stage->type->flags & HR_STAGE_ESTIMATOR) != 0 && stage->fitted == NULL) {
            enum hr_status status = stage->type->fit_begin(stage, fit->schema, err);
            if (status != HR_OK) {
                const char *type = stage->type->kind.name;
                bool named = strncmp(err->text, type, strlen(type)) == 0; /* by hr_stage_fail */
                return named ? status : hr_fail_context(err, "%s '%s'", type, stage->id);
            }
            fit->running = true;
            fit->pass = 0;
            return HR_OK;
        }
        HR_TRY(hr_pipeline_bind_stage(fit->pipeline, fit->next, fit->schema, err));
    }
    return HR_END;
}

enum hr_status hr_pipeline_fit_chunk(struct hr_pipeline_fit *fit, struct hr_chunk *chunk, struct hr_error *err)
{
    HR_ASSERT(fit->running);
    size_t rejects = chunk->rejects != NULL ? chunk->rejects->count : 0;
    hr_pipeline_transform_stages(fit->pipeline, fit->next, chunk);
    if (chunk->rejects != NULL && chunk->rejects->count > rejects) {
        const struct hr_reject *reject = &chunk->rejects->items[rejects];
        return hr_stage_fail_record(chunk, reject->record, reject->message, err);
    }
    struct hr_stage *stage = fit->pipeline->stages[fit->next];
    return stage->type->fit_chunk(stage, chunk, err);
}
