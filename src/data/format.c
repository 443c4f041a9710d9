/* SPDX-License-Identifier: Apache-2.0
 *
 * The format kind: the list of formats, reading of `format:`, wrappers, and the columns that come from a record's
 * origin instead of its bytes.
 */
#include "data/format.h"

#include <string.h>

#define HR_FORMAT_ENTRY(name) &hr_format_##name,
const struct hr_format_type *const hr_format_types[] = {HR_FORMAT_TYPES(HR_FORMAT_ENTRY)};
#undef HR_FORMAT_ENTRY
const size_t hr_format_type_count = HR_ARRAY_LEN(hr_format_types);

const char *const hr_format_modes[] = {"auto", "deadLetter", "drop", "failFast", NULL};
const char *const hr_format_tombstone_modes[] = {"ignore", "deadLetter", NULL};

enum { FORMATS_MAX = 16, IGNORED_MAX = 16 };

static const struct hr_format_type *find_type(const char *name)
{
    for (size_t i = 0; i < hr_format_type_count; i++) {
        if (strcmp(hr_format_types[i]->kind.name, name) == 0) {
            return hr_format_types[i];
        }
    }
    return NULL;
}

static void unknown_type(const struct hr_yaml *name, struct hr_findings *findings)
{
    const char *names[FORMATS_MAX];
    HR_ASSERT(hr_format_type_count <= FORMATS_MAX);
    for (size_t i = 0; i < hr_format_type_count; i++) {
        names[i] = hr_format_types[i]->kind.name;
    }
    struct hr_finding *finding = hr_findings_error(findings, &name->place, "unknown format '%s'", hr_yaml_shown(name));
    const char *nearest = hr_str_nearest(name->text, names, hr_format_type_count);
    if (nearest != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", nearest);
    } else {
        hr_finding_hint(findings, finding, "formats: json, csv");
    }
}

/* The type that node names; NULL is a finding. */
static const struct hr_format_type *read_type(const struct hr_yaml *node, struct hr_findings *findings)
{
    const struct hr_yaml *name = node != NULL && node->kind == HR_YAML_MAPPING ? hr_yaml_get(node, "type") : node;
    if (name == NULL) {
        return &hr_format_json;
    }
    if (name->kind != HR_YAML_SCALAR) {
        struct hr_finding *finding =
            hr_findings_error(findings, &name->place, "the format must be a name or {type: name, …}");
        hr_finding_hint(findings, finding, "write format: {type: json}, or {type: csv, header: true}");
        return NULL;
    }
    const struct hr_format_type *type = find_type(name->text);
    if (type == NULL) {
        unknown_type(name, findings);
    }
    return type;
}

struct hr_format *hr_format_new(const struct hr_yaml *node, const struct hr_place *parent, const char *const *ignore,
                                struct hr_arena *arena, struct hr_findings *findings)
{
    (void)parent;
    size_t errors = findings->errors;
    const struct hr_format_type *type = read_type(node, findings);
    if (type == NULL) {
        return NULL;
    }
    const char *keys[IGNORED_MAX] = {"type"};
    for (size_t i = 0; ignore != NULL && ignore[i] != NULL; i++) {
        HR_ASSERT(i + 2 < IGNORED_MAX);
        keys[i + 1] = ignore[i];
    }
    struct hr_format *format = hr_arena_calloc(arena, 1, type->kind.instance_size);
    format->type = type;
    format->options = hr_arena_calloc(arena, 1, type->kind.options_size);
    hr_options_read(type->kind.options, node != NULL && node->kind == HR_YAML_MAPPING ? node : NULL, keys,
                    format->options, arena, findings);
    const struct hr_format_options *common = format->options;
    format->mode = (enum hr_bad_record_mode)common->mode;
    format->tombstones = (enum hr_tombstone_mode)common->tombstones;
    format->record_bytes_max = (size_t)common->record_bytes_max;
    return findings->errors == errors ? format : NULL;
}

enum hr_status hr_format_open(struct hr_format *format, const struct hr_schema *schema, struct hr_error *err)
{
    format->schema = schema;
    return format->type->open != NULL ? format->type->open(format, schema, err) : HR_OK;
}

void hr_format_decode(struct hr_format *format, const struct hr_record *records, uint32_t first_index, size_t count,
                      struct hr_chunk *chunk)
{
    HR_ASSERT(format->schema != NULL);
    format->type->decode(format, records, first_index, count, chunk);
    HR_ASSERT(chunk->rows <= count);
}

size_t hr_format_split(struct hr_format *format, const char *data, size_t length, bool at_end, size_t *content)
{
    return format->type->split(format, data, length, at_end, content);
}

void hr_format_encode(struct hr_format *format, const struct hr_chunk *chunk, const size_t *columns,
                      size_t column_count, size_t first, size_t count, bool framed, struct hr_buf *out, size_t *row_end)
{
    HR_ASSERT(first + count <= chunk->rows);
    format->type->encode(format, chunk, columns, column_count, first, count, framed, out, row_end);
}

void hr_format_encode_header(struct hr_format *format, const struct hr_schema *schema, const size_t *columns,
                             size_t column_count, struct hr_buf *out)
{
    if (format->type->encode_header != NULL) {
        format->type->encode_header(format, schema, columns, column_count, out);
    }
}

bool hr_format_has_header(const struct hr_format *format)
{
    return format->type->has_header != NULL && format->type->has_header(format);
}

void hr_format_close(struct hr_format *format)
{
    if (format != NULL && format->type->close != NULL) {
        format->type->close(format);
    }
}

/* One value of an origin. false: the record has none. */
static bool origin_value(enum hr_origin origin, const struct hr_record *record, struct hr_column *column, size_t row)
{
    switch (origin) {
    case HR_ORIGIN_TOPIC:
        column->strings[row] = record->origin;
        return record->partition >= 0;
    case HR_ORIGIN_FILE:
        column->strings[row] = record->origin;
        return record->line > 0;
    case HR_ORIGIN_PARTITION:
        column->longs[row] = record->partition;
        return record->partition >= 0;
    case HR_ORIGIN_OFFSET:
        column->longs[row] = record->offset;
        return true;
    case HR_ORIGIN_LINE:
        column->longs[row] = record->line;
        return record->line > 0;
    case HR_ORIGIN_TIMESTAMP:
        column->longs[row] = record->timestamp_us;
        return (record->flags & HR_RECORD_HAS_TIME) != 0;
    case HR_ORIGIN_KEY:
        column->strings[row] = record->key;
        return (record->flags & HR_RECORD_HAS_KEY) != 0;
    case HR_ORIGIN_HEADERS:
        column->strings[row] = record->headers;
        return record->headers.data != NULL;
    case HR_ORIGIN_FIELD:
    case HR_ORIGIN_COMPUTED:
        break;
    }
    return false;
}

void hr_format_fill_metadata(struct hr_chunk *chunk)
{
    for (size_t i = 0; i < chunk->schema->count; i++) {
        const struct hr_field *field = &chunk->schema->fields[i];
        if (field->origin == HR_ORIGIN_FIELD || field->origin == HR_ORIGIN_COMPUTED) {
            continue;
        }
        struct hr_column *column = &chunk->columns[i];
        hr_column_init(column, field->type, chunk->rows, chunk->arena);
        for (size_t row = 0; row < chunk->rows; row++) {
            if (!origin_value(field->origin, &chunk->records[chunk->record_index[row]], column, row)) {
                hr_column_set_null(column, row, chunk->rows, chunk->arena);
            }
        }
    }
}
