/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace explain: what a query file comes to. The text for people is made from the same document that --format json
 * prints, so that the two say the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "service/command.h"
#include "service/document.h"
#include "service/explain.h"
#include "service/query_files.h"

#define OUTPUT_MAX (64u << 20)

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static const char *guarantee_of(const json_t *sink)
{
    return strcmp(text_of(sink, "deliveryGuarantee"), "exactly_once") == 0 ? "exactly once" : "at least once";
}

/* "nominal, 3 values: a, b, c", "size 8: x, y, …" */
static void attribute_text(const json_t *attribute, struct hr_buf *out)
{
    if (!json_is_object(attribute)) {
        return;
    }
    const json_t *size = json_object_get(attribute, "size");
    const json_t *values = json_object_get(attribute, "values");
    const json_t *names = json_object_get(attribute, "names");
    json_int_t count = json_integer_value(size != NULL ? size : values);
    if (size != NULL) {
        hr_buf_printf(out, "  size %" PRId64, (int64_t)count);
    } else {
        hr_buf_printf(out, "  %s", text_of(attribute, "kind"));
        if (values != NULL) {
            hr_buf_printf(out, ", %" PRId64 " values", (int64_t)count);
        }
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        hr_buf_printf(out, "%s%s", i == 0 ? ": " : ", ", name != NULL ? name : "?");
    }
    if (names != NULL && json_array_size(names) < (size_t)count) {
        hr_buf_append_text(out, ", …");
    }
}

static void columns_text(const json_t *columns, struct hr_buf *out)
{
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        hr_buf_printf(out, "    %-24s %s", text_of(column, "name"), text_of(column, "type"));
        if (!json_is_true(json_object_get(column, "nullable")) && strncmp(text_of(column, "name"), "__", 2) != 0) {
            hr_buf_append_text(out, ", not null");
        }
        attribute_text(json_object_get(column, "attribute"), out);
        hr_buf_append_char(out, '\n');
    }
}

/* "  key value" lines; values as JSON, strings bare. */
static void params_text(const json_t *params, struct hr_buf *out)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)params, key, value)
    {
        hr_buf_printf(out, "    %s: ", key);
        if (json_is_string(value)) {
            hr_buf_append_text(out, json_string_value(value));
        } else {
            struct hr_json json;
            hr_json_init(&json, out);
            hr_document_write(&json, value);
        }
        hr_buf_append_char(out, '\n');
    }
}

static void source_text(const json_t *source, struct hr_buf *out)
{
    hr_buf_printf(out, "source %s: %s\n    %s, %s; format %s, bad records: %s\n", text_of(source, "id"),
                  text_of(source, "description"),
                  json_is_true(json_object_get(source, "replayable")) ? "can be read again" : "cannot be read again",
                  json_is_true(json_object_get(source, "bounded")) ? "ends by itself" : "goes on for ever",
                  text_of(source, "format"), text_of(source, "badRecords"));
    hr_buf_append_text(out, "  columns\n");
    columns_text(json_object_get(source, "columns"), out);
}

static void stages_text(const json_t *stages, struct hr_buf *out)
{
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        hr_buf_printf(out, "stage %zu %s '%s' (%s)\n", i, text_of(stage, "type"), text_of(stage, "id"),
                      text_of(stage, "kind"));
        hr_buf_append_text(out, "  adds\n");
        columns_text(json_object_get(stage, "columns"), out);
    }
}

static void model_text(const json_t *model, struct hr_buf *out)
{
    if (!json_is_object(model)) {
        hr_buf_append_text(out, "model none\n");
        return;
    }
    hr_buf_printf(out, "model %s '%s', learns %s, ", text_of(model, "type"), text_of(model, "id"),
                  text_of(model, "learns"));
    const json_t *features = json_object_get(model, "features");
    if (json_is_integer(features)) {
        hr_buf_printf(out, "%" PRId64 " features\n", (int64_t)json_integer_value(features));
    } else {
        hr_buf_append_text(out, "number of features known at the first row\n");
    }
    params_text(json_object_get(model, "params"), out);
    hr_buf_append_text(out, "  adds\n");
    columns_text(json_object_get(model, "columns"), out);
}

static void sinks_text(const json_t *sinks, struct hr_buf *out)
{
    for (size_t i = 0; i < json_array_size(sinks); i++) {
        const json_t *sink = json_array_get(sinks, i);
        const json_t *columns = json_object_get(sink, "columns");
        hr_buf_printf(out, "sink %s: %s, %s\n    %s", text_of(sink, "id"), text_of(sink, "description"),
                      guarantee_of(sink), text_of(sink, "content"));
        for (size_t j = 0; j < json_array_size(columns); j++) {
            hr_buf_printf(out, "%s%s", j == 0 ? ": " : ", ", json_string_value(json_array_get(columns, j)));
        }
        hr_buf_append_char(out, '\n');
    }
}

