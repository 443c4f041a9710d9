/* SPDX-License-Identifier: Apache-2.0
 *
 * OnlineLogisticRegression: each row is scored with what all earlier rows taught, then learned. With p = σ(w·x + b),
 * e = p − y, the gradient of a coordinate is g = e x, plus l2 w for sgd and adagrad; the intercept is a feature of
 * value 1. η_t = learningRate / t^powerT, t = number of the learned row from 1.
 *
 *   sgd      w ← w − η_t g
 *   adagrad  G ← G + g²;  w ← w − η_t g / √(G + 1e-8)                   (Duchi, Hazan, Singer 2011)
 *   ftrl     σ = (√(n + g²) − √n) / alpha;  z ← z + g − σ w;  n ← n + g²
 *            w = 0 if |z| <= l1, else −(z − sgn(z) l1) / ((beta + √n) / alpha + l2)   (McMahan et al. 2013)
 *
 * l1 of sgd and adagrad pulls the new weight towards 0 by its step times l1 and stops there. All of this is for the
 * coordinates of the row that are not 0, so that dense and sparse forms of a row teach the same bits, and the cost of a
 * row is its non-zeros. The intercept has no penalty in sgd and adagrad; in ftrl it is treated as the others are. With
 * interceptOptimizer: sgd it takes plain steps, whatever the weights do (River's intercept_lr).
 *
 * State: struct hr_online_state, then the coordinates, each [w], [w, G] or [z, n] together in one cache line.
 */
#include <math.h>
#include <stddef.h>

#include "ml/online_regression.h"

static enum hr_status online_end_batch(struct hr_model *base, struct hr_error *err)
{
    (void)err;
    struct hr_online_state *state = hr_online_state((struct hr_online_model *)base);
    if (state->head.rows_learned != state->batch_rows) {
        state->head.version++;
        state->batch_rows = state->head.rows_learned;
        hr_paged_mark(&base->state, 0);
    }
    return HR_OK;
}

static const char *const optimizer_names[] = {"sgd", "adagrad", "ftrl", NULL};

/* Options of one optimizer that are written out while another one learns. */
static void warn_of_idle_keys(const struct hr_model *base, struct hr_findings *findings)
{
    static const struct {
        const char *key;
        bool of_ftrl;
    } keys[] = {{"alpha", true}, {"beta", true}, {"learningRate", false}, {"powerT", false}};
    const struct hr_online_options *options = base->options;
    bool ftrl = options->optimizer == HR_ONLINE_FTRL;
    for (size_t i = 0; i < HR_ARRAY_LEN(keys); i++) {
        /* With interceptOptimizer: sgd the rates serve the intercept beside ftrl. */
        bool used =
            keys[i].of_ftrl == ftrl || (!keys[i].of_ftrl && options->intercept_choice == HR_ONLINE_INTERCEPT_SGD);
        if (!used && hr_yaml_get(base->node, keys[i].key) != NULL) {
            struct hr_finding *finding = hr_findings_warning(findings, hr_yaml_key_place(base->node, keys[i].key),
                                                             "'%s' has no effect: optimizer is %s", keys[i].key,
                                                             optimizer_names[options->optimizer]);
            hr_finding_hint(findings, finding, "remove it, or choose optimizer: %s",
                            keys[i].of_ftrl ? "ftrl" : "sgd or adagrad");
        }
    }
}

static void online_check(struct hr_model *base, struct hr_findings *findings)
{
    struct hr_online_options *options = base->options;
    warn_of_idle_keys(base, findings);
    if (options->learning_rate == 0.0) {
        options->learning_rate = options->optimizer == HR_ONLINE_ADAGRAD ? 0.1 : 0.01;
    }
    if (options->intercept_rate == 0.0) {
        options->intercept_rate = options->learning_rate;
    }
}

