/* SPDX-License-Identifier: Apache-2.0
 *
 * AUC by one ordered pass: each negative is beaten by the positives above it.
 */
#include "ml/evaluate_auc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOWEST_EXPONENT (-14)
/* A double's bits without the last 44 of its fraction are its power of two and the step within it. */
#define STEP_SHIFT 44

size_t hr_auc_bin_of(double score)
{
    const uint64_t lowest = (uint64_t)(1023 + LOWEST_EXPONENT) * HR_AUC_STEPS;
    double magnitude = fabs(score);
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof(bits));
    uint64_t step = bits >> STEP_SHIFT;
    size_t from_zero = 0;
    if (step >= lowest) {
        from_zero = (size_t)(step - lowest) + 1;
        from_zero = from_zero > HR_AUC_OCTAVES * HR_AUC_STEPS ? HR_AUC_OCTAVES * HR_AUC_STEPS : from_zero;
    }
    const size_t middle = HR_AUC_OCTAVES * HR_AUC_STEPS;
    return score < 0.0 ? middle - from_zero : middle + from_zero;
}

double hr_auc_of_bins(const struct hr_auc_bin *bins)
{
    double negatives = 0.0;
    double positives = 0.0;
    double ordered = 0.0;
    for (size_t i = 0; i < HR_AUC_BINS; i++) {
        ordered += bins[i].positive * (negatives + 0.5 * bins[i].negative);
        negatives += bins[i].negative;
        positives += bins[i].positive;
    }
    return negatives > 0.0 && positives > 0.0 ? ordered / (negatives * positives) : 1.0;
}

static int compare_scores(const void *a, const void *b)
{
    double left = ((const struct hr_auc_pair *)a)->score;
    double right = ((const struct hr_auc_pair *)b)->score;
    return (left > right) - (left < right);
}

double hr_auc_of_pairs(struct hr_auc_pair *pairs, size_t count)
{
    qsort(pairs, count, sizeof(*pairs), compare_scores);
    double negatives = 0.0;
    double positives = 0.0;
    double ordered = 0.0;
    for (size_t first = 0; first < count;) {
        double tied_negatives = 0.0;
        double tied_positives = 0.0;
        size_t next = first;
        for (; next < count && pairs[next].score == pairs[first].score; next++) {
            tied_positives += pairs[next].label;
            tied_negatives += 1.0 - pairs[next].label;
        }
        ordered += tied_positives * (negatives + 0.5 * tied_negatives);
        negatives += tied_negatives;
        positives += tied_positives;
        first = next;
    }
    return negatives > 0.0 && positives > 0.0 ? ordered / (negatives * positives) : 1.0;
}
