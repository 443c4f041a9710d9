/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the registries. The forms that people and programs read are in describe_print.c.
 */
#include "service/describe.h"

#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "ml/evaluate.h"
#include "ml/model.h"
#include "ml/stage.h"
#include "sinks/sink.h"
#include "stream/source.h"

static int component_order(const void *a, const void *b)
{
    return strcmp(((const struct hr_component *)a)->name, ((const struct hr_component *)b)->name);
}

static struct hr_component component_of(const struct hr_kind *kind, const char *trait)
{
    return (struct hr_component){
        .name = kind->name,
        .summary = kind->summary,
        .doc = kind->doc,
        .example = kind->example,
        .trait = trait,
        .options = kind->options,
    };
}

static const char *source_trait(const struct hr_source_type *type)
{
    bool replayable = (type->flags & HR_SOURCE_REPLAYABLE) != 0;
    bool bounded = (type->flags & HR_SOURCE_BOUNDED) != 0;
    if (!replayable) {
        return "cannot be read again";
    }
    return bounded ? "can be read again; ends by itself" : "can be read again";
}

static const char *stage_trait(const struct hr_stage_type *type)
{
    if (type->flags & HR_STAGE_ONLINE) {
        return "online: learns in the query";
    }
    return type->flags & HR_STAGE_ESTIMATOR ? "estimator: fitted by headrace fit" : "transformer";
}

static const char *model_trait(const struct hr_model_type *type)
{
    static const char *const by_row[] = {"classifier, row by row", "regression, row by row", "clusters, row by row"};
    static const char *const by_batch[] = {"classifier, batch by batch", "regression, batch by batch",
                                           "clusters, batch by batch"};
    return type->row_by_row ? by_row[type->task] : by_batch[type->task];
}

static const char *sink_trait(const struct hr_sink_type *type)
{
    return type->flags & (HR_SINK_IDEMPOTENT | HR_SINK_TRANSACTIONAL) ? "exactly once" : "at least once";
}

static struct hr_component *group_begin(struct hr_component_group *group, const char *name, const char *where,
                                        size_t count, struct hr_arena *arena)
{
    *group = (struct hr_component_group){
        .name = name,
        .where = where,
        .items = hr_arena_array(arena, count, struct hr_component),
        .count = count,
    };
    return group->items;
}

static void describe_metrics(struct hr_component_group *group, struct hr_arena *arena)
{
    static const char *const tasks[] = {"classifiers", "regressions", "clusters"};
    struct hr_component *items = group_begin(group, "metrics", "evaluation.metrics", HR_METRIC_ID_COUNT, arena);
    for (size_t i = 0; i < HR_METRIC_ID_COUNT; i++) {
        items[i] = (struct hr_component){
            .name = hr_metric_infos[i].name,
            .summary = hr_metric_infos[i].meaning,
            .trait = tasks[hr_metric_infos[i].task],
        };
    }
}

void hr_describe_all(struct hr_arena *arena, struct hr_component_group groups[HR_COMPONENT_GROUPS])
{
    hr_describe_sections(&groups[0], arena);
    struct hr_component *items = group_begin(&groups[1], "sources", "source", hr_source_type_count, arena);
    for (size_t i = 0; i < hr_source_type_count; i++) {
        items[i] = component_of(&hr_source_types[i]->kind, source_trait(hr_source_types[i]));
        items[i].options = hr_source_options(hr_source_types[i], arena);
    }
    items = group_begin(&groups[2], "formats", "source.format, sinks[].format", hr_format_type_count, arena);
    for (size_t i = 0; i < hr_format_type_count; i++) {
        items[i] = component_of(&hr_format_types[i]->kind, NULL);
    }
    items = group_begin(&groups[3], "stages", "pipeline.stages", hr_stage_type_count, arena);
    for (size_t i = 0; i < hr_stage_type_count; i++) {
        items[i] = component_of(&hr_stage_types[i]->kind, stage_trait(hr_stage_types[i]));
    }
    items = group_begin(&groups[4], "models", "model", hr_model_type_count, arena);
    for (size_t i = 0; i < hr_model_type_count; i++) {
        items[i] = component_of(&hr_model_types[i]->kind, model_trait(hr_model_types[i]));
    }
    describe_metrics(&groups[5], arena);
    items = group_begin(&groups[6], "sinks", "sinks", hr_sink_type_count, arena);
    for (size_t i = 0; i < hr_sink_type_count; i++) {
        items[i] = component_of(&hr_sink_types[i]->kind, sink_trait(hr_sink_types[i]));
        items[i].options = hr_sink_options(hr_sink_types[i], arena);
    }
    for (size_t i = 0; i < HR_COMPONENT_GROUPS; i++) {
        if (strcmp(groups[i].name, "metrics") != 0 && strcmp(groups[i].name, "sections") != 0) {
            qsort(groups[i].items, groups[i].count, sizeof(*groups[i].items), component_order);
        }
    }
}
