/* SPDX-License-Identifier: Apache-2.0
 *
 * From libfyaml's events to our tree. Events rather than its document, because its document refuses duplicate keys one
 * at a time and expands aliases without a limit. Positions are counted from byte offsets, so that columns are bytes.
 */
#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/yaml_reader.h"
#include "base/yaml_variable.h"

#define YAML_TEXT_MAX (1u << 20)
#define YAML_KEY_MAX 256u

/* ---- nodes ---- */

static struct hr_yaml *read_node(struct hr_yaml_reader *reader, struct fy_event *event, const char *path,
                                 const struct hr_place *fallback, int depth);

/* True when the tag asks for a string. Other tags have no use here. */
static bool check_tag(struct hr_yaml_reader *reader, struct fy_token *tag, const struct hr_place *place)
{
    if (tag == NULL) {
        return false;
    }
    const char *text = hr_yaml_reader_token_text(reader, tag);
    if (strcmp(text, "!") == 0 || strcmp(text, "tag:yaml.org,2002:str") == 0) {
        return true;
    }
    struct hr_finding *finding = hr_findings_error(reader->findings, place, "tag '%s' is not supported", text);
    hr_finding_hint(reader->findings, finding, "leave it out: types come from the options");
    return false;
}

static struct hr_yaml *read_scalar(struct hr_yaml_reader *reader, const struct fy_event *event, const char *path,
                                   const struct hr_place *fallback)
{
    struct fy_token *token = event->scalar.value;
    struct hr_place place = *fallback;
    place.path = path;
    size_t length = 0;
    const char *text = NULL;
    bool quoted = false;
    if (token != NULL) {
        place = hr_yaml_reader_place_of(reader, token, path);
        text = fy_token_get_text(token, &length);
        quoted = fy_token_scalar_style(token) != FYSS_PLAIN;
    }
    struct hr_yaml *node = hr_yaml_reader_new_node(reader, HR_YAML_SCALAR, &place);
    if (node == NULL) {
        return NULL;
    }
    bool string_tag = check_tag(reader, event->scalar.tag, &place);
    node->quoted = quoted || string_tag;
    node->text = text != NULL ? hr_arena_strndup(reader->arena, text, length) : "";
    if (strlen(node->text) != length) {
        struct hr_finding *finding = hr_findings_error(reader->findings, &place, "a text with a NUL character");
        hr_finding_hint(reader->findings, finding, "remove it");
        node->unusable = true;
    } else if (text != NULL && !hr_str_is_utf8((struct hr_str){text, length})) {
        struct hr_finding *finding =
            hr_findings_error(reader->findings, &place, "a text whose escapes are not Unicode characters");
        hr_finding_hint(reader->findings, finding, "write the characters themselves, as UTF-8");
        node->text = "";
        node->unusable = true;
    } else if (reader->ignored > 0) {
        node->raw = true;
    } else {
        hr_yaml_expand(reader->arena, node, reader->findings);
    }
    return node;
}

static struct hr_yaml *read_sequence(struct hr_yaml_reader *reader, struct hr_yaml *node, int depth)
{
    struct hr_yaml_items items = {.count = 0};
    for (;;) {
        struct fy_event *event = hr_yaml_reader_next(reader);
        if (event == NULL) {
            return NULL;
        }
        if (event->type == FYET_SEQUENCE_END) {
            fy_parser_event_free(reader->parser, event);
            break;
        }
        const char *path = hr_yaml_reader_path_index(reader, node->place.path, items.count);
        struct hr_yaml *item = read_node(reader, event, path, &node->place, depth + 1);
        if (item == NULL) {
            return NULL;
        }
        hr_yaml_items_add(reader, &items, item, NULL, NULL);
    }
    node->items = items.nodes;
    node->count = items.count;
    return node;
}

