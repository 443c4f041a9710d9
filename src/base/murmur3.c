/* SPDX-License-Identifier: Apache-2.0
 *
 * The published 32-bit function, word at a time; the two short forms are the same steps on one and two words.
 */
#include "base/murmur3.h"

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

int32_t hr_murmur3_bytes(const void *data, size_t length, uint32_t seed)
{
    const uint8_t *bytes = data;
    size_t whole = length & ~(size_t)3;
    uint32_t hash = seed;
    for (size_t i = 0; i < whole; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof(word));
        hash = mix_hash(hash, word);
    }
    uint32_t tail = 0;
    for (size_t i = length; i > whole; i--) {
        tail = tail << 8 | bytes[i - 1];
    }
    return finish(length > whole ? hash ^ mix_word(tail) : hash, (uint32_t)length);
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
