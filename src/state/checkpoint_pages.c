/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the pages of a part as of a batch: of each page the youngest version that is not younger. One pass over the
 * part's keys serves loading, the index and the check against the batch's part table. Memory is written once, for most
 * of the time goes into the first touch of it: a page straight from the store, and zeros only between stored pages.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/paged.h"
#include "state/checkpoint_internal.h"

/* Below so many pages it does not matter how they are found. */
#define DIRECT_PAGES_MIN 1024
/* Times of one version in a scan, of a page by its key, and of one whose version is not known; as they are to each
 * other, measured. */
#define COST_SCAN 1
#define COST_GET 2
#define COST_FIND 12

/* A pass over the versions of all pages of one part, in key order: (page, batch) ascending. */
struct page_pass {
    int64_t batch;
    const struct hr_part_entry *entry;
    struct hr_paged *paged;
    struct hr_part_index *index;
    bool candidate; /* a version of page `page` that is not younger than batch */
    uint32_t page;
    struct hr_page_version version;
    uint64_t pages;
    uint64_t sum;
    size_t written; /* bytes of the region before this one have their values */
};

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

/* The candidate is the live version: no younger one came. */
static void pass_take(struct page_pass *pass)
{
    if (!pass->candidate) {
        return;
    }
    pass->candidate = false;
    pass->pages++;
    pass->sum += hr_page_hash(pass->page, pass->version.batch, pass->version.crc);
    if (pass->index != NULL) {
        hr_part_index_reserve(pass->index, (size_t)pass->page + 1);
        pass->index->versions[pass->page] = pass->version;
    }
}

static void pass_zero(struct page_pass *pass, size_t end)
{
    if (pass->paged != NULL && end > pass->written) {
        memset(pass->paged->data + pass->written, 0, end - pass->written);
        pass->written = end;
    }
}

/* A version of the candidate's page; one that is younger goes over it. */
static enum hr_status pass_load(struct page_pass *pass, struct hr_str bytes, struct hr_error *err)
{
    size_t size = pass->entry->size;
    size_t offset = (size_t)pass->page * HR_PAGE_SIZE;
    if (offset >= size || bytes.length > size - offset) {
        return hr_fail(err, HR_CORRUPT, "part '%.*s', page %u of batch %lld: it lies past the end of the part",
                       HR_STR_ARGS(pass->entry->name), pass->page, (long long)pass->version.batch);
    }
    if (pass->paged == NULL) {
        return HR_OK;
    }
    pass_zero(pass, offset);
    size_t rest = size - offset;
    pass->written = offset + (rest < HR_PAGE_SIZE ? rest : HR_PAGE_SIZE);
    return hr_paged_load(pass->paged, size, pass->page, bytes.data, bytes.length, err);
}

static enum hr_status pass_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct page_pass *pass = context;
    struct hr_str part;
    uint32_t page;
    int64_t batch;
    HR_TRY(hr_key_parse_page(key, &part, &page, &batch, err));
    if (pass->candidate && page != pass->page) {
        pass_take(pass);
    }
    if (batch > pass->batch) {
        return HR_OK;
    }
    struct hr_str bytes;
    struct hr_page_version version = {.batch = batch};
    HR_TRY(hr_page_open(key, value, &bytes, &version.crc, err));
    pass->candidate = true;
    pass->page = page;
    pass->version = version;
    return pass_load(pass, bytes, err);
}

/* Which version of each page is the live one, as far as the kept deltas say: *versions has one a page, −1 where they do
 * not. *found: how many pages they name; *written: how often they name one. */
static enum hr_status pass_find_versions(struct hr_checkpoint *checkpoint, const struct page_pass *pass, size_t pages,
                                         int64_t *versions, size_t *found, size_t *written, struct hr_error *err)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    *found = *written = 0;
    for (size_t i = 0; i < pages; i++) {
        versions[i] = -1;
    }
    for (int64_t batch = pass->batch; batch >= 0 && batch >= checkpoint->oldest_delta; batch--) {
        char key[HR_BATCH_KEY_LENGTH];
        struct hr_delta delta;
        hr_buf_clear(&checkpoint->value);
        enum hr_status status = hr_store_get(checkpoint->store, hr_key_batch('d', batch, key), &checkpoint->value, err);
        if (status == HR_END) {
            break;
        }
        HR_TRY(status);
        hr_arena_reset(&arena);
        HR_TRY(hr_delta_decode(hr_buf_str(&checkpoint->value), batch, &arena, &delta, err));
        for (size_t i = 0; i < delta.count; i++) {
            const struct hr_delta_part *part = &delta.parts[i];
            if (!hr_str_equal(part->name, pass->entry->name)) {
                continue;
            }
            *written += part->count;
            for (size_t j = 0; j < part->count; j++) {
                uint32_t page = part->pages[j].page;
                if (page < pages && versions[page] < 0) {
                    versions[page] = batch;
                    ++*found;
                }
            }
        }
    }
    return HR_OK;
}

