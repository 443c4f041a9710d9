/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated sinks. What was written since begin is held by the instance; what is visible, and the ledger, are in
 * the world's memory:
 *
 *     transactional   rows and ledger become visible in one atomic step; opening it fences all earlier instances
 *     file            one lock; a manifest line, a rename, a directory sync, of which a crash may undo the rename
 *     printed         at least once: half of the rows, then the other half, no memory of what was written
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wire.h"
#include "sim.h"

struct sim_sink {
    struct hr_sink base;
    struct sim_instance *instance;
    size_t index; /* into the world's sinks */
    size_t id_column;
    size_t value_column;
    int64_t epoch; /* of this instance; 0: not open */
    struct sim_row staged[SIM_STAGED_MAX];
    size_t staged_count;
};

static struct sim_sink *sink_of(struct hr_sink *base)
{
    return (struct sim_sink *)base;
}

static struct sim_memory *memory_of(const struct sim_sink *sink)
{
    return &sink->instance->world->sinks[sink->index];
}

static enum hr_status sink_refuse(struct sim_sink *sink, enum hr_status status, const char *text, struct hr_error *err)
{
    sink->instance->excused = true;
    sim_trace(sink->instance->world, "#%d %s: %s", sink->instance->number, sink->base.id, text);
    return hr_fail(err, status, "%s", text);
}

static void memory_show(struct sim_memory *memory, const struct sim_row *rows, size_t count)
{
    if (memory->row_count + count > memory->row_capacity) {
        memory->row_capacity = memory->row_capacity * 2 + count + 64;
        memory->rows = hr_realloc_array(memory->rows, memory->row_capacity, sizeof(struct sim_row));
    }
    if (count > 0) {
        memcpy(memory->rows + memory->row_count, rows, count * sizeof(struct sim_row));
    }
    memory->row_count += count;
}

static void memory_enter(struct sim_memory *memory, const char *lineage, int64_t batch)
{
    memory->known = true;
    memcpy(memory->lineage, lineage, sizeof(memory->lineage));
    memory->batch = batch;
    memory->commits++;
}

/* ---- start -------------------------------------------------------------------------------------------------- */

/* A manifest line whose part is there counts, and its part is then there for good; one whose part is not does not. */
static void file_settle(struct sim_memory *memory)
{
    if (memory->pending && !memory->pending_visible) {
        memory->known = memory->pending_known;
        memcpy(memory->lineage, memory->pending_lineage, sizeof(memory->lineage));
        memory->batch = memory->pending_batch;
        memory->commits--;
    }
    memory->pending = false;
}

static enum hr_status sink_open(struct hr_sink *base, const struct hr_sink_identity *identity, struct hr_error *err)
{
    struct sim_sink *sink = sink_of(base);
    struct sim_memory *memory = memory_of(sink);
    (void)identity;
    HR_TRY(sim_before(sink->instance, SIM_SINK_OPEN, err));
    if (memory->kind == SIM_FILE) {
        if (memory->locked_by != NULL) {
            return sink_refuse(sink, HR_LOCKED, "the directory is locked", err);
        }
        memory->locked_by = sink->instance;
        file_settle(memory);
    }
    sink->epoch = memory->epoch + 1;
    if (!sim_has_bug(sink->instance->world, SIM_BUG_NO_FENCE)) {
        memory->epoch = sink->epoch;
    } else {
        sink->epoch = memory->epoch;
    }
    if (++sink->instance->sinks_open == sink->instance->world->sink_count) {
        sink->instance->world->successor_opened = true;
    }
    return sim_after(sink->instance, SIM_SINK_OPEN, err);
}

static enum hr_status sink_recover(struct hr_sink *base, struct hr_sink_position *out, struct hr_error *err)
{
    struct sim_sink *sink = sink_of(base);
    const struct sim_memory *memory = memory_of(sink);
    HR_TRY(sim_before(sink->instance, SIM_SINK_RECOVER, err));
    out->known = memory->known;
    if (memory->known) {
        memcpy(out->lineage, memory->lineage, sizeof(out->lineage));
        out->batch = memory->batch;
    }
    return sim_after(sink->instance, SIM_SINK_RECOVER, err);
}

/* ---- a batch ------------------------------------------------------------------------------------------------ */

static enum hr_status sink_begin(struct hr_sink *base, int64_t batch, struct hr_error *err)
{
    struct sim_sink *sink = sink_of(base);
    (void)batch;
    HR_TRY(sim_before(sink->instance, SIM_SINK_BEGIN, err));
    sink->staged_count = 0;
    return sim_after(sink->instance, SIM_SINK_BEGIN, err);
}