/* The text of a key, NULL when it is none (a finding says so). The event is consumed. */
static const char *read_key(struct hr_yaml_reader *reader, struct fy_event *event, const struct hr_place *mapping,
                            struct hr_place *out_place)
{
    struct fy_token *token = event->type == FYET_SCALAR ? event->scalar.value : NULL;
    const char *key = NULL;
    *out_place = *mapping;
    if (token != NULL) {
        size_t length = 0;
        const char *text = fy_token_get_text(token, &length);
        *out_place = hr_yaml_reader_place_of(reader, token, mapping->path);
        bool plain = fy_token_scalar_style(token) == FYSS_PLAIN;
        if (text != NULL && length > 0 && length <= YAML_KEY_MAX && memchr(text, '\0', length) == NULL &&
            hr_str_is_utf8((struct hr_str){text, length})) {
            key = hr_arena_strndup(reader->arena, text, length);
        }
        fy_parser_event_free(reader->parser, event);
        if (key != NULL && plain && strcmp(key, "<<") == 0) {
            struct hr_finding *finding =
                hr_findings_error(reader->findings, out_place, "merge keys ('<<') are not supported");
            hr_finding_hint(reader->findings, finding, "write the keys out, or use an alias for a whole value");
            return NULL;
        }
    } else {
        /* Read and forgotten, so that the rest is checked too. */
        struct hr_yaml *ignored = read_node(reader, event, mapping->path, mapping, HR_YAML_DEPTH_MAX - 1);
        if (ignored != NULL) {
            *out_place = ignored->place;
        }
    }
    if (key == NULL && !reader->stopped) {
        struct hr_finding *finding =
            hr_findings_error(reader->findings, out_place, "a key must be a text of 1 to %u bytes", YAML_KEY_MAX);
        hr_finding_hint(reader->findings, finding, "write it as key: value");
    }
    return key;
}

struct sorted_key {
    const char *key;
    size_t index;
};

static int compare_keys(const void *left, const void *right)
{
    const struct sorted_key *a = left;
    const struct sorted_key *b = right;
    int order = strcmp(a->key, b->key);
    return order != 0 ? order : a->index < b->index ? -1 : a->index > b->index;
}

/* Reports keys that stand twice and keeps the first of each. */
static void drop_duplicates(struct hr_yaml_reader *reader, struct hr_yaml_items *items)
{
    HR_CLEANUP(hr_free_pointer) struct sorted_key *keys = hr_calloc(items->count, sizeof(*keys));
    for (size_t i = 0; i < items->count; i++) {
        keys[i] = (struct sorted_key){items->keys[i], i};
    }
    qsort(keys, items->count, sizeof(*keys), compare_keys);
    size_t first = 0;
    bool found = false;
    for (size_t i = 1; i < items->count; i++) {
        if (strcmp(keys[i].key, keys[first].key) != 0) {
            first = i;
            continue;
        }
        struct hr_finding *finding = hr_findings_error(reader->findings, &items->key_places[keys[i].index],
                                                       "duplicate key '%s' (first at line %d)", keys[i].key,
                                                       items->key_places[keys[first].index].line);
        hr_finding_hint(reader->findings, finding, "remove one of them");
        items->nodes[keys[i].index] = NULL;
        found = true;
    }
    size_t kept = 0;
    for (size_t i = 0; found && i < items->count; i++) {
        if (items->nodes[i] != NULL) {
            items->nodes[kept] = items->nodes[i];
            items->keys[kept] = items->keys[i];
            items->key_places[kept] = items->key_places[i];
            kept++;
        }
    }
    items->count = found ? kept : items->count;
}

