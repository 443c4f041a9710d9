/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON arrays and vectors into columns. Elements are collected in scratch memory and copied once their number is known.
 * Values of dense vectors of one column follow each other in a block, so that a chunk of equal sizes is a matrix.
 */
#include <string.h>

#include "base/alloc.h"
#include "data/json_fast.h"
#include "data/json_number.h"
#include "data/json_value.h"

/* Doubles of one block: 1 MiB. */
enum { BLOCK_MAX = 131072 };

/* Passes over the whole value again to check it, after its elements turned out to be of the wrong type. */
static HR_COLD const char *wrong_type(struct hr_json_input *input, const char *start, int depth, uint8_t *state)
{
    *state = HR_JSON_WRONG_TYPE;
    return hr_json_skip_value(input, start, depth);
}

static HR_COLD const char *too_deep(struct hr_json_input *input, const char *p)
{
    return hr_json_fail(input, p, HR_REASON_TOO_DEEP, "at most 128 levels");
}

/* After an element: the next one, or *done and the place after ']'. */
static const char *next_element(struct hr_json_input *input, const char *p, bool *done)
{
    p = hr_json_skip_blanks(p, input->end);
    if (p == input->end || (*p != ',' && *p != ']')) {
        return hr_json_fail(input, p, HR_REASON_MALFORMED, "',' or ']'");
    }
    *done = *p == ']';
    return *done ? p + 1 : hr_json_skip_blanks(p + 1, input->end);
}

/* p stands after '['. *done when the array is empty. */
static const char *first_element(struct hr_json_input *input, const char *p, bool *done)
{
    p = hr_json_skip_blanks(p, input->end);
    *done = p < input->end && *p == ']';
    return *done ? p + 1 : p;
}

static void grow(void **items, size_t *capacity, size_t size)
{
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    *items = hr_realloc_array(*items, *capacity, size);
}

/* Numbers into scratch->numbers. p stands at '['. *state becomes WRONG_TYPE or OUT_OF_RANGE by the first bad one, and
 * the rest is only checked. */
static const char *numbers(struct hr_json_input *input, const char *p, int depth, struct hr_json_scratch *scratch,
                           size_t *count, uint8_t *state)
{
    bool done;
    *count = 0;
    *state = HR_JSON_VALUE;
    if (depth >= HR_JSON_DEPTH_MAX) {
        return too_deep(input, p);
    }
    p = first_element(input, p + 1, &done);
    while (p != NULL && !done) {
        if (*count == scratch->number_capacity) {
            grow((void **)&scratch->numbers, &scratch->number_capacity, sizeof(double));
        }
        if (p == input->end) {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "a value");
        }
        const char *next = hr_json_fast_double(input->start, p, input->end, &scratch->numbers[*count]);
        if (HR_LIKELY(next != NULL)) {
            (*count)++;
            p = next_element(input, next, &done);
            continue;
        }
        uint8_t element;
        p = hr_json_floating(input, p, depth + 1, &scratch->numbers[*count], &element);
        if (p == NULL) {
            return NULL;
        }
        if (*state == HR_JSON_VALUE) {
            *state = element;
        }
        (*count)++;
        p = next_element(input, p, &done);
    }
    return p;
}

/* Non-negative integers below 2^31 into scratch->indices; else as above. */
static const char *indices(struct hr_json_input *input, const char *p, int depth, struct hr_json_scratch *scratch,
                           size_t *count, uint8_t *state)
{
    bool done;
    *count = 0;
    *state = HR_JSON_VALUE;
    if (depth >= HR_JSON_DEPTH_MAX) {
        return too_deep(input, p);
    }
    p = first_element(input, p + 1, &done);
    while (p != NULL && !done) {
        if (*count == scratch->index_capacity) {
            grow((void **)&scratch->indices, &scratch->index_capacity, sizeof(uint32_t));
        }
        struct hr_json_number number;
        int64_t value = 0;
        const char *next = hr_json_number(p, input->end, &number);
        if (next == NULL) {
            *state = HR_JSON_WRONG_TYPE;
            next = hr_json_skip_value(input, p, depth + 1);
        } else if (!number.integer || !hr_json_number_int64(&number, &value) || value < 0 || value > INT32_MAX) {
            *state = HR_JSON_WRONG_TYPE;
        }
        if (next == NULL) {
            return NULL;
        }
        scratch->indices[(*count)++] = (uint32_t)value;
        p = next_element(input, next, &done);
    }
    return p;
}

