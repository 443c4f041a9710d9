/* SPDX-License-Identifier: Apache-2.0
 *
 * A step of FTRL-Proximal: σ = (√(n + g²) − √n) / alpha; z ← z + g − σ w; n ← n + g², with g = e x; the weight w is 0
 * if |z| <= l1, else −(z − sgn(z) l1) / ((beta + √n) / alpha + l2). A coordinate is [z, n]. Four at a time where there
 * is AVX2, with the same bits. Thread: any.
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

static inline double hr_ftrl_weight(const struct hr_ftrl_rates *rates, const double *coordinate)
{
    double z = coordinate[0];
    if (fabs(z) <= rates->l1) {
        return 0.0;
    }
    return -(z - copysign(rates->l1, z)) / ((rates->beta + sqrt(coordinate[1])) / rates->alpha + rates->l2);
}

/* One coordinate; loss_gradient: e x; weight: what hr_ftrl_weight says of it. */
static inline void hr_ftrl_step(const struct hr_ftrl_rates *rates, double loss_gradient, double weight,
                                const double *coordinate, double *out)
{
    double n = coordinate[1];
    double sum = n + loss_gradient * loss_gradient;
    double sigma = (sqrt(sum) - sqrt(n)) / rates->alpha;
    out[0] = coordinate[0] + (loss_gradient - sigma * weight);
    out[1] = sum;
}

/* w·x, one chain in the order of the elements; leaves the row's weights for the step. */
double hr_ftrl_dot(const struct hr_ftrl_rates *rates, const struct hr_vector *vector, const double *coordinates,
                   double *weights);
/* What an error e makes of the coordinates of a row whose weights are known, into out: two doubles for each of
 * vector->count; those whose value is 0 stay as they are. False when one of them is not finite. */
bool hr_ftrl_row(const struct hr_ftrl_rates *rates, double error, const struct hr_vector *vector, const double *weights,
                 const double *coordinates, double *out);

#endif