static struct hr_yaml *read_mapping(struct hr_yaml_reader *reader, struct hr_yaml *node, int depth)
{
    struct hr_yaml_items items = {.count = 0};
    for (;;) {
        struct fy_event *event = hr_yaml_reader_next(reader);
        if (event == NULL) {
            return NULL;
        }
        if (event->type == FYET_MAPPING_END) {
            fy_parser_event_free(reader->parser, event);
            break;
        }
        struct hr_place key_place;
        const char *key = read_key(reader, event, &node->place, &key_place);
        event = hr_yaml_reader_next(reader);
        if (event == NULL) {
            return NULL;
        }
        key_place.path = key != NULL ? hr_yaml_reader_path_key(reader, node->place.path, key) : node->place.path;
        bool ignored = key != NULL && strncmp(key, "x-", 2) == 0;
        reader->ignored += ignored;
        struct hr_yaml *value = read_node(reader, event, key_place.path, &key_place, depth + 1);
        reader->ignored -= ignored;
        if (value == NULL) {
            return NULL;
        }
        if (key != NULL) {
            hr_yaml_items_add(reader, &items, value, key, &key_place);
        }
    }
    drop_duplicates(reader, &items);
    node->items = items.nodes;
    node->keys = items.keys;
    node->key_places = items.key_places;
    node->count = items.count;
    return node;
}

static struct hr_yaml *read_collection(struct hr_yaml_reader *reader, const struct fy_event *event, const char *path,
                                       int depth)
{
    bool mapping = event->type == FYET_MAPPING_START;
    struct fy_token *start = mapping ? event->mapping_start.mapping_start : event->sequence_start.sequence_start;
    struct hr_place place = hr_yaml_reader_place_of(reader, start, path);
    (void)check_tag(reader, mapping ? event->mapping_start.tag : event->sequence_start.tag, &place);
    if (depth > HR_YAML_DEPTH_MAX) {
        (void)hr_yaml_reader_stop(reader, &place, "nested deeper than 64 levels");
        return NULL;
    }
    struct hr_yaml *node = hr_yaml_reader_new_node(reader, mapping ? HR_YAML_MAPPING : HR_YAML_SEQUENCE, &place);
    if (node == NULL) {
        return NULL;
    }
    return mapping ? read_mapping(reader, node, depth) : read_sequence(reader, node, depth);
}

/* Reads the node that begins with event, which is consumed. fallback: the place of an empty value. NULL: stopped. */
static struct hr_yaml *read_node(struct hr_yaml_reader *reader, struct fy_event *event, const char *path,
                                 const struct hr_place *fallback, int depth)
{
    struct hr_yaml *node = NULL;
    struct fy_token *anchor = NULL;
    switch (event->type) {
    case FYET_SCALAR:
        anchor = event->scalar.anchor;
        node = read_scalar(reader, event, path, fallback);
        break;
    case FYET_ALIAS:
        node = hr_yaml_reader_alias(reader, event->alias.anchor, path, depth);
        break;
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
        anchor = event->type == FYET_MAPPING_START ? event->mapping_start.anchor : event->sequence_start.anchor;
        node = read_collection(reader, event, path, depth);
        break;
    default:
        (void)hr_yaml_reader_stop(reader, fallback, "not YAML: a value is missing");
        break;
    }
    const char *name = anchor != NULL ? hr_yaml_reader_token_text(reader, anchor) : NULL;
    hr_yaml_reader_anchor(reader, name, node);
    fy_parser_event_free(reader->parser, event);
    return node;
}

/* ---- the file ---- */

static struct hr_yaml *read_stream(struct hr_yaml_reader *reader)
{
    struct hr_place start = {.file = reader->file, .line = 1, .column = 1, .path = ""};
    struct hr_yaml *root = NULL;
    bool document = false;
    struct fy_event *event;
    while ((event = hr_yaml_reader_next(reader)) != NULL) {
        enum fy_event_type type = event->type;
        if (type == FYET_STREAM_START || type == FYET_STREAM_END || type == FYET_DOCUMENT_END) {
            fy_parser_event_free(reader->parser, event);
        } else if (type == FYET_DOCUMENT_START) {
            struct fy_token *token = event->document_start.document_start;
            if (document) {
                struct hr_place place = token != NULL ? hr_yaml_reader_place_of(reader, token, "") : start;
                struct hr_finding *finding = hr_yaml_reader_stop(reader, &place, "a second document in the file");
                hr_finding_hint(reader->findings, finding,
                                "one file holds one document: remove this '---' and what follows");
            }
            document = true;
            fy_parser_event_free(reader->parser, event);
        } else {
            root = read_node(reader, event, "", &start, 1);
        }
    }
    if (!document && !reader->stopped) {
        struct hr_finding *finding = hr_findings_error(reader->findings, &start, "the file is empty");
        hr_finding_hint(reader->findings, finding, "a query file begins with apiVersion: headrace/v1");
    }
    return reader->stopped ? NULL : root;
}

