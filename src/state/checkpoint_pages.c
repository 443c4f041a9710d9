/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a part's pages: which version of each is live (the index), and what is in memory, as of the
 * committed batch and then of the prepared one.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/paged.h"
#include "state/checkpoint_internal.h"

void hr_part_index_reserve(struct hr_part_index *index, size_t pages)
{
    if (pages <= index->capacity) {
        return;
    }
    index->versions = hr_realloc_array(index->versions, pages, sizeof(*index->versions));
    for (size_t i = index->capacity; i < pages; i++) {
        index->versions[i] = (struct hr_page_version){.batch = -1};
    }
    index->capacity = pages;
}

static struct hr_part_index *index_find(struct hr_checkpoint *checkpoint, struct hr_str name)
{
    for (size_t i = 0; i < checkpoint->index_count; i++) {
        if (hr_str_equal_text(name, checkpoint->indexes[i].name)) {
            return &checkpoint->indexes[i];
        }
    }
    checkpoint->indexes =
        hr_realloc_array(checkpoint->indexes, checkpoint->index_count + 1, sizeof(*checkpoint->indexes));
    struct hr_part_index *index = &checkpoint->indexes[checkpoint->index_count++];
    *index = (struct hr_part_index){.name = hr_strndup(name.data, name.length)};
    return index;
}

enum hr_status hr_checkpoint_index(struct hr_checkpoint *checkpoint, const char *name, struct hr_part_index **out,
                                   struct hr_error *err)
{
    struct hr_part_index *index = index_find(checkpoint, hr_str_from(name));
    if (!index->built) {
        const struct hr_part_entry *entry = hr_part_table_find(&checkpoint->parts, hr_str_from(name));
        if (entry != NULL) {
            HR_TRY(hr_checkpoint_read_pages(checkpoint, checkpoint->committed, entry, NULL, index, err));
        }
        index->built = true;
    }
    *out = index;
    return HR_OK;
}

void hr_checkpoint_forget_indexes(struct hr_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->index_count; i++) {
        hr_free(checkpoint->indexes[i].name);
        hr_free(checkpoint->indexes[i].versions);
    }
    hr_free(checkpoint->indexes);
    checkpoint->indexes = NULL;
    checkpoint->index_count = 0;
}

/* ---- from the committed state to the prepared one ----------------------------------------------------------- */

/* One page of the prepared batch: into memory, into the index, and into the sum that the part table is compared with.
 */
static enum hr_status prepared_page(struct hr_checkpoint *checkpoint, const struct hr_part_entry *entry,
                                    struct hr_part_entry *found, uint32_t page, struct hr_part_index *index,
                                    struct hr_paged *paged, struct hr_error *err)
{
    char key_bytes[HR_PAGE_KEY_MAX];
    struct hr_str bytes;
    struct hr_page_version version = {.batch = checkpoint->prepared};
    struct hr_str key = hr_key_page(entry->name, page, checkpoint->prepared, key_bytes);
    if ((size_t)page * HR_PAGE_SIZE >= entry->size) {
        return hr_fail(err, HR_CORRUPT, "part '%.*s', page %u of batch %lld: it lies past the end of the part",
                       HR_STR_ARGS(entry->name), page, (long long)checkpoint->prepared);
    }
    hr_buf_clear(&checkpoint->value);
    enum hr_status status = hr_store_get(checkpoint->store, key, &checkpoint->value, err);
    if (status == HR_END) {
        return hr_fail(err, HR_CORRUPT, "part '%.*s', page %u of batch %lld: it is missing", HR_STR_ARGS(entry->name),
                       page, (long long)checkpoint->prepared);
    }
    HR_TRY(status);
    HR_TRY(hr_page_open(key, hr_buf_str(&checkpoint->value), &bytes, &version.crc, err));
    HR_TRY(hr_paged_load(paged, entry->size, page, bytes.data, bytes.length, err));
    struct hr_page_version *live = &index->versions[page];
    if (live->batch >= 0) {
        found->sum -= hr_page_hash(page, live->batch, live->crc);
    } else {
        found->pages++;
    }
    found->sum += hr_page_hash(page, version.batch, version.crc);
    *live = version;
    return HR_OK;
}