/* Room for count doubles, right after the column's last vector where that is possible. */
static double *vector_room(struct hr_json_target *target, size_t row, size_t count, struct hr_arena *arena)
{
    if (target->block_left < count || target->block == NULL) {
        size_t rows = target->rows_left > row ? target->rows_left - row : 1;
        size_t wanted = rows > BLOCK_MAX / (count + 1) ? BLOCK_MAX : rows * count;
        target->block_left = wanted > count ? wanted : count;
        target->block = hr_arena_array(arena, target->block_left, double);
    }
    double *room = target->block;
    target->block += count;
    target->block_left -= count;
    return room;
}

static const char *dense_vector(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                                size_t row, struct hr_json_scratch *scratch, uint8_t *state)
{
    size_t count;
    p = numbers(input, p, depth, scratch, &count, state);
    if (p == NULL || *state != HR_JSON_VALUE) {
        return p;
    }
    if (count > INT32_MAX) {
        *state = HR_JSON_OUT_OF_RANGE;
        return p;
    }
    double *values = vector_room(target, row, count, input->arena);
    if (count > 0) {
        memcpy(values, scratch->numbers, count * sizeof(double));
    }
    target->column->vectors[row] =
        (struct hr_vector){.values = values, .size = (uint32_t)count, .count = (uint32_t)count};
    return p;
}

/* The parts of a sparse vector as they are read; a part that comes twice is the last one. */
struct sparse {
    int64_t size; /* -1: none */
    size_t index_count;
    size_t value_count;
    uint8_t size_state;
    uint8_t index_state; /* HR_JSON_MISSING until it comes */
    uint8_t value_state;
};

static const char *sparse_size(struct hr_json_input *input, const char *p, int depth, struct sparse *sparse)
{
    struct hr_json_number number;
    const char *next = hr_json_number(p, input->end, &number);
    if (next == NULL) {
        sparse->size_state = HR_JSON_WRONG_TYPE;
        return hr_json_skip_value(input, p, depth);
    }
    bool good = number.integer && hr_json_number_int64(&number, &sparse->size) && sparse->size >= 0 &&
                sparse->size <= INT32_MAX;
    sparse->size_state = good ? HR_JSON_VALUE : HR_JSON_WRONG_TYPE;
    return next;
}

static const char *sparse_member(struct hr_json_input *input, struct hr_str key, const char *p, int depth,
                                 struct hr_json_scratch *scratch, struct sparse *sparse)
{
    if (hr_str_equal(key, HR_STR("size"))) {
        return sparse_size(input, p, depth, sparse);
    }
    bool is_array = p < input->end && *p == '[';
    if (hr_str_equal(key, HR_STR("indices"))) {
        if (is_array) {
            return indices(input, p, depth, scratch, &sparse->index_count, &sparse->index_state);
        }
        sparse->index_state = HR_JSON_WRONG_TYPE;
    } else if (hr_str_equal(key, HR_STR("values"))) {
        if (is_array) {
            return numbers(input, p, depth, scratch, &sparse->value_count, &sparse->value_state);
        }
        sparse->value_state = HR_JSON_WRONG_TYPE;
    }
    return hr_json_skip_value(input, p, depth);
}

static bool sparse_is_good(const struct sparse *sparse, const struct hr_json_scratch *scratch)
{
    if (sparse->size_state != HR_JSON_VALUE || sparse->index_state != HR_JSON_VALUE ||
        sparse->value_state != HR_JSON_VALUE || sparse->index_count != sparse->value_count) {
        return false;
    }
    for (size_t i = 0; i < sparse->index_count; i++) {
        if (scratch->indices[i] >= (uint64_t)sparse->size ||
            (i > 0 && scratch->indices[i] <= scratch->indices[i - 1])) {
            return false;
        }
    }
    return true;
}

static void store_sparse(const struct sparse *sparse, struct hr_vector *vector, struct hr_json_scratch *scratch,
                         struct hr_arena *arena)
{
    size_t count = sparse->value_count;
    double *values = hr_arena_array(arena, count, double);
    uint32_t *places = hr_arena_array(arena, count, uint32_t);
    if (count > 0) {
        memcpy(values, scratch->numbers, count * sizeof(double));
        memcpy(places, scratch->indices, count * sizeof(uint32_t));
    }
    *vector = (struct hr_vector){values, places, (uint32_t)sparse->size, (uint32_t)count};
}