/* NUL and bytes that are not UTF-8 are found before libfyaml sees them, for a position that can be trusted. */
static bool check_bytes(struct hr_yaml_reader *reader)
{
    for (size_t i = 0; i < reader->length;) {
        size_t length = hr_str_utf8_length(reader->text + i, reader->length - i);
        if (length == 0 || reader->text[i] == '\0') {
            struct hr_place place = hr_yaml_reader_place_at(reader, i, "");
            struct hr_finding *finding = hr_findings_error(
                reader->findings, &place, "byte 0x%02x: the file is not UTF-8 text", (unsigned char)reader->text[i]);
            hr_finding_hint(reader->findings, finding, "save the file as UTF-8");
            return false;
        }
        i += length;
    }
    return true;
}

static void drop_output(struct fy_diag *diag, void *user, const char *text, size_t length)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)length;
}

static void destroy_parser(struct fy_parser **parser)
{
    fy_parser_destroy(*parser);
}

static void destroy_diag(struct fy_diag **diag)
{
    fy_diag_destroy(*diag);
}

struct hr_yaml *hr_yaml_read_text(struct hr_arena *arena, const char *file, const char *text, size_t length,
                                  struct hr_findings *findings)
{
    struct hr_yaml_reader reader = {
        .arena = arena,
        .file = hr_arena_strdup(arena, file),
        .text = text,
        .length = length,
        .findings = findings,
    };
    struct hr_place start = {.file = reader.file, .line = 1, .column = 1, .path = ""};
    if (length > YAML_TEXT_MAX) {
        struct hr_finding *finding =
            hr_findings_error(findings, &start, "%zu bytes are more than the limit of %u", length, YAML_TEXT_MAX);
        hr_finding_hint(findings, finding, "put fitted values into a pipeline file: pipeline: {from: FILE}");
        return NULL;
    }
    hr_yaml_reader_lines(&reader);
    if (!check_bytes(&reader)) {
        return NULL;
    }
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.output_fn = drop_output;
    diag_config.colorize = false;
    HR_CLEANUP(destroy_diag) struct fy_diag *diag = fy_diag_create(&diag_config);
    HR_ASSERT(diag != NULL);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg config = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
        .diag = diag,
    };
    HR_CLEANUP(destroy_parser) struct fy_parser *parser = fy_parser_create(&config);
    HR_ASSERT(parser != NULL && fy_parser_set_string(parser, text, length) == 0);
    reader.diag = diag;
    reader.parser = parser;
    return read_stream(&reader);
}

struct hr_yaml *hr_yaml_read_file(struct hr_arena *arena, const char *file, struct hr_findings *findings)
{
    struct hr_buf text;
    hr_buf_init(&text, YAML_TEXT_MAX + 1);
    struct hr_error err;
    struct hr_yaml *root = NULL;
    if (hr_file_read(file, YAML_TEXT_MAX, &text, &err) != HR_OK) {
        struct hr_place place = {.file = file, .path = ""};
        (void)hr_fail_hint(&err, "name a query file, or a directory of *.yaml files");
        (void)hr_findings_add(findings, &place, &err);
    } else {
        root = hr_yaml_read_text(arena, file, hr_buf_text(&text), text.length, findings);
    }
    hr_buf_release(&text);
    return root;
}
