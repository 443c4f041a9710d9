/* SPDX-License-Identifier: Apache-2.0
 *
 * The published 32-bit function, word at a time; the two short forms are the same steps on one and two words.
 */
#include "base/murmur3.h"

#include <stddef.h>
#include <string.h>

static uint32_t rotate_left(uint32_t word, int bits)
{
    return (word << bits) | (word >> (32 - bits));
}

static uint32_t mix_word(uint32_t word)
{
    return rotate_left(word * 0xcc9e2d51u, 15) * 0x1b873593u;
}

static uint32_t mix_hash(uint32_t hash, uint32_t word)
{
    return rotate_left(hash ^ mix_word(word), 13) * 5u + 0xe6546b64u;
}

static int32_t finish(uint32_t hash, uint32_t length)
{
    hash ^= length;
    hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
    hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
    return (int32_t)(hash ^ (hash >> 16));
}

/* The last length (0 … 3) bytes of a text, the first of them lowest. */
static uint32_t last_bytes(const uint8_t *end, size_t length)
{
    uint32_t word = 0;
    for (size_t i = length; i > 0; i--) {
        word = word << 8 | end[-(ptrdiff_t)(length - i + 1)];
    }
    return word;
}

struct hr_murmur3_beginning hr_murmur3_begin(const void *data, size_t length, uint32_t seed)
{
    const uint8_t *bytes = data;
    struct hr_murmur3_beginning beginning = {seed, 0, (uint32_t)(length & 3), (uint32_t)length};
    for (size_t i = 0; i + 4 <= length; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof(word));
        beginning.hash = mix_hash(beginning.hash, word);
    }
    beginning.rest = last_bytes(bytes + length, beginning.rest_length);
    return beginning;
}

int32_t hr_murmur3_end(const struct hr_murmur3_beginning *beginning, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t hash = beginning->hash;
    unsigned shift = 8 * beginning->rest_length;
    uint64_t pending = beginning->rest;
    for (size_t i = 0; i + 4 <= length; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof(word));
        pending |= (uint64_t)word << shift;
        hash = mix_hash(hash, (uint32_t)pending);
        pending >>= 32;
    }
    size_t tail = length & 3;
    if (tail > 0) {
        pending |= (uint64_t)last_bytes(bytes + length, tail) << shift;
    }
    size_t left = beginning->rest_length + tail;
    if (left >= 4) {
        hash = mix_hash(hash, (uint32_t)pending);
        pending >>= 32;
        left -= 4;
    }
    return finish(left > 0 ? hash ^ mix_word((uint32_t)pending) : hash, beginning->length + (uint32_t)length);
}

int32_t hr_murmur3_bytes(const void *data, size_t length, uint32_t seed)
{
    struct hr_murmur3_beginning empty = {.hash = seed};
    return hr_murmur3_end(&empty, data, length);
}

int32_t hr_murmur3_int(int32_t value, uint32_t seed)
{
    return finish(mix_hash(seed, (uint32_t)value), 4);
}

int32_t hr_murmur3_long(int64_t value, uint32_t seed)
{
    uint64_t bits = (uint64_t)value;
    return finish(mix_hash(mix_hash(seed, (uint32_t)bits), (uint32_t)(bits >> 32)), 8);
}
