/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kafka sink: a batch is one transaction, with a record in the ledger topic that says which batch it was.
 *
 *     start     on a thread of its own: one producer with a stable transactional.id; init_transactions fences earlier
 *               instances and ends what they left open; then the ledger says what was committed last (kafka_ledger.c)
 *     write     rows are encoded chunk by chunk and produced; the transaction begins with the first of them
 *     commit    ledger record, wait until all is sent, commit; the record of a small batch follows its rows at once
 *
 * At least once: the same without transactions and ledger, commit is flush.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/thread.h"
#include "sinks/kafka_ledger.h"
#include "sinks/kafka_producer.h"

#define ENCODED_MAX ((size_t)1 << 30)

struct kafka_options {
    const char *topic;
    const char *key_column;
    const char *id_prefix;
    struct hr_yaml *ledger;
    struct hr_properties properties;
};

static const struct hr_option kafka_options[] = {
    HR_OPTION(struct kafka_options, topic, "topic", STRING, .required = true, .help = "topic to write to; must exist"),
    HR_OPTION(struct kafka_options, key_column, "keyCol", STRING,
              .help = "column of the record's key: a string, or a long as decimal text; default: no key"),
    HR_OPTION(struct kafka_options, id_prefix, "transactionalIdPrefix", STRING, .fallback = "headrace",
              .help = "transactional.id is <prefix>-<query>-<sink>"),
    HR_OPTION(struct kafka_options, ledger, "ledger", NODE,
              .help = "{topic: headrace.ledger, replicationFactor: default}: where the last batch is remembered"),
    HR_OPTION(struct kafka_options, properties, "properties", PROPERTIES,
              .help = "librdkafka's properties; bootstrap.servers at least"),
};

struct kafka_sink {
    struct hr_sink base;
    struct hr_kafka_producer producer;
    struct hr_kafka_ledger ledger;
    struct hr_format *format;
    size_t key;       /* column; SIZE_MAX: none */
    pthread_t thread; /* of start */
    bool starting;
    enum hr_status start_status;
    struct hr_error start_error;
    struct hr_sink_position position; /* what the ledger said at the start */
    int64_t batch;
    bool noted; /* its ledger record is in the transaction */
    struct hr_buf encoded;
    size_t *row_ends;
    rd_kafka_message_t *messages; /* HR_CHUNK_ROWS of them */
    char (*key_texts)[HR_NUMBER_TEXT_MAX];
};

static struct kafka_sink *kafka_of(struct hr_sink *base)
{
    return (struct kafka_sink *)base;
}

static const struct kafka_options *options_of(const struct hr_sink *base)
{
    return base->options;
}

/* ---- plan time ---------------------------------------------------------------------------------------------- */

static void kafka_check(struct hr_sink *base, struct hr_findings *findings)
{
    struct kafka_sink *sink = kafka_of(base);
    const struct kafka_options *options = options_of(base);
    hr_kafka_check(HR_KAFKA_PRODUCER, &options->properties, &base->place, findings);
    hr_kafka_ledger_read(&sink->ledger, options->ledger, findings);
    sink->format = hr_format_new(NULL, &base->place, NULL, base->arena, findings);
    sink->key = SIZE_MAX;
}

static enum hr_status kafka_bind(struct hr_sink *base, const struct hr_schema *schema, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    const struct kafka_options *options = options_of(base);
    if (options->key_column != NULL) {
        HR_TRY(hr_schema_need_type(schema, options->key_column,
                                   HR_TYPE_MASK(STRING) | HR_TYPE_MASK(BINARY) | HR_TYPE_MASK(INT) | HR_TYPE_MASK(LONG),
                                   "a string or a long", &sink->key, err));
    }
    return base->content == HR_CONTENT_METRICS ? HR_OK : hr_format_open(sink->format, schema, err);
}

static const char *kafka_describe(const struct hr_sink *base)
{
    return hr_arena_printf(base->arena, "topic %s", options_of(base)->topic);
}

/* As start, but nothing is written and nobody is fenced. */
static void kafka_preflight(struct hr_sink *base, struct hr_findings *findings)
{
    struct hr_kafka_producer producer = {0};
    struct hr_error err;
    if (hr_kafka_producer_open(&producer, &options_of(base)->properties, "lint", options_of(base)->topic, NULL, &err) !=
        HR_OK) {
        (void)hr_findings_add(findings, &base->place, &err);
    }
    hr_kafka_producer_close(&producer);
}

