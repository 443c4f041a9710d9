/* SPDX-License-Identifier: Apache-2.0
 *
 * The two writes of a batch, and the two ways back. Prepare writes the dirty pages as new versions beside the old ones,
 * the list of them, and the batch's record, in key order and in one synced write. Commit moves the committed batch on
 * and prunes, in one write that needs no sync.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/paged.h"
#include "base/wire.h"
#include "state/checkpoint_internal.h"

static int compare_parts(const void *a, const void *b)
{
    const struct hr_checkpoint_part *const *first = a;
    const struct hr_checkpoint_part *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

/* The caller's parts in the order of their keys. */
static const struct hr_checkpoint_part **sorted_parts(const struct hr_checkpoint_part *parts, size_t count,
                                                      struct hr_arena *arena)
{
    const struct hr_checkpoint_part **sorted = hr_arena_array(arena, count, const struct hr_checkpoint_part *);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &parts[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare_parts);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(sorted[i]->name);
        HR_ASSERT(length > 0 && length <= HR_PART_NAME_MAX);
        HR_ASSERT(i == 0 || strcmp(sorted[i]->name, sorted[i - 1]->name) != 0);
    }
    return sorted;
}

static struct hr_str page_content(const struct hr_paged *paged, size_t page)
{
    size_t offset = page * HR_PAGE_SIZE;
    size_t rest = paged->size - offset;
    const uint8_t *bytes = paged->data + offset;
    size_t length = hr_page_trim(bytes, rest < HR_PAGE_SIZE ? rest : HR_PAGE_SIZE);
    return (struct hr_str){(const char *)bytes, length};
}

static uint32_t delta_crc_part(uint32_t crc, const struct hr_checkpoint_part *part)
{
    uint64_t size = part->paged->size;
    crc = hr_crc32c(crc, part->name, strlen(part->name) + 1);
    return hr_crc32c(crc, &size, sizeof(size));
}

static uint32_t delta_crc_page(uint32_t crc, size_t page, struct hr_str content, uint32_t content_crc)
{
    uint64_t words[] = {page, content.length, content_crc};
    return hr_crc32c(crc, words, sizeof(words));
}

uint32_t hr_checkpoint_delta_crc(const struct hr_checkpoint_part *parts, size_t part_count)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 4096);
    const struct hr_checkpoint_part **sorted = sorted_parts(parts, part_count, &arena);
    uint32_t crc = 0;
    for (size_t i = 0; i < part_count; i++) {
        const struct hr_paged *paged = sorted[i]->paged;
        crc = delta_crc_part(crc, sorted[i]);
        for (size_t page = 0; page < hr_paged_page_count(paged); page++) {
            if (paged->dirty[page]) {
                struct hr_str content = page_content(paged, page);
                crc = delta_crc_page(crc, page, content, hr_crc32c(0, content.data, content.length));
            }
        }
    }
    return crc;
}

/* A prepare in the making. Everything lives in the checkpoint's scratch arena. */
struct preparation {
    struct hr_checkpoint *checkpoint;
    int64_t batch;
    struct hr_store_batch changes;
    struct hr_delta delta;
    uint32_t crc;
};

static struct hr_part_entry *table_insert(struct hr_part_table *table, struct hr_str name, struct hr_arena *arena)
{
    struct hr_part_entry *found = hr_part_table_find(table, name);
    if (found != NULL) {
        return found;
    }
    size_t place = table->count++;
    while (place > 0 && hr_str_compare(table->items[place - 1].name, name) > 0) {
        table->items[place] = table->items[place - 1];
        place--;
    }
    table->items[place] = (struct hr_part_entry){
        .name = {hr_arena_strndup(arena, name.data, name.length), name.length},
    };
    return &table->items[place];
}

static void prepare_page(struct preparation *preparation, struct hr_part_entry *entry, struct hr_page_version *version,
                         uint32_t page, struct hr_str content, uint32_t content_crc)
{
    char text[HR_PAGE_KEY_MAX];
    struct hr_str key = hr_key_page(entry->name, page, preparation->batch, text);
    key.data = memcpy(hr_arena_alloc(&preparation->checkpoint->scratch, key.length), text, key.length);
    uint32_t crc = hr_page_crc(content_crc, key);
    hr_store_batch_put_word(&preparation->changes, key, content, htole32(crc));
    if (version->batch >= 0) {
        entry->sum -= hr_page_hash(page, version->batch, version->crc);
    } else {
        entry->pages++;
    }
    entry->sum += hr_page_hash(page, preparation->batch, crc);
    *version = (struct hr_page_version){.batch = preparation->batch, .crc = crc};
}

