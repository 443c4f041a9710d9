/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean, median and mode against sorting.
 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/random.h"
#include "ml/surrogate.h"

static double find(enum hr_surrogate_kind kind, const double *values, size_t count)
{
    struct hr_surrogate surrogate;
    hr_surrogate_init(&surrogate, kind);
    int passes = 0;
    do {
        for (size_t i = 0; i < count; i++) {
            hr_surrogate_add(&surrogate, values[i]);
        }
        passes++;
    } while (hr_surrogate_end_pass(&surrogate));
    CU_ASSERT_EQUAL(passes, kind == HR_SURROGATE_MEDIAN && count > 0 ? 4 : 1);
    CU_ASSERT_EQUAL(surrogate.count, count);
    double value = hr_surrogate_value(&surrogate);
    hr_surrogate_release(&surrogate);
    return value;
}

static int ascending(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

/* Doubles of all sizes and both signs, some of them often. */
static void draw(double *values, size_t count, uint64_t *seed)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = hr_random_splitmix(seed);
        double fraction = (double)(bits >> 11) * 0x1p-53 - 0.5;
        values[i] = ldexp(fraction, (int)(hr_random_splitmix(seed) % 40) - 20);
        if (hr_random_splitmix(seed) % 3 == 0) {
            values[i] = (double)(hr_random_splitmix(seed) % 7) - 3.0;
        }
    }
}

static double mode_of_sorted(const double *values, size_t count)
{
    double best = values[0];
    size_t most = 0;
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end < count && values[end] == values[i]) {
            end++;
        }
        if (end - i > most) {
            most = end - i;
            best = values[i];
        }
        i = end;
    }
    return best;
}

static void test_against_sorting(void)
{
    enum { MAXIMUM = 3000 };
    static double values[MAXIMUM];
    uint64_t seed = 3;
    for (size_t count = 1; count < MAXIMUM; count = count * 3 / 2 + 1) {
        draw(values, count, &seed);
        double median = find(HR_SURROGATE_MEDIAN, values, count);
        double mode = find(HR_SURROGATE_MODE, values, count);
        qsort(values, count, sizeof(double), ascending);
        CU_ASSERT_EQUAL(median, values[(count + 1) / 2 - 1]);
        CU_ASSERT_EQUAL(mode, mode_of_sorted(values, count));
    }
}

static void test_ends(void)
{
    const double even[] = {4, 1, 3, 2};
    const double infinite[] = {HUGE_VAL, -HUGE_VAL, 1};
    const double zeros[] = {-0.0, 0.0, 5, 5, -0.0};
    CU_ASSERT_EQUAL(find(HR_SURROGATE_MEDIAN, even, 4), 2.0);
    CU_ASSERT_EQUAL(find(HR_SURROGATE_MODE, even, 4), 1.0);
    CU_ASSERT_EQUAL(find(HR_SURROGATE_MEAN, even, 4), 2.5);
    CU_ASSERT_EQUAL(find(HR_SURROGATE_MEDIAN, infinite, 3), 1.0);
    CU_ASSERT_EQUAL(find(HR_SURROGATE_MODE, infinite, 3), -HUGE_VAL);
    CU_ASSERT_TRUE(isnan(find(HR_SURROGATE_MEAN, infinite, 3)));
    CU_ASSERT_EQUAL(find(HR_SURROGATE_MODE, zeros, 5), 0.0);
    for (int kind = HR_SURROGATE_MEAN; kind <= HR_SURROGATE_MODE; kind++) {
        CU_ASSERT_TRUE(isnan(find((enum hr_surrogate_kind)kind, even, 0)));
        CU_ASSERT_EQUAL(find((enum hr_surrogate_kind)kind, even, 1), 4.0);
    }
}

TEST_MAIN("surrogate", {"against sorting", test_against_sorting}, {"ends", test_ends})
