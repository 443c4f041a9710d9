/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean by plain summation in the order of coming, as Spark's avg; median by radix selection; mode by a hash map with
 * linear probing at a load of at most one half.
 */
#include "ml/surrogate.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

#define DIGIT_BITS 16u
#define DIGITS ((size_t)1 << DIGIT_BITS)
#define PASSES (64u / DIGIT_BITS)
#define SLOTS_MIN 256u
#define SIGN ((uint64_t)1 << 63)

void hr_surrogate_init(struct hr_surrogate *surrogate, enum hr_surrogate_kind kind)
{
    *surrogate = (struct hr_surrogate){.kind = kind};
    if (kind == HR_SURROGATE_MEDIAN) {
        surrogate->digits = hr_calloc(DIGITS, sizeof(*surrogate->digits));
    } else if (kind == HR_SURROGATE_MODE) {
        surrogate->slot_count = SLOTS_MIN;
        surrogate->slots = hr_calloc(SLOTS_MIN, sizeof(*surrogate->slots));
    }
}

void hr_surrogate_release(struct hr_surrogate *surrogate)
{
    hr_free(surrogate->digits);
    hr_free(surrogate->slots);
    *surrogate = (struct hr_surrogate){0};
}

/* Unsigned numbers in the order of the doubles. */
static uint64_t key_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return (bits & SIGN) != 0 ? ~bits : bits | SIGN;
}

static double value_of(uint64_t key)
{
    uint64_t bits = (key & SIGN) != 0 ? key & ~SIGN : ~key;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void count_digit(struct hr_surrogate *surrogate, double value)
{
    uint64_t key = key_of(value);
    unsigned below = 64 - DIGIT_BITS * (surrogate->pass + 1);
    if (surrogate->pass > 0 && key >> below >> DIGIT_BITS != surrogate->prefix) {
        return;
    }
    surrogate->digits[key >> below & (DIGITS - 1)]++;
}

/* The slot of the value, or the free one where it belongs. */
static struct hr_surrogate_slot *find_slot(const struct hr_surrogate *surrogate, double value)
{
    uint64_t hash = key_of(value) * 0x9e3779b97f4a7c15u;
    size_t mask = surrogate->slot_count - 1;
    size_t slot = (size_t)(hash >> 32) & mask;
    while (surrogate->slots[slot].count > 0 && surrogate->slots[slot].value != value) {
        slot = (slot + 1) & mask;
    }
    return &surrogate->slots[slot];
}

static void grow_slots(struct hr_surrogate *surrogate)
{
    struct hr_surrogate_slot *old = surrogate->slots;
    size_t old_count = surrogate->slot_count;
    surrogate->slot_count *= 2;
    surrogate->slots = hr_calloc(surrogate->slot_count, sizeof(*old));
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].count > 0) {
            *find_slot(surrogate, old[i].value) = old[i];
        }
    }
    hr_free(old);
}

static void count_value(struct hr_surrogate *surrogate, double value)
{
    struct hr_surrogate_slot *slot = find_slot(surrogate, value);
    slot->value = value;
    if (slot->count++ == 0 && 2 * ++surrogate->distinct > surrogate->slot_count) {
        grow_slots(surrogate);
    }
}

void hr_surrogate_add(struct hr_surrogate *surrogate, double value)
{
    value += 0.0; /* −0.0 is 0.0 */
    surrogate->count += surrogate->pass == 0;
    switch (surrogate->kind) {
    case HR_SURROGATE_MEAN:
        surrogate->sum += value;
        break;
    case HR_SURROGATE_MEDIAN:
        count_digit(surrogate, value);
        break;
    case HR_SURROGATE_MODE:
        count_value(surrogate, value);
        break;
    }
}

bool hr_surrogate_end_pass(struct hr_surrogate *surrogate)
{
    if (surrogate->kind != HR_SURROGATE_MEDIAN || surrogate->count == 0) {
        return false;
    }
    if (surrogate->pass == 0) {
        surrogate->rank = surrogate->count / 2 + surrogate->count % 2;
    }
    size_t digit = 0;
    while (digit < DIGITS - 1 && surrogate->digits[digit] < surrogate->rank) {
        surrogate->rank -= surrogate->digits[digit++];
    }
    surrogate->prefix = surrogate->prefix << DIGIT_BITS | digit;
    surrogate->pass++;
    memset(surrogate->digits, 0, DIGITS * sizeof(*surrogate->digits));
    return surrogate->pass < PASSES;
}

static double mode_of(const struct hr_surrogate *surrogate)
{
    struct hr_surrogate_slot best = {.value = (double)NAN};
    for (size_t i = 0; i < surrogate->slot_count; i++) {
        const struct hr_surrogate_slot *slot = &surrogate->slots[i];
        if (slot->count > best.count || (slot->count > 0 && slot->count == best.count && slot->value < best.value)) {
            best = *slot;
        }
    }
    return best.value;
}

double hr_surrogate_value(const struct hr_surrogate *surrogate)
{
    if (surrogate->count == 0) {
        return (double)NAN;
    }
    switch (surrogate->kind) {
    case HR_SURROGATE_MEAN:
        return surrogate->sum / (double)surrogate->count;
    case HR_SURROGATE_MEDIAN:
        return value_of(surrogate->prefix);
    default:
        return mode_of(surrogate);
    }
}
