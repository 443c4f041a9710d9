/* SPDX-License-Identifier: Apache-2.0
 *
 * What must be true at the end. First without any engine: each record that can be used is once in each exactly-once
 * sink and at least once in the others, each that cannot is one dead letter. Then against a run of the same engine over
 * the same batches that never crashed: the same rows in the same order with the same bits, the same documents, and a
 * store that is the same byte for byte (model, scaler and window of every kept batch, records, nothing left over).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sim.h"

static struct sim_world reference;

static bool is_expected(const struct sim_world *world, enum sim_sink_content content, int64_t partition, int64_t offset)
{
    enum sim_record kind = sim_record_kind(world, partition, offset);
    bool bad = kind == SIM_MALFORMED || kind == SIM_BAD_LABEL;
    return kind != SIM_GAP && bad == (content == SIM_DEAD_LETTERS);
}

static size_t count_id(const struct sim_memory *memory, int64_t id)
{
    size_t count = 0;
    for (size_t i = 0; i < memory->row_count; i++) {
        count += memory->rows[i].id == id;
    }
    return count;
}

static void check_id(struct sim_world *world, size_t index, int64_t id, bool expected)
{
    const struct sim_memory *memory = &world->sinks[index];
    size_t count = count_id(memory, id);
    if (count == 0 && expected) {
        sim_fail(world, "sink %zu lacks %lld", index, (long long)id);
    } else if (count > 0 && !expected) {
        sim_fail(world, "sink %zu has %lld, which does not belong there", index, (long long)id);
    } else if (count > 1 && memory->kind != SIM_PRINTED) {
        sim_fail(world, "sink %zu has %lld %zu times", index, (long long)id, count);
    }
}

static void check_records(struct sim_world *world)
{
    for (size_t i = 0; i < world->sink_count; i++) {
        const struct sim_memory *memory = &world->sinks[i];
        for (int64_t batch = 0; memory->content == SIM_METRICS && batch < world->batches; batch++) {
            check_id(world, i, batch, true);
        }
        for (int64_t p = 0; memory->content != SIM_METRICS && p < SIM_PARTITIONS; p++) {
            for (int64_t offset = world->log_start[p]; offset < world->log_end[p]; offset++) {
                check_id(world, i, sim_record_id(p, offset), is_expected(world, memory->content, p, offset));
            }
        }
    }
}

/* ---- the run that never crashed ----------------------------------------------------------------------------- */

static void reference_run(struct sim_world *world)
{
    sim_world_begin(&reference, world->seed, world->schedule);
    reference.reference = true;
    reference.traced = false;
    reference.next_step = -1;
    memcpy(reference.log_start, world->log_start, sizeof(reference.log_start));
    reference.wanted_batches = world->batches;
    memcpy(reference.ends, world->ends, sizeof(reference.ends));
    struct hr_buf meta HR_CLEANUP(hr_buf_release);
    hr_buf_init(&meta, 1 << 20);
    struct sim_instance *reader = sim_instance_new(world);
    bool created;
    struct hr_checkpoint_info info = {0};
    if (hr_checkpoint_open_store(&reader->store.store, HR_STR("{}"), "00000000-0000-4000-8000-000000000000",
                                 world->keep, &reader->checkpoint, &created, &reader->err) != HR_OK) {
        sim_fail(world, "the checkpoint cannot be opened at the end: %s", reader->err.text);
    } else {
        hr_checkpoint_info(reader->checkpoint, &info);
        uint64_t pages;
        uint64_t bytes;
        if (hr_checkpoint_verify(reader->checkpoint, &pages, &bytes, &reader->err) != HR_OK) {
            sim_fail(world, "the checkpoint is damaged at the end: %s", reader->err.text);
        }
    }
    sim_instance_close(reader);
    memcpy(reference.lineage, info.lineage, sizeof(reference.lineage));
    int64_t batches = world->batches;
    sim_drive(&reference, INT64_MAX / 2, 1);
    if (!reference.done || reference.batches != batches) {
        sim_fail(world, "the reference run ended with batch %lld of %lld: %s", (long long)reference.batches,
                 (long long)batches, reference.failure);
    }
}