/* ---- start and end ------------------------------------------------------------------------------------------ */

/* All round trips of a start: connect, fence, ask the ledger. */
static enum hr_status begin_session(struct kafka_sink *sink, struct hr_error *err)
{
    const struct kafka_options *options = options_of(&sink->base);
    const char *query = sink->base.identity.query;
    bool exactly_once = sink->base.guarantee == HR_GUARANTEE_EXACTLY_ONCE;
    char id[256];
    (void)snprintf(id, sizeof(id), "%s-%s-%s", options->id_prefix, query, sink->base.id);
    HR_TRY(hr_kafka_producer_open(&sink->producer, &options->properties, query, options->topic,
                                  exactly_once ? id : NULL, err));
    sink->producer.stop = sink->base.stop;
    if (!exactly_once) {
        return HR_OK;
    }
    HR_TRY(hr_kafka_ledger_open(&sink->ledger, sink->producer.client, &sink->producer.watch, HR_KAFKA_ASK_MS, err));
    HR_TRY(hr_kafka_producer_fence(&sink->producer, err));
    sink->position = (struct hr_sink_position){.batch = -1, .unseen = -1};
    return hr_kafka_ledger_find(&sink->ledger, sink->producer.client, &options->properties, query, sink->base.id,
                                &sink->position, err);
}

static void *start_main(void *argument)
{
    struct kafka_sink *sink = argument;
    sink->start_status = begin_session(sink, &sink->start_error);
    return NULL;
}

static void kafka_start(struct hr_sink *base)
{
    struct kafka_sink *sink = kafka_of(base);
    hr_buf_init(&sink->encoded, ENCODED_MAX);
    sink->row_ends = hr_calloc(HR_CHUNK_ROWS, sizeof(*sink->row_ends));
    sink->messages = hr_calloc(HR_CHUNK_ROWS, sizeof(*sink->messages));
    sink->key_texts = hr_calloc(HR_CHUNK_ROWS, sizeof(*sink->key_texts));
    sink->thread = hr_thread_start("sink start", start_main, sink);
    sink->starting = true;
}

static void wait_started(struct kafka_sink *sink)
{
    if (sink->starting) {
        pthread_join(sink->thread, NULL);
        sink->starting = false;
    }
}

static enum hr_status kafka_open(struct hr_sink *base, const struct hr_sink_identity *identity, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    (void)identity;
    if (!sink->starting) {
        kafka_start(base);
    }
    wait_started(sink);
    if (sink->start_status != HR_OK && err != NULL) {
        *err = sink->start_error;
    }
    return sink->start_status;
}

static enum hr_status kafka_recover(struct hr_sink *base, struct hr_sink_position *out, struct hr_error *err)
{
    (void)err;
    *out = kafka_of(base)->position;
    return HR_OK;
}

static void kafka_abort(struct hr_sink *base)
{
    hr_kafka_producer_abort(&kafka_of(base)->producer);
}

static void kafka_close(struct hr_sink *base)
{
    struct kafka_sink *sink = kafka_of(base);
    wait_started(sink);
    hr_kafka_producer_abort(&sink->producer);
    hr_kafka_ledger_close(&sink->ledger);
    hr_kafka_producer_close(&sink->producer);
    hr_format_close(sink->format);
    sink->format = NULL;
    hr_buf_release(&sink->encoded);
    hr_free(sink->row_ends);
    hr_free(sink->messages);
    hr_free(sink->key_texts);
    sink->row_ends = NULL;
    sink->messages = NULL;
    sink->key_texts = NULL;
}

/* ---- a batch ------------------------------------------------------------------------------------------------ */

static enum hr_status kafka_begin(struct hr_sink *base, int64_t batch, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    (void)err;
    sink->batch = batch;
    sink->noted = false;
    hr_kafka_producer_begin(&sink->producer);
    return HR_OK;
}

static struct hr_str key_of(struct kafka_sink *sink, const struct hr_column *column, size_t row)
{
    if (hr_column_is_null(column, row)) {
        return (struct hr_str){0};
    }
    if (column->type == HR_TYPE_STRING || column->type == HR_TYPE_BINARY) {
        return column->strings[row];
    }
    size_t length = hr_number_format_int64(column->longs[row], sink->key_texts[row]);
    return (struct hr_str){sink->key_texts[row], length};
}

