/* SPDX-License-Identifier: Apache-2.0
 *
 * `--set PATH=VALUE`. A path is names and [indexes]; a name with dots in it (librdkafka's properties) is found when the
 * mapping has it already, stands whole under a key `properties`, or is quoted: properties["bootstrap.servers"].
 */
#include <string.h>

#include "base/number.h"
#include "base/yaml.h"

/* One step on the way: a name, or an index when name is NULL. */
struct step {
    const char *name;
    size_t index;
};

struct walk {
    struct hr_arena *arena;
    const char *assignment; /* for messages */
    const char *at;         /* rest of the path */
    const char *end;        /* of the path, at '=' */
    struct hr_error *err;
};

static enum hr_status fail(const struct walk *walk, const char *text)
{
    (void)hr_fail(walk->err, HR_USAGE, "--set %.*s: %s", (int)(walk->end - walk->assignment), walk->assignment, text);
    return hr_fail_hint(walk->err, "write --set PATH=VALUE with a path as in messages, e.g. sinks[0].topic=scores");
}

static bool ends_name(const struct walk *walk, const char *at)
{
    return at == walk->end || *at == '.' || *at == '[';
}

/* How many bytes of the rest of the path are a name in this mapping. */
static size_t name_length(const struct walk *walk, const struct hr_yaml *node, bool properties)
{
    size_t left = (size_t)(walk->end - walk->at);
    if (properties) {
        return left;
    }
    size_t best = 0;
    for (size_t i = 0; i < node->count; i++) {
        size_t length = strlen(node->keys[i]);
        if (length > best && length <= left && memcmp(node->keys[i], walk->at, length) == 0 &&
            ends_name(walk, walk->at + length)) {
            best = length;
        }
    }
    while (best == 0 || !ends_name(walk, walk->at + best)) {
        if (walk->at + best == walk->end || ends_name(walk, walk->at + best)) {
            break;
        }
        best++;
    }
    return best;
}

static enum hr_status bracket_step(struct walk *walk, struct step *out)
{
    const char *inside = walk->at + 1;
    const char *close = memchr(inside, ']', (size_t)(walk->end - inside));
    if (close == NULL || close == inside) {
        return fail(walk, "a '[' without an index and ']'");
    }
    size_t length = (size_t)(close - inside);
    int64_t index;
    if (length >= 3 && (inside[0] == '"' || inside[0] == '\'') && close[-1] == inside[0]) {
        out->name = hr_arena_strndup(walk->arena, inside + 1, length - 2);
    } else if (hr_number_parse_int64(inside, length, &index) && index >= 0) {
        *out = (struct step){.index = (size_t)index};
    } else {
        return fail(walk, "between '[' and ']' stands an index from 0, or a name in quotes");
    }
    walk->at = close + 1;
    return HR_OK;
}

static enum hr_status next_step(struct walk *walk, const struct hr_yaml *node, bool properties, struct step *out)
{
    *out = (struct step){.name = NULL};
    if (*walk->at == '[') {
        HR_TRY(bracket_step(walk, out));
    } else {
        size_t length = node->kind == HR_YAML_MAPPING ? name_length(walk, node, properties) : 0;
        if (node->kind != HR_YAML_MAPPING) {
            return fail(walk, node->kind == HR_YAML_SEQUENCE ? "a list needs an index such as [0]"
                                                             : "a value in the file is in the way");
        }
        if (length == 0) {
            return fail(walk, "a name is missing");
        }
        out->name = hr_arena_strndup(walk->arena, walk->at, length);
        walk->at += length;
    }
    if (walk->at < walk->end && *walk->at == '.') {
        walk->at++;
        return walk->at < walk->end ? HR_OK : fail(walk, "a name is missing at the end");
    }
    return walk->at == walk->end || *walk->at == '[' ? HR_OK : fail(walk, "after ']' comes '.', '[' or '='");
}

static void append_item(struct hr_arena *arena, struct hr_yaml *node, const char *name, struct hr_yaml *item)
{
    size_t count = node->count;
    struct hr_yaml **items = hr_arena_array(arena, count + 1, struct hr_yaml *);
    if (count > 0) {
        memcpy(items, node->items, count * sizeof(*items));
    }
    items[count] = item;
    node->items = items;
    if (name != NULL) {
        const char **keys = hr_arena_array(arena, count + 1, const char *);
        struct hr_place *places = hr_arena_array(arena, count + 1, struct hr_place);
        if (count > 0) {
            memcpy(keys, node->keys, count * sizeof(*keys));
            memcpy(places, node->key_places, count * sizeof(*places));
        }
        keys[count] = name;
        places[count] = item->place;
        node->keys = keys;
        node->key_places = places;
    }
    node->count = count + 1;
}

