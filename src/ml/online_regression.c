/* SPDX-License-Identifier: Apache-2.0
 *
 * See online_regression.h. Rows wait for each other, so what decides on speed is how little stands between the error of
 * one and the dot product of the next.
 */
#include "ml/online_regression.h"

#include <math.h>

#include "ml/kernel.h"

/* Coordinates beyond this many bytes are not all in the nearest cache: worth asking for those of a row ahead. */
#define PREFETCH_BYTES ((size_t)1 << 16)
#define PREFETCH_COORDINATES_ROWS 8u
/* The rows themselves, sooner. */
#define PREFETCH_ROWS 32u
#define BLOCK_ROWS 64u

/* Rates of one row. */
struct online_rates {
    double weight;
    double intercept;
};

static inline size_t element(const struct hr_vector *vector, uint32_t i)
{
    return vector->indices != NULL ? vector->indices[i] : i;
}

/* Room for rows of this many elements. A row may be longer than those before, so growth goes in steps of half, and what
 * the arena keeps of smaller ones is less than three times the largest. */
static HR_COLD void grow_scratch(struct hr_online_model *model, size_t count)
{
    size_t room = (count + count / 2 + 16) / 8 * 8;
    double *scratch = hr_arena_array(model->base.arena, 4 * room, double);
    model->scratch = scratch;
    model->scratch_count = room;
    model->adagrad.weights = model->ftrl.weights = scratch;
    model->adagrad.sums = model->ftrl.roots = scratch + room;
    model->ftrl.z = scratch + 2 * room;
    model->ftrl.n = scratch + 3 * room;
}

double hr_online_intercept_of(const struct hr_online_options *options, const struct hr_online_state *state)
{
    if (!options->fit_intercept) {
        return 0.0;
    }
    if (state->intercept_optimizer == HR_ONLINE_FTRL) {
        struct hr_ftrl_rates rates = hr_online_ftrl_rates(options);
        return hr_ftrl_weight(&rates, state->intercept.first, sqrt(state->intercept.second));
    }
    return state->intercept.first;
}

/* w·x */
static double dot_of(struct hr_online_model *model, const struct hr_vector *vector)
{
    const struct hr_online_state *state = hr_online_state(model);
    if (state->head.dimension == 0) {
        return 0.0;
    }
    if (HR_UNLIKELY(vector->count > model->scratch_count)) {
        grow_scratch(model, vector->count);
    }
    switch (model->options->optimizer) {
    case HR_ONLINE_FTRL:
        return hr_ftrl_dot(&model->ftrl, vector, state->coordinates);
    case HR_ONLINE_ADAGRAD:
        return hr_adagrad_dot(vector, state->coordinates);
    default:
        return hr_kernel_dot_vector(vector, state->coordinates);
    }
}

static struct online_rates rates_of(const struct hr_online_options *options, uint64_t t)
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

_Static_assert(sizeof(struct hr_online_state) % (2 * sizeof(double)) == 0, "a coordinate lies in one page");

/* Pages of the coordinates of these elements; of a page that many elements share the mark is made again, which is less
 * than asking. */
static inline void mark_elements(uint8_t *dirty, const uint32_t *indices, uint32_t count, size_t coordinate_size)
{
#pragma GCC unroll 4
    for (uint32_t i = 0; i < count; i++) {
        dirty[(sizeof(struct hr_online_state) / coordinate_size + indices[i]) / (HR_PAGE_SIZE / coordinate_size)] = 1;
    }
}

static void mark_row(struct hr_online_model *model, const struct hr_vector *vector)
{
    struct hr_paged *paged = &model->base.state;
    size_t size = sizeof(double) * hr_online_state(model)->stride;
    if (vector->indices == NULL) {
        hr_paged_mark_range(paged, sizeof(struct hr_online_state), size * vector->count);
    } else if (size == sizeof(double)) {
        mark_elements(paged->dirty, vector->indices, vector->count, sizeof(double));
    } else {
        mark_elements(paged->dirty, vector->indices, vector->count, 2 * sizeof(double));
    }
}

static bool learn_sgd(const struct hr_online_options *options, double error, double rate,
                      const struct hr_vector *vector, double *kept, double *coordinates)
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
static bool learn_coordinates(struct hr_online_model *model, const struct hr_vector *vector, double error, double rate)
{
    const struct hr_online_options *options = model->options;
    double *coordinates = hr_online_state(model)->coordinates;
    switch (options->optimizer) {
    case HR_ONLINE_FTRL:
        return hr_ftrl_learn(&model->ftrl, error, vector, coordinates);
    case HR_ONLINE_ADAGRAD:
        model->adagrad.rates.rate = rate;
        return hr_adagrad_learn(&model->adagrad, error, vector, coordinates);
    default:
        return learn_sgd(options, error, rate, vector, model->scratch, coordinates);
    }
}

