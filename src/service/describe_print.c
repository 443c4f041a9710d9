/* SPDX-License-Identifier: Apache-2.0
 *
 * A component as text for a terminal, as Markdown for the reference page, as JSON for programs.
 */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/units.h"
#include "service/describe.h"

/* A bound as a user would write it. */
static void bound_write(const struct hr_option *option, double bound, struct hr_buf *out)
{
    char text[32];
    switch (option->type) {
    case HR_OPTION_DURATION:
        hr_units_write_duration((int64_t)bound, text);
        hr_buf_append_text(out, text);
        return;
    case HR_OPTION_BYTES:
        hr_units_write_bytes((int64_t)bound, text);
        hr_buf_append_text(out, text);
        return;
    case HR_OPTION_INT:
        hr_buf_printf(out, "%lld", (long long)bound);
        return;
    default:
        hr_json_append_double(out, bound);
        return;
    }
}

/* Bounds that only keep numbers sane are not worth a reader's time. */
static bool bound_is_far(double bound)
{
    return fabs(bound) >= 2147483647.0;
}

/* What the option takes: "one of gini, entropy", "number, at least 0". */
static void values_write(const struct hr_option *option, struct hr_buf *out)
{
    if (option->type == HR_OPTION_CHOICE) {
        hr_buf_append_text(out, "one of ");
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            hr_buf_printf(out, "%s%s", i > 0 ? ", " : "", option->choices[i]);
        }
        return;
    }
    hr_buf_append_text(out, hr_option_type_text(option->type));
    if (option->minimum >= option->maximum) {
        return;
    }
    bool low = !bound_is_far(option->minimum);
    bool high = !bound_is_far(option->maximum);
    if (low) {
        hr_buf_append_text(out, high ? ", " : ", at least ");
        bound_write(option, option->minimum, out);
    }
    if (high) {
        hr_buf_append_text(out, low ? " to " : ", at most ");
        bound_write(option, option->maximum, out);
    }
}

static const char *default_text(const struct hr_option *option)
{
    if (option->required) {
        return "required";
    }
    return option->fallback == NULL ? "not set" : option->fallback[0] == '\0' ? "\"\"" : option->fallback;
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static void option_json(const struct hr_option *option, struct hr_json *json)
{
    hr_json_object_begin(json);
    hr_json_key(json, "name");
    hr_json_text(json, option->key);
    if (option->alias != NULL) {
        hr_json_key(json, "alias");
        hr_json_text(json, option->alias);
    }
    hr_json_key(json, "type");
    hr_json_text(json, hr_option_type_text(option->type));
    hr_json_key(json, "required");
    hr_json_bool(json, option->required);
    hr_json_key(json, "default");
    hr_json_text(json, option->required ? NULL : option->fallback);
    if (option->minimum < option->maximum) {
        hr_json_key(json, "minimum");
        hr_json_double(json, option->minimum);
        hr_json_key(json, "maximum");
        hr_json_double(json, option->maximum);
    }
    if (option->type == HR_OPTION_CHOICE) {
        hr_json_key(json, "choices");
        hr_json_array_begin(json);
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            hr_json_text(json, option->choices[i]);
        }
        hr_json_array_end(json);
    }
    hr_json_key(json, "help");
    hr_json_text(json, option->help);
    hr_json_object_end(json);
}

void hr_describe_json(const struct hr_component *component, struct hr_json *json)
{
    hr_json_object_begin(json);
    hr_json_key(json, "name");
    hr_json_text(json, component->name);
    hr_json_key(json, "summary");
    hr_json_text(json, component->summary);
    hr_json_key(json, "trait");
    hr_json_text(json, component->trait);
    hr_json_key(json, "doc");
    hr_json_text(json, component->doc);
    hr_json_key(json, "parameters");
    hr_json_array_begin(json);
    for (size_t i = 0; i < component->options.count; i++) {
        option_json(&component->options.rows[i], json);
    }
    hr_json_array_end(json);
    hr_json_key(json, "example");
    hr_json_text(json, component->example);
    hr_json_object_end(json);
}

/* ---- text --------------------------------------------------------------------------------------------------- */

/* Words up to the margin, each line after the first indented. */
static void wrap(struct hr_buf *out, const char *text, size_t indent, size_t column)
{
    const size_t margin = 110;
    size_t blanks = 0; /* before the next word: written when it stays on the line */
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        if (*text == '\n' || (length > 0 && column + blanks + length > margin && column > indent)) {
            hr_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
            blanks = 0;
            text += *text == '\n';
            continue;
        }
        if (length == 0) {
            blanks++;
            text++;
            continue;
        }
        hr_buf_printf(out, "%*s%.*s", (int)blanks, "", (int)length, text);
        column += blanks + length;
        blanks = 0;
        text += length;
    }
    hr_buf_append_char(out, '\n');
}

