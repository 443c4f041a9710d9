/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of an evaluation's paged state, little-endian: struct hr_evaluation_state; then, where auc of that view is
 * asked for, the first rows exactly, the cumulative bins and the faded bins; then the ring of the sliding view.
 */
#ifndef HR_ML_EVALUATE_STATE_H
#define HR_ML_EVALUATE_STATE_H

#include "ml/evaluate.h"
#include "ml/evaluate_auc.h"

/* Rows that the cumulative auc sorts before it goes over to bins, and that the sliding one sorts at most. */
#define HR_AUC_EXACT 1024u
#define HR_AUC_SORT_ROWS 65536u

/* One measured row. */
struct hr_evaluation_row {
    double label;
    double prediction;
    double score;  /* margin */
    double loss;   /* −ln P(label); clustering: squared distance */
    double repeat; /* 1: the label is the one before it */
};

/* Weighted sums that all metrics but auc come from. Cumulative: weight 1 a row; faded: of a row that was i rows ago,
 * fadingFactor^i. */
struct hr_evaluation_sums {
    double weight;
    double table[2][2]; /* [label][prediction] */
    double loss;
    double repeats;
    double squared; /* error, or distance */
    double absolute;
    double label_mean; /* Welford */
    double label_m2;
};

struct hr_evaluation_state {
    uint64_t format; /* 1 */
    /* What the layout was made for. */
    uint64_t metrics;
    uint64_t cumulative;
    int64_t sliding_rows;
    double fading_factor;
    uint64_t rows;
    double last_label;
    double newest_weight; /* what the newest row weighs in the faded bins: 1 / fadingFactor^rows, taken down at times */
    struct hr_evaluation_sums sums;
    struct hr_evaluation_sums faded;
    uint64_t reserved[4];
};

/* Offsets into the state; 0: not there. */
struct hr_evaluation_layout {
    size_t exact;
    size_t bins;
    size_t faded_bins;
    size_t ring;
    size_t total;
};

struct hr_evaluation_layout hr_evaluation_layout(const struct hr_evaluation *evaluation);
static inline struct hr_evaluation_state *hr_evaluation_state(const struct hr_evaluation *evaluation)
{
    return (struct hr_evaluation_state *)evaluation->state.data;
}
/* True when the state was made for these windows and metrics. */
bool hr_evaluation_state_fits(const struct hr_evaluation *evaluation);
/* Adds a row to sums whose rows so far are faded by `factor` first. */
void hr_evaluation_sums_add(struct hr_evaluation_sums *sums, double factor, const struct hr_evaluation_row *row);

#endif
