/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics from sums: definitions in evaluate.h.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "ml/evaluate.h"
#include "ml/evaluate_state.h"

enum view { VIEW_CUMULATIVE, VIEW_SLIDING, VIEW_FADED, VIEW_COUNT };

static double ratio(double part, double whole)
{
    return whole != 0.0 ? part / whole : 0.0;
}

/* (right − chance) / (1 − chance); 0 where chance alone is always right. */
static double skill(double right, double chance)
{
    return ratio(right - chance, 1.0 - chance);
}

static double kappa(const struct hr_evaluation_sums *sums)
{
    double w = sums->weight;
    double true_one = sums->table[1][0] + sums->table[1][1];
    double said_one = sums->table[0][1] + sums->table[1][1];
    double chance = (true_one / w) * (said_one / w) + (1.0 - true_one / w) * (1.0 - said_one / w);
    return skill((sums->table[0][0] + sums->table[1][1]) / w, chance);
}

/* Every metric but auc, of sums with some weight. */
static double metric_of(const struct hr_evaluation_sums *sums, enum hr_metric_id metric)
{
    double hits = sums->table[1][1];
    double said_one = sums->table[0][1] + hits;
    double true_one = sums->table[1][0] + hits;
    double accuracy = (sums->table[0][0] + hits) / sums->weight;
    switch (metric) {
    case HR_METRIC_ID_ACCURACY:
        return accuracy;
    case HR_METRIC_ID_PRECISION:
        return ratio(hits, said_one);
    case HR_METRIC_ID_RECALL:
        return ratio(hits, true_one);
    case HR_METRIC_ID_F1:
        return ratio(2.0 * hits, said_one + true_one);
    case HR_METRIC_ID_LOG_LOSS:
    case HR_METRIC_ID_MEAN_SQUARED_DISTANCE:
        return sums->loss / sums->weight;
    case HR_METRIC_ID_KAPPA:
        return kappa(sums);
    case HR_METRIC_ID_KAPPA_T:
        return skill(accuracy, sums->repeats / sums->weight);
    case HR_METRIC_ID_RMSE:
        return sqrt(sums->squared / sums->weight);
    case HR_METRIC_ID_MAE:
        return sums->absolute / sums->weight;
    case HR_METRIC_ID_R2:
        return sums->label_m2 > 0.0 ? 1.0 - sums->squared / sums->label_m2 : (double)NAN;
    default:
        return (double)NAN;
    }
}

static size_t ring_rows(const struct hr_evaluation *evaluation)
{
    uint64_t rows = hr_evaluation_state(evaluation)->rows;
    return rows < (uint64_t)evaluation->sliding_rows ? rows : (size_t)evaluation->sliding_rows;
}

static const struct hr_evaluation_row *ring_row(const struct hr_evaluation *evaluation, size_t i)
{
    const uint8_t *ring = evaluation->state.data + hr_evaluation_layout(evaluation).ring;
    uint64_t oldest = hr_evaluation_state(evaluation)->rows - ring_rows(evaluation);
    return (const struct hr_evaluation_row *)ring + (oldest + i) % (uint64_t)evaluation->sliding_rows;
}

static double sliding_auc(const struct hr_evaluation *evaluation)
{
    size_t count = ring_rows(evaluation);
    if (count > HR_AUC_SORT_ROWS) {
        struct hr_auc_bin *bins HR_CLEANUP(hr_free_pointer) = hr_calloc(HR_AUC_BINS, sizeof(*bins));
        for (size_t i = 0; i < count; i++) {
            const struct hr_evaluation_row *row = ring_row(evaluation, i);
            struct hr_auc_bin *bin = &bins[hr_auc_bin_of(row->score)];
            bin->positive += row->label;
            bin->negative += 1.0 - row->label;
        }
        return hr_auc_of_bins(bins);
    }
    struct hr_auc_pair *pairs HR_CLEANUP(hr_free_pointer) = hr_calloc(count + 1, sizeof(*pairs));
    for (size_t i = 0; i < count; i++) {
        const struct hr_evaluation_row *row = ring_row(evaluation, i);
        pairs[i] = (struct hr_auc_pair){row->score, row->label};
    }
    return hr_auc_of_pairs(pairs, count);
}