static enum hr_status prepared_part(struct hr_checkpoint *checkpoint, const struct hr_delta_part *delta,
                                    const struct hr_checkpoint_part *part, struct hr_error *err)
{
    const struct hr_part_entry *entry = hr_part_table_find(&checkpoint->prepared_parts, delta->name);
    const struct hr_part_entry *committed = hr_part_table_find(&checkpoint->parts, delta->name);
    struct hr_part_entry found = committed != NULL ? *committed : (struct hr_part_entry){0};
    struct hr_part_index *index;
    if (entry == NULL) {
        return hr_fail(err, HR_CORRUPT, "batch %lld wrote part '%s', which its record does not have",
                       (long long)checkpoint->prepared, part->name);
    }
    HR_TRY(hr_checkpoint_index(checkpoint, part->name, &index, err));
    hr_part_index_reserve(index, (entry->size + HR_PAGE_SIZE - 1) / HR_PAGE_SIZE);
    HR_TRY(hr_paged_resize(part->paged, entry->size, err));
    if (committed == NULL) {
        memset(part->paged->data, 0, part->paged->size); /* a page that is not stored is zeros, whatever it began as */
    }
    for (size_t i = 0; i < delta->count; i++) {
        HR_TRY(prepared_page(checkpoint, entry, &found, delta->pages[i].page, index, part->paged, err));
    }
    if (found.pages != entry->pages || found.sum != entry->sum) {
        hr_fail(err, HR_CORRUPT,
                "part '%s' of batch %lld: pages are missing or from another time (%" PRIu64 " pages, %" PRIu64
                " were written)",
                part->name, (long long)checkpoint->prepared, found.pages, entry->pages);
        return hr_fail_hint(err, "restore the state directory from a copy");
    }
    hr_paged_clear_dirty(part->paged);
    return HR_OK;
}

enum hr_status hr_checkpoint_load_prepared(struct hr_checkpoint *checkpoint, const struct hr_checkpoint_part *parts,
                                           size_t part_count, struct hr_error *err)
{
    HR_TRY(hr_checkpoint_usable(checkpoint, err));
    HR_ASSERT(checkpoint->prepared >= 0 && !checkpoint->prepared_here);
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    struct hr_delta delta;
    char key[HR_BATCH_KEY_LENGTH];
    hr_arena_init(&arena, 0);
    hr_buf_clear(&checkpoint->value);
    enum hr_status status =
        hr_store_get(checkpoint->store, hr_key_batch('d', checkpoint->prepared, key), &checkpoint->value, err);
    if (status == HR_END) {
        return hr_fail(err, HR_CORRUPT, "the delta of batch %lld is missing", (long long)checkpoint->prepared);
    }
    HR_TRY(status);
    HR_TRY(hr_delta_decode(hr_buf_str(&checkpoint->value), checkpoint->prepared, &arena, &delta, err));
    for (size_t i = 0; i < delta.count; i++) {
        for (size_t j = 0; j < part_count; j++) {
            if (hr_str_equal_text(delta.parts[i].name, parts[j].name)) {
                HR_TRY(prepared_part(checkpoint, &delta.parts[i], &parts[j], err));
            }
        }
    }
    checkpoint->prepared_here = true;
    return HR_OK;
}

enum hr_status hr_checkpoint_load(struct hr_checkpoint *checkpoint, int64_t batch,
                                  const struct hr_checkpoint_part *part, struct hr_error *err)
{
    if (batch < 0) {
        return HR_OK;
    }
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    struct hr_batch_entry entry;
    enum hr_status status = hr_checkpoint_read_entry(checkpoint, 'r', batch, &arena, &entry, err);
    if (status == HR_END) {
        hr_fail(err, HR_NO_INPUT, "batch %lld is not kept", (long long)batch);
        return hr_fail_hint(err, "see 'headrace checkpoint list' for those that are");
    }
    HR_TRY(status);
    const struct hr_part_entry *stored = hr_part_table_find(&entry.parts, hr_str_from(part->name));
    if (stored == NULL) {
        return HR_OK;
    }
    bool current = batch == checkpoint->committed && !checkpoint->prepared_here && !checkpoint->read_only;
    struct hr_part_index *index = current ? index_find(checkpoint, stored->name) : NULL;
    return hr_checkpoint_read_pages(checkpoint, batch, stored, part->paged, index, err);
}
