/* SPDX-License-Identifier: Apache-2.0
 *
 * Spark's mini-batch gradient descent over one batch in one partition (org.apache.spark.mllib.optimization.
 * GradientDescent): for i = 1 … numIterations, g = mean gradient of a sample with seed 42 + i, η = stepSize / √i, then
 * the updater; ends early when ‖w_i − w_(i−1)‖ < tol · max(‖w_i‖, 1), asked from the second update on. i starts at 1 in
 * every batch. And what the two models that use it have in common: options, state, learning, inspection.
 */
#ifndef HR_ML_GRADIENT_DESCENT_H
#define HR_ML_GRADIENT_DESCENT_H

#include "ml/model.h"
#include "ml/row_buffer.h"

struct hr_descent_options {
    struct hr_model_columns columns; /* first: model.h */
    double step_size;
    int64_t iterations;
    double fraction;
    double regularisation; /* regParam */
    double tolerance;
    double threshold; /* logistic only */
    struct hr_yaml *initial_weights;
};

#define HR_DESCENT_OPTIONS(type) \
    HR_OPTION(type, step_size, "stepSize", DOUBLE, .fallback = "0.1", .minimum = 1e-300, .maximum = 1e12, \
              .help = "first step of a batch; the i-th is stepSize / sqrt(i)"), \
        HR_OPTION(type, iterations, "numIterations", INT, .fallback = "50", .minimum = 0, .maximum = 1e6, \
                  .help = "steps a batch, unless convergenceTol ends it earlier"), \
        HR_OPTION(type, fraction, "miniBatchFraction", DOUBLE, .fallback = "1.0", .minimum = 1e-9, .maximum = 1.0, \
                  .help = "share of the batch that each step samples"), \
        HR_OPTION(type, tolerance, "convergenceTol", DOUBLE, .fallback = "0.001", .minimum = 0.0, .maximum = 1.0, \
                  .help = "a batch is done when a step moves the weights by less than this share of their length"), \
        HR_OPTION(type, initial_weights, "initialWeights", NODE, \
                  .help = "zeros (the default), or a list of numbers, one a feature")

/* The gradient of a row is multiplier(margin, label) · x, margin = w·x. */
typedef double hr_descent_multiplier_fn(double margin, double label);

/* Runs over the rows. weights: start and result; scratch: 2 * dimension doubles. penalty: regularisation of the
 * squared-L2 updater, 0 for the simple one. */
void hr_descent_run(const struct hr_row_buffer *rows, const struct hr_descent_options *options, double penalty,
                    hr_descent_multiplier_fn *multiplier, double *weights, double *scratch);

/* A model that learns so: first member of its struct. */
struct hr_descent_model {
    struct hr_model base;
    struct hr_row_buffer rows;
    double *scratch; /* 3 * dimension */
    size_t scratch_count;
};

/* State: the head, then the weights. */
static inline double *hr_descent_weights(const struct hr_model *model)
{
    return (double *)(model->state.data + sizeof(struct hr_model_head));
}

void hr_descent_check(struct hr_model *model, struct hr_findings *findings);
/* Weights for scoring; there is no intercept. */
enum hr_status hr_descent_restore(struct hr_model *model, const json_t *state, struct hr_error *err);
enum hr_status hr_descent_bind(struct hr_model *model, struct hr_schema *schema, struct hr_error *err);
/* w·x; 0 while no dimension is known. */
double hr_descent_margin(const struct hr_model *model, const struct hr_vector *vector);
/* Remembers a row for the end of the batch; the first one sets the dimension where it is not known. A row with a
 * number that is not finite is counted and left. */
enum hr_status hr_descent_remember(struct hr_model *model, const struct hr_vector *vector, double label,
                                   struct hr_error *err);
/* Learns what was remembered. A result that is not finite is not applied; its rows are counted. */
void hr_descent_learn(struct hr_model *model, double penalty, hr_descent_multiplier_fn *multiplier);
json_t *hr_descent_inspect(const void *state, size_t size, const json_t *params);
void hr_descent_close(struct hr_model *model);

#endif
