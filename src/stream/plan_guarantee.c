/* SPDX-License-Identifier: Apache-2.0
 *
 * The only place that compares what sinks and sources can keep with the guarantee that is asked for.
 *
 *     asked for                                    sink can          sink cannot
 *     nothing                                      exactly once      at least once
 *     at_least_once (of the query or the sink)     at least once     at least once
 *     exactly_once (of the query or the sink)      exactly once      refused
 *
 * What a sink says itself comes before what the query says. "Can" means: the sink is transactional or idempotent, and
 * the source gives the same records for the same range again.
 */
#include "stream/plan_build.h"

static bool can_keep_exactly_once(const struct hr_plan *plan, const struct hr_sink *sink)
{
    bool replayable = plan->source == NULL || (plan->source->flags & HR_SOURCE_REPLAYABLE) != 0;
    return replayable && (sink->type->flags & (HR_SINK_TRANSACTIONAL | HR_SINK_IDEMPOTENT)) != 0;
}

static void refuse(struct hr_plan_builder *builder, const struct hr_sink *sink, const struct hr_yaml *node)
{
    const struct hr_yaml *own = hr_yaml_get(node, "deliveryGuarantee");
    const struct hr_yaml *written = own != NULL ? own : hr_yaml_get(builder->plan->root, "deliveryGuarantee");
    bool replayable = builder->plan->source == NULL || (builder->plan->source->flags & HR_SOURCE_REPLAYABLE) != 0;
    struct hr_finding *finding;
    if (replayable) {
        finding = hr_findings_error(builder->findings, &written->place,
                                    "exactly_once cannot be kept: sink '%s' (%s, line %d) delivers at least once",
                                    sink->id, sink->type->kind.name, sink->place.line);
    } else {
        finding = hr_findings_error(builder->findings, &written->place,
                                    "exactly_once cannot be kept: a %s source cannot read a range again",
                                    builder->plan->source->type->kind.name);
    }
    if (own != NULL) {
        hr_finding_hint(builder->findings, finding, "write deliveryGuarantee: at_least_once, or leave it out");
    } else {
        hr_finding_hint(builder->findings, finding,
                        "add deliveryGuarantee: at_least_once to that sink, or leave it out of the query: then each "
                        "sink keeps the best it can");
    }
}

static void resolve(struct hr_plan_builder *builder, struct hr_sink *sink, const struct hr_yaml *node)
{
    enum hr_guarantee asked = sink->requested != HR_GUARANTEE_BEST ? sink->requested : builder->plan->guarantee;
    bool can = can_keep_exactly_once(builder->plan, sink);
    if (asked == HR_GUARANTEE_EXACTLY_ONCE && !can) {
        refuse(builder, sink, node);
    }
    sink->guarantee =
        can && asked != HR_GUARANTEE_AT_LEAST_ONCE ? HR_GUARANTEE_EXACTLY_ONCE : HR_GUARANTEE_AT_LEAST_ONCE;
}

void hr_plan_check_guarantee(struct hr_plan_builder *builder)
{
    struct hr_plan *plan = builder->plan;
    const struct hr_yaml *sinks = builder->sections.sinks;
    for (size_t i = 0; i < plan->sink_count; i++) {
        const struct hr_yaml *node = NULL;
        for (size_t j = 0; j < sinks->count; j++) {
            if (sinks->items[j]->place.line == plan->sinks[i]->place.line &&
                sinks->items[j]->place.column == plan->sinks[i]->place.column) {
                node = sinks->items[j];
            }
        }
        resolve(builder, plan->sinks[i], node);
    }
    if (plan->dead_letter != NULL) {
        resolve(builder, plan->dead_letter->sink, builder->sections.dead_letter);
    }
}
