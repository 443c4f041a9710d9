/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: stored documents and keys. The checksum is made right, since a decoder must stand what passes it; it is
 * also left as it comes. What a decoder takes, it must write again so that it reads the same.
 */
#include "fuzz.h"
#include "state/checkpoint_format.h"
#include "stream/record.h"

#include "base/wire.h"

/* A document says which batch it is of; the decoder is asked for that one. */
static int64_t batch_of(struct hr_str document)
{
    int64_t batch = 0;
    if (document.length >= 16) {
        memcpy(&batch, document.data + 8, sizeof(batch));
    }
    return batch;
}

static void batch_entry(struct hr_str document, struct hr_arena *arena, struct hr_buf *out)
{
    struct hr_batch_entry entry;
    struct hr_error err;
    if (hr_batch_entry_decode(document, batch_of(document), arena, &entry, &err) == HR_OK) {
        hr_batch_entry_encode(&entry, out);
        FUZZ_CHECK(hr_str_equal(hr_buf_str(out), document));
    }
}

static void delta(struct hr_str document, struct hr_arena *arena, struct hr_buf *out)
{
    struct hr_delta entry;
    struct hr_error err;
    if (hr_delta_decode(document, batch_of(document), arena, &entry, &err) == HR_OK) {
        hr_delta_encode(&entry, batch_of(document), out);
        FUZZ_CHECK(hr_str_equal(hr_buf_str(out), document));
    }
}

static void committed(struct hr_str document, struct hr_buf *out)
{
    int64_t batch;
    uint32_t chain;
    struct hr_error err;
    if (hr_committed_decode(document, &batch, &chain, &err) == HR_OK) {
        hr_committed_encode(batch, chain, out);
        FUZZ_CHECK(hr_str_equal(hr_buf_str(out), document));
    }
}

static void meta(struct hr_str document, struct hr_buf *out)
{
    char lineage[37];
    struct hr_buf identity;
    struct hr_error err;
    hr_buf_init(&identity, (size_t)1 << 28);
    if (hr_meta_decode(document, lineage, &identity, &err) == HR_OK && strlen(lineage) == 36) {
        hr_meta_encode(lineage, hr_buf_str(&identity), out);
        FUZZ_CHECK(hr_str_equal(hr_buf_str(out), document));
    }
    hr_buf_release(&identity);
}

/* Offsets may come in any order and are kept sorted, so the second writing is the one that must not change. */
static void batch_record(struct hr_str document, struct hr_buf *out)
{
    static struct hr_batch_record record = {.batch = -1};
    struct hr_error err;
    if (hr_batch_record_decode(document, &record, &err) != HR_OK) {
        return;
    }
    struct hr_buf again;
    hr_buf_init(&again, (size_t)1 << 28);
    hr_batch_record_encode(&record, out);
    FUZZ_CHECK(hr_batch_record_decode(hr_buf_str(out), &record, &err) == HR_OK);
    hr_batch_record_encode(&record, &again);
    FUZZ_CHECK(hr_str_equal(hr_buf_str(out), hr_buf_str(&again)));
    hr_buf_release(&again);
    hr_batch_record_release(&record);
}

static void decode_all(struct hr_str document)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_arena_init(&arena, 0);
    hr_buf_init(&out, (size_t)1 << 28);
    batch_entry(document, &arena, &out);
    hr_buf_clear(&out); /* what one kind of document takes, another may too: their magics are not all different */
    delta(document, &arena, &out);
    hr_buf_clear(&out);
    committed(document, &out);
    hr_buf_clear(&out);
    meta(document, &out);
    hr_buf_clear(&out);
    batch_record(document, &out);
}

static void keys(struct hr_str key)
{
    struct hr_str part;
    uint32_t page;
    int64_t batch;
    struct hr_error err;
    char text[HR_PAGE_KEY_MAX];
    if (hr_key_parse_page(key, &part, &page, &batch, &err) == HR_OK) {
        FUZZ_CHECK(part.length <= HR_PART_NAME_MAX && hr_str_equal(hr_key_page(part, page, batch, text), key));
    }
    (void)hr_key_parse_batch(key, &batch, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    keys((struct hr_str){(const char *)data, size});
    decode_all((struct hr_str){(const char *)data, size});
    char *document = malloc(size + 4);
    uint32_t sum = hr_crc32c(0, data, size);
    memcpy(document, data, size);
    memcpy(document + size, &sum, sizeof(sum));
    decode_all((struct hr_str){document, size + sizeof(sum)});
    free(document);
    return 0;
}
