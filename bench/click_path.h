/* SPDX-License-Identifier: Apache-2.0
 *
 * The record path in one thread, without source and sink: click records in memory through decode, the pipeline and the
 * model of bench/kafka/clicks.yaml, and encode, chunk by chunk as the engine does. For programs that measure its parts.
 * What is wrong with the texts ends the program.
 */
#ifndef HR_BENCH_CLICK_PATH_H
#define HR_BENCH_CLICK_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "data/format.h"
#include "ml/model.h"
#include "ml/pipeline.h"

#define CLICK_PATH_OUTPUTS 5

struct click_path {
    struct hr_arena arena;
    struct hr_arena chunk_arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_format *format;
    struct hr_pipeline pipeline;
    struct hr_model *model; /* NULL: only decoding */
    char *text;             /* the records, each followed by a newline */
    size_t text_length;
    struct hr_record *records;
    size_t count;
    struct hr_rejects rejects;
    struct hr_chunk chunk;
    struct hr_buf out;
    size_t outputs[CLICK_PATH_OUTPUTS]; /* session_id, user_id, label, probability, prediction */
};

/* with_model: pipeline and model too. */
void click_path_open(struct click_path *path, size_t count, bool with_model);
/* Steps of the chunk that begins at record `first`; a step needs those before it. */
void click_path_decode(struct click_path *path, size_t first);
void click_path_transform(struct click_path *path);
void click_path_learn(struct click_path *path);
/* Appends to out. */
void click_path_encode(struct click_path *path);
/* All steps over all records, as one batch; out has the last chunk's rows. */
void click_path_batch(struct click_path *path);
void click_path_close(struct click_path *path);

/* For other programs: YAML out of a text, and what to do when something is wrong. */
struct hr_yaml *click_path_yaml(struct hr_arena *arena, struct hr_findings *findings, const char *text);
void click_path_require(struct hr_findings *findings, bool right, const char *text);

#endif
