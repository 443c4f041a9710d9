/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of stages and models: a schema, stages and a model out of text, rows in as JSON lines, columns out as JSON
 * lines. Everything that is wrong with the texts ends the program.
 */
#ifndef HR_TESTS_ML_LESSON_H
#define HR_TESTS_ML_LESSON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/format.h"
#include "ml/model.h"
#include "ml/pipeline.h"

#define LESSON_ROWS 64

struct lesson {
    struct hr_arena arena;
    struct hr_arena chunk_arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_format *format;
    struct hr_record records[LESSON_ROWS];
    struct hr_rejects rejects;
    struct hr_chunk chunk;
    struct hr_pipeline pipeline;
    struct hr_model *model;
    struct hr_buf out;
};

static inline void lesson_require(struct lesson *lesson, bool right, const struct hr_error *err)
{
    if (!right || lesson->findings.errors > 0) {
        hr_findings_print_text(&lesson->findings, &lesson->out);
        printf("\n%s%s\n", hr_buf_text(&lesson->out), err != NULL ? err->text : "");
        abort();
    }
}

static inline struct hr_yaml *lesson_yaml(struct lesson *lesson, const char *text)
{
    struct hr_yaml *node = hr_yaml_read_text(&lesson->arena, "query.yaml", text, strlen(text), &lesson->findings);
    lesson_require(lesson, node != NULL, NULL);
    return node;
}

/* schema: DDL. */
static inline void lesson_open(struct lesson *lesson, const char *schema)
{
    static const struct hr_place place = {"query.yaml", 1, 1, "source"};
    memset(lesson, 0, sizeof(*lesson));
    hr_arena_init(&lesson->arena, 0);
    hr_arena_init(&lesson->chunk_arena, 0);
    hr_findings_init(&lesson->findings);
    hr_buf_init(&lesson->out, 1 << 24);
    hr_schema_init(&lesson->schema, &lesson->arena);
    const char *text = hr_arena_printf(&lesson->arena, "schema: \"%s\"", schema);
    hr_schema_read(&lesson->schema, hr_yaml_get(lesson_yaml(lesson, text), "schema"), &lesson->findings);
    lesson->format = hr_format_new(NULL, &place, NULL, &lesson->arena, &lesson->findings);
    struct hr_error err = {0};
    lesson_require(lesson, hr_format_open(lesson->format, &lesson->schema, &err) == HR_OK, &err);
}

/* Makes the chunk out of JSON lines; the one before it is gone. */
static inline void lesson_rows(struct lesson *lesson, const char *lines)
{
    uint32_t count = 0;
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        if (count == LESSON_ROWS) {
            abort();
        }
        lesson->records[count++] = (struct hr_record){.value = {lines, length}, .partition = -1};
        lines += length + (lines[length] == '\n');
    }
    hr_arena_reset(&lesson->chunk_arena);
    hr_rejects_init(&lesson->rejects, &lesson->chunk_arena);
    hr_chunk_init(&lesson->chunk, &lesson->schema, LESSON_ROWS, lesson->records, &lesson->rejects,
                  &lesson->chunk_arena);
    hr_format_decode(lesson->format, lesson->records, 0, count, &lesson->chunk);
}

/* stages: the list of `pipeline.stages`. They are fitted on the rows (NULL: fitted values are in the text) and bound.
 */
static inline void lesson_pipeline(struct lesson *lesson, const char *stages, const char *rows)
{
    const char *text = hr_arena_printf(&lesson->arena, "stages:\n%s", stages);
    hr_pipeline_read(&lesson->pipeline, lesson_yaml(lesson, text), ".", &lesson->arena, &lesson->findings);
    lesson_require(lesson, true, NULL);
    if (rows == NULL) {
        hr_pipeline_bind(&lesson->pipeline, &lesson->schema, &lesson->findings);
        lesson_require(lesson, true, NULL);
        return;
    }
    struct hr_pipeline_fit fit;
    struct hr_error err = {0};
    enum hr_status status;
    hr_pipeline_fit_begin(&fit, &lesson->pipeline, &lesson->schema);
    while ((status = hr_pipeline_fit_next(&fit, &err)) == HR_OK) {
        lesson_rows(lesson, rows);
        lesson_require(lesson, hr_pipeline_fit_chunk(&fit, &lesson->chunk, &err) == HR_OK, &err);
    }
    lesson_require(lesson, status == HR_END, &err);
}

static inline void lesson_model(struct lesson *lesson, const char *model)
{
    struct hr_error err = {0};
    lesson->model = hr_model_new(lesson_yaml(lesson, model), &lesson->arena, &lesson->findings);
    lesson_require(lesson, lesson->model != NULL, NULL);
    lesson_require(lesson, hr_model_bind(lesson->model, &lesson->schema, &err) == HR_OK, &err);
}

/* Rows through the stages. */
static inline void lesson_transform(struct lesson *lesson, const char *rows)
{
    lesson_rows(lesson, rows);
    hr_pipeline_transform(&lesson->pipeline, &lesson->chunk);
}

/* A batch of one chunk. */
static inline void lesson_learn(struct lesson *lesson, const char *rows)
{
    struct hr_error err = {0};
    lesson_transform(lesson, rows);
    lesson_require(lesson, hr_model_learn(lesson->model, &lesson->chunk, &err) == HR_OK, &err);
    lesson_require(lesson, hr_model_end_batch(lesson->model, &err) == HR_OK, &err);
}

/* A column as JSON lines, then "!message" for each reject. Valid until the next call. */
static inline const char *lesson_column(struct lesson *lesson, const char *name)
{
    size_t column = hr_schema_find(&lesson->schema, name);
    lesson_require(lesson, column != SIZE_MAX, NULL);
    hr_buf_clear(&lesson->out);
    for (size_t row = 0; row < lesson->chunk.rows; row++) {
        hr_format_encode(lesson->format, &lesson->chunk, &column, 1, row, 1, true, &lesson->out, NULL);
    }
    for (size_t i = 0; i < lesson->rejects.count; i++) {
        hr_buf_printf(&lesson->out, "!%s\n", lesson->rejects.items[i].message);
    }
    return hr_buf_text(&lesson->out);
}

/* Number i of a list in the model's state as `checkpoint inspect` shows it; a path of two keys or one list. */
static inline double lesson_state(struct lesson *lesson, const char *key, size_t i, size_t j)
{
    const struct hr_model *model = lesson->model;
    json_t *params = hr_options_to_json(model->type->kind.options, model->options);
    json_t *state = model->type->inspect(model->state.data, model->state.size, params);
    const json_t *value = json_object_get(state, key);
    if (json_is_array(value)) {
        value = json_array_get(value, i);
    }
    if (json_is_array(value)) {
        value = json_array_get(value, j);
    }
    lesson_require(lesson, json_is_number(value), NULL);
    double number = json_number_value(value);
    json_decref(state);
    json_decref(params);
    return number;
}

static inline void lesson_close(struct lesson *lesson)
{
    if (lesson->model != NULL) {
        hr_model_close(lesson->model);
    }
    hr_pipeline_close(&lesson->pipeline);
    hr_format_close(lesson->format);
    hr_findings_release(&lesson->findings);
    hr_buf_release(&lesson->out);
    hr_arena_release(&lesson->chunk_arena);
    hr_arena_release(&lesson->arena);
}

#endif
