/* SPDX-License-Identifier: Apache-2.0
 *
 * Field names and order of Spark's StreamingQueryProgress, then ours. Rates have one decimal, and are left out where
 * they are not known, as in Spark.
 */
#include "stream/progress.h"

#include <math.h>

#include "base/json_writer.h"

/* 0 where no time is known: the first batch of a run follows none. */
static void progress_rate(struct hr_json *json, const char *key, uint64_t rows, int64_t duration_ns)
{
    hr_json_key(json, key);
    hr_json_double(json, duration_ns > 0 ? round((double)rows * 1e10 / (double)duration_ns) / 10 : 0.0);
}

static void progress_durations(const struct hr_run *run, struct hr_json *json)
{
    hr_json_key(json, "durationMs");
    hr_json_object_begin(json);
    for (int i = 0; i < HR_STEP_COUNT; i++) {
        hr_json_key(json, hr_step_names[i]);
        hr_json_double(json, (double)(run->step_ns[i] / 1000) / 1000);
    }
    hr_json_key(json, "triggerExecution");
    hr_json_double(json, (double)((hr_clock_monotonic_ns(run->clock) - run->start_ns) / 1000) / 1000);
    hr_json_object_end(json);
}

static void progress_source(const struct hr_run *run, const struct hr_offsets *latest, struct hr_json *json)
{
    hr_json_key(json, "sources");
    hr_json_array_begin(json);
    hr_json_object_begin(json);
    hr_json_key(json, "id");
    hr_json_text(json, run->plan->source->id);
    hr_json_key(json, "description");
    hr_json_text(json, hr_source_description(run->plan->source));
    hr_json_key(json, "startOffset");
    hr_offsets_write(&run->record.start, json);
    hr_json_key(json, "endOffset");
    hr_offsets_write(&run->record.end, json);
    hr_json_key(json, "latestOffset");
    if (latest != NULL) {
        hr_offsets_write(latest, json);
    } else {
        hr_json_null(json);
    }
    hr_json_key(json, "numInputRows");
    hr_json_int(json, (int64_t)run->record.input_rows);
    hr_json_key(json, "tombstones");
    hr_json_int(json, (int64_t)run->tombstones);
    hr_json_key(json, "lostRows");
    hr_json_int(json, (int64_t)run->record.lost_rows);
    hr_json_object_end(json);
    hr_json_array_end(json);
}

static void progress_sinks(const struct hr_run *run, struct hr_json *json)
{
    hr_json_key(json, "sinks");
    hr_json_array_begin(json);
    for (size_t i = 0; i < run->plan->sink_count; i++) {
        const struct hr_sink *sink = run->plan->sinks[i];
        hr_json_object_begin(json);
        hr_json_key(json, "id");
        hr_json_text(json, sink->id);
        hr_json_key(json, "description");
        hr_json_text(json, hr_sink_description(sink));
        hr_json_key(json, "numOutputRows");
        hr_json_int(json, sink->content == HR_CONTENT_ROWS ? (int64_t)run->record.output_rows : 1);
        hr_json_object_end(json);
    }
    hr_json_array_end(json);
}

static void progress_models(const struct hr_run *run, struct hr_json *json)
{
    hr_json_key(json, "models");
    hr_json_array_begin(json);
    const struct hr_model *model = run->plan->model;
    if (model != NULL) {
        const struct hr_model_head *head = hr_model_head(model);
        hr_json_object_begin(json);
        hr_json_key(json, "id");
        hr_json_text(json, model->id);
        hr_json_key(json, "type");
        hr_json_text(json, model->type->kind.name);
        hr_json_key(json, "version");
        hr_json_int(json, head != NULL ? (int64_t)head->version : 0);
        hr_json_key(json, "rowsLearned");
        hr_json_int(json, head != NULL ? (int64_t)head->rows_learned : 0);
        hr_json_key(json, "nonFinite");
        hr_json_int(json, head != NULL ? (int64_t)head->nonfinite : 0);
        hr_json_key(json, "metrics");
        if (run->plan->evaluation != NULL) {
            hr_evaluation_write(run->plan->evaluation, json);
        } else {
            hr_json_object_begin(json);
            hr_json_object_end(json);
        }
        hr_json_object_end(json);
    }
    hr_json_array_end(json);
}

void hr_progress_write(const struct hr_run *run, const struct hr_offsets *latest, struct hr_buf *out)
{
    struct hr_json json;
    char timestamp[40];
    (void)hr_clock_format_utc_ms(run->record.timestamp_us, timestamp);
    hr_json_init(&json, out);
    hr_json_object_begin(&json);
    hr_json_key(&json, "id");
    hr_json_text(&json, run->lineage);
    hr_json_key(&json, "runId");
    hr_json_text(&json, run->run_id);
    hr_json_key(&json, "name");
    hr_json_text(&json, run->plan->name);
    hr_json_key(&json, "timestamp");
    hr_json_text(&json, timestamp);
    hr_json_key(&json, "batchId");
    hr_json_int(&json, run->record.batch);
    hr_json_key(&json, "numInputRows");
    hr_json_int(&json, (int64_t)run->record.input_rows);
    progress_rate(&json, "inputRowsPerSecond", run->record.input_rows,
                  run->previous_start_ns > 0 ? run->start_ns - run->previous_start_ns : 0);
    progress_rate(&json, "processedRowsPerSecond", run->record.input_rows,
                  hr_clock_monotonic_ns(run->clock) - run->start_ns);
    progress_durations(run, &json);
    progress_source(run, latest, &json);
    progress_sinks(run, &json);
    hr_json_key(&json, "lineage");
    hr_json_text(&json, run->lineage);
    hr_json_key(&json, "deadLetters");
    hr_json_int(&json, (int64_t)run->record.dead_letters);
    progress_models(run, &json);
    hr_json_object_end(&json);
}
