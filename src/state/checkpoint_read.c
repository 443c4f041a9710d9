/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the pages of a part as of a batch: of each page the youngest version that is not younger. One pass over the
 * part's keys serves loading, the index and the check against the batch's part table. Memory is written once, for much
 * of the time goes into the first touch of it: a page straight from the store, and zeros only between stored pages. The
 * passes over a large part's pages are several, side by side.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/paged.h"
#include "base/thread.h"
#include "state/checkpoint_internal.h"

/* Below so many pages it does not matter how they are found. */
#define DIRECT_PAGES_MIN 1024
/* Times of one version in a scan, of a page by its key, and of one whose version is not known; as they are to each
 * other, measured. */
#define COST_SCAN 1
#define COST_GET 2
#define COST_FIND 12
/* Pages that are asked for at once. */
#define PAGES_AT_ONCE 64
/* A start has two cores at least, and nothing else to do with them. */
#define PASSES_MAX 2
#define PASS_PAGES_MIN 2048

/* What all passes over a part go by. */
struct page_plan {
    struct hr_checkpoint *checkpoint;
    int64_t batch;
    const struct hr_part_entry *entry;
    struct hr_paged *paged;      /* NULL: reads only */
    struct hr_part_index *index; /* NULL, or has room for all pages */
    size_t pages;                /* of the part, stored or not */
    int64_t *versions;           /* of each page, −1 where the kept deltas do not name it; NULL: all are scanned */
};

/* A pass over the versions of the pages from `first` up to and without `end`, in key order: (page, batch) ascending. */
struct page_pass {
    const struct page_plan *plan;
    size_t first;
    size_t end;
    bool candidate; /* a version of page `page` that is not younger than batch */
    uint32_t page;
    struct hr_page_version version;
    uint64_t pages;
    uint64_t sum;
    size_t written; /* bytes of the region before this one have their values */
    pthread_t thread;
    enum hr_status status;
    struct hr_error err;
};

/* ---- one version after the other ---------------------------------------------------------------------------- */

/* The candidate is the live version: no younger one came. */
static void pass_take(struct page_pass *pass)
{
    if (!pass->candidate) {
        return;
    }
    pass->candidate = false;
    pass->pages++;
    pass->sum += hr_page_hash(pass->page, pass->version.batch, pass->version.crc);
    if (pass->plan->index != NULL) {
        pass->plan->index->versions[pass->page] = pass->version;
    }
}

static void pass_zero(struct page_pass *pass, size_t end)
{
    struct hr_paged *paged = pass->plan->paged;
    if (paged != NULL && end > pass->written) {
        memset(paged->data + pass->written, 0, end - pass->written);
        pass->written = end;
    }
}

/* A version of the candidate's page; one that is younger goes over it. */
static enum hr_status pass_load(struct page_pass *pass, struct hr_str bytes, struct hr_error *err)
{
    const struct page_plan *plan = pass->plan;
    size_t size = plan->entry->size;
    size_t offset = (size_t)pass->page * HR_PAGE_SIZE;
    if (offset >= size || bytes.length > size - offset) {
        return hr_fail(err, HR_CORRUPT, "part '%.*s', page %u of batch %lld: it lies past the end of the part",
                       HR_STR_ARGS(plan->entry->name), pass->page, (long long)pass->version.batch);
    }
    if (plan->paged == NULL) {
        return HR_OK;
    }
    pass_zero(pass, offset);
    size_t rest = size - offset;
    pass->written = offset + (rest < HR_PAGE_SIZE ? rest : HR_PAGE_SIZE);
    return hr_paged_load(plan->paged, size, pass->page, bytes.data, bytes.length, err);
}

