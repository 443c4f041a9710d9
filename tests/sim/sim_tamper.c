/* SPDX-License-Identifier: Apache-2.0
 *
 * States that do not belong: an older copy of the store, a sink that lost its ledger, one that another lineage wrote.
 * An instance is started over each; what it has to say is known without the recovery table: a sink that committed a
 * batch that the copy knows nothing of makes it stale. Then everything is put back, and the schedule goes on.
 */
#include <string.h>

#include "sim.h"

static size_t draw_sink(struct sim_world *world)
{
    size_t first = (size_t)sim_draw(world, world->sink_count);
    for (size_t i = 0; i < world->sink_count; i++) {
        const struct sim_memory *memory = &world->sinks[(first + i) % world->sink_count];
        /* Two commits: the first is then known to the committed state, so that its loss can be noticed. */
        if (memory->kind != SIM_PRINTED && memory->commits >= 2 && !memory->pending) {
            return (first + i) % world->sink_count;
        }
    }
    return world->sink_count;
}

/* Starts over world->memory, and stops before a batch. */
static void expect(struct sim_world *world, bool refusal, const char *what)
{
    struct sim_instance *instance = sim_instance_new(world);
    world->current = instance;
    sim_trace(world, "#%d starts over %s", instance->number, what);
    enum hr_status status = sim_instance_open(instance);
    if (refusal && status != HR_MISMATCH) {
        sim_fail(world, "a start over %s should be refused: %s", what,
                 status == HR_OK ? "it was not" : instance->err.text);
    }
    if (!refusal && status != HR_OK) {
        sim_fail(world, "a start over %s was refused: %s", what, instance->err.text);
    }
    sim_instance_close(instance);
    world->current = NULL;
}

/* The last batch that a state knows, prepared or committed. */
static int64_t last_batch(struct sim_world *world, struct hr_store *memory)
{
    struct hr_store *current = world->memory;
    struct hr_checkpoint_info info = {.committed = -1, .prepared = -1};
    world->memory = memory;
    struct sim_instance *instance = sim_instance_new(world);
    bool created;
    if (hr_checkpoint_open_store(&instance->store.store, HR_STR("{}"), "00000000-0000-4000-8000-000000000000",
                                 world->keep, &instance->checkpoint, &created, &instance->err) == HR_OK) {
        hr_checkpoint_info(instance->checkpoint, &info);
    }
    sim_instance_close(instance);
    world->memory = current;
    return info.prepared > info.committed ? info.prepared : info.committed;
}

static void tamper_old(struct sim_world *world, struct hr_store *old)
{
    struct hr_store *current = world->memory;
    int64_t last = last_batch(world, old);
    bool stale = false;
    for (size_t i = 0; i < world->sink_count; i++) {
        const struct sim_memory *memory = &world->sinks[i];
        stale = stale || (memory->kind != SIM_PRINTED && memory->known && memory->batch > last);
    }
    world->memory = old;
    expect(world, stale, stale ? "an older copy of the state" : "a copy of the state that is not stale");
    world->memory = current;
}

static void tamper_ledger(struct sim_world *world, bool lose)
{
    size_t index = draw_sink(world);
    if (index == world->sink_count) {
        return;
    }
    struct sim_memory *memory = &world->sinks[index];
    bool known = memory->known;
    char first = memory->lineage[0];
    memory->known = !lose;
    memory->lineage[0] = lose ? first : first == 'f' ? 'e' : 'f';
    expect(world, true, lose ? "a sink whose ledger is lost" : "a sink of another lineage");
    memory->known = known;
    memory->lineage[0] = first;
}

void sim_tamper(struct sim_world *world, struct hr_store *old)
{
    int64_t next_step = world->next_step;
    if (world->current != NULL) {
        sim_instance_close(world->current);
        world->current = NULL;
    }
    world->next_step = -1; /* no faults here: what is expected is known then */
    switch (sim_draw(world, 3)) {
    case 0:
        tamper_old(world, old);
        break;
    case 1:
        tamper_ledger(world, true);
        break;
    default:
        tamper_ledger(world, false);
    }
    world->next_step = next_step < 0 || next_step > world->step ? next_step : world->step + 1;
}
