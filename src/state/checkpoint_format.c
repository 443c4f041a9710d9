/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and documents of a checkpoint, to bytes and back. Every decoder is bounds-checked and refuses what it does not
 * know.
 */
#include "state/checkpoint_format.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/paged.h"
#include "base/random.h"
#include "base/wire.h"

#define FORMAT_VERSION 1u

static enum hr_status fail_key(struct hr_error *err)
{
    hr_fail(err, HR_CORRUPT, "the state store holds a key that no checkpoint writes");
    return hr_fail_hint(err, "restore the state directory from a copy");
}

struct hr_str hr_key_batch(char kind, int64_t batch, char *out)
{
    uint64_t number = htobe64((uint64_t)batch);
    out[0] = kind;
    memcpy(out + 1, &number, sizeof(number));
    return (struct hr_str){out, HR_BATCH_KEY_LENGTH};
}

struct hr_str hr_key_part(struct hr_str part, char *out)
{
    HR_ASSERT(part.length <= HR_PART_NAME_MAX);
    out[0] = 'p';
    memcpy(out + 1, part.data, part.length);
    out[1 + part.length] = 0;
    return (struct hr_str){out, part.length + 2};
}

struct hr_str hr_key_page(struct hr_str part, uint32_t page, int64_t batch, char *out)
{
    struct hr_str key = hr_key_part(part, out);
    uint32_t page_number = htobe32(page);
    uint64_t batch_number = htobe64((uint64_t)batch);
    memcpy(out + key.length, &page_number, sizeof(page_number));
    memcpy(out + key.length + sizeof(page_number), &batch_number, sizeof(batch_number));
    return (struct hr_str){out, key.length + sizeof(page_number) + sizeof(batch_number)};
}

enum hr_status hr_key_parse_page(struct hr_str key, struct hr_str *part, uint32_t *page, int64_t *batch,
                                 struct hr_error *err)
{
    uint32_t page_number;
    uint64_t batch_number;
    size_t tail = sizeof(page_number) + sizeof(batch_number);
    if (key.length < 3 + tail || key.length > HR_PAGE_KEY_MAX || key.data[0] != 'p' ||
        memchr(key.data + 1, 0, key.length - 1 - tail) != key.data + key.length - tail - 1) {
        return fail_key(err);
    }
    memcpy(&page_number, key.data + key.length - tail, sizeof(page_number));
    memcpy(&batch_number, key.data + key.length - sizeof(batch_number), sizeof(batch_number));
    *part = (struct hr_str){key.data + 1, key.length - tail - 2};
    *page = be32toh(page_number);
    *batch = (int64_t)be64toh(batch_number);
    return *batch < 0 ? fail_key(err) : HR_OK;
}

enum hr_status hr_key_parse_batch(struct hr_str key, int64_t *batch, struct hr_error *err)
{
    uint64_t number;
    if (key.length != HR_BATCH_KEY_LENGTH) {
        return fail_key(err);
    }
    memcpy(&number, key.data + 1, sizeof(number));
    *batch = (int64_t)be64toh(number);
    return *batch < 0 ? fail_key(err) : HR_OK;
}

size_t hr_page_trim(const uint8_t *bytes, size_t length)
{
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, bytes + length - 8, sizeof(word));
        if (word != 0) {
            break;
        }
        length -= 8;
    }
    while (length > 0 && bytes[length - 1] == 0) {
        length--;
    }
    return length;
}

uint32_t hr_page_crc(uint32_t content_crc, struct hr_str key)
{
    return hr_crc32c(content_crc, key.data, key.length);
}

enum hr_status hr_page_open(struct hr_str key, struct hr_str value, struct hr_str *bytes, uint32_t *crc,
                            struct hr_error *err)
{
    uint32_t stored = 0;
    if (value.length >= sizeof(stored) && value.length <= HR_PAGE_SIZE + sizeof(stored)) {
        struct hr_str content = {value.data, value.length - sizeof(stored)};
        memcpy(&stored, value.data + content.length, sizeof(stored));
        stored = le32toh(stored);
        if (hr_page_crc(hr_crc32c(0, content.data, content.length), key) == stored) {
            *bytes = content;
            *crc = stored;
            return HR_OK;
        }
    }
    struct hr_str part;
    uint32_t page;
    int64_t batch;
    HR_TRY(hr_key_parse_page(key, &part, &page, &batch, err));
    hr_fail(err, HR_CORRUPT, "part '%.*s', page %u of batch %lld: the stored bytes are damaged", HR_STR_ARGS(part),
            page, (long long)batch);
    return hr_fail_hint(err, "restore the state directory from a copy");
}