/* The intercept, and what follows from it: what it weighs, and with ftrl √n. */
struct running_intercept {
    struct hr_online_intercept kept;
    double weight;
    double root;
};

static struct running_intercept running_intercept(const struct hr_online_model *model)
{
    const struct hr_online_state *state = hr_online_state(model);
    return (struct running_intercept){
        .kept = state->intercept,
        .weight = hr_online_intercept_of(model->options, state),
        .root = state->intercept_optimizer == HR_ONLINE_FTRL ? sqrt(state->intercept.second) : 0.0,
    };
}

/* A step of the intercept, a coordinate without a penalty (but ftrl's). */
static inline void step_intercept(const struct hr_online_model *model, double error, double rate,
                                  struct running_intercept *intercept)
{
    struct hr_online_intercept *kept = &intercept->kept;
    const struct hr_ftrl_rates *rates = &model->ftrl.rates;
    if (!model->options->fit_intercept) {
        return;
    }
    switch (hr_online_state(model)->intercept_optimizer) {
    case HR_ONLINE_FTRL:
        hr_ftrl_step(rates, error, intercept->weight, &intercept->root, &kept->first, &kept->second);
        intercept->weight = hr_ftrl_weight(rates, kept->first, intercept->root);
        return;
    case HR_ONLINE_ADAGRAD:
        hr_adagrad_step(&(struct hr_adagrad_rates){rate, 0.0, 0.0}, error, &kept->first, &kept->second);
        break;
    default:
        kept->first = kept->first - rate * error;
    }
    intercept->weight = kept->first;
}

/* Learns a row whose dot product was just computed. False when it would leave a number that is not finite: then nothing
 * has changed. */
static inline bool learn_row(struct hr_online_model *model, const struct hr_vector *vector, double error,
                             struct running_intercept *intercept)
{
    struct hr_online_state *state = hr_online_state(model);
    struct online_rates rates = rates_of(model->options, state->head.rows_learned + 1);
    struct running_intercept moved = *intercept;
    step_intercept(model, error, rates.intercept, &moved);
    bool finite = moved.kept.first * 0.0 + moved.kept.second * 0.0 == 0.0;
    if (!finite || !learn_coordinates(model, vector, error, rates.weight)) {
        return false;
    }
    state->intercept = moved.kept;
    *intercept = moved;
    return true;
}

enum hr_status hr_online_set_dimension(struct hr_online_model *model, uint64_t dimension, struct hr_error *err)
{
    size_t stride = hr_online_state(model)->stride;
    size_t size = sizeof(struct hr_online_state) + dimension * stride * sizeof(double);
    HR_TRY(hr_paged_resize(&model->base.state, size, err));
    hr_online_state(model)->head.dimension = dimension;
    hr_paged_mark(&model->base.state, 0);
    return HR_OK;
}

/* Inlined always: gcc leaves out calls of a function that does nothing but prefetch. */
#define PREFETCH static inline __attribute__((always_inline)) void

PREFETCH prefetch_coordinates(const struct hr_online_model *model, const struct hr_vector *vector)
{
    const struct hr_online_state *state = hr_online_state(model);
    if (vector->indices == NULL || vector->size != state->head.dimension) {
        return;
    }
    const char *coordinates = (const char *)state->coordinates;
    const uint32_t *indices = vector->indices;
    uint32_t count = vector->count;
    unsigned shift = state->stride == 2 ? 4 : 3;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(coordinates + ((size_t)indices[i] << shift), 1);
    }
}

/* The first lines alone: of a long row the processor sees for itself where it goes on. start: an address, or 0. */
PREFETCH prefetch_lines(uintptr_t start, size_t lines)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < lines; i++) {
        __builtin_prefetch((const void *)(start + 64 * i));
    }
}

