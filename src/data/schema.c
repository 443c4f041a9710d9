/* SPDX-License-Identifier: Apache-2.0
 *
 * Schema: columns by name, and the names of types. Reading `schema:` of a query is in schema_read.c.
 */
#include "data/schema.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static const char *const type_names[] = {
#define HR_TYPE_TEXT(name, text, storage) text,
    HR_TYPES(HR_TYPE_TEXT)
#undef HR_TYPE_TEXT
};

const char *hr_type_name(enum hr_type type)
{
    HR_ASSERT((size_t)type < HR_ARRAY_LEN(type_names));
    return type_names[type];
}

bool hr_type_parse(const char *text, enum hr_type *out)
{
    static const struct {
        const char *name;
        enum hr_type type;
    } spark_names[] = {
        {"bigint", HR_TYPE_LONG},
        {"integer", HR_TYPE_INT},
        {"real", HR_TYPE_FLOAT},
    };
    char packed[32];
    size_t length = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == ' ' || *c == '\t') {
            continue;
        }
        if (length == sizeof(packed) - 1) {
            return false;
        }
        packed[length++] = *c;
    }
    packed[length] = '\0';
    for (size_t i = 0; i < HR_ARRAY_LEN(type_names); i++) {
        if (strcasecmp(packed, type_names[i]) == 0) {
            *out = (enum hr_type)i;
            return true;
        }
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(spark_names); i++) {
        if (strcasecmp(packed, spark_names[i].name) == 0) {
            *out = spark_names[i].type;
            return true;
        }
    }
    return false;
}

void hr_schema_init(struct hr_schema *schema, struct hr_arena *arena)
{
    *schema = (struct hr_schema){.arena = arena};
}

static struct hr_field *add_field(struct hr_schema *schema)
{
    if (schema->count == schema->capacity) {
        size_t capacity = schema->capacity == 0 ? 16 : schema->capacity * 2;
        struct hr_field *fields = hr_arena_array(schema->arena, capacity, struct hr_field);
        if (schema->count > 0) {
            memcpy(fields, schema->fields, schema->count * sizeof(*fields));
        }
        schema->fields = fields;
        schema->capacity = capacity;
    }
    struct hr_field *field = &schema->fields[schema->count++];
    *field = (struct hr_field){.nullable = true};
    return field;
}

enum hr_status hr_schema_add(struct hr_schema *schema, const char *name, enum hr_type type,
                             struct hr_attribute *attribute, size_t *out_index, struct hr_error *err)
{
    if (hr_schema_find(schema, name) != SIZE_MAX) {
        hr_fail(err, HR_BAD_CONFIG, "column '%s' exists already", name);
        return hr_fail_hint(err, "a column is written once: choose another name");
    }
    struct hr_field *field = add_field(schema);
    field->name = name;
    field->type = type;
    field->attribute = attribute;
    field->origin = HR_ORIGIN_COMPUTED;
    if (out_index != NULL) {
        *out_index = schema->count - 1;
    }
    return HR_OK;
}

static const struct {
    const char *name;
    enum hr_type type;
    enum hr_origin origin;
    bool nullable;
} metadata[] = {
    {"__topic", HR_TYPE_STRING, HR_ORIGIN_TOPIC, true},  {"__partition", HR_TYPE_INT, HR_ORIGIN_PARTITION, true},
    {"__offset", HR_TYPE_LONG, HR_ORIGIN_OFFSET, false}, {"__timestamp", HR_TYPE_TIMESTAMP, HR_ORIGIN_TIMESTAMP, true},
    {"__key", HR_TYPE_BINARY, HR_ORIGIN_KEY, true},      {"__file", HR_TYPE_STRING, HR_ORIGIN_FILE, true},
    {"__line", HR_TYPE_LONG, HR_ORIGIN_LINE, true},      {"__headers", HR_TYPE_STRING, HR_ORIGIN_HEADERS, true},
};

bool hr_schema_add_metadata(struct hr_schema *schema, const char *name, size_t *out_index)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(metadata); i++) {
        if (strcmp(name, metadata[i].name) != 0) {
            continue;
        }
        size_t index = hr_schema_find(schema, name);
        if (index == SIZE_MAX) {
            struct hr_field *field = add_field(schema);
            field->name = metadata[i].name;
            field->type = metadata[i].type;
            field->origin = metadata[i].origin;
            field->nullable = metadata[i].nullable;
            index = schema->count - 1;
        }
        if (out_index != NULL) {
            *out_index = index;
        }
        return true;
    }
    return false;
}

size_t hr_schema_find(const struct hr_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* "a, b, c" of at most 200 bytes. */
static void list_columns(const struct hr_schema *schema, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < schema->count; i++) {
        const char *name = schema->fields[i].name;
        size_t need = strlen(name) + 2;
        if (length + need + sizeof(", …") > size) {
            memcpy(out + length, ", …", sizeof(", …"));
            return;
        }
        if (i > 0) {
            out[length++] = ',';
            out[length++] = ' ';
        }
        memcpy(out + length, name, need - 1);
        length += need - 2;
    }
}

enum hr_status hr_schema_need(const struct hr_schema *schema, const char *name, size_t *out_index, struct hr_error *err)
{
    size_t index = hr_schema_find(schema, name);
    if (index != SIZE_MAX) {
        *out_index = index;
        return HR_OK;
    }
    char columns[200];
    list_columns(schema, columns, sizeof(columns));
    hr_fail(err, HR_BAD_CONFIG, "column '%s' is not in the schema (columns: %s)", name,
            schema->count == 0 ? "none" : columns);
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < schema->count; i++) {
        const char *candidate = schema->fields[i].name;
        size_t distance = hr_str_distance(name, candidate);
        if (distance < best && hr_str_nearest(name, &candidate, 1) != NULL) {
            best = distance;
            nearest = candidate;
        }
    }
    if (nearest != NULL) {
        return hr_fail_hint(err, "did you mean '%s'?", nearest);
    }
    return hr_fail_hint(err, "name one of the columns, or add it to the schema");
}

enum hr_status hr_schema_need_type(const struct hr_schema *schema, const char *name, unsigned type_mask,
                                   const char *wanted, size_t *out_index, struct hr_error *err)
{
    size_t index;
    HR_TRY(hr_schema_need(schema, name, &index, err));
    enum hr_type type = schema->fields[index].type;
    if ((type_mask >> type & 1u) == 0) {
        hr_fail(err, HR_BAD_CONFIG, "column '%s' is %s, but %s is needed here", name, hr_type_name(type), wanted);
        return hr_fail_hint(err, "name another column, or add a stage before this one that makes %s of it", wanted);
    }
    *out_index = index;
    return HR_OK;
}
