/* SPDX-License-Identifier: Apache-2.0
 *
 * State gate: a checkpoint's prepare and commit of dirty pages against one sorted, synced write of the same pages to
 * RocksDB under its plain settings.
 */
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "gates.h"
#include "state/checkpoint.h"

#define PAGES 1024u

static struct {
    char directory[64];
    struct hr_paged paged;
    struct hr_checkpoint *checkpoint;
    int64_t batch;
    rocksdb_t *raw;
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *synced;
} state;

static void require(bool right, const char *text)
{
    if (!right) {
        fprintf(stderr, "bench_gates: checkpoint: %s\n", text);
        exit(2);
    }
}

static void open_raw(void)
{
    char path[80];
    char *text = NULL;
    snprintf(path, sizeof(path), "%s/raw", state.directory);
    state.options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(state.options, 1);
    rocksdb_options_set_compression(state.options, rocksdb_no_compression);
    state.raw = rocksdb_open(state.options, path, &text);
    require(text == NULL, text);
    state.synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(state.synced, 1);
}

static void state_open(void)
{
    struct hr_error err = {0};
    bool created;
    char path[80];
    snprintf(state.directory, sizeof(state.directory), "/tmp/headrace-gates-XXXXXX");
    require(mkdtemp(state.directory) != NULL, "no temporary directory in /tmp");
    open_raw();
    snprintf(path, sizeof(path), "%s/checkpoint", state.directory);
    require(hr_checkpoint_open(path, HR_STR("{}"), "00000000-0000-4000-8000-000000000000", 2, &state.checkpoint,
                               &created, &err) == HR_OK,
            err.text);
    hr_paged_init(&state.paged, (size_t)PAGES * HR_PAGE_SIZE);
    require(hr_paged_resize(&state.paged, (size_t)PAGES * HR_PAGE_SIZE, &err) == HR_OK, err.text);
    uint64_t seed = 1;
    for (size_t i = 0; i < state.paged.size / sizeof(uint64_t); i++) {
        ((uint64_t *)state.paged.data)[i] = hr_random_splitmix(&seed);
    }
    state.batch = 0;
}

static void state_work(void)
{
    struct hr_error err = {0};
    struct hr_checkpoint_part part = {"model:gate", &state.paged};
    hr_paged_mark_range(&state.paged, 0, state.paged.size);
    require(hr_checkpoint_prepare(state.checkpoint, state.batch, HR_STR("{}"), &part, 1, &err) == HR_OK, err.text);
    require(hr_checkpoint_commit(state.checkpoint, false, &err) == HR_OK, err.text);
    state.batch++;
}

static void state_reference(void)
{
    char *text = NULL;
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    for (uint32_t page = 0; page < PAGES; page++) {
        uint8_t key[] = {'p', (uint8_t)(page >> 24), (uint8_t)(page >> 16), (uint8_t)(page >> 8), (uint8_t)page};
        rocksdb_writebatch_put(batch, (const char *)key, sizeof(key),
                               (const char *)state.paged.data + (size_t)page * HR_PAGE_SIZE, HR_PAGE_SIZE);
    }
    rocksdb_write(state.raw, state.synced, batch, &text);
    require(text == NULL, text);
    rocksdb_writebatch_destroy(batch);
}

static void state_close(void)
{
    char command[96];
    hr_checkpoint_close(state.checkpoint);
    hr_paged_release(&state.paged);
    rocksdb_close(state.raw);
    rocksdb_writeoptions_destroy(state.synced);
    rocksdb_options_destroy(state.options);
    snprintf(command, sizeof(command), "rm -rf '%s'", state.directory);
    require(system(command) == 0, "its directory in /tmp cannot be removed");
}

const struct gate gate_checkpoint = {
    .name = "checkpoint of 1,024 dirty pages / one RocksDB write",
    .bound = 2.0,
    .item = "page",
    .items = PAGES,
    .open = state_open,
    .work = state_work,
    .reference = state_reference,
    .close = state_close,
};
