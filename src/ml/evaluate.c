/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation: reading `evaluation:`, and measuring rows. The numbers are made in evaluate_metrics.c.
 */
#include "ml/evaluate.h"

#include <math.h>
#include <string.h>

#include "base/option.h"
#include "base/str.h"
#include "ml/evaluate_state.h"
#include "ml/kernel.h"

#define SLIDING_ROWS_MAX 1000000
#define STATE_MAX ((size_t)256 << 20)
#define PROBABILITY_CLIP 1e-15
/* The faded bins give each new row more weight rather than every old row less; past this all are taken down. */
#define NEWEST_WEIGHT_MAX 1e100

#define METRIC_INFO(name, text, task_of, meaning_of) {text, task_of, meaning_of},
const struct hr_metric_info hr_metric_infos[HR_METRIC_ID_COUNT] = {HR_METRICS(METRIC_INFO)};

struct evaluation_options {
    struct hr_string_list metrics;
    struct hr_yaml *windows;
};

struct window_options {
    bool cumulative;
    int64_t sliding_rows;
    double fading_factor;
};

static const struct hr_option evaluation_option_rows[] = {
    HR_OPTION(struct evaluation_options, metrics, "metrics", STRINGS,
              .help = "what is measured; default: all metrics of the model's task"),
    HR_OPTION(struct evaluation_options, windows, "windows", NODE,
              .help = "over which rows: {cumulative, slidingRows, fadingFactor}"),
};

static const struct hr_option window_option_rows[] = {
    HR_OPTION(struct window_options, cumulative, "cumulative", BOOL, .fallback = "true", .help = "over all rows"),
    HR_OPTION(struct window_options, sliding_rows, "slidingRows", INT, .minimum = 0, .maximum = SLIDING_ROWS_MAX,
              .help = "over the last so many labelled rows; 0: not"),
    HR_OPTION(struct window_options, fading_factor, "fadingFactor", DOUBLE, .minimum = 0.0, .maximum = 1.0,
              .help = "each row weighs this times the one after it; 0: not"),
};

static unsigned metrics_of_task(enum hr_model_task task)
{
    unsigned set = 0;
    for (unsigned i = 0; i < HR_METRIC_ID_COUNT; i++) {
        set |= hr_metric_infos[i].task == task ? 1u << i : 0u;
    }
    return set;
}

static const char *task_name(enum hr_model_task task)
{
    static const char *const names[] = {"classification", "regression", "clustering"};
    return names[task];
}

/* type NULL: not known, so that any metric may be right. */
static void add_metric(struct hr_evaluation *evaluation, const struct hr_model_type *type, const char *name,
                       const struct hr_place *place, struct hr_findings *findings)
{
    const char *names[HR_METRIC_ID_COUNT];
    for (unsigned i = 0; i < HR_METRIC_ID_COUNT; i++) {
        names[i] = hr_metric_infos[i].name;
        if (strcmp(names[i], name) != 0) {
            continue;
        }
        if (type != NULL && hr_metric_infos[i].task != type->task) {
            struct hr_finding *finding =
                hr_findings_error(findings, place, "metric '%s' is for %s, %s does %s", name,
                                  task_name(hr_metric_infos[i].task), type->kind.name, task_name(type->task));
            hr_finding_hint(findings, finding, "headrace list metrics says what each is for");
        }
        evaluation->metrics |= 1u << i;
        return;
    }
    struct hr_finding *finding = hr_findings_error(findings, place, "unknown metric '%s'", name);
    const char *near = hr_str_nearest(name, names, HR_METRIC_ID_COUNT);
    if (near != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", near);
    } else {
        hr_finding_hint(findings, finding, "`headrace list metrics` prints those that there are");
    }
}

