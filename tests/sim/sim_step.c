/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps: each call of a port counts twice, before its effect and after it, and at the step that the schedule says the
 * instance dies, gets an error or falls asleep.
 */
#include <stdarg.h>
#include <stdio.h>

#include "sim.h"

#define STEP_NAME(name, text, fails) text,
const char *const sim_step_names[SIM_STEP_COUNT] = {SIM_STEPS(STEP_NAME)};
#undef STEP_NAME
#define STEP_FAILS(name, text, fails) fails,
const bool sim_step_fails[SIM_STEP_COUNT] = {SIM_STEPS(STEP_FAILS)};
#undef STEP_FAILS
const char *const sim_fault_names[SIM_FAULT_COUNT] = {"crash", "error", "pause"};
uint64_t sim_reached[SIM_STEP_COUNT][2][SIM_FAULT_COUNT];

void sim_trace(const struct sim_world *world, const char *format, ...)
{
    if (!world->traced) {
        return;
    }
    printf("%s%6lld  ", world->reference ? "reference " : "", (long long)world->step);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void sim_fail(struct sim_world *world, const char *format, ...)
{
    char text[sizeof(world->failure)];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    sim_trace(world, "FAILED: %s", text);
    if (world->failure[0] == '\0') {
        (void)snprintf(world->failure, sizeof(world->failure), "%s", text);
    }
}

void sim_draw_fault(struct sim_world *world)
{
    static const enum sim_fault faults[] = {SIM_CRASH, SIM_CRASH, SIM_CRASH, SIM_ERROR, SIM_ERROR, SIM_PAUSE};
    if (world->faults_left == 0) {
        world->next_step = -1;
        return;
    }
    world->faults_left--;
    world->next_step = world->step + 1 + (int64_t)sim_draw(world, (uint64_t)world->fault_span);
    world->next_fault = faults[sim_draw(world, HR_ARRAY_LEN(faults))];
}

/* May this instance sleep now? Only one does at a time, and only when a successor's start takes every sink from it: one
 * that wakes up half started would be a second copy of the state, not a zombie; two that both take the sinks over with
 * a new lineage would be two queries. */
static bool can_pause(const struct sim_instance *instance)
{
    const struct sim_world *world = instance->world;
    return !world->paused && !world->reference && !world->new_lineage && instance->sinks_open == world->sink_count;
}

static enum hr_status fire(struct sim_instance *instance, enum sim_step step, bool after, struct hr_error *err)
{
    struct sim_world *world = instance->world;
    enum sim_fault fault = world->next_fault;
    if (fault == SIM_ERROR && !sim_step_fails[step]) {
        fault = SIM_CRASH;
    }
    if (fault == SIM_PAUSE && !can_pause(instance)) {
        fault = SIM_CRASH;
    }
    sim_draw_fault(world);
    sim_reached[step][after][fault]++;
    sim_trace(world, "#%d %s: %s %s its effect", instance->number, sim_step_names[step], sim_fault_names[fault],
              after ? "after" : "before");
    if (fault == SIM_PAUSE) {
        sim_pause(instance);
        return HR_OK;
    }
    instance->excused = true;
    instance->dead = fault == SIM_CRASH;
    return hr_fail(err, step <= SIM_STORE_MARK ? HR_IO : HR_UNAVAILABLE, "simulated %s at step %lld",
                   sim_fault_names[fault], (long long)world->step);
}

static enum hr_status take_step(struct sim_instance *instance, enum sim_step step, bool after, struct hr_error *err)
{
    struct sim_world *world = instance->world;
    if (instance->dead) {
        return hr_fail(err, HR_UNAVAILABLE, "this instance is dead");
    }
    world->step++;
    if (world->traced && !after) {
        sim_trace(world, "#%d %s", instance->number, sim_step_names[step]);
    }
    return HR_UNLIKELY(world->step == world->next_step) ? fire(instance, step, after, err) : HR_OK;
}

enum hr_status sim_before(struct sim_instance *instance, enum sim_step step, struct hr_error *err)
{
    return take_step(instance, step, false, err);
}

enum hr_status sim_after(struct sim_instance *instance, enum sim_step step, struct hr_error *err)
{
    return take_step(instance, step, true, err);
}
