/* SPDX-License-Identifier: Apache-2.0
 *
 * An instance: what stream/query.c calls an attempt, without its thread and its waiting. It is opened over the world's
 * store through the real recovery, runs batches, and is closed; a dead one is closed too, but nothing that it does has
 * an effect any more.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "sim.h"
#include "stream/microbatch.h"
#include "stream/recovery.h"
#include "stream/start_offsets.h"

uint64_t sim_actions[8];
uint64_t sim_lineages;

/* Time stands still: what a batch is must not depend on it, and equal runs have equal documents. */
static int64_t still_wall_us(void *context)
{
    (void)context;
    return 1700000000000000;
}

static int64_t still_monotonic_ns(void *context)
{
    (void)context;
    return 1000000000;
}

static void still_sleep_us(void *context, int64_t duration_us)
{
    (void)context;
    (void)duration_us;
}

static const struct hr_clock still_clock = {still_wall_us, still_monotonic_ns, still_sleep_us, NULL};

struct sim_instance *sim_instance_new(struct sim_world *world)
{
    struct sim_instance *instance =
        world->free_count > 0 ? world->free_instances[--world->free_count] : hr_alloc(sizeof(*instance));
    *instance = (struct sim_instance){
        .world = world,
        .number = ++world->instance_count,
        .memory = world->memory,
        .plan = sim_plan_take(world),
    };
    sim_plan_attach(instance->plan, instance);
    sim_store_init(&instance->store, instance);
    sim_store_settle(instance->memory);
    return instance;
}

/* Each start has a lineage to give; the one that makes the checkpoint gives it for good. */
static void instance_lineage(const struct sim_instance *instance, char out[37])
{
    const struct sim_world *world = instance->world;
    if (world->reference) {
        memcpy(out, world->lineage, 37);
        return;
    }
    (void)snprintf(out, 37, "%08x-0000-4000-8000-%012llx", (unsigned)instance->number,
                   (unsigned long long)(world->log_seed & 0xffffffffffff));
}

/* As the checkpoint does where it has a directory: the store may not say less than the mark. */
static void instance_check_mark(const struct sim_instance *instance)
{
    struct sim_world *world = instance->world;
    struct hr_checkpoint_info info;
    hr_checkpoint_info(instance->checkpoint, &info);
    int64_t known = info.prepared > info.committed ? info.prepared : info.committed;
    if (world->mark > known && !instance->superseded && !world->tampering && !world->reference) {
        sim_fail(world, "the mark says that batch %lld was durable, the store ends at batch %lld",
                 (long long)world->mark, (long long)known);
    }
}

static enum hr_status instance_open(struct sim_instance *instance, struct hr_error *err)
{
    static const struct hr_str identity = {"{\"query\":\"simulated\"}", 21};
    static const char *const found[] = {"go on", "drop", "commit", "replay", "refuse"};
    struct sim_world *world = instance->world;
    struct hr_run *run = &instance->run;
    char lineage[37];
    bool created = false;
    bool new_lineage = world->new_lineage;
    instance_lineage(instance, lineage);
    HR_TRY(hr_checkpoint_open_store(&instance->store.store, identity, lineage, world->keep, &instance->checkpoint,
                                    &created, err));
    instance_check_mark(instance);
    if (!created && new_lineage) {
        HR_TRY(hr_checkpoint_restart(instance->checkpoint, lineage, err));
        HR_TRY(hr_checkpoint_set_identity(instance->checkpoint, identity, err));
    } else if (!created) {
        HR_TRY(hr_identity_update(instance->checkpoint, identity, err));
    }
    hr_run_init(run, instance->plan->plan, instance->checkpoint, &still_clock, NULL);
    instance->run_made = true;
    enum hr_recovery_action action = HR_RECOVERY_GO_ON;
    enum hr_status status = hr_recovery_run(run, new_lineage, &action, err);
    sim_actions[action] += !world->reference;
    sim_trace(world, "#%d starts over batch %lld, lineage %s: %s", instance->number, (long long)run->batch - 1,
              run->lineage, found[action]);
    HR_TRY(status);
    sim_lineages += new_lineage;
    world->new_lineage = world->new_lineage && instance->superseded;
    HR_TRY(hr_source_latest(instance->plan->plan->source, &run->target, err));
    run->has_target = true;
    return HR_OK;
}

enum hr_status sim_instance_open(struct sim_instance *instance)
{
    return instance_open(instance, &instance->err);
}

enum hr_status sim_instance_batch(struct sim_instance *instance)
{
    for (size_t i = 0; sim_has_bug(instance->world, SIM_BUG_REDELIVER) && i < instance->run.sink_count; i++) {
        instance->run.sinks[i].delivered = false;
    }
    enum hr_status status = hr_microbatch_run(&instance->run, 0, &instance->err);
    instance->half_batch = status != HR_OK && status != HR_AGAIN && status != HR_END;
    /* It died where nothing can fail, or has read ahead that this was the last batch: that is not its to say any more.
     */
    return instance->dead && !instance->half_batch ? hr_fail(&instance->err, HR_UNAVAILABLE, "this instance is dead")
                                                   : status;
}

void sim_instance_close(struct sim_instance *instance)
{
    struct sim_world *world = instance->world;
    struct hr_plan *plan = instance->plan->plan;
    for (size_t i = 0; i < instance->run.sink_count; i++) {
        if (instance->run.sinks[i].sink->dirty) {
            hr_sink_abort(instance->run.sinks[i].sink);
        }
    }
    if (instance->dead) {
        bool power_loss = sim_draw(world, 2) == 0;
        sim_trace(world, "#%d is gone, %s", instance->number, power_loss ? "power lost" : "killed");
        sim_sinks_crash(world, instance, power_loss);
        if (power_loss) {
            sim_store_crash(instance);
        }
    }
    if (instance->run_made) {
        hr_run_release(&instance->run);
    }
    hr_source_close(plan->source);
    for (size_t i = 0; i < plan->sink_count; i++) {
        hr_sink_close(plan->sinks[i]);
        plan->sinks[i]->dirty = false;
    }
    if (plan->dead_letter != NULL) {
        hr_sink_close(plan->dead_letter->sink);
        plan->dead_letter->sink->dirty = false;
    }
    hr_checkpoint_close(instance->checkpoint);
    sim_plan_attach(instance->plan, NULL);
    sim_plan_give_back(instance->plan, instance->half_batch);
    HR_ASSERT(world->free_count < HR_ARRAY_LEN(world->free_instances));
    world->free_instances[world->free_count++] = instance;
}
