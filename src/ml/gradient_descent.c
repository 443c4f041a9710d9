/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradient descent as Spark runs it. Sums run in row order; the mean gradient is formed before the step is taken, and
 * the shrinking of the squared-L2 updater comes before the step too, so that the roundings are Spark's.
 */
#include "ml/gradient_descent.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "ml/kernel.h"
#include "ml/spark_random.h"

/* RDD.sample of step i has the seed 42 + i. */
#define SAMPLE_SEED 42

/* Sum of the gradients of the step's sample; returns the size of the sample. */
static size_t sum_gradient(const struct hr_row_buffer *rows, double fraction, int64_t step,
                           hr_descent_multiplier_fn *multiplier, const double *weights, double *gradient)
{
    struct hr_spark_sampler sampler;
    hr_spark_sampler_init(&sampler, fraction, hr_spark_random_partition_seed(SAMPLE_SEED + step));
    memset(gradient, 0, rows->dimension * sizeof(double));
    size_t taken = 0;
    for (size_t i = 0; i < rows->rows; i++) {
        if (!hr_spark_sampler_take(&sampler)) {
            continue;
        }
        struct hr_vector vector = hr_row_buffer_vector(rows, i);
        double factor = multiplier(hr_kernel_dot_vector(&vector, weights), rows->labels[i]);
        hr_kernel_axpy_vector(factor, &vector, gradient);
        taken++;
    }
    return taken;
}

static bool has_converged(const double *before, const double *after, size_t dimension, double tolerance)
{
    double moved = sqrt(hr_kernel_squared_distance(before, after, dimension));
    double length = sqrt(hr_kernel_dot(after, after, dimension));
    return moved < tolerance * fmax(length, 1.0);
}

void hr_descent_run(const struct hr_row_buffer *rows, const struct hr_descent_options *options, double penalty,
                    hr_descent_multiplier_fn *multiplier, double *weights, double *scratch)
{
    size_t dimension = rows->dimension;
    double *gradient = scratch;
    double *before = scratch + dimension;
    bool stepped = false;
    for (int64_t i = 1; i <= options->iterations; i++) {
        size_t taken = sum_gradient(rows, options->fraction, i, multiplier, weights, gradient);
        if (taken == 0) {
            continue;
        }
        double step = options->step_size / sqrt((double)i);
        memcpy(before, weights, dimension * sizeof(double));
        double shrink = 1.0 - step * penalty;
        for (size_t j = 0; j < dimension; j++) {
            weights[j] = weights[j] * shrink + -step * (gradient[j] / (double)taken);
        }
        if (stepped && has_converged(before, weights, dimension, options->tolerance)) {
            return;
        }
        stepped = true;
    }
}

/* A list of numbers, or the word zeros. */
static const struct hr_yaml *weight_list(const struct hr_descent_options *options)
{
    const struct hr_yaml *node = options->initial_weights;
    return node != NULL && node->kind == HR_YAML_SEQUENCE ? node : NULL;
}

static bool read_number(const struct hr_yaml *node, double *out)
{
    return node->kind == HR_YAML_SCALAR && hr_number_parse_double(node->text, strlen(node->text), out) &&
           isfinite(*out);
}

void hr_descent_check(struct hr_model *model, struct hr_findings *findings)
{
    const struct hr_descent_options *options = model->options;
    const struct hr_yaml *node = options->initial_weights;
    if (node == NULL || (node->kind == HR_YAML_SCALAR && strcmp(node->text, "zeros") == 0)) {
        return;
    }
    if (node->kind != HR_YAML_SEQUENCE || node->count == 0) {
        hr_findings_error(findings, &node->place, "'initialWeights' must be zeros or a list of numbers");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        double ignored;
        if (!read_number(node->items[i], &ignored)) {
            hr_findings_error(findings, &node->items[i]->place, "an initial weight must be a finite number");
        }
    }
}

static enum hr_status set_dimension(struct hr_model *model, uint64_t dimension, struct hr_error *err)
{
    HR_TRY(hr_paged_resize(&model->state, sizeof(struct hr_model_head) + dimension * sizeof(double), err));
    hr_model_head(model)->dimension = dimension;
    hr_paged_mark(&model->state, 0);
    return HR_OK;
}