static const char *sparse_vector(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                                 size_t row, struct hr_json_scratch *scratch, uint8_t *state)
{
    struct sparse sparse = {-1, 0, 0, HR_JSON_MISSING, HR_JSON_MISSING, HR_JSON_MISSING};
    if (depth >= HR_JSON_DEPTH_MAX) {
        return too_deep(input, p);
    }
    p = hr_json_skip_blanks(p + 1, input->end);
    bool done = p < input->end && *p == '}';
    p += done;
    while (!done) {
        struct hr_str key;
        if (p == input->end || *p != '"') {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "a member's name in quotes");
        }
        p = hr_json_string(input, p + 1, &key);
        if (p == NULL) {
            return NULL;
        }
        p = hr_json_skip_blanks(p, input->end);
        if (p == input->end || *p != ':') {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "':'");
        }
        p = sparse_member(input, key, hr_json_skip_blanks(p + 1, input->end), depth + 1, scratch, &sparse);
        if (p == NULL) {
            return NULL;
        }
        p = hr_json_skip_blanks(p, input->end);
        if (p == input->end || (*p != ',' && *p != '}')) {
            return hr_json_fail(input, p, HR_REASON_MALFORMED, "',' or '}'");
        }
        done = *p == '}';
        p = done ? p + 1 : hr_json_skip_blanks(p + 1, input->end);
    }
    if (!sparse_is_good(&sparse, scratch)) {
        *state = sparse.value_state == HR_JSON_OUT_OF_RANGE ? HR_JSON_OUT_OF_RANGE : HR_JSON_WRONG_TYPE;
        return p;
    }
    *state = HR_JSON_VALUE;
    store_sparse(&sparse, &target->column->vectors[row], scratch, input->arena);
    return p;
}

const char *hr_json_vector(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                           size_t row, struct hr_json_scratch *scratch, uint8_t *state)
{
    if (*p == '[') {
        return dense_vector(input, p, depth, target, row, scratch, state);
    }
    if (*p == '{') {
        return sparse_vector(input, p, depth, target, row, scratch, state);
    }
    return wrong_type(input, p, depth, state);
}

const char *hr_json_double_array(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                                 size_t row, struct hr_json_scratch *scratch, uint8_t *state)
{
    if (*p != '[') {
        return wrong_type(input, p, depth, state);
    }
    size_t count;
    p = numbers(input, p, depth, scratch, &count, state);
    if (p == NULL || *state != HR_JSON_VALUE) {
        return p;
    }
    double *items = hr_arena_array(input->arena, count, double);
    if (count > 0) {
        memcpy(items, scratch->numbers, count * sizeof(double));
    }
    target->column->double_arrays[row] = (struct hr_double_array){items, count};
    return p;
}

/* One element of an array of strings: null is an element without text. */
static const char *string_element(struct hr_json_input *input, const char *p, int depth, struct hr_str *out,
                                  bool *is_null, uint8_t *state)
{
    *out = (struct hr_str){NULL, 0};
    *is_null = false;
    if (p < input->end && *p == '"') {
        return hr_json_string(input, p + 1, out);
    }
    if (p < input->end && *p == 'n') {
        *is_null = true;
        return hr_json_word(input, p, "null", 4);
    }
    *state = HR_JSON_WRONG_TYPE;
    return hr_json_skip_value(input, p, depth);
}

const char *hr_json_string_array(struct hr_json_input *input, const char *p, int depth, struct hr_json_target *target,
                                 size_t row, struct hr_json_scratch *scratch, uint8_t *state)
{
    if (*p != '[') {
        return wrong_type(input, p, depth, state);
    }
    if (depth >= HR_JSON_DEPTH_MAX) {
        return too_deep(input, p);
    }
    bool done;
    size_t count = 0;
    size_t nulls = 0;
    *state = HR_JSON_VALUE;
    p = first_element(input, p + 1, &done);
    while (p != NULL && !done) {
        if (count == scratch->string_capacity) {
            grow((void **)&scratch->strings, &scratch->string_capacity, sizeof(struct hr_str));
        }
        bool is_null;
        p = string_element(input, p, depth + 1, &scratch->strings[count], &is_null, state);
        if (p == NULL) {
            return NULL;
        }
        /* A null element is told from an empty text by its data, which is only looked at here. */
        nulls += is_null;
        count++;
        p = next_element(input, p, &done);
    }
    if (p == NULL || *state != HR_JSON_VALUE) {
        return p;
    }
    struct hr_str *items = hr_arena_array(input->arena, count, struct hr_str);
    uint64_t *valid = nulls > 0 ? hr_arena_calloc(input->arena, (count + 63) / 64, sizeof(uint64_t)) : NULL;
    for (size_t i = 0; i < count; i++) {
        items[i] = scratch->strings[i];
        if (valid != NULL && items[i].data != NULL) {
            valid[i / 64] |= (uint64_t)1 << (i % 64);
        }
    }
    target->column->string_arrays[row] = (struct hr_string_array){items, valid, count};
    return p;
}
