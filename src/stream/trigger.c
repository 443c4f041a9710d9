/* SPDX-License-Identifier: Apache-2.0
 *
 * When the next batch starts: see trigger.h.
 */
#include "stream/trigger.h"

struct trigger_options {
    int64_t processing_time_us;
    bool available_now;
    bool once;
};

static const struct hr_option trigger_options[] = {
    HR_OPTION(struct trigger_options, processing_time_us, "processingTime", DURATION, .fallback = "0s",
              .help = "a batch starts on a multiple of this of the wall clock; 0s: as soon as there is data"),
    HR_OPTION(struct trigger_options, available_now, "availableNow", BOOL, .fallback = "false",
              .help = "batches until everything that was there at the start is read, then the query ends"),
    HR_OPTION(struct trigger_options, once, "once", BOOL, .fallback = "false",
              .help = "one batch over everything that is there, without row limits, then the query ends"),
};

struct hr_option_table hr_trigger_options(void)
{
    return HR_OPTION_TABLE(trigger_options);
}

void hr_trigger_read(struct hr_trigger *trigger, const struct hr_yaml *node, struct hr_findings *findings)
{
    *trigger = (struct hr_trigger){.kind = HR_TRIGGER_PROCESSING_TIME};
    if (node == NULL) {
        return;
    }
    struct hr_arena arena;
    hr_arena_init(&arena, 0);
    struct trigger_options options = {0};
    size_t errors = findings->errors;
    hr_options_read(HR_OPTION_TABLE(trigger_options), node, NULL, &options, &arena, findings);
    hr_arena_release(&arena);
    if (findings->errors > errors) {
        return;
    }
    int chosen = (hr_yaml_get(node, "processingTime") != NULL) + options.available_now + options.once;
    if (chosen != 1) {
        struct hr_finding *finding = hr_findings_error(
            findings, &node->place, chosen == 0 ? "a trigger names no kind" : "a trigger can be of one kind only");
        hr_finding_hint(findings, finding, "write one of: {processingTime: 10s}, {availableNow: true}, {once: true}");
        return;
    }
    trigger->interval_us = options.processing_time_us;
    if (options.available_now) {
        trigger->kind = HR_TRIGGER_AVAILABLE_NOW;
    } else if (options.once) {
        trigger->kind = HR_TRIGGER_ONCE;
    }
}

int64_t hr_trigger_wait_us(const struct hr_trigger *trigger, int64_t now_us)
{
    if (trigger->kind != HR_TRIGGER_PROCESSING_TIME || trigger->interval_us <= 0) {
        return 0;
    }
    int64_t since = now_us % trigger->interval_us;
    if (since < 0) {
        since += trigger->interval_us;
    }
    return trigger->interval_us - since;
}
