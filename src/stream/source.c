/* SPDX-License-Identifier: Apache-2.0
 *
 * The source kind: registry, reading of `source:`, and the thin wrappers that are the only callers of the callbacks.
 *
 * The keys that all sources share and a type's own rows are read as one table, so that an unknown key is compared with
 * all names that would have been right there.
 */
#include "stream/source.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/option.h"
#include "base/redact.h"

#define DESCRIPTION_MAX (1u << 20)

#define SOURCE_POINTER(name) &hr_source_##name,
const struct hr_source_type *const hr_source_types[] = {HR_SOURCE_TYPES(SOURCE_POINTER)};
#undef SOURCE_POINTER
const size_t hr_source_type_count = HR_ARRAY_LEN(hr_source_types);

struct source_options {
    const char *type;
    const char *id;
    int64_t rows_per_trigger_max;
    struct hr_yaml *format;
    struct hr_yaml *schema;
};

static const struct hr_option source_options[] = {
    HR_OPTION(struct source_options, type, "type", STRING, .required = true, .help = "kind of source"),
    HR_OPTION(struct source_options, id, "id", STRING, .help = "name in progress documents; default: the type"),
    HR_OPTION(struct source_options, rows_per_trigger_max, "maxRowsPerTrigger", INT, .minimum = 1, .maximum = 1e15,
              .help = "at most so many rows a batch; default: no limit"),
    HR_OPTION(struct source_options, format, "format", NODE, .help = "how records become rows; default: {type: json}"),
    HR_OPTION(struct source_options, schema, "schema", NODE, .help = "the columns"),
};

/* The shared options stand before the type's in one block; a multiple of the strictest alignment. */
#define SOURCE_OPTIONS_SIZE ((sizeof(struct source_options) + 63) / 64 * 64)

const struct hr_source_type *hr_source_type_find(const char *name)
{
    for (size_t i = 0; i < hr_source_type_count; i++) {
        if (strcmp(hr_source_types[i]->kind.name, name) == 0) {
            return hr_source_types[i];
        }
    }
    return NULL;
}

static void source_unknown_type(const struct hr_yaml *node, const char *name, struct hr_findings *findings)
{
    const char *names[16];
    char list[256] = "";
    size_t count = 0;
    for (; count < hr_source_type_count && count < HR_ARRAY_LEN(names); count++) {
        names[count] = hr_source_types[count]->kind.name;
        size_t length = strlen(list);
        snprintf(list + length, sizeof(list) - length, "%s%s", count > 0 ? ", " : "", names[count]);
    }
    struct hr_finding *finding =
        hr_findings_error(findings, &node->place, "unknown source type '%s'", hr_yaml_shown(node));
    const char *nearest = hr_str_nearest(name, names, count);
    if (nearest != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'? Source types: %s", nearest, list);
    } else {
        hr_finding_hint(findings, finding, "source types: %s", list);
    }
}

/* The value of `type`, or NULL with a finding. */
static const struct hr_source_type *source_find_type(const struct hr_yaml *node, struct hr_findings *findings)
{
    if (node->kind != HR_YAML_MAPPING) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "source must be a mapping");
        hr_finding_hint(findings, finding, "write source: {type: file, path: …}");
        return NULL;
    }
    const struct hr_yaml *type = hr_yaml_get(node, "type");
    if (type == NULL) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "missing key 'type' in source");
        hr_finding_hint(findings, finding, "add type: kafka, file, socket or rate");
        return NULL;
    }
    if (type->kind != HR_YAML_SCALAR || hr_yaml_is_null(type)) {
        struct hr_finding *finding = hr_findings_error(findings, &type->place, "'type' must be the name of a source");
        hr_finding_hint(findings, finding, "headrace list sources names them");
        return NULL;
    }
    const struct hr_source_type *found = hr_source_type_find(type->text);
    if (found == NULL) {
        source_unknown_type(type, type->text, findings);
    }
    return found;
}

/* Shared rows (but those that the type has itself), then the type's rows moved behind the shared struct. */
struct hr_option_table hr_source_options(const struct hr_source_type *type, struct hr_arena *arena)
{
    struct hr_option *rows =
        hr_arena_array(arena, HR_ARRAY_LEN(source_options) + type->kind.options.count, struct hr_option);
    size_t count = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(source_options); i++) {
        if (hr_option_find(type->kind.options, source_options[i].key) != NULL) {
            continue;
        }
        rows[count] = source_options[i];
        if (strcmp(rows[count].key, "maxRowsPerTrigger") == 0 && strcmp(type->kind.name, "kafka") == 0) {
            rows[count].alias = "maxOffsetsPerTrigger";
        }
        count++;
    }
    for (size_t i = 0; i < type->kind.options.count; i++) {
        rows[count] = type->kind.options.rows[i];
        rows[count].offset += SOURCE_OPTIONS_SIZE;
        count++;
    }
    return (struct hr_option_table){rows, count};
}