/* Lines of an example, each with a prefix. */
static void append_lines(struct hr_buf *out, const char *text, const char *prefix)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        hr_buf_append_text(out, prefix);
        hr_buf_append(out, text, length);
        hr_buf_append_char(out, '\n');
        text += length + (text[length] == '\n');
    }
}

void hr_describe_text(const struct hr_component *component, struct hr_buf *out)
{
    hr_buf_printf(out, "%s: %s", component->name, component->summary);
    if (component->trait != NULL) {
        hr_buf_printf(out, " (%s)", component->trait);
    }
    hr_buf_append_char(out, '\n');
    if (component->doc != NULL) {
        hr_buf_append_char(out, '\n');
        wrap(out, component->doc, 0, 0);
    }
    if (component->options.count > 0) {
        hr_buf_append_text(out, "\nparameters:\n");
    }
    for (size_t i = 0; i < component->options.count; i++) {
        const struct hr_option *option = &component->options.rows[i];
        hr_buf_printf(out, "  %s", option->key);
        if (option->alias != NULL) {
            hr_buf_printf(out, " or %s", option->alias);
        }
        hr_buf_append_text(out, " (");
        values_write(option, out);
        hr_buf_printf(out, "; %s%s)\n      ", option->required || option->fallback == NULL ? "" : "default ",
                      default_text(option));
        wrap(out, option->help != NULL ? option->help : "", 6, 6);
    }
    if (component->example != NULL) {
        hr_buf_append_text(out, "\nexample:\n");
        append_lines(out, component->example, "  ");
    }
}

/* ---- Markdown ----------------------------------------------------------------------------------------------- */

/* Text outside of backticks: '<' would begin HTML. */
static void append_prose(struct hr_buf *out, const char *text)
{
    bool code = false;
    for (; *text != '\0'; text++) {
        code ^= *text == '`';
        if (*text == '<' && !code) {
            hr_buf_append_text(out, "&lt;");
        } else {
            hr_buf_append_char(out, *text);
        }
    }
}

/* A table's cell: '|' would end it, and so would a new line. */
static void append_cell(struct hr_buf *out, const char *text)
{
    struct hr_buf cell HR_CLEANUP(hr_buf_release);
    hr_buf_init(&cell, 65536);
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            hr_buf_append_char(&cell, '\\');
        }
        hr_buf_append_char(&cell, *text == '\n' ? ' ' : *text);
    }
    append_prose(out, hr_buf_text(&cell));
}

void hr_describe_markdown(const struct hr_component *component, struct hr_buf *out)
{
    hr_buf_printf(out, "### %s\n\n%s", component->name, component->summary);
    if (component->trait != NULL) {
        hr_buf_printf(out, " (%s)", component->trait);
    }
    hr_buf_append_text(out, ".\n");
    if (component->doc != NULL) {
        hr_buf_append_char(out, '\n');
        append_prose(out, component->doc);
        hr_buf_append_char(out, '\n');
    }
    if (component->options.count > 0) {
        hr_buf_append_text(out, "\n| parameter | takes | default | meaning |\n|---|---|---|---|\n");
    }
    for (size_t i = 0; i < component->options.count; i++) {
        const struct hr_option *option = &component->options.rows[i];
        struct hr_buf values HR_CLEANUP(hr_buf_release);
        hr_buf_init(&values, 4096);
        values_write(option, &values);
        hr_buf_printf(out, "| `%s`", option->key);
        if (option->alias != NULL) {
            hr_buf_printf(out, ", `%s`", option->alias);
        }
        hr_buf_append_text(out, " | ");
        append_cell(out, hr_buf_text(&values));
        bool literal = !option->required && option->fallback != NULL;
        hr_buf_append_text(out, literal ? " | `" : " | ");
        append_cell(out, default_text(option));
        hr_buf_append_text(out, literal ? "` | " : " | ");
        append_cell(out, option->help != NULL ? option->help : "");
        hr_buf_append_text(out, " |\n");
    }
    if (component->example != NULL) {
        hr_buf_append_text(out, "\n```yaml\n");
        append_lines(out, component->example, "");
        hr_buf_append_text(out, "```\n");
    }
}
