/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace checkpoint: looks at a checkpoint without its query, from the identity that it stores. Takes no lock and
 * changes no byte, but for take-over, which does both.
 *
 * `inspect` is made of what a batch decides and nothing else (no clock, no path), in a fixed order: two runs over the
 * same batches print the same bytes but for the lineage.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/random.h"
#include "base/units.h"
#include "ml/model.h"
#include "ml/stage.h"
#include "service/command.h"
#include "service/document.h"
#include "state/checkpoint.h"
#include "stream/record.h"

#define DOCUMENT_MAX ((size_t)1 << 32)
#define STATE_MAX ((size_t)1 << 40)

struct inspector {
    struct hr_checkpoint *checkpoint;
    struct hr_checkpoint_info info;
    json_t *identity; /* owned */
    int64_t batch;    /* the one asked for; −1: none is committed */
    struct hr_batch_record record;
    const char *directory;
    bool json;
};

/* ---- open --------------------------------------------------------------------------------------------------- */

static enum hr_status inspector_read_record(struct inspector *inspector, int64_t batch, struct hr_batch_record *out,
                                            struct hr_error *err)
{
    struct hr_buf bytes HR_CLEANUP(hr_buf_release);
    hr_buf_init(&bytes, DOCUMENT_MAX);
    enum hr_status status = hr_checkpoint_record(inspector->checkpoint, batch, &bytes, err);
    if (status == HR_END) {
        (void)hr_fail(err, HR_NO_INPUT, "batch %" PRId64 " is not in the checkpoint (committed: %" PRId64 ")", batch,
                      inspector->info.committed);
        return hr_fail_hint(err, "headrace checkpoint list shows the batches that are kept");
    }
    HR_TRY(status);
    return hr_batch_record_decode(hr_buf_str(&bytes), out, err);
}

static enum hr_status inspector_open(struct inspector *inspector, const char *directory, struct hr_error *err)
{
    HR_TRY(hr_checkpoint_open_read_only(directory, &inspector->checkpoint, err));
    hr_checkpoint_info(inspector->checkpoint, &inspector->info);
    struct hr_str identity = hr_checkpoint_identity(inspector->checkpoint);
    json_error_t problem;
    inspector->identity = json_loadb(identity.data, identity.length, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(inspector->identity)) {
        return hr_fail(err, HR_CORRUPT, "the identity in '%s' is no JSON object: %s", directory, problem.text);
    }
    inspector->batch = inspector->info.committed;
    return HR_OK;
}

static void inspector_close(struct inspector *inspector)
{
    hr_batch_record_release(&inspector->record);
    json_decref(inspector->identity);
    hr_checkpoint_close(inspector->checkpoint);
}

/* ---- inspect ------------------------------------------------------------------------------------------------ */

static enum hr_status part_load(struct inspector *inspector, const char *kind, const char *id, struct hr_paged *out,
                                struct hr_error *err)
{
    char name[256];
    snprintf(name, sizeof(name), "%s:%s", kind, id);
    struct hr_checkpoint_part part = {.name = name, .paged = out};
    return inspector->batch < 0 ? HR_OK : hr_checkpoint_load(inspector->checkpoint, inspector->batch, &part, err);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static enum hr_status stage_fitted(struct inspector *inspector, const json_t *node, json_t **out, struct hr_error *err)
{
    const struct hr_stage_type *type = hr_stage_type_find(text_of(node, "type"));
    if (type == NULL || (type->flags & HR_STAGE_ONLINE) == 0) {
        *out = json_incref(json_object_get(node, "fitted"));
        return HR_OK;
    }
    struct hr_paged state HR_CLEANUP(hr_paged_release);
    hr_paged_init(&state, STATE_MAX);
    HR_TRY(part_load(inspector, "stage", text_of(node, "id"), &state, err));
    *out = state.size > 0 && type->inspect != NULL ? type->inspect(state.data, state.size) : json_null();
    return HR_OK;
}

/* Stages that hold something fitted or learned. */
static enum hr_status stages_collect(struct inspector *inspector, json_t *out, struct hr_error *err)
{
    const json_t *stages = json_object_get(inspector->identity, "stages");
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *node = json_array_get(stages, i);
        json_t *fitted = NULL;
        HR_TRY(stage_fitted(inspector, node, &fitted, err));
        if (fitted == NULL) {
            continue;
        }
        json_t *entry = json_object();
        json_object_set_new(entry, "id", json_string(text_of(node, "id")));
        json_object_set_new(entry, "type", json_string(text_of(node, "type")));
        json_object_set_new(entry, "fitted", fitted);
        json_array_append_new(out, entry);
    }
    return HR_OK;
}