uint64_t hr_page_hash(uint32_t page, int64_t batch, uint32_t crc)
{
    uint64_t state = (uint64_t)batch;
    uint64_t mixed = hr_random_splitmix(&state) ^ ((uint64_t)page << 32 | crc);
    return hr_random_splitmix(&mixed);
}

struct hr_part_entry *hr_part_table_find(const struct hr_part_table *table, struct hr_str name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (hr_str_equal(table->items[i].name, name)) {
            return &table->items[i];
        }
    }
    return NULL;
}

static struct hr_str arena_str(struct hr_arena *arena, struct hr_str text)
{
    return (struct hr_str){hr_arena_strndup(arena, text.data, text.length), text.length};
}

void hr_batch_entry_encode(const struct hr_batch_entry *entry, struct hr_buf *out)
{
    struct hr_wire_writer writer;
    hr_wire_begin(&writer, out, "HRBR", FORMAT_VERSION);
    hr_wire_put_i64(&writer, entry->batch);
    hr_wire_put_u32(&writer, entry->previous_chain);
    hr_wire_put_u32(&writer, entry->delta_crc);
    hr_wire_put_str(&writer, entry->record);
    hr_wire_put_u32(&writer, (uint32_t)entry->parts.count);
    for (size_t i = 0; i < entry->parts.count; i++) {
        const struct hr_part_entry *part = &entry->parts.items[i];
        hr_wire_put_str(&writer, part->name);
        hr_wire_put_u64(&writer, part->size);
        hr_wire_put_u64(&writer, part->pages);
        hr_wire_put_u64(&writer, part->sum);
    }
    hr_wire_end(&writer);
}

/* A count that was read, no larger than what is left could hold. */
static size_t read_count(struct hr_wire_reader *reader, size_t bytes_each)
{
    size_t count = hr_wire_get_u32(reader);
    if (count > (reader->length - reader->position) / bytes_each) {
        reader->bad = true;
        return 0;
    }
    return count;
}

enum hr_status hr_batch_entry_decode(struct hr_str value, int64_t batch, struct hr_arena *arena,
                                     struct hr_batch_entry *out, struct hr_error *err)
{
    char what[64];
    snprintf(what, sizeof(what), "record of batch %lld", (long long)batch);
    struct hr_wire_reader reader;
    HR_TRY(hr_wire_open(&reader, value.data, value.length, "HRBR", FORMAT_VERSION, what, err));
    struct hr_batch_entry entry = {.batch = hr_wire_get_i64(&reader)};
    entry.previous_chain = hr_wire_get_u32(&reader);
    entry.delta_crc = hr_wire_get_u32(&reader);
    entry.record = arena_str(arena, hr_wire_get_str(&reader));
    entry.parts.count = read_count(&reader, 32);
    entry.parts.items = hr_arena_array(arena, entry.parts.count, struct hr_part_entry);
    for (size_t i = 0; i < entry.parts.count; i++) {
        struct hr_part_entry *part = &entry.parts.items[i];
        part->name = arena_str(arena, hr_wire_get_str(&reader));
        part->size = hr_wire_get_u64(&reader);
        part->pages = hr_wire_get_u64(&reader);
        part->sum = hr_wire_get_u64(&reader);
        reader.bad = reader.bad || part->name.length > HR_PART_NAME_MAX;
    }
    HR_TRY(hr_wire_done(&reader, what, err));
    if (entry.batch != batch) {
        return hr_fail(err, HR_CORRUPT, "%s: it says that it is of batch %lld", what, (long long)entry.batch);
    }
    entry.chain = hr_crc32c(entry.previous_chain, value.data, value.length);
    *out = entry;
    return HR_OK;
}

