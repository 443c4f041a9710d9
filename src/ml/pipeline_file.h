/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipeline file: versioned JSON that `headrace fit` writes and a query's `pipeline: {from: …}` reads.
 *
 *     {"headrace": {"format": 1, "version": "0.1.0"},
 *      "stages": [{"type", "id", "params": {…}, "fitted": {…}}]}
 *
 * Rule of the format: a reader takes the versions it knows and refuses all others; an added key is a new version.
 */
#ifndef HR_ML_PIPELINE_FILE_H
#define HR_ML_PIPELINE_FILE_H

#include "base/file.h"
#include "ml/pipeline.h"

/* Format that is written; the only one that is read so far. */
#define HR_PIPELINE_FORMAT 1

/* Reads a pipeline file: all stages with their fitted values, not bound. place: of the name in the query, for messages
 * about the stages. On failure the pipeline is empty. HR_NO_INPUT when there is no such file. */
enum hr_status hr_pipeline_load(struct hr_pipeline *pipeline, const char *path, const struct hr_place *place,
                                struct hr_arena *arena, struct hr_error *err);

#endif
