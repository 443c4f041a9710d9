/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes come in no order, so that sorting by comparing and moving guesses wrong at every other step. In a short row
 * each element's place is counted instead, four elements at a time: it is the number of smaller indices. Long rows, and
 * those where two elements have one index, are sorted by index and order of coming.
 */
#include "ml/hashed_row.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define COUNTED_MAX 32u

void hr_hashed_row_add(struct hr_hashed_row *row, uint32_t index, double value)
{
    if (row->count == row->capacity) {
        size_t capacity = row->capacity > 0 ? row->capacity * 2 : 64;
        uint32_t *indices = hr_arena_array(row->arena, capacity, uint32_t);
        double *values = hr_arena_array(row->arena, capacity, double);
        if (row->count > 0) {
            memcpy(indices, row->indices, row->count * sizeof(*indices));
            memcpy(values, row->values, row->count * sizeof(*values));
        }
        row->indices = indices;
        row->values = values;
        row->capacity = capacity;
    }
    row->indices[row->count] = index;
    row->values[row->count++] = value;
}

typedef int32_t lanes __attribute__((vector_size(16)));

/* Puts the pairs in order; false, with anything in out, when two indices are equal. */
static bool sort_by_counting(const uint32_t *indices, const double *values, size_t count, uint32_t *out_indices,
                             double *out_values)
{
    int32_t keys[COUNTED_MAX];
    uint32_t places[COUNTED_MAX];
    size_t padded = (count + 3) & ~(size_t)3;
    memset(keys + padded - 4, 0x7f, 4 * sizeof(*keys));
    memcpy(keys, indices, count * sizeof(*keys));
    for (size_t i = 0; i < padded; i += 4) {
        lanes four;
        lanes smaller = {0};
        memcpy(&four, keys + i, sizeof(four));
        for (size_t j = 0; j < count; j++) {
            smaller -= four > keys[j];
        }
        memcpy(places + i, &smaller, sizeof(smaller));
    }
    uint64_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        out_indices[places[i]] = indices[i];
        out_values[places[i]] = values[i];
        taken |= (uint64_t)1 << places[i];
    }
    return taken == ((uint64_t)1 << count) - 1;
}

static int key_order(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Keys have the index in the high half and the order of coming in the low one. */
static void sort_keys(uint64_t *keys, size_t count)
{
    if (count > COUNTED_MAX) {
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

uint32_t hr_hashed_row_sort(const uint32_t *indices, const double *values, size_t count, bool binary,
                            uint32_t *out_indices, double *out_values, struct hr_arena *arena)
{
    if (count == 0) {
        return 0;
    }
    if (count <= COUNTED_MAX && sort_by_counting(indices, values, count, out_indices, out_values)) {
        return (uint32_t)count;
    }
    uint64_t few[COUNTED_MAX];
    uint64_t *keys = count <= COUNTED_MAX ? few : hr_arena_array(arena, count, uint64_t);
    for (size_t i = 0; i < count; i++) {
        keys[i] = (uint64_t)indices[i] << 32 | i;
    }
    sort_keys(keys, count);
    uint32_t left = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t index = (uint32_t)(keys[i] >> 32);
        double value = values[(uint32_t)keys[i]];
        if (left > 0 && out_indices[left - 1] == index) {
            out_values[left - 1] = binary ? 1.0 : out_values[left - 1] + value;
        } else {
            out_indices[left] = index;
            out_values[left++] = value;
        }
    }
    return left;
}

struct hr_vector hr_hashed_row_take(struct hr_hashed_row *row, uint32_t size, bool binary)
{
    uint32_t *indices = hr_arena_array(row->arena, row->count, uint32_t);
    double *values = hr_arena_array(row->arena, row->count, double);
    uint32_t count = hr_hashed_row_sort(row->indices, row->values, row->count, binary, indices, values, row->arena);
    row->count = 0;
    return (struct hr_vector){.values = values, .indices = indices, .size = size, .count = count};
}
