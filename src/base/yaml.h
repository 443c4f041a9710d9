/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML file as a tree whose nodes know where they stand. libfyaml parses; this tree is plain memory in an arena.
 * Scalars stay text: the option tables give them types, so `no` and `1e3` mean what the option says. Duplicate keys,
 * several documents, and undefined variables are findings. `${VAR}`, `${VAR:-default}` and `${VAR:?message}` are
 * expanded after parsing, in values only; `$${` writes a literal `${`. A value that held a variable is marked, so that
 * it is never printed. Limits: 1 MiB of text, depth 64.
 */
#ifndef HR_BASE_YAML_H
#define HR_BASE_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/finding.h"
#include "base/status.h"

enum hr_yaml_kind { HR_YAML_SCALAR, HR_YAML_SEQUENCE, HR_YAML_MAPPING };

struct hr_yaml {
    enum hr_yaml_kind kind;
    struct hr_place place;  /* of the value; path is filled */
    const char *text;       /* scalar, terminated, after expansion; NULL otherwise */
    bool quoted;            /* the scalar was quoted or a block, and not a variable: never null, number or boolean */
    bool secret;            /* came from a variable */
    bool raw;               /* below a key x-…: variables are looked at only where an alias takes it */
    bool unusable;          /* a finding says why the text is wrong: readers leave it alone */
    size_t count;           /* of items */
    struct hr_yaml **items; /* sequence elements or mapping values, in file order */
    const char **keys;      /* mapping only: key of items[i] */
    struct hr_place *key_places;
};

/* Reads and checks a file. Returns the root, or NULL when it cannot be used at all (findings say why). The tree lives
 * in arena. file is what messages show. */
struct hr_yaml *hr_yaml_read_file(struct hr_arena *arena, const char *file, struct hr_findings *findings);
struct hr_yaml *hr_yaml_read_text(struct hr_arena *arena, const char *file, const char *text, size_t length,
                                  struct hr_findings *findings);
/* A scalar's text for messages; what came from a variable is not shown. */
const char *hr_yaml_shown(const struct hr_yaml *node);
/* The value of a mapping's key, or NULL (also when node is NULL or no mapping). */
struct hr_yaml *hr_yaml_get(const struct hr_yaml *node, const char *key);
/* The place of a key in a mapping; the mapping's own place when the key is missing. */
const struct hr_place *hr_yaml_key_place(const struct hr_yaml *node, const char *key);
/* True for a plain scalar that YAML 1.2's core schema reads as null ("", ~, null). */
bool hr_yaml_is_null(const struct hr_yaml *node);
/* The number that a plain scalar stands for: decimal, 0x, 0o; .inf, .nan and the words Infinity, -Infinity, NaN, which
 * may be quoted (JSON writes them so). false: something else; *out is then unchanged. */
bool hr_yaml_number(const struct hr_yaml *node, double *out);
/* false: no plain integer, or beyond 64 bits. */
bool hr_yaml_integer(const struct hr_yaml *node, int64_t *out);
/* `--set PATH=VALUE`: VALUE is YAML. Overrides or adds; path as in places ("sinks[0].topic"). */
enum hr_status hr_yaml_set(struct hr_arena *arena, struct hr_yaml *root, const char *assignment, struct hr_error *err);
/* Is it PATH=VALUE at all? Says nothing of the file. */
enum hr_status hr_yaml_set_check(struct hr_arena *arena, const char *assignment, struct hr_error *err);
/* The tree as JSON (plain scalars typed by YAML 1.2's core schema, so .inf becomes the string "Infinity" and .nan
 * "NaN"). A new reference: the caller decrefs. */
json_t *hr_yaml_to_json(const struct hr_yaml *node);
/* For people's eyes: what came from a variable is "<redacted>". */
json_t *hr_yaml_to_json_redacted(const struct hr_yaml *node);
/* A tree out of JSON, so that one reader of options serves both. path: of the root. */
struct hr_yaml *hr_yaml_from_json(struct hr_arena *arena, const json_t *value, const char *path);

#endif
