/* SPDX-License-Identifier: Apache-2.0
 *
 * Operands, findings and plans, for all commands that take query files.
 */
#include "service/query_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"

#define FINDINGS_TEXT_MAX (16u << 20)

/* ---- files -------------------------------------------------------------------------------------------------- */

static void files_add(struct hr_query_files *files, size_t *capacity, const char *path)
{
    if (files->count == *capacity) {
        *capacity = *capacity == 0 ? 16 : *capacity * 2;
        files->items = hr_realloc_array(files->items, *capacity, sizeof(*files->items));
    }
    files->items[files->count++] = path;
}

static int select_yaml(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum hr_status files_add_directory(struct hr_query_files *files, size_t *capacity, struct hr_arena *arena,
                                          const char *directory, struct hr_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, select_yaml, by_bytes);
    if (count < 0) {
        return hr_fail_errno(err, errno == EACCES ? HR_PERMISSION : HR_NO_INPUT, "directory '%s' cannot be read",
                             directory);
    }
    for (int i = 0; i < count; i++) {
        files_add(files, capacity, hr_file_join(arena, directory, entries[i]->d_name));
        hr_free(entries[i]);
    }
    hr_free(entries);
    if (count == 0) {
        (void)hr_fail(err, HR_NO_INPUT, "directory '%s' holds no *.yaml", directory);
        return hr_fail_hint(err, "name a query file, or a directory of them");
    }
    return HR_OK;
}

enum hr_status hr_query_files_find(struct hr_arguments *arguments, struct hr_query_files *out, struct hr_error *err)
{
    struct hr_query_files files = {.count = 0};
    size_t capacity = 0;
    enum hr_status status = HR_OK;
    for (size_t i = 0; i < arguments->operand_count && status == HR_OK; i++) {
        struct stat info;
        const char *operand = arguments->operands[i];
        if (stat(operand, &info) == 0 && S_ISDIR(info.st_mode)) {
            status = files_add_directory(&files, &capacity, &arguments->arena, operand, err);
        } else {
            files_add(&files, &capacity, operand);
        }
    }
    if (status == HR_OK) {
        out->count = files.count;
        out->items = hr_arena_array(&arguments->arena, files.count, const char *);
        memcpy(out->items, files.items, files.count * sizeof(*files.items));
    }
    hr_free(files.items);
    return status;
}

/* ---- findings ----------------------------------------------------------------------------------------------- */

int hr_findings_exit_code(const struct hr_findings *findings)
{
    int first = 0;
    for (const struct hr_finding *finding = findings->first; finding != NULL; finding = finding->next) {
        if (finding->severity != HR_SEVERITY_ERROR) {
            continue;
        }
        if (finding->status == HR_BAD_CONFIG) {
            return hr_status_exit_code(HR_BAD_CONFIG);
        }
        if (first == 0) {
            first = hr_status_exit_code(finding->status);
        }
    }
    return first;
}

void hr_findings_to_stderr(const struct hr_findings *findings)
{
    if (findings->errors + findings->warnings == 0) {
        return;
    }
    struct hr_buf text HR_CLEANUP(hr_buf_release);
    hr_buf_init(&text, FINDINGS_TEXT_MAX);
    hr_findings_print_text(findings, &text);
    fflush(stdout);
    fwrite(text.data, 1, text.length, stderr);
}

/* ---- plans -------------------------------------------------------------------------------------------------- */

struct hr_plan *hr_query_file_plan(struct hr_arguments *arguments, const char *file, enum hr_plan_purpose purpose,
                                   int *exit_code)
{
    struct hr_plan_settings settings;
    hr_arguments_plan_settings(arguments, purpose, &settings);
    struct hr_findings findings HR_CLEANUP(hr_findings_release);
    hr_findings_init(&findings);
    struct hr_plan *plan = hr_plan_build(file, &settings, &findings);
    hr_findings_to_stderr(&findings);
    if (plan == NULL) {
        *exit_code = hr_findings_exit_code(&findings);
    }
    return plan;
}

