/* SPDX-License-Identifier: Apache-2.0
 *
 * Events, places, paths, nodes and aliases of a YAML text: see yaml_reader.h. Positions are counted from byte offsets,
 * so that columns are bytes. Aliases are followed here and not by libfyaml, which has no limit.
 */
#include "base/yaml_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/yaml_variable.h"

/* A text of the size allowed holds fewer nodes by itself; what is more comes from aliases of aliases. */
#define YAML_NODES_MAX 1000000u
#define YAML_PATH_MAX 256u

void hr_yaml_reader_lines(struct hr_yaml_reader *reader)
{
    size_t count = 1;
    for (size_t i = 0; i < reader->length; i++) {
        count += reader->text[i] == '\n';
    }
    reader->line_starts = hr_arena_array(reader->arena, count, size_t);
    reader->line_starts[0] = 0;
    reader->line_count = 1;
    for (size_t i = 0; i < reader->length; i++) {
        if (reader->text[i] == '\n') {
            reader->line_starts[reader->line_count++] = i + 1;
        }
    }
}

struct hr_place hr_yaml_reader_place_at(const struct hr_yaml_reader *reader, size_t position, const char *path)
{
    size_t low = 0;
    size_t high = reader->line_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (reader->line_starts[middle] <= position) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (struct hr_place){
        .file = reader->file,
        .line = (int)low + 1,
        .column = (int)(position - reader->line_starts[low]) + 1,
        .path = path,
    };
}

struct hr_place hr_yaml_reader_place_of(const struct hr_yaml_reader *reader, struct fy_token *token, const char *path)
{
    const struct fy_mark *mark = fy_token_start_mark(token);
    size_t position = mark != NULL ? mark->input_pos : 0;
    enum fy_scalar_style style = fy_token_scalar_style(token);
    if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) {
        position -= position > 0;
    } else if (style == FYSS_LITERAL || style == FYSS_FOLDED) {
        while (position < reader->length && reader->text[position] == ' ') {
            position++;
        }
    }
    return hr_yaml_reader_place_at(reader, position, path);
}

struct hr_finding *hr_yaml_reader_stop(struct hr_yaml_reader *reader, const struct hr_place *place, const char *text)
{
    reader->stopped = true;
    return hr_findings_error(reader->findings, place, "%s", text);
}

/* libfyaml's first complaint as our finding. */
static void add_diagnostic(struct hr_yaml_reader *reader)
{
    void *previous = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(reader->diag, &previous);
    struct hr_place place = {.file = reader->file, .line = 1, .column = 1, .path = ""};
    if (error == NULL) {
        (void)hr_yaml_reader_stop(reader, &place, "not YAML");
        return;
    }
    if (error->line > 0) {
        place.line = error->line;
        place.column = error->column > 0 ? error->column : 1;
    }
    reader->stopped = true;
    struct hr_finding *finding = hr_findings_error(reader->findings, &place, "not YAML: %s", error->msg);
    hr_finding_hint(reader->findings, finding, "look at indentation, brackets and quotes here and on the line before");
}

struct fy_event *hr_yaml_reader_next(struct hr_yaml_reader *reader)
{
    struct fy_event *event = reader->stopped ? NULL : fy_parser_parse(reader->parser);
    if (event == NULL && !reader->stopped && fy_parser_get_stream_error(reader->parser)) {
        add_diagnostic(reader);
    }
    return event;
}

const char *hr_yaml_reader_path_key(struct hr_yaml_reader *reader, const char *parent, const char *key)
{
    if (parent[0] == '\0') {
        return key;
    }
    if (strlen(parent) > YAML_PATH_MAX) {
        return parent;
    }
    return hr_arena_printf(reader->arena, "%s.%s", parent, key);
}

const char *hr_yaml_reader_path_index(struct hr_yaml_reader *reader, const char *parent, size_t index)
{
    if (strlen(parent) > YAML_PATH_MAX) {
        return parent;
    }
    return hr_arena_printf(reader->arena, "%s[%zu]", parent, index);
}

