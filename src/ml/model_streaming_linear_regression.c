/* SPDX-License-Identifier: Apache-2.0
 *
 * StreamingLinearRegressionWithSGD (org.apache.spark.mllib.regression): a batch is scored with the model before it,
 * then taught by gradient_descent.h with the least-squares gradient (w·x − y) x and the simple updater. regParam is
 * accepted and has no effect, as in Spark. There is no intercept of its own.
 */
#include "ml/gradient_descent.h"

static double squares_multiplier(double margin, double label)
{
    return margin - label;
}

static const struct hr_vector *score_row(struct hr_model *model, struct hr_chunk *chunk, size_t row,
                                         const struct hr_model_output *output)
{
    const struct hr_vector *vector = hr_model_features(model, chunk, row, hr_model_head(model)->dimension);
    if (vector != NULL && output->prediction != NULL) {
        output->prediction[row] = hr_descent_margin(model, vector);
    }
    return vector;
}

static void linear_score(struct hr_model *model, struct hr_chunk *chunk)
{
    struct hr_model_output output;
    hr_model_output_begin(model, chunk, &output);
    for (size_t row = 0; row < chunk->rows; row++) {
        score_row(model, chunk, row, &output);
    }
}

static enum hr_status linear_learn(struct hr_model *model, struct hr_chunk *chunk, struct hr_error *err)
{
    struct hr_model_output output;
    hr_model_output_begin(model, chunk, &output);
    for (size_t row = 0; row < chunk->rows; row++) {
        const struct hr_vector *vector = score_row(model, chunk, row, &output);
        double label;
        if (vector != NULL && hr_model_label(model, chunk, row, &label)) {
            HR_TRY(hr_descent_remember(model, vector, label, err));
        }
    }
    return HR_OK;
}

static enum hr_status linear_end_batch(struct hr_model *model, struct hr_error *err)
{
    (void)err;
    hr_descent_learn(model, 0.0, squares_multiplier);
    return HR_OK;
}

static const struct hr_option linear_options[] = {
    HR_MODEL_OPTION_FEATURES(struct hr_descent_options),
    HR_MODEL_OPTION_LABEL(struct hr_descent_options),
    HR_MODEL_OPTION_PREDICTION(struct hr_descent_options),
    HR_DESCENT_OPTIONS(struct hr_descent_options),
    HR_OPTION(struct hr_descent_options, regularisation, "regParam", DOUBLE, .fallback = "0.0", .minimum = 0.0,
              .maximum = 1e9, .help = "accepted and without effect, as in Spark (its updater has no penalty)"),
};

const struct hr_model_type hr_model_streaming_linear_regression = {
    .kind =
        {
            .name = "StreamingLinearRegressionWithSGD",
            .summary = "least squares that learns batch by batch, as Spark's",
            .doc =
                "Spark's streaming linear regression: a batch is scored with the model before it, then numIterations "
                "steps of gradient descent over the batch move the weights. There is no intercept of its own: add a "
                "feature that is always 1. "
                "Source: org.apache.spark.mllib.regression.StreamingLinearRegressionWithSGD.",
            .example = "type: StreamingLinearRegressionWithSGD\nstepSize: 0.2\n",
            .options = {linear_options, HR_ARRAY_LEN(linear_options)},
            .options_size = sizeof(struct hr_descent_options),
            .instance_size = sizeof(struct hr_descent_model),
        },
    .task = HR_TASK_REGRESSION,
    .check = hr_descent_check,
    .bind = hr_descent_bind,
    .score = linear_score,
    .learn = linear_learn,
    .end_batch = linear_end_batch,
    .inspect = hr_descent_inspect,
    .restore = hr_descent_restore,
    .close = hr_descent_close,
};