static void sink_stage(struct sim_sink *sink, int64_t id, uint64_t value)
{
    HR_ASSERT(sink->staged_count < SIM_STAGED_MAX);
    sink->staged[sink->staged_count++] = (struct sim_row){id, value};
}

static enum hr_status sink_write_rows(struct hr_sink *base, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct sim_sink *sink = sink_of(base);
    HR_TRY(sim_before(sink->instance, SIM_SINK_WRITE, err));
    for (size_t row = 0; row < chunk->rows; row++) {
        uint64_t bits;
        const struct hr_column *column = &chunk->columns[sink->value_column];
        double value = column->type == HR_TYPE_VECTOR ? column->vectors[row].values[1] : hr_column_number(column, row);
        memcpy(&bits, &value, sizeof(bits));
        sink_stage(sink, chunk->columns[sink->id_column].longs[row], bits);
    }
    return sim_after(sink->instance, SIM_SINK_WRITE, err);
}

/* The number behind a key of the document's outer object. */
static int64_t document_number(struct hr_str text, const char *key)
{
    const char *found = memmem(text.data, text.length, key, strlen(key));
    HR_ASSERT(found != NULL);
    return strtoll(found + strlen(key), NULL, 10);
}

static enum hr_status sink_write_document(struct hr_sink *base, const struct hr_document *document,
                                          struct hr_error *err)
{
    struct sim_sink *sink = sink_of(base);
    struct hr_str text = document->value;
    HR_TRY(sim_before(sink->instance, SIM_SINK_WRITE, err));
    int64_t id = memory_of(sink)->content == SIM_METRICS
                     ? document_number(text, "\"batchId\":")
                     : sim_record_id(document_number(text, "\"partition\":"), document_number(text, "\"offset\":"));
    sink_stage(sink, id, hr_crc32c(0, text.data, text.length));
    return sim_after(sink->instance, SIM_SINK_WRITE, err);
}

/* ---- commit ------------------------------------------------------------------------------------------------- */

static enum hr_status transaction_commit(struct sim_sink *sink, int64_t batch, struct hr_error *err)
{
    struct sim_memory *memory = memory_of(sink);
    HR_TRY(sim_before(sink->instance, SIM_SINK_COMMIT, err));
    if (memory->epoch != sink->epoch) {
        return sink_refuse(sink, HR_FENCED, "fenced", err);
    }
    memory_show(memory, sink->staged, sink->staged_count);
    if (sim_has_bug(sink->instance->world, SIM_BUG_LEDGER_OUTSIDE)) {
        HR_TRY(sim_before(sink->instance, SIM_SINK_LEDGER, err));
    }
    memory_enter(memory, sink->base.identity.lineage, batch);
    return sim_after(sink->instance, SIM_SINK_COMMIT, err);
}

static enum hr_status file_commit(struct sim_sink *sink, int64_t batch, struct hr_error *err)
{
    struct sim_memory *memory = memory_of(sink);
    HR_TRY(sim_before(sink->instance, SIM_PART_MANIFEST, err));
    if (!sink->base.dirty) { /* a lineage takes the directory over: a line without a part */
        memory_enter(memory, sink->base.identity.lineage, batch);
        return sim_after(sink->instance, SIM_PART_MANIFEST, err);
    }
    memory->pending = true;
    memory->pending_visible = false;
    memory->pending_known = memory->known;
    memcpy(memory->pending_lineage, memory->lineage, sizeof(memory->lineage));
    memory->pending_batch = memory->batch;
    memory->rows_before = memory->row_count;
    memory_enter(memory, sink->base.identity.lineage, batch);
    HR_TRY(sim_after(sink->instance, SIM_PART_MANIFEST, err));
    HR_TRY(sim_before(sink->instance, SIM_PART_RENAME, err));
    memory_show(memory, sink->staged, sink->staged_count);
    memory->pending_visible = true;
    HR_TRY(sim_after(sink->instance, SIM_PART_RENAME, err));
    HR_TRY(sim_before(sink->instance, SIM_PART_SYNC, err));
    memory->pending = false;
    return sim_after(sink->instance, SIM_PART_SYNC, err);
}

