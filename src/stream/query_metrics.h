/* SPDX-License-Identifier: Apache-2.0
 *
 * The metric series of a query, set once a batch (names: docs/metrics.md).
 */
#ifndef HR_STREAM_QUERY_METRICS_H
#define HR_STREAM_QUERY_METRICS_H

#include "base/metric.h"
#include "stream/run.h"

struct hr_query_metrics {
    struct hr_metric *batches;
    struct hr_metric *duration;
    struct hr_metric *steps[HR_STEP_COUNT];
    struct hr_metric *last_batch;
    struct hr_metric *last_commit;
    struct hr_metric *rows;
    struct hr_metric *bytes;
    struct hr_metric *dead_letters;
    struct hr_metric *lost_rows;
    struct hr_metric *output_rows;
    struct hr_metric *model_version;
    struct hr_metric *model_rows;
    struct hr_metric *model_nonfinite;
    struct hr_metric *model_metrics[3][HR_METRIC_ID_COUNT];
    uint64_t lost_before;
};

void hr_query_metrics_init(struct hr_query_metrics *metrics, const char *query, const struct hr_run *run);
void hr_query_metrics_batch(struct hr_query_metrics *metrics, const struct hr_run *run);
void hr_query_metrics_restart(const char *query);

#endif