void hr_delta_encode(const struct hr_delta *delta, int64_t batch, struct hr_buf *out)
{
    struct hr_wire_writer writer;
    hr_wire_begin(&writer, out, "HRBD", FORMAT_VERSION);
    hr_wire_put_i64(&writer, batch);
    hr_wire_put_u32(&writer, (uint32_t)delta->count);
    for (size_t i = 0; i < delta->count; i++) {
        const struct hr_delta_part *part = &delta->parts[i];
        hr_wire_put_str(&writer, part->name);
        hr_wire_put_u32(&writer, (uint32_t)part->count);
        for (size_t j = 0; j < part->count; j++) {
            hr_wire_put_u32(&writer, part->pages[j].page);
            hr_wire_put_i64(&writer, part->pages[j].superseded);
        }
    }
    hr_wire_end(&writer);
}

enum hr_status hr_delta_decode(struct hr_str value, int64_t batch, struct hr_arena *arena, struct hr_delta *out,
                               struct hr_error *err)
{
    char what[64];
    snprintf(what, sizeof(what), "delta of batch %lld", (long long)batch);
    struct hr_wire_reader reader;
    HR_TRY(hr_wire_open(&reader, value.data, value.length, "HRBD", FORMAT_VERSION, what, err));
    int64_t stored_batch = hr_wire_get_i64(&reader);
    struct hr_delta delta = {.count = read_count(&reader, 12)};
    delta.parts = hr_arena_array(arena, delta.count, struct hr_delta_part);
    for (size_t i = 0; i < delta.count; i++) {
        struct hr_delta_part *part = &delta.parts[i];
        part->name = arena_str(arena, hr_wire_get_str(&reader));
        part->count = read_count(&reader, 12);
        part->pages = hr_arena_array(arena, part->count, struct hr_delta_page);
        for (size_t j = 0; j < part->count; j++) {
            part->pages[j].page = hr_wire_get_u32(&reader);
            part->pages[j].superseded = hr_wire_get_i64(&reader);
        }
        reader.bad = reader.bad || part->name.length > HR_PART_NAME_MAX;
    }
    HR_TRY(hr_wire_done(&reader, what, err));
    if (stored_batch != batch) {
        return hr_fail(err, HR_CORRUPT, "%s: it says that it is of batch %lld", what, (long long)stored_batch);
    }
    *out = delta;
    return HR_OK;
}

void hr_committed_encode(int64_t batch, uint32_t chain, struct hr_buf *out)
{
    struct hr_wire_writer writer;
    hr_wire_begin(&writer, out, "HRCC", FORMAT_VERSION);
    hr_wire_put_i64(&writer, batch);
    hr_wire_put_u32(&writer, chain);
    hr_wire_end(&writer);
}

enum hr_status hr_committed_decode(struct hr_str value, int64_t *batch, uint32_t *chain, struct hr_error *err)
{
    struct hr_wire_reader reader;
    const char *what = "committed batch";
    HR_TRY(hr_wire_open(&reader, value.data, value.length, "HRCC", FORMAT_VERSION, what, err));
    int64_t stored_batch = hr_wire_get_i64(&reader);
    uint32_t stored_chain = hr_wire_get_u32(&reader);
    HR_TRY(hr_wire_done(&reader, what, err));
    if (stored_batch < -1) {
        return hr_fail(err, HR_CORRUPT, "%s: there is no batch %lld", what, (long long)stored_batch);
    }
    *batch = stored_batch;
    *chain = stored_chain;
    return HR_OK;
}

void hr_meta_encode(const char *lineage, struct hr_str identity, struct hr_buf *out)
{
    struct hr_wire_writer writer;
    hr_wire_begin(&writer, out, "HRCM", FORMAT_VERSION);
    hr_wire_put_str(&writer, hr_str_from(lineage));
    hr_wire_put_str(&writer, identity);
    hr_wire_end(&writer);
}

enum hr_status hr_meta_decode(struct hr_str value, char lineage[37], struct hr_buf *identity, struct hr_error *err)
{
    struct hr_wire_reader reader;
    const char *what = "checkpoint's lineage and identity";
    HR_TRY(hr_wire_open(&reader, value.data, value.length, "HRCM", FORMAT_VERSION, what, err));
    struct hr_str stored_lineage = hr_wire_get_str(&reader);
    struct hr_str stored_identity = hr_wire_get_str(&reader);
    HR_TRY(hr_wire_done(&reader, what, err));
    if (stored_lineage.length != 36) {
        return hr_fail(err, HR_CORRUPT, "%s: the lineage is not 36 characters", what);
    }
    memcpy(lineage, stored_lineage.data, 36);
    lineage[36] = 0;
    hr_buf_append_str(identity, stored_identity);
    return HR_OK;
}