static enum hr_status online_bind(struct hr_model *base, struct hr_schema *schema, struct hr_error *err)
{
    struct hr_online_model *model = (struct hr_online_model *)base;
    model->options = base->options;
    model->adagrad.rates = (struct hr_adagrad_rates){0.0, model->options->l1, model->options->l2};
    model->ftrl.rates = hr_online_ftrl_rates(model->options);
    HR_TRY(hr_model_bind_columns(base, schema, false, err));
    HR_TRY(hr_paged_resize(&base->state, sizeof(struct hr_online_state), err));
    struct hr_online_state *state = hr_online_state(model);
    state->head.format = 1;
    state->optimizer = (uint64_t)model->options->optimizer;
    state->intercept_optimizer =
        model->options->intercept_choice == HR_ONLINE_INTERCEPT_SGD ? (uint64_t)HR_ONLINE_SGD : state->optimizer;
    state->stride = model->options->optimizer == HR_ONLINE_SGD ? 1 : 2;
    uint64_t dimension = hr_model_known_dimension(base, schema);
    return dimension > 0 ? hr_online_set_dimension(model, dimension, err) : HR_OK;
}

static double number_of(const json_t *params, const char *key)
{
    return json_number_value(json_object_get(params, key));
}

static json_t *online_inspect(const void *bytes, size_t size, const json_t *params)
{
    const struct hr_online_state *state = bytes;
    if (size < sizeof(*state) || state->stride < 1 || state->stride > 2 ||
        (size - sizeof(*state)) / sizeof(double) / state->stride < state->head.dimension) {
        return json_null();
    }
    const struct hr_online_options options = {
        .optimizer = (int)state->optimizer,
        .l1 = number_of(params, "l1"),
        .l2 = number_of(params, "l2"),
        .alpha = number_of(params, "alpha"),
        .beta = number_of(params, "beta"),
        .fit_intercept = true,
    };
    const struct hr_ftrl_rates rates = hr_online_ftrl_rates(&options);
    json_t *weights = json_array();
    for (uint64_t i = 0; i < state->head.dimension; i++) {
        const double *coordinate = state->coordinates + state->stride * i;
        double weight = options.optimizer == HR_ONLINE_FTRL ? hr_ftrl_weight(&rates, coordinate[0], sqrt(coordinate[1]))
                                                            : coordinate[0];
        json_array_append_new(weights, hr_model_json_double(weight));
    }
    return json_pack("{s:o, s:o}", "weights", weights, "intercept",
                     hr_model_json_double(hr_online_intercept_of(&options, state)));
}

/* The weights are all that scoring needs: they are taken as those of plain sgd, which uses them as they are. */
static enum hr_status online_restore(struct hr_model *base, const json_t *json, struct hr_error *err)
{
    struct hr_online_model *model = (struct hr_online_model *)base;
    struct hr_online_options *options = base->options;
    struct hr_online_state *state = hr_online_state(model);
    size_t count = json_array_size(json_object_get(json, "weights"));
    if (state->head.dimension > 0 && state->head.dimension != count) {
        return hr_fail(err, HR_BAD_CONFIG, "'weights' has %zu numbers, the feature vectors have %llu elements", count,
                       (unsigned long long)state->head.dimension);
    }
    const json_t *intercept = json_object_get(json, "intercept");
    if (intercept != NULL && !json_is_number(intercept)) {
        return hr_fail(err, HR_BAD_CONFIG, "'intercept' is not a finite number");
    }
    options->optimizer = HR_ONLINE_SGD;
    options->fit_intercept = true;
    state->optimizer = state->intercept_optimizer = HR_ONLINE_SGD;
    state->stride = 1;
    state->intercept.first = json_number_value(intercept);
    HR_TRY(hr_online_set_dimension(model, count, err));
    return hr_model_read_doubles(json, "weights", count, hr_online_state(model)->coordinates, err);
}

static const char *const intercept_names[] = {"same", "sgd", NULL};

