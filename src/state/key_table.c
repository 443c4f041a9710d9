/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear probing at a load of at most three quarters. The upper bits of the hash name the first slot, so that a growth
 * writes in the order in which it reads. Keys of up to KEY_INSIDE bytes lie in their slot; of longer ones the slot
 * holds the place. A whole hash is compared before any byte of a key.
 *
 * A table larger than the caches costs one miss a key; a block of keys is hashed and fetched ahead of its use, so that
 * the misses of a block overlap.
 */
#define XXH_INLINE_ALL
#include "state/key_table.h"

#include <xxhash.h>

#define MAGIC UINT64_C(0x31656c6261742d6b) /* "k-table1" */
#define SLOTS_MIN 64u
#define KEY_INSIDE 20u
#define BLOCK 64u

/* At the start of the slots' region. */
struct header {
    uint64_t magic;
    uint64_t value_size;
    uint64_t slot_count;
    uint64_t count;
    uint64_t reserved[4];
};

struct slot {
    uint64_t hash; /* 0: free */
    uint32_t length;
    uint8_t inside[KEY_INSIDE]; /* the key, or its offset in keys (8 bytes) */
};

static struct header *header_of(const struct hr_key_table *table)
{
    return (struct header *)table->slots.data;
}

static struct slot *slot_at(const struct hr_key_table *table, size_t number)
{
    return (struct slot *)(table->slots.data + sizeof(struct header) + number * table->stride);
}

static void *value_of(struct slot *slot)
{
    return slot + 1;
}

static uint64_t offset_of(const struct slot *slot)
{
    uint64_t offset;
    memcpy(&offset, slot->inside, sizeof(offset));
    return offset;
}

static struct hr_str key_of(const struct hr_key_table *table, const struct slot *slot)
{
    const void *data = slot->length <= KEY_INSIDE ? slot->inside : table->keys.data + offset_of(slot);
    return (struct hr_str){data, slot->length};
}

static uint64_t hash_of(const struct hr_key_table *table, struct hr_str key)
{
    return (XXH3_64bits(key.length > 0 ? key.data : "", key.length) & table->hash_mask) | 1;
}

void hr_key_table_init(struct hr_key_table *table, size_t value_size, size_t maximum)
{
    *table = (struct hr_key_table){
        .value_size = value_size,
        .stride = sizeof(struct slot) + (value_size + 7) / 8 * 8,
        .hash_mask = UINT64_MAX,
    };
    hr_paged_init(&table->slots, maximum);
    hr_paged_init(&table->keys, maximum);
}

void hr_key_table_release(struct hr_key_table *table)
{
    hr_paged_release(&table->slots);
    hr_paged_release(&table->keys);
    table->slot_count = table->count = 0;
}

/* ---- growth ------------------------------------------------------------------------------------------------- */

static size_t region_size(const struct hr_key_table *table, size_t slot_count)
{
    return sizeof(struct header) + slot_count * table->stride;
}

static void set_slot_count(struct hr_key_table *table, size_t slot_count)
{
    table->slot_count = slot_count;
    table->shift = 64 - (unsigned)__builtin_ctzll(slot_count);
}

static void move_slots(const struct hr_key_table *from, struct hr_key_table *to)
{
    for (size_t i = 0; i < from->slot_count; i++) {
        const struct slot *slot = slot_at(from, i);
        if (slot->hash == 0) {
            continue;
        }
        size_t number = slot->hash >> to->shift;
        while (slot_at(to, number)->hash != 0) {
            number = (number + 1) & (to->slot_count - 1);
        }
        memcpy(slot_at(to, number), slot, from->stride);
    }
}

/* Room for so many keys more. */
static enum hr_status make_room(struct hr_key_table *table, size_t more, struct hr_error *err)
{
    size_t slot_count = table->slot_count > 0 ? table->slot_count : SLOTS_MIN;
    while (table->count + more > slot_count / 4 * 3) {
        slot_count *= 2;
    }
    if (slot_count == table->slot_count) {
        return HR_OK;
    }
    struct hr_key_table grown = *table;
    hr_paged_init(&grown.slots, table->slots.maximum);
    HR_TRY(hr_paged_resize(&grown.slots, region_size(table, slot_count), err));
    set_slot_count(&grown, slot_count);
    if (table->slot_count > 0) {
        move_slots(table, &grown);
    }
    *header_of(&grown) = (struct header){MAGIC, table->value_size, slot_count, table->count, {0}};
    hr_paged_release(&table->slots);
    *table = grown;
    return HR_OK;
}