static enum hr_status prepare_part(struct preparation *preparation, const struct hr_checkpoint_part *part,
                                   struct hr_error *err)
{
    struct hr_checkpoint *checkpoint = preparation->checkpoint;
    struct hr_part_index *index;
    HR_TRY(hr_checkpoint_index(checkpoint, part->name, &index, err));
    size_t pages = hr_paged_page_count(part->paged);
    hr_part_index_reserve(index, pages);
    struct hr_part_entry *entry =
        table_insert(&checkpoint->prepared_parts, hr_str_from(part->name), &checkpoint->prepared_arena);
    if (entry->size > part->paged->size) {
        return hr_fail(err, HR_MISMATCH, "part '%s' has %zu bytes, its checkpoint has %llu", part->name,
                       part->paged->size, (unsigned long long)entry->size);
    }
    entry->size = part->paged->size;
    struct hr_delta_part *delta = &preparation->delta.parts[preparation->delta.count++];
    *delta = (struct hr_delta_part){.name = entry->name};
    delta->pages = hr_arena_array(&checkpoint->scratch, pages, struct hr_delta_page);
    preparation->crc = delta_crc_part(preparation->crc, part);
    for (size_t page = 0; page < pages; page++) {
        if (!part->paged->dirty[page]) {
            continue;
        }
        struct hr_str content = page_content(part->paged, page);
        uint32_t content_crc = hr_crc32c(0, content.data, content.length);
        preparation->crc = delta_crc_page(preparation->crc, page, content, content_crc);
        struct hr_page_version *version = &index->versions[page];
        if (content.length == 0 && version->batch < 0) {
            continue;
        }
        delta->pages[delta->count++] = (struct hr_delta_page){.page = (uint32_t)page, .superseded = version->batch};
        prepare_page(preparation, entry, version, (uint32_t)page, content, content_crc);
    }
    return HR_OK;
}

static enum hr_status prepare_write(struct preparation *preparation, struct hr_str record, struct hr_error *err)
{
    struct hr_checkpoint *checkpoint = preparation->checkpoint;
    struct hr_buf delta HR_CLEANUP(hr_buf_release);
    struct hr_buf entry HR_CLEANUP(hr_buf_release);
    char delta_key[HR_BATCH_KEY_LENGTH];
    char entry_key[HR_BATCH_KEY_LENGTH];
    hr_buf_init(&delta, HR_STATE_VALUE_MAX);
    hr_buf_init(&entry, HR_STATE_VALUE_MAX);
    hr_delta_encode(&preparation->delta, preparation->batch, &delta);
    hr_batch_entry_encode(
        &(struct hr_batch_entry){
            .batch = preparation->batch,
            .previous_chain = checkpoint->committed_chain,
            .delta_crc = preparation->crc,
            .record = record,
            .parts = checkpoint->prepared_parts,
        },
        &entry);
    if (delta.overflow || entry.overflow) {
        return hr_fail(err, HR_BAD_DATA, "batch %lld: its record is larger than 2 GiB", (long long)preparation->batch);
    }
    hr_store_batch_put(&preparation->changes, hr_key_batch('d', preparation->batch, delta_key), hr_buf_str(&delta));
    hr_store_batch_put(&preparation->changes, hr_key_batch('r', preparation->batch, entry_key), hr_buf_str(&entry));
    hr_checkpoint_forget_dropped(checkpoint, &preparation->changes);
    HR_TRY(hr_checkpoint_write(checkpoint, &preparation->changes, true, err));
    checkpoint->dropped = -1;
    checkpoint->prepared_chain = hr_crc32c(checkpoint->committed_chain, entry.data, entry.length);
    return HR_OK;
}

static enum hr_status prepare_all(struct preparation *preparation, struct hr_str record,
                                  const struct hr_checkpoint_part *parts, size_t part_count, struct hr_error *err)
{
    struct hr_checkpoint *checkpoint = preparation->checkpoint;
    const struct hr_checkpoint_part **sorted = sorted_parts(parts, part_count, &checkpoint->scratch);
    preparation->delta.parts = hr_arena_array(&checkpoint->scratch, part_count, struct hr_delta_part);
    hr_arena_reset(&checkpoint->prepared_arena);
    hr_part_table_copy(&checkpoint->prepared_parts, &checkpoint->parts, part_count, &checkpoint->prepared_arena);
    for (size_t i = 0; i < part_count; i++) {
        HR_TRY(prepare_part(preparation, sorted[i], err));
    }
    HR_TRY(prepare_write(preparation, record, err));
    for (size_t i = 0; i < part_count; i++) {
        hr_paged_clear_dirty(parts[i].paged);
    }
    return HR_OK;
}