struct hr_source *hr_source_new(const struct hr_yaml *node, const char *query, const char *directory,
                                struct hr_arena *arena, struct hr_findings *findings)
{
    const struct hr_source_type *type = source_find_type(node, findings);
    if (type == NULL) {
        return NULL;
    }
    size_t errors = findings->errors;
    HR_ASSERT(type->kind.instance_size >= sizeof(struct hr_source));
    struct hr_source *source = hr_arena_calloc(arena, 1, type->kind.instance_size);
    char *block = hr_arena_calloc(arena, 1, SOURCE_OPTIONS_SIZE + type->kind.options_size + 1);
    struct source_options *shared = (struct source_options *)block;
    struct hr_options_check check = hr_options_check_begin(hr_source_options(type, arena), node, findings);
    hr_options_read(check.table, node, NULL, block, arena, findings);
    source->type = type;
    source->flags = type->flags;
    source->id = shared->id != NULL ? shared->id : type->kind.name;
    source->options = block + SOURCE_OPTIONS_SIZE;
    source->place = node->place;
    source->node = node;
    source->arena = arena;
    source->query = query;
    source->directory = directory;
    source->rows_per_trigger_max = shared->rows_per_trigger_max > 0 ? shared->rows_per_trigger_max : INT64_MAX;
    hr_options_check_id(source->id, node, findings);
    hr_options_check_ready(&check, block);
    if (type->check != NULL) {
        type->check(source, findings);
        hr_options_check_end(&check, hr_arena_printf(arena, "headrace list sources %s shows parameters and an example",
                                                     type->kind.name));
    }
    if (findings->errors > errors) {
        return NULL;
    }
    source->description = type->kind.name;
    if (type->describe != NULL) {
        struct hr_buf shown HR_CLEANUP(hr_buf_release);
        hr_buf_init(&shown, DESCRIPTION_MAX);
        const char *text = hr_arena_printf(arena, "%s %s", type->kind.name, type->describe(source));
        source->description = hr_arena_strdup(arena, hr_redact(text, &shown));
    }
    return source;
}

static enum hr_status source_context(const struct hr_source *source, enum hr_status status, struct hr_error *err)
{
    if (err == NULL || status == HR_OK || status == HR_AGAIN || status == HR_END || status == HR_INTERRUPTED) {
        return status;
    }
    return hr_fail_context(err, "source '%s'", source->id);
}

void hr_source_start(struct hr_source *source)
{
    if (source->type->start != NULL) {
        source->type->start(source);
    }
}

enum hr_status hr_source_open(struct hr_source *source, const struct hr_offsets *committed, struct hr_error *err)
{
    source->lost_rows = 0;
    source->waiting_for[0] = '\0';
    hr_offsets_release(&source->position);
    return source_context(source, source->type->open(source, committed, err), err);
}

enum hr_status hr_source_latest(struct hr_source *source, struct hr_offsets *out, struct hr_error *err)
{
    return source_context(source, source->type->latest(source, out, err), err);
}

enum hr_status hr_source_plan(struct hr_source *source, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                              struct hr_error *err)
{
    HR_ASSERT(limit->rows > 0);
    source->waited_ns = 0;
    return source_context(source, source->type->plan(source, limit, out_end, err), err);
}

enum hr_status hr_source_read(struct hr_source *source, const struct hr_offsets *end, struct hr_records *out,
                              struct hr_error *err)
{
    hr_records_clear(out);
    return source_context(source, source->type->read(source, end, out, err), err);
}

void hr_source_release_records(struct hr_source *source, size_t first, size_t count)
{
    if (source->type->release_records != NULL) {
        source->type->release_records(source, first, count);
    }
}

void hr_source_committed(struct hr_source *source, const struct hr_offsets *end)
{
    if (source->type->committed != NULL) {
        source->type->committed(source, end);
    }
}

void hr_source_close(struct hr_source *source)
{
    if (source == NULL) {
        return;
    }
    source->type->close(source);
    hr_offsets_release(&source->position);
}

const char *hr_source_description(const struct hr_source *source)
{
    return source->description;
}

struct hr_record *hr_records_add(struct hr_records *records)
{
    if (records->count == records->capacity) {
        records->capacity = records->capacity == 0 ? 1024 : records->capacity * 2;
        records->items = hr_realloc_array(records->items, records->capacity, sizeof(records->items[0]));
    }
    struct hr_record *record = &records->items[records->count++];
    *record = (struct hr_record){.partition = -1};
    return record;
}

void hr_records_clear(struct hr_records *records)
{
    records->count = 0;
    records->tombstones = 0;
    records->bytes = 0;
}

void hr_records_release(struct hr_records *records)
{
    hr_free(records->items);
    *records = (struct hr_records){0};
}
