/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipeline: an ordered list of stages, and its file. hr_pipeline_transform runs all stages over a chunk and compacts
 * dropped rows between them. A pipeline file is versioned JSON: {"headrace": {"format": 1, "version": "…"}, "stages":
 * [{"type", "id", "params": {…}, "fitted": {…}}]}, indented, keys in a fixed order, so that it diffs well.
 */
#ifndef HR_ML_PIPELINE_H
#define HR_ML_PIPELINE_H

#include <jansson.h>

#include "ml/stage.h"

struct hr_pipeline {
    struct hr_stage **stages;
    size_t count;
};

/* Reads `pipeline: {stages: […]}` or `{from: file}` (relative to directory). All findings at once. Stages are new,
 * loaded where fitted values are there, not bound. node NULL: an empty pipeline. */
void hr_pipeline_read(struct hr_pipeline *pipeline, const struct hr_yaml *node, const char *directory,
                      struct hr_arena *arena, struct hr_findings *findings);
/* Binds all stages to the schema, which grows. Findings: a stage whose input is missing or has the wrong type, an
 * output that exists already, an estimator with no fitted values ("run: headrace fit …"), duplicate ids. Goes on after
 * a finding where it can, so that all are reported. */
void hr_pipeline_bind(struct hr_pipeline *pipeline, struct hr_schema *schema, struct hr_findings *findings);
/* Binds one stage; those before it are bound. The error names the stage. */
enum hr_status hr_pipeline_bind_stage(struct hr_pipeline *pipeline, size_t index, struct hr_schema *schema,
                                      struct hr_error *err);
/* False while an estimator has no fitted values. */
bool hr_pipeline_is_fitted(const struct hr_pipeline *pipeline);
/* Runs all stages over a chunk whose source columns are filled. */
void hr_pipeline_transform(struct hr_pipeline *pipeline, struct hr_chunk *chunk);
/* Runs stages [0, count). */
void hr_pipeline_transform_stages(struct hr_pipeline *pipeline, size_t count, struct hr_chunk *chunk);
void hr_pipeline_close(struct hr_pipeline *pipeline);

/* Writes a pipeline file; all stages with their fitted values. */
enum hr_status hr_pipeline_save(const struct hr_pipeline *pipeline, const char *path, struct hr_error *err);

/* Fitting. The caller passes over the source as often as asked:
 *     hr_pipeline_fit_begin(&fit, pipeline, schema)
 *     while (hr_pipeline_fit_next(&fit, &err) == HR_OK)   // HR_END: all stages are fitted and bound
 *         for each chunk of a fresh pass: hr_pipeline_fit_chunk(&fit, chunk)
 * A pass runs the stages that are fitted already and feeds the next estimator. */
struct hr_pipeline_fit {
    struct hr_pipeline *pipeline;
    struct hr_schema *schema;
    size_t next; /* the stage being fitted */
    size_t pass; /* of that stage, from 0 */
    bool running;
};
void hr_pipeline_fit_begin(struct hr_pipeline_fit *fit, struct hr_pipeline *pipeline, struct hr_schema *schema);
enum hr_status hr_pipeline_fit_next(struct hr_pipeline_fit *fit, struct hr_error *err);
enum hr_status hr_pipeline_fit_chunk(struct hr_pipeline_fit *fit, struct hr_chunk *chunk, struct hr_error *err);

#endif