enum hr_status hr_checkpoint_prepare(struct hr_checkpoint *checkpoint, int64_t batch, struct hr_str record,
                                     const struct hr_checkpoint_part *parts, size_t part_count, struct hr_error *err)
{
    HR_TRY(hr_checkpoint_usable(checkpoint, err));
    HR_ASSERT(batch == checkpoint->committed + 1);
    HR_ASSERT(checkpoint->prepared < 0);
    struct preparation preparation = {.checkpoint = checkpoint, .batch = batch};
    hr_checkpoint_clear_scratch(checkpoint);
    enum hr_status status = prepare_all(&preparation, record, parts, part_count, err);
    hr_store_batch_release(&preparation.changes);
    if (status != HR_OK) {
        checkpoint->failed = true; /* the indexes are ahead of the store */
        return hr_fail_context(err, "prepare of batch %lld", (long long)batch);
    }
    checkpoint->prepared = batch;
    checkpoint->prepared_crc = preparation.crc;
    checkpoint->prepared_here = true;
    checkpoint->begun = true;
    hr_checkpoint_clear_scratch(checkpoint);
    return hr_checkpoint_directory_mark(&checkpoint->directory, batch, false, err);
}

enum hr_status hr_checkpoint_commit(struct hr_checkpoint *checkpoint, bool sync, struct hr_error *err)
{
    HR_TRY(hr_checkpoint_usable(checkpoint, err));
    HR_ASSERT(checkpoint->prepared >= 0);
    struct hr_buf committed HR_CLEANUP(hr_buf_release);
    struct hr_store_batch changes HR_CLEANUP(hr_store_batch_release) = {0};
    int64_t batch = checkpoint->prepared;
    int64_t record;
    int64_t delta;
    hr_buf_init(&committed, 256);
    hr_checkpoint_clear_scratch(checkpoint);
    hr_committed_encode(batch, checkpoint->prepared_chain, &committed);
    hr_store_batch_put(&changes, HR_KEY_COMMITTED, hr_buf_str(&committed));
    HR_TRY(hr_checkpoint_prune(checkpoint, batch, &changes, &record, &delta, err));
    HR_TRY(hr_checkpoint_write(checkpoint, &changes, sync, err));
    checkpoint->committed = batch;
    checkpoint->committed_chain = checkpoint->prepared_chain;
    checkpoint->prepared = -1;
    checkpoint->oldest_record = record;
    checkpoint->oldest_delta = delta;
    struct hr_arena arena = checkpoint->parts_arena;
    checkpoint->parts_arena = checkpoint->prepared_arena;
    checkpoint->prepared_arena = arena;
    checkpoint->parts = checkpoint->prepared_parts;
    checkpoint->prepared_parts = (struct hr_part_table){0};
    if (!checkpoint->prepared_here) {
        hr_checkpoint_forget_indexes(checkpoint);
    }
    checkpoint->prepared_here = false;
    hr_checkpoint_clear_scratch(checkpoint);
    if (checkpoint->begun) {
        hr_store_settle(checkpoint->store);
    }
    return HR_OK;
}

enum hr_status hr_checkpoint_drop_changes(struct hr_checkpoint *checkpoint, int64_t batch,
                                          struct hr_store_batch *changes, struct hr_error *err)
{
    struct hr_arena *arena = &checkpoint->scratch;
    struct hr_str delta_key = hr_key_batch('d', batch, hr_arena_alloc(arena, HR_BATCH_KEY_LENGTH));
    struct hr_delta delta;
    hr_buf_clear(&checkpoint->value);
    enum hr_status status = hr_store_get(checkpoint->store, delta_key, &checkpoint->value, err);
    if (status == HR_END) {
        return hr_fail(err, HR_CORRUPT, "the delta of batch %lld is missing", (long long)batch);
    }
    HR_TRY(status);
    HR_TRY(hr_delta_decode(hr_buf_str(&checkpoint->value), batch, arena, &delta, err));
    hr_store_batch_remove(changes, delta_key);
    for (size_t i = 0; i < delta.count; i++) {
        for (size_t j = 0; j < delta.parts[i].count; j++) {
            char *key = hr_arena_alloc(arena, HR_PAGE_KEY_MAX);
            hr_store_batch_remove(changes, hr_key_page(delta.parts[i].name, delta.parts[i].pages[j].page, batch, key));
        }
    }
    hr_store_batch_remove(changes, hr_key_batch('r', batch, hr_arena_alloc(arena, HR_BATCH_KEY_LENGTH)));
    return HR_OK;
}

void hr_checkpoint_forget_dropped(struct hr_checkpoint *checkpoint, struct hr_store_batch *changes)
{
    if (checkpoint->dropped >= 0) {
        char *key = hr_arena_alloc(&checkpoint->scratch, HR_BATCH_KEY_LENGTH);
        hr_store_batch_remove(changes, hr_key_batch('a', checkpoint->dropped, key));
    }
}

