/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear probing at a load of at most one half.
 */
#include "ml/label_map.h"

#include <string.h>
#include <xxhash.h>

#include "base/alloc.h"

#define SLOTS_MIN 64u

static uint64_t hash_of(struct hr_str text)
{
    return XXH3_64bits(text.data != NULL ? text.data : "", text.length);
}

void hr_label_map_init(struct hr_label_map *map, struct hr_arena *arena)
{
    *map = (struct hr_label_map){.slot_count = SLOTS_MIN, .arena = arena};
    map->slots = hr_calloc(SLOTS_MIN, sizeof(*map->slots));
}

void hr_label_map_release(struct hr_label_map *map)
{
    hr_free(map->labels);
    hr_free(map->slots);
    *map = (struct hr_label_map){0};
}

/* The slot of the label, or the free one where it belongs. */
static size_t slot_of(const struct hr_label_map *map, struct hr_str text, uint64_t hash)
{
    size_t mask = map->slot_count - 1;
    size_t slot = hash & mask;
    while (map->slots[slot] != 0) {
        const struct hr_label *label = &map->labels[map->slots[slot] - 1];
        if (label->hash == hash && hr_str_equal(label->text, text)) {
            break;
        }
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void grow_slots(struct hr_label_map *map)
{
    hr_free(map->slots);
    map->slot_count *= 2;
    map->slots = hr_calloc(map->slot_count, sizeof(*map->slots));
    size_t mask = map->slot_count - 1;
    for (size_t i = 0; i < map->count; i++) {
        size_t slot = map->labels[i].hash & mask;
        while (map->slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        map->slots[slot] = (uint32_t)(i + 1);
    }
}

size_t hr_label_map_add(struct hr_label_map *map, struct hr_str text)
{
    uint64_t hash = hash_of(text);
    size_t slot = slot_of(map, text, hash);
    if (map->slots[slot] != 0) {
        map->labels[map->slots[slot] - 1].count++;
        return map->slots[slot] - 1;
    }
    if (map->count == map->capacity) {
        map->capacity = map->capacity > 0 ? map->capacity * 2 : 32;
        map->labels = hr_realloc_array(map->labels, map->capacity, sizeof(*map->labels));
    }
    HR_ASSERT(map->count < UINT32_MAX - 1);
    struct hr_str copy = {hr_arena_strndup(map->arena, text.data != NULL ? text.data : "", text.length), text.length};
    map->labels[map->count] = (struct hr_label){.text = copy, .hash = hash, .count = 1};
    map->slots[slot] = (uint32_t)(map->count + 1);
    map->count++;
    if (2 * map->count > map->slot_count) {
        grow_slots(map);
    }
    return map->count - 1;
}

size_t hr_label_map_find(const struct hr_label_map *map, struct hr_str text)
{
    size_t slot = slot_of(map, text, hash_of(text));
    return map->slots[slot] != 0 ? map->slots[slot] - 1 : SIZE_MAX;
}

/* In UTF-16, characters beyond U+FFFF begin with a surrogate (D800…) and so come before U+E000…U+FFFF, whose UTF-8
 * begins with EE or EF. Moving those two lead bytes past F4 gives that order to a comparison of bytes. */
static unsigned order_of(unsigned char byte)
{
    return byte == 0xee || byte == 0xef ? byte + 0x10u : byte;
}

int hr_label_compare(struct hr_str a, struct hr_str b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    for (size_t i = 0; i < shorter; i++) {
        if (a.data[i] != b.data[i]) {
            return order_of((unsigned char)a.data[i]) < order_of((unsigned char)b.data[i]) ? -1 : 1;
        }
    }
    return (a.length > b.length) - (a.length < b.length);
}
