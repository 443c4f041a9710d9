/* SPDX-License-Identifier: Apache-2.0
 *
 * Read-ahead without its thread: calls of the engine come here (--wrap), and plan and read of the next batch are done
 * at once, or when the engine joins, which is after the commit; the seed says. What a thread could do in between is the
 * one or the other: source and store do not see each other, but a crash sees how far both are.
 */
#include "sim.h"
#include "stream/read_ahead.h"

void __wrap_hr_read_ahead_begin(struct hr_read_ahead *ahead, struct hr_source *source,
                                const struct hr_source_limit *limit, struct hr_records *records);
void __wrap_hr_read_ahead_join(struct hr_read_ahead *ahead);

static void work(struct hr_read_ahead *ahead, struct sim_instance *instance)
{
    instance->read_waits = false;
    hr_read_ahead_work(ahead);
    ahead->state = HR_READ_AHEAD_DONE;
}

void __wrap_hr_read_ahead_begin(struct hr_read_ahead *ahead, struct hr_source *source,
                                const struct hr_source_limit *limit, struct hr_records *records)
{
    struct sim_instance *instance = sim_source_instance(source);
    ahead->source = source;
    ahead->records = records;
    ahead->limit = *limit;
    ahead->limit.wait_us = 0;
    instance->read_waits = true;
    if (sim_draw(instance->world, 2) == 0) {
        work(ahead, instance);
    }
    /* Planted: the batch that is about to be prepared says that it ends where the next one does. */
    if (sim_has_bug(instance->world, SIM_BUG_RANGE_AHEAD)) {
        hr_offsets_copy(&instance->run.record.end, &source->position);
    }
}

void __wrap_hr_read_ahead_join(struct hr_read_ahead *ahead)
{
    struct sim_instance *instance = ahead->source != NULL ? sim_source_instance(ahead->source) : NULL;
    if (instance != NULL && instance->read_waits) {
        work(ahead, instance);
    }
}