static const struct hr_option online_option_rows[] = {
    HR_MODEL_OPTION_FEATURES(struct hr_online_options),
    HR_MODEL_OPTION_LABEL(struct hr_online_options),
    HR_MODEL_OPTION_PREDICTION(struct hr_online_options),
    HR_MODEL_OPTION_RAW_PREDICTION(struct hr_online_options),
    HR_MODEL_OPTION_PROBABILITY(struct hr_online_options),
    HR_OPTION(struct hr_online_options, optimizer, "optimizer", CHOICE, .fallback = "sgd", .choices = optimizer_names,
              .help = "how a row moves the weights: sgd, adagrad, or ftrl (FTRL-Proximal)"),
    HR_OPTION(struct hr_online_options, learning_rate, "learningRate", DOUBLE, .minimum = 0.0, .maximum = 1e6,
              .help = "step of sgd and adagrad; default 0.01 for sgd, 0.1 for adagrad"),
    HR_OPTION(struct hr_online_options, intercept_rate, "interceptLearningRate", DOUBLE, .minimum = 0.0, .maximum = 1e6,
              .help = "step of the intercept in sgd and adagrad; default: learningRate"),
    HR_OPTION(struct hr_online_options, intercept_choice, "interceptOptimizer", CHOICE, .fallback = "same",
              .choices = intercept_names, .help = "how a row moves the intercept: as the weights, or by plain sgd"),
    HR_OPTION(struct hr_online_options, power_t, "powerT", DOUBLE, .fallback = "0.0", .minimum = 0.0, .maximum = 1.0,
              .help = "the step of the t-th learned row is divided by t^powerT; 0: constant"),
    HR_OPTION(struct hr_online_options, l1, "l1", DOUBLE, .fallback = "0.0", .minimum = 0.0, .maximum = 1e9,
              .help = "strength of the L1 penalty: many weights become exactly 0"),
    HR_OPTION(struct hr_online_options, l2, "l2", DOUBLE, .fallback = "0.0", .minimum = 0.0, .maximum = 1e9,
              .help = "strength of the L2 penalty, l2/2 times the squared weights"),
    HR_OPTION(struct hr_online_options, alpha, "alpha", DOUBLE, .fallback = "0.1", .minimum = 1e-12, .maximum = 1e9,
              .help = "ftrl: scale of the per-coordinate step"),
    HR_OPTION(struct hr_online_options, beta, "beta", DOUBLE, .fallback = "0.1", .minimum = 0.0, .maximum = 1e9,
              .help = "ftrl: damps the first steps of a coordinate"),
    HR_OPTION(struct hr_online_options, fit_intercept, "fitIntercept", BOOL, .fallback = "true",
              .help = "learn an intercept beside the weights"),
    HR_OPTION(struct hr_online_options, threshold, "threshold", DOUBLE, .fallback = "0.5", .minimum = 0.0,
              .maximum = 1.0, .help = "prediction is 1 when P(1) is above this"),
};

const struct hr_model_type hr_model_online_logistic_regression = {
    .kind =
        {
            .name = "OnlineLogisticRegression",
            .summary = "binary classifier that learns row by row",
            .doc = "Logistic regression that scores each row with what all earlier rows taught and then learns from "
                   "it, by stochastic gradient descent, AdaGrad (Duchi, Hazan, Singer 2011) or FTRL-Proximal "
                   "(McMahan et al. 2013). Dense and sparse vectors; the size is taken from the first labelled row "
                   "where the pipeline does not know it. Labels are 0 or 1. A row with a value that is not finite is "
                   "scored and not learned.",
            .example = "type: OnlineLogisticRegression\noptimizer: adagrad\nlearningRate: 0.1\n",
            .options = {online_option_rows, HR_ARRAY_LEN(online_option_rows)},
            .options_size = sizeof(struct hr_online_options),
            .instance_size = sizeof(struct hr_online_model),
        },
    .task = HR_TASK_CLASSIFICATION,
    .row_by_row = true,
    .check = online_check,
    .bind = online_bind,
    .score = hr_online_score,
    .learn = hr_online_learn,
    .end_batch = online_end_batch,
    .inspect = online_inspect,
    .restore = online_restore,
};