enum hr_status hr_descent_bind(struct hr_model *model, struct hr_schema *schema, struct hr_error *err)
{
    HR_TRY(hr_model_bind_columns(model, schema, false, err));
    HR_TRY(hr_paged_resize(&model->state, sizeof(struct hr_model_head), err));
    hr_model_head(model)->format = 1;
    uint64_t known = hr_model_known_dimension(model, schema);
    const struct hr_yaml *list = weight_list(model->options);
    if (list == NULL) {
        return known > 0 ? set_dimension(model, known, err) : HR_OK;
    }
    if (known > 0 && known != list->count) {
        hr_fail(err, HR_BAD_CONFIG, "%s: 'initialWeights' has %zu numbers, the feature vectors have %llu elements",
                model->type->kind.name, list->count, (unsigned long long)known);
        return hr_fail_hint(err, "give one number a feature, or `initialWeights: zeros`");
    }
    HR_TRY(set_dimension(model, list->count, err));
    for (size_t i = 0; i < list->count; i++) {
        read_number(list->items[i], &hr_descent_weights(model)[i]);
    }
    return HR_OK;
}

double hr_descent_margin(const struct hr_model *model, const struct hr_vector *vector)
{
    return hr_model_head(model)->dimension == 0 ? 0.0 : hr_kernel_dot_vector(vector, hr_descent_weights(model));
}

enum hr_status hr_descent_remember(struct hr_model *model, const struct hr_vector *vector, double label,
                                   struct hr_error *err)
{
    struct hr_descent_model *self = (struct hr_descent_model *)model;
    if (hr_model_head(model)->dimension == 0 && vector->size > 0) {
        HR_TRY(set_dimension(model, vector->size, err));
    }
    if (!isfinite(label) || !hr_kernel_all_finite(vector->values, vector->count)) {
        hr_model_head(model)->nonfinite++;
        hr_paged_mark(&model->state, 0);
        return HR_OK;
    }
    hr_row_buffer_add(&self->rows, vector, label);
    return HR_OK;
}

void hr_descent_learn(struct hr_model *model, double penalty, hr_descent_multiplier_fn *multiplier)
{
    struct hr_descent_model *self = (struct hr_descent_model *)model;
    if (self->rows.rows == 0) {
        return;
    }
    struct hr_model_head *head = hr_model_head(model);
    size_t dimension = head->dimension;
    if (self->scratch_count < 3 * dimension) {
        self->scratch_count = 3 * dimension;
        self->scratch = hr_realloc_array(self->scratch, self->scratch_count, sizeof(double));
    }
    double *weights = self->scratch + 2 * dimension;
    if (dimension > 0) {
        memcpy(weights, hr_descent_weights(model), dimension * sizeof(double));
        hr_descent_run(&self->rows, model->options, penalty, multiplier, weights, self->scratch);
    }
    if (hr_kernel_all_finite(weights, dimension)) {
        if (dimension > 0) {
            memcpy(hr_descent_weights(model), weights, dimension * sizeof(double));
        }
        hr_paged_mark_range(&model->state, sizeof(*head), dimension * sizeof(double));
        head->rows_learned += self->rows.rows;
        head->version++;
    } else {
        head->nonfinite += self->rows.rows;
    }
    hr_paged_mark(&model->state, 0);
    hr_row_buffer_clear(&self->rows);
}

json_t *hr_descent_inspect(const void *state, size_t size, const json_t *params)
{
    (void)params;
    const struct hr_model_head *head = state;
    if (size < sizeof(*head) || (size - sizeof(*head)) / sizeof(double) < head->dimension) {
        return json_null();
    }
    json_t *weights = hr_model_json_doubles((const double *)(head + 1), head->dimension);
    return json_pack("{s:o, s:f}", "weights", weights, "intercept", 0.0);
}

enum hr_status hr_descent_restore(struct hr_model *model, const json_t *state, struct hr_error *err)
{
    size_t count = json_array_size(json_object_get(state, "weights"));
    uint64_t known = hr_model_head(model)->dimension;
    if (known > 0 && known != count) {
        return hr_fail(err, HR_BAD_CONFIG, "'weights' has %zu numbers, the feature vectors have %llu elements", count,
                       (unsigned long long)known);
    }
    if (json_number_value(json_object_get(state, "intercept")) != 0.0) {
        return hr_fail(err, HR_BAD_CONFIG, "'intercept' is not 0, and %s has none", model->type->kind.name);
    }
    HR_TRY(set_dimension(model, count, err));
    return hr_model_read_doubles(state, "weights", count, hr_descent_weights(model), err);
}

void hr_descent_close(struct hr_model *model)
{
    struct hr_descent_model *self = (struct hr_descent_model *)model;
    hr_row_buffer_release(&self->rows);
    hr_free(self->scratch);
    self->scratch = NULL;
    self->scratch_count = 0;
}
