/* SPDX-License-Identifier: Apache-2.0
 *
 * A step of AdaGrad: G ← G + g²; w ← w − η g / √(G + 1e-8), with g = e x + l2 w, then l1 pulls w towards 0 by its step
 * times l1. A coordinate is [w, G]. Without l1 eight coordinates at a time where there is AVX-512, four where there is
 * AVX2; root and division are exact to the last bit in every width, so the results do not depend on it. Thread: any.
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

/* Rates, and what a row's coordinates were before it was learned: room for vector->count of each. */
struct hr_adagrad {
    struct hr_adagrad_rates rates;
    double *weights;
    double *sums;
};

static inline double hr_soft_threshold(double weight, double by)
{
    return fabs(weight) <= by ? 0.0 : weight - copysign(by, weight);
}

/* One coordinate in place; loss_gradient: e x. */
static inline void hr_adagrad_step(const struct hr_adagrad_rates *rates, double loss_gradient, double *weight,
                                   double *sum)
{
    double gradient = loss_gradient + rates->l2 * *weight;
    *sum = *sum + gradient * gradient;
    double root = sqrt(*sum + HR_ADAGRAD_EPSILON);
    double moved = *weight - rates->rate * gradient / root;
    *weight = rates->l1 > 0.0 ? hr_soft_threshold(moved, rates->rate / root * rates->l1) : moved;
}

/* w·x, one chain in the order of the elements. */
double hr_adagrad_dot(const struct hr_vector *vector, const double *coordinates);
/* Moves the coordinates of a row by its error e; those whose value is 0 stay as they are. False when one of them would
 * not be finite: then all are as they were. */
bool hr_adagrad_learn(const struct hr_adagrad *adagrad, double error, const struct hr_vector *vector,
                      double *coordinates);

#endif
