/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace eval: test-then-train over a source as far as it reaches now. Prints a line at rows 1, 2, 4, 8, …: chunks
 * are cut there, so that the numbers are those after exactly so many rows. Batches stay as the query's limits make
 * them, for the models that learn a batch at a time.
 *
 * A metric that is a mean over rows has a second column: the mean since the line before.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "service/bounded.h"
#include "service/command.h"
#include "service/query_files.h"
#include "stream/microbatch.h"

#define OUTPUT_MAX (1u << 20)

struct evaluator {
    struct hr_run run;
    bool json;
    struct hr_progress_line line;
    uint64_t rows;      /* that became predictions */
    uint64_t next_line; /* row count of the next line of the table */
    uint64_t last_line; /* of the last one */
    uint64_t labelled_before;
    double before[HR_METRIC_ID_COUNT]; /* cumulative values at the line before */
};

/* ---- table -------------------------------------------------------------------------------------------------- */

static bool has_metric(const struct hr_evaluation *evaluation, int metric)
{
    return (evaluation->metrics >> metric & 1) != 0;
}

static bool is_mean(int metric)
{
    return metric == HR_METRIC_ID_ACCURACY || metric == HR_METRIC_ID_LOG_LOSS || metric == HR_METRIC_ID_RMSE ||
           metric == HR_METRIC_ID_MAE || metric == HR_METRIC_ID_MEAN_SQUARED_DISTANCE;
}

static int column_width(const char *name)
{
    int length = (int)strlen(name);
    return length < 10 ? 10 : length;
}

static void table_head(const struct evaluator *evaluator)
{
    const struct hr_evaluation *evaluation = evaluator->run.plan->evaluation;
    printf("%10s", "rows");
    for (int i = 0; i < HR_METRIC_ID_COUNT; i++) {
        if (!has_metric(evaluation, i)) {
            continue;
        }
        printf("  %*s", column_width(hr_metric_infos[i].name), hr_metric_infos[i].name);
        if (is_mean(i)) {
            printf("  %10s", "since last");
        }
    }
    printf("\n");
}

/* The mean of the labelled rows since the line before, from the two cumulative means. */
static double since_last(const struct evaluator *evaluator, int metric, double now, uint64_t labelled)
{
    uint64_t before = evaluator->labelled_before;
    if (before == 0 || labelled == before) {
        return labelled == before ? (double)NAN : now;
    }
    double old = evaluator->before[metric];
    bool squared = metric == HR_METRIC_ID_RMSE;
    double sum = (squared ? now * now : now) * (double)labelled - (squared ? old * old : old) * (double)before;
    double mean = sum / (double)(labelled - before);
    return squared ? sqrt(mean > 0 ? mean : 0) : mean;
}

