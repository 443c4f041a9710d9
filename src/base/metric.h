/* SPDX-License-Identifier: Apache-2.0
 *
 * Metric registry: counters, gauges and histograms with labels, Prometheus names. Updated once a batch, never a row.
 * Thread: any.
 */
#ifndef HR_BASE_METRIC_H
#define HR_BASE_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum hr_metric_type { HR_METRIC_COUNTER, HR_METRIC_GAUGE, HR_METRIC_HISTOGRAM };

struct hr_metric;

/* Finds or makes the series. labels: alternating name, value, … and a final NULL; copied. The series lives until the
 * process ends or hr_metric_drop. name and help are static strings. Histograms are of seconds. */
struct hr_metric *hr_metric_get(enum hr_metric_type type, const char *name, const char *help,
                                const char *const *labels);
void hr_metric_add(struct hr_metric *metric, double amount);
void hr_metric_set(struct hr_metric *metric, double value);
void hr_metric_observe(struct hr_metric *metric, double value);
double hr_metric_value(const struct hr_metric *metric);
/* Forgets all series that have this label. */
void hr_metric_drop(const char *label, const char *value);
/* Prometheus text exposition 0.0.4. */
void hr_metric_write(struct hr_buf *out);

#endif
