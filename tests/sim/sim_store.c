/* SPDX-License-Identifier: Apache-2.0
 *
 * The store port over the memory store: a synced write is first there, then durable, so that a crash or an error
 * between the two leaves it in doubt.
 */
#include <string.h>

#include "sim.h"
#include "sim_bug.h"

static struct sim_instance *instance_of(struct hr_store *store)
{
    return ((struct sim_store *)store)->instance;
}

void sim_store_settle(struct hr_store *memory)
{
    const struct hr_store_batch nothing = {0};
    (void)hr_store_write(memory, &nothing, true, NULL);
}

static enum hr_status port_write(struct hr_store *store, const struct hr_store_batch *batch, bool sync,
                                 struct hr_error *err)
{
    struct sim_instance *instance = instance_of(store);
    enum sim_step step = sync ? SIM_STORE_SYNC : SIM_STORE_WRITE;
    HR_TRY(sim_before(instance, step, err));
    HR_TRY(hr_store_write(instance->memory, batch, false, err));
    sim_bug_after_write(instance, batch);
    HR_TRY(sim_after(instance, step, err));
    if (sync && !sim_has_bug(instance->world, SIM_BUG_PREPARE_UNSYNCED)) {
        sim_store_settle(instance->memory);
    }
    return HR_OK;
}

static enum hr_status port_get(struct hr_store *store, struct hr_str key, struct hr_buf *out, struct hr_error *err)
{
    struct sim_instance *instance = instance_of(store);
    HR_TRY(sim_before(instance, SIM_STORE_READ, err));
    HR_TRY(hr_store_get(instance->memory, key, out, err));
    return sim_after(instance, SIM_STORE_READ, err);
}

static enum hr_status port_get_all(struct hr_store *store, const struct hr_str *keys, size_t count,
                                   hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    struct sim_instance *instance = instance_of(store);
    HR_TRY(sim_before(instance, SIM_STORE_READ, err));
    HR_TRY(hr_store_get_all(instance->memory, keys, count, visit, context, err));
    return sim_after(instance, SIM_STORE_READ, err);
}

static enum hr_status port_scan(struct hr_store *store, struct hr_str from, struct hr_str to, hr_store_visit_fn *visit,
                                void *context, struct hr_error *err)
{
    struct sim_instance *instance = instance_of(store);
    HR_TRY(sim_before(instance, SIM_STORE_READ, err));
    HR_TRY(hr_store_scan_range(instance->memory, from, to, visit, context, err));
    return sim_after(instance, SIM_STORE_READ, err);
}

static void port_close(struct hr_store *store)
{
    (void)store; /* the memory is the world's */
}

static const struct hr_store_type port_type = {
    .name = "simulated",
    .write = port_write,
    .get = port_get,
    .get_all = port_get_all,
    .scan = port_scan,
    .close = port_close,
};

void sim_store_init(struct sim_store *store, struct sim_instance *instance)
{
    *store = (struct sim_store){.store.type = &port_type, .instance = instance};
}

enum hr_status sim_mark(struct sim_instance *instance, int64_t batch, bool sync, struct hr_error *err)
{
    struct sim_world *world = instance->world;
    HR_TRY(sim_before(instance, SIM_STORE_MARK, err));
    if (!instance->superseded) { /* a zombie's copy has a mark of its own */
        world->mark = batch;
    }
    HR_TRY(sim_after(instance, SIM_STORE_MARK, err));
    if (sync && !instance->superseded) {
        world->mark_durable = batch;
    }
    return HR_OK;
}

void sim_store_crash(struct sim_instance *instance)
{
    struct sim_world *world = instance->world;
    hr_store_memory_crash(instance->memory, sim_draw(world, 1u << 30));
    if (!instance->superseded) {
        world->mark = world->mark_durable = sim_draw(world, 2) == 0 ? world->mark : world->mark_durable;
    }
}

static enum hr_status copy_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct hr_store_batch *batch = context;
    (void)err;
    hr_store_batch_put(batch, key, value);
    return HR_OK;
}

struct hr_store *sim_store_copy(struct hr_store *memory)
{
    struct hr_store *copy = hr_store_open_memory();
    struct hr_store_batch batch HR_CLEANUP(hr_store_batch_release) = {0};
    (void)hr_store_scan(memory, HR_STR(""), copy_visit, &batch, NULL);
    (void)hr_store_write(copy, &batch, true, NULL);
    return copy;
}

static enum hr_status dump_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct hr_buf *out = context;
    uint32_t lengths[2] = {(uint32_t)key.length, (uint32_t)value.length};
    (void)err;
    hr_buf_append(out, lengths, sizeof(lengths));
    hr_buf_append_str(out, key);
    hr_buf_append_str(out, value);
    return HR_OK;
}

void sim_store_dump(struct hr_store *memory, struct hr_buf *out)
{
    hr_buf_clear(out);
    (void)hr_store_scan(memory, HR_STR(""), dump_visit, out, NULL);
}