/* ---- one key ------------------------------------------------------------------------------------------------ */

/* The slot of the key, or the free one where it belongs. */
static struct slot *find_slot(const struct hr_key_table *table, struct hr_str key, uint64_t hash)
{
    for (size_t number = hash >> table->shift;; number = (number + 1) & (table->slot_count - 1)) {
        struct slot *slot = slot_at(table, number);
        if (slot->hash == 0 || (slot->hash == hash && hr_str_equal(key_of(table, slot), key))) {
            return slot;
        }
    }
}

/* There is room for the bytes of a long key. */
static void fill_slot(struct hr_key_table *table, struct slot *slot, struct hr_str key, uint64_t hash)
{
    slot->hash = hash;
    slot->length = (uint32_t)key.length;
    table->count++;
    if (key.length <= KEY_INSIDE) {
        if (key.length > 0) {
            memcpy(slot->inside, key.data, key.length);
        }
        return;
    }
    uint64_t offset = table->keys.size;
    struct hr_error none;
    HR_ASSERT(hr_paged_resize(&table->keys, offset + key.length, &none) == HR_OK);
    memcpy(table->keys.data + offset, key.data, key.length);
    memcpy(slot->inside, &offset, sizeof(offset));
}

static void mark_slot(struct hr_key_table *table, const struct slot *slot)
{
    size_t begin = (size_t)((const uint8_t *)slot - table->slots.data);
    if (table->stride > HR_PAGE_SIZE) {
        hr_paged_mark_range(&table->slots, begin, table->stride);
        return;
    }
    hr_paged_mark(&table->slots, begin);
    hr_paged_mark(&table->slots, begin + table->stride - 1);
}

/* ---- many --------------------------------------------------------------------------------------------------- */

/* Hashes a block and has its slots fetched: both ends, for a slot may lie in two cache lines. */
static void fetch_block(const struct hr_key_table *table, const struct hr_str *keys, size_t count, uint64_t *hashes)
{
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_of(table, keys[i]);
        const char *slot = (const char *)slot_at(table, hashes[i] >> table->shift);
        __builtin_prefetch(slot, 1);
        __builtin_prefetch(slot + sizeof(struct slot) + 7, 1);
    }
    for (size_t i = 0; i < count; i++) {
        const struct slot *slot = slot_at(table, hashes[i] >> table->shift);
        if (keys[i].length > KEY_INSIDE && slot->hash == hashes[i] && slot->length > KEY_INSIDE) {
            __builtin_prefetch(table->keys.data + offset_of(slot));
        }
    }
}

static void enter_block(struct hr_key_table *table, const struct hr_str *keys, size_t count, void **out)
{
    uint64_t hashes[BLOCK];
    fetch_block(table, keys, count, hashes);
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = find_slot(table, keys[i], hashes[i]);
        if (slot->hash == 0) {
            fill_slot(table, slot, keys[i], hashes[i]);
        }
        mark_slot(table, slot);
        out[i] = value_of(slot);
    }
}

static void count_entered(struct hr_key_table *table, size_t before)
{
    if (table->count != before) {
        header_of(table)->count = table->count;
        hr_paged_mark(&table->slots, 0);
    }
}

/* Beforehand, so that no key of a batch can fail once an earlier one was entered, and no value moves. */
static enum hr_status check_long_keys(const struct hr_key_table *table, const struct hr_str *keys, size_t count,
                                      struct hr_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (keys[i].length > UINT32_MAX) {
            return hr_fail(err, HR_BAD_DATA, "a key of %zu bytes is too long", keys[i].length);
        }
        bytes += keys[i].length > KEY_INSIDE ? keys[i].length : 0;
    }
    if (bytes > table->keys.maximum - table->keys.size) {
        return hr_fail(err, HR_BAD_DATA, "%zu bytes of keys are more than the limit of %zu", table->keys.size + bytes,
                       table->keys.maximum);
    }
    return HR_OK;
}

