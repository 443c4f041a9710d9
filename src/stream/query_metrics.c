/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the series once, setting them once a batch.
 */
#include "stream/query_metrics.h"

#include <math.h>

static struct hr_metric *series(enum hr_metric_type type, const char *name, const char *help, const char *query,
                                const char *label, const char *value)
{
    const char *const labels[] = {"query", query, label, value, NULL};
    return hr_metric_get(type, name, help, labels);
}

static void metrics_init_model(struct hr_query_metrics *metrics, const char *query, const struct hr_run *run)
{
    static const char *const windows[] = {"cumulative", "sliding", "faded"};
    const struct hr_model *model = run->plan->model;
    metrics->model_version =
        series(HR_METRIC_GAUGE, "headrace_model_version", "Batches that taught the model", query, "model", model->id);
    metrics->model_rows =
        series(HR_METRIC_GAUGE, "headrace_model_rows_learned", "Rows learned so far", query, "model", model->id);
    metrics->model_nonfinite = series(HR_METRIC_GAUGE, "headrace_model_nonfinite_rows",
                                      "Rows not learned because a number was not finite", query, "model", model->id);
    const struct hr_evaluation *evaluation = run->plan->evaluation;
    for (int view = 0; evaluation != NULL && view < 3; view++) {
        for (int i = 0; i < HR_METRIC_ID_COUNT; i++) {
            bool wanted = view == 0   ? evaluation->cumulative
                          : view == 1 ? evaluation->sliding_rows > 0
                                      : evaluation->fading_factor > 0;
            if (wanted && (evaluation->metrics >> i & 1) != 0) {
                const char *const labels[] = {
                    "query",  query,         "model", model->id, "metric", hr_metric_infos[i].name,
                    "window", windows[view], NULL,
                };
                metrics->model_metrics[view][i] =
                    hr_metric_get(HR_METRIC_GAUGE, "headrace_model_metric", "Prequential metric of the model", labels);
            }
        }
    }
}

void hr_query_metrics_init(struct hr_query_metrics *metrics, const char *query, const struct hr_run *run)
{
    *metrics = (struct hr_query_metrics){.lost_before = run->plan->source->lost_rows};
    metrics->batches = series(HR_METRIC_COUNTER, "headrace_batches_total", "Batches", query, "result", "committed");
    metrics->duration =
        series(HR_METRIC_HISTOGRAM, "headrace_batch_duration_seconds", "Time of a batch", query, NULL, NULL);
    for (int i = 0; i < HR_STEP_COUNT; i++) {
        metrics->steps[i] = series(HR_METRIC_COUNTER, "headrace_batch_step_seconds_total",
                                   "Time in each of the eight steps", query, "step", hr_step_names[i]);
    }
    metrics->last_batch = series(HR_METRIC_GAUGE, "headrace_batch_last_id", "Last committed batch", query, NULL, NULL);
    metrics->last_commit = series(HR_METRIC_GAUGE, "headrace_batch_last_commit_timestamp_seconds",
                                  "When the last batch was committed", query, NULL, NULL);
    const char *source = run->plan->source->id;
    metrics->rows = series(HR_METRIC_COUNTER, "headrace_source_rows_total", "Records read", query, "source", source);
    metrics->bytes =
        series(HR_METRIC_COUNTER, "headrace_source_bytes_total", "Bytes of records read", query, "source", source);
    metrics->lost_rows = series(HR_METRIC_COUNTER, "headrace_source_lost_rows_total",
                                "Rows gone before they were read (failOnDataLoss: false)", query, "source", source);
    metrics->dead_letters =
        series(HR_METRIC_COUNTER, "headrace_dead_letter_rows_total", "Records put aside", query, NULL, NULL);
    metrics->output_rows =
        series(HR_METRIC_COUNTER, "headrace_output_rows_total", "Rows given to the sinks", query, NULL, NULL);
    if (run->plan->model != NULL) {
        metrics_init_model(metrics, query, run);
    }
}

static void metrics_batch_model(struct hr_query_metrics *metrics, const struct hr_run *run)
{
    const struct hr_model_head *head = hr_model_head(run->plan->model);
    if (head != NULL) {
        hr_metric_set(metrics->model_version, (double)head->version);
        hr_metric_set(metrics->model_rows, (double)head->rows_learned);
        hr_metric_set(metrics->model_nonfinite, (double)head->nonfinite);
    }
    for (int view = 0; view < 3; view++) {
        for (int i = 0; i < HR_METRIC_ID_COUNT; i++) {
            if (metrics->model_metrics[view][i] != NULL) {
                double value = hr_evaluation_value(run->plan->evaluation, view, (enum hr_metric_id)i);
                if (isfinite(value)) {
                    hr_metric_set(metrics->model_metrics[view][i], value);
                }
            }
        }
    }
}

void hr_query_metrics_batch(struct hr_query_metrics *metrics, const struct hr_run *run)
{
    const struct hr_batch_record *record = &run->record;
    hr_metric_add(metrics->batches, 1);
    hr_metric_observe(metrics->duration, (double)(run->step_start_ns - run->start_ns) / 1e9);
    for (int i = 0; i < HR_STEP_COUNT; i++) {
        hr_metric_add(metrics->steps[i], (double)run->step_ns[i] / 1e9);
    }
    hr_metric_set(metrics->last_batch, (double)record->batch);
    hr_metric_set(metrics->last_commit, (double)hr_clock_wall_us(run->clock) / 1e6);
    hr_metric_add(metrics->rows, (double)record->input_rows);
    hr_metric_add(metrics->bytes, (double)run->input_bytes);
    hr_metric_add(metrics->dead_letters, (double)record->dead_letters);
    hr_metric_add(metrics->output_rows, (double)record->output_rows);
    hr_metric_add(metrics->lost_rows, (double)(record->lost_rows - metrics->lost_before));
    metrics->lost_before = record->lost_rows;
    if (run->plan->model != NULL) {
        metrics_batch_model(metrics, run);
    }
}

void hr_query_metrics_restart(const char *query)
{
    hr_metric_add(series(HR_METRIC_COUNTER, "headrace_query_restarts_total",
                         "Starts from the checkpoint after a failure", query, NULL, NULL),
                  1);
}
