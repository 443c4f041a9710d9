/* SPDX-License-Identifier: Apache-2.0
 *
 * OnlineLogisticRegression's rows: what it keeps, and the loop that scores each row with what all earlier ones taught
 * and then learns it. The rules are in model_online_logistic_regression.c. Thread: the query's.
 */
#ifndef HR_ML_ONLINE_REGRESSION_H
#define HR_ML_ONLINE_REGRESSION_H

#include "ml/kernel_adagrad.h"
#include "ml/kernel_ftrl.h"
#include "ml/model.h"

enum hr_online_optimizer { HR_ONLINE_SGD, HR_ONLINE_ADAGRAD, HR_ONLINE_FTRL };
enum hr_online_intercept_choice { HR_ONLINE_INTERCEPT_SAME, HR_ONLINE_INTERCEPT_SGD };

struct hr_online_options {
    struct hr_model_columns columns; /* first: model.h */
    int optimizer;
    double learning_rate;
    double intercept_rate;
    int intercept_choice;
    double power_t;
    double l1;
    double l2;
    double alpha;
    double beta;
    bool fit_intercept;
    double threshold;
};

struct hr_online_intercept {
    double first;
    double second;
};

struct hr_online_state {
    struct hr_model_head head;
    uint64_t optimizer;
    uint64_t stride;                      /* doubles a coordinate */
    struct hr_online_intercept intercept; /* as a coordinate of this optimizer: */
    uint64_t intercept_optimizer;
    uint64_t batch_rows; /* rows learned as of the end of the last batch */
    uint64_t reserved[2];
    double coordinates[];
};

struct hr_online_model {
    struct hr_model base;
    const struct hr_online_options *options;
    double *scratch; /* of one row: */
    size_t scratch_count;
    struct hr_adagrad adagrad;
    struct hr_ftrl ftrl;
};

static inline struct hr_online_state *hr_online_state(const struct hr_online_model *model)
{
    return (struct hr_online_state *)model->base.state.data;
}

static inline struct hr_ftrl_rates hr_online_ftrl_rates(const struct hr_online_options *options)
{
    return (struct hr_ftrl_rates){options->alpha, options->beta, options->l1, options->l2};
}

/* The intercept's weight; 0 without one. */
double hr_online_intercept_of(const struct hr_online_options *options, const struct hr_online_state *state);
/* Sizes the state for vectors of this many elements. */
enum hr_status hr_online_set_dimension(struct hr_online_model *model, uint64_t dimension, struct hr_error *err);
/* As the callbacks of a model type. */
enum hr_status hr_online_learn(struct hr_model *base, struct hr_chunk *chunk, struct hr_error *err);
void hr_online_score(struct hr_model *base, struct hr_chunk *chunk);

#endif
