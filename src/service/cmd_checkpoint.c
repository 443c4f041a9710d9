/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace checkpoint: looks at a checkpoint without its query, from the identity that it stores. Takes no lock and
 * changes no byte, but for take-over, which does both.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/random.h"
#include "base/units.h"
#include "service/command.h"
#include "service/inspector.h"

/* ---- list --------------------------------------------------------------------------------------------------- */

struct listing {
    struct hr_json *json; /* NULL: text */
    struct hr_inspector *inspector;
};

static void list_one(const struct listing *listing, const struct hr_batch_record *record, const char *state)
{
    char timestamp[40];
    (void)hr_clock_format_utc_ms(record->timestamp_us, timestamp);
    if (listing->json == NULL) {
        printf("%10" PRId64 "  %-9s  %-24s  %10" PRIu64 "  %10" PRIu64 "  %12" PRIu64 "\n", record->batch, state,
               timestamp, record->input_rows, record->output_rows, record->dead_letters);
        return;
    }
    struct hr_json *json = listing->json;
    hr_json_object_begin(json);
    hr_json_key(json, "batchId");
    hr_json_int(json, record->batch);
    hr_json_key(json, "state");
    hr_json_text(json, state);
    hr_json_key(json, "timestamp");
    hr_json_text(json, timestamp);
    hr_json_key(json, "numInputRows");
    hr_json_int(json, (int64_t)record->input_rows);
    hr_json_key(json, "numOutputRows");
    hr_json_int(json, (int64_t)record->output_rows);
    hr_json_key(json, "deadLetters");
    hr_json_int(json, (int64_t)record->dead_letters);
    hr_json_key(json, "endOffset");
    hr_offsets_write(&record->end, json);
    hr_json_object_end(json);
}

static enum hr_status list_visit(void *context, struct hr_str key, struct hr_str value, struct hr_error *err)
{
    (void)key;
    struct hr_batch_record record = {.batch = -1};
    HR_TRY(hr_batch_record_decode(value, &record, err));
    list_one(context, &record, "committed");
    hr_batch_record_release(&record);
    return HR_OK;
}

/* The batch after the committed ones: prepared, or dropped with its range kept, to run again. */
static enum hr_status list_next(const struct listing *listing, struct hr_inspector *inspector, struct hr_error *err)
{
    struct hr_batch_record record = {.batch = -1};
    if (inspector->info.prepared >= 0) {
        HR_TRY(hr_inspector_record(inspector, inspector->info.prepared, &record, err));
        list_one(listing, &record, "prepared");
    } else if (inspector->info.dropped >= 0) {
        struct hr_buf bytes HR_CLEANUP(hr_buf_release);
        hr_buf_init(&bytes, HR_INSPECTOR_DOCUMENT_MAX);
        HR_TRY(hr_checkpoint_dropped_record(inspector->checkpoint, &bytes, err));
        HR_TRY(hr_batch_record_decode(hr_buf_str(&bytes), &record, err));
        list_one(listing, &record, "dropped");
    }
    hr_batch_record_release(&record);
    return HR_OK;
}

static enum hr_status list(struct hr_inspector *inspector, struct hr_error *err)
{
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, HR_INSPECTOR_DOCUMENT_MAX);
    struct hr_json json;
    hr_json_init(&json, &out);
    struct listing listing = {.json = inspector->json ? &json : NULL, .inspector = inspector};
    if (inspector->json) {
        hr_json_array_begin(&json);
    } else {
        printf("query %s, lineage %s\n%10s  %-9s  %-24s  %10s  %10s  %12s\n",
               hr_inspector_text(inspector->identity, "query"), inspector->info.lineage, "batch", "state", "started",
               "rows in", "rows out", "dead letters");
    }
    HR_TRY(hr_checkpoint_batches(inspector->checkpoint, list_visit, &listing, err));
    HR_TRY(list_next(&listing, inspector, err));
    if (inspector->json) {
        hr_json_array_end(&json);
        hr_buf_append_char(&out, '\n');
        fwrite(out.data, 1, out.length, stdout);
    }
    return HR_OK;
}

/* ---- verify ------------------------------------------------------------------------------------------------- */

static enum hr_status verify(struct hr_inspector *inspector, struct hr_error *err)
{
    uint64_t pages = 0;
    uint64_t bytes = 0;
    enum hr_status status = hr_checkpoint_verify(inspector->checkpoint, &pages, &bytes, err);
    if (status != HR_OK) {
        if (inspector->json) {
            json_t *document = json_pack("{s:b, s:s}", "ok", 0, "error", err->text);
            (void)json_dumpf(document, stdout, JSON_COMPACT);
            printf("\n");
            json_decref(document);
        }
        return status;
    }
    if (inspector->json) {
        printf("{\"ok\":true,\"pages\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", pages, bytes);
    } else {
        char size[32];
        hr_units_format_bytes((int64_t)bytes, size);
        printf("good: %" PRIu64 " pages, %s, every checksum fits\n", pages, size);
    }
    return HR_OK;
}

/* ---- take-over ---------------------------------------------------------------------------------------------- */

