/* SPDX-License-Identifier: Apache-2.0
 *
 * A step of FTRL-Proximal: σ = (√(n + g²) − √n) / alpha; z ← z + g − σ w; n ← n + g², with g = e x; the weight w is 0
 * if |z| <= l1, else −(z − sgn(z) l1) / ((beta + √n) / alpha + l2). A coordinate is [z, n]. Eight at a time where there
 * is AVX-512, four where there is AVX2, with the same bits (of a row whose indices are strictly ascending, and of
 * coordinates without −0, which no step makes). Thread: any.
 */
#ifndef HR_ML_KERNEL_FTRL_H
#define HR_ML_KERNEL_FTRL_H

#include <math.h>
#include <stdbool.h>

#include "data/column.h"

struct hr_ftrl_rates {
    double alpha;
    double beta;
    double l1;
    double l2;
};

/* Rates, and what scoring a row found of its elements, for learning it: room for vector->count of each, each a multiple
 * of 64 bytes from the first, which is a multiple of 64. */
struct hr_ftrl {
    struct hr_ftrl_rates rates;
    double *weights;
    double *roots; /* √n */
    double *z;
    double *n;
};

/* root: √n */
static inline double hr_ftrl_weight(const struct hr_ftrl_rates *rates, double z, double root)
{
    if (fabs(z) <= rates->l1) {
        return 0.0;
    }
    return -(z - copysign(rates->l1, z)) / ((rates->beta + root) / rates->alpha + rates->l2);
}

/* One coordinate in place; loss_gradient: e x; weight: what hr_ftrl_weight says of it; root: √n, also of the new n. */
static inline void hr_ftrl_step(const struct hr_ftrl_rates *rates, double loss_gradient, double weight, double *root,
                                double *z, double *n)
{
    double sum = *n + loss_gradient * loss_gradient;
    double grown = sqrt(sum);
    double sigma = (grown - *root) / rates->alpha;
    *z = *z + (loss_gradient - sigma * weight);
    *n = sum;
    *root = grown;
}

/* w·x, one chain in the order of the elements. */
double hr_ftrl_dot(const struct hr_ftrl *ftrl, const struct hr_vector *vector, const double *coordinates);
/* Moves the coordinates of the row that hr_ftrl_dot just saw by its error e; those whose value is 0 stay as they are.
 * False when one of them would not be finite: then all are as they were. */
bool hr_ftrl_learn(const struct hr_ftrl *ftrl, double error, const struct hr_vector *vector, double *coordinates);

#endif