/* The child that a step names, made as an empty mapping when it is missing. */
static enum hr_status enter(struct walk *walk, struct hr_yaml *node, const struct step *step, const char *path,
                            struct hr_yaml **out)
{
    if ((step->name != NULL) != (node->kind == HR_YAML_MAPPING)) {
        return fail(walk, step->name != NULL ? "there is no mapping for this name" : "there is no list for this index");
    }
    if (step->name == NULL && step->index > node->count) {
        return fail(walk, "the index is beyond the end of the list");
    }
    struct hr_yaml *child = step->name != NULL          ? hr_yaml_get(node, step->name)
                            : step->index < node->count ? node->items[step->index]
                                                        : NULL;
    if (child == NULL) {
        child = hr_arena_new(walk->arena, struct hr_yaml);
        child->kind = HR_YAML_MAPPING;
        child->place = (struct hr_place){.file = "--set", .path = path};
        append_item(walk->arena, node, step->name, child);
    }
    *out = child;
    return HR_OK;
}

/* Gives a tree read from VALUE the paths that it has in the file. */
static void move_to(struct hr_arena *arena, struct hr_yaml *node, const char *prefix)
{
    const char *own = node->place.path;
    const char *dot = own[0] == '\0' || own[0] == '[' || prefix[0] == '\0' ? "" : ".";
    node->place = (struct hr_place){.file = "--set", .path = hr_arena_printf(arena, "%s%s%s", prefix, dot, own)};
    for (size_t i = 0; i < node->count; i++) {
        move_to(arena, node->items[i], prefix);
        if (node->kind == HR_YAML_MAPPING) {
            node->key_places[i] = node->items[i]->place;
        }
    }
}

static enum hr_status read_value(const struct walk *walk, const char *path, struct hr_yaml **out)
{
    const char *text = walk->end + 1;
    struct hr_findings findings;
    hr_findings_init(&findings);
    struct hr_yaml *value = NULL;
    if (text[strspn(text, " \t\n")] == '\0') {
        value = hr_arena_new(walk->arena, struct hr_yaml);
        *value = (struct hr_yaml){.kind = HR_YAML_SCALAR, .text = "", .place = {.path = ""}};
    } else {
        value = hr_yaml_read_text(walk->arena, "--set", text, strlen(text), &findings);
    }
    enum hr_status status = HR_OK;
    if (findings.first != NULL) {
        status = fail(walk, findings.first->message);
        if (findings.first->hint != NULL) {
            (void)hr_fail_hint(walk->err, "%s", findings.first->hint);
        }
    } else {
        move_to(walk->arena, value, path);
        *out = value;
    }
    hr_findings_release(&findings);
    return status;
}

enum hr_status hr_yaml_set_check(struct hr_arena *arena, const char *assignment, struct hr_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        (void)hr_fail(err, HR_USAGE, "--set %s: a path, '=' and a value are expected", assignment);
        return hr_fail_hint(err, "for example --set sinks[0].topic=scores");
    }
    struct walk walk = {.arena = arena, .assignment = assignment, .at = assignment, .end = equals, .err = err};
    while (walk.at < walk.end) {
        struct step ignored;
        if (*walk.at == '[') {
            HR_TRY(bracket_step(&walk, &ignored));
        } else {
            size_t length = strcspn(walk.at, ".[=");
            if (length == 0) {
                return fail(&walk, "a name is missing");
            }
            walk.at += length;
        }
        if (walk.at < walk.end && *walk.at == '.') {
            walk.at++;
            if (walk.at == walk.end || *walk.at == '[') {
                return fail(&walk, "after '.' comes a name");
            }
        }
    }
    return HR_OK;
}

enum hr_status hr_yaml_set(struct hr_arena *arena, struct hr_yaml *root, const char *assignment, struct hr_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        (void)hr_fail(err, HR_USAGE, "--set %s: a path, '=' and a value are expected", assignment);
        return hr_fail_hint(err, "for example --set sinks[0].topic=scores");
    }
    struct walk walk = {
        .arena = arena,
        .assignment = assignment,
        .at = assignment,
        .end = equals,
        .err = err,
    };
    /* The value first: a wrong one changes nothing. */
    struct hr_yaml *value = NULL;
    HR_TRY(read_value(&walk, hr_arena_strndup(arena, assignment, (size_t)(equals - assignment)), &value));
    struct hr_yaml *node = root;
    bool properties = false;
    while (walk.at < walk.end) {
        if (hr_yaml_is_null(node)) {
            *node = (struct hr_yaml){.kind = HR_YAML_MAPPING, .place = node->place};
        }
        struct step step;
        HR_TRY(next_step(&walk, node, properties, &step));
        const char *path = hr_arena_strndup(arena, assignment, (size_t)(walk.at - assignment));
        HR_TRY(enter(&walk, node, &step, path, &node));
        properties = step.name != NULL && strcmp(step.name, "properties") == 0;
    }
    *node = *value;
    return HR_OK;
}
