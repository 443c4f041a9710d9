/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bytes as a port (ids only: lineage, run ids), and a seeded generator for tests and simulation (SplitMix64,
 * Steele, Lea and Flood 2014). Nothing that a batch computes uses either: models own their generators and save them.
 */
#ifndef HR_BASE_RANDOM_H
#define HR_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct hr_random {
    void (*fill)(void *context, void *out, size_t length);
    void *context;
};

extern const struct hr_random hr_random_system; /* getrandom(2) */

/* A random UUID (version 4) as 36 characters and a terminator. */
void hr_random_uuid(const struct hr_random *random, char out[37]);

static inline uint64_t hr_random_splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif
