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
 * State: struct online_state, then the coordinates, each [w], [w, G] or [z, n] together in one cache line.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "ml/kernel.h"
#include "ml/kernel_adagrad.h"
#include "ml/kernel_ftrl.h"
#include "ml/model.h"

/* Coordinates beyond this many bytes are not in a near cache: worth asking for those of a row ahead of time. */
#define PREFETCH_BYTES ((size_t)1 << 20)
#define PREFETCH_ROWS 8u
#define SCORE_ROWS 128u

enum online_optimizer { ONLINE_SGD, ONLINE_ADAGRAD, ONLINE_FTRL };
enum intercept_choice { INTERCEPT_SAME, INTERCEPT_SGD };

struct online_options {
    struct hr_model_columns columns;
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

struct online_state {
    struct hr_model_head head;
    uint64_t optimizer;
    uint64_t stride;     /* doubles a coordinate */
    double intercept[2]; /* as a coordinate of this optimizer: */
    uint64_t intercept_optimizer;
    uint64_t batch_rows; /* rows learned as of the end of the last batch */
    uint64_t reserved[2];
    double coordinates[];
};

struct online_model {
    struct hr_model base;
    const struct online_options *options;
    /* Scratch of one row: the weight of each element (ftrl), and its coordinate after the step. */
    double *weights;
    double *fresh;
    size_t scratch_count;
};

/* Rates of one row. */
struct online_rates {
    double weight;
    double intercept;
};

static struct online_state *state_of(const struct online_model *model)
{
    return (struct online_state *)model->base.state.data;
}

static struct hr_ftrl_rates ftrl_rates(const struct online_options *options)
{
    return (struct hr_ftrl_rates){options->alpha, options->beta, options->l1, options->l2};
}

/* One coordinate with a gradient from the loss, and the weight that was used → new values. */
static inline void step(const struct online_options *options, enum online_optimizer optimizer, double loss_gradient,
                        double rate, bool penalty, double weight, const double *coordinate, double *out)
{
    double l1 = penalty ? options->l1 : 0.0;
    double l2 = penalty ? options->l2 : 0.0;
    if (optimizer == ONLINE_FTRL) {
        struct hr_ftrl_rates rates = ftrl_rates(options);
        hr_ftrl_step(&rates, loss_gradient, weight, coordinate, out);
    } else if (optimizer == ONLINE_ADAGRAD) {
        hr_adagrad_step(&(struct hr_adagrad_rates){rate, l1, l2}, loss_gradient, coordinate, out);
    } else {
        double moved = weight - rate * (penalty ? loss_gradient + l2 * weight : loss_gradient);
        out[0] = l1 > 0.0 ? hr_soft_threshold(moved, rate * l1) : moved;
    }
}

static inline size_t element(const struct hr_vector *vector, uint32_t i)
{
    return vector->indices != NULL ? vector->indices[i] : i;
}

static void reserve_scratch(struct online_model *model, size_t count)
{
    if (count <= model->scratch_count) {
        return;
    }
    size_t room = count + count / 2 + 16;
    model->weights = hr_realloc_array(model->weights, 3 * room, sizeof(double));
    model->fresh = model->weights + room;
    model->scratch_count = room;
}

static double intercept_of(const struct online_options *options, const struct online_state *state)
{
    if (!options->fit_intercept) {
        return 0.0;
    }
    struct hr_ftrl_rates rates = ftrl_rates(options);
    return state->intercept_optimizer == ONLINE_FTRL ? hr_ftrl_weight(&rates, state->intercept) : state->intercept[0];
}

/* w·x + b */
static double margin_of(struct online_model *model, const struct hr_vector *vector)
{
    const struct online_options *options = model->options;
    const struct online_state *state = state_of(model);
    double margin = 0.0;
    if (state->head.dimension > 0) {
        struct hr_ftrl_rates rates;
        reserve_scratch(model, vector->count);
        switch (options->optimizer) {
        case ONLINE_FTRL:
            rates = ftrl_rates(options);
            margin = hr_ftrl_dot(&rates, vector, state->coordinates, model->weights);
            break;
        case ONLINE_ADAGRAD:
            margin = hr_adagrad_dot(vector, state->coordinates);
            break;
        default:
            margin = hr_kernel_dot_vector(vector, state->coordinates);
        }
    }
    return margin + intercept_of(options, state);
}

static struct online_rates rates_of(const struct online_options *options, uint64_t t)
{
    double divisor = 1.0;
    if (options->power_t == 0.5) {
        divisor = sqrt((double)t);
    } else if (options->power_t != 0.0) {
        divisor = hr_kernel_exp(options->power_t * hr_kernel_log((double)t));
    }
    return (struct online_rates){options->learning_rate / divisor, options->intercept_rate / divisor};
}

/* Marks and stores the new values of the row's coordinates. */
static void store(struct online_model *model, const struct hr_vector *vector)
{
    struct hr_paged *paged = &model->base.state;
    struct online_state *state = state_of(model);
    if (state->stride == 1) {
        for (uint32_t i = 0; i < vector->count; i++) {
            size_t at = element(vector, i);
            state->coordinates[at] = model->fresh[i];
            hr_paged_mark(paged, sizeof(*state) + sizeof(double) * at);
        }
        return;
    }
    for (uint32_t i = 0; i < vector->count; i++) {
        size_t at = 2 * element(vector, i);
        memcpy(state->coordinates + at, model->fresh + 2 * i, 2 * sizeof(double));
        hr_paged_mark(paged, sizeof(*state) + sizeof(double) * at);
    }
}

static bool step_sgd(const struct online_options *options, const struct hr_vector *vector, double error, double rate,
                     const double *coordinates, double *fresh)
{
    for (uint32_t i = 0; i < vector->count; i++) {
        const double *coordinate = coordinates + element(vector, i);
        fresh[i] = *coordinate;
        if (vector->values[i] != 0.0) {
            step(options, ONLINE_SGD, error * vector->values[i], rate, true, *coordinate, coordinate, &fresh[i]);
        }
    }
    return hr_kernel_all_finite(fresh, vector->count);
}

/* The row's coordinates after the step, into scratch; false when one of them is not finite. */
static bool step_coordinates(struct online_model *model, const struct hr_vector *vector, double error, double rate)
{
    const struct online_options *options = model->options;
    const double *coordinates = state_of(model)->coordinates;
    struct hr_adagrad_rates adagrad = {rate, options->l1, options->l2};
    struct hr_ftrl_rates ftrl = ftrl_rates(options);
    switch (options->optimizer) {
    case ONLINE_FTRL:
        return hr_ftrl_row(&ftrl, error, vector, model->weights, coordinates, model->fresh);
    case ONLINE_ADAGRAD:
        return hr_adagrad_row(&adagrad, error, vector, coordinates, model->fresh);
    default:
        return step_sgd(options, vector, error, rate, coordinates, model->fresh);
    }
}

/* Learns a row whose margin was just computed. False when it would leave a number that is not finite: then nothing
 * has changed. */
static bool update(struct online_model *model, const struct hr_vector *vector, double error)
{
    const struct online_options *options = model->options;
    struct online_state *state = state_of(model);
    struct online_rates rates = rates_of(options, state->head.rows_learned + 1);
    double intercept[2] = {state->intercept[0], state->intercept[1]};
    if (options->fit_intercept) {
        step(options, (enum online_optimizer)state->intercept_optimizer, error, rates.intercept, false,
             intercept_of(options, state), state->intercept, intercept);
    }
    if (!step_coordinates(model, vector, error, rates.weight) || !hr_kernel_all_finite(intercept, 2)) {
        return false;
    }
    memcpy(state->intercept, intercept, sizeof(intercept));
    store(model, vector);
    return true;
}

/* Sizes the state for vectors of this many elements. */
static enum hr_status set_dimension(struct online_model *model, uint64_t dimension, struct hr_error *err)
{
    size_t stride = state_of(model)->stride;
    size_t size = sizeof(struct online_state) + dimension * stride * sizeof(double);
    HR_TRY(hr_paged_resize(&model->base.state, size, err));
    state_of(model)->head.dimension = dimension;
    hr_paged_mark(&model->base.state, 0);
    return HR_OK;
}

static void prefetch_row(const struct online_model *model, const struct hr_column *column, size_t row)
{
    const struct online_state *state = state_of(model);
    const struct hr_vector *vector = &column->vectors[row];
    if (vector->indices == NULL || vector->size != state->head.dimension) {
        return;
    }
    size_t shift = state->stride == 2;
    for (uint32_t i = 0; i < vector->count; i++) {
        __builtin_prefetch(state->coordinates + ((size_t)vector->indices[i] << shift), 1);
    }
}

static enum hr_status online_learn(struct hr_model *base, struct hr_chunk *chunk, struct hr_error *err)
{
    struct online_model *model = (struct online_model *)base;
    const struct hr_column *features = &chunk->columns[base->features];
    struct hr_model_output output;
    hr_model_output_begin(base, chunk, &output);
    bool prefetch = base->state.size > PREFETCH_BYTES;
    for (size_t row = 0; row < chunk->rows; row++) {
        if (prefetch && row + PREFETCH_ROWS < chunk->rows) {
            prefetch_row(model, features, row + PREFETCH_ROWS);
        }
        const struct hr_vector *vector = hr_model_features(base, chunk, row, state_of(model)->head.dimension);
        if (vector == NULL) {
            continue;
        }
        double label = 0.0;
        bool labelled = hr_model_binary_label(base, chunk, row, &label);
        if (labelled && state_of(model)->head.dimension == 0 && vector->size > 0) {
            HR_TRY(set_dimension(model, vector->size, err));
        }
        double margin = margin_of(model, vector);
        double probability = hr_model_output_binary(&output, row, margin, model->options->threshold);
        if (!labelled) {
            continue;
        }
        struct hr_model_head *head = hr_model_head(base);
        hr_paged_mark(&base->state, 0);
        if (isfinite(margin) && update(model, vector, probability - label)) {
            head->rows_learned++;
        } else {
            head->nonfinite++;
        }
    }
    return HR_OK;
}

/* Margins first, a part of the rows at a time: they do not wait for each other, nor for an exponential. */
static void online_score(struct hr_model *base, struct hr_chunk *chunk)
{
    struct online_model *model = (struct online_model *)base;
    const struct hr_column *features = &chunk->columns[base->features];
    struct hr_model_output output;
    hr_model_output_begin(base, chunk, &output);
    bool prefetch = base->state.size > PREFETCH_BYTES;
    double margins[SCORE_ROWS];
    size_t rows[SCORE_ROWS];
    for (size_t row = 0; row < chunk->rows;) {
        size_t count = 0;
        for (; row < chunk->rows && count < SCORE_ROWS; row++) {
            if (prefetch && row + PREFETCH_ROWS < chunk->rows) {
                prefetch_row(model, features, row + PREFETCH_ROWS);
            }
            const struct hr_vector *vector = hr_model_features(base, chunk, row, state_of(model)->head.dimension);
            if (vector != NULL) {
                rows[count] = row;
                margins[count++] = margin_of(model, vector);
            }
        }
        for (size_t i = 0; i < count; i++) {
            hr_model_output_binary(&output, rows[i], margins[i], model->options->threshold);
        }
    }
}

static enum hr_status online_end_batch(struct hr_model *base, struct hr_error *err)
{
    (void)err;
    struct online_state *state = state_of((struct online_model *)base);
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
    const struct online_options *options = base->options;
    bool ftrl = options->optimizer == ONLINE_FTRL;
    for (size_t i = 0; i < HR_ARRAY_LEN(keys); i++) {
        /* With interceptOptimizer: sgd the rates serve the intercept beside ftrl. */
        bool used = keys[i].of_ftrl == ftrl || (!keys[i].of_ftrl && options->intercept_choice == INTERCEPT_SGD);
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
    struct online_options *options = base->options;
    warn_of_idle_keys(base, findings);
    if (options->learning_rate == 0.0) {
        options->learning_rate = options->optimizer == ONLINE_ADAGRAD ? 0.1 : 0.01;
    }
    if (options->intercept_rate == 0.0) {
        options->intercept_rate = options->learning_rate;
    }
}

static enum hr_status online_bind(struct hr_model *base, struct hr_schema *schema, struct hr_error *err)
{
    struct online_model *model = (struct online_model *)base;
    model->options = base->options;
    HR_TRY(hr_model_bind_columns(base, schema, false, err));
    HR_TRY(hr_paged_resize(&base->state, sizeof(struct online_state), err));
    struct online_state *state = state_of(model);
    state->head.format = 1;
    state->optimizer = (uint64_t)model->options->optimizer;
    state->intercept_optimizer =
        model->options->intercept_choice == INTERCEPT_SGD ? (uint64_t)ONLINE_SGD : state->optimizer;
    state->stride = model->options->optimizer == ONLINE_SGD ? 1 : 2;
    uint64_t dimension = hr_model_known_dimension(base, schema);
    return dimension > 0 ? set_dimension(model, dimension, err) : HR_OK;
}

static double number_of(const json_t *params, const char *key)
{
    return json_number_value(json_object_get(params, key));
}

static json_t *online_inspect(const void *bytes, size_t size, const json_t *params)
{
    const struct online_state *state = bytes;
    if (size < sizeof(*state) || state->stride < 1 || state->stride > 2 ||
        (size - sizeof(*state)) / sizeof(double) / state->stride < state->head.dimension) {
        return json_null();
    }
    const struct online_options options = {
        .optimizer = (int)state->optimizer,
        .l1 = number_of(params, "l1"),
        .l2 = number_of(params, "l2"),
        .alpha = number_of(params, "alpha"),
        .beta = number_of(params, "beta"),
        .fit_intercept = true,
    };
    const struct hr_ftrl_rates rates = ftrl_rates(&options);
    json_t *weights = json_array();
    for (uint64_t i = 0; i < state->head.dimension; i++) {
        const double *coordinate = state->coordinates + state->stride * i;
        double weight = options.optimizer == ONLINE_FTRL ? hr_ftrl_weight(&rates, coordinate) : coordinate[0];
        json_array_append_new(weights, hr_model_json_double(weight));
    }
    return json_pack("{s:o, s:o}", "weights", weights, "intercept",
                     hr_model_json_double(intercept_of(&options, state)));
}

/* The weights are all that scoring needs: they are taken as those of plain sgd, which uses them as they are. */
static enum hr_status online_restore(struct hr_model *base, const json_t *json, struct hr_error *err)
{
    struct online_model *model = (struct online_model *)base;
    struct online_options *options = base->options;
    struct online_state *state = state_of(model);
    size_t count = json_array_size(json_object_get(json, "weights"));
    if (state->head.dimension > 0 && state->head.dimension != count) {
        return hr_fail(err, HR_BAD_CONFIG, "'weights' has %zu numbers, the feature vectors have %llu elements", count,
                       (unsigned long long)state->head.dimension);
    }
    const json_t *intercept = json_object_get(json, "intercept");
    if (intercept != NULL && !json_is_number(intercept)) {
        return hr_fail(err, HR_BAD_CONFIG, "'intercept' is not a finite number");
    }
    options->optimizer = ONLINE_SGD;
    options->fit_intercept = true;
    state->optimizer = state->intercept_optimizer = ONLINE_SGD;
    state->stride = 1;
    state->intercept[0] = json_number_value(intercept);
    HR_TRY(set_dimension(model, count, err));
    return hr_model_read_doubles(json, "weights", count, state_of(model)->coordinates, err);
}

static void online_close(struct hr_model *base)
{
    struct online_model *model = (struct online_model *)base;
    hr_free(model->weights);
    model->weights = NULL;
}

static const char *const intercept_names[] = {"same", "sgd", NULL};

static const struct hr_option online_option_rows[] = {
    HR_MODEL_OPTION_FEATURES(struct online_options),
    HR_MODEL_OPTION_LABEL(struct online_options),
    HR_MODEL_OPTION_PREDICTION(struct online_options),
    HR_MODEL_OPTION_RAW_PREDICTION(struct online_options),
    HR_MODEL_OPTION_PROBABILITY(struct online_options),
    HR_OPTION(struct online_options, optimizer, "optimizer", CHOICE, .fallback = "sgd", .choices = optimizer_names,
              .help = "how a row moves the weights: sgd, adagrad, or ftrl (FTRL-Proximal)"),
    HR_OPTION(struct online_options, learning_rate, "learningRate", DOUBLE, .minimum = 0.0, .maximum = 1e6,
              .help = "step of sgd and adagrad; default 0.01 for sgd, 0.1 for adagrad"),
    HR_OPTION(struct online_options, intercept_rate, "interceptLearningRate", DOUBLE, .minimum = 0.0, .maximum = 1e6,
              .help = "step of the intercept in sgd and adagrad; default: learningRate"),
    HR_OPTION(struct online_options, intercept_choice, "interceptOptimizer", CHOICE, .fallback = "same",
              .choices = intercept_names, .help = "how a row moves the intercept: as the weights, or by plain sgd"),
    HR_OPTION(struct online_options, power_t, "powerT", DOUBLE, .fallback = "0.0", .minimum = 0.0, .maximum = 1.0,
              .help = "the step of the t-th learned row is divided by t^powerT; 0: constant"),
    HR_OPTION(struct online_options, l1, "l1", DOUBLE, .fallback = "0.0", .minimum = 0.0, .maximum = 1e9,
              .help = "strength of the L1 penalty: many weights become exactly 0"),
    HR_OPTION(struct online_options, l2, "l2", DOUBLE, .fallback = "0.0", .minimum = 0.0, .maximum = 1e9,
              .help = "strength of the L2 penalty, l2/2 times the squared weights"),
    HR_OPTION(struct online_options, alpha, "alpha", DOUBLE, .fallback = "0.1", .minimum = 1e-12, .maximum = 1e9,
              .help = "ftrl: scale of the per-coordinate step"),
    HR_OPTION(struct online_options, beta, "beta", DOUBLE, .fallback = "0.1", .minimum = 0.0, .maximum = 1e9,
              .help = "ftrl: damps the first steps of a coordinate"),
    HR_OPTION(struct online_options, fit_intercept, "fitIntercept", BOOL, .fallback = "true",
              .help = "learn an intercept beside the weights"),
    HR_OPTION(struct online_options, threshold, "threshold", DOUBLE, .fallback = "0.5", .minimum = 0.0, .maximum = 1.0,
              .help = "prediction is 1 when P(1) is above this"),
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
            .options_size = sizeof(struct online_options),
            .instance_size = sizeof(struct online_model),
        },
    .task = HR_TASK_CLASSIFICATION,
    .row_by_row = true,
    .check = online_check,
    .bind = online_bind,
    .score = online_score,
    .learn = online_learn,
    .end_batch = online_end_batch,
    .inspect = online_inspect,
    .restore = online_restore,
    .close = online_close,
};
