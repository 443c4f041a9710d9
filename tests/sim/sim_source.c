/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated source: a log of two partitions whose records are a pure function of (log seed, partition, offset),
 * some of them bad, some offsets without a record. How far a batch goes is drawn anew at each plan, so that a range
 * that was not recorded does not come again; the reference run takes the ranges that were committed. In every second
 * schedule the next batch is read ahead.
 */
#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "sim.h"

#define LOG_NAME HR_STR("log")
#define BATCH_OFFSETS_MAX 5
#define BATCH_OFFSETS_AHEAD 2 /* small ones, so that many have a batch before them that is as large as it may be */
#define LOG_START_MAX 2
#define PARTITION_STRIDE 1000

struct sim_source {
    struct hr_source base;
    struct sim_instance *instance;
    bool waited;
    char text[SIM_PARTITIONS * SIM_STAGED_MAX][80];
};

static uint64_t record_hash(const struct sim_world *world, int64_t partition, int64_t offset)
{
    uint64_t state = world->log_seed ^ ((uint64_t)partition << 40) ^ ((uint64_t)offset << 8);
    return hr_random_splitmix(&state);
}

int64_t sim_record_id(int64_t partition, int64_t offset)
{
    return partition * PARTITION_STRIDE + offset;
}

enum sim_record sim_record_kind(const struct sim_world *world, int64_t partition, int64_t offset)
{
    uint64_t hash = record_hash(world, partition, offset);
    if ((int)(hash % 1000) < world->bad_per_mille) {
        return hash & (1u << 20) ? SIM_MALFORMED : SIM_BAD_LABEL;
    }
    switch (hash >> 32 & 15) {
    case 0:
        return SIM_GAP;
    case 1:
        return SIM_UNLABELLED;
    default:
        return SIM_GOOD;
    }
}

/* false: there is no record at this offset. */
static bool record_write(const struct sim_world *world, int64_t partition, int64_t offset, char text[80],
                         struct hr_record *out)
{
    uint64_t hash = record_hash(world, partition, offset);
    enum sim_record kind = sim_record_kind(world, partition, offset);
    int x = (int)(hash >> 40 & 63) - 32;
    int y = (int)(hash >> 48 & 63) - 32;
    int length = 0;
    if (kind == SIM_GAP) {
        return false;
    }
    if (kind == SIM_MALFORMED) {
        length = snprintf(text, 80, "{\"id\":");
    } else if (kind == SIM_BAD_LABEL && !sim_shapes[world->shape].classifies) {
        length = snprintf(text, 80, "{\"id\":1,\"x\":\"no number\"}");
    } else {
        int label = kind == SIM_BAD_LABEL ? 7 : x + y + (int)(hash >> 56 & 15) > 7;
        length =
            snprintf(text, 80, "{\"id\":%lld,\"x\":%d,\"y\":%d", (long long)sim_record_id(partition, offset), x, y);
        length += kind == SIM_UNLABELLED ? snprintf(text + length, 80 - (size_t)length, "}")
                                         : snprintf(text + length, 80 - (size_t)length, ",\"label\":%d}", label);
    }
    out->value = (struct hr_str){text, (size_t)length};
    out->origin = LOG_NAME;
    out->partition = (int32_t)partition;
    out->offset = offset;
    return true;
}

int64_t sim_offset_position(const struct hr_offsets *offsets, int64_t partition)
{
    const struct hr_offset *found = hr_offsets_find(offsets, LOG_NAME, (int32_t)partition);
    return found != NULL ? found->position : 0;
}

/* ---- the port ----------------------------------------------------------------------------------------------- */

static struct sim_source *source_of(struct hr_source *base)
{
    return (struct sim_source *)base;
}

static enum hr_status source_open(struct hr_source *base, const struct hr_offsets *committed, struct hr_error *err)
{
    struct sim_source *source = source_of(base);
    struct sim_world *world = source->instance->world;
    HR_TRY(sim_before(source->instance, SIM_SOURCE_OPEN, err));
    source->waited = false;
    if (committed != NULL) {
        hr_offsets_copy(&base->position, committed);
    }
    for (int64_t p = 0; committed == NULL && p < SIM_PARTITIONS; p++) {
        int64_t start = world->reference ? world->log_start[p] : (int64_t)sim_draw(world, LOG_START_MAX + 1);
        hr_offsets_set(&base->position, LOG_NAME, (int32_t)p, start);
        if (!source->instance->superseded) {
            world->log_start[p] = start;
        }
    }
    return sim_after(source->instance, SIM_SOURCE_OPEN, err);
}

static enum hr_status source_latest(struct hr_source *base, struct hr_offsets *out, struct hr_error *err)
{
    struct sim_source *source = source_of(base);
    HR_TRY(sim_before(source->instance, SIM_SOURCE_LATEST, err));
    for (int64_t p = 0; p < SIM_PARTITIONS; p++) {
        hr_offsets_set(out, LOG_NAME, (int32_t)p, source->instance->world->log_end[p]);
    }
    return sim_after(source->instance, SIM_SOURCE_LATEST, err);
}

