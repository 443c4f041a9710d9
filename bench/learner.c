/* SPDX-License-Identifier: Apache-2.0
 *
 * See learner.h.
 */
#include "learner.h"

#include "click_path.h"
#include "ml/vectors.h"

enum { FEATURES, LABEL };

void learner_open(struct learner *learner, const char *model, uint32_t dimension)
{
    *learner = (struct learner){0};
    hr_arena_init(&learner->arena, 0);
    hr_arena_init(&learner->chunk_arena, 0);
    hr_findings_init(&learner->findings);
    hr_schema_init(&learner->schema, &learner->arena);
    hr_rejects_init(&learner->rejects, &learner->arena);
    learner->records = hr_arena_calloc(&learner->arena, HR_CHUNK_ROWS, sizeof(*learner->records));
    struct hr_error err = {0};
    size_t index;
    bool added = hr_schema_add(&learner->schema, "features", HR_TYPE_VECTOR,
                               hr_vector_size_attribute(dimension, &learner->arena), &index, &err) == HR_OK &&
                 hr_schema_add(&learner->schema, "label", HR_TYPE_INT, NULL, &index, &err) == HR_OK;
    click_path_require(&learner->findings, added, err.text);
    learner->model =
        hr_model_new(click_path_yaml(&learner->arena, &learner->findings, model), &learner->arena, &learner->findings);
    click_path_require(&learner->findings, learner->model != NULL, "");
    click_path_require(&learner->findings, hr_model_bind(learner->model, &learner->schema, &err) == HR_OK, err.text);
}

void learner_chunk(struct learner *learner, struct hr_vector *vectors, const double *dense, int64_t *labels,
                   size_t count)
{
    struct hr_chunk *chunk = &learner->chunk;
    hr_arena_reset(&learner->chunk_arena);
    hr_chunk_init(chunk, &learner->schema, count, learner->records, &learner->rejects, &learner->chunk_arena);
    chunk->rows = count;
    chunk->columns[FEATURES].vectors = vectors;
    chunk->columns[FEATURES].dense = dense;
    chunk->columns[FEATURES].dense_size = dense != NULL ? vectors[0].size : 0;
    if (labels != NULL) {
        chunk->columns[LABEL].longs = labels;
    } else {
        hr_column_init(&chunk->columns[LABEL], HR_TYPE_INT, count, chunk->arena);
    }
}

void learner_score(struct learner *learner)
{
    hr_model_score(learner->model, &learner->chunk);
}

void learner_learn(struct learner *learner)
{
    struct hr_error err = {0};
    click_path_require(&learner->findings, hr_model_learn(learner->model, &learner->chunk, &err) == HR_OK, err.text);
}

void learner_end_batch(struct learner *learner)
{
    struct hr_error err = {0};
    click_path_require(&learner->findings, hr_model_end_batch(learner->model, &err) == HR_OK, err.text);
}

void learner_close(struct learner *learner)
{
    hr_model_close(learner->model);
    hr_findings_release(&learner->findings);
    hr_arena_release(&learner->chunk_arena);
    hr_arena_release(&learner->arena);
}