static enum hr_status models_collect(struct inspector *inspector, json_t *out, struct hr_error *err)
{
    const json_t *models = json_object_get(inspector->identity, "models");
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *node = json_array_get(models, i);
        const json_t *params = json_object_get(node, "params");
        const struct hr_model_type *type = hr_model_type_find(text_of(node, "type"));
        struct hr_paged state HR_CLEANUP(hr_paged_release);
        hr_paged_init(&state, STATE_MAX);
        HR_TRY(part_load(inspector, "model", text_of(node, "id"), &state, err));
        bool known = type != NULL && state.size >= sizeof(struct hr_model_head);
        const struct hr_model_head *head = (const struct hr_model_head *)state.data;
        json_t *entry = json_object();
        json_object_set_new(entry, "id", json_string(text_of(node, "id")));
        json_object_set_new(entry, "type", json_string(text_of(node, "type")));
        json_object_set_new(entry, "version", json_integer(known ? (json_int_t)head->version : 0));
        json_object_set_new(entry, "rowsLearned", json_integer(known ? (json_int_t)head->rows_learned : 0));
        json_object_set_new(entry, "params", params != NULL ? json_deep_copy(params) : json_object());
        json_object_set_new(entry, "state", known ? type->inspect(state.data, state.size, params) : json_null());
        json_array_append_new(out, entry);
    }
    return HR_OK;
}

static void sources_write(const struct inspector *inspector, struct hr_json *json)
{
    hr_json_array_begin(json);
    hr_json_object_begin(json);
    hr_json_key(json, "id");
    hr_json_text(json, text_of(json_object_get(inspector->identity, "source"), "id"));
    hr_json_key(json, "offsets");
    hr_offsets_write(&inspector->record.end, json);
    hr_json_object_end(json);
    hr_json_array_end(json);
}

static void batch_id_write(struct hr_json *json, int64_t batch)
{
    if (batch < 0) {
        hr_json_null(json);
    } else {
        hr_json_int(json, batch);
    }
}

static enum hr_status inspect_document(struct inspector *inspector, struct hr_buf *out, struct hr_error *err)
{
    json_t *stages = json_array();
    json_t *models = json_array();
    enum hr_status status = stages_collect(inspector, stages, err);
    if (status == HR_OK) {
        status = models_collect(inspector, models, err);
    }
    if (status == HR_OK) {
        struct hr_json json;
        hr_json_init(&json, out);
        hr_json_object_begin(&json);
        hr_json_key(&json, "lineage");
        hr_json_text(&json, inspector->info.lineage);
        hr_json_key(&json, "query");
        hr_json_text(&json, text_of(inspector->identity, "query"));
        hr_json_key(&json, "batchId");
        batch_id_write(&json, inspector->batch);
        hr_json_key(&json, "prepared");
        batch_id_write(&json, inspector->info.prepared);
        hr_json_key(&json, "sources");
        sources_write(inspector, &json);
        hr_json_key(&json, "stages");
        hr_document_write(&json, stages);
        hr_json_key(&json, "models");
        hr_document_write(&json, models);
        hr_json_object_end(&json);
        hr_buf_append_char(out, '\n');
    }
    json_decref(stages);
    json_decref(models);
    return status;
}