static enum hr_status pass_page(struct hr_checkpoint *checkpoint, struct page_pass *pass, uint32_t page,
                                int64_t version, struct hr_error *err)
{
    char key_bytes[HR_PAGE_KEY_MAX];
    struct hr_str key = hr_key_page(pass->entry->name, page, version < 0 ? 0 : version, key_bytes);
    if (version < 0) {
        key.length -= sizeof(version); /* all versions of the page */
        return hr_store_scan(checkpoint->store, key, pass_visit, pass, err);
    }
    hr_buf_clear(&checkpoint->value);
    enum hr_status status = hr_store_get(checkpoint->store, key, &checkpoint->value, err);
    if (status == HR_END) {
        return hr_fail(err, HR_CORRUPT, "part '%.*s', page %u of batch %lld: it is missing",
                       HR_STR_ARGS(pass->entry->name), page, (long long)version);
    }
    HR_TRY(status);
    return pass_visit(pass, key, hr_buf_str(&checkpoint->value), err);
}

/* Visits the part's pages. All versions in one go, or, where that would read far more than is live (large batches
 * change nearly all pages, and `keep` of them are kept), each page by its key. */
static enum hr_status pass_run(struct hr_checkpoint *checkpoint, struct page_pass *pass, struct hr_error *err)
{
    char prefix[HR_PAGE_KEY_MAX];
    size_t pages = (pass->entry->size + HR_PAGE_SIZE - 1) / HR_PAGE_SIZE;
    size_t found = 0;
    size_t written = 0;
    int64_t *versions = NULL;
    enum hr_status status = HR_OK;
    if (pages >= DIRECT_PAGES_MIN) {
        versions = hr_alloc(pages * sizeof(*versions));
        status = pass_find_versions(checkpoint, pass, pages, versions, &found, &written, err);
    }
    size_t stored = written + (pass->entry->pages > found ? pass->entry->pages - found : 0);
    size_t direct = found * COST_GET + (pages - found) * COST_FIND;
    if (status == HR_OK && (found == 0 || direct >= stored * COST_SCAN)) {
        status = hr_store_scan(checkpoint->store, hr_key_part(pass->entry->name, prefix), pass_visit, pass, err);
    } else {
        for (size_t page = 0; page < pages && status == HR_OK; page++) {
            status = pass_page(checkpoint, pass, (uint32_t)page, versions[page], err);
        }
    }
    hr_free(versions);
    return status;
}

enum hr_status hr_checkpoint_read_pages(struct hr_checkpoint *checkpoint, int64_t batch,
                                        const struct hr_part_entry *entry, struct hr_paged *paged,
                                        struct hr_part_index *index, struct hr_error *err)
{
    if (paged != NULL) {
        HR_TRY(hr_paged_resize(paged, entry->size, err));
    }
    if (index != NULL) {
        index->built = false;
        hr_part_index_reserve(index, (entry->size + HR_PAGE_SIZE - 1) / HR_PAGE_SIZE);
        for (size_t i = 0; i < index->capacity; i++) {
            index->versions[i].batch = -1;
        }
    }
    struct page_pass pass = {.batch = batch, .entry = entry, .paged = paged, .index = index};
    HR_TRY(pass_run(checkpoint, &pass, err));
    pass_take(&pass);
    pass_zero(&pass, paged != NULL ? paged->size : 0);
    if (pass.pages != entry->pages || pass.sum != entry->sum) {
        hr_fail(err, HR_CORRUPT,
                "part '%.*s' of batch %lld: pages are missing or from another time (%" PRIu64 " pages, %" PRIu64
                " were written)",
                HR_STR_ARGS(entry->name), (long long)batch, pass.pages, entry->pages);
        return hr_fail_hint(err, "restore the state directory from a copy");
    }
    if (paged != NULL) {
        hr_paged_clear_dirty(paged);
    }
    if (index != NULL) {
        index->built = true;
    }
    return HR_OK;
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