/* Readers of the ledger wait for a transaction that is open there, so the record of a batch that takes long must come
 * last. That of one that is done soon can be on its way while the batch is prepared. */
static bool is_small(const struct hr_chunk *chunk)
{
    return chunk->rows <= HR_CHUNK_ROWS / 2;
}

static enum hr_status note_batch(struct kafka_sink *sink, struct hr_error *err)
{
    if (!sink->producer.transactional || sink->noted) {
        return HR_OK;
    }
    sink->noted = true;
    HR_TRY(hr_kafka_producer_enter(&sink->producer, err));
    return hr_kafka_ledger_write(&sink->ledger, sink->producer.client, &sink->base.identity, sink->base.id, sink->batch,
                                 err);
}

static enum hr_status kafka_write_rows(struct hr_sink *base, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    hr_buf_clear(&sink->encoded);
    hr_format_encode(sink->format, chunk, base->columns, base->column_count, 0, chunk->rows, false, &sink->encoded,
                     sink->row_ends);
    if (sink->encoded.overflow) {
        return hr_fail(err, HR_IO, "the rows of one chunk take more than %zu bytes", sink->encoded.maximum);
    }
    const struct hr_column *key_column = sink->key == SIZE_MAX ? NULL : &chunk->columns[sink->key];
    size_t start = 0;
    for (size_t row = 0; row < chunk->rows; row++) {
        struct hr_str key = key_column == NULL ? (struct hr_str){0} : key_of(sink, key_column, row);
        sink->messages[row] = (rd_kafka_message_t){
            .payload = sink->encoded.data + start,
            .len = sink->row_ends[row] - start,
            .key = (void *)key.data,
            .key_len = key.length,
        };
        start = sink->row_ends[row];
    }
    HR_TRY(hr_kafka_producer_send(&sink->producer, sink->messages, chunk->rows, key_column != NULL,
                                  sink->encoded.length, err));
    return is_small(chunk) ? note_batch(sink, err) : HR_OK;
}

static enum hr_status kafka_write_document(struct hr_sink *base, const struct hr_document *document,
                                           struct hr_error *err)
{
    return hr_kafka_producer_send_document(&kafka_of(base)->producer, document, err);
}

static enum hr_status kafka_commit(struct hr_sink *base, int64_t batch, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    struct hr_kafka_producer *producer = &sink->producer;
    if (!producer->transactional) {
        return hr_kafka_producer_flush(producer, err);
    }
    HR_ASSERT(batch == sink->batch);
    HR_TRY(note_batch(sink, err));
    /* Sent before it is committed: the wait inside commit has a grain of ten milliseconds. */
    HR_TRY(hr_kafka_producer_flush(producer, err));
    HR_TRY(hr_fault("deliver.kafka.sent", err));
    HR_TRY(hr_kafka_producer_commit(producer, err));
    return hr_fault("deliver.kafka.committed", err);
}

const struct hr_sink_type hr_sink_kafka = {
    .kind =
        {
            .name = "kafka",
            .summary = "records of a Kafka topic, exactly once",
            .doc =
                "A batch is one transaction, with a record in the ledger topic that remembers the batch. Readers with "
                "isolation.level=read_committed see each row once. The topic must exist; the ledger topic is made when "
                "it is missing.",
            .example =
                "{type: kafka, topic: predictions, keyCol: id, properties: {bootstrap.servers: \"localhost:9092\"}}",
            .options = {kafka_options, HR_ARRAY_LEN(kafka_options)},
            .options_size = sizeof(struct kafka_options),
            .instance_size = sizeof(struct kafka_sink),
        },
    .flags = HR_SINK_TRANSACTIONAL,
    .check = kafka_check,
    .bind = kafka_bind,
    .preflight = kafka_preflight,
    .start = kafka_start,
    .open = kafka_open,
    .recover = kafka_recover,
    .begin = kafka_begin,
    .write_rows = kafka_write_rows,
    .write_document = kafka_write_document,
    .commit = kafka_commit,
    .abort = kafka_abort,
    .close = kafka_close,
    .describe = kafka_describe,
};
