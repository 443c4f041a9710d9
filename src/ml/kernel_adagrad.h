/* SPDX-License-Identifier: Apache-2.0
 *
 * A step of AdaGrad: G ← G + g²; w ← w − η g / √(G + 1e-8), with g = e x + l2 w, then l1 pulls w towards 0 by its step
 * times l1. A coordinate is [w, G]. Four coordinates at a time where there is AVX2; root and division are exact to the
 * last bit in every width, so the results do not depend on it. Thread: any.
 */
#ifndef HR_ML_KERNEL_ADAGRAD_H
#define HR_ML_KERNEL_ADAGRAD_H

#include <math.h>
#include <stdbool.h>

#include "data/column.h"

#define HR_ADAGRAD_EPSILON 1e-8

struct hr_adagrad_rates {
    double rate; /* η */
    double l1;
    double l2;
};

static inline double hr_soft_threshold(double weight, double by)
{
    return fabs(weight) <= by ? 0.0 : weight - copysign(by, weight);
}

/* One coordinate; loss_gradient: e x. */
static inline void hr_adagrad_step(const struct hr_adagrad_rates *rates, double loss_gradient, const double *coordinate,
                                   double *out)
{
    double weight = coordinate[0];
    double gradient = loss_gradient + rates->l2 * weight;
    double sum = coordinate[1] + gradient * gradient;
    double root = sqrt(sum + HR_ADAGRAD_EPSILON);
    weight = weight - rates->rate * gradient / root;
    out[0] = rates->l1 > 0.0 ? hr_soft_threshold(weight, rates->rate / root * rates->l1) : weight;
    out[1] = sum;
}

/* w·x, one chain in the order of the elements. */
double hr_adagrad_dot(const struct hr_vector *vector, const double *coordinates);
/* What an error e makes of the coordinates of a row, into out: two doubles for each of vector->count; those whose value
 * is 0 stay as they are. False when one of them is not finite. */
bool hr_adagrad_row(const struct hr_adagrad_rates *rates, double error, const struct hr_vector *vector,
                    const double *coordinates, double *out);

#endif