static bool has_row(const struct sim_memory *memory, const struct sim_row *row)
{
    for (size_t i = 0; i < memory->row_count; i++) {
        if (memory->rows[i].id == row->id && memory->rows[i].value == row->value) {
            return true;
        }
    }
    return false;
}

static void check_rows(struct sim_world *world, size_t index)
{
    const struct sim_memory *mine = &world->sinks[index];
    const struct sim_memory *wanted = &reference.sinks[index];
    if (mine->kind == SIM_PRINTED) {
        /* Nothing fences a zombie here. */
        for (size_t i = 0; !world->stray_prints && i < mine->row_count; i++) {
            if (!has_row(wanted, &mine->rows[i])) {
                sim_fail(world, "sink %zu: row %lld has another value than in the reference run", index,
                         (long long)mine->rows[i].id);
            }
        }
        return;
    }
    if (mine->row_count != wanted->row_count) {
        sim_fail(world, "sink %zu has %zu rows, the reference run %zu", index, mine->row_count, wanted->row_count);
        return;
    }
    for (size_t i = 0; i < mine->row_count; i++) {
        if (mine->rows[i].id != wanted->rows[i].id || mine->rows[i].value != wanted->rows[i].value) {
            sim_fail(world, "sink %zu, row %zu: %lld (%016llx), the reference run has %lld (%016llx)", index, i,
                     (long long)mine->rows[i].id, (unsigned long long)mine->rows[i].value,
                     (long long)wanted->rows[i].id, (unsigned long long)wanted->rows[i].value);
            return;
        }
    }
}

struct difference {
    struct hr_str key;
    size_t byte; /* of key and value together */
};

/* The first entry of two dumps that is not the same. */
static struct difference dump_compare(const struct hr_buf *mine, const struct hr_buf *wanted)
{
    uint32_t lengths[2];
    size_t place = 0;
    while (place + sizeof(lengths) <= mine->length) {
        memcpy(lengths, mine->data + place, sizeof(lengths));
        size_t size = sizeof(lengths) + lengths[0] + lengths[1];
        if (place + size > wanted->length || memcmp(mine->data + place, wanted->data + place, size) != 0) {
            break;
        }
        place += size;
    }
    if (place + sizeof(lengths) > mine->length) {
        return (struct difference){HR_STR("(end)"), 0};
    }
    size_t byte = 0;
    while (place + byte < mine->length && place + byte < wanted->length &&
           mine->data[place + byte] == wanted->data[place + byte]) {
        byte++;
    }
    return (struct difference){{mine->data + place + sizeof(lengths), lengths[0]}, byte};
}

/* For people: what is not a letter is a dot. */
static void key_text(struct hr_str key, char out[64])
{
    size_t length = key.length < 63 ? key.length : 63;
    for (size_t i = 0; i < length; i++) {
        out[i] = key.data[i];
        if (out[i] < ' ' || out[i] > '~') {
            out[i] = '.';
        }
    }
    out[length] = '\0';
}

static void check_store(struct sim_world *world)
{
    static struct hr_buf mine = {.maximum = 1u << 28};
    static struct hr_buf wanted = {.maximum = 1u << 28};
    sim_store_dump(world->memory, &mine);
    sim_store_dump(reference.memory, &wanted);
    if (!hr_str_equal(hr_buf_str(&mine), hr_buf_str(&wanted))) {
        char key[64];
        struct difference difference = dump_compare(&mine, &wanted);
        key_text(difference.key, key);
        sim_fail(world,
                 "the store has %zu bytes and is not that of the reference run, which has %zu; the first difference is "
                 "at key '%s', byte %zu",
                 mine.length, wanted.length, key, difference.byte);
    }
}

void sim_check(struct sim_world *world)
{
    world->next_step = -1;
    check_records(world);
    reference_run(world);
    if (world->failure[0] != '\0') {
        return;
    }
    for (size_t i = 0; i < world->sink_count; i++) {
        check_rows(world, i);
    }
    check_store(world);
}

void sim_check_free(void)
{
    sim_world_release(&reference);
}