static void rest_text(const json_t *document, struct hr_buf *out)
{
    const json_t *dead_letter = json_object_get(document, "deadLetter");
    if (json_is_object(dead_letter)) {
        const json_t *ratio = json_object_get(dead_letter, "maxRatio");
        hr_buf_printf(out, "dead letters: %s, %s", text_of(dead_letter, "description"), guarantee_of(dead_letter));
        if (json_is_real(ratio)) {
            hr_buf_printf(out, ", at most %g of the rows", json_real_value(ratio));
        }
        hr_buf_append_char(out, '\n');
    } else {
        hr_buf_append_text(out, "dead letters: none\n");
    }
    const char *interval = text_of(json_object_get(document, "trigger"), "processingTime");
    if (interval[0] != '\0') {
        hr_buf_printf(out, "trigger: processingTime %s\n", interval);
    } else {
        bool once = json_object_get(json_object_get(document, "trigger"), "once") != NULL;
        hr_buf_printf(out, "trigger: %s\n", once ? "once" : "availableNow");
    }
    const json_t *checkpoint = json_object_get(document, "checkpoint");
    hr_buf_printf(out, "checkpoint: %s, keeps %" PRId64 " batches\n", text_of(checkpoint, "location"),
                  (int64_t)json_integer_value(json_object_get(checkpoint, "keep")));
}

static void memory_text(const json_t *memory, struct hr_buf *out)
{
    static const char *const lines[][2] = {
        {"chunk", "one chunk of columns"},
        {"batch", "records of a batch, and rows that sinks hold back"},
        {"stages", "state of stages"},
        {"model", "state of the model"},
        {"evaluation", "state of the metrics"},
        {"store", "checkpoint store"},
        {"total", ""},
    };
    const json_t *assumed = json_object_get(memory, "assumed");
    hr_buf_append_text(out, "memory, estimated\n");
    for (size_t i = 0; i < HR_ARRAY_LEN(lines); i++) {
        char size[32];
        hr_units_format_bytes(json_integer_value(json_object_get(memory, lines[i][0])), size);
        hr_buf_printf(out, "    %-12s %10s  %s\n", lines[i][0], size, lines[i][1]);
    }
    hr_buf_printf(out, "    (batches of %" PRId64 " rows of %" PRId64 " bytes%s)\n",
                  (int64_t)json_integer_value(json_object_get(assumed, "batchRows")),
                  (int64_t)json_integer_value(json_object_get(assumed, "recordBytes")),
                  json_is_true(json_object_get(assumed, "modelSizeKnown")) ? "" : "; the model grows at the first row");
}

static void explain_text(const json_t *document, struct hr_buf *out)
{
    hr_buf_printf(out, "query %s (%s)\n", text_of(document, "query"), text_of(document, "file"));
    source_text(json_object_get(document, "source"), out);
    stages_text(json_object_get(document, "stages"), out);
    model_text(json_object_get(document, "model"), out);
    sinks_text(json_object_get(document, "sinks"), out);
    rest_text(document, out);
    memory_text(json_object_get(document, "memory"), out);
}

static int explain(struct hr_arguments *arguments)
{
    int exit_code = 0;
    struct hr_plan *plan = hr_query_file_plan(arguments, arguments->operands[0], HR_PLAN_RUN, &exit_code);
    if (plan == NULL) {
        return exit_code;
    }
    json_t *document = hr_explain_document(plan);
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, OUTPUT_MAX);
    if (hr_arguments_is(arguments, "format", "json")) {
        struct hr_json json;
        hr_json_init(&json, &out);
        hr_document_write(&json, document);
        hr_buf_append_char(&out, '\n');
    } else {
        explain_text(document, &out);
    }
    fwrite(out.data, 1, out.length, stdout);
    json_decref(document);
    hr_plan_free(plan);
    return 0;
}

static const struct hr_flag flags[] = {
    {.name = "format", .value = "FORMAT", .choices = hr_text_or_json, .help = "default text"},
};

const struct hr_command hr_command_explain = {
    .name = "explain",
    .operands = "QUERY.yaml",
    .summary = "the plan: columns, model, guarantee of each sink, memory",
    .doc = "Prints the columns with their types after each stage, the model with its parameters, what each sink\n"
           "guarantees, trigger, checkpoint, and how much memory the query takes. Looks at nothing outside the file;\n"
           "secrets are shown as <redacted>, what came from a variable as <from a variable>.",
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 1,
    .operands_max = 1,
    .run = explain,
};
