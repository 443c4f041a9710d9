/* SPDX-License-Identifier: Apache-2.0
 *
 * See kernel_nearest.h. A block is HR_NEAREST_LANES centres; within it element i of all of them is together. Lanes past
 * the last centre hold NaN, which is never smaller than anything.
 */
#include "ml/kernel_nearest.h"

#include <math.h>
#include <stdint.h>

void hr_nearest_transpose(const double *centres, size_t count, size_t dimension, double *out)
{
    for (size_t first = 0; first < count; first += HR_NEAREST_LANES) {
        for (size_t i = 0; i < dimension; i++) {
            for (size_t lane = 0; lane < HR_NEAREST_LANES; lane++) {
                *out++ = first + lane < count ? centres[(first + lane) * dimension + i] : (double)NAN;
            }
        }
    }
}

/* Eight doubles; the compiler makes of it what the target has. */
typedef double vector8 __attribute__((vector_size(64)));
typedef double vector8_any __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t mask8 __attribute__((vector_size(64)));

#define VECTORS (HR_NEAREST_LANES / 8)

/* Per lane, the nearest centre so far. */
struct lanes {
    vector8 distance[VECTORS];
    mask8 block[VECTORS]; /* −1: none */
};

static inline __attribute__((always_inline)) void nearest_lanes(const double *restrict point,
                                                                const double *restrict transposed, size_t blocks,
                                                                size_t dimension, struct lanes *best)
{
    for (size_t block = 0; block < blocks; block++) {
        vector8 sums[VECTORS] = {{0}};
        for (size_t i = 0; i < dimension; i++) {
            const vector8_any *centres = (const vector8_any *)(transposed + i * HR_NEAREST_LANES);
            for (size_t k = 0; k < VECTORS; k++) {
                vector8 difference = point[i] - centres[k];
                sums[k] += difference * difference;
            }
        }
        for (size_t k = 0; k < VECTORS; k++) {
            mask8 smaller = sums[k] < best->distance[k];
            best->distance[k] = (vector8)(((mask8)sums[k] & smaller) | ((mask8)best->distance[k] & ~smaller));
            best->block[k] = ((int64_t)block & smaller) | (best->block[k] & ~smaller);
        }
        transposed += dimension * HR_NEAREST_LANES;
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void nearest_avx512(const double *restrict point,
                                                              const double *restrict transposed, size_t blocks,
                                                              size_t dimension, struct lanes *best)
{
    nearest_lanes(point, transposed, blocks, dimension, best);
}

__attribute__((target("avx2"))) static void nearest_avx2(const double *restrict point,
                                                         const double *restrict transposed, size_t blocks,
                                                         size_t dimension, struct lanes *best)
{
    nearest_lanes(point, transposed, blocks, dimension, best);
}
#endif

static void nearest_any(const double *restrict point, const double *restrict transposed, size_t blocks,
                        size_t dimension, struct lanes *best)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        nearest_avx512(point, transposed, blocks, dimension, best);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        nearest_avx2(point, transposed, blocks, dimension, best);
        return;
    }
#endif
    nearest_lanes(point, transposed, blocks, dimension, best);
}

size_t hr_kernel_nearest(const double *restrict point, const double *restrict transposed, size_t count,
                         size_t dimension, double *squared)
{
    struct lanes lanes;
    for (size_t i = 0; i < VECTORS; i++) {
        lanes.distance[i] = (vector8){0} + HUGE_VAL;
        lanes.block[i] = (mask8){0} - 1;
    }
    nearest_any(point, transposed, (count + HR_NEAREST_LANES - 1) / HR_NEAREST_LANES, dimension, &lanes);
    size_t best = SIZE_MAX;
    *squared = HUGE_VAL;
    for (size_t lane = 0; lane < HR_NEAREST_LANES; lane++) {
        int64_t block = lanes.block[lane / 8][lane % 8];
        double distance = lanes.distance[lane / 8][lane % 8];
        size_t index = (size_t)block * HR_NEAREST_LANES + lane;
        if (block >= 0 && (distance < *squared || (distance == *squared && index < best))) {
            *squared = distance;
            best = index;
        }
    }
    return best;
}
