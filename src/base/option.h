/* SPDX-License-Identifier: Apache-2.0
 *
 * Options are data: one row a key. Out of the same rows come reading, range check, error with place and nearest name,
 * `headrace list`, the reference page and the JSON schema. A row names the key as users write it, the field of the
 * component's options struct by offset, and its default as the text a user would write (parsed by the same code).
 *
 *     struct binarizer_options { const char *input_col; double threshold; };
 *     static const struct hr_option binarizer_options[] = {
 *         HR_OPTION(struct binarizer_options, input_col, "inputCol", STRING, .required = true, .help = "…"),
 *         HR_OPTION(struct binarizer_options, threshold, "threshold", DOUBLE, .fallback = "0.0", .help = "…"),
 *     };
 */
#ifndef HR_BASE_OPTION_H
#define HR_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/finding.h"
#include "base/yaml.h"

/* type, C type of the field, what `headrace list` calls it */
#define HR_OPTION_TYPES(X) \
    X(STRING, const char *, "string") \
    X(BOOL, bool, "boolean") \
    X(INT, int64_t, "integer") \
    X(DOUBLE, double, "number") \
    X(DURATION, int64_t, "duration") /* microseconds */ \
    X(BYTES, int64_t, "size") \
    X(CHOICE, int, "choice")        /* index into choices */ \
    X(CHARACTER, char, "character") /* one byte, as delimiter: "," */ \
    X(STRINGS, struct hr_string_list, "list of strings") \
    X(DOUBLES, struct hr_double_list, "list of numbers") \
    X(INTS, struct hr_int_list, "list of integers") \
    X(DOUBLE_LISTS, struct hr_double_lists, "list of lists of numbers") \
    X(PROPERTIES, struct hr_properties, "map of strings") \
    X(NODE, struct hr_yaml *, "structure") /* read by the component itself */

struct hr_string_list {
    const char **items;
    size_t count;
};
struct hr_double_list {
    double *items;
    size_t count;
};
struct hr_int_list {
    int64_t *items;
    size_t count;
};
struct hr_double_lists {
    struct hr_double_list *items;
    size_t count;
};
struct hr_property {
    const char *key;
    const char *value;
    bool secret;
    struct hr_place place; /* of the key */
};
struct hr_properties {
    struct hr_property *items;
    size_t count;
};

enum hr_option_type {
#define HR_OPTION_TYPE_MEMBER(name, c_type, text) HR_OPTION_##name,
    HR_OPTION_TYPES(HR_OPTION_TYPE_MEMBER)
#undef HR_OPTION_TYPE_MEMBER
};

struct hr_option {
    const char *key;
    const char *alias; /* another spelling that is accepted, NULL: none */
    enum hr_option_type type;
    size_t offset;
    const char *fallback; /* default as text; NULL: the zero value, meaning "not set" */
    double minimum;       /* numbers, durations (µs), sizes; used when minimum < maximum */
    double maximum;
    const char *const *choices; /* NULL-terminated, CHOICE only */
    bool required;
    bool secret;
    const char *help;
};

/* A row: struct type, field, key, type, then designated initialisers. */
#define HR_OPTION(struct_type, field, key_text, option_type, ...) \
    { \
        .key = key_text, .type = HR_OPTION_##option_type, .offset = offsetof(struct_type, field), __VA_ARGS__ \
    }

struct hr_option_table {
    const struct hr_option *rows;
    size_t count;
};

/* A table as initialiser of a struct hr_option_table member. */
#define HR_OPTION_TABLE(array) ((struct hr_option_table){array, HR_ARRAY_LEN(array)})

/* Fills options (zeroed by the caller) with the defaults of all rows. Lists and strings live in arena. */
void hr_options_defaults(struct hr_option_table table, void *options, struct hr_arena *arena);
/* Defaults, then the keys of a mapping. Unknown keys (with the nearest name), wrong types, values out of range and
 * missing required keys are findings, all of them. Keys in `ignore` (NULL-terminated, may be NULL) and keys that start
 * with "x-" are left alone. node NULL or not a mapping: defaults, and a finding when it is not NULL.
 * What is asked for when a required key is missing is reported at the mapping. */
void hr_options_read(struct hr_option_table table, const struct hr_yaml *node, const char *const *ignore, void *options,
                     struct hr_arena *arena, struct hr_findings *findings);
/* The same from JSON (a pipeline file's "params"): unknown keys are errors. */
enum hr_status hr_options_read_json(struct hr_option_table table, const json_t *object, void *options,
                                    struct hr_arena *arena, struct hr_error *err);
/* The options as a JSON object with all keys whose value differs from "not set". Secrets as "<redacted>". A new
 * reference. NODE rows are written with hr_yaml_to_json. */
json_t *hr_options_to_json(struct hr_option_table table, const void *options);
const char *hr_option_type_text(enum hr_option_type type);
/* A type's check between its options, made also when some of them are wrong, so that one error hides no other. */
struct hr_options_check {
    struct hr_option_table table;
    const struct hr_yaml *node;
    struct hr_findings *findings;
    struct hr_finding *before_read;  /* last finding before the options were read */
    struct hr_finding *before_check; /* last finding before the check */
    size_t errors;                   /* before the options were read */
};

/* Before hr_options_read. */
struct hr_options_check hr_options_check_begin(struct hr_option_table table, const struct hr_yaml *node,
                                               struct hr_findings *findings);
/* After hr_options_read, before the type's check: required texts that are missing become "", so that a check can read
 * all of its options. */
void hr_options_check_ready(struct hr_options_check *check, void *options);
/* After the type's check, whose findings stand at the component: moves each to the first key of the node that its
 * message names, and gives it this hint where it has none. What only follows from an option that is wrong itself is
 * taken away. */
void hr_options_check_end(struct hr_options_check *check, const char *hint);
/* An id (of a source, stage, model or sink) has 1 to 63 letters, digits, '-' and '_'. `parent` when node has no id. */
void hr_options_check_id(const char *id, const struct hr_yaml *node, struct hr_findings *findings);
/* The row of a key, NULL when there is none. */
const struct hr_option *hr_option_find(struct hr_option_table table, const char *key);

#endif
