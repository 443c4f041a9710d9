/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels to numbers: an open-addressing hash map from strings to their order of coming, with a count for each. Owns
 * copies of the strings, in an arena. Looking up allocates nothing. Thread: one at a time, look-ups from any.
 */
#ifndef HR_ML_LABEL_MAP_H
#define HR_ML_LABEL_MAP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct hr_label {
    struct hr_str text; /* terminated */
    uint64_t hash;
    int64_t count;
};

struct hr_label_map {
    struct hr_label *labels; /* by order of coming */
    size_t count;
    size_t capacity;
    uint32_t *slots;   /* label + 1; 0: free */
    size_t slot_count; /* a power of two */
    struct hr_arena *arena;
};

void hr_label_map_init(struct hr_label_map *map, struct hr_arena *arena);
void hr_label_map_release(struct hr_label_map *map);
/* Adds the label when it is new, and 1 to its count. Returns its number. */
size_t hr_label_map_add(struct hr_label_map *map, struct hr_str text);
/* SIZE_MAX: not there. */
size_t hr_label_map_find(const struct hr_label_map *map, struct hr_str text);
/* Order of Java's String.compareTo (UTF-16 code units) for UTF-8 text: <0, 0, >0. */
int hr_label_compare(struct hr_str a, struct hr_str b);

#endif
