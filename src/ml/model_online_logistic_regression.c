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
#define PREFETCH_COORDINATES_ROWS 8u
/* The rows themselves, sooner. */
#define PREFETCH_ROWS 32u
#define BLOCK_ROWS 64u
#define MARK_ELEMENTS 64u

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

struct intercept {
    double first;
    double second;
};

struct online_state {
    struct hr_model_head head;
    uint64_t optimizer;
    uint64_t stride;            /* doubles a coordinate */
    struct intercept intercept; /* as a coordinate of this optimizer: */
    uint64_t intercept_optimizer;
    uint64_t batch_rows; /* rows learned as of the end of the last batch */
    uint64_t reserved[2];
    double coordinates[];
};

struct online_model {
    struct hr_model base;
    const struct online_options *options;
    double *scratch; /* of one row: */
    size_t scratch_count;
    struct hr_adagrad adagrad;
    struct hr_ftrl ftrl;
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

static inline size_t element(const struct hr_vector *vector, uint32_t i)
{
    return vector->indices != NULL ? vector->indices[i] : i;
}

/* Room for rows of this many elements. A row may be longer than those before, so growth goes in steps of half, and what
 * the arena keeps of smaller ones is less than three times the largest. */
static HR_COLD void grow_scratch(struct online_model *model, size_t count)
{
    size_t room = (count + count / 2 + 16) / 8 * 8;
    double *scratch = hr_arena_array(model->base.arena, 5 * room, double);
    model->scratch = scratch;
    model->scratch_count = room;
    model->adagrad.weights = model->ftrl.weights = scratch;
    model->adagrad.sums = model->ftrl.roots = scratch + room;
    model->ftrl.z = scratch + 2 * room;
    model->ftrl.n = scratch + 3 * room;
    model->ftrl.products = scratch + 4 * room;
}

static double intercept_of(const struct online_options *options, const struct online_state *state)
{
    if (!options->fit_intercept) {
        return 0.0;
    }
    if (state->intercept_optimizer == ONLINE_FTRL) {
        struct hr_ftrl_rates rates = ftrl_rates(options);
        return hr_ftrl_weight(&rates, state->intercept.first, sqrt(state->intercept.second));
    }
    return state->intercept.first;
}

/* w·x */
static double dot_of(struct online_model *model, const struct hr_vector *vector)
{
    const struct online_state *state = state_of(model);
    if (state->head.dimension == 0) {
        return 0.0;
    }
    if (HR_UNLIKELY(vector->count > model->scratch_count)) {
        grow_scratch(model, vector->count);
    }
    switch (model->options->optimizer) {
    case ONLINE_FTRL:
        return hr_ftrl_dot(&model->ftrl, vector, state->coordinates);
    case ONLINE_ADAGRAD:
        return hr_adagrad_dot(vector, state->coordinates);
    default:
        return hr_kernel_dot_vector(vector, state->coordinates);
    }
}

static struct online_rates rates_of(const struct online_options *options, uint64_t t)
{
    double divisor;
    if (options->power_t == 0.0) {
        return (struct online_rates){options->learning_rate, options->intercept_rate};
    }
    if (options->power_t == 0.5) {
        divisor = sqrt((double)t);
    } else {
        divisor = hr_kernel_exp(options->power_t * hr_kernel_log((double)t));
    }
    return (struct online_rates){options->learning_rate / divisor, options->intercept_rate / divisor};
}

/* The pages of the row's coordinates. */
static void mark_row(struct online_model *model, const struct hr_vector *vector)
{
    const uint32_t *indices = vector->indices;
    size_t stride = state_of(model)->stride;
    uint8_t *dirty = model->base.state.dirty;
    uint32_t count = vector->count;
    if (indices == NULL) {
        hr_paged_mark_range(&model->base.state, sizeof(struct online_state), sizeof(double) * stride * count);
        return;
    }
    /* Page of sizeof state + 8 stride index, in halves so that no sum is too large; some at a time, for the pages of
     * several are one step. */
    unsigned shift = stride == 2 ? 7 : 8;
    uint32_t start = (uint32_t)(sizeof(struct online_state) / (2 * sizeof(double) * stride));
    uint32_t pages[MARK_ELEMENTS];
    for (uint32_t from = 0; from < count; from += MARK_ELEMENTS) {
        uint32_t some = count - from < MARK_ELEMENTS ? count - from : MARK_ELEMENTS;
        for (uint32_t i = 0; i < some; i++) {
            pages[i] = (indices[from + i] / 2 + start) >> shift;
        }
#pragma GCC unroll 4
        for (uint32_t i = 0; i < some; i++) {
            dirty[pages[i]] = 1;
        }
    }
}

static bool learn_sgd(const struct online_options *options, double error, double rate, const struct hr_vector *vector,
                      double *kept, double *coordinates)
{
    double zero = 0.0;
    for (uint32_t i = 0; i < vector->count; i++) {
        double *weight = coordinates + element(vector, i);
        kept[i] = *weight;
        if (vector->values[i] != 0.0) {
            double moved = *weight - rate * (error * vector->values[i] + options->l2 * *weight);
            *weight = options->l1 > 0.0 ? hr_soft_threshold(moved, rate * options->l1) : moved;
        }
        zero += *weight * 0.0; /* NaN once a weight is NaN or infinite */
    }
    for (uint32_t i = 0; i < vector->count && HR_UNLIKELY(zero != 0.0); i++) {
        coordinates[element(vector, i)] = kept[i];
    }
    return zero == 0.0;
}

/* Moves the row's coordinates; false when one of them would not be finite: then nothing has changed. */
static bool learn_coordinates(struct online_model *model, const struct hr_vector *vector, double error, double rate)
{
    const struct online_options *options = model->options;
    double *coordinates = state_of(model)->coordinates;
    switch (options->optimizer) {
    case ONLINE_FTRL:
        return hr_ftrl_learn(&model->ftrl, error, vector, coordinates);
    case ONLINE_ADAGRAD:
        model->adagrad.rates.rate = rate;
        return hr_adagrad_learn(&model->adagrad, error, vector, coordinates);
    default:
        return learn_sgd(options, error, rate, vector, model->scratch, coordinates);
    }
}

/* The intercept after the step, a coordinate without a penalty (but ftrl's); weight: as it was used. */
static struct intercept step_intercept(const struct online_model *model, double error, double rate, double weight)
{
    const struct online_state *state = state_of(model);
    struct intercept new = state->intercept;
    if (!model->options->fit_intercept) {
        return new;
    }
    switch (state->intercept_optimizer) {
    case ONLINE_FTRL:
        hr_ftrl_step(&model->ftrl.rates, error, weight, sqrt(new.second), &new.first, &new.second);
        break;
    case ONLINE_ADAGRAD:
        hr_adagrad_step(&(struct hr_adagrad_rates){rate, 0.0, 0.0}, error, &new.first, &new.second);
        break;
    default:
        new.first = weight - rate *error;
    }
    return new;
}

/* Learns a row whose dot product was just computed. False when it would leave a number that is not finite: then nothing
 * has changed. */
static bool learn_row(struct online_model *model, const struct hr_vector *vector, double error, double intercept)
{
    struct online_state *state = state_of(model);
    struct online_rates rates = rates_of(model->options, state->head.rows_learned + 1);
    struct intercept moved = step_intercept(model, error, rates.intercept, intercept);
    bool finite = moved.first * 0.0 + moved.second * 0.0 == 0.0;
    if (!finite || !learn_coordinates(model, vector, error, rates.weight)) {
        return false;
    }
    state->intercept = moved;
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

static void prefetch_coordinates(const struct online_model *model, const struct hr_vector *vector)
{
    const struct online_state *state = state_of(model);
    if (vector->indices == NULL || vector->size != state->head.dimension) {
        return;
    }
    size_t shift = state->stride == 2;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < vector->count; i++) {
        __builtin_prefetch(state->coordinates + ((size_t)vector->indices[i] << shift), 1);
    }
}

/* The first lines alone: of a long row the processor sees for itself where it goes on. */
static inline void prefetch_lines(const void *start, size_t lines)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < lines; i++) {
        __builtin_prefetch((const char *)start + 64 * i);
    }
}

