/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace score: rows from standard input through decode, transform and predict, chunk by chunk, to standard output.
 * The model stays as it is, so that a row's prediction depends on that row alone.
 *
 * Two arenas take turns: the records of a chunk live in one, and what was read beyond it moves on to the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/command.h"
#include "service/learned.h"
#include "service/query_files.h"
#include "stream/source_file_cursor.h"

#define OUTPUT_MAX ((size_t)1 << 31)
#define INPUT_NAME "stdin"

struct scorer {
    struct hr_plan *plan;
    struct hr_format *output; /* JSON lines */
    size_t *columns;          /* of the schema, as a sink without `columns:` has them */
    size_t column_count;
    struct hr_file_entry entry;
    struct hr_file_cursor cursor;
    struct hr_arena input[2]; /* of records */
    size_t turn;              /* which of them the cursor is in */
    struct hr_arena arena;    /* of the chunk */
    struct hr_record *records;
    bool header_due;
    struct hr_buf text;
    size_t bad; /* records so far */
};

/* ---- set-up ------------------------------------------------------------------------------------------------- */

/* The declared columns, then the model's: it adds its own last. */
static void choose_columns(struct scorer *scorer)
{
    struct hr_plan *plan = scorer->plan;
    const struct hr_model *model = plan->model;
    size_t first = plan->schema.count;
    if (model != NULL) {
        const size_t own[] = {model->prediction, model->raw_prediction, model->probability, model->distance};
        for (size_t i = 0; i < HR_ARRAY_LEN(own); i++) {
            first = own[i] < first ? own[i] : first;
        }
    }
    scorer->columns = hr_arena_array(&plan->arena, plan->schema.count, size_t);
    for (size_t i = 0; i < plan->schema.count; i++) {
        if (plan->schema.fields[i].origin == HR_ORIGIN_FIELD || i >= first) {
            scorer->columns[scorer->column_count++] = i;
        }
    }
}

static enum hr_status scorer_open(struct scorer *scorer, struct hr_error *err)
{
    struct hr_plan *plan = scorer->plan;
    struct hr_findings findings HR_CLEANUP(hr_findings_release);
    hr_findings_init(&findings);
    scorer->output = hr_format_new(NULL, &plan->root->place, NULL, &plan->arena, &findings);
    HR_ASSERT(scorer->output != NULL);
    HR_TRY(hr_format_open(scorer->output, &plan->schema, err));
    choose_columns(scorer);
    scorer->records = hr_arena_array(&plan->arena, HR_CHUNK_ROWS, struct hr_record);
    scorer->header_due = hr_format_has_header(plan->format);
    static char input_name[] = INPUT_NAME;
    static char input_path[] = "/dev/stdin";
    /* "Compressed" means here: what is there at the end is the last record, also without a newline. */
    scorer->entry = (struct hr_file_entry){.name = input_name, .path = input_path, .compressed = true};
    enum hr_status status =
        hr_file_cursor_open(&scorer->cursor, &scorer->entry, plan->format, &scorer->input[0], NULL, INT64_MAX, err);
    scorer->cursor.as_it_comes = true; /* whoever waits for an answer before the next question gets it */
    return status;
}

static void scorer_init(struct scorer *scorer, struct hr_plan *plan)
{
    *scorer = (struct scorer){.plan = plan};
    hr_arena_init(&scorer->input[0], 0);
    hr_arena_init(&scorer->input[1], 0);
    hr_arena_init(&scorer->arena, 1u << 20);
    hr_buf_init(&scorer->text, OUTPUT_MAX);
}

