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

/* The last batch that a state knows, and whether it is only prepared. */
static int64_t last_batch(struct sim_world *world, struct hr_store *memory, bool *prepared)
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
    *prepared = info.prepared > info.committed;
    return *prepared ? info.prepared : info.committed;
}

static bool tamper_old(struct sim_world *world, struct hr_store **old)
{
    struct hr_store *current = world->memory;
    bool prepared = false;
    bool delivered = false;
    int64_t last = last_batch(world, *old, &prepared);
    bool stale = false;
    for (size_t i = 0; i < world->sink_count; i++) {
        const struct sim_memory *memory = &world->sinks[i];
        stale = stale || (memory->kind != SIM_PRINTED && memory->known && memory->batch > last);
        delivered = delivered || (memory->kind != SIM_PRINTED && memory->known && memory->batch == last);
    }
    /* The batch that the copy had prepared may have been dropped and have come back with another range: whether the
     * copy is of the batch that the sinks have now cannot be told from numbers. */
    if (!stale && prepared && delivered) {
        return false;
    }
    world->memory = *old;
    expect(world, stale, stale ? "an older copy of the state" : "a copy of the state that is not stale");
    *old = current;
    return stale;
}

/* The sink stays as it is: sim_tamper puts it back. */
static bool tamper_ledger(struct sim_world *world, struct sim_memory *memory, bool lose)
{
    memory->known = !lose;
    memory->lineage[0] = lose ? memory->lineage[0] : memory->lineage[0] == 'f' ? 'e' : 'f';
    expect(world, true, lose ? "a sink whose ledger is lost" : "a sink of another lineage");
    return true;
}

/* The operator's way out: everything from here on is another life. What sinks have already does not count. */
static void go_on_with_new_lineage(struct sim_world *world)
{
    sim_trace(world, "goes on with a new lineage");
    world->new_lineage = true;
    world->done = false;
    world->batches = 0;
    world->mark = world->mark_durable = -1;
    world->stray_prints = true;
    for (size_t i = 0; i < world->sink_count; i++) {
        world->sinks[i].row_count = 0;
    }
}

static bool any_pending(const struct sim_world *world)
{
    bool pending = false;
    for (size_t i = 0; i < world->sink_count; i++) {
        pending = pending || world->sinks[i].pending;
    }
    return pending;
}

void sim_tamper(struct sim_world *world, struct hr_store **old)
{
    int64_t next_step = world->next_step;
    if (world->current != NULL) {
        sim_instance_close(world->current);
        world->current = NULL;
    }
    world->next_step = -1; /* no faults here: what is expected is known then */
    world->tampering = true;
    uint64_t what = sim_draw(world, 3);
    size_t index = draw_sink(world);
    bool has_sink = index < world->sink_count;
    struct sim_memory *memory = has_sink ? &world->sinks[index] : NULL;
    bool known = has_sink && memory->known;
    char first = has_sink ? memory->lineage[0] : '\0';
    bool refused = what == 0 ? tamper_old(world, old) : has_sink && tamper_ledger(world, memory, what == 1);
    if (refused && !any_pending(world) && sim_draw(world, 2) == 0) {
        go_on_with_new_lineage(world);
    } else if (what == 0) {
        struct hr_store *current = *old;
        *old = world->memory;
        world->memory = current;
    } else if (has_sink) {
        memory->known = known;
        memory->lineage[0] = first;
    }
    world->tampering = false;
    world->next_step = next_step < 0 || next_step > world->step ? next_step : world->step + 1;
}
