/* SPDX-License-Identifier: Apache-2.0
 *
 * Schema: the ordered, named, typed columns of a chunk, and the ML attributes that travel with them as Spark's do. A
 * schema is built at plan time in the query's arena and then immutable: source columns first, then what stages and
 * models append.
 */
#ifndef HR_DATA_SCHEMA_H
#define HR_DATA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/finding.h"
#include "base/option.h"
#include "base/status.h"
#include "base/yaml.h"

/* member, name in schemas, storage of a value */
#define HR_TYPES(X) \
    X(BOOLEAN, "boolean", bytes)     /* uint8_t 0 or 1 */ \
    X(INT, "int", longs)             /* int64_t within int32 */ \
    X(LONG, "long", longs)           /* int64_t */ \
    X(FLOAT, "float", doubles)       /* double that is exactly a float */ \
    X(DOUBLE, "double", doubles)     /* double */ \
    X(STRING, "string", strings)     /* struct hr_str, UTF-8 */ \
    X(TIMESTAMP, "timestamp", longs) /* int64_t, µs since 1970 UTC */ \
    X(BINARY, "binary", strings)     /* struct hr_str, any bytes */ \
    X(STRING_ARRAY, "array<string>", string_arrays) \
    X(DOUBLE_ARRAY, "array<double>", double_arrays) \
    X(VECTOR, "vector", vectors)

enum hr_type {
#define HR_TYPE_MEMBER(name, text, storage) HR_TYPE_##name,
    HR_TYPES(HR_TYPE_MEMBER)
#undef HR_TYPE_MEMBER
};

const char *hr_type_name(enum hr_type type);
/* Names as above, and Spark's DDL names bigint, integer, real; "array<double>" with blanks. false: unknown. */
bool hr_type_parse(const char *text, enum hr_type *out);
static inline bool hr_type_is_numeric(enum hr_type type)
{
    return type == HR_TYPE_INT || type == HR_TYPE_LONG || type == HR_TYPE_FLOAT || type == HR_TYPE_DOUBLE;
}

/* Spark's ML attribute of a column (org.apache.spark.ml.attribute). */
enum hr_attribute_kind {
    HR_ATTRIBUTE_NONE,
    HR_ATTRIBUTE_NUMERIC,
    HR_ATTRIBUTE_BINARY,
    HR_ATTRIBUTE_NOMINAL,
    HR_ATTRIBUTE_GROUP, /* of a vector column: one attribute an element, or the size alone */
};

struct hr_attribute {
    enum hr_attribute_kind kind;
    const char *name;              /* NULL: unnamed */
    const char **values;           /* NOMINAL: names of 0, 1, …; NULL: only the number is known */
    size_t value_count;            /* NOMINAL: number of values, 0 = unknown; BINARY: 2 when values are named */
    struct hr_attribute *elements; /* GROUP: element_count of them, or NULL when only the size is known */
    size_t element_count;          /* GROUP: the vector's size */
};

enum hr_timestamp_format {
    HR_TIMESTAMP_RFC3339,
    HR_TIMESTAMP_EPOCH_MILLIS,
    HR_TIMESTAMP_EPOCH_SECONDS,
    HR_TIMESTAMP_PATTERN
};

/* What a column is filled from. */
enum hr_origin {
    HR_ORIGIN_FIELD, /* decoded from the record */
    HR_ORIGIN_TOPIC,
    HR_ORIGIN_PARTITION,
    HR_ORIGIN_OFFSET,
    HR_ORIGIN_TIMESTAMP,
    HR_ORIGIN_KEY,
    HR_ORIGIN_FILE,
    HR_ORIGIN_LINE,
    HR_ORIGIN_HEADERS,  /* the record's headers as JSON text */
    HR_ORIGIN_COMPUTED, /* by a stage or model */
};

struct hr_field {
    const char *name;
    enum hr_type type;
    bool nullable;
    const char *pointer; /* JSON pointer of the value; NULL: the top-level member `name` */
    enum hr_timestamp_format timestamp_format;
    const char *timestamp_pattern; /* ICU pattern, HR_TIMESTAMP_PATTERN only */
    enum hr_origin origin;
    struct hr_attribute *attribute; /* NULL: none */
    struct hr_place place;          /* where the user wrote it; file NULL when computed */
};

struct hr_schema {
    struct hr_field *fields;
    size_t count;
    size_t capacity;
    struct hr_arena *arena;
};

void hr_schema_init(struct hr_schema *schema, struct hr_arena *arena);
/* The list form or the DDL string of a query's `schema:`. Findings for every wrong entry: unknown type with the nearest
 * name, duplicate column, bad pointer. */
void hr_schema_read(struct hr_schema *schema, const struct hr_yaml *node, struct hr_findings *findings);
/* Keys of an entry of the list form. */
struct hr_option_table hr_schema_entry_options(void);
/* Adds a column and returns its index. HR_BAD_CONFIG when the name is taken: "column 'x' exists already". The name must
 * outlive the schema (arena or option string). */
enum hr_status hr_schema_add(struct hr_schema *schema, const char *name, enum hr_type type,
                             struct hr_attribute *attribute, size_t *out_index, struct hr_error *err);
/* Adds __topic, __offset … when name is one of them; *out_index; false otherwise. */
bool hr_schema_add_metadata(struct hr_schema *schema, const char *name, size_t *out_index);
/* SIZE_MAX: no such column. */
size_t hr_schema_find(const struct hr_schema *schema, const char *name);
/* The index, or HR_BAD_CONFIG "column 'x' is not in the schema (columns: …)" with the nearest name as hint. */
enum hr_status hr_schema_need(const struct hr_schema *schema, const char *name, size_t *out_index,
                              struct hr_error *err);
/* As hr_schema_need, and the type must be one of the mask's (1u << HR_TYPE_…): "column 'x' is string, … needs …". */
enum hr_status hr_schema_need_type(const struct hr_schema *schema, const char *name, unsigned type_mask,
                                   const char *wanted, size_t *out_index, struct hr_error *err);

#define HR_TYPE_MASK(name) (1u << HR_TYPE_##name)
#define HR_TYPE_MASK_NUMERIC (HR_TYPE_MASK(INT) | HR_TYPE_MASK(LONG) | HR_TYPE_MASK(FLOAT) | HR_TYPE_MASK(DOUBLE))

#endif