static void table_line(struct evaluator *evaluator)
{
    const struct hr_evaluation *evaluation = evaluator->run.plan->evaluation;
    uint64_t labelled = hr_evaluation_rows(evaluation);
    hr_progress_line_clear(&evaluator->line);
    printf("%10" PRIu64, evaluator->rows);
    for (int i = 0; i < HR_METRIC_ID_COUNT; i++) {
        if (!has_metric(evaluation, i)) {
            continue;
        }
        double now = hr_evaluation_value(evaluation, 0, (enum hr_metric_id)i);
        printf("  %*.6f", column_width(hr_metric_infos[i].name), now);
        if (is_mean(i)) {
            printf("  %10.6f", since_last(evaluator, i, now, labelled));
        }
        evaluator->before[i] = now;
    }
    printf("\n");
    fflush(stdout);
    evaluator->labelled_before = labelled;
    evaluator->last_line = evaluator->rows;
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

/* All records of a batch. A record gives at most one row, so a chunk of as many records as rows are missing up to the
 * next line never goes past it. */
static enum hr_status eval_batch(struct evaluator *evaluator, struct hr_error *err)
{
    struct hr_run *run = &evaluator->run;
    for (size_t first = 0; first < run->records.count;) {
        size_t count = run->records.count - first;
        count = count < HR_CHUNK_ROWS ? count : HR_CHUNK_ROWS;
        uint64_t missing = evaluator->next_line - evaluator->rows;
        count = count < missing ? count : (size_t)missing;
        struct hr_chunk chunk;
        HR_TRY(hr_microbatch_chunk(run, first, count, &chunk, err));
        first += count;
        evaluator->rows += chunk.rows;
        hr_progress_line_show(&evaluator->line, evaluator->rows);
        if (evaluator->rows == evaluator->next_line) {
            if (!evaluator->json) {
                table_line(evaluator);
            }
            evaluator->next_line *= 2;
        }
    }
    run->record.dead_letters += run->rejects.count;
    return hr_model_end_batch(run->plan->model, err);
}

static enum hr_status eval_all(struct evaluator *evaluator, struct hr_error *err)
{
    struct hr_run *run = &evaluator->run;
    HR_TRY(hr_bounded_open(run, err));
    if (!evaluator->json) {
        table_head(evaluator);
    }
    enum hr_status status;
    while ((status = hr_bounded_read(run, err)) == HR_OK) {
        HR_TRY(eval_batch(evaluator, err));
    }
    if (status != HR_END) {
        return status;
    }
    hr_progress_line_clear(&evaluator->line);
    if (!evaluator->json && evaluator->rows != evaluator->last_line) {
        table_line(evaluator);
    }
    return HR_OK;
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static void final_document(const struct evaluator *evaluator, struct hr_buf *out)
{
    const struct hr_plan *plan = evaluator->run.plan;
    const struct hr_model_head *head = hr_model_head(plan->model);
    struct hr_json json;
    hr_json_init(&json, out);
    hr_json_object_begin(&json);
    hr_json_key(&json, "query");
    hr_json_text(&json, plan->name);
    hr_json_key(&json, "rows");
    hr_json_int(&json, (int64_t)evaluator->rows);
    hr_json_key(&json, "labelledRows");
    hr_json_int(&json, (int64_t)hr_evaluation_rows(plan->evaluation));
    hr_json_key(&json, "badRecords");
    hr_json_int(&json, (int64_t)evaluator->run.record.dead_letters);
    hr_json_key(&json, "model");
    hr_json_object_begin(&json);
    hr_json_key(&json, "id");
    hr_json_text(&json, plan->model->id);
    hr_json_key(&json, "type");
    hr_json_text(&json, plan->model->type->kind.name);
    hr_json_key(&json, "rowsLearned");
    hr_json_int(&json, head != NULL ? (int64_t)head->rows_learned : 0);
    hr_json_key(&json, "nonFinite");
    hr_json_int(&json, head != NULL ? (int64_t)head->nonfinite : 0);
    hr_json_object_end(&json);
    hr_json_key(&json, "metrics");
    hr_evaluation_write(plan->evaluation, &json);
    hr_json_object_end(&json);
    hr_buf_append_char(out, '\n');
}

static void final_text(const struct evaluator *evaluator)
{
    static const char *const views[] = {"cumulative", "sliding", "faded"};
    const struct hr_evaluation *evaluation = evaluator->run.plan->evaluation;
    const bool asked[] = {evaluation->cumulative, evaluation->sliding_rows > 0, evaluation->fading_factor > 0};
    printf("\n%" PRIu64 " rows, %" PRIu64 " labelled", evaluator->rows, hr_evaluation_rows(evaluation));
    if (evaluator->run.record.dead_letters > 0) {
        printf(", %" PRIu64 " bad records left out", evaluator->run.record.dead_letters);
    }
    printf("\n");
    for (size_t view = 0; view < HR_ARRAY_LEN(views); view++) {
        if (!asked[view]) {
            continue;
        }
        printf("%s:", views[view]);
        for (int i = 0; i < HR_METRIC_ID_COUNT; i++) {
            if (has_metric(evaluation, i)) {
                printf(" %s %.6f", hr_metric_infos[i].name,
                       hr_evaluation_value(evaluation, (int)view, (enum hr_metric_id)i));
            }
        }
        printf("\n");
    }
}

static void print_final(const struct evaluator *evaluator)
{
    if (evaluator->rows == 0) {
        fprintf(stderr, "headrace: warning: the source has no rows: there is nothing to evaluate\n");
    }
    if (!evaluator->json) {
        final_text(evaluator);
        return;
    }
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, OUTPUT_MAX);
    final_document(evaluator, &out);
    fwrite(out.data, 1, out.length, stdout);
}

static int eval(struct hr_arguments *arguments)
{
    int exit_code = 0;
    struct hr_error err;
    struct hr_plan *plan = hr_query_file_plan(arguments, arguments->operands[0], HR_PLAN_EVAL, &exit_code);
    if (plan == NULL) {
        return exit_code;
    }
    struct evaluator evaluator = {.next_line = 1, .json = hr_arguments_is(arguments, "format", "json")};
    hr_run_init(&evaluator.run, plan, NULL, &hr_clock_system, NULL);
    hr_bounded_allow_rejects(&evaluator.run);
    hr_progress_line_init(&evaluator.line, "eval");
    enum hr_status status = eval_all(&evaluator, &err);
    hr_progress_line_clear(&evaluator.line);
    if (status == HR_OK) {
        print_final(&evaluator);
    } else {
        exit_code = hr_command_fail(&err);
    }
    hr_run_release(&evaluator.run);
    hr_plan_free(plan);
    return exit_code;
}

static const struct hr_flag flags[] = {
    {.name = "format", .value = "FORMAT", .choices = hr_text_or_json, .help = "default text"},
};

const struct hr_command hr_command_eval = {
    .name = "eval",
    .operands = "QUERY.yaml",
    .summary = "measure a query over its source: score each row, then learn it",
    .doc = "Reads the source from its start as far as it reaches now; no sink is written and no checkpoint is made.\n"
           "Prints cumulative metrics at rows 1, 2, 4, 8, …, then the final ones; --format json prints only those.",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 1,
    .operands_max = 1,
    .run = eval,
};
