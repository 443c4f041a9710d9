/* SPDX-License-Identifier: Apache-2.0
 *
 * XORShiftRandom (Marsaglia 2003, shifts 21, 35, 4): the state is the seed hashed twice by MurmurHash3 over its eight
 * big-endian bytes, the second time with the first hash as seed. next(bits) are the low bits of the new state.
 */
#include "ml/spark_random.h"

#include <math.h>

#include "base/murmur3.h"
#include "ml/kernel.h"

/* scala.util.hashing.MurmurHash3.arraySeed */
#define SCALA_ARRAY_SEED 0x3c074a61u
/* Where Spark changes from gaps to a draw a row, and the smallest draw that a gap is made of. */
#define GAP_FRACTION_MAX 0.4
#define GAP_EPSILON 5e-11

void hr_spark_random_init(struct hr_spark_random *random, int64_t seed)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)seed >> (56 - 8 * i));
    }
    uint32_t low = (uint32_t)hr_murmur3_bytes(bytes, sizeof(bytes), SCALA_ARRAY_SEED);
    uint32_t high = (uint32_t)hr_murmur3_bytes(bytes, sizeof(bytes), low);
    *random = (struct hr_spark_random){.state = (uint64_t)high << 32 | low};
}

static uint64_t next_bits(struct hr_spark_random *random, int bits)
{
    uint64_t next = random->state ^ random->state << 21;
    next ^= next >> 35;
    next ^= next << 4;
    random->state = next;
    return next & (((uint64_t)1 << bits) - 1);
}

double hr_spark_random_double(struct hr_spark_random *random)
{
    uint64_t high = next_bits(random, 26) << 27;
    return (double)(high + next_bits(random, 27)) * 0x1p-53;
}

double hr_spark_random_gaussian(struct hr_spark_random *random)
{
    if (random->has_next_gaussian) {
        random->has_next_gaussian = false;
        return random->next_gaussian;
    }
    double first;
    double second;
    double square;
    do {
        first = 2.0 * hr_spark_random_double(random) - 1.0;
        second = 2.0 * hr_spark_random_double(random) - 1.0;
        square = first * first + second * second;
    } while (square >= 1.0 || square == 0.0);
    double factor = sqrt(-2.0 * hr_kernel_log(square) / square);
    random->next_gaussian = second * factor;
    random->has_next_gaussian = true;
    return first * factor;
}

static int64_t java_next_32(uint64_t *state)
{
    *state = (*state * 0x5deece66du + 0xb) & (((uint64_t)1 << 48) - 1);
    return (int32_t)(uint32_t)(*state >> 16);
}

int64_t hr_spark_random_partition_seed(int64_t seed)
{
    uint64_t state = ((uint64_t)seed ^ 0x5deece66du) & (((uint64_t)1 << 48) - 1);
    int64_t high = java_next_32(&state);
    int64_t low = java_next_32(&state);
    return (int64_t)((uint64_t)high << 32) + low;
}

static void draw_gap(struct hr_spark_sampler *sampler)
{
    double draw = fmax(hr_spark_random_double(&sampler->random), GAP_EPSILON);
    double gap = hr_kernel_log(draw) / sampler->log_keep;
    sampler->skip = gap < (double)INT32_MAX ? (int64_t)gap : INT32_MAX;
}

void hr_spark_sampler_init(struct hr_spark_sampler *sampler, double fraction, int64_t seed)
{
    *sampler = (struct hr_spark_sampler){.fraction = fraction};
    hr_spark_random_init(&sampler->random, seed);
    if (fraction <= GAP_FRACTION_MAX) {
        sampler->log_keep = hr_kernel_log1p(-fraction);
        draw_gap(sampler);
    }
}

bool hr_spark_sampler_take(struct hr_spark_sampler *sampler)
{
    if (sampler->fraction >= 1.0) {
        return true;
    }
    if (sampler->fraction > GAP_FRACTION_MAX) {
        return hr_spark_random_double(&sampler->random) <= sampler->fraction;
    }
    if (sampler->skip > 0) {
        sampler->skip--;
        return false;
    }
    draw_gap(sampler);
    return true;
}
