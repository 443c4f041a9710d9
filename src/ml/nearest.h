/* SPDX-License-Identifier: Apache-2.0
 *
 * The nearest of a set of centres, with the bits of hr_kernel_squared_distance. Where there are many centres and
 * AVX-512, single precision tells in half the width which of them can be the nearest at all, with a proven bound on its
 * error; mostly that is one, and only those are measured. Thread: one at a time.
 */
#ifndef HR_ML_NEAREST_H
#define HR_ML_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

struct hr_nearest {
    const double *centres; /* not owned: count rows of dimension doubles */
    size_t count;
    size_t dimension;
    double *transposed; /* for hr_kernel_nearest */
    /* Of the estimates; NULL where there are none. */
    float *narrow;  /* −2 c, element by element in blocks of 64 centres */
    float *squares; /* ‖c‖²; HUGE_VALF past the last centre */
    float *scores;  /* of one point */
    float *point;   /* it */
    double radius;  /* largest ‖c‖; not finite: no estimates */
};

void hr_nearest_open(struct hr_nearest *nearest, size_t count, size_t dimension);
void hr_nearest_close(struct hr_nearest *nearest);
/* After each change of the centres, which must stay where they are. */
void hr_nearest_set(struct hr_nearest *nearest, const double *centres);
/* The centre with the smallest ‖x − c‖², the first of equal ones; SIZE_MAX when no distance is finite (*squared is then
 * infinite). */
size_t hr_nearest_find(struct hr_nearest *nearest, const double *point, double *squared);

#endif
