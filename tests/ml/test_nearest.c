/* SPDX-License-Identifier: Apache-2.0
 *
 * The nearest centre, estimated first, against all distances one after the other: the same centre and the same bits,
 * also where single precision tells nothing.
 */
#include "test.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "ml/kernel.h"
#include "ml/nearest.h"

#define COUNT_MOST 130u
#define DIMENSION_MOST 37u

static double centres[COUNT_MOST * DIMENSION_MOST];
static double point[DIMENSION_MOST];

static double uniform(uint64_t *seed)
{
    return (double)(hr_random_splitmix(seed) >> 11) * 0x1p-53;
}

static void check_point(struct hr_nearest *nearest)
{
    size_t expected = SIZE_MAX;
    double smallest = HUGE_VAL;
    for (size_t j = 0; j < nearest->count; j++) {
        double distance = hr_kernel_squared_distance(point, centres + j * nearest->dimension, nearest->dimension);
        if (distance < smallest) {
            smallest = distance;
            expected = j;
        }
    }
    double squared;
    CU_ASSERT_EQUAL(hr_nearest_find(nearest, point, &squared), expected);
    CU_ASSERT_EQUAL(squared, smallest);
}

/* Random centres around an offset, every fourth one close to or the same as an earlier one; points among them. */
static void check_set(size_t count, size_t dimension, double offset, double spread, double shift)
{
    uint64_t seed = count * 1000 + dimension;
    struct hr_nearest nearest;
    hr_nearest_open(&nearest, count, dimension);
    for (size_t i = 0; i < count * dimension; i++) {
        bool copied = i / dimension % 4 == 3;
        centres[i] = copied ? centres[i - dimension * 2] + shift * uniform(&seed) : offset + spread * uniform(&seed);
    }
    hr_nearest_set(&nearest, centres);
    for (int round = 0; round < 200; round++) {
        const double *near = centres + hr_random_splitmix(&seed) % count * dimension;
        double away = round % 3 == 0 ? 0.0 : spread * (round % 2 == 0 ? 0.1 : 1.0);
        for (size_t i = 0; i < dimension; i++) {
            point[i] = near[i] + away * (uniform(&seed) - 0.5);
        }
        check_point(&nearest);
    }
    hr_nearest_close(&nearest);
}

static void test_agrees(void)
{
    static const size_t counts[] = {1, 16, 33, 64, 65, 130};
    static const size_t dimensions[] = {1, 3, 8, 32, 37};
    for (size_t i = 0; i < HR_ARRAY_LEN(counts); i++) {
        for (size_t j = 0; j < HR_ARRAY_LEN(dimensions); j++) {
            check_set(counts[i], dimensions[j], 0.0, 1.0, 1e-3);
            check_set(counts[i], dimensions[j], -0.5, 1.0, 0.0);
            check_set(counts[i], dimensions[j], -0.5, 1.0, 1e-8); /* less than single precision sees */
            check_set(counts[i], dimensions[j], 1e6, 1.0, 1e-3);  /* all alike in single precision */
            check_set(counts[i], dimensions[j], 0.0, 1e-30, 0.0);
            check_set(counts[i], dimensions[j], 0.0, 1e12, 1.0);
            check_set(counts[i], dimensions[j], 0.0, 1e200, 1e190); /* squares overflow */
        }
    }
}

static void test_what_is_not_finite(void)
{
    enum { COUNT = 40, DIMENSION = 5 };
    uint64_t seed = 3;
    struct hr_nearest nearest;
    hr_nearest_open(&nearest, COUNT, DIMENSION);
    for (size_t i = 0; i < COUNT * DIMENSION; i++) {
        centres[i] = uniform(&seed);
    }
    hr_nearest_set(&nearest, centres);
    memset(point, 0, sizeof(point));
    check_point(&nearest);
    static const double strange[] = {(double)NAN, HUGE_VAL, -HUGE_VAL, 1e300, 1e20, -1e39, 1e-310};
    for (size_t i = 0; i < HR_ARRAY_LEN(strange); i++) {
        point[3] = strange[i];
        check_point(&nearest);
    }
    /* Centres that moved, one of them too far for single precision. */
    point[3] = 0.5;
    centres[7] = 1e250;
    hr_nearest_set(&nearest, centres);
    check_point(&nearest);
    hr_nearest_close(&nearest);
}

TEST_MAIN("nearest", {"agrees with all distances", test_agrees}, {"what is not finite", test_what_is_not_finite})