static void scorer_release(struct scorer *scorer)
{
    hr_file_cursor_close(&scorer->cursor);
    if (scorer->output != NULL) {
        hr_format_close(scorer->output);
    }
    hr_buf_release(&scorer->text);
    hr_arena_release(&scorer->arena);
    hr_arena_release(&scorer->input[1]);
    hr_arena_release(&scorer->input[0]);
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

/* Up to a chunk of records; HR_END with none: that was all. */
static enum hr_status read_records(struct scorer *scorer, size_t *count, struct hr_error *err)
{
    scorer->turn = 1 - scorer->turn;
    hr_arena_reset(&scorer->input[scorer->turn]);
    hr_file_cursor_move(&scorer->cursor, &scorer->input[scorer->turn]);
    *count = 0;
    enum hr_status status = HR_OK;
    while (*count < HR_CHUNK_ROWS && (*count == 0 || hr_file_cursor_has_line(&scorer->cursor))) {
        struct hr_file_line line;
        status = hr_file_cursor_next(&scorer->cursor, &line, err);
        if (status != HR_OK) {
            break;
        }
        scorer->records[(*count)++] = (struct hr_record){
            .value = line.value,
            .origin = HR_STR(INPUT_NAME),
            .offset = line.offset,
            .line = line.line,
            .partition = -1,
            .flags = scorer->header_due ? HR_RECORD_HEADER : 0,
        };
        scorer->header_due = false;
    }
    return status == HR_END && *count > 0 ? HR_OK : status;
}

static int reject_order(const void *a, const void *b)
{
    uint32_t left = ((const struct hr_reject *)a)->record;
    uint32_t right = ((const struct hr_reject *)b)->record;
    return left < right ? -1 : left > right;
}

/* One line a bad record: place, reason, message. */
static void report_rejects(struct scorer *scorer, struct hr_rejects *rejects)
{
    if (rejects->count > 1) {
        qsort(rejects->items, rejects->count, sizeof(*rejects->items), reject_order);
    }
    for (size_t i = 0; i < rejects->count; i++) {
        const struct hr_reject *reject = &rejects->items[i];
        fprintf(stderr, INPUT_NAME ":%lld: %s: %s\n", (long long)scorer->records[reject->record].line,
                hr_reason_name(reject->reason), reject->message);
    }
    scorer->bad += rejects->count;
}

static enum hr_status score_records(struct scorer *scorer, size_t count, struct hr_error *err)
{
    struct hr_plan *plan = scorer->plan;
    struct hr_rejects rejects;
    struct hr_chunk chunk;
    hr_arena_reset(&scorer->arena);
    hr_rejects_init(&rejects, &scorer->arena);
    hr_chunk_init(&chunk, &plan->schema, count, scorer->records, &rejects, &scorer->arena);
    hr_format_decode(plan->format, scorer->records, 0, count, &chunk);
    hr_format_fill_metadata(&chunk);
    hr_pipeline_transform(&plan->pipeline, &chunk);
    if (plan->model != NULL) {
        hr_model_score(plan->model, &chunk);
    }
    hr_chunk_compact(&chunk, plan->schema.count);
    report_rejects(scorer, &rejects);
    hr_buf_clear(&scorer->text);
    hr_format_encode(scorer->output, &chunk, scorer->columns, scorer->column_count, 0, chunk.rows, true, &scorer->text,
                     NULL);
    if (scorer->text.overflow) {
        return hr_fail(err, HR_BAD_DATA, "%zu rows are longer than %zu bytes as JSON", chunk.rows, OUTPUT_MAX);
    }
    if (scorer->text.length > 0) {
        fwrite(scorer->text.data, 1, scorer->text.length, stdout);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return hr_fail_errno(err, HR_IO, "standard output cannot be written");
    }
    return HR_OK;
}

static enum hr_status score_all(struct scorer *scorer, struct hr_error *err)
{
    HR_TRY(scorer_open(scorer, err));
    size_t count;
    enum hr_status status;
    while ((status = read_records(scorer, &count, err)) == HR_OK) {
        HR_TRY(score_records(scorer, count, err));
    }
    return status == HR_END ? HR_OK : status;
}

static int score(struct hr_arguments *arguments)
{
    struct hr_error err;
    int exit_code = 0;
    struct hr_plan *plan = hr_query_file_plan(arguments, arguments->operands[0], HR_PLAN_SCORE, &exit_code);
    if (plan == NULL) {
        return exit_code;
    }
    const char *directory = hr_arguments_get(arguments, "checkpoint");
    struct scorer scorer;
    scorer_init(&scorer, plan);
    enum hr_status status = hr_learned_load(plan, directory != NULL ? directory : plan->checkpoint_location,
                                            hr_arguments_get(arguments, "model"), &err);
    if (status == HR_OK) {
        status = score_all(&scorer, &err);
    }
    if (status != HR_OK) {
        exit_code = hr_command_fail(&err);
    } else if (scorer.bad > 0 && plan->format->mode != HR_MODE_DROP) {
        exit_code = hr_status_exit_code(HR_BAD_DATA);
    }
    scorer_release(&scorer);
    hr_plan_free(plan);
    return exit_code;
}

static const struct hr_flag flags[] = {
    {.name = "checkpoint", .value = "DIR", .help = "what the query has learned (default: the query's own checkpoint)"},
    {.name = "model",
     .value = "FILE",
     .help = "the model from a file instead: what checkpoint inspect --format json prints"},
};

const struct hr_command hr_command_score = {
    .name = "score",
    .operands = "QUERY.yaml",
    .summary = "predict rows of standard input; learns nothing",
    .doc =
        "Reads records in the format of the query's source, prints a JSON line for each: the columns of the schema,\n"
        "then those of the model. Takes no lock, touches no offsets, writes no sink: it may be used while the query\n"
        "runs, and sees the last committed batch. A bad record is one line on standard error, and the others go on;\n"
        "the exit code is then 65, or 0 with format: {mode: drop}.\n\n"
        "--model FILE holds the document of headrace checkpoint inspect --format json, or its `models` list, or one\n"
        "of that list: {\"id\", \"type\", \"params\", \"state\"}. Its state is used; parameters are those of the "
        "query.\n"
        "Stages that learn are taken from the document's `stages` when it has them, else from the checkpoint.",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 1,
    .operands_max = 1,
    .run = score,
};
