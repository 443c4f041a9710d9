/* SPDX-License-Identifier: Apache-2.0
 *
 * A schedule: which query, which log, where faults are, and the instances that follow each other until the log is read.
 *
 * Every fourth schedule has one fault at a given step, so that all steps get all faults in turn; the others have up to
 * six of them, anywhere. A failure of an instance is excused when one of its ports refused; any other is a finding.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "sim.h"

#define STARTS_MAX 64
#define SWEPT_STEPS 320
#define ZOMBIE_BATCHES_MAX 16

/* ---- drawing ------------------------------------------------------------------------------------------------ */

static void world_draw_log(struct sim_world *world)
{
    static const int bad[] = {60, 200, 600};
    bool has_dead_letter = strpbrk(sim_shapes[world->shape].sinks, "de") != NULL;
    world->log_seed = sim_draw(world, UINT64_MAX);
    world->bad_per_mille = has_dead_letter ? bad[sim_draw(world, HR_ARRAY_LEN(bad))] : 0;
    world->keep = 1 + (int)sim_draw(world, 3);
    world->ahead = sim_draw(world, 2) == 0;
    for (size_t p = 0; p < SIM_PARTITIONS; p++) {
        world->log_end[p] = (int64_t)(p == 0 ? 4 : 2) + (int64_t)sim_draw(world, 5);
    }
}

static void world_draw_faults(struct sim_world *world)
{
    static const int64_t spans[] = {20, 60, 150};
    int64_t swept = world->schedule / 4;
    world->single_fault = world->schedule % 4 == 3;
    if (!world->single_fault) {
        world->shape = (size_t)sim_draw(world, sim_shape_count);
        world->fault_span = spans[sim_draw(world, HR_ARRAY_LEN(spans))];
        world->faults_left = 1 + (int)sim_draw(world, 6);
        return;
    }
    /* All that is not counted here is the same in all schedules of a round. */
    int64_t round = swept / (int64_t)(sim_shape_count * SIM_FAULT_COUNT * SWEPT_STEPS);
    world->random = world->seed ^ ((uint64_t)round << 32) ^ 0x73776570;
    world->shape = (size_t)swept % sim_shape_count;
    swept /= (int64_t)sim_shape_count;
    world->next_fault = (enum sim_fault)(swept % SIM_FAULT_COUNT);
    world->next_step = 1 + swept / SIM_FAULT_COUNT % SWEPT_STEPS;
}

void sim_world_begin(struct sim_world *world, uint64_t seed, int64_t schedule)
{
    world->seed = seed;
    world->schedule = schedule;
    world->random = seed;
    world->random = hr_random_splitmix(&world->random) ^ ((uint64_t)schedule * 0x9e3779b97f4a7c15u);
    world->failure[0] = '\0';
    world->step = world->faults_left = world->instance_count = 0;
    world->next_step = -1;
    world->batches = 0;
    world->mark = world->mark_durable = -1;
    world->new_lineage = world->tampering = false;
    world->paused = world->done = world->stray_prints = false;
    world->current = NULL;
    world_draw_faults(world);
    world_draw_log(world);
    if (!world->single_fault) {
        sim_draw_fault(world);
    }
    for (size_t i = 0; i < SIM_SINKS_MAX; i++) {
        struct sim_memory *memory = &world->sinks[i];
        *memory = (struct sim_memory){.rows = memory->rows, .row_capacity = memory->row_capacity, .batch = -1};
    }
    sim_plan_describe_sinks(world->shape, world->sinks, &world->sink_count);
    hr_store_close(world->memory);
    world->memory = hr_store_open_memory();
}

void sim_world_release(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_SINKS_MAX; i++) {
        hr_free(world->sinks[i].rows);
    }
    while (world->free_count > 0) {
        hr_free(world->free_instances[--world->free_count]);
    }
    hr_store_close(world->memory);
}

/* ---- running ------------------------------------------------------------------------------------------------ */

/* Remembers where the batch that was committed last ends. */
static void world_note_batch(struct sim_world *world, const struct sim_instance *instance, const struct hr_offsets *end)
{
    int64_t batch = instance->run.batch - 1;
    if (batch < 0 || instance->superseded) {
        return;
    }
    HR_ASSERT(batch < SIM_BATCHES_MAX);
    for (int64_t p = 0; p < SIM_PARTITIONS; p++) {
        world->ends[batch][p] = sim_offset_position(end, p);
    }
    world->batches = batch + 1;
}

static void instance_judge(struct sim_instance *instance, enum hr_status status)
{
    struct sim_world *world = instance->world;
    sim_trace(world, "#%d ends: %s", instance->number, instance->err.text);
    if (!instance->excused && !instance->superseded) {
        sim_fail(world, "instance #%d ended though nothing outside refused it: %s: %s", instance->number,
                 hr_status_name(status), instance->err.text);
    }
}

