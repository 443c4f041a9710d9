/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans for the simulation: a real query file is built, then its source and sinks are replaced by simulated ones. To
 * build one takes longer than a whole schedule, so plans are used again: what learns is put back to what it was when
 * the plan was new. One start in REBUILD_EVERY builds a new one, so that a plan that remembers more than that is found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sim.h"

/* Main line, successor, reference and tampering have one each, of each shape. */
#define PLANS_MAX 64
#define REBUILD_EVERY 2048

#define CLASS_EVALUATION \
    "\nevaluation: {metrics: [accuracy, logLoss, kappaT], windows: {slidingRows: 7, fadingFactor: 0.9}}"
#define K_MEANS "{random: {dim: 2, weight: 1.0, seed: 5}}"

/* k: transactional, rows; m: transactional, progress documents; f: file; a: at least once; d: dead letters,
 * transactional; e: dead letters, file. */
const struct sim_shape sim_shapes[] = {
    {"k1", "model: {type: OnlineLogisticRegression, optimizer: ftrl}", true},
    {"k1 k2 d", "model: {type: OnlineLogisticRegression, optimizer: adagrad}", true},
    {"k1 f1 a1 d", "model: {type: StreamingLogisticRegressionWithSGD, numIterations: 3}", true},
    {"f1 m1 d", "model: {type: OnlineLogisticRegression}" CLASS_EVALUATION, true},
    {"k1 k2 a1 f1 a2 m1 d", "model: {type: OnlineLogisticRegression, optimizer: ftrl}" CLASS_EVALUATION, true},
    {"a1 d", "model: {type: StreamingLinearRegressionWithSGD, numIterations: 3}", false},
    {"f1 f2 e", "model: {type: StreamingKMeans, k: 3, decayFactor: 0.5, timeUnit: points, initialCenters: " K_MEANS "}",
     false},
    {"m1 k1 d", "model: {type: StreamingKMeans, k: 9, initialCenters: " K_MEANS "}\nevaluation: {}", false},
    {"a1 k1 m1", "model: {type: StreamingLinearRegressionWithSGD, numIterations: 2}\nevaluation: {}", false},
    {"d", "model: {type: OnlineLogisticRegression, optimizer: ftrl}", true},
    {"k1 e", "model: {type: StreamingLogisticRegressionWithSGD, numIterations: 2}" CLASS_EVALUATION, true},
};
const size_t sim_shape_count = HR_ARRAY_LEN(sim_shapes);

/* State of a new plan, region by region. */
struct sim_pristine {
    struct hr_paged *regions[4];
    struct hr_paged copies[4]; /* data and dirty are copies */
    size_t count;
};

static struct sim_plan plans[PLANS_MAX];
static uint64_t taken_count;

static const char query_text[] = "apiVersion: headrace/v1\n"
                                 "kind: Query\n"
                                 "name: simulated\n"
                                 "trigger: {availableNow: true}\n"
                                 "source:\n"
                                 "  type: file\n"
                                 "  path: nothing\n"
                                 "  schema: \"id long, x double, y double, label integer\"\n"
                                 "pipeline:\n"
                                 "  stages:\n"
                                 "    - {type: VectorAssembler, inputCols: [x, y], outputCol: raw}\n"
                                 "    - {type: OnlineStandardScaler, inputCol: raw, outputCol: features}\n";

/* ---- shapes ------------------------------------------------------------------------------------------------- */

static const struct {
    char letter;
    enum sim_sink_kind kind;
    enum sim_sink_content content;
    const char *yaml; /* of the real sink that is replaced */
} letters[] = {
    {'k', SIM_TRANSACTIONAL, SIM_ROWS, "type: file, path: %s"},
    {'m', SIM_TRANSACTIONAL, SIM_METRICS, "type: file, path: %s, content: metrics"},
    {'f', SIM_FILE, SIM_ROWS, "type: file, path: %s"},
    {'a', SIM_PRINTED, SIM_ROWS, "type: console"},
    {'d', SIM_TRANSACTIONAL, SIM_DEAD_LETTERS, "type: file, path: %s, maxRatio: 0.9"},
    {'e', SIM_FILE, SIM_DEAD_LETTERS, "type: file, path: %s, maxRatio: 0.9"},
};

static size_t letter_find(char letter)
{
    size_t i = 0;
    while (letters[i].letter != letter) {
        i++;
    }
    return i;
}

void sim_plan_describe_sinks(size_t shape, struct sim_memory *sinks, size_t *count)
{
    *count = 0;
    for (const char *id = sim_shapes[shape].sinks; id != NULL;
         id = strchr(id, ' ') != NULL ? strchr(id, ' ') + 1 : NULL) {
        size_t letter = letter_find(*id);
        sinks[*count].kind = letters[letter].kind;
        sinks[*count].content = letters[letter].content;
        ++*count;
    }
}

static void shape_write(size_t shape, FILE *file)
{
    char copy[64];
    bool list = false;
    (void)snprintf(copy, sizeof(copy), "%s", sim_shapes[shape].sinks);
    (void)fprintf(file, "%s%s\n", query_text, sim_shapes[shape].model);
    char *rest = copy;
    for (const char *id = strsep(&rest, " "); id != NULL; id = strsep(&rest, " ")) {
        size_t letter = letter_find(*id);
        bool dead_letter = letters[letter].content == SIM_DEAD_LETTERS;
        (void)fputs(dead_letter ? "deadLetter: {" : list ? "  - {" : "sinks:\n  - {", file);
        list = list || !dead_letter;
        if (!dead_letter) {
            (void)fprintf(file, "id: %s, ", id);
        }
        char yaml[128];
        (void)snprintf(yaml, sizeof(yaml), "%s", letters[letter].yaml);
        char *place = strstr(yaml, "%s");
        if (place != NULL) {
            *place = '\0';
        }
        (void)fprintf(file, "%s%s%s}\n", yaml, place != NULL ? id : "", place != NULL ? place + 2 : "");
    }
}

