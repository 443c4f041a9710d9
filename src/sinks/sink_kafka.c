/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kafka sink: a batch is one transaction, with a record in the ledger topic that says which batch it was.
 *
 *     start     on a thread of its own: one producer with a stable transactional.id; init_transactions fences earlier
 *               instances and ends what they left open; then the ledger says what was committed last (kafka_ledger.c)
 *     write     rows are encoded chunk by chunk and produced; the transaction begins with the first of them
 *     commit    ledger record, wait until all is sent, commit; once more as long as librdkafka says that it may
 *     abort     flush, then abort: aborting while a request waits for its retry is fatal in librdkafka 2.0
 *
 * A commit that fails in any way leaves the outcome to the ledger: HR_UNAVAILABLE, and the query starts again from its
 * checkpoint with another producer. At least once: the same without transactions, commit is flush.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/kafka.h"
#include "base/log.h"
#include "base/number.h"
#include "base/thread.h"
#include "sinks/kafka_ledger.h"
#include "sinks/sink.h"

#define ASK_MS 5000
/* Without any progress for so long, the query starts again from the checkpoint, and says so. */
#define GIVE_UP_NS INT64_C(15000000000)
#define COMMIT_MS 3000
#define ABORT_MS 3000
#define ENCODED_MAX ((size_t)1 << 30)
/* Half of librdkafka's own limit. */
#define QUEUED_BYTES_MAX ((size_t)512 << 20)

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
    struct hr_kafka_ledger ledger;
    struct hr_format *format;
    size_t key; /* column; SIZE_MAX: none */
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    pthread_t thread; /* of start */
    bool starting;
    enum hr_status start_status;
    struct hr_error start_error;
    struct hr_sink_position position; /* what the ledger said at the start */
    bool open_transaction;
    rd_kafka_resp_err_t failed; /* first delivery that failed since begin */
    char failed_text[256];
    int queue_max;       /* queue.buffering.max.messages */
    size_t queued_bytes; /* at most so many are in librdkafka's queue */
    struct hr_buf encoded;
    size_t *row_ends;
    rd_kafka_message_t *messages; /* HR_CHUNK_ROWS of them */
    char (*key_texts)[HR_NUMBER_TEXT_MAX];
};

static struct kafka_sink *kafka_of(struct hr_sink *base)
{
    return (struct kafka_sink *)base;
}

static bool is_transactional(const struct kafka_sink *sink)
{
    return sink->base.guarantee == HR_GUARANTEE_EXACTLY_ONCE;
}

static const char *what(const struct kafka_sink *sink, const char *action, char text[320])
{
    (void)snprintf(text, 320, "topic '%.200s': %s", ((const struct kafka_options *)sink->base.options)->topic, action);
    return text;
}

/* ---- plan time ---------------------------------------------------------------------------------------------- */

static void kafka_check(struct hr_sink *base, struct hr_findings *findings)
{
    struct kafka_sink *sink = kafka_of(base);
    const struct kafka_options *options = base->options;
    hr_kafka_check(HR_KAFKA_PRODUCER, &options->properties, &base->place, findings);
    hr_kafka_ledger_read(&sink->ledger, options->ledger, findings);
    sink->format = hr_format_new(NULL, &base->place, NULL, base->arena, findings);
    sink->key = SIZE_MAX;
}

static enum hr_status kafka_bind(struct hr_sink *base, const struct hr_schema *schema, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    const struct kafka_options *options = base->options;
    if (options->key_column != NULL) {
        HR_TRY(hr_schema_need_type(schema, options->key_column,
                                   HR_TYPE_MASK(STRING) | HR_TYPE_MASK(BINARY) | HR_TYPE_MASK(INT) | HR_TYPE_MASK(LONG),
                                   "a string or a long", &sink->key, err));
    }
    return base->content == HR_CONTENT_METRICS ? HR_OK : hr_format_open(sink->format, schema, err);
}

static const char *kafka_describe(const struct hr_sink *base)
{
    return hr_arena_printf(base->arena, "topic %s", ((const struct kafka_options *)base->options)->topic);
}

/* ---- open and close ----------------------------------------------------------------------------------------- */

/* Only failures come here. */
static void delivery_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_sink *sink = opaque;
    (void)client;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && sink->failed == RD_KAFKA_RESP_ERR_NO_ERROR) {
        sink->failed = message->err;
        (void)snprintf(sink->failed_text, sizeof(sink->failed_text), "%s", rd_kafka_err2str(message->err));
    }
}