/* One spelling of a path that may not exist yet: its nearest existing directory resolved, the rest as written. */
static char *path_resolve(struct hr_arena *arena, const char *path)
{
    const char *directory = path;
    while (strcmp(directory, "/") != 0 && strcmp(directory, ".") != 0 && !hr_file_exists(directory)) {
        directory = hr_file_directory(arena, directory);
    }
    char *resolved = realpath(directory, NULL);
    if (resolved == NULL) {
        return hr_arena_strdup(arena, path);
    }
    size_t length = strlen(directory);
    const char *rest = strncmp(path, directory, length) == 0 ? path + length : path;
    char *whole = hr_arena_printf(arena, "%s/%s", resolved, rest + strspn(rest, "/"));
    hr_free(resolved);
    for (size_t end = strlen(whole); end > 1 && whole[end - 1] == '/'; end--) {
        whole[end - 1] = '\0';
    }
    return whole;
}

static const struct hr_place *place_of_key(const struct hr_plan *plan, const char *key)
{
    const struct hr_yaml *node = hr_yaml_get(plan->root, key);
    return node != NULL ? &node->place : &plan->root->place;
}

/* Section i of those that write: the sinks, then the dead letters; NULL: there are no more. */
static const struct hr_yaml *writing_section(const struct hr_plan *plan, size_t i)
{
    const struct hr_yaml *sinks = hr_yaml_get(plan->root, "sinks");
    size_t count = sinks != NULL && sinks->kind == HR_YAML_SEQUENCE ? sinks->count : 0;
    const struct hr_yaml *dead_letter = hr_yaml_get(plan->root, "deadLetter");
    return i < count ? sinks->items[i] : i == count ? dead_letter : NULL;
}

static bool directory_is_of(struct hr_plan *plan, const char *directory, struct hr_arena *arena)
{
    const struct hr_yaml *section;
    for (size_t i = 0; (section = writing_section(plan, i)) != NULL; i++) {
        const char *other = hr_plan_section_directory(plan, section);
        if (other != NULL && strcmp(directory, path_resolve(arena, other)) == 0) {
            return true;
        }
    }
    return false;
}

/* Directories that a sink of this plan and one of an earlier plan would both write. */
static void check_directories(struct hr_plan *const *plans, size_t at, struct hr_arena *arena,
                              struct hr_findings *findings)
{
    const struct hr_yaml *section;
    for (size_t i = 0; (section = writing_section(plans[at], i)) != NULL; i++) {
        const char *written = hr_plan_section_directory(plans[at], section);
        const char *directory = written != NULL ? path_resolve(arena, written) : NULL;
        for (size_t j = 0; directory != NULL && j < at; j++) {
            if (directory_is_of(plans[j], directory, arena)) {
                const struct hr_yaml *path = hr_yaml_get(section, "path");
                struct hr_finding *finding = hr_findings_error(
                    findings, &path->place, "'%s' is also the directory of a sink of %s", path->text, plans[j]->file);
                hr_finding_hint(findings, finding,
                                "parts of two writers in one directory cannot be told apart: choose "
                                "another path");
                break;
            }
        }
    }
}

void hr_query_files_check_distinct(struct hr_plan *const *plans, size_t count, struct hr_findings *findings)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    for (size_t i = 1; i < count; i++) {
        const char *location = path_resolve(&arena, plans[i]->checkpoint_location);
        for (size_t j = 0; j < i; j++) {
            struct hr_finding *finding = NULL;
            if (strcmp(plans[i]->name, plans[j]->name) == 0) {
                finding = hr_findings_error(findings, place_of_key(plans[i], "name"), "query name '%s' is taken by %s",
                                            plans[i]->name, plans[j]->file);
                hr_finding_hint(findings, finding, "give one of them another name:");
            } else if (strcmp(location, path_resolve(&arena, plans[j]->checkpoint_location)) == 0) {
                finding = hr_findings_error(findings, place_of_key(plans[i], "checkpoint"),
                                            "checkpoint '%s' is also that of %s", plans[i]->checkpoint_location,
                                            plans[j]->file);
                hr_finding_hint(findings, finding, "give each query a checkpoint.location of its own");
            }
            if (finding != NULL) {
                break;
            }
        }
        check_directories(plans, i, &arena, findings);
    }
}