/* The one that slept wakes up, and goes on until something stops it. */
static void zombie_finish(struct sim_instance *zombie, enum hr_status status)
{
    struct sim_world *world = zombie->world;
    for (int i = 0; i < ZOMBIE_BATCHES_MAX && (status == HR_OK || status == HR_AGAIN); i++) {
        status = sim_instance_batch(zombie);
    }
    sim_trace(world, "#%d, a zombie, ends: %s", zombie->number,
              status == HR_OK || status == HR_END ? "by itself" : zombie->err.text);
    struct hr_store *copy = zombie->memory;
    sim_instance_close(zombie);
    hr_store_close(copy);
    world->paused = false;
}

/* Closes world->current, which may sleep as it lets go of its sinks: then its successor is world->current. */
static void world_close(struct sim_world *world)
{
    struct sim_instance *instance = world->current;
    sim_instance_close(instance);
    if (instance->superseded) {
        hr_store_close(instance->memory);
        world->paused = false;
    } else {
        world->current = NULL;
    }
}

/* Starts an instance as world->current; false: it did not come up. */
static bool world_start(struct sim_world *world)
{
    struct sim_instance *instance = sim_instance_new(world);
    world->current = instance;
    enum hr_status status = sim_instance_open(instance);
    if (instance->superseded) {
        zombie_finish(instance, status);
        return false;
    }
    if (status != HR_OK) {
        instance_judge(instance, status);
        world_close(world);
        return false;
    }
    world_note_batch(world, instance, &instance->plan->plan->source->position);
    return true;
}

/* One batch of world->current. */
static void world_batch(struct sim_world *world)
{
    struct sim_instance *instance = world->current;
    enum hr_status status = sim_instance_batch(instance);
    if (instance->superseded) {
        zombie_finish(instance, status); /* world->current is the successor, or NULL */
        return;
    }
    if (status == HR_AGAIN) {
        return;
    }
    if (status == HR_OK) {
        world_note_batch(world, instance, &instance->run.record.end);
        return;
    }
    world->done = status == HR_END;
    if (!world->done) {
        instance_judge(instance, status);
    }
    world_close(world);
}

void sim_drive(struct sim_world *world, int64_t batches, int64_t starts)
{
    int64_t until = world->batches + batches;
    while (!world->done && world->failure[0] == '\0') {
        if (world->current == NULL) {
            if (starts-- == 0) {
                return;
            }
            if (!world_start(world)) {
                continue;
            }
        }
        if (world->batches >= until) {
            return;
        }
        world_batch(world);
    }
}

/* The sleeper holds a copy of the state from here on, as if its host had been cut off: were it the same directory, the
 * lock would not let a successor start. A successor that could not open all sinks has changed nothing. */
void sim_pause(struct sim_instance *instance)
{
    struct sim_world *world = instance->world;
    sim_trace(world, "#%d sleeps", instance->number);
    HR_ASSERT(world->current == instance);
    world->paused = true;
    world->successor_opened = false;
    world->current = NULL;
    instance->superseded = true;
    instance->memory = sim_store_copy(world->memory);
    if (sim_draw(world, 2) == 0) {
        hr_store_memory_crash(world->memory, sim_draw(world, 1u << 30));
    }
    sim_drive(world, (int64_t)sim_draw(world, 5), 3);
    if (!world->successor_opened) {
        HR_ASSERT(world->current == NULL);
        hr_store_close(world->memory);
        world->memory = instance->memory;
        world->current = instance;
        world->paused = instance->superseded = false;
    }
    sim_trace(world, "#%d wakes up%s", instance->number, instance->superseded ? "" : ", nobody took over");
}

bool sim_run_schedule(struct sim_world *world, uint64_t seed, int64_t schedule, bool traced)
{
    world->traced = traced;
    sim_world_begin(world, seed, schedule);
    sim_trace(world, "sinks %s, keep %d%s, logs end at %lld and %lld", sim_shapes[world->shape].sinks, world->keep,
              world->ahead ? ", read ahead" : "", (long long)world->log_end[0], (long long)world->log_end[1]);
    /* A copy of some early state, for sim_tamper. */
    struct hr_store *old = NULL;
    bool tampers = !world->single_fault && sim_draw(world, 8) == 0;
    if (tampers) {
        sim_drive(world, 1 + (int64_t)sim_draw(world, 3), STARTS_MAX);
        old = sim_store_copy(world->memory);
    }
    sim_drive(world, tampers ? 1 + (int64_t)sim_draw(world, 3) : INT64_MAX / 2, STARTS_MAX);
    if (tampers && world->failure[0] == '\0') {
        sim_tamper(world, &old);
    }
    sim_drive(world, INT64_MAX / 2, STARTS_MAX);
    hr_store_close(old);
    if (!world->done && world->failure[0] == '\0') {
        sim_fail(world, "the query did not come to its end after %d starts", STARTS_MAX);
    }
    if (world->current != NULL) {
        world_close(world);
    }
    if (world->failure[0] == '\0') {
        sim_check(world);
    }
    return world->failure[0] == '\0';
}