void hr_yaml_items_add(struct hr_yaml_reader *reader, struct hr_yaml_items *items, struct hr_yaml *node,
                       const char *key, const struct hr_place *key_place)
{
    if (items->count == items->capacity) {
        size_t capacity = items->capacity > 0 ? items->capacity * 2 : 8;
        struct hr_yaml_items grown = {
            .nodes = hr_arena_array(reader->arena, capacity, struct hr_yaml *),
            .count = items->count,
            .capacity = capacity,
        };
        if (items->count > 0) {
            memcpy(grown.nodes, items->nodes, items->count * sizeof(*grown.nodes));
        }
        if (key != NULL) {
            grown.keys = hr_arena_array(reader->arena, capacity, const char *);
            grown.key_places = hr_arena_array(reader->arena, capacity, struct hr_place);
            if (items->count > 0) {
                memcpy(grown.keys, items->keys, items->count * sizeof(*grown.keys));
                memcpy(grown.key_places, items->key_places, items->count * sizeof(*grown.key_places));
            }
        }
        *items = grown;
    }
    items->nodes[items->count] = node;
    if (key != NULL) {
        items->keys[items->count] = key;
        items->key_places[items->count] = *key_place;
    }
    items->count++;
}

struct hr_yaml *hr_yaml_reader_new_node(struct hr_yaml_reader *reader, enum hr_yaml_kind kind,
                                        const struct hr_place *place)
{
    if (++reader->nodes > YAML_NODES_MAX) {
        if (!reader->stopped) {
            (void)hr_yaml_reader_stop(reader, place, "more than 1000000 values once aliases are followed");
        }
        return NULL;
    }
    struct hr_yaml *node = hr_arena_new(reader->arena, struct hr_yaml);
    node->kind = kind;
    node->place = *place;
    return node;
}

/* ---- aliases ---- */

const char *hr_yaml_reader_token_text(struct hr_yaml_reader *reader, struct fy_token *token)
{
    size_t length = 0;
    const char *text = token != NULL ? fy_token_get_text(token, &length) : NULL;
    return text != NULL ? hr_arena_strndup(reader->arena, text, length) : "";
}

void hr_yaml_reader_anchor(struct hr_yaml_reader *reader, const char *name, struct hr_yaml *node)
{
    if (name == NULL || node == NULL) {
        return;
    }
    struct hr_yaml_anchor *anchor = hr_arena_new(reader->arena, struct hr_yaml_anchor);
    *anchor = (struct hr_yaml_anchor){.name = name, .node = node, .next = reader->anchors};
    reader->anchors = anchor;
}

/* A copy whose paths say where the alias stands and whose positions say where the text stands. */
static struct hr_yaml *copy_node(struct hr_yaml_reader *reader, const struct hr_yaml *from, const char *path, int depth)
{
    if (depth > HR_YAML_DEPTH_MAX && !reader->stopped) {
        (void)hr_yaml_reader_stop(reader, &from->place, "nested deeper than 64 levels");
    }
    struct hr_yaml *copy = reader->stopped ? NULL : hr_yaml_reader_new_node(reader, from->kind, &from->place);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *from;
    copy->place.path = path;
    if (copy->raw && reader->ignored == 0) {
        copy->raw = false;
        hr_yaml_expand(reader->arena, copy, reader->findings);
    }
    copy->items = hr_arena_array(reader->arena, from->count, struct hr_yaml *);
    if (from->kind == HR_YAML_MAPPING) {
        copy->key_places = hr_arena_array(reader->arena, from->count, struct hr_place);
    }
    for (size_t i = 0; i < from->count; i++) {
        const char *item_path = from->kind == HR_YAML_MAPPING ? hr_yaml_reader_path_key(reader, path, from->keys[i])
                                                              : hr_yaml_reader_path_index(reader, path, i);
        copy->items[i] = copy_node(reader, from->items[i], item_path, depth + 1);
        if (copy->items[i] == NULL) {
            return NULL;
        }
        if (from->kind == HR_YAML_MAPPING) {
            copy->key_places[i] = from->key_places[i];
            copy->key_places[i].path = item_path;
        }
    }
    return copy;
}

struct hr_yaml *hr_yaml_reader_alias(struct hr_yaml_reader *reader, struct fy_token *token, const char *path, int depth)
{
    const char *name = hr_yaml_reader_token_text(reader, token);
    struct hr_place place = hr_yaml_reader_place_of(reader, token, path);
    for (const struct hr_yaml_anchor *anchor = reader->anchors; anchor != NULL; anchor = anchor->next) {
        if (strcmp(anchor->name, name) == 0) {
            return copy_node(reader, anchor->node, path, depth);
        }
    }
    struct hr_finding *finding = hr_findings_error(reader->findings, &place, "no anchor '%s' before this alias", name);
    hr_finding_hint(reader->findings, finding, "write &%s before the value that is meant; it must end before *%s", name,
                    name);
    struct hr_yaml *node = hr_yaml_reader_new_node(reader, HR_YAML_SCALAR, &place);
    if (node != NULL) {
        node->text = "";
        node->unusable = true;
    }
    return node;
}