/* What rows to come will need: the rows themselves, then the coordinates that they name. */
static void prefetch(const struct online_model *model, const struct hr_chunk *chunk, size_t row)
{
    const struct hr_vector *vectors = chunk->columns[model->base.features].vectors;
    if (row + PREFETCH_ROWS < chunk->rows) {
        const struct hr_vector *vector = &vectors[row + PREFETCH_ROWS];
        prefetch_lines(vector->values, 4);
        prefetch_lines(vector->indices, 2);
    }
    if (model->base.state.size > PREFETCH_BYTES && row + PREFETCH_COORDINATES_ROWS < chunk->rows) {
        prefetch_coordinates(model, &vectors[row + PREFETCH_COORDINATES_ROWS]);
    }
}

/* Rows of a chunk that can be scored, some at a time: what does not wait for the row before is done for all of them
 * before and after the one loop whose rows wait for each other. */
struct online_block {
    size_t count;
    size_t rows[BLOCK_ROWS];
    const struct hr_vector *vectors[BLOCK_ROWS];
    double labels[BLOCK_ROWS]; /* NaN: none */
    double margins[BLOCK_ROWS];
    double probabilities[BLOCK_ROWS];
    bool learned[BLOCK_ROWS];
};

/* Takes rows from `row` on; the row after them. Without a known size one row is a block: it may decide the size. */
static size_t fill_block(const struct hr_model *base, struct hr_chunk *chunk, size_t row, bool learn,
                         struct online_block *block)
{
    uint64_t dimension = hr_model_head(base)->dimension;
    size_t room = dimension > 0 ? BLOCK_ROWS : 1;
    block->count = 0;
    for (; row < chunk->rows && block->count < room; row++) {
        const struct hr_vector *vector = hr_model_features(base, chunk, row, dimension);
        if (vector == NULL) {
            continue;
        }
        double label = (double)NAN;
        if (learn && !hr_model_binary_label(base, chunk, row, &label)) {
            label = (double)NAN;
        }
        block->rows[block->count] = row;
        block->vectors[block->count] = vector;
        block->labels[block->count++] = label;
    }
    return row;
}