/* The same document for people: one key a line, nested values as JSON. */
static void inspect_text(const json_t *document)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)document, key, value)
    {
        if (!json_is_array(value)) {
            printf("%-10s ", key);
            if (json_is_string(value)) {
                printf("%s\n", json_string_value(value));
            } else if (json_is_null(value)) {
                printf("none\n");
            } else {
                printf("%" PRId64 "\n", (int64_t)json_integer_value(value));
            }
            continue;
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            printf("%s[%zu]\n", key, i);
            const char *field;
            json_t *content;
            json_object_foreach(json_array_get(value, i), field, content)
            {
                struct hr_buf text HR_CLEANUP(hr_buf_release);
                hr_buf_init(&text, DOCUMENT_MAX);
                struct hr_json json;
                hr_json_init(&json, &text);
                hr_document_write(&json, content);
                printf("  %-12s %s\n", field,
                       json_is_string(content) ? json_string_value(content) : hr_buf_text(&text));
            }
        }
    }
}

static enum hr_status inspect(struct inspector *inspector, struct hr_error *err)
{
    if (inspector->batch >= 0) {
        HR_TRY(inspector_read_record(inspector, inspector->batch, &inspector->record, err));
    }
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, DOCUMENT_MAX);
    HR_TRY(inspect_document(inspector, &out, err));
    if (out.overflow) {
        return hr_fail(err, HR_BUG, "the document is larger than %zu bytes", DOCUMENT_MAX);
    }
    if (inspector->json) {
        fwrite(out.data, 1, out.length, stdout);
        return HR_OK;
    }
    json_t *document = json_loadb(out.data, out.length, 0, NULL);
    inspect_text(document);
    json_decref(document);
    return HR_OK;
}

/* ---- list --------------------------------------------------------------------------------------------------- */

struct listing {
    struct hr_json *json; /* NULL: text */
    struct inspector *inspector;
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

static enum hr_status list(struct inspector *inspector, struct hr_error *err)
{
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, DOCUMENT_MAX);
    struct hr_json json;
    hr_json_init(&json, &out);
    struct listing listing = {.json = inspector->json ? &json : NULL, .inspector = inspector};
    if (inspector->json) {
        hr_json_array_begin(&json);
    } else {
        printf("query %s, lineage %s\n%10s  %-9s  %-24s  %10s  %10s  %12s\n", text_of(inspector->identity, "query"),
               inspector->info.lineage, "batch", "state", "started", "rows in", "rows out", "dead letters");
    }
    HR_TRY(hr_checkpoint_batches(inspector->checkpoint, list_visit, &listing, err));
    if (inspector->info.prepared >= 0) {
        struct hr_batch_record record = {.batch = -1};
        HR_TRY(inspector_read_record(inspector, inspector->info.prepared, &record, err));
        list_one(&listing, &record, "prepared");
        hr_batch_record_release(&record);
    }
    if (inspector->json) {
        hr_json_array_end(&json);
        hr_buf_append_char(&out, '\n');
        fwrite(out.data, 1, out.length, stdout);
    }
    return HR_OK;
}

/* ---- verify ------------------------------------------------------------------------------------------------- */

static enum hr_status verify(struct inspector *inspector, struct hr_error *err)
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

static enum hr_status take_over(struct inspector *inspector, struct hr_error *err)
{
    if (inspector->batch < 0) {
        (void)hr_fail(err, HR_NO_INPUT, "no batch is committed: there is nothing to keep");
        return hr_fail_hint(err, "headrace run --new-lineage starts from the beginning");
    }
    HR_TRY(inspector_read_record(inspector, inspector->batch, &inspector->record, err));
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
    enum hr_status (*run)(struct inspector *inspector, struct hr_error *err);
};

static const struct verb verbs[] = {{"list", list}, {"inspect", inspect}, {"verify", verify}, {"take-over", take_over}};

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
    struct inspector inspector = {.json = hr_arguments_is(arguments, "format", "json"),
                                  .directory = arguments->operands[1],
                                  .record = {.batch = -1}};
    enum hr_status status = inspector_open(&inspector, arguments->operands[1], &err);
    if (status == HR_OK) {
        status = batch_flag(arguments, &inspector.batch, &err);
    }
    if (status == HR_OK) {
        status = verb->run(&inspector, &err);
    }
    inspector_close(&inspector);
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
    .doc = "list       the batches that are kept, and a prepared one\n"
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