static enum hr_status pass_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct page_pass *pass = context;
    struct hr_str part;
    uint32_t page;
    int64_t batch;
    HR_TRY(hr_key_parse_page(key, &part, &page, &batch, err));
    if (value.data == NULL) {
        return hr_fail(err, HR_CORRUPT, "part '%.*s', page %u of batch %lld: it is missing", HR_STR_ARGS(part), page,
                       (long long)batch);
    }
    if (pass->candidate && page != pass->page) {
        pass_take(pass);
    }
    if (batch > pass->plan->batch) {
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

/* ---- all versions, or by key -------------------------------------------------------------------------------- */

/* All versions of the pages from `first` up to and without `end`; the last page's are followed by all that the part
 * has, which should be nothing. */
static enum hr_status pass_scan(struct page_pass *pass, size_t first, size_t end, struct hr_error *err)
{
    const struct page_plan *plan = pass->plan;
    char from_bytes[HR_PAGE_KEY_MAX];
    char to_bytes[HR_PAGE_KEY_MAX];
    struct hr_str from = hr_key_page(plan->entry->name, (uint32_t)first, 0, from_bytes);
    struct hr_str to = hr_key_page(plan->entry->name, (uint32_t)end, 0, to_bytes);
    if (end == plan->pages) {
        to = hr_key_part(plan->entry->name, to_bytes);
        to_bytes[to.length - 1]++;
    }
    return hr_store_scan_range(plan->checkpoint->store, from, to, pass_visit, pass, err);
}

static enum hr_status pass_by_key(struct page_pass *pass, struct hr_error *err)
{
    const struct page_plan *plan = pass->plan;
    struct hr_str keys[PAGES_AT_ONCE];
    char bytes[PAGES_AT_ONCE][HR_PAGE_KEY_MAX];
    for (size_t page = pass->first; page < pass->end;) {
        if (plan->versions[page] < 0) {
            HR_TRY(pass_scan(pass, page, page + 1, err));
            page++;
            continue;
        }
        size_t count = 0;
        for (; page < pass->end && count < PAGES_AT_ONCE && plan->versions[page] >= 0; page++, count++) {
            keys[count] = hr_key_page(plan->entry->name, (uint32_t)page, plan->versions[page], bytes[count]);
        }
        HR_TRY(hr_store_get_all(plan->checkpoint->store, keys, count, pass_visit, pass, err));
    }
    return HR_OK;
}

static void *pass_run(void *context)
{
    struct page_pass *pass = context;
    const struct page_plan *plan = pass->plan;
    pass->written = pass->first * HR_PAGE_SIZE;
    pass->status =
        plan->versions != NULL ? pass_by_key(pass, &pass->err) : pass_scan(pass, pass->first, pass->end, &pass->err);
    if (pass->status == HR_OK) {
        size_t size = plan->paged != NULL ? plan->paged->size : 0; /* may be more than the part had */
        pass_take(pass);
        pass_zero(pass, pass->end == plan->pages ? size : pass->end * HR_PAGE_SIZE);
    }
    return NULL;
}

/* Adds up what the passes over all pages found. */
static enum hr_status plan_run(const struct page_plan *plan, uint64_t *pages, uint64_t *sum, struct hr_error *err)
{
    struct page_pass passes[PASSES_MAX];
    size_t count = plan->pages / PASS_PAGES_MIN;
    count = count < 1 ? 1 : count > PASSES_MAX ? PASSES_MAX : count;
    for (size_t i = 0; i < count; i++) {
        size_t first = plan->pages * i / count;
        passes[i] = (struct page_pass){.plan = plan, .first = first, .end = plan->pages * (i + 1) / count};
        if (i > 0) {
            passes[i].thread = hr_thread_start("load", pass_run, &passes[i]);
        }
    }
    pass_run(&passes[0]);
    enum hr_status status = HR_OK;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            pthread_join(passes[i].thread, NULL);
        }
        if (status == HR_OK && passes[i].status != HR_OK) {
            status = passes[i].status;
            *err = passes[i].err;
        }
        *pages += passes[i].pages;
        *sum += passes[i].sum;
    }
    return status;
}

/* ---- which of the two --------------------------------------------------------------------------------------- */

/* Notes the pages of the part that the delta of `batch` names, but for those that a younger one did. *found: how many
 * pages are known; *written: how often a delta named one. */
static void note_delta(const struct page_plan *plan, const struct hr_delta *delta, int64_t batch, size_t *found,
                       size_t *written)
{
    for (size_t i = 0; i < delta->count; i++) {
        const struct hr_delta_part *part = &delta->parts[i];
        size_t count = hr_str_equal(part->name, plan->entry->name) ? part->count : 0;
        *written += count;
        for (size_t j = 0; j < count; j++) {
            uint32_t page = part->pages[j].page;
            if (page < plan->pages && plan->versions[page] < 0) {
                plan->versions[page] = batch;
                ++*found;
            }
        }
    }
}

/* Which version of each page is the live one, as far as the kept deltas say. */
static enum hr_status find_versions(const struct page_plan *plan, size_t *found, size_t *written, struct hr_error *err)
{
    struct hr_checkpoint *checkpoint = plan->checkpoint;
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    for (size_t i = 0; i < plan->pages; i++) {
        plan->versions[i] = -1;
    }
    for (int64_t batch = plan->batch; batch >= 0 && batch >= checkpoint->oldest_delta; batch--) {
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
        note_delta(plan, &delta, batch, found, written);
    }
    return HR_OK;
}

/* All versions in one go, or, where that would read far more than is live (large batches change nearly all pages, and
 * `keep` of them are kept), each page by its key. */
static enum hr_status plan_choose(struct page_plan *plan, struct hr_error *err)
{
    size_t found = 0;
    size_t written = 0;
    if (plan->pages < DIRECT_PAGES_MIN) {
        return HR_OK;
    }
    plan->versions = hr_alloc(plan->pages * sizeof(*plan->versions));
    HR_TRY(find_versions(plan, &found, &written, err));
    size_t stored = written + (plan->entry->pages > found ? plan->entry->pages - found : 0);
    size_t by_key = found * COST_GET + (plan->pages - found) * COST_FIND;
    if (found == 0 || by_key >= stored * COST_SCAN) {
        hr_free(plan->versions);
        plan->versions = NULL;
    }
    return HR_OK;
}

enum hr_status hr_checkpoint_read_pages(struct hr_checkpoint *checkpoint, int64_t batch,
                                        const struct hr_part_entry *entry, struct hr_paged *paged,
                                        struct hr_part_index *index, struct hr_error *err)
{
    struct page_plan plan = {checkpoint, batch, entry,
                             paged,      index, .pages = (entry->size + HR_PAGE_SIZE - 1) / HR_PAGE_SIZE};
    uint64_t pages = 0;
    uint64_t sum = 0;
    if (paged != NULL) {
        HR_TRY(hr_paged_resize(paged, entry->size, err));
    }
    if (index != NULL) {
        index->built = false;
        hr_part_index_reserve(index, plan.pages);
        for (size_t i = 0; i < index->capacity; i++) {
            index->versions[i].batch = -1;
        }
    }
    enum hr_status status = plan_choose(&plan, err);
    status = status == HR_OK ? plan_run(&plan, &pages, &sum, err) : status;
    hr_free(plan.versions);
    HR_TRY(status);
    if (pages != entry->pages || sum != entry->sum) {
        hr_fail(err, HR_CORRUPT,
                "part '%.*s' of batch %lld: pages are missing or from another time (%" PRIu64 " pages, %" PRIu64
                " were written)",
                HR_STR_ARGS(entry->name), (long long)batch, pages, entry->pages);
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
