/* SPDX-License-Identifier: Apache-2.0
 *
 * What reading a YAML text needs at every turn: events, places counted from byte offsets, paths, nodes, aliases. Only
 * the files of the reader include this.
 */
#ifndef HR_BASE_YAML_READER_H
#define HR_BASE_YAML_READER_H

#include <libfyaml.h>

#include "base/yaml.h"

#define HR_YAML_DEPTH_MAX 64

struct hr_yaml_anchor {
    const char *name;
    struct hr_yaml *node;
    struct hr_yaml_anchor *next;
};

struct hr_yaml_reader {
    struct hr_arena *arena;
    const char *file;
    const char *text;
    size_t length;
    struct hr_findings *findings;
    struct fy_parser *parser;
    struct fy_diag *diag;
    size_t *line_starts;
    size_t line_count;
    struct hr_yaml_anchor *anchors; /* latest first: a name may be used again */
    size_t nodes;
    int ignored;  /* how many keys x-… are above */
    bool stopped; /* a finding was made after which nothing makes sense */
};

/* A collection while it grows. */
struct hr_yaml_items {
    struct hr_yaml **nodes;
    const char **keys;
    struct hr_place *key_places;
    size_t count;
    size_t capacity;
};

/* Where each line begins, before any place is asked for. */
void hr_yaml_reader_lines(struct hr_yaml_reader *reader);
struct hr_place hr_yaml_reader_place_at(const struct hr_yaml_reader *reader, size_t position, const char *path);
/* Where a token begins as a person sees it: at the quote, at the first character of a block. */
struct hr_place hr_yaml_reader_place_of(const struct hr_yaml_reader *reader, struct fy_token *token, const char *path);
/* A finding after which nothing makes sense. */
struct hr_finding *hr_yaml_reader_stop(struct hr_yaml_reader *reader, const struct hr_place *place, const char *text);
/* The next event, NULL when there is none; then the reader has stopped or the text is at its end. */
struct fy_event *hr_yaml_reader_next(struct hr_yaml_reader *reader);
/* The path of a member below its parent's; a path that is long enough grows no more. */
const char *hr_yaml_reader_path_key(struct hr_yaml_reader *reader, const char *parent, const char *key);
const char *hr_yaml_reader_path_index(struct hr_yaml_reader *reader, const char *parent, size_t index);
void hr_yaml_items_add(struct hr_yaml_reader *reader, struct hr_yaml_items *items, struct hr_yaml *node,
                       const char *key, const struct hr_place *key_place);
/* NULL: too many, and the reader has stopped. */
struct hr_yaml *hr_yaml_reader_new_node(struct hr_yaml_reader *reader, enum hr_yaml_kind kind,
                                        const struct hr_place *place);
const char *hr_yaml_reader_token_text(struct hr_yaml_reader *reader, struct fy_token *token);
void hr_yaml_reader_anchor(struct hr_yaml_reader *reader, const char *name, struct hr_yaml *node);
/* A copy of what the alias names, whose paths say where the alias stands; a finding and an unusable node where nothing
 * has that name. NULL: the reader has stopped. */
struct hr_yaml *hr_yaml_reader_alias(struct hr_yaml_reader *reader, struct fy_token *token, const char *path,
                                     int depth);

#endif
