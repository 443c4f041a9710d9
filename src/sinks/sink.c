/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry of sinks, the keys that all of them take, and the wrappers.
 */
#include "sinks/sink.h"

#include <string.h>

#include "base/redact.h"

#define DESCRIPTION_MAX (1u << 20)

const struct hr_sink_type *const hr_sink_types[] = {
#define SINK_ENTRY(name) &hr_sink_##name,
    HR_SINK_TYPES(SINK_ENTRY)
#undef SINK_ENTRY
};
const size_t hr_sink_type_count = HR_ARRAY_LEN(hr_sink_types);

/* ---- reading ------------------------------------------------------------------------------------------------ */

struct sink_options {
    const char *type;
    const char *id;
    struct hr_string_list columns;
    int content;
    int guarantee;
};

static const char *const contents[] = {"rows", "metrics", NULL};
static const char *const guarantees[] = {"best", "at_least_once", "exactly_once", NULL};

static const struct hr_option sink_options[] = {
    HR_OPTION(struct sink_options, type, "type", STRING, .required = true, .help = "kafka, file or console"),
    HR_OPTION(struct sink_options, id, "id", STRING, .help = "name of the sink in the query; default: its type"),
    HR_OPTION(struct sink_options, columns, "columns", STRINGS,
              .help = "columns to write; default: the schema's, then the prediction's"),
    HR_OPTION(struct sink_options, content, "content", CHOICE, .choices = contents, .fallback = "rows",
              .help = "rows, or metrics: the progress document of each batch"),
    HR_OPTION(struct sink_options, guarantee, "deliveryGuarantee", CHOICE, .choices = guarantees, .fallback = "best",
              .help = "exactly_once or at_least_once, where it may be lowered"),
};

/* The shared rows, then the type's rows moved behind the shared struct. */
#define SINK_OPTIONS_SIZE ((sizeof(struct sink_options) + 63) / 64 * 64)

struct hr_option_table hr_sink_options(const struct hr_sink_type *type, struct hr_arena *arena)
{
    size_t shared = HR_ARRAY_LEN(sink_options);
    size_t count = shared + type->kind.options.count;
    struct hr_option *rows = hr_arena_array(arena, count, struct hr_option);
    memcpy(rows, sink_options, sizeof(sink_options));
    for (size_t i = shared; i < count; i++) {
        rows[i] = type->kind.options.rows[i - shared];
        rows[i].offset += SINK_OPTIONS_SIZE;
    }
    return (struct hr_option_table){rows, count};
}

static const struct hr_sink_type *sink_find_type(const struct hr_yaml *node, struct hr_findings *findings)
{
    const struct hr_yaml *type = hr_yaml_get(node, "type");
    if (node->kind != HR_YAML_MAPPING || type == NULL || type->kind != HR_YAML_SCALAR) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "a sink is a mapping with a type");
        hr_finding_hint(findings, finding, "write {type: kafka, topic: …}, {type: file, path: …} or {type: console}");
        return NULL;
    }
    const char *names[HR_ARRAY_LEN(hr_sink_types)];
    for (size_t i = 0; i < hr_sink_type_count; i++) {
        names[i] = hr_sink_types[i]->kind.name;
        if (strcmp(names[i], type->text) == 0) {
            return hr_sink_types[i];
        }
    }
    struct hr_finding *finding =
        hr_findings_error(findings, &type->place, "unknown sink type '%s'", hr_yaml_shown(type));
    const char *near = hr_str_nearest(type->text, names, hr_sink_type_count);
    if (near != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", near);
    } else {
        hr_finding_hint(findings, finding, "sink types: kafka, file, console");
    }
    return NULL;
}

static void sink_check_columns(const struct hr_sink *sink, const struct hr_yaml *node, struct hr_findings *findings)
{
    static const char *const of_rows[] = {"columns", "keyCol"};
    const struct hr_yaml *columns = hr_yaml_get(node, "columns");
    if (columns != NULL && columns->kind == HR_YAML_SEQUENCE && columns->count == 0) {
        struct hr_finding *finding = hr_findings_error(findings, &columns->place, "columns is empty");
        hr_finding_hint(findings, finding,
                        "name columns, or leave it out: then the schema's and the model's are written");
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(of_rows) && sink->content == HR_CONTENT_METRICS; i++) {
        if (hr_yaml_get(node, of_rows[i]) != NULL) {
            struct hr_finding *finding = hr_findings_warning(findings, hr_yaml_key_place(node, of_rows[i]),
                                                             "'%s' has no effect: content is metrics", of_rows[i]);
            hr_finding_hint(findings, finding, "remove it, or write content: rows");
        }
    }
}

static void sink_take_options(struct hr_sink *sink, const struct sink_options *options, const struct hr_yaml *node,
                              const char *default_id)
{
    const struct hr_yaml *columns = hr_yaml_get(node, "columns");
    sink->id = options->id != NULL ? options->id : default_id;
    sink->content = options->content == 1 ? HR_CONTENT_METRICS : HR_CONTENT_ROWS;
    sink->requested = (enum hr_guarantee)options->guarantee;
    sink->column_names = options->columns.items;
    sink->column_name_count = options->columns.count;
    sink->columns_place = columns != NULL ? &columns->place : NULL;
}

