/* SPDX-License-Identifier: Apache-2.0
 *
 * See click_path.h.
 */
#include "click_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "click_record.h"

/* Readable behind the text: decoders that read ahead want it. */
#define TEXT_PADDING 256
#define OUT_BYTES_MAX ((size_t)1 << 28)

static const char source_text[] =
    "schema: session_id string, user_id string, page string, country string, ts long, device int, clicks int, "
    "dwell double, price double, label int";
static const char pipeline_text[] =
    "stages:\n"
    "  - type: Bucketizer\n"
    "    inputCols: [clicks, dwell, price]\n"
    "    outputCols: [clicksBucket, dwellBucket, priceBucket]\n"
    "    splitsArray: [[-.inf, 1, 2, 5, 10, .inf], [-.inf, 5, 20, 60, 200, .inf], [-.inf, 30, 60, 120, .inf]]\n"
    "  - type: FeatureHasher\n"
    "    inputCols: [user_id, page, country, device, clicks, dwell, price, clicksBucket, dwellBucket, priceBucket]\n"
    "    categoricalCols: [device, clicksBucket, dwellBucket, priceBucket]\n"
    "    numFeatures: 262144\n"
    "    outputCol: features\n";
static const char model_text[] = "{type: OnlineLogisticRegression, optimizer: adagrad, learningRate: 0.1}";
static const char *const output_names[CLICK_PATH_OUTPUTS] = {"session_id", "user_id", "label", "probability",
                                                             "prediction"};

void click_path_require(struct hr_findings *findings, bool right, const char *text)
{
    if (right && findings->errors == 0) {
        return;
    }
    struct hr_buf out;
    hr_buf_init(&out, 1 << 20);
    hr_findings_print_text(findings, &out);
    fprintf(stderr, "%s%s\n", hr_buf_text(&out), text);
    exit(2);
}

struct hr_yaml *click_path_yaml(struct hr_arena *arena, struct hr_findings *findings, const char *text)
{
    struct hr_yaml *node = hr_yaml_read_text(arena, "bench", text, strlen(text), findings);
    click_path_require(findings, node != NULL, "");
    return node;
}

static void make_records(struct click_path *path)
{
    path->text = hr_arena_alloc(&path->arena, path->count * (CLICK_RECORD_MAX + 1) + TEXT_PADDING);
    path->records = hr_arena_calloc(&path->arena, path->count, sizeof(*path->records));
    char *to = path->text;
    for (size_t i = 0; i < path->count; i++) {
        size_t length = click_record_write(1, i, to);
        path->records[i] = (struct hr_record){.value = {to, length}, .partition = -1};
        to += length;
        *to++ = '\n';
    }
    path->text_length = (size_t)(to - path->text);
}

static void open_model(struct click_path *path)
{
    struct hr_error err = {0};
    hr_pipeline_read(&path->pipeline, click_path_yaml(&path->arena, &path->findings, pipeline_text), ".", &path->arena,
                     &path->findings);
    click_path_require(&path->findings, true, "");
    hr_pipeline_bind(&path->pipeline, &path->schema, &path->findings);
    click_path_require(&path->findings, true, "");
    path->model =
        hr_model_new(click_path_yaml(&path->arena, &path->findings, model_text), &path->arena, &path->findings);
    click_path_require(&path->findings, path->model != NULL, "");
    click_path_require(&path->findings, hr_model_bind(path->model, &path->schema, &err) == HR_OK, err.text);
    for (size_t i = 0; i < CLICK_PATH_OUTPUTS; i++) {
        path->outputs[i] = hr_schema_find(&path->schema, output_names[i]);
        click_path_require(&path->findings, path->outputs[i] != SIZE_MAX, output_names[i]);
    }
}

void click_path_open(struct click_path *path, size_t count, bool with_model)
{
    static const struct hr_place place = {"bench", 1, 1, "source"};
    memset(path, 0, sizeof(*path));
    path->count = count;
    hr_arena_init(&path->arena, 0);
    hr_arena_init(&path->chunk_arena, 0);
    hr_findings_init(&path->findings);
    hr_buf_init(&path->out, OUT_BYTES_MAX);
    hr_schema_init(&path->schema, &path->arena);
    hr_rejects_init(&path->rejects, &path->arena);
    const struct hr_yaml *source = click_path_yaml(&path->arena, &path->findings, source_text);
    hr_schema_read(&path->schema, hr_yaml_get(source, "schema"), &path->findings);
    path->format = hr_format_new(NULL, &place, NULL, &path->arena, &path->findings);
    struct hr_error err = {0};
    click_path_require(&path->findings, hr_format_open(path->format, &path->schema, &err) == HR_OK, err.text);
    if (with_model) {
        open_model(path);
    }
    make_records(path);
}

void click_path_decode(struct click_path *path, size_t first)
{
    size_t count = path->count - first < HR_CHUNK_ROWS ? path->count - first : HR_CHUNK_ROWS;
    hr_arena_reset(&path->chunk_arena);
    hr_chunk_init(&path->chunk, &path->schema, count, path->records, &path->rejects, &path->chunk_arena);
    hr_format_decode(path->format, path->records + first, (uint32_t)first, count, &path->chunk);
    if (path->chunk.rows != count) {
        fprintf(stderr, "click_path: %zu of %zu records are rows\n", path->chunk.rows, count);
        exit(2);
    }
}

void click_path_transform(struct click_path *path)
{
    hr_pipeline_transform(&path->pipeline, &path->chunk);
}

void click_path_learn(struct click_path *path)
{
    struct hr_error err = {0};
    click_path_require(&path->findings, hr_model_learn(path->model, &path->chunk, &err) == HR_OK, err.text);
}

void click_path_encode(struct click_path *path)
{
    hr_format_encode(path->format, &path->chunk, path->outputs, CLICK_PATH_OUTPUTS, 0, path->chunk.rows, true,
                     &path->out, NULL);
}

void click_path_batch(struct click_path *path)
{
    struct hr_error err = {0};
    for (size_t first = 0; first < path->count; first += HR_CHUNK_ROWS) {
        click_path_decode(path, first);
        click_path_transform(path);
        click_path_learn(path);
        hr_buf_clear(&path->out);
        click_path_encode(path);
    }
    click_path_require(&path->findings, hr_model_end_batch(path->model, &err) == HR_OK, err.text);
}

void click_path_close(struct click_path *path)
{
    if (path->model != NULL) {
        hr_model_close(path->model);
    }
    hr_pipeline_close(&path->pipeline);
    hr_format_close(path->format);
    hr_findings_release(&path->findings);
    hr_buf_release(&path->out);
    hr_arena_release(&path->chunk_arena);
    hr_arena_release(&path->arena);
}