/* What rows to come will need: the rows themselves, then the coordinates that they name. */
PREFETCH prefetch(const struct hr_online_model *model, const struct hr_chunk *chunk, size_t row)
{
    const struct hr_vector *vectors = chunk->columns[model->base.features].vectors;
    if (row + PREFETCH_ROWS < chunk->rows) {
        const struct hr_vector *vector = &vectors[row + PREFETCH_ROWS];
        prefetch_lines((uintptr_t)vector->values, 4);
        prefetch_lines((uintptr_t)vector->indices, 2);
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

/* The label of a row as hr_model_binary_label has it, NaN for none; the usual one needs no call. */
static inline double label_of(const struct hr_model *base, struct hr_chunk *chunk, size_t row)
{
    double label;
    if (HR_LIKELY(hr_model_label(base, chunk, row, &label)) && HR_LIKELY(label * (label - 1.0) == 0.0)) {
        return label;
    }
    return hr_model_binary_label(base, chunk, row, &label) ? label : (double)NAN;
}

static inline const struct hr_vector *features_of(const struct hr_model *base, struct hr_chunk *chunk, size_t row,
                                                  uint64_t dimension)
{
    const struct hr_column *column = &chunk->columns[base->features];
    if (HR_LIKELY(column->valid == NULL && column->vectors[row].size == dimension)) {
        return &column->vectors[row];
    }
    return hr_model_features(base, chunk, row, dimension);
}

/* Takes rows from `row` on; the row after them. Without a known size one row is a block: it may decide the size. */
static size_t fill_block(const struct hr_model *base, struct hr_chunk *chunk, size_t row, bool learn,
                         struct online_block *block)
{
    uint64_t dimension = hr_model_head(base)->dimension;
    size_t room = dimension > 0 ? BLOCK_ROWS : 1;
    block->count = 0;
    for (; row < chunk->rows && block->count < room; row++) {
        const struct hr_vector *vector = features_of(base, chunk, row, dimension);
        if (vector == NULL) {
            continue;
        }
        block->rows[block->count] = row;
        block->vectors[block->count] = vector;
        block->labels[block->count++] = learn ? label_of(base, chunk, row) : (double)NAN;
    }
    return row;
}

/* What is left to do of a row that was learned is done while the next one waits for its probability. mark: there are
 * pages that are not marked yet. */
static void learn_block(struct hr_online_model *model, const struct hr_chunk *chunk, struct online_block *block,
                        bool mark)
{
    struct hr_model_head *head = hr_model_head(&model->base);
    struct running_intercept intercept = running_intercept(model);
    for (size_t i = 0; i < block->count; i++) {
        double margin = dot_of(model, block->vectors[i]) + intercept.weight;
        prefetch(model, chunk, block->rows[i]);
        if (mark && i > 0 && block->learned[i - 1]) {
            mark_row(model, block->vectors[i - 1]);
        }
        double probability = hr_kernel_sigmoid(margin);
        block->margins[i] = margin;
        block->probabilities[i] = probability;
        block->learned[i] = false;
        if (isnan(block->labels[i])) {
            continue;
        }
        if (isfinite(margin) && learn_row(model, block->vectors[i], probability - block->labels[i], &intercept)) {
            block->learned[i] = true;
            head->rows_learned++;
        } else {
            head->nonfinite++;
        }
    }
    if (mark && block->count > 0 && block->learned[block->count - 1]) {
        mark_row(model, block->vectors[block->count - 1]);
    }
}

enum hr_status hr_online_learn(struct hr_model *base, struct hr_chunk *chunk, struct hr_error *err)
{
    struct hr_online_model *model = (struct hr_online_model *)base;
    struct hr_model_output output;
    struct online_block block;
    /* A long batch soon has marked them all. For few rows looking would be more than marking. */
    bool mark = chunk->rows < BLOCK_ROWS || !hr_paged_all_dirty(&base->state);
    hr_model_output_begin(base, chunk, &output);
    for (size_t row = 0; row < chunk->rows;) {
        row = fill_block(base, chunk, row, true, &block);
        if (HR_UNLIKELY(hr_online_state(model)->head.dimension == 0) && block.count > 0 && !isnan(block.labels[0]) &&
            block.vectors[0]->size > 0) {
            HR_TRY(hr_online_set_dimension(model, block.vectors[0]->size, err));
        }
        learn_block(model, chunk, &block, mark);
        for (size_t i = 0; i < block.count; i++) {
            hr_model_output_margin(&output, block.rows[i], block.margins[i], block.probabilities[i],
                                   model->options->threshold);
            if (!isnan(block.labels[i])) {
                hr_paged_mark(&base->state, 0);
            }
        }
    }
    return HR_OK;
}

void hr_online_score(struct hr_model *base, struct hr_chunk *chunk)
{
    struct hr_online_model *model = (struct hr_online_model *)base;
    struct hr_model_output output;
    struct online_block block;
    hr_model_output_begin(base, chunk, &output);
    double intercept = hr_online_intercept_of(model->options, hr_online_state(model));
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