enum hr_status hr_key_table_enter(struct hr_key_table *table, const struct hr_str *keys, size_t count, void **out,
                                  struct hr_error *err)
{
    HR_TRY(check_long_keys(table, keys, count, err));
    HR_TRY(make_room(table, count, err));
    size_t before = table->count;
    for (size_t i = 0; i < count; i += BLOCK) {
        enter_block(table, keys + i, count - i < BLOCK ? count - i : BLOCK, out + i);
    }
    count_entered(table, before);
    return HR_OK;
}

enum hr_status hr_key_table_enter_longs(struct hr_key_table *table, const int64_t *keys, size_t count, void **out,
                                        struct hr_error *err)
{
    HR_TRY(make_room(table, count, err));
    size_t before = table->count;
    for (size_t i = 0; i < count; i += BLOCK) {
        struct hr_str texts[BLOCK];
        size_t some = count - i < BLOCK ? count - i : BLOCK;
        for (size_t k = 0; k < some; k++) {
            texts[k] = (struct hr_str){(const char *)&keys[i + k], sizeof(*keys)};
        }
        enter_block(table, texts, some, out + i);
    }
    count_entered(table, before);
    return HR_OK;
}

const void *hr_key_table_find(const struct hr_key_table *table, struct hr_str key)
{
    if (table->slot_count == 0) {
        return NULL;
    }
    struct slot *slot = find_slot(table, key, hash_of(table, key));
    return slot->hash != 0 ? value_of(slot) : NULL;
}

bool hr_key_table_next(const struct hr_key_table *table, size_t *slot, struct hr_str *key, const void **value)
{
    for (; *slot < table->slot_count; (*slot)++) {
        struct slot *found = slot_at(table, *slot);
        if (found->hash != 0) {
            *key = key_of(table, found);
            *value = value_of(found);
            (*slot)++;
            return true;
        }
    }
    return false;
}

/* ---- from a checkpoint -------------------------------------------------------------------------------------- */

static enum hr_status check_header(const struct hr_key_table *table, struct hr_error *err)
{
    const struct header *header = header_of(table);
    if (table->slots.size < sizeof(*header) || header->magic != MAGIC) {
        return hr_fail(err, HR_CORRUPT, "what was saved is no key table of this version");
    }
    if (header->value_size != table->value_size) {
        return hr_fail(err, HR_MISMATCH, "the key table has values of %llu bytes, not of %zu",
                       (unsigned long long)header->value_size, table->value_size);
    }
    size_t slots_max = table->slots.size / table->stride;
    if (header->slot_count < SLOTS_MIN || header->slot_count > slots_max ||
        (header->slot_count & (header->slot_count - 1)) != 0 ||
        region_size(table, header->slot_count) != table->slots.size || header->count > header->slot_count / 4 * 3) {
        return hr_fail(err, HR_CORRUPT, "the key table's header does not fit its %zu bytes", table->slots.size);
    }
    return HR_OK;
}

/* Reads each slot once: a place outside of the keys would be read later on, a wrong count would fill the table. */
static enum hr_status check_slots(const struct hr_key_table *table, struct hr_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct slot *slot = slot_at(table, i);
        if (slot->hash == 0) {
            continue;
        }
        count++;
        uint64_t offset = slot->length > KEY_INSIDE ? offset_of(slot) : 0;
        if (slot->length > KEY_INSIDE &&
            (slot->length > table->keys.size || offset > table->keys.size - slot->length)) {
            return hr_fail(err, HR_CORRUPT, "slot %zu of the key table names a key outside of its keys", i);
        }
    }
    if (count != table->count) {
        return hr_fail(err, HR_CORRUPT, "the key table has %zu keys, and its header says %zu", count, table->count);
    }
    return HR_OK;
}

enum hr_status hr_key_table_loaded(struct hr_key_table *table, struct hr_error *err)
{
    if (table->slots.size == 0 && table->keys.size == 0) {
        return HR_OK; /* nothing was entered before it was saved */
    }
    HR_TRY(check_header(table, err));
    set_slot_count(table, header_of(table)->slot_count);
    table->count = header_of(table)->count;
    return check_slots(table, err);
}
