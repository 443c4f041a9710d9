/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints nanoseconds of processor time a point for the nearest centre, against one distance after the other:
 *
 *     bench_learn [POINTS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "ml/kernel.h"
#include "ml/kernel_nearest.h"
#include "ml/nearest.h"

static double uniform(uint64_t *seed)
{
    return (double)(hr_random_splitmix(seed) >> 11) * 0x1p-53;
}

static double seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t nearest_one_by_one(const double *point, const double *centres, size_t count, size_t dimension)
{
    size_t best = 0;
    double squared = HUGE_VAL;
    for (size_t j = 0; j < count; j++) {
        double distance = hr_kernel_squared_distance(point, centres + j * dimension, dimension);
        if (distance < squared) {
            squared = distance;
            best = j;
        }
    }
    return best;
}

static void bench_nearest(size_t points, size_t count, size_t dimension)
{
    uint64_t seed = 7;
    size_t distinct = 1024;
    double *rows = calloc(distinct * dimension, sizeof(double));
    double *centres = calloc(count * dimension, sizeof(double));
    double *transposed = calloc(hr_nearest_size(count, dimension), sizeof(double));
    for (size_t i = 0; i < distinct * dimension; i++) {
        rows[i] = uniform(&seed);
    }
    for (size_t i = 0; i < count * dimension; i++) {
        centres[i] = uniform(&seed);
    }
    hr_nearest_transpose(centres, count, dimension, transposed);
    struct hr_nearest nearest;
    hr_nearest_open(&nearest, count, dimension);
    hr_nearest_set(&nearest, centres);
    size_t checks[3] = {0, 0, 0};
    double times[3];
    double begin = seconds();
    for (size_t i = 0; i < points; i++) {
        checks[0] += nearest_one_by_one(rows + i % distinct * dimension, centres, count, dimension);
    }
    times[0] = seconds() - begin;
    begin = seconds();
    for (size_t i = 0; i < points; i++) {
        double squared;
        checks[1] += hr_kernel_nearest(rows + i % distinct * dimension, transposed, count, dimension, &squared);
    }
    times[1] = seconds() - begin;
    begin = seconds();
    for (size_t i = 0; i < points; i++) {
        double squared;
        checks[2] += hr_nearest_find(&nearest, rows + i % distinct * dimension, &squared);
    }
    times[2] = seconds() - begin;
    printf("nearest of %zu centres, %zu elements: %.0f ns a point, all measured %.0f ns, one by one %.0f ns%s\n", count,
           dimension, times[2] / (double)points * 1e9, times[1] / (double)points * 1e9, times[0] / (double)points * 1e9,
           checks[0] == checks[1] && checks[0] == checks[2] ? "" : " DIFFERENT RESULTS");
    hr_nearest_close(&nearest);
    free(rows);
    free(centres);
    free(transposed);
}

int main(int argc, char **argv)
{
    size_t points = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 200000;
    bench_nearest(points, 64, 32);
    bench_nearest(points / 10, 256, 128);
    bench_nearest(points, 8, 8);
    return 0;
}