static double cumulative_auc(const struct hr_evaluation *evaluation, const struct hr_evaluation_layout *layout)
{
    size_t rows = hr_evaluation_state(evaluation)->rows;
    if (rows > HR_AUC_EXACT) {
        return hr_auc_of_bins((const struct hr_auc_bin *)(evaluation->state.data + layout->bins));
    }
    struct hr_auc_pair pairs[HR_AUC_EXACT];
    memcpy(pairs, evaluation->state.data + layout->exact, rows * sizeof(*pairs));
    return hr_auc_of_pairs(pairs, rows);
}

static double auc_of(const struct hr_evaluation *evaluation, enum view view)
{
    struct hr_evaluation_layout layout = hr_evaluation_layout(evaluation);
    if (view == VIEW_SLIDING) {
        return sliding_auc(evaluation);
    }
    if (view == VIEW_FADED && layout.faded_bins != 0) {
        return hr_auc_of_bins((const struct hr_auc_bin *)(evaluation->state.data + layout.faded_bins));
    }
    return view == VIEW_CUMULATIVE && layout.bins != 0 ? cumulative_auc(evaluation, &layout) : (double)NAN;
}

static bool has_view(const struct hr_evaluation *evaluation, enum view view)
{
    return view == VIEW_CUMULATIVE ? evaluation->cumulative
           : view == VIEW_SLIDING  ? evaluation->sliding_rows > 0
                                   : evaluation->fading_factor > 0.0;
}

/* Sums of a view; those of the sliding one are added up anew, so that nothing drifts. Weight 0: no rows. */
static void collect(const struct hr_evaluation *evaluation, enum view view, struct hr_evaluation_sums *sums)
{
    *sums = (struct hr_evaluation_sums){0};
    if (!has_view(evaluation, view) || !hr_evaluation_state_fits(evaluation)) {
        return;
    }
    const struct hr_evaluation_state *state = hr_evaluation_state(evaluation);
    if (view != VIEW_SLIDING) {
        *sums = view == VIEW_CUMULATIVE ? state->sums : state->faded;
        return;
    }
    size_t count = ring_rows(evaluation);
    for (size_t i = 0; i < count; i++) {
        hr_evaluation_sums_add(sums, 1.0, ring_row(evaluation, i));
    }
}

static double value_of(const struct hr_evaluation *evaluation, enum view view, const struct hr_evaluation_sums *sums,
                       enum hr_metric_id metric)
{
    if (sums->weight == 0.0) {
        return (double)NAN;
    }
    return metric == HR_METRIC_ID_AUC ? auc_of(evaluation, view) : metric_of(sums, metric);
}

double hr_evaluation_value(const struct hr_evaluation *evaluation, int view, enum hr_metric_id metric)
{
    HR_ASSERT(view >= 0 && view < VIEW_COUNT);
    struct hr_evaluation_sums sums;
    collect(evaluation, (enum view)view, &sums);
    return value_of(evaluation, (enum view)view, &sums, metric);
}

void hr_evaluation_write(const struct hr_evaluation *evaluation, struct hr_json *json)
{
    static const char *const names[VIEW_COUNT] = {"cumulative", "sliding", "faded"};
    hr_json_object_begin(json);
    for (enum view view = VIEW_CUMULATIVE; view < VIEW_COUNT; view++) {
        if (!has_view(evaluation, view)) {
            continue;
        }
        struct hr_evaluation_sums sums;
        collect(evaluation, view, &sums);
        hr_json_key(json, names[view]);
        hr_json_object_begin(json);
        for (unsigned i = 0; i < HR_METRIC_ID_COUNT; i++) {
            if (evaluation->metrics >> i & 1) {
                hr_json_key(json, hr_metric_infos[i].name);
                hr_json_double(json, value_of(evaluation, view, &sums, (enum hr_metric_id)i));
            }
        }
        hr_json_object_end(json);
    }
    hr_json_object_end(json);
}
