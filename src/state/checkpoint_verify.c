/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads everything that a checkpoint holds and checks every sum: the chain of records (opening checks it too), the
 * deltas, the CRC of every page, and for each kept batch and each part that the live pages are those that the batch's
 * part table was computed from.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/paged.h"
#include "state/checkpoint_internal.h"

/* One kept or prepared batch, and what has been found of the part that is being read. */
struct verify_batch {
    struct hr_batch_entry entry;
    const struct hr_part_entry *part;
    size_t parts_seen;
    uint64_t pages;
    uint64_t sum;
    struct hr_page_version version; /* of the page being read: the youngest not younger than the batch */
};

struct verify_pass {
    struct hr_checkpoint *checkpoint;
    struct hr_arena arena; /* of the batches' entries */
    struct verify_batch *batches;
    size_t count;
    size_t capacity;
    char part[HR_PART_NAME_MAX + 1];
    size_t part_length; /* 0: none yet */
    uint32_t page;
    bool page_open;
    uint64_t pages;
    uint64_t bytes;
    uint64_t deltas;
};

static enum hr_status verify_record(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct verify_pass *pass = context;
    int64_t batch;
    HR_TRY(hr_key_parse_batch(key, &batch, err));
    if (pass->count == pass->capacity) {
        pass->capacity = pass->capacity == 0 ? 16 : pass->capacity * 2;
        pass->batches = hr_realloc_array(pass->batches, pass->capacity, sizeof(*pass->batches));
    }
    struct verify_batch *entry = &pass->batches[pass->count];
    *entry = (struct verify_batch){.version = {.batch = -1}};
    HR_TRY(hr_batch_entry_decode(value, batch, &pass->arena, &entry->entry, err));
    pass->count++;
    pass->bytes += key.length + value.length;
    return HR_OK;
}

static enum hr_status verify_delta(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct verify_pass *pass = context;
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    struct hr_delta delta;
    int64_t batch;
    hr_arena_init(&arena, 0);
    HR_TRY(hr_key_parse_batch(key, &batch, err));
    HR_TRY(hr_delta_decode(value, batch, &arena, &delta, err));
    pass->deltas++;
    pass->bytes += key.length + value.length;
    return HR_OK;
}

/* All versions of a page were seen: adds the live one to each batch's sum. */
static void verify_end_page(struct verify_pass *pass)
{
    for (size_t i = 0; pass->page_open && i < pass->count; i++) {
        struct verify_batch *batch = &pass->batches[i];
        if (batch->version.batch >= 0) {
            batch->pages++;
            batch->sum += hr_page_hash(pass->page, batch->version.batch, batch->version.crc);
            batch->version.batch = -1;
        }
    }
    pass->page_open = false;
}

static enum hr_status verify_end_part(struct verify_pass *pass, struct hr_error *err)
{
    verify_end_page(pass);
    for (size_t i = 0; pass->part_length > 0 && i < pass->count; i++) {
        struct verify_batch *batch = &pass->batches[i];
        uint64_t pages = batch->part == NULL ? 0 : batch->part->pages;
        uint64_t sum = batch->part == NULL ? 0 : batch->part->sum;
        if (batch->pages != pages || batch->sum != sum) {
            hr_fail(err, HR_CORRUPT,
                    "part '%s' of batch %lld: pages are missing or from another time (%" PRIu64 " pages, %" PRIu64
                    " were written)",
                    pass->part, (long long)batch->entry.batch, batch->pages, pages);
            return hr_fail_hint(err, "restore the state directory from a copy");
        }
        batch->parts_seen += pages > 0;
        batch->pages = 0;
        batch->sum = 0;
    }
    return HR_OK;
}

static void verify_begin_part(struct verify_pass *pass, struct hr_str part)
{
    memcpy(pass->part, part.data, part.length);
    pass->part[part.length] = 0;
    pass->part_length = part.length;
    for (size_t i = 0; i < pass->count; i++) {
        pass->batches[i].part = hr_part_table_find(&pass->batches[i].entry.parts, part);
    }
}

static enum hr_status verify_page(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    struct verify_pass *pass = context;
    struct hr_str part;
    struct hr_str bytes;
    uint32_t page;
    struct hr_page_version version;
    HR_TRY(hr_key_parse_page(key, &part, &page, &version.batch, err));
    HR_TRY(hr_page_open(key, value, &bytes, &version.crc, err));
    if (!hr_str_equal(part, (struct hr_str){pass->part, pass->part_length})) {
        HR_TRY(verify_end_part(pass, err));
        verify_begin_part(pass, part);
    }
    if (pass->page_open && page != pass->page) {
        verify_end_page(pass);
    }
    pass->page = page;
    pass->page_open = true;
    for (size_t i = 0; i < pass->count; i++) {
        if (version.batch <= pass->batches[i].entry.batch) {
            pass->batches[i].version = version;
        }
    }
    pass->pages++;
    pass->bytes += key.length + value.length;
    return HR_OK;
}

/* A part all of whose pages are gone was not met. */
static enum hr_status verify_parts_seen(const struct verify_pass *pass, struct hr_error *err)
{
    for (size_t i = 0; i < pass->count; i++) {
        const struct verify_batch *batch = &pass->batches[i];
        size_t expected = 0;
        for (size_t j = 0; j < batch->entry.parts.count; j++) {
            expected += batch->entry.parts.items[j].pages > 0;
        }
        if (expected != batch->parts_seen) {
            return hr_fail(err, HR_CORRUPT, "batch %lld: %zu of its parts have pages, %zu were written",
                           (long long)batch->entry.batch, batch->parts_seen, expected);
        }
    }
    return HR_OK;
}

static enum hr_status verify_run(struct verify_pass *pass, struct hr_error *err)
{
    struct hr_store *store = pass->checkpoint->store;
    HR_TRY(hr_store_scan(store, HR_STR("r"), verify_record, pass, err));
    HR_TRY(hr_store_scan(store, HR_STR("d"), verify_delta, pass, err));
    if (pass->count > 0 && pass->deltas + 1 < pass->count) {
        return hr_fail(err, HR_CORRUPT, "%zu batches are kept, but only %" PRIu64 " of their deltas", pass->count,
                       pass->deltas);
    }
    HR_TRY(hr_store_scan(store, HR_STR("p"), verify_page, pass, err));
    HR_TRY(verify_end_part(pass, err));
    return verify_parts_seen(pass, err);
}

enum hr_status hr_checkpoint_verify(struct hr_checkpoint *checkpoint, uint64_t *out_pages, uint64_t *out_bytes,
                                    struct hr_error *err)
{
    struct verify_pass pass = {.checkpoint = checkpoint};
    hr_arena_init(&pass.arena, 0);
    enum hr_status status = verify_run(&pass, err);
    hr_arena_release(&pass.arena);
    hr_free(pass.batches);
    if (status == HR_OK) {
        *out_pages = pass.pages;
        *out_bytes = pass.bytes;
    }
    return status;
}
