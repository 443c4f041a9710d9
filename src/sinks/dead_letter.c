/* SPDX-License-Identifier: Apache-2.0
 *
 * Rejects as documents of the sink "deadLetter".
 */
#include "sinks/dead_letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "data/base64.h"

#define BUFFER_MAX ((size_t)256 << 20)

struct dead_letter_options {
    double max_ratio;
};

static const struct hr_option dead_letter_options[] = {
    HR_OPTION(struct dead_letter_options, max_ratio, "maxRatio", DOUBLE, .minimum = 0, .maximum = 1,
              .help = "more than this share of bad records among the last 10,000 ends the query; default: no limit"),
};

struct hr_option_table hr_dead_letter_options(void)
{
    return HR_OPTION_TABLE(dead_letter_options);
}

/* The sink's own keys, which this reader leaves to it. */
static const char *const sink_keys[] = {
    "type",   "id",     "topic",   "path",    "properties",        "transactionalIdPrefix", "ledger",
    "format", "keyCol", "columns", "content", "deliveryGuarantee", "maxRowsPerBatch",       "truncate",
    NULL,
};

/* Dead letters are not rows: what says which rows, or which sink of several, has nothing to say. */
static void refuse_keys_of_rows(const struct hr_yaml *node, struct hr_findings *findings)
{
    static const char *const keys[] = {"id", "columns", "content", "keyCol"};
    for (size_t i = 0; i < HR_ARRAY_LEN(keys); i++) {
        if (hr_yaml_get(node, keys[i]) != NULL) {
            struct hr_finding *finding =
                hr_findings_error(findings, hr_yaml_key_place(node, keys[i]), "deadLetter takes no '%s'", keys[i]);
            hr_finding_hint(findings, finding, "remove it: a dead letter is the record as it came, and why it is bad");
        }
    }
}

struct hr_dead_letter *hr_dead_letter_new(const struct hr_yaml *node, const char *directory, struct hr_arena *arena,
                                          struct hr_findings *findings)
{
    static const char *const ignore[] = {"maxRatio", NULL};
    if (node == NULL) {
        return NULL;
    }
    size_t errors = findings->errors;
    const struct hr_yaml *type = hr_yaml_get(node, "type");
    if (type != NULL && type->kind == HR_YAML_SCALAR && strcmp(type->text, "console") == 0) {
        struct hr_finding *finding =
            hr_findings_error(findings, &type->place, "dead letters cannot go to the console: it keeps nothing");
        hr_finding_hint(findings, finding, "use type: kafka or type: file");
        return NULL;
    }
    refuse_keys_of_rows(node, findings);
    struct hr_dead_letter *dead_letter = hr_arena_new(arena, struct hr_dead_letter);
    struct dead_letter_options options = {0};
    dead_letter->sink = hr_sink_new_ignoring(node, "deadLetter", directory, ignore, arena, findings);
    if (dead_letter->sink != NULL) {
        hr_options_read(HR_OPTION_TABLE(dead_letter_options), node, sink_keys, &options, arena, findings);
    }
    if (findings->errors > errors) {
        return NULL;
    }
    dead_letter->sink->id = "deadLetter";
    dead_letter->max_ratio = options.max_ratio;
    hr_buf_init(&dead_letter->buffer, BUFFER_MAX);
    return dead_letter;
}

/* ---- Kafka: raw bytes, headers ------------------------------------------------------------------------------ */

#define HEADERS_MAX 8u

static struct hr_str number_text(char out[24], int64_t value)
{
    return (struct hr_str){out, (size_t)snprintf(out, 24, "%" PRId64, value)};
}