static enum hr_status take_over_in(struct hr_checkpoint *checkpoint, int64_t batch, const char *lineage,
                                   struct hr_error *err)
{
    enum hr_status status = hr_checkpoint_take_over(checkpoint, batch, lineage, err);
    hr_checkpoint_close(checkpoint);
    return status;
}

static enum hr_status take_over(struct hr_inspector *inspector, struct hr_error *err)
{
    if (inspector->batch < 0) {
        (void)hr_fail(err, HR_NO_INPUT, "no batch is committed: there is nothing to keep");
        return hr_fail_hint(err, "headrace run --new-lineage starts from the beginning");
    }
    HR_TRY(hr_inspector_record(inspector, inspector->batch, &inspector->record, err));
    struct hr_checkpoint *checkpoint;
    char lineage[37];
    bool created = false;
    hr_random_uuid(&hr_random_system, lineage);
    HR_TRY(hr_checkpoint_open(inspector->directory, HR_STR("{}"), lineage, 1, &checkpoint, &created, err));
    HR_TRY(take_over_in(checkpoint, inspector->batch, lineage, err));
    if (inspector->json) {
        printf("{\"lineage\":\"%s\",\"before\":\"%s\",\"batchId\":%" PRId64 "}\n", lineage, inspector->info.lineage,
               inspector->batch);
    } else {
        printf("lineage %s goes on from lineage %s after batch %" PRId64 ", with what was learned until then.\n"
               "The next start takes the sinks over; rows that they have from later batches are written again.\n",
               lineage, inspector->info.lineage, inspector->batch);
    }
    return HR_OK;
}

/* ---- command ------------------------------------------------------------------------------------------------ */

struct verb {
    const char *name;
    enum hr_status (*run)(struct hr_inspector *inspector, struct hr_error *err);
};

static const struct verb verbs[] = {
    {"list", list}, {"inspect", hr_inspector_print}, {"verify", verify}, {"take-over", take_over}};

static const struct verb *verb_find(const char *name, struct hr_error *err)
{
    const char *names[HR_ARRAY_LEN(verbs)];
    for (size_t i = 0; i < HR_ARRAY_LEN(verbs); i++) {
        names[i] = verbs[i].name;
        if (strcmp(name, verbs[i].name) == 0) {
            return &verbs[i];
        }
    }
    const char *near = hr_str_nearest(name, names, HR_ARRAY_LEN(names));
    (void)hr_fail(err, HR_USAGE, "checkpoint: '%s' is not one of list, inspect, verify, take-over", name);
    if (near != NULL) {
        (void)hr_fail_hint(err, "did you mean 'headrace checkpoint %s DIR'?", near);
    } else {
        (void)hr_fail_hint(err, "usage: headrace checkpoint list|inspect|verify|take-over DIR");
    }
    return NULL;
}

static enum hr_status batch_flag(const struct hr_arguments *arguments, int64_t *batch, struct hr_error *err)
{
    const char *text = hr_arguments_get(arguments, "batch");
    if (text != NULL && (!hr_number_parse_int64(text, strlen(text), batch) || *batch < 0)) {
        (void)hr_fail(err, HR_USAGE, "--batch: '%s' is not a batch number", text);
        return hr_fail_hint(err, "headrace checkpoint list shows the batches that are kept");
    }
    return HR_OK;
}

static int checkpoint(struct hr_arguments *arguments)
{
    struct hr_error err;
    const struct verb *verb = verb_find(arguments->operands[0], &err);
    if (verb == NULL) {
        return hr_command_fail(&err);
    }
    struct hr_inspector inspector = {.json = hr_arguments_is(arguments, "format", "json"),
                                     .directory = arguments->operands[1],
                                     .record = {.batch = -1}};
    enum hr_status status = hr_inspector_open(&inspector, arguments->operands[1], &err);
    if (status == HR_OK) {
        status = batch_flag(arguments, &inspector.batch, &err);
    }
    if (status == HR_OK) {
        status = verb->run(&inspector, &err);
    }
    hr_inspector_close(&inspector);
    return status == HR_OK ? 0 : hr_command_fail(&err);
}

static const struct hr_flag flags[] = {
    {.name = "batch", .value = "N", .help = "inspect, take-over: the state after this batch (default: the last one)"},
    {.name = "format", .value = "FORMAT", .choices = hr_text_or_json, .help = "default text"},
};

const struct hr_command hr_command_checkpoint = {
    .name = "checkpoint",
    .operands = "list|inspect|verify|take-over DIR",
    .summary = "look at a checkpoint: its batches, its state, its checksums",
    .doc = "list       the batches that are kept, and one that is prepared, or was dropped and runs again\n"
           "inspect    lineage, positions, what stages and models learned\n"
           "verify     reads everything and checks every checksum; exit code 74 names the first damage\n"
           "take-over  keeps what was learned up to a batch and gives the checkpoint a new lineage, which takes the\n"
           "           sinks over: for a checkpoint and sinks that went apart (docs/recovery.md)\n\n"
           "The first three take no lock and change no byte, so that they can be used while a query runs.",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 2,
    .operands_max = 2,
    .run = checkpoint,
};