struct hr_sink *hr_sink_new_ignoring(const struct hr_yaml *node, const char *default_id, const char *directory,
                                     const char *const *ignore, struct hr_arena *arena, struct hr_findings *findings)
{
    const struct hr_sink_type *type = sink_find_type(node, findings);
    if (type == NULL) {
        return NULL;
    }
    size_t errors = findings->errors;
    HR_ASSERT(type->kind.instance_size >= sizeof(struct hr_sink));
    struct hr_sink *sink = hr_arena_calloc(arena, 1, type->kind.instance_size);
    char *block = hr_arena_calloc(arena, 1, SINK_OPTIONS_SIZE + type->kind.options_size + 1);
    struct hr_options_check check = hr_options_check_begin(hr_sink_options(type, arena), node, findings);
    hr_options_read(check.table, node, ignore, block, arena, findings);
    sink->type = type;
    sink->options = block + SINK_OPTIONS_SIZE;
    sink->place = node->place;
    sink->arena = arena;
    sink->directory = directory;
    sink_take_options(sink, (const struct sink_options *)block, node, default_id);
    hr_options_check_id(sink->id, node, findings);
    if (ignore == NULL) { /* dead letters take neither */
        sink_check_columns(sink, node, findings);
    }
    hr_options_check_ready(&check, block);
    if (type->check != NULL) {
        type->check(sink, findings);
        hr_options_check_end(
            &check, hr_arena_printf(arena, "headrace list sinks %s shows parameters and an example", type->kind.name));
    }
    if (findings->errors > errors) {
        return NULL;
    }
    sink->description = type->kind.name;
    if (type->describe != NULL) {
        struct hr_buf shown HR_CLEANUP(hr_buf_release);
        hr_buf_init(&shown, DESCRIPTION_MAX);
        const char *text = hr_arena_printf(arena, "%s %s", type->kind.name, type->describe(sink));
        sink->description = hr_arena_strdup(arena, hr_redact(text, &shown));
    }
    return sink;
}

struct hr_sink *hr_sink_new(const struct hr_yaml *node, const char *default_id, const char *directory,
                            struct hr_arena *arena, struct hr_findings *findings)
{
    return hr_sink_new_ignoring(node, default_id, directory, NULL, arena, findings);
}

/* ---- wrappers ----------------------------------------------------------------------------------------------- */

static enum hr_status sink_context(const struct hr_sink *sink, enum hr_status status, struct hr_error *err)
{
    return status == HR_OK ? HR_OK : hr_fail_context(err, "sink '%s'", sink->id);
}

enum hr_status hr_sink_bind(struct hr_sink *sink, const struct hr_schema *schema, struct hr_error *err)
{
    return sink->type->bind == NULL ? HR_OK : sink_context(sink, sink->type->bind(sink, schema, err), err);
}

void hr_sink_start(struct hr_sink *sink, const struct hr_sink_identity *identity)
{
    sink->identity = *identity;
    if (sink->type->start != NULL) {
        sink->type->start(sink);
    }
}

enum hr_status hr_sink_open(struct hr_sink *sink, const struct hr_sink_identity *identity, struct hr_error *err)
{
    sink->identity = *identity;
    return sink_context(sink, sink->type->open(sink, identity, err), err);
}

enum hr_status hr_sink_recover(struct hr_sink *sink, struct hr_sink_position *out, struct hr_error *err)
{
    *out = (struct hr_sink_position){.batch = -1, .unseen = -1};
    return sink->type->recover == NULL ? HR_OK : sink_context(sink, sink->type->recover(sink, out, err), err);
}

enum hr_status hr_sink_begin(struct hr_sink *sink, int64_t batch, struct hr_error *err)
{
    sink->rows = 0;
    sink->dirty = false;
    return sink_context(sink, sink->type->begin(sink, batch, err), err);
}

enum hr_status hr_sink_write_rows(struct hr_sink *sink, const struct hr_chunk *chunk, struct hr_error *err)
{
    sink->dirty = true;
    sink->rows += chunk->rows;
    return sink_context(sink, sink->type->write_rows(sink, chunk, err), err);
}

enum hr_status hr_sink_write_document(struct hr_sink *sink, const struct hr_document *document, struct hr_error *err)
{
    sink->dirty = true;
    sink->rows++;
    return sink_context(sink, sink->type->write_document(sink, document, err), err);
}

enum hr_status hr_sink_commit(struct hr_sink *sink, int64_t batch, struct hr_error *err)
{
    enum hr_status status = sink->type->commit(sink, batch, err);
    sink->dirty = sink->dirty && status != HR_OK;
    return sink_context(sink, status, err);
}

void hr_sink_abort(struct hr_sink *sink)
{
    sink->type->abort(sink);
    sink->dirty = false;
}

void hr_sink_close(struct hr_sink *sink)
{
    if (sink != NULL && sink->type->close != NULL) {
        sink->type->close(sink);
    }
}

const char *hr_sink_description(const struct hr_sink *sink)
{
    return sink->description;
}
