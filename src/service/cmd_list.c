/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace list: what a query can be made of. The Markdown form is docs/reference.md, and a test holds that file to it.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "data/record.h"
#include "service/command.h"
#include "service/describe.h"

#define OUTPUT_MAX (16u << 20)

static const char *const text_json_or_md[] = {"text", "json", "md", NULL};

static enum hr_status group_find(const struct hr_component_group *groups, const char *name,
                                 const struct hr_component_group **out, struct hr_error *err)
{
    const char *names[HR_COMPONENT_GROUPS];
    for (size_t i = 0; i < HR_COMPONENT_GROUPS; i++) {
        names[i] = groups[i].name;
        if (strcmp(groups[i].name, name) == 0) {
            *out = &groups[i];
            return HR_OK;
        }
    }
    const char *near = hr_str_nearest(name, names, HR_COMPONENT_GROUPS);
    (void)hr_fail(err, HR_USAGE, "list: there is no '%s'", name);
    return near != NULL ? hr_fail_hint(err, "did you mean '%s'?", near)
                        : hr_fail_hint(err, "one of: sections, sources, formats, stages, models, metrics, sinks");
}

static enum hr_status component_find(const struct hr_component_group *group, const char *name, struct hr_arena *arena,
                                     const struct hr_component **out, struct hr_error *err)
{
    const char **names = hr_arena_array(arena, group->count, const char *);
    for (size_t i = 0; i < group->count; i++) {
        names[i] = group->items[i].name;
        if (strcmp(group->items[i].name, name) == 0) {
            *out = &group->items[i];
            return HR_OK;
        }
    }
    const char *near = hr_str_nearest(name, names, group->count);
    (void)hr_fail(err, HR_USAGE, "list: there is no '%s' among the %s", name, group->name);
    return near != NULL ? hr_fail_hint(err, "did you mean '%s'?", near)
                        : hr_fail_hint(err, "'headrace list %s' names them all", group->name);
}

/* ---- forms -------------------------------------------------------------------------------------------------- */

static void groups_json(const struct hr_component_group *groups, size_t count, const struct hr_component *one,
                        struct hr_buf *out)
{
    struct hr_json json;
    hr_json_init(&json, out);
    if (one != NULL) {
        hr_describe_json(one, &json);
    } else {
        hr_json_object_begin(&json);
        for (size_t i = 0; i < count; i++) {
            hr_json_key(&json, groups[i].name);
            hr_json_array_begin(&json);
            for (size_t j = 0; j < groups[i].count; j++) {
                hr_describe_json(&groups[i].items[j], &json);
            }
            hr_json_array_end(&json);
        }
        hr_json_object_end(&json);
    }
    hr_buf_append_char(out, '\n');
}

static void groups_text(const struct hr_component_group *groups, size_t count, const struct hr_component *one,
                        struct hr_buf *out)
{
    if (one != NULL) {
        hr_describe_text(one, out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        hr_buf_printf(out, "%s%s", i > 0 ? "\n" : "", groups[i].name);
        if (groups[i].where != NULL) {
            hr_buf_printf(out, " (%s:)", groups[i].where);
        }
        hr_buf_append_char(out, '\n');
        for (size_t j = 0; j < groups[i].count; j++) {
            hr_buf_printf(out, "  %-36s %s\n", groups[i].items[j].name, groups[i].items[j].summary);
        }
    }
}

/* The closed list of what can be wrong with a record, as dead letters and `score` name it. */
static void reasons_markdown(struct hr_buf *out)
{
    static const char *const reasons[][2] = {
#define REASON_ROW(member, text, meaning) {text, meaning},
        HR_REASONS(REASON_ROW)
#undef REASON_ROW
    };
    hr_buf_append_text(out, "\n## reasons\n\nOf a dead letter: `headrace.error.reason`.\n\n| reason | meaning |\n"
                            "|---|---|\n");
    for (size_t i = 0; i < HR_ARRAY_LEN(reasons); i++) {
        hr_buf_printf(out, "| `%s` | %s |\n", reasons[i][0], reasons[i][1]);
    }
}

static void groups_markdown(const struct hr_component_group *groups, size_t count, const struct hr_component *one,
                            struct hr_buf *out)
{
    if (one != NULL) {
        hr_describe_markdown(one, out);
        return;
    }
    if (count == HR_COMPONENT_GROUPS) {
        hr_buf_append_text(out, "# Reference\n\n"
                                "What a query can be made of. This page is the output of `headrace list --format md`; "
                                "a test holds it to that.\n");
    }
    for (size_t i = 0; i < count; i++) {
        hr_buf_printf(out, "%s## %s\n\n", count == HR_COMPONENT_GROUPS ? "\n" : "", groups[i].name);
        if (groups[i].where != NULL) {
            hr_buf_printf(out, "In a query: `%s`.\n\n", groups[i].where);
        }
        bool table = groups[i].count > 0 && groups[i].items[0].options.count == 0;
        if (table) {
            hr_buf_append_text(out, "| name | meaning | for |\n|---|---|---|\n");
        }
        for (size_t j = 0; j < groups[i].count; j++) {
            const struct hr_component *item = &groups[i].items[j];
            if (table) {
                hr_buf_printf(out, "| `%s` | %s | %s |\n", item->name, item->summary,
                              item->trait != NULL ? item->trait : "");
            } else {
                hr_buf_append_text(out, j > 0 ? "\n" : "");
                hr_describe_markdown(item, out);
            }
        }
    }
    if (count == HR_COMPONENT_GROUPS) {
        reasons_markdown(out);
    }
}

static int list(struct hr_arguments *arguments)
{
    struct hr_error err;
    struct hr_component_group all[HR_COMPONENT_GROUPS];
    hr_describe_all(&arguments->arena, all);
    const struct hr_component_group *groups = all;
    size_t count = HR_COMPONENT_GROUPS;
    const struct hr_component *one = NULL;
    if (arguments->operand_count > 0) {
        count = 1;
        if (group_find(all, arguments->operands[0], &groups, &err) != HR_OK) {
            return hr_command_fail(&err);
        }
    }
    if (arguments->operand_count > 1 &&
        component_find(groups, arguments->operands[1], &arguments->arena, &one, &err) != HR_OK) {
        return hr_command_fail(&err);
    }
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, OUTPUT_MAX);
    if (hr_arguments_is(arguments, "format", "json")) {
        groups_json(groups, count, one, &out);
    } else if (hr_arguments_is(arguments, "format", "md")) {
        groups_markdown(groups, count, one, &out);
    } else {
        groups_text(groups, count, one, &out);
    }
    fwrite(out.data, 1, out.length, stdout);
    return 0;
}

static const struct hr_flag flags[] = {
    {.name = "format", .value = "FORMAT", .choices = text_json_or_md, .help = "default text"},
};

const struct hr_command hr_command_list = {
    .name = "list",
    .operands = "[sections|sources|formats|stages|models|metrics|sinks [NAME]]",
    .summary = "what a query can be made of; with a name its parameters",
    .doc = "headrace list                        all names\n"
           "headrace list stages                 names of one kind\n"
           "headrace list stages StringIndexer   parameters, defaults, allowed values, an example",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 0,
    .operands_max = 2,
    .run = list,
};