struct hr_evaluation_layout hr_evaluation_layout(const struct hr_evaluation *evaluation)
{
    struct hr_evaluation_layout layout = {.total = sizeof(struct hr_evaluation_state)};
    if (evaluation->metrics >> HR_METRIC_ID_AUC & 1) {
        if (evaluation->cumulative) {
            layout.exact = layout.total;
            layout.bins = layout.exact + HR_AUC_EXACT * sizeof(struct hr_auc_pair);
            layout.total = layout.bins + HR_AUC_BINS * sizeof(struct hr_auc_bin);
        }
        if (evaluation->fading_factor > 0.0) {
            layout.faded_bins = layout.total;
            layout.total += HR_AUC_BINS * sizeof(struct hr_auc_bin);
        }
    }
    if (evaluation->sliding_rows > 0) {
        layout.ring = layout.total;
        layout.total += (size_t)evaluation->sliding_rows * sizeof(struct hr_evaluation_row);
    }
    return layout;
}

bool hr_evaluation_state_fits(const struct hr_evaluation *evaluation)
{
    const struct hr_evaluation_state *state = hr_evaluation_state(evaluation);
    return evaluation->state.size >= hr_evaluation_layout(evaluation).total && state->format == 1 &&
           state->metrics == evaluation->metrics && state->cumulative == (uint64_t)evaluation->cumulative &&
           state->sliding_rows == evaluation->sliding_rows && state->fading_factor == evaluation->fading_factor;
}

/* Empty state for the present windows and metrics. */
static void reset_state(struct hr_evaluation *evaluation)
{
    struct hr_error err;
    HR_ASSERT(hr_paged_resize(&evaluation->state, hr_evaluation_layout(evaluation).total, &err) == HR_OK);
    memset(evaluation->state.data, 0, evaluation->state.size);
    hr_paged_mark_range(&evaluation->state, 0, evaluation->state.size);
    struct hr_evaluation_state *state = hr_evaluation_state(evaluation);
    state->format = 1;
    state->metrics = evaluation->metrics;
    state->cumulative = evaluation->cumulative;
    state->sliding_rows = evaluation->sliding_rows;
    state->fading_factor = evaluation->fading_factor;
    state->newest_weight = 1.0;
}

struct hr_option_table hr_evaluation_options(void)
{
    return HR_OPTION_TABLE(evaluation_option_rows);
}

struct hr_option_table hr_evaluation_window_options(void)
{
    return HR_OPTION_TABLE(window_option_rows);
}

static void read_metrics(struct hr_evaluation *evaluation, const struct hr_yaml *node, const struct hr_model_type *type,
                         const struct hr_string_list *metrics, struct hr_findings *findings)
{
    const struct hr_yaml *list = hr_yaml_get(node, "metrics");
    if (list != NULL && list->kind == HR_YAML_SEQUENCE && list->count == 0) {
        struct hr_finding *finding = hr_findings_error(findings, &list->place, "metrics is empty");
        hr_finding_hint(findings, finding, "leave it out for all metrics of the model's task, or leave evaluation out");
    }
    for (size_t i = 0; i < metrics->count; i++) {
        bool has_place = list != NULL && list->kind == HR_YAML_SEQUENCE && i < list->count;
        const struct hr_place *place = has_place ? &list->items[i]->place : hr_yaml_key_place(node, "metrics");
        add_metric(evaluation, type, metrics->items[i], place, findings);
    }
}

static void read_options(struct hr_evaluation *evaluation, const struct hr_yaml *node, const struct hr_model_type *type,
                         struct hr_arena *arena, struct hr_findings *findings)
{
    struct evaluation_options options = {0};
    hr_options_read(HR_OPTION_TABLE(evaluation_option_rows), node, NULL, &options, arena, findings);
    read_metrics(evaluation, node, type, &options.metrics, findings);
    if (options.windows != NULL) {
        struct window_options windows = {0};
        hr_options_read(HR_OPTION_TABLE(window_option_rows), options.windows, NULL, &windows, arena, findings);
        evaluation->cumulative = windows.cumulative;
        evaluation->sliding_rows = windows.sliding_rows;
        evaluation->fading_factor = windows.fading_factor;
    }
}