/* Where the next batch ends; false: everything is read. */
static bool choose_ends(const struct sim_source *source, int64_t ends[SIM_PARTITIONS])
{
    struct sim_world *world = source->instance->world;
    int64_t waiting[SIM_PARTITIONS];
    int64_t all = 0;
    if (world->reference) {
        int64_t batch = source->instance->run.batch;
        memcpy(ends, world->ends[batch], sizeof(world->ends[0]));
        return batch < world->wanted_batches;
    }
    for (int64_t p = 0; p < SIM_PARTITIONS; p++) {
        ends[p] = sim_offset_position(&source->base.position, p);
        waiting[p] = world->log_end[p] - ends[p];
        all += waiting[p];
    }
    int64_t rows = 1 + (int64_t)sim_draw(world, world->ahead ? BATCH_OFFSETS_AHEAD : BATCH_OFFSETS_MAX);
    for (int64_t left = rows < all ? rows : all; left > 0; left--) {
        int64_t p = (int64_t)sim_draw(world, SIM_PARTITIONS);
        p = waiting[p] > 0 ? p : 1 - p;
        waiting[p]--;
        ends[p]++;
    }
    return all > 0;
}

static enum hr_status source_plan(struct hr_source *base, const struct hr_source_limit *limit,
                                  struct hr_offsets *out_end, struct hr_error *err)
{
    struct sim_source *source = source_of(base);
    struct sim_world *world = source->instance->world;
    int64_t ends[SIM_PARTITIONS];
    HR_TRY(sim_before(source->instance, SIM_SOURCE_PLAN, err));
    HR_ASSERT(limit->target != NULL);
    if (!world->reference && !source->waited && sim_draw(world, 8) == 0) {
        source->waited = true;
        return HR_AGAIN;
    }
    source->waited = false;
    if (!choose_ends(source, ends)) {
        return HR_END;
    }
    hr_offsets_copy(out_end, &base->position);
    for (int64_t p = 0; p < SIM_PARTITIONS; p++) {
        hr_offsets_set(out_end, LOG_NAME, (int32_t)p, ends[p]);
    }
    return sim_after(source->instance, SIM_SOURCE_PLAN, err);
}

static enum hr_status source_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                  struct hr_error *err)
{
    struct sim_source *source = source_of(base);
    const struct sim_world *world = source->instance->world;
    HR_TRY(sim_before(source->instance, SIM_SOURCE_READ, err));
    for (int64_t p = 0; p < SIM_PARTITIONS; p++) {
        int64_t last = sim_offset_position(end, p);
        int64_t offset = sim_offset_position(&base->position, p);
        struct hr_offset *position = hr_offsets_set(&base->position, LOG_NAME, (int32_t)p, last);
        for (; offset < last; offset++) {
            struct hr_record record = {0};
            if (!record_write(world, p, offset, source->text[out->count], &record)) {
                continue;
            }
            *hr_records_add(out) = record;
            position->has_anchor = true;
            position->anchor_offset = offset;
            position->anchor_crc = hr_crc32c(0, record.value.data, record.value.length);
        }
    }
    return sim_after(source->instance, SIM_SOURCE_READ, err);
}

static void source_committed(struct hr_source *base, const struct hr_offsets *end)
{
    (void)end;
    if (sim_before(source_of(base)->instance, SIM_SOURCE_COMMITTED, NULL) == HR_OK) {
        (void)sim_after(source_of(base)->instance, SIM_SOURCE_COMMITTED, NULL);
    }
}

static void source_close(struct hr_source *base)
{
    (void)base;
}

static const struct hr_source_type simulated_type = {
    .kind = {.name = "simulated"},
    .flags = HR_SOURCE_REPLAYABLE,
    .open = source_open,
    .latest = source_latest,
    .plan = source_plan,
    .read = source_read,
    .committed = source_committed,
    .close = source_close,
};

struct hr_source *sim_source_new(struct hr_source *replaced, struct hr_arena *arena)
{
    struct sim_source *source = hr_arena_new(arena, struct sim_source);
    hr_source_close(replaced);
    source->base = *replaced;
    source->base.type = &simulated_type;
    source->base.flags = simulated_type.flags;
    return &source->base;
}

void sim_source_attach(struct hr_source *source, struct sim_instance *instance)
{
    source_of(source)->instance = instance;
    bool ahead = instance != NULL && instance->world->ahead && !instance->world->reference;
    source->flags = simulated_type.flags | (ahead ? HR_SOURCE_AHEAD : 0);
    source->rows_per_trigger_max = ahead ? BATCH_OFFSETS_AHEAD : INT64_MAX;
}

struct sim_instance *sim_source_instance(struct hr_source *source)
{
    return source_of(source)->instance;
}