static void learn_block(struct online_model *model, const struct hr_chunk *chunk, struct online_block *block)
{
    struct hr_model_head *head = hr_model_head(&model->base);
    for (size_t i = 0; i < block->count; i++) {
        prefetch(model, chunk, block->rows[i]);
        double intercept = intercept_of(model->options, state_of(model));
        double margin = dot_of(model, block->vectors[i]) + intercept;
        double probability = hr_kernel_sigmoid(margin);
        block->margins[i] = margin;
        block->probabilities[i] = probability;
        block->learned[i] = false;
        if (isnan(block->labels[i])) {
            continue;
        }
        if (isfinite(margin) && learn_row(model, block->vectors[i], probability - block->labels[i], intercept)) {
            block->learned[i] = true;
            head->rows_learned++;
        } else {
            head->nonfinite++;
        }
    }
}

static enum hr_status online_learn(struct hr_model *base, struct hr_chunk *chunk, struct hr_error *err)
{
    struct online_model *model = (struct online_model *)base;
    struct hr_model_output output;
    struct online_block block;
    hr_model_output_begin(base, chunk, &output);
    for (size_t row = 0; row < chunk->rows;) {
        row = fill_block(base, chunk, row, true, &block);
        if (HR_UNLIKELY(state_of(model)->head.dimension == 0) && block.count > 0 && !isnan(block.labels[0]) &&
            block.vectors[0]->size > 0) {
            HR_TRY(set_dimension(model, block.vectors[0]->size, err));
        }
        learn_block(model, chunk, &block);
        for (size_t i = 0; i < block.count; i++) {
            hr_model_output_margin(&output, block.rows[i], block.margins[i], block.probabilities[i],
                                   model->options->threshold);
            if (!isnan(block.labels[i])) {
                hr_paged_mark(&base->state, 0);
            }
            if (block.learned[i]) {
                mark_row(model, block.vectors[i]);
            }
        }
    }
    return HR_OK;
}

static void online_score(struct hr_model *base, struct hr_chunk *chunk)
{
    struct online_model *model = (struct online_model *)base;
    struct hr_model_output output;
    struct online_block block;
    hr_model_output_begin(base, chunk, &output);
    double intercept = intercept_of(model->options, state_of(model));
    for (size_t row = 0; row < chunk->rows;) {
        row = fill_block(base, chunk, row, false, &block);
        for (size_t i = 0; i < block.count; i++) {
            prefetch(model, chunk, block.rows[i]);
            block.margins[i] = dot_of(model, block.vectors[i]) + intercept;
        }
        for (size_t i = 0; i < block.count; i++) {
            hr_model_output_binary(&output, block.rows[i], block.margins[i], model->options->threshold);
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
    model->adagrad.rates = (struct hr_adagrad_rates){0.0, model->options->l1, model->options->l2};
    model->ftrl.rates = ftrl_rates(model->options);
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
        double weight = options.optimizer == ONLINE_FTRL ? hr_ftrl_weight(&rates, coordinate[0], sqrt(coordinate[1]))
                                                         : coordinate[0];
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
    state->intercept.first = json_number_value(intercept);
    HR_TRY(set_dimension(model, count, err));
    return hr_model_read_doubles(json, "weights", count, state_of(model)->coordinates, err);
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
};