void hr_evaluation_check(const struct hr_yaml *node, const struct hr_model_type *type, struct hr_arena *arena,
                         struct hr_findings *findings)
{
    struct hr_evaluation ignored = {0};
    read_options(&ignored, node, type, arena, findings);
}

void hr_evaluation_read(struct hr_evaluation *evaluation, const struct hr_yaml *node, const struct hr_model *model,
                        struct hr_arena *arena, struct hr_findings *findings)
{
    *evaluation = (struct hr_evaluation){.model = model, .cumulative = true};
    hr_paged_init(&evaluation->state, STATE_MAX);
    if (node != NULL) {
        read_options(evaluation, node, model->type, arena, findings);
    }
    if (evaluation->metrics == 0) {
        evaluation->metrics = metrics_of_task(model->type->task);
    }
    reset_state(evaluation);
}

void hr_evaluation_sums_add(struct hr_evaluation_sums *sums, double factor, const struct hr_evaluation_row *row)
{
    double error = row->prediction - row->label;
    sums->weight = factor * sums->weight + 1.0;
    for (int label = 0; label < 2; label++) {
        for (int prediction = 0; prediction < 2; prediction++) {
            sums->table[label][prediction] *= factor;
        }
    }
    sums->table[row->label == 1.0][row->prediction == 1.0] += 1.0;
    sums->loss = factor * sums->loss + row->loss;
    sums->repeats = factor * sums->repeats + row->repeat;
    sums->squared = factor * sums->squared + error * error;
    sums->absolute = factor * sums->absolute + fabs(error);
    double distance = row->label - sums->label_mean;
    sums->label_mean += distance / sums->weight;
    sums->label_m2 = factor * sums->label_m2 + distance * (row->label - sums->label_mean);
}

/* The bin's weights, marked as changed. */
static struct hr_auc_bin *touch_bin(struct hr_evaluation *evaluation, size_t bins, double score)
{
    size_t offset = bins + hr_auc_bin_of(score) * sizeof(struct hr_auc_bin);
    hr_paged_mark_range(&evaluation->state, offset, sizeof(struct hr_auc_bin));
    return (struct hr_auc_bin *)(evaluation->state.data + offset);
}

static void add_to_bin(struct hr_auc_bin *bin, double label, double weight)
{
    if (label == 1.0) {
        bin->positive += weight;
    } else {
        bin->negative += weight;
    }
}

static void fade_bins(struct hr_evaluation *evaluation, size_t bins)
{
    struct hr_evaluation_state *state = hr_evaluation_state(evaluation);
    state->newest_weight /= evaluation->fading_factor;
    if (state->newest_weight < NEWEST_WEIGHT_MAX) {
        return;
    }
    struct hr_auc_bin *bin = (struct hr_auc_bin *)(evaluation->state.data + bins);
    for (size_t i = 0; i < HR_AUC_BINS; i++) {
        bin[i].negative /= state->newest_weight;
        bin[i].positive /= state->newest_weight;
    }
    state->newest_weight = 1.0;
    hr_paged_mark_range(&evaluation->state, bins, HR_AUC_BINS * sizeof(struct hr_auc_bin));
}

static void observe_row(struct hr_evaluation *evaluation, const struct hr_evaluation_layout *layout,
                        const struct hr_evaluation_row *row)
{
    struct hr_evaluation_state *state = hr_evaluation_state(evaluation);
    hr_evaluation_sums_add(&state->sums, 1.0, row);
    if (layout->exact != 0 && state->rows < HR_AUC_EXACT) {
        size_t offset = layout->exact + state->rows * sizeof(struct hr_auc_pair);
        *(struct hr_auc_pair *)(evaluation->state.data + offset) = (struct hr_auc_pair){row->score, row->label};
        hr_paged_mark_range(&evaluation->state, offset, sizeof(struct hr_auc_pair));
    }
    if (layout->bins != 0) {
        add_to_bin(touch_bin(evaluation, layout->bins, row->score), row->label, 1.0);
    }
    if (evaluation->fading_factor > 0.0) {
        hr_evaluation_sums_add(&state->faded, evaluation->fading_factor, row);
    }
    if (layout->faded_bins != 0) {
        fade_bins(evaluation, layout->faded_bins);
        add_to_bin(touch_bin(evaluation, layout->faded_bins, row->score), row->label, state->newest_weight);
    }
    if (layout->ring != 0) {
        size_t slot = state->rows % (uint64_t)evaluation->sliding_rows;
        size_t offset = layout->ring + slot * sizeof(*row);
        *(struct hr_evaluation_row *)(evaluation->state.data + offset) = *row;
        hr_paged_mark_range(&evaluation->state, offset, sizeof(*row));
    }
    state->last_label = row->label;
    state->rows++;
}

