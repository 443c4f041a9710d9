/* SPDX-License-Identifier: Apache-2.0
 *
 * Series in a list: there are hundreds at most, found once and then set by pointer.
 */
#include "base/metric.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json_writer.h"

#define LABELS_MAX 8
/* Upper bounds of histogram buckets, seconds. */
static const double bucket_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
#define BUCKETS (sizeof(bucket_bounds) / sizeof(bucket_bounds[0]))

struct hr_metric {
    enum hr_metric_type type;
    const char *name;
    const char *help;
    char *labels[2 * LABELS_MAX];
    size_t label_count; /* names and values together */
    double value;       /* histogram: the sum */
    uint64_t buckets[BUCKETS + 1];
    struct hr_metric *next;
};

static struct hr_metric *series_first;
static pthread_mutex_t series_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool series_matches(const struct hr_metric *metric, const char *name, const char *const *labels)
{
    if (strcmp(metric->name, name) != 0) {
        return false;
    }
    size_t i = 0;
    for (; labels != NULL && labels[i] != NULL; i++) {
        if (i >= metric->label_count || strcmp(metric->labels[i], labels[i]) != 0) {
            return false;
        }
    }
    return i == metric->label_count;
}

static struct hr_metric *series_make(enum hr_metric_type type, const char *name, const char *help,
                                     const char *const *labels)
{
    struct hr_metric *metric = hr_calloc(1, sizeof(*metric));
    metric->type = type;
    metric->name = name;
    metric->help = help;
    for (size_t i = 0; labels != NULL && labels[i] != NULL; i++) {
        HR_ASSERT(i < HR_ARRAY_LEN(metric->labels));
        metric->labels[metric->label_count++] = hr_strdup(labels[i]);
    }
    /* Series of one name stay together, in the order of their making: the exposition format wants that. */
    struct hr_metric **place = NULL;
    struct hr_metric **end = &series_first;
    for (; *end != NULL; end = &(*end)->next) {
        if (strcmp((*end)->name, name) == 0) {
            place = &(*end)->next;
        }
    }
    place = place != NULL ? place : end;
    metric->next = *place;
    *place = metric;
    return metric;
}

struct hr_metric *hr_metric_get(enum hr_metric_type type, const char *name, const char *help, const char *const *labels)
{
    pthread_mutex_lock(&series_mutex);
    struct hr_metric *metric = series_first;
    while (metric != NULL && !series_matches(metric, name, labels)) {
        metric = metric->next;
    }
    if (metric == NULL) {
        metric = series_make(type, name, help, labels);
    }
    pthread_mutex_unlock(&series_mutex);
    return metric;
}

void hr_metric_add(struct hr_metric *metric, double amount)
{
    pthread_mutex_lock(&series_mutex);
    metric->value += amount;
    pthread_mutex_unlock(&series_mutex);
}

void hr_metric_set(struct hr_metric *metric, double value)
{
    pthread_mutex_lock(&series_mutex);
    metric->value = value;
    pthread_mutex_unlock(&series_mutex);
}

void hr_metric_observe(struct hr_metric *metric, double value)
{
    size_t bucket = 0;
    while (bucket < BUCKETS && value > bucket_bounds[bucket]) {
        bucket++;
    }
    pthread_mutex_lock(&series_mutex);
    metric->buckets[bucket]++;
    metric->value += value;
    pthread_mutex_unlock(&series_mutex);
}

double hr_metric_value(const struct hr_metric *metric)
{
    pthread_mutex_lock(&series_mutex);
    double value = metric->value;
    pthread_mutex_unlock(&series_mutex);
    return value;
}

void hr_metric_drop(const char *label, const char *value)
{
    pthread_mutex_lock(&series_mutex);
    struct hr_metric **at = &series_first;
    while (*at != NULL) {
        struct hr_metric *metric = *at;
        bool matches = false;
        for (size_t i = 0; i + 1 < metric->label_count; i += 2) {
            matches = matches || (strcmp(metric->labels[i], label) == 0 && strcmp(metric->labels[i + 1], value) == 0);
        }
        if (!matches) {
            at = &metric->next;
            continue;
        }
        *at = metric->next;
        for (size_t i = 0; i < metric->label_count; i++) {
            hr_free(metric->labels[i]);
        }
        hr_free(metric);
    }
    pthread_mutex_unlock(&series_mutex);
}

/* Escapes of the exposition format: backslash, double quote, line feed. */
static void write_label_value(const char *value, struct hr_buf *out)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            hr_buf_append_text(out, "\\n");
        } else {
            if (*value == '\\' || *value == '"') {
                hr_buf_append_char(out, '\\');
            }
            hr_buf_append_char(out, *value);
        }
    }
}

/* `name_suffix{labels,le="…"} ` */
static void write_series_name(const struct hr_metric *metric, const char *suffix, const char *bound, struct hr_buf *out)
{
    hr_buf_printf(out, "%s%s", metric->name, suffix);
    const char *separator = "{";
    for (size_t i = 0; i + 1 < metric->label_count; i += 2) {
        hr_buf_printf(out, "%s%s=\"", separator, metric->labels[i]);
        write_label_value(metric->labels[i + 1], out);
        hr_buf_append_char(out, '"');
        separator = ",";
    }
    if (bound != NULL) {
        hr_buf_printf(out, "%sle=\"%s\"", separator, bound);
        separator = ",";
    }
    hr_buf_append_text(out, *separator == ',' ? "} " : " ");
}

static void write_histogram(const struct hr_metric *metric, struct hr_buf *out)
{
    uint64_t total = 0;
    for (size_t i = 0; i <= BUCKETS; i++) {
        char bound[32] = "+Inf";
        if (i < BUCKETS) {
            (void)snprintf(bound, sizeof(bound), "%g", bucket_bounds[i]);
        }
        total += metric->buckets[i];
        write_series_name(metric, "_bucket", bound, out);
        hr_buf_printf(out, "%llu\n", (unsigned long long)total);
    }
    write_series_name(metric, "_sum", NULL, out);
    hr_json_append_double(out, metric->value);
    hr_buf_append_char(out, '\n');
    write_series_name(metric, "_count", NULL, out);
    hr_buf_printf(out, "%llu\n", (unsigned long long)total);
}

void hr_metric_write(struct hr_buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const char *previous = "";
    pthread_mutex_lock(&series_mutex);
    for (const struct hr_metric *metric = series_first; metric != NULL; metric = metric->next) {
        if (strcmp(metric->name, previous) != 0) {
            hr_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                          types[metric->type]);
            previous = metric->name;
        }
        if (metric->type == HR_METRIC_HISTOGRAM) {
            write_histogram(metric, out);
        } else {
            write_series_name(metric, "", NULL, out);
            hr_json_append_double(out, metric->value);
            hr_buf_append_char(out, '\n');
        }
    }
    pthread_mutex_unlock(&series_mutex);
}