static enum hr_status print_commit(struct sim_sink *sink, struct hr_error *err)
{
    struct sim_memory *memory = memory_of(sink);
    size_t half = sink->staged_count / 2;
    HR_TRY(sim_before(sink->instance, SIM_PRINT_FIRST, err));
    sink->instance->world->stray_prints = sink->instance->world->stray_prints || sink->instance->superseded;
    memory_show(memory, sink->staged, half);
    HR_TRY(sim_after(sink->instance, SIM_PRINT_FIRST, err));
    HR_TRY(sim_before(sink->instance, SIM_PRINT_REST, err));
    memory_show(memory, sink->staged + half, sink->staged_count - half);
    return sim_after(sink->instance, SIM_PRINT_REST, err);
}

static enum hr_status sink_commit(struct hr_sink *base, int64_t batch, struct hr_error *err)
{
    struct sim_sink *sink = sink_of(base);
    enum hr_status status = HR_OK;
    switch (memory_of(sink)->kind) {
    case SIM_TRANSACTIONAL:
        status = transaction_commit(sink, batch, err);
        break;
    case SIM_FILE:
        status = file_commit(sink, batch, err);
        break;
    case SIM_PRINTED:
        status = print_commit(sink, err);
        break;
    }
    if (status == HR_OK) {
        sim_trace(sink->instance->world, "#%d %s has batch %lld: %zu rows", sink->instance->number, base->id,
                  (long long)batch, sink->staged_count);
        sink->staged_count = 0;
    }
    return status;
}

static void sink_abort(struct hr_sink *base)
{
    struct sim_sink *sink = sink_of(base);
    if (sim_before(sink->instance, SIM_SINK_ABORT, NULL) == HR_OK) {
        sink->staged_count = 0;
        (void)sim_after(sink->instance, SIM_SINK_ABORT, NULL);
    }
}

static void sink_close(struct hr_sink *base)
{
    struct sim_sink *sink = sink_of(base);
    if (sink->instance == NULL) {
        return;
    }
    struct sim_memory *memory = memory_of(sink);
    if (memory->locked_by == sink->instance) {
        memory->locked_by = NULL;
    }
    sink->epoch = 0;
    sink->staged_count = 0;
}

void sim_sinks_crash(struct sim_world *world, struct sim_instance *instance, bool power_loss)
{
    for (size_t i = 0; i < world->sink_count; i++) {
        struct sim_memory *memory = &world->sinks[i];
        if (memory->kind != SIM_FILE || memory->locked_by != instance) {
            continue;
        }
        memory->locked_by = NULL;
        if (power_loss && memory->pending && memory->pending_visible && sim_draw(world, 2) == 0) {
            sim_trace(world, "the rename is lost");
            memory->pending_visible = false;
            memory->row_count = memory->rows_before;
        }
    }
}

static const struct hr_sink_type simulated_type = {
    .kind = {.name = "simulated"},
    .flags = HR_SINK_TRANSACTIONAL,
    .open = sink_open,
    .recover = sink_recover,
    .begin = sink_begin,
    .write_rows = sink_write_rows,
    .write_document = sink_write_document,
    .commit = sink_commit,
    .abort = sink_abort,
    .close = sink_close,
};

struct hr_sink *sim_sink_new(struct hr_sink *replaced, enum sim_sink_kind kind, enum sim_sink_content content,
                             size_t index, const struct hr_schema *schema, struct hr_arena *arena)
{
    struct sim_sink *sink = hr_arena_new(arena, struct sim_sink);
    hr_sink_close(replaced);
    HR_ASSERT((replaced->guarantee == HR_GUARANTEE_EXACTLY_ONCE) == (kind != SIM_PRINTED));
    HR_ASSERT((replaced->content == HR_CONTENT_METRICS) == (content == SIM_METRICS));
    sink->base = *replaced;
    sink->base.type = &simulated_type;
    sink->index = index;
    sink->id_column = hr_schema_find(schema, "id");
    static const char *const values[] = {"probability", "distance", "prediction"};
    sink->value_column = SIZE_MAX;
    for (size_t i = 0; i < HR_ARRAY_LEN(values) && sink->value_column == SIZE_MAX; i++) {
        sink->value_column = hr_schema_find(schema, values[i]);
    }
    return &sink->base;
}

void sim_sink_attach(struct hr_sink *base, struct sim_instance *instance)
{
    struct sim_sink *sink = sink_of(base);
    sink->instance = instance;
    sink->epoch = 0;
    sink->staged_count = 0;
}

struct sim_instance *sim_sink_instance(struct hr_sink *sink)
{
    return sink_of(sink)->instance;
}