/* Margin and P(0), P(1) of a row, from whichever of the two columns there is. */
static void read_scores(const struct hr_model *model, const struct hr_chunk *chunk, size_t row, double *margin,
                        double probability[2])
{
    *margin = (double)NAN;
    probability[0] = probability[1] = (double)NAN;
    if (model->raw_prediction != SIZE_MAX) {
        *margin = chunk->columns[model->raw_prediction].vectors[row].values[1];
    }
    if (model->probability != SIZE_MAX) {
        memcpy(probability, chunk->columns[model->probability].vectors[row].values, 2 * sizeof(double));
    } else {
        probability[1] = hr_kernel_sigmoid(*margin);
        probability[0] = 1.0 - probability[1];
    }
    if (model->raw_prediction == SIZE_MAX) {
        *margin = hr_kernel_log(probability[1]) - hr_kernel_log(probability[0]);
    }
}

/* False: the row is not measured. */
static bool read_row(const struct hr_evaluation *evaluation, const struct hr_chunk *chunk, size_t index,
                     struct hr_evaluation_row *row)
{
    const struct hr_model *model = evaluation->model;
    *row = (struct hr_evaluation_row){0};
    if (model->type->task == HR_TASK_CLUSTERING) {
        double distance = model->distance != SIZE_MAX ? chunk->columns[model->distance].doubles[index] : (double)NAN;
        row->loss = distance * distance;
        return isfinite(row->loss);
    }
    if (!hr_model_label(model, chunk, index, &row->label) || !isfinite(row->label)) {
        return false;
    }
    row->repeat = row->label == hr_evaluation_state(evaluation)->last_label;
    double probability[2] = {(double)NAN, (double)NAN};
    if (model->type->task == HR_TASK_CLASSIFICATION) {
        read_scores(model, chunk, index, &row->score, probability);
        double truth = probability[row->label == 1.0];
        if (isnan(truth)) {
            return false;
        }
        row->loss = -hr_kernel_log(fmin(fmax(truth, PROBABILITY_CLIP), 1.0 - PROBABILITY_CLIP));
    }
    row->prediction =
        model->prediction != SIZE_MAX ? chunk->columns[model->prediction].doubles[index] : probability[1] > 0.5;
    return isfinite(row->prediction);
}

void hr_evaluation_observe(struct hr_evaluation *evaluation, const struct hr_chunk *chunk)
{
    if (!hr_evaluation_state_fits(evaluation)) {
        reset_state(evaluation);
    }
    struct hr_evaluation_layout layout = hr_evaluation_layout(evaluation);
    for (size_t row = 0; row < chunk->rows; row++) {
        struct hr_evaluation_row measured;
        if (chunk->dropped[row] == 0 && read_row(evaluation, chunk, row, &measured)) {
            observe_row(evaluation, &layout, &measured);
        }
    }
    hr_paged_mark(&evaluation->state, 0);
}

uint64_t hr_evaluation_rows(const struct hr_evaluation *evaluation)
{
    return hr_evaluation_state_fits(evaluation) ? hr_evaluation_state(evaluation)->rows : 0;
}

void hr_evaluation_release(struct hr_evaluation *evaluation)
{
    hr_paged_release(&evaluation->state);
}