/* ---- building ----------------------------------------------------------------------------------------------- */

static struct hr_plan *plan_build(size_t shape)
{
    char path[] = "/tmp/headrace-sim-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL) {
        perror(path);
        abort();
    }
    shape_write(shape, file);
    (void)fclose(file);
    struct hr_plan_settings settings = {.purpose = HR_PLAN_RUN};
    struct hr_findings findings;
    hr_findings_init(&findings);
    struct hr_plan *plan = hr_plan_build(path, &settings, &findings);
    (void)unlink(path);
    if (plan == NULL) {
        (void)fprintf(stderr, "protocol_sim: %s\n", findings.first->message);
        abort();
    }
    hr_findings_release(&findings);
    return plan;
}

static void plan_replace(struct sim_plan *entry)
{
    struct hr_plan *plan = entry->plan;
    struct sim_memory sinks[SIM_SINKS_MAX];
    size_t count;
    sim_plan_describe_sinks(entry->shape, sinks, &count);
    plan->source = sim_source_new(plan->source, &plan->arena);
    for (size_t i = 0; i < plan->sink_count; i++) {
        plan->sinks[i] = sim_sink_new(plan->sinks[i], sinks[i].kind, sinks[i].content, i, &plan->schema, &plan->arena);
    }
    if (plan->dead_letter != NULL) {
        size_t last = count - 1;
        plan->dead_letter->sink = sim_sink_new(plan->dead_letter->sink, sinks[last].kind, sinks[last].content, last,
                                               &plan->schema, &plan->arena);
    }
}

static void pristine_keep(struct sim_pristine *pristine, struct hr_paged *region)
{
    struct hr_paged *copy = &pristine->copies[pristine->count];
    size_t pages = hr_paged_page_count(region);
    *copy = *region;
    copy->data = hr_alloc(region->size);
    copy->dirty = hr_alloc(pages);
    if (region->size > 0) {
        memcpy(copy->data, region->data, region->size);
        memcpy(copy->dirty, region->dirty, pages);
    }
    pristine->regions[pristine->count++] = region;
}

static void pristine_restore(const struct sim_pristine *pristine)
{
    for (size_t i = 0; i < pristine->count; i++) {
        struct hr_paged *region = pristine->regions[i];
        const struct hr_paged *copy = &pristine->copies[i];
        if (region->size > 0) {
            memset(region->data, 0, region->size);
        }
        region->size = copy->size;
        if (copy->size > 0) {
            memcpy(region->data, copy->data, copy->size);
            memcpy(region->dirty, copy->dirty, hr_paged_page_count(copy));
        }
    }
}

static void plan_make(struct sim_plan *entry, size_t shape)
{
    *entry = (struct sim_plan){.plan = plan_build(shape), .shape = shape};
    plan_replace(entry);
    entry->pristine = hr_calloc(1, sizeof(*entry->pristine));
    for (size_t i = 0; i < entry->plan->pipeline.count; i++) {
        struct hr_stage *stage = entry->plan->pipeline.stages[i];
        if (stage->type->flags & HR_STAGE_ONLINE) {
            pristine_keep(entry->pristine, &stage->state);
        }
    }
    pristine_keep(entry->pristine, &entry->plan->model->state);
    if (entry->plan->evaluation != NULL) {
        pristine_keep(entry->pristine, &entry->plan->evaluation->state);
    }
}

static void plan_unmake(struct sim_plan *entry)
{
    sim_plan_attach(entry, NULL);
    hr_plan_free(entry->plan);
    for (size_t i = 0; entry->pristine != NULL && i < entry->pristine->count; i++) {
        hr_free(entry->pristine->copies[i].data);
        hr_free(entry->pristine->copies[i].dirty);
    }
    hr_free(entry->pristine);
    *entry = (struct sim_plan){0};
}

/* ---- using -------------------------------------------------------------------------------------------------- */

struct sim_plan *sim_plan_take(struct sim_world *world)
{
    struct sim_plan *found = NULL;
    struct sim_plan *spare = NULL;
    for (size_t i = 0; i < PLANS_MAX; i++) {
        if (plans[i].taken) {
            continue;
        }
        spare = spare == NULL || plans[i].plan == NULL ? &plans[i] : spare;
        if (plans[i].plan != NULL && plans[i].shape == world->shape) {
            found = &plans[i];
        }
    }
    HR_ASSERT(spare != NULL);
    if (found == NULL || ++taken_count % REBUILD_EVERY == 0) {
        found = found == NULL ? spare : found;
        plan_unmake(found);
        plan_make(found, world->shape);
    }
    found->taken = true;
    return found;
}

void sim_plan_give_back(struct sim_plan *plan, bool spoiled)
{
    if (spoiled) {
        plan_unmake(plan);
        return;
    }
    pristine_restore(plan->pristine);
    plan->taken = false;
}

void sim_plan_attach(struct sim_plan *entry, struct sim_instance *instance)
{
    struct hr_plan *plan = entry->plan;
    if (plan == NULL) {
        return;
    }
    sim_source_attach(plan->source, instance);
    for (size_t i = 0; i < plan->sink_count; i++) {
        sim_sink_attach(plan->sinks[i], instance);
    }
    if (plan->dead_letter != NULL) {
        sim_sink_attach(plan->dead_letter->sink, instance);
    }
}

void sim_plans_free(void)
{
    for (size_t i = 0; i < PLANS_MAX; i++) {
        plan_unmake(&plans[i]);
    }
}
