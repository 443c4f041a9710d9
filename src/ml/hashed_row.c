/* SPDX-License-Identifier: Apache-2.0
 *
 * Short rows are sorted by insertion, long ones by qsort.
 */
#include "ml/hashed_row.h"

#include <stdlib.h>
#include <string.h>

#define INSERTION_MAX 24u

void hr_hashed_row_add(struct hr_hashed_row *row, uint32_t index, double value)
{
    if (row->count == row->capacity) {
        size_t capacity = row->capacity > 0 ? row->capacity * 2 : 64;
        uint64_t *keys = hr_arena_array(row->arena, capacity, uint64_t);
        double *values = hr_arena_array(row->arena, capacity, double);
        if (row->count > 0) {
            memcpy(keys, row->keys, row->count * sizeof(*keys));
            memcpy(values, row->values, row->count * sizeof(*values));
        }
        row->keys = keys;
        row->values = values;
        row->capacity = capacity;
    }
    row->keys[row->count] = (uint64_t)index << 32 | row->count;
    row->values[row->count++] = value;
}

static int key_order(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void keys_sort(uint64_t *keys, size_t count)
{
    if (count > INSERTION_MAX) {
        qsort(keys, count, sizeof(*keys), key_order);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--) {
            keys[at] = keys[at - 1];
        }
        keys[at] = key;
    }
}

struct hr_vector hr_hashed_row_take(struct hr_hashed_row *row, uint32_t size, bool binary)
{
    keys_sort(row->keys, row->count);
    uint32_t *indices = hr_arena_array(row->arena, row->count, uint32_t);
    double *values = hr_arena_array(row->arena, row->count, double);
    uint32_t count = 0;
    for (size_t i = 0; i < row->count; i++) {
        uint32_t index = (uint32_t)(row->keys[i] >> 32);
        double value = row->values[(uint32_t)row->keys[i]];
        if (count > 0 && indices[count - 1] == index) {
            values[count - 1] = binary ? 1.0 : values[count - 1] + value;
        } else {
            indices[count] = index;
            values[count++] = value;
        }
    }
    row->count = 0;
    return (struct hr_vector){.values = values, .indices = indices, .size = size, .count = count};
}
