/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the text; what a variable holds is not looked at again, so a value cannot smuggle in another variable.
 */
#include "base/yaml_variable.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/redact.h"

#define EXPANDED_MAX (1u << 20)

static bool is_name_char(char c, bool first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

/* What stands between ${ and }: the parts as offsets into the text. */
struct reference {
    struct hr_str name;
    char form; /* '\0' plain, '-' default, '?' message */
    struct hr_str rest;
    const char *end; /* after the brace */
};

static bool parse_reference(const char *text, struct reference *out)
{
    const char *at = text + 2;
    while (is_name_char(*at, at == text + 2)) {
        at++;
    }
    *out = (struct reference){.name = {text + 2, (size_t)(at - text) - 2}};
    if (out->name.length == 0) {
        return false;
    }
    if (at[0] == ':' && (at[1] == '-' || at[1] == '?')) {
        out->form = at[1];
        at += 2;
    }
    const char *brace = strchr(at, '}');
    if (brace == NULL || (out->form == '\0' && brace != at)) {
        return false;
    }
    out->rest = (struct hr_str){at, (size_t)(brace - at)};
    out->end = brace + 1;
    return true;
}

static void expand_reference(struct hr_arena *arena, struct hr_yaml *node, const struct reference *reference,
                             struct hr_buf *out, struct hr_findings *findings)
{
    const char *name = hr_arena_strndup(arena, reference->name.data, reference->name.length);
    const char *value = getenv(name);
    if (value != NULL && (reference->form == '\0' || value[0] != '\0')) {
        hr_redact_add(value);
        hr_buf_append_text(out, value);
        return;
    }
    if (reference->form == '-') {
        hr_buf_append_str(out, reference->rest);
        return;
    }
    node->unusable = true;
    const char *state = value == NULL ? "not set" : "empty";
    struct hr_finding *finding;
    if (reference->form == '?' && reference->rest.length > 0) {
        finding = hr_findings_error(findings, &node->place, "variable '%s' is %s: %.*s", name, state,
                                    HR_STR_ARGS(reference->rest));
        hr_finding_hint(findings, finding, "set %s in the environment", name);
    } else {
        finding = hr_findings_error(findings, &node->place, "variable '%s' is %s", name, state);
        hr_finding_hint(findings, finding, "set %s in the environment, or give a default: ${%s:-default}", name, name);
    }
}

void hr_yaml_expand(struct hr_arena *arena, struct hr_yaml *node, struct hr_findings *findings)
{
    if (strstr(node->text, "${") == NULL) {
        return;
    }
    struct hr_buf out;
    hr_buf_init(&out, EXPANDED_MAX);
    for (const char *at = node->text; *at != '\0';) {
        struct reference reference;
        if (strncmp(at, "$${", 3) == 0) {
            hr_buf_append_text(&out, "${");
            at += 3;
        } else if (strncmp(at, "${", 2) != 0) {
            hr_buf_append_char(&out, *at++);
        } else if (parse_reference(at, &reference)) {
            node->secret = true;
            expand_reference(arena, node, &reference, &out, findings);
            at = reference.end;
        } else {
            node->unusable = true;
            struct hr_finding *finding = hr_findings_error(findings, &node->place, "a '${' that begins no variable");
            hr_finding_hint(findings, finding,
                            "write ${NAME}, ${NAME:-default} or ${NAME:?message}; for the characters themselves $${");
            break;
        }
    }
    if (out.overflow) {
        node->unusable = true;
        struct hr_finding *finding = hr_findings_error(
            findings, &node->place, "longer than %u bytes after expanding its variables", EXPANDED_MAX);
        hr_finding_hint(findings, finding, "look at what the variable holds");
    }
    if (!node->unusable && !hr_str_is_utf8(hr_buf_str(&out))) {
        node->unusable = true;
        struct hr_finding *finding =
            hr_findings_error(findings, &node->place, "not UTF-8 after expanding its variables");
        hr_finding_hint(findings, finding, "look at what the variable holds");
    }
    if (!node->unusable) {
        node->text = hr_arena_strdup(arena, hr_buf_text(&out));
        /* In {a: ${X}} the braces must be quoted, so quotes say nothing about what the variable holds. */
        node->quoted = node->quoted && (!node->secret || out.length == 0);
    }
    hr_buf_release(&out);
}
