/* SPDX-License-Identifier: Apache-2.0
 *
 * Making and clearing a run: its parts and sinks are those of the plan.
 */
#include "stream/run.h"

#include <string.h>

const char *const hr_step_names[HR_STEP_COUNT] = {
#define STEP_NAME(name, text) text,
    HR_STEPS(STEP_NAME)
#undef STEP_NAME
};

/* A record and a progress document are a few KiB; positions of many files or partitions make them larger. */
#define RUN_BUFFER_MAX (256u << 20)

static void run_add_part(struct hr_run *run, const char *kind, const char *id, struct hr_paged *paged)
{
    struct hr_checkpoint_part *part = &run->parts[run->part_count++];
    part->name = hr_arena_printf(&run->plan->arena, "%s:%s", kind, id);
    part->paged = paged;
}

static void run_find_parts(struct hr_run *run)
{
    struct hr_plan *plan = run->plan;
    run->parts = hr_arena_array(&plan->arena, plan->pipeline.count + 3, struct hr_checkpoint_part);
    for (size_t i = 0; i < plan->pipeline.count; i++) {
        struct hr_stage *stage = plan->pipeline.stages[i];
        if (stage->type->flags & HR_STAGE_ONLINE) {
            run_add_part(run, "stage", stage->id, &stage->state);
        }
    }
    if (plan->model != NULL) {
        run_add_part(run, "model", plan->model->id, &plan->model->state);
    }
    if (plan->evaluation != NULL) {
        run_add_part(run, "evaluation", plan->model->id, &plan->evaluation->state);
    }
    if (plan->dead_letter != NULL && plan->dead_letter->max_ratio > 0) {
        run_add_part(run, "deadLetter", "window", &run->bad_records);
    }
}

void hr_run_init(struct hr_run *run, struct hr_plan *plan, struct hr_checkpoint *checkpoint,
                 const struct hr_clock *clock, struct hr_stop *stop)
{
    *run = (struct hr_run){.plan = plan, .checkpoint = checkpoint, .clock = clock, .stop = stop, .learning = true};
    hr_arena_init(&run->batch_arena, 0);
    hr_arena_init(&run->chunk_arena, 1u << 20);
    hr_buf_init(&run->buffer, RUN_BUFFER_MAX);
    hr_read_ahead_init(&run->ahead);
    hr_paged_init(&run->bad_records, HR_PAGE_SIZE);
    hr_rejects_init(&run->rejects, &run->batch_arena);
    run->record.batch = -1;
    for (size_t i = 0; i < plan->sink_count; i++) {
        run->sinks[run->sink_count++].sink = plan->sinks[i];
    }
    if (plan->dead_letter != NULL) {
        run->sinks[run->sink_count++].sink = plan->dead_letter->sink;
    }
    run_find_parts(run);
}

void hr_run_release(struct hr_run *run)
{
    hr_read_ahead_release(&run->ahead);
    hr_offsets_release(&run->target);
    hr_batch_record_release(&run->record);
    hr_records_release(&run->records);
    hr_paged_release(&run->bad_records);
    hr_buf_release(&run->buffer);
    hr_arena_release(&run->chunk_arena);
    hr_arena_release(&run->batch_arena);
}

bool hr_run_commits_durably(const struct hr_run *run)
{
    bool needed = false;
    for (size_t i = 0; i < run->sink_count; i++) {
        needed = needed || run->sinks[i].sink->guarantee != HR_GUARANTEE_EXACTLY_ONCE;
    }
    return needed && (run->plan->source->flags & HR_SOURCE_CONSUMES) != 0;
}

void hr_run_leave(struct hr_run *run)
{
    int64_t now_ns = hr_clock_monotonic_ns(run->clock);
    run->step_ns[run->step] += now_ns - run->step_start_ns;
    run->step_start_ns = now_ns;
}

void hr_run_enter(struct hr_run *run, enum hr_step step)
{
    hr_run_leave(run);
    run->step = step;
}
