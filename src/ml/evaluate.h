/* SPDX-License-Identifier: Apache-2.0
 *
 * Prequential evaluation: every labelled row is measured with the prediction that was made before it was learned.
 * Three views of each metric: cumulative, sliding (last N labelled rows) and faded (each row weighs fadingFactor times
 * the one after it). State lives in paged memory and is checkpointed, so that a resumed run reports the same numbers.
 *
 * Classification: accuracy precision recall f1 auc logLoss kappa kappaT. Regression: rmse mae r2. Clustering:
 * meanSquaredDistance. Definitions: class 1 is positive; precision, recall, f1 are of class 1 (0 when undefined);
 * kappa is Cohen's; kappaT = (p0 − pNoChange) / (1 − pNoChange) against "predict the last label" (Žliobaitė et al.
 * 2015; the first row's last label counts as 0); logLoss clips probabilities to [1e-15, 1 − 1e-15]; auc counts ties
 * half (1 when a class is missing, as MOA).
 *
 * auc is exact over the first HR_AUC_EXACT rows of the cumulative view and in the sliding view up to
 * HR_AUC_SORT_ROWS; else the scores are counted in bins that are 1/256 of the margin wide (evaluate_auc.h): below 1e-5
 * off for margins that spread as a fitted model's do. A row whose prediction is not finite is not measured. Where
 * windows or metrics change between runs of one checkpoint, all views start anew.
 */
#ifndef HR_ML_EVALUATE_H
#define HR_ML_EVALUATE_H

#include <jansson.h>

#include "base/json_writer.h"
#include "base/option.h"
#include "base/paged.h"
#include "data/chunk.h"
#include "ml/model.h"

#define HR_METRICS(X) \
    X(ACCURACY, "accuracy", HR_TASK_CLASSIFICATION, "share of right predictions") \
    X(PRECISION, "precision", HR_TASK_CLASSIFICATION, "right among predicted 1") \
    X(RECALL, "recall", HR_TASK_CLASSIFICATION, "predicted 1 among true 1") \
    X(F1, "f1", HR_TASK_CLASSIFICATION, "harmonic mean of precision and recall") \
    X(AUC, "auc", HR_TASK_CLASSIFICATION, "area under the ROC curve of P(1)") \
    X(LOG_LOSS, "logLoss", HR_TASK_CLASSIFICATION, "mean of −ln P(true class)") \
    X(KAPPA, "kappa", HR_TASK_CLASSIFICATION, "skill over chance agreement (Cohen)") \
    X(KAPPA_T, "kappaT", HR_TASK_CLASSIFICATION, "skill over predicting the last label") \
    X(RMSE, "rmse", HR_TASK_REGRESSION, "root of the mean squared error") \
    X(MAE, "mae", HR_TASK_REGRESSION, "mean absolute error") \
    X(R2, "r2", HR_TASK_REGRESSION, "share of the variance explained") \
    X(MEAN_SQUARED_DISTANCE, "meanSquaredDistance", HR_TASK_CLUSTERING, "to the assigned centre")

enum hr_metric_id {
#define HR_METRIC_MEMBER(name, text, task, meaning) HR_METRIC_ID_##name,
    HR_METRICS(HR_METRIC_MEMBER)
#undef HR_METRIC_MEMBER
        HR_METRIC_ID_COUNT
};

struct hr_metric_info {
    const char *name;
    enum hr_model_task task;
    const char *meaning;
};
extern const struct hr_metric_info hr_metric_infos[HR_METRIC_ID_COUNT];

struct hr_evaluation {
    const struct hr_model *model;
    unsigned metrics; /* bit set of hr_metric_id */
    bool cumulative;
    int64_t sliding_rows;  /* 0: none */
    double fading_factor;  /* 0: none */
    struct hr_paged state; /* evaluate_state.h */
};

/* Keys of `evaluation:` and of its `windows:`. */
struct hr_option_table hr_evaluation_options(void);
struct hr_option_table hr_evaluation_window_options(void);
/* Reads `evaluation:` (NULL: all metrics of the task, cumulative). Findings: unknown metric with the nearest name, a
 * metric of another task, ranges. */
void hr_evaluation_read(struct hr_evaluation *evaluation, const struct hr_yaml *node, const struct hr_model *model,
                        struct hr_arena *arena, struct hr_findings *findings);
/* Only the findings, for a model that is wrong itself; type NULL: not even its type is known. */
void hr_evaluation_check(const struct hr_yaml *node, const struct hr_model_type *type, struct hr_arena *arena,
                         struct hr_findings *findings);
/* Measures the rows of a chunk that was just learned (or scored). */
void hr_evaluation_observe(struct hr_evaluation *evaluation, const struct hr_chunk *chunk);
/* {"cumulative": {…}, "sliding": {…}, "faded": {…}} (only the views asked for) of the metrics, in the order of
 * HR_METRICS. NaN before the first labelled row. */
void hr_evaluation_write(const struct hr_evaluation *evaluation, struct hr_json *json);
/* One value; view 0 cumulative, 1 sliding, 2 faded. */
double hr_evaluation_value(const struct hr_evaluation *evaluation, int view, enum hr_metric_id metric);
/* Labelled rows so far that were measured. */
uint64_t hr_evaluation_rows(const struct hr_evaluation *evaluation);
void hr_evaluation_release(struct hr_evaluation *evaluation);

#endif