static enum hr_status write_raw(struct hr_dead_letter *dead_letter, const struct hr_reject *reject,
                                const struct hr_record *record, int64_t batch, struct hr_error *err)
{
    char partition[24];
    char offset[24];
    char batch_text[24];
    char line[24];
    struct hr_document_header headers[HEADERS_MAX] = {
        {"headrace.error.reason", hr_str_from(hr_reason_name(reject->reason))},
        {"headrace.error.message", hr_str_from(reject->message)},
        {"headrace.error.topic", record->origin},
        {"headrace.error.partition", number_text(partition, record->partition)},
        {"headrace.error.offset", number_text(offset, record->offset)},
        {"headrace.error.query", hr_str_from(dead_letter->sink->identity.query)},
        {"headrace.error.batch", number_text(batch_text, batch)},
        {"headrace.error.line", number_text(line, record->line)},
    };
    struct hr_document document = {
        .value = record->value,
        .headers = headers,
        .header_count = record->line > 0 ? HEADERS_MAX : HEADERS_MAX - 1,
    };
    if (record->flags & HR_RECORD_HAS_KEY) {
        document.key = record->key;
    }
    return hr_sink_write_document(dead_letter->sink, &document, err);
}

/* ---- file: JSON lines --------------------------------------------------------------------------------------- */

static void json_raw_bytes(struct hr_json *json, struct hr_str bytes, struct hr_dead_letter *dead_letter)
{
    if (hr_str_is_utf8(bytes)) {
        hr_json_key(json, "raw");
        hr_json_str(json, bytes);
        return;
    }
    hr_json_key(json, "rawBase64");
    size_t length = hr_base64_length(bytes.length);
    hr_json_raw(json, HR_STR("\""));
    char *out = hr_buf_reserve(&dead_letter->buffer, length);
    if (out != NULL) {
        hr_base64_encode(bytes.data, bytes.length, out);
        dead_letter->buffer.length += length;
    }
    hr_buf_append_char(&dead_letter->buffer, '"');
}

static enum hr_status write_json(struct hr_dead_letter *dead_letter, const struct hr_reject *reject,
                                 const struct hr_record *record, int64_t batch, struct hr_error *err)
{
    struct hr_json json;
    hr_buf_clear(&dead_letter->buffer);
    hr_json_init(&json, &dead_letter->buffer);
    hr_json_object_begin(&json);
    hr_json_key(&json, "reason");
    hr_json_text(&json, hr_reason_name(reject->reason));
    hr_json_key(&json, "message");
    hr_json_text(&json, reject->message);
    hr_json_key(&json, "topic");
    hr_json_str(&json, record->origin);
    hr_json_key(&json, "partition");
    hr_json_int(&json, record->partition);
    hr_json_key(&json, "offset");
    hr_json_int(&json, record->offset);
    if (record->line > 0) {
        hr_json_key(&json, "line");
        hr_json_int(&json, record->line);
    }
    hr_json_key(&json, "query");
    hr_json_text(&json, dead_letter->sink->identity.query);
    hr_json_key(&json, "batch");
    hr_json_int(&json, batch);
    json_raw_bytes(&json, record->value, dead_letter);
    hr_json_object_end(&json);
    struct hr_document document = {.value = hr_buf_str(&dead_letter->buffer)};
    return hr_sink_write_document(dead_letter->sink, &document, err);
}

enum hr_status hr_dead_letter_write(struct hr_dead_letter *dead_letter, const struct hr_rejects *rejects,
                                    const struct hr_record *records, int64_t batch, struct hr_error *err)
{
    bool raw = strcmp(dead_letter->sink->type->kind.name, "kafka") == 0;
    for (size_t i = 0; i < rejects->count; i++) {
        const struct hr_reject *reject = &rejects->items[i];
        const struct hr_record *record = &records[reject->record];
        HR_TRY(raw ? write_raw(dead_letter, reject, record, batch, err)
                   : write_json(dead_letter, reject, record, batch, err));
    }
    return HR_OK;
}

void hr_dead_letter_close(struct hr_dead_letter *dead_letter)
{
    hr_sink_close(dead_letter->sink);
    hr_buf_release(&dead_letter->buffer);
}
