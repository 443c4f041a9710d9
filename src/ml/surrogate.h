/* SPDX-License-Identifier: Apache-2.0
 *
 * The number that stands for those that are missing from a column: mean, median or mode. Values are handed over one by
 * one, in one pass or, for the median, in four: it is found digit by digit (of 16 bits) of the values' order, so that
 * it is exact and needs half a megabyte, however many values there are. Not shared between threads.
 */
#ifndef HR_ML_SURROGATE_H
#define HR_ML_SURROGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hr_surrogate_kind { HR_SURROGATE_MEAN, HR_SURROGATE_MEDIAN, HR_SURROGATE_MODE };

struct hr_surrogate_slot {
    double value;
    uint64_t count; /* 0: free */
};

struct hr_surrogate {
    enum hr_surrogate_kind kind;
    uint64_t count; /* of the first pass */
    double sum;
    uint64_t *digits; /* median: how often each next digit occurs under the prefix */
    uint64_t prefix;
    uint64_t rank; /* of the median among the values under the prefix, from 1 */
    unsigned pass;
    struct hr_surrogate_slot *slots; /* mode: counts by value */
    size_t slot_count;
    size_t distinct;
};

void hr_surrogate_init(struct hr_surrogate *surrogate, enum hr_surrogate_kind kind);
void hr_surrogate_release(struct hr_surrogate *surrogate);
/* The value is not NaN. */
void hr_surrogate_add(struct hr_surrogate *surrogate, double value);
/* true: the same values are wanted once more. */
bool hr_surrogate_end_pass(struct hr_surrogate *surrogate);
/* NaN: there was no value, or the mean is none. The median of an even count is the lower one of the middle, the mode
 * among equals the smallest, as in Spark. */
double hr_surrogate_value(const struct hr_surrogate *surrogate);

#endif
