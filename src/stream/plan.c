/* SPDX-License-Identifier: Apache-2.0
 *
 * From a query file to a plan: the root mapping, and the order in which the sections are read. One file a section:
 * plan_source.c, plan_bind.c (pipeline, model, evaluation), plan_sinks.c, plan_guarantee.c, plan_identity.c.
 */
#include "stream/plan.h"
#include "state/checkpoint.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "stream/plan_build.h"

#define API_VERSION "headrace/v1"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define NAME_LENGTH_MAX 63

static const char *const guarantee_choices[] = {"at_least_once", "exactly_once", NULL};

static const struct hr_option root_options[] = {
    HR_OPTION(struct hr_plan_sections, api_version, "apiVersion", STRING, .required = true, .help = "headrace/v1"),
    HR_OPTION(struct hr_plan_sections, kind, "kind", STRING, .required = true, .help = "Query"),
    HR_OPTION(struct hr_plan_sections, name, "name", STRING,
              .help = "names checkpoint, metrics and ledger; default: the file's name without its ending"),
    HR_OPTION(struct hr_plan_sections, guarantee, "deliveryGuarantee", CHOICE, .fallback = "exactly_once",
              .choices = guarantee_choices,
              .help = "written out it is refused while a sink cannot keep it; else each sink keeps the best it can"),
    HR_OPTION(struct hr_plan_sections, trigger, "trigger", NODE, .help = "when a batch starts"),
    HR_OPTION(struct hr_plan_sections, checkpoint, "checkpoint", NODE, .help = "location and keep"),
    HR_OPTION(struct hr_plan_sections, source, "source", NODE, .required = true, .help = "where rows come from"),
    HR_OPTION(struct hr_plan_sections, pipeline, "pipeline", NODE, .help = "stages, or from: a pipeline file"),
    HR_OPTION(struct hr_plan_sections, model, "model", NODE, .help = "what learns"),
    HR_OPTION(struct hr_plan_sections, evaluation, "evaluation", NODE, .help = "metrics and their windows"),
    HR_OPTION(struct hr_plan_sections, sinks, "sinks", NODE, .help = "where rows go"),
    HR_OPTION(struct hr_plan_sections, dead_letter, "deadLetter", NODE, .help = "where bad records go"),
};

struct checkpoint_options {
    const char *location;
    int64_t keep;
};

static const struct hr_option checkpoint_options[] = {
    HR_OPTION(struct checkpoint_options, location, "location", STRING,
              .help = "directory, relative to the query file; default: <data-dir>/<name>"),
    HR_OPTION(struct checkpoint_options, keep, "keep", INT, .fallback = "10", .minimum = 1, .maximum = 1e6,
              .help = "how many batches can be looked at later"),
};

struct hr_option_table hr_plan_options(void)
{
    return HR_OPTION_TABLE(root_options);
}

struct hr_option_table hr_plan_checkpoint_options(void)
{
    return HR_OPTION_TABLE(checkpoint_options);
}

static const char *const head_keys[] = {"apiVersion", "kind"};

static void plan_check_head(struct hr_plan_builder *builder)
{
    const struct hr_yaml *root = builder->plan->root;
    const char *const wanted[] = {API_VERSION, "Query"};
    for (size_t i = 0; i < HR_ARRAY_LEN(head_keys); i++) {
        const struct hr_yaml *value = hr_yaml_get(root, head_keys[i]);
        if (value == NULL || value->kind != HR_YAML_SCALAR || value->secret || strcmp(value->text, wanted[i]) == 0) {
            continue;
        }
        struct hr_finding *finding =
            hr_findings_error(builder->findings, &value->place, "%s '%s' is not known", head_keys[i], value->text);
        hr_finding_hint(builder->findings, finding, "write %s: %s", head_keys[i], wanted[i]);
    }
}

static const char *plan_stem(struct hr_plan *plan)
{
    const char *slash = strrchr(plan->file, '/');
    const char *base = slash != NULL ? slash + 1 : plan->file;
    const char *dot = strrchr(base, '.');
    return dot != NULL && dot > base ? hr_arena_strndup(&plan->arena, base, (size_t)(dot - base)) : base;
}