/* The record moves to where the next start, and not the list of batches, finds it. */
static enum hr_status drop_keep_record(struct hr_checkpoint *checkpoint, struct hr_buf *record,
                                       struct hr_store_batch *changes, struct hr_error *err)
{
    int64_t batch = checkpoint->prepared;
    char key[HR_BATCH_KEY_LENGTH];
    HR_TRY(hr_store_get(checkpoint->store, hr_key_batch('r', batch, key), record, err));
    hr_store_batch_put(changes, hr_key_batch('a', batch, hr_arena_alloc(&checkpoint->scratch, HR_BATCH_KEY_LENGTH)),
                       hr_buf_str(record));
    return HR_OK;
}

enum hr_status hr_checkpoint_drop_prepared(struct hr_checkpoint *checkpoint, bool keep_record, struct hr_error *err)
{
    HR_TRY(hr_checkpoint_usable(checkpoint, err));
    HR_ASSERT(checkpoint->prepared >= 0);
    struct hr_store_batch changes HR_CLEANUP(hr_store_batch_release) = {0};
    struct hr_buf record HR_CLEANUP(hr_buf_release);
    hr_buf_init(&record, HR_STATE_VALUE_MAX);
    hr_checkpoint_clear_scratch(checkpoint);
    if (keep_record) {
        HR_TRY(drop_keep_record(checkpoint, &record, &changes, err));
    }
    HR_TRY(hr_checkpoint_drop_changes(checkpoint, checkpoint->prepared, &changes, err));
    HR_TRY(hr_checkpoint_directory_mark(&checkpoint->directory, checkpoint->committed, true, err));
    HR_TRY(hr_checkpoint_write(checkpoint, &changes, true, err));
    checkpoint->dropped = keep_record ? checkpoint->prepared : -1;
    checkpoint->prepared = -1;
    checkpoint->prepared_parts = (struct hr_part_table){0};
    if (checkpoint->prepared_here) {
        hr_checkpoint_forget_indexes(checkpoint); /* those of a load know the committed pages */
    }
    checkpoint->prepared_here = false;
    hr_checkpoint_clear_scratch(checkpoint);
    return HR_OK;
}

struct restart_pass {
    struct hr_arena *arena;
    struct hr_store_batch *changes;
};

static enum hr_status restart_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    (void)value;
    (void)err;
    struct restart_pass *pass = context;
    if (key.length > 1) {
        char *copy = hr_arena_alloc(pass->arena, key.length);
        memcpy(copy, key.data, key.length);
        hr_store_batch_remove(pass->changes, (struct hr_str){copy, key.length});
    }
    return HR_OK;
}

enum hr_status hr_checkpoint_restart(struct hr_checkpoint *checkpoint, const char lineage[37], struct hr_error *err)
{
    HR_TRY(hr_checkpoint_usable(checkpoint, err));
    HR_ASSERT(strlen(lineage) == 36);
    struct hr_store_batch changes HR_CLEANUP(hr_store_batch_release) = {0};
    struct hr_buf meta HR_CLEANUP(hr_buf_release);
    struct hr_buf committed HR_CLEANUP(hr_buf_release);
    struct restart_pass pass = {&checkpoint->scratch, &changes};
    uint32_t chain = hr_crc32c(0, lineage, 36);
    hr_buf_init(&meta, HR_STATE_VALUE_MAX);
    hr_buf_init(&committed, 256);
    hr_checkpoint_clear_scratch(checkpoint);
    HR_TRY(hr_store_scan(checkpoint->store, HR_STR(""), restart_visit, &pass, err));
    hr_committed_encode(-1, chain, &committed);
    hr_meta_encode(lineage, hr_buf_str(&checkpoint->identity), &meta);
    hr_store_batch_put(&changes, HR_KEY_COMMITTED, hr_buf_str(&committed));
    hr_store_batch_put(&changes, HR_KEY_META, hr_buf_str(&meta));
    hr_store_batch_remove(&changes, HR_KEY_TAKEN_OVER);
    HR_TRY(hr_checkpoint_directory_mark(&checkpoint->directory, -1, true, err));
    HR_TRY(hr_checkpoint_write(checkpoint, &changes, true, err));
    memcpy(checkpoint->lineage, lineage, 37);
    checkpoint->taken_over = (struct hr_taken_over){.batch = -1};
    checkpoint->committed = -1;
    checkpoint->committed_chain = chain;
    checkpoint->prepared = -1;
    checkpoint->dropped = -1;
    checkpoint->prepared_here = false;
    checkpoint->oldest_record = -1;
    checkpoint->oldest_delta = -1;
    checkpoint->parts = (struct hr_part_table){0};
    checkpoint->prepared_parts = (struct hr_part_table){0};
    hr_checkpoint_forget_indexes(checkpoint);
    hr_checkpoint_clear_scratch(checkpoint);
    return HR_OK;
}
