/* SPDX-License-Identifier: Apache-2.0
 *
 * Source positions: see offset.h. One sorted array; a query has some hundred positions at most, or as many as it has
 * input files, so insertion by moving the tail is cheap enough and keeps equal sets equal in bytes.
 */
#include "stream/offset.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"

static int offset_compare(const struct hr_offset *offset, struct hr_str name, int32_t partition)
{
    int order = hr_str_compare(offset->name, name);
    if (order != 0) {
        return order;
    }
    return (offset->partition > partition) - (offset->partition < partition);
}

/* Index of the first item that is not below (name, partition). */
static size_t offset_lower_bound(const struct hr_offsets *offsets, struct hr_str name, int32_t partition)
{
    size_t low = 0;
    size_t high = offsets->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (offset_compare(&offsets->items[middle], name, partition) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void offset_reserve(struct hr_offsets *offsets, size_t count)
{
    if (count <= offsets->capacity) {
        return;
    }
    size_t capacity = offsets->capacity * 2 > count ? offsets->capacity * 2 : count;
    offsets->items = hr_realloc_array(offsets->items, capacity, sizeof(offsets->items[0]));
    offsets->capacity = capacity;
}

static struct hr_str offset_name_copy(struct hr_str name)
{
    return (struct hr_str){hr_strndup(name.length > 0 ? name.data : "", name.length), name.length};
}

void hr_offsets_release(struct hr_offsets *offsets)
{
    for (size_t i = 0; i < offsets->count; i++) {
        hr_free((void *)offsets->items[i].name.data);
    }
    hr_free(offsets->items);
    *offsets = (struct hr_offsets){0};
}

struct hr_offset *hr_offsets_find(const struct hr_offsets *offsets, struct hr_str name, int32_t partition)
{
    size_t index = offset_lower_bound(offsets, name, partition);
    if (index == offsets->count || offset_compare(&offsets->items[index], name, partition) != 0) {
        return NULL;
    }
    return &offsets->items[index];
}

struct hr_offset *hr_offsets_set(struct hr_offsets *offsets, struct hr_str name, int32_t partition, int64_t position)
{
    size_t index = offset_lower_bound(offsets, name, partition);
    if (index == offsets->count || offset_compare(&offsets->items[index], name, partition) != 0) {
        offset_reserve(offsets, offsets->count + 1);
        memmove(&offsets->items[index + 1], &offsets->items[index],
                (offsets->count - index) * sizeof(offsets->items[0]));
        offsets->items[index] = (struct hr_offset){.name = offset_name_copy(name), .partition = partition};
        offsets->count++;
    }
    offsets->items[index].position = position;
    return &offsets->items[index];
}

void hr_offsets_remove(struct hr_offsets *offsets, struct hr_str name, int32_t partition)
{
    struct hr_offset *offset = hr_offsets_find(offsets, name, partition);
    if (offset == NULL) {
        return;
    }
    size_t index = (size_t)(offset - offsets->items);
    hr_free((void *)offset->name.data);
    memmove(offset, offset + 1, (offsets->count - index - 1) * sizeof(*offset));
    offsets->count--;
}

void hr_offsets_copy(struct hr_offsets *to, const struct hr_offsets *from)
{
    if (to == from) {
        return;
    }
    hr_offsets_release(to);
    offset_reserve(to, from->count);
    for (size_t i = 0; i < from->count; i++) {
        to->items[i] = from->items[i];
        to->items[i].name = offset_name_copy(from->items[i].name);
    }
    to->count = from->count;
}

bool hr_offsets_equal(const struct hr_offsets *a, const struct hr_offsets *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (offset_compare(&a->items[i], b->items[i].name, b->items[i].partition) != 0 ||
            a->items[i].position != b->items[i].position) {
            return false;
        }
    }
    return true;
}

void hr_offsets_encode(const struct hr_offsets *offsets, struct hr_wire_writer *writer)
{
    hr_wire_put_u64(writer, offsets->count);
    for (size_t i = 0; i < offsets->count; i++) {
        const struct hr_offset *offset = &offsets->items[i];
        hr_wire_put_str(writer, offset->name);
        hr_wire_put_u32(writer, (uint32_t)offset->partition);
        hr_wire_put_i64(writer, offset->position);
        hr_wire_put_i64(writer, offset->line);
        hr_wire_put_u8(writer, offset->has_anchor);
        if (offset->has_anchor) {
            hr_wire_put_i64(writer, offset->anchor_offset);
            hr_wire_put_i64(writer, offset->anchor_timestamp_us);
            hr_wire_put_u32(writer, offset->anchor_crc);
        }
    }
}

static void offset_decode(struct hr_wire_reader *reader, struct hr_offset *out)
{
    *out = (struct hr_offset){0};
    out->name = hr_wire_get_str(reader);
    out->partition = (int32_t)hr_wire_get_u32(reader);
    out->position = hr_wire_get_i64(reader);
    out->line = hr_wire_get_i64(reader);
    out->has_anchor = hr_wire_get_u8(reader) != 0;
    if (out->has_anchor) {
        out->anchor_offset = hr_wire_get_i64(reader);
        out->anchor_timestamp_us = hr_wire_get_i64(reader);
        out->anchor_crc = hr_wire_get_u32(reader);
    }
}

enum hr_status hr_offsets_decode(struct hr_wire_reader *reader, struct hr_offsets *out, struct hr_error *err)
{
    HR_CLEANUP(hr_offsets_release) struct hr_offsets decoded = {0};
    uint64_t count = hr_wire_get_u64(reader);
    for (uint64_t i = 0; i < count; i++) {
        struct hr_offset offset;
        offset_decode(reader, &offset);
        if (reader->bad) {
            return hr_fail(err, HR_CORRUPT, "source positions end after %llu of %llu entries", (unsigned long long)i,
                           (unsigned long long)count);
        }
        if (decoded.count > 0 &&
            offset_compare(&decoded.items[decoded.count - 1], offset.name, offset.partition) >= 0) {
            return hr_fail(err, HR_CORRUPT, "source positions are not in order at entry %llu", (unsigned long long)i);
        }
        offset_reserve(&decoded, decoded.count + 1);
        offset.name = offset_name_copy(offset.name);
        decoded.items[decoded.count++] = offset;
    }
    if (reader->bad) {
        return hr_fail(err, HR_CORRUPT, "source positions are cut short");
    }
    hr_offsets_release(out);
    *out = decoded;
    decoded = (struct hr_offsets){0};
    return HR_OK;
}

void hr_offsets_write(const struct hr_offsets *offsets, struct hr_json *json)
{
    hr_json_object_begin(json);
    for (size_t i = 0; i < offsets->count;) {
        struct hr_str name = offsets->items[i].name;
        hr_json_key_str(json, name);
        if (offsets->items[i].partition < 0) {
            hr_json_int(json, offsets->items[i].position);
            i++;
            continue;
        }
        hr_json_object_begin(json);
        for (; i < offsets->count && hr_str_equal(offsets->items[i].name, name); i++) {
            char digits[HR_NUMBER_TEXT_MAX];
            size_t length = hr_number_format_int64(offsets->items[i].partition, digits);
            hr_json_key_str(json, (struct hr_str){digits, length});
            hr_json_int(json, offsets->items[i].position);
        }
        hr_json_object_end(json);
    }
    hr_json_object_end(json);
}

static int64_t offset_begin(const struct hr_offsets *from, const struct hr_offset *to)
{
    const struct hr_offset *begin = hr_offsets_find(from, to->name, to->partition);
    return begin != NULL ? begin->position : 0;
}

void hr_offsets_limit(const struct hr_offsets *from, const struct hr_offsets *to, int64_t limit, struct hr_offsets *out)
{
    hr_offsets_copy(out, to);
    double total = 0;
    for (size_t i = 0; i < to->count; i++) {
        int64_t begin = offset_begin(from, &to->items[i]);
        if (to->items[i].position > begin) {
            total += (double)(to->items[i].position - begin);
        }
    }
    /* All fits: no shares, so that no rounding can leave a row behind. */
    if (total <= (double)limit) {
        return;
    }
    for (size_t i = 0; i < to->count; i++) {
        int64_t begin = offset_begin(from, &to->items[i]);
        int64_t end = to->items[i].position;
        if (end <= begin) {
            continue;
        }
        double share = (double)limit * ((double)(end - begin) / total);
        share = share < 1 ? ceil(share) : floor(share);
        if (share < (double)(end - begin)) {
            out->items[i].position = begin + (int64_t)share;
        }
    }
}
