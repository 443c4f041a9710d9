/* SPDX-License-Identifier: Apache-2.0
 *
 * Around a type's check between its options: what it says is moved to the key that it speaks of, and sifted when
 * options are wrong themselves. A finding follows from a wrong option when it names it, or when it names nothing that
 * is written and a key is wrong, for then what it misses may be what is misspelt.
 */
#include "base/option.h"

#include <string.h>

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define ID_LENGTH_MAX 63

static bool is_word_character(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Where a word stands in a text, NULL: nowhere. */
static const char *find_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == text || !is_word_character(at[-1])) && !is_word_character(at[length])) {
            return at;
        }
    }
    return NULL;
}

static const struct hr_place *place_of_named_key(const struct hr_yaml *node, const char *message)
{
    const char *first = NULL;
    const struct hr_place *place = &node->place;
    for (size_t i = 0; i < node->count; i++) {
        bool head = strcmp(node->keys[i], "type") == 0 || strcmp(node->keys[i], "id") == 0;
        const char *at = head ? NULL : find_word(message, node->keys[i]);
        if (at != NULL && (first == NULL || at < first)) {
            first = at;
            place = &node->items[i]->place;
        }
    }
    return place;
}

/* ---- which options are wrong ---------------------------------------------------------------------------------- */

static bool holds_unusable(const struct hr_yaml *node)
{
    bool found = node->unusable;
    for (size_t i = 0; !found && i < node->count; i++) {
        found = holds_unusable(node->items[i]);
    }
    return found;
}

/* Is this finding about the value of the key, or says it that the key is missing? */
static bool is_about(const struct hr_finding *finding, const struct hr_yaml *node, const char *key)
{
    size_t length = strlen(node->place.path);
    size_t key_length = strlen(key);
    const char *path = finding->place.path;
    if (strcmp(path, node->place.path) == 0) {
        return strncmp(finding->message, "'", 1) == 0 && strncmp(finding->message + 1, key, key_length) == 0 &&
               strcmp(finding->message + 1 + key_length, "' is missing") == 0;
    }
    if (strncmp(path, node->place.path, length) != 0) {
        return false;
    }
    path += length + (path[length] == '.');
    return strncmp(path, key, key_length) == 0 && strchr(".[", path[key_length]) != NULL;
}

static bool key_is_wrong(const struct hr_options_check *check, const char *key)
{
    const struct hr_yaml *value = hr_yaml_get(check->node, key);
    if (value != NULL && holds_unusable(value)) {
        return true;
    }
    const struct hr_finding *finding = check->before_read != NULL ? check->before_read->next : check->findings->first;
    const struct hr_finding *end = check->before_check != NULL ? check->before_check->next : check->findings->first;
    for (; finding != end; finding = finding->next) {
        if (finding->severity == HR_SEVERITY_ERROR && is_about(finding, check->node, key)) {
            return true;
        }
    }
    return false;
}

static const struct hr_yaml *node_of_path(const struct hr_yaml *node, const char *path)
{
    const struct hr_yaml *found = strcmp(node->place.path, path) == 0 ? node : NULL;
    for (size_t i = 0; found == NULL && i < node->count; i++) {
        found = node_of_path(node->items[i], path);
    }
    return found;
}