/* Kept quiet: librdkafka's texts guess at causes, and what counts comes back from produce and commit. */
static void client_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)opaque;
    hr_log_debug(NULL, "%s: %s: %s", rd_kafka_name(client), rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

static enum hr_status kafka_configure(struct kafka_sink *sink, rd_kafka_conf_t *conf, struct hr_error *err)
{
    const struct kafka_options *options = sink->base.options;
    rd_kafka_conf_set_opaque(conf, sink);
    rd_kafka_conf_set_dr_msg_cb(conf, delivery_report);
    rd_kafka_conf_set_error_cb(conf, client_error);
    if (!is_transactional(sink)) {
        return HR_OK;
    }
    char id[256];
    (void)snprintf(id, sizeof(id), "%s-%s-%s", options->id_prefix, sink->base.identity.query, sink->base.id);
    HR_TRY(hr_kafka_conf_set(conf, "transactional.id", id, err));
    /* For the ledger: its end must count what other queries have open (kafka_ledger.c). */
    return hr_kafka_conf_set(conf, "isolation.level", "read_uncommitted", err);
}

static enum hr_status kafka_connect(struct kafka_sink *sink, struct hr_error *err)
{
    const struct kafka_options *options = sink->base.options;
    rd_kafka_conf_t *conf = NULL;
    int partitions = 0;
    HR_TRY(hr_kafka_conf(HR_KAFKA_PRODUCER, &options->properties, sink->base.identity.query, &conf, err));
    enum hr_status status = kafka_configure(sink, conf, err);
    if (status != HR_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    HR_TRY(hr_kafka_client(HR_KAFKA_PRODUCER, conf, &sink->client, err));
    char number[32] = "";
    size_t size = sizeof(number);
    (void)rd_kafka_conf_get(rd_kafka_conf(sink->client), "queue.buffering.max.messages", number, &size);
    sink->queue_max = atoi(number) >= 2 ? atoi(number) : INT32_MAX / 2; /* 0: no limit */
    sink->topic = rd_kafka_topic_new(sink->client, options->topic, NULL);
    if (sink->topic == NULL) {
        return hr_fail(err, HR_BAD_CONFIG, "'%s' is no name of a topic", options->topic);
    }
    return hr_kafka_topic(sink->client, options->topic, ASK_MS, &partitions, err);
}

/* Ends what an earlier instance left open, and keeps it from writing ever again. */
static enum hr_status kafka_init_transactions(struct kafka_sink *sink, struct hr_error *err)
{
    char text[320];
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_init_transactions(sink->client, ASK_MS);
        if (error == NULL) {
            return HR_OK;
        }
        bool again = rd_kafka_error_is_retriable(error) && hr_clock_monotonic_ns(&hr_clock_system) - begin < GIVE_UP_NS;
        if (!again) {
            (void)hr_kafka_fail(err, rd_kafka_error_code(error), rd_kafka_error_string(error),
                                what(sink, "starting transactions", text));
        }
        rd_kafka_error_destroy(error);
        if (!again) {
            return err != NULL ? err->status : HR_UNAVAILABLE;
        }
    }
}

/* All round trips of a start: connect, fence, ask the ledger. */
static enum hr_status kafka_begin_session(struct kafka_sink *sink, struct hr_error *err)
{
    const struct kafka_options *options = sink->base.options;
    HR_TRY(kafka_connect(sink, err));
    if (!is_transactional(sink)) {
        return HR_OK;
    }
    HR_TRY(hr_kafka_ledger_open(&sink->ledger, sink->client, ASK_MS, err));
    HR_TRY(kafka_init_transactions(sink, err));
    sink->position = (struct hr_sink_position){.batch = -1};
    return hr_kafka_ledger_find(&sink->ledger, sink->client, &options->properties, sink->base.identity.query,
                                sink->base.id, &sink->position, err);
}

static void *start_main(void *argument)
{
    struct kafka_sink *sink = argument;
    sink->start_status = kafka_begin_session(sink, &sink->start_error);
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
    struct kafka_sink *sink = kafka_of(base);
    if (!sink->open_transaction) {
        return;
    }
    sink->open_transaction = false;
    (void)rd_kafka_flush(sink->client, ABORT_MS);
    rd_kafka_error_t *error = rd_kafka_abort_transaction(sink->client, ABORT_MS);
    if (error != NULL) {
        hr_log_debug(base->identity.query, "sink '%s': abort: %s; the next start or the time-out ends the transaction",
                     base->id, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

static void kafka_close(struct hr_sink *base)
{
    struct kafka_sink *sink = kafka_of(base);
    wait_started(sink);
    if (sink->client != NULL) {
        kafka_abort(base);
        hr_kafka_ledger_close(&sink->ledger);
        if (sink->topic != NULL) {
            rd_kafka_topic_destroy(sink->topic);
        }
        (void)rd_kafka_purge(sink->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(sink->client);
    }
    if (sink->format != NULL) {
        hr_format_close(sink->format);
        sink->format = NULL;
    }
    hr_buf_release(&sink->encoded);
    hr_free(sink->row_ends);
    hr_free(sink->messages);
    hr_free(sink->key_texts);
    sink->client = NULL;
    sink->topic = NULL;
    sink->row_ends = NULL;
    sink->messages = NULL;
    sink->key_texts = NULL;
}

/* As open, but nothing is written and nobody is fenced. */
static void kafka_preflight(struct hr_sink *base, struct hr_findings *findings)
{
    struct kafka_sink *sink = kafka_of(base);
    const struct kafka_options *options = base->options;
    struct hr_error err;
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *client = NULL;
    int partitions = 0;
    (void)sink;
    if (hr_kafka_conf(HR_KAFKA_PRODUCER, &options->properties, "lint", &conf, &err) != HR_OK) {
        (void)hr_findings_add(findings, &base->place, &err);
        return;
    }
    rd_kafka_conf_set_error_cb(conf, client_error);
    if (hr_kafka_client(HR_KAFKA_PRODUCER, conf, &client, &err) != HR_OK ||
        hr_kafka_topic(client, options->topic, ASK_MS / 2, &partitions, &err) != HR_OK) {
        (void)hr_findings_add(findings, &base->place, &err);
    }
    if (client != NULL) {
        rd_kafka_destroy(client);
    }
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static enum hr_status kafka_begin(struct hr_sink *base, int64_t batch, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    (void)batch;
    (void)err;
    HR_ASSERT(!sink->open_transaction);
    sink->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    return HR_OK;
}

static enum hr_status begin_transaction(struct kafka_sink *sink, struct hr_error *err)
{
    if (!is_transactional(sink) || sink->open_transaction) {
        return HR_OK;
    }
    rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->client);
    if (error != NULL) {
        char text[320];
        (void)hr_kafka_fail(err, rd_kafka_error_code(error), rd_kafka_error_string(error),
                            what(sink, "beginning a transaction", text));
        rd_kafka_error_destroy(error);
        return err->status;
    }
    sink->open_transaction = true;
    return HR_OK;
}

/* What librdkafka or a delivery report says has gone wrong for good in this batch. */
static enum hr_status check_failed(struct kafka_sink *sink, struct hr_error *err)
{
    char text[320];
    char reason[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(sink->client, reason, sizeof(reason));
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return hr_kafka_fail(err, fatal, reason, what(sink, "writing", text));
    }
    return sink->failed == RD_KAFKA_RESP_ERR_NO_ERROR
               ? HR_OK
               : hr_kafka_fail(err, sink->failed, sink->failed_text, what(sink, "writing", text));
}

/* Waits until at most `left` messages are not sent, or nothing moves for GIVE_UP_NS. */
static enum hr_status drain(struct kafka_sink *sink, int left, struct hr_error *err)
{
    int before = rd_kafka_outq_len(sink->client);
    int64_t progress_ns = hr_clock_monotonic_ns(&hr_clock_system);
    for (;;) {
        (void)rd_kafka_poll(sink->client, 1);
        HR_TRY(check_failed(sink, err));
        int now = rd_kafka_outq_len(sink->client);
        if (now <= left) {
            return HR_OK;
        }
        int64_t time = hr_clock_monotonic_ns(&hr_clock_system);
        if (now < before) {
            before = now;
            progress_ns = time;
        } else if (time - progress_ns > GIVE_UP_NS) {
            char text[320];
            return hr_kafka_fail(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "no broker takes records",
                                 what(sink, "writing", text));
        }
    }
}

/* Makes room before anything is produced: a queue that is full in the middle of rd_kafka_produce_batch takes later rows
 * and refuses earlier ones, and rows of one key must stay in order. */
static enum hr_status make_room(struct kafka_sink *sink, size_t count, size_t bytes, struct hr_error *err)
{
    if (sink->queued_bytes + bytes > QUEUED_BYTES_MAX) {
        HR_TRY(drain(sink, 0, err));
        sink->queued_bytes = 0;
    }
    sink->queued_bytes += bytes;
    return rd_kafka_outq_len(sink->client) + (int)count <= sink->queue_max
               ? HR_OK
               : drain(sink, sink->queue_max - (int)count, err);
}

/* Produces messages[0..count). */
static enum hr_status produce(struct kafka_sink *sink, size_t count, size_t bytes, struct hr_error *err)
{
    size_t slice_max = (size_t)sink->queue_max / 2;
    for (size_t first = 0; first < count; first += slice_max) {
        size_t slice = count - first < slice_max ? count - first : slice_max;
        rd_kafka_message_t *messages = sink->messages + first;
        HR_TRY(make_room(sink, slice, first == 0 ? bytes : 0, err));
        if ((size_t)rd_kafka_produce_batch(sink->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, messages,
                                           (int)slice) == slice) {
            continue;
        }
        HR_TRY(check_failed(sink, err));
        for (size_t i = 0; i < slice; i++) {
            if (messages[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                char text[320];
                return hr_kafka_fail(err, messages[i].err, NULL, what(sink, "writing", text));
            }
        }
    }
    (void)rd_kafka_poll(sink->client, 0);
    return check_failed(sink, err);
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

static enum hr_status kafka_write_rows(struct hr_sink *base, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    HR_TRY(begin_transaction(sink, err));
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
    return produce(sink, chunk->rows, sink->encoded.length, err);
}

static enum hr_status kafka_write_document(struct hr_sink *base, const struct hr_document *document,
                                           struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    HR_TRY(begin_transaction(sink, err));
    HR_TRY(make_room(sink, 1, document->value.length, err));
    rd_kafka_headers_t *headers = rd_kafka_headers_new(document->header_count);
    for (size_t i = 0; i < document->header_count; i++) {
        const struct hr_document_header *header = &document->headers[i];
        (void)rd_kafka_header_add(headers, header->name, -1, header->value.data, (ssize_t)header->value.length);
    }
    rd_kafka_resp_err_t code = rd_kafka_producev(
        sink->client, RD_KAFKA_V_RKT(sink->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)document->value.data, document->value.length),
        RD_KAFKA_V_KEY(document->key.data, document->key.length), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char text[320];
        rd_kafka_headers_destroy(headers);
        HR_TRY(check_failed(sink, err));
        return hr_kafka_fail(err, code, NULL, what(sink, "writing", text));
    }
    return check_failed(sink, err);
}

/* ---- commit ------------------------------------------------------------------------------------------------- */

/* Retried as long as librdkafka says that this is safe: the same transaction, no new one. */
static enum hr_status commit_transaction(struct kafka_sink *sink, struct hr_error *err)
{
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->client, COMMIT_MS);
        if (error == NULL) {
            sink->open_transaction = false;
            return HR_OK;
        }
        bool again = rd_kafka_error_is_retriable(error) && !rd_kafka_error_txn_requires_abort(error) &&
                     hr_clock_monotonic_ns(&hr_clock_system) - begin < GIVE_UP_NS;
        if (!again) {
            char text[320];
            /* A record that can never be written must be named, not tried again for ever. */
            rd_kafka_resp_err_t code =
                sink->failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? sink->failed : rd_kafka_error_code(error);
            (void)hr_kafka_fail(err, code, rd_kafka_error_string(error), what(sink, "commit", text));
        }
        rd_kafka_error_destroy(error);
        if (!again) {
            return err->status;
        }
    }
}

static enum hr_status kafka_commit(struct hr_sink *base, int64_t batch, struct hr_error *err)
{
    struct kafka_sink *sink = kafka_of(base);
    if (!is_transactional(sink)) {
        return drain(sink, 0, err);
    }
    HR_TRY(begin_transaction(sink, err));
    HR_TRY(hr_kafka_ledger_write(&sink->ledger, &base->identity, base->id, batch, err));
    /* Sent before it is committed: the wait inside commit has a grain of ten milliseconds. */
    HR_TRY(drain(sink, 0, err));
    HR_TRY(hr_fault("deliver.kafka.sent", err));
    HR_TRY(commit_transaction(sink, err));
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
