/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing puts each key on a line of its own and lists of numbers on one, in the order of the option tables, so that
 * two fits can be compared with diff.
 */
#include "ml/pipeline_file.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json_writer.h"
#include "base/number.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)

static void json_release(json_t **node)
{
    json_decref(*node);
}

static enum hr_status read_document(const char *path, json_t **out, struct hr_error *err)
{
    struct hr_buf text HR_CLEANUP(hr_buf_release);
    hr_buf_init(&text, FILE_BYTES_MAX);
    if (hr_file_read(path, FILE_BYTES_MAX, &text, err) != HR_OK) {
        return hr_fail_hint(err, "make it with: headrace fit QUERY.yaml -o %s", path);
    }
    json_error_t where;
    *out = json_loadb(text.data != NULL ? text.data : "", text.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    if (*out == NULL) {
        hr_fail(err, HR_BAD_CONFIG, "%s:%d:%d: not a pipeline file: %s", path, where.line, where.column, where.text);
        return hr_fail_hint(err, "make it again with: headrace fit QUERY.yaml -o %s", path);
    }
    return HR_OK;
}

static enum hr_status check_head(const char *path, const json_t *document, struct hr_error *err)
{
    const json_t *head = json_object_get(document, "headrace");
    const json_t *format = json_object_get(head, "format");
    if (!json_is_integer(format)) {
        hr_fail(err, HR_BAD_CONFIG, "%s is not a pipeline file: it has no headrace.format", path);
        return hr_fail_hint(err, "make one with: headrace fit QUERY.yaml -o PIPELINE.json");
    }
    if (json_integer_value(format) != HR_PIPELINE_FORMAT) {
        const char *version = json_string_value(json_object_get(head, "version"));
        hr_fail(err, HR_BAD_CONFIG, "%s has format version %lld; this headrace reads version %d", path,
                (long long)json_integer_value(format), HR_PIPELINE_FORMAT);
        return hr_fail_hint(err, "it was written by headrace %s: use that one, or run headrace fit again",
                            version != NULL ? version : "of another version");
    }
    if (!json_is_array(json_object_get(document, "stages"))) {
        hr_fail(err, HR_BAD_CONFIG, "%s: 'stages' must be a list", path);
        return hr_fail_hint(err, "make it again with: headrace fit QUERY.yaml -o %s", path);
    }
    return HR_OK;
}

enum hr_status hr_pipeline_load(struct hr_pipeline *pipeline, const char *path, const struct hr_place *place,
                                struct hr_arena *arena, struct hr_error *err)
{
    *pipeline = (struct hr_pipeline){0};
    json_t *document HR_CLEANUP(json_release) = NULL;
    HR_TRY(read_document(path, &document, err));
    HR_TRY(check_head(path, document, err));
    const json_t *stages = json_object_get(document, "stages");
    size_t count = json_array_size(stages);
    pipeline->stages = hr_arena_calloc(arena, count, sizeof(*pipeline->stages));
    for (size_t i = 0; i < count; i++) {
        struct hr_stage *stage = NULL;
        if (hr_stage_from_json(json_array_get(stages, i), i, arena, &stage, err) != HR_OK) {
            hr_pipeline_close(pipeline);
            return hr_fail_context(err, "%s", path);
        }
        stage->place = *place;
        pipeline->stages[pipeline->count++] = stage;
    }
    return HR_OK;
}

static void write_value(struct hr_buf *buf, const json_t *value, int depth);

static void write_line(struct hr_buf *buf, int depth)
{
    hr_buf_printf(buf, "\n%*s", 2 * depth, "");
}

static void write_scalar(struct hr_buf *buf, const json_t *value)
{
    char text[HR_NUMBER_TEXT_MAX];
    switch (json_typeof(value)) {
    case JSON_STRING:
        hr_json_append_quoted(buf, (struct hr_str){json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        hr_buf_append(buf, text, hr_number_format_int64(json_integer_value(value), text));
        break;
    case JSON_REAL:
        hr_json_append_double(buf, json_real_value(value));
        break;
    default:
        hr_buf_append_text(buf, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
        break;
    }
}

static void write_array(struct hr_buf *buf, const json_t *array, int depth)
{
    bool one_line = true;
    for (size_t i = 0; i < json_array_size(array); i++) {
        one_line = one_line && json_is_number(json_array_get(array, i));
    }
    hr_buf_append_char(buf, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0) {
            hr_buf_append_text(buf, one_line ? ", " : ",");
        }
        if (!one_line) {
            write_line(buf, depth + 1);
        }
        write_value(buf, json_array_get(array, i), depth + 1);
    }
    if (!one_line) {
        write_line(buf, depth);
    }
    hr_buf_append_char(buf, ']');
}

static void write_value(struct hr_buf *buf, const json_t *value, int depth)
{
    if (json_is_array(value)) {
        write_array(buf, value, depth);
        return;
    }
    if (!json_is_object(value)) {
        write_scalar(buf, value);
        return;
    }
    bool first = true;
    const char *key;
    json_t *item;
    hr_buf_append_char(buf, '{');
    json_object_foreach((json_t *)value, key, item)
    {
        hr_buf_append_text(buf, first ? "" : ",");
        write_line(buf, depth + 1);
        hr_json_append_quoted(buf, hr_str_from(key));
        hr_buf_append_text(buf, ": ");
        write_value(buf, item, depth + 1);
        first = false;
    }
    if (!first) {
        write_line(buf, depth);
    }
    hr_buf_append_char(buf, '}');
}

enum hr_status hr_pipeline_save(const struct hr_pipeline *pipeline, const char *path, struct hr_error *err)
{
    json_t *stages = json_array();
    for (size_t i = 0; i < pipeline->count; i++) {
        json_array_append_new(stages, hr_stage_to_json(pipeline->stages[i]));
    }
    json_t *document HR_CLEANUP(json_release) = json_pack(
        "{s:{s:i, s:s}, s:o}", "headrace", "format", HR_PIPELINE_FORMAT, "version", HEADRACE_VERSION, "stages", stages);
    HR_ASSERT(document != NULL);
    struct hr_buf text HR_CLEANUP(hr_buf_release);
    hr_buf_init(&text, FILE_BYTES_MAX);
    write_value(&text, document, 0);
    hr_buf_append_char(&text, '\n');
    if (text.overflow) {
        return hr_fail(err, HR_BAD_DATA, "the fitted values take more than %zu MiB; a pipeline file cannot hold them",
                       FILE_BYTES_MAX >> 20);
    }
    return hr_file_write_atomic(path, text.data, text.length, err);
}