/* Is there an error already at the place of this finding, or at what holds it? */
static bool place_is_wrong(const struct hr_options_check *check, const struct hr_finding *finding)
{
    const struct hr_yaml *value = node_of_path(check->node, finding->place.path);
    if (value != NULL && holds_unusable(value)) {
        return true;
    }
    const struct hr_finding *other = check->before_read != NULL ? check->before_read->next : check->findings->first;
    const struct hr_finding *end = check->before_check != NULL ? check->before_check->next : check->findings->first;
    for (; other != end; other = other->next) {
        size_t length = strlen(other->place.path);
        if (other->severity == HR_SEVERITY_ERROR && length > strlen(check->node->place.path) &&
            strncmp(finding->place.path, other->place.path, length) == 0 &&
            strchr(".[", finding->place.path[length]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_unknown_key(const struct hr_options_check *check)
{
    for (size_t i = 0; i < check->node->count; i++) {
        const char *key = check->node->keys[i];
        if (hr_option_find(check->table, key) == NULL && key_is_wrong(check, key)) {
            return true;
        }
    }
    return false;
}

/* ---- sifting -------------------------------------------------------------------------------------------------- */

static bool stands_alone(const struct hr_finding *finding, void *context)
{
    const struct hr_options_check *check = context;
    bool excluded = strstr(finding->message, "exclude each other") != NULL;
    bool misspelt = has_unknown_key(check);
    size_t written = 0;
    size_t named = 0;
    for (size_t i = 0; i < check->table.count; i++) {
        const char *key = check->table.rows[i].key;
        bool here = hr_yaml_get(check->node, key) != NULL;
        if (is_about(finding, check->node, key)) {
            named++;
            written++;
            if (place_is_wrong(check, finding)) {
                return excluded;
            }
        } else if (find_word(finding->message, key) != NULL) {
            named++;
            written += here;
            if ((here && !excluded && key_is_wrong(check, key)) || (!here && (misspelt || key_is_wrong(check, key)))) {
                return false;
            }
        }
    }
    return named > 0 && (written > 0 || !misspelt);
}

struct hr_options_check hr_options_check_begin(struct hr_option_table table, const struct hr_yaml *node,
                                               struct hr_findings *findings)
{
    return (struct hr_options_check){
        .table = table,
        .node = node,
        .findings = findings,
        .before_read = findings->last,
        .errors = findings->errors,
    };
}

void hr_options_check_ready(struct hr_options_check *check, void *options)
{
    for (size_t i = 0; i < check->table.count; i++) {
        const struct hr_option *row = &check->table.rows[i];
        const char **text = (const char **)((char *)options + row->offset);
        if (row->required && row->type == HR_OPTION_STRING && *text == NULL) {
            *text = "";
        }
    }
    check->before_check = check->findings->last;
}

void hr_options_check_end(struct hr_options_check *check, const char *hint)
{
    const struct hr_yaml *node = check->node;
    struct hr_findings *findings = check->findings;
    struct hr_finding *finding = check->before_check != NULL ? check->before_check->next : findings->first;
    for (; finding != NULL; finding = finding->next) {
        if (finding->place.line == node->place.line && finding->place.column == node->place.column) {
            const struct hr_place *place = place_of_named_key(node, finding->message);
            finding->place.line = place->line;
            finding->place.column = place->column;
            finding->place.path = hr_arena_strdup(&findings->arena, place->path);
        }
        if (finding->hint == NULL) {
            hr_finding_hint(findings, finding, "%s", hint);
        }
    }
    bool wrong = false;
    for (size_t i = 0; i < check->table.count; i++) {
        wrong = wrong || key_is_wrong(check, check->table.rows[i].key);
    }
    if (wrong || has_unknown_key(check)) {
        hr_findings_filter(findings, check->before_check, stands_alone, check);
    }
}

void hr_options_check_id(const char *id, const struct hr_yaml *node, struct hr_findings *findings)
{
    size_t length = strlen(id);
    if (length > 0 && length <= ID_LENGTH_MAX && strspn(id, ID_CHARACTERS) == length) {
        return;
    }
    const struct hr_yaml *value = hr_yaml_get(node, "id");
    if (value != NULL && (value->unusable || value->kind != HR_YAML_SCALAR)) {
        hr_findings_repeat(findings);
        return;
    }
    struct hr_finding *finding =
        hr_findings_error(findings, value != NULL ? &value->place : &node->place, "'%s' is not an id", id);
    hr_finding_hint(findings, finding, "an id has 1 to %d letters, digits, '-' or '_'", ID_LENGTH_MAX);
}