static void plan_read_name(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *value = hr_yaml_get(plan->root, "name");
    plan->name = builder->sections.name != NULL ? builder->sections.name : plan_stem(plan);
    size_t length = strlen(plan->name);
    if (length > 0 && length <= NAME_LENGTH_MAX && strspn(plan->name, NAME_CHARACTERS) == length) {
        return;
    }
    struct hr_finding *finding;
    if (value != NULL) {
        finding = hr_findings_error(builder->findings, &value->place, "'%s' is not a query name", hr_yaml_shown(value));
    } else {
        finding = hr_findings_error(builder->findings, &plan->root->place,
                                    "the file's name gives the query name '%s', which is none", plan->name);
    }
    hr_finding_hint(builder->findings, finding, "a name has 1 to %d of a-z, 0-9 and '-'%s", NAME_LENGTH_MAX,
                    value != NULL ? "" : "; add name: to the file");
}

static void plan_read_checkpoint(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    struct checkpoint_options options = {0};
    if (builder->sections.checkpoint != NULL) {
        hr_options_read(HR_OPTION_TABLE(checkpoint_options), builder->sections.checkpoint, NULL, &options, &plan->arena,
                        builder->findings);
    } else {
        hr_options_defaults(HR_OPTION_TABLE(checkpoint_options), &options, &plan->arena);
    }
    const char *data_dir = builder->settings->data_dir != NULL ? builder->settings->data_dir : "headrace-data";
    plan->checkpoint_keep = options.keep;
    plan->checkpoint_location = options.location != NULL ? hr_file_join(&plan->arena, plan->directory, options.location)
                                                         : hr_file_join(&plan->arena, data_dir, plan->name);
}

static void plan_read_trigger(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    hr_trigger_read(&plan->trigger, builder->sections.trigger, builder->findings);
    if (builder->settings->once) {
        plan->trigger = (struct hr_trigger){.kind = HR_TRIGGER_AVAILABLE_NOW};
    }
}

/* The file and --set; false when there is no mapping to read. */
static bool plan_read_root(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    plan->root = hr_yaml_read_file(&plan->arena, plan->file, builder->findings);
    if (plan->root == NULL) {
        return false;
    }
    if (plan->root->kind != HR_YAML_MAPPING) {
        struct hr_finding *finding =
            hr_findings_error(builder->findings, &plan->root->place, "a query file is a mapping");
        hr_finding_hint(builder->findings, finding, "begin with apiVersion: " API_VERSION " and kind: Query");
        return false;
    }
    for (size_t i = 0; i < builder->settings->set_count; i++) {
        struct hr_error err;
        if (hr_yaml_set(&plan->arena, plan->root, builder->settings->set[i], &err) != HR_OK) {
            struct hr_place place = {.file = plan->file};
            hr_findings_add(builder->findings, &place, &err);
        }
    }
    return true;
}

static void plan_read_sections(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    hr_options_read(HR_OPTION_TABLE(root_options), plan->root, NULL, &builder->sections, &plan->arena,
                    builder->findings);
    plan->guarantee = HR_GUARANTEE_BEST;
    const struct hr_yaml *asked = hr_yaml_get(plan->root, "deliveryGuarantee");
    if (asked != NULL && asked->kind == HR_YAML_SCALAR &&
        strcmp(asked->text, guarantee_choices[builder->sections.guarantee]) == 0) {
        plan->guarantee = builder->sections.guarantee == 1 ? HR_GUARANTEE_EXACTLY_ONCE : HR_GUARANTEE_AT_LEAST_ONCE;
    }
    plan_check_head(builder);
    plan_read_name(builder);
    plan_read_trigger(builder);
    plan_read_checkpoint(builder);
    hr_plan_build_source(builder);
    hr_plan_bind(builder);
    if (builder->settings->purpose == HR_PLAN_RUN) {
        hr_plan_build_sinks(builder);
        hr_plan_check_guarantee(builder);
    }
}

