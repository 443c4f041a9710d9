/* SPDX-License-Identifier: Apache-2.0
 *
 * StreamingLogisticRegressionWithSGD (org.apache.spark.mllib.classification): a batch is scored with the model before
 * it, then taught by gradient_descent.h with the logistic gradient (σ(w·x) − y) x and the squared-L2 updater. There is
 * no intercept of its own, as in Spark: a constant feature makes one.
 */
#include "ml/gradient_descent.h"
#include "ml/kernel.h"

static double logistic_multiplier(double margin, double label)
{
    return hr_kernel_sigmoid(margin) - label;
}

static void logistic_score(struct hr_model *model, struct hr_chunk *chunk)
{
    const struct hr_descent_options *options = model->options;
    struct hr_model_output output;
    hr_model_output_begin(model, chunk, &output);
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector = hr_model_features(model, chunk, row, hr_model_head(model)->dimension);
        if (vector != NULL) {
            hr_model_output_binary(&output, row, hr_descent_margin(model, vector), options->threshold);
        }
    }
}

static enum hr_status logistic_learn(struct hr_model *model, struct hr_chunk *chunk, struct hr_error *err)
{
    const struct hr_descent_options *options = model->options;
    struct hr_model_output output;
    hr_model_output_begin(model, chunk, &output);
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector = hr_model_features(model, chunk, row, hr_model_head(model)->dimension);
        if (vector == NULL) {
            continue;
        }
        hr_model_output_binary(&output, row, hr_descent_margin(model, vector), options->threshold);
        double label;
        if (hr_model_binary_label(model, chunk, row, &label)) {
            HR_TRY(hr_descent_remember(model, vector, label, err));
        }
    }
    return HR_OK;
}

static enum hr_status logistic_end_batch(struct hr_model *model, struct hr_error *err)
{
    (void)err;
    const struct hr_descent_options *options = model->options;
    hr_descent_learn(model, options->regularisation, logistic_multiplier);
    return HR_OK;
}

static const struct hr_option logistic_options[] = {
    HR_MODEL_OPTION_FEATURES(struct hr_descent_options),
    HR_MODEL_OPTION_LABEL(struct hr_descent_options),
    HR_MODEL_OPTION_PREDICTION(struct hr_descent_options),
    HR_MODEL_OPTION_RAW_PREDICTION(struct hr_descent_options),
    HR_MODEL_OPTION_PROBABILITY(struct hr_descent_options),
    HR_DESCENT_OPTIONS(struct hr_descent_options),
    HR_OPTION(struct hr_descent_options, regularisation, "regParam", DOUBLE, .fallback = "0.0", .minimum = 0.0,
              .maximum = 1e9, .help = "strength of the L2 penalty, regParam/2 times the squared weights"),
    HR_OPTION(struct hr_descent_options, threshold, "threshold", DOUBLE, .fallback = "0.5", .minimum = 0.0,
              .maximum = 1.0, .help = "prediction is 1 when P(1) is above this"),
};

const struct hr_model_type hr_model_streaming_logistic_regression = {
    .kind =
        {
            .name = "StreamingLogisticRegressionWithSGD",
            .summary = "binary classifier that learns batch by batch, as Spark's",
            .doc = "Spark's streaming logistic regression: a batch is scored with the model before it, then "
                   "numIterations steps of gradient descent over the batch move the weights. Labels are 0 or 1. There "
                   "is no intercept of its own: add a feature that is always 1. "
                   "Source: org.apache.spark.mllib.classification.StreamingLogisticRegressionWithSGD.",
            .example = "type: StreamingLogisticRegressionWithSGD\nstepSize: 0.5\nnumIterations: 20\n",
            .options = {logistic_options, HR_ARRAY_LEN(logistic_options)},
            .options_size = sizeof(struct hr_descent_options),
            .instance_size = sizeof(struct hr_descent_model),
        },
    .task = HR_TASK_CLASSIFICATION,
    .check = hr_descent_check,
    .bind = hr_descent_bind,
    .score = logistic_score,
    .learn = logistic_learn,
    .end_batch = logistic_end_batch,
    .inspect = hr_descent_inspect,
    .restore = hr_descent_restore,
    .close = hr_descent_close,
};
