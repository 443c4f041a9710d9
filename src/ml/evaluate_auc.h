/* SPDX-License-Identifier: Apache-2.0
 *
 * Area under the ROC curve: the share of (positive, negative) pairs that the scores put in the right order, ties
 * counting half. Exact by sorting, or from weights counted in bins: a bin holds margins of one sign, one power of two
 * and one of 256 steps within it, so that scores close to 0 are told apart as well as large ones; pairs inside one bin
 * are ties.
 */
#ifndef HR_ML_EVALUATE_AUC_H
#define HR_ML_EVALUATE_AUC_H

#include <stddef.h>
#include <stdint.h>

/* Powers of two from 2^-14 to 2^5, both signs, and one bin for what is nearer to 0. */
#define HR_AUC_OCTAVES 20u
#define HR_AUC_STEPS 256u
#define HR_AUC_BINS (2u * HR_AUC_OCTAVES * HR_AUC_STEPS + 1u)

struct hr_auc_bin {
    double negative;
    double positive;
};

struct hr_auc_pair {
    double score;
    double label; /* 0 or 1 */
};

/* Bin of a score, ascending with it. Not for NaN. */
size_t hr_auc_bin_of(double score);
/* 1 when a class is missing. */
double hr_auc_of_bins(const struct hr_auc_bin *bins);
/* Sorts the pairs in place. 1 when a class is missing. */
double hr_auc_of_pairs(struct hr_auc_pair *pairs, size_t count);

#endif