struct hr_plan *hr_plan_build(const char *file, const struct hr_plan_settings *settings, struct hr_findings *findings)
{
    size_t errors = findings->errors;
    struct hr_plan *plan = hr_calloc(1, sizeof(*plan));
    hr_arena_init(&plan->arena, 0);
    plan->file = hr_arena_strdup(&plan->arena, file);
    plan->directory = hr_file_directory(&plan->arena, plan->file);
    hr_schema_init(&plan->schema, &plan->arena);
    struct hr_plan_builder builder = {.plan = plan, .settings = settings, .findings = findings};
    if (plan_read_root(&builder)) {
        plan_read_sections(&builder);
    }
    if (findings->errors > errors || plan->root == NULL) {
        hr_plan_free(plan);
        return NULL;
    }
    return plan;
}

/* What `run` would refuse, before the running query is stopped for it. A checkpoint that cannot be read is run's. */
static void preflight_identity(struct hr_plan *plan, struct hr_findings *findings)
{
    struct hr_checkpoint *checkpoint = NULL;
    struct hr_checkpoint_info info;
    struct hr_error err;
    if (hr_checkpoint_open_read_only(plan->checkpoint_location, &checkpoint, &err) != HR_OK) {
        return;
    }
    hr_checkpoint_info(checkpoint, &info);
    if ((info.committed >= 0 || info.prepared >= 0) &&
        hr_plan_check_identity(plan, hr_checkpoint_identity(checkpoint), &err) != HR_OK) {
        hr_findings_add(findings, &plan->root->place, &err);
    }
    hr_checkpoint_close(checkpoint);
}

/* The nearest directory above (or at) path that exists must be writable. */
static void plan_preflight_checkpoint(struct hr_plan *plan, struct hr_findings *findings)
{
    const char *path = plan->checkpoint_location;
    while (!hr_file_exists(path) && strcmp(path, "/") != 0 && strcmp(path, ".") != 0) {
        path = hr_file_directory(&plan->arena, path);
    }
    struct hr_error err;
    if (access(path, W_OK | X_OK) == 0) {
        preflight_identity(plan, findings);
        return;
    }
    (void)hr_fail_errno(&err, HR_CANNOT_CREATE, "checkpoint '%s' cannot be made or written", plan->checkpoint_location);
    (void)hr_fail_hint(&err, "set checkpoint.location or --data-dir to a directory that this user may write");
    const struct hr_yaml *node = hr_yaml_get(plan->root, "checkpoint");
    hr_findings_add(findings, hr_plan_place_of(node != NULL ? node : plan->root, plan->checkpoint_location), &err);
}

void hr_plan_preflight(struct hr_plan *plan, struct hr_findings *findings)
{
    if (plan->source->type->preflight != NULL) {
        plan->source->type->preflight(plan->source, findings);
    }
    for (size_t i = 0; i < plan->sink_count; i++) {
        if (plan->sinks[i]->type->preflight != NULL) {
            plan->sinks[i]->type->preflight(plan->sinks[i], findings);
        }
    }
    if (plan->dead_letter != NULL && plan->dead_letter->sink->type->preflight != NULL) {
        plan->dead_letter->sink->type->preflight(plan->dead_letter->sink, findings);
    }
    plan_preflight_checkpoint(plan, findings);
}

void hr_plan_free(struct hr_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    hr_source_close(plan->source);
    for (size_t i = 0; i < plan->sink_count; i++) {
        hr_sink_close(plan->sinks[i]);
    }
    if (plan->dead_letter != NULL) {
        hr_dead_letter_close(plan->dead_letter);
    }
    if (plan->evaluation != NULL) {
        hr_evaluation_release(plan->evaluation);
    }
    if (plan->model != NULL) {
        hr_model_close(plan->model);
    }
    hr_pipeline_close(&plan->pipeline);
    if (plan->format != NULL) {
        hr_format_close(plan->format);
    }
    hr_arena_release(&plan->arena);
    hr_free(plan);
}
