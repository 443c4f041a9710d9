/* SPDX-License-Identifier: Apache-2.0
 *
 * A producer of one topic: see kafka_producer.h. Abort flushes first: aborting while a request waits for its retry is
 * fatal in librdkafka 2.0. A commit that fails leaves its outcome to the ledger.
 */
#include "sinks/kafka_producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

/* Without any progress for so long, the query starts again from the checkpoint, and says so. */
#define GIVE_UP_NS INT64_C(15000000000)
/* The same once a stop was asked for: a broker that is there needs milliseconds, and whoever stops a service waits ten
 * seconds, not thirty. */
#define GIVE_UP_STOPPING_NS INT64_C(3000000000)
#define OFTEN_NS INT64_C(3000000)
#define LOOK_NS 150000
#define MARKERS_NS 3000000
#define COMMIT_MS 3000
#define ABORT_MS 3000
#define ABORT_STOPPING_MS 500
/* Half of librdkafka's own limit. */
#define QUEUED_BYTES_MAX ((size_t)512 << 20)

static const char *what(const struct hr_kafka_producer *producer, const char *action, char text[320])
{
    (void)snprintf(text, 320, "topic '%.200s': %s", producer->topic_name, action);
    return text;
}

static int stop_level(const struct hr_kafka_producer *producer)
{
    return producer->stop != NULL ? hr_stop_level(producer->stop) : 0;
}

/* A wait that began then is over. The second request to stop ends it at once. */
static bool patience_is_over(struct hr_kafka_producer *producer, int64_t since_ns)
{
    static const int64_t limits_ns[] = {GIVE_UP_NS, GIVE_UP_STOPPING_NS, 0};
    int level = stop_level(producer);
    producer->gave_up = hr_clock_monotonic_ns(&hr_clock_system) - since_ns >= limits_ns[level < 2 ? level : 2];
    return producer->gave_up;
}

/* ---- open and close ----------------------------------------------------------------------------------------- */

/* Only failures come here. */
static void delivery_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct hr_kafka_producer *producer = opaque;
    (void)client;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && producer->failed == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer->failed = message->err;
        (void)snprintf(producer->failed_text, sizeof(producer->failed_text), "%s", rd_kafka_err2str(message->err));
    }
}

/* Kept quiet: librdkafka's texts guess at causes, and what counts comes back from produce and commit. */
static void client_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct hr_kafka_producer *producer = opaque;
    hr_kafka_watch_error(&producer->watch, client, code, reason);
}

static enum hr_status producer_configure(struct hr_kafka_producer *producer, rd_kafka_conf_t *conf,
                                         const char *transactional_id, struct hr_error *err)
{
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, delivery_report);
    rd_kafka_conf_set_error_cb(conf, client_error);
    if (producer->in_runs) {
        HR_TRY(hr_kafka_conf_set(conf, "sticky.partitioning.linger.ms", "0", err));
    }
    if (transactional_id == NULL) {
        return HR_OK;
    }
    HR_TRY(hr_kafka_conf_set(conf, "transactional.id", transactional_id, err));
    /* For the ledger: its end must count what other queries have open (kafka_ledger.c). */
    return hr_kafka_conf_set(conf, "isolation.level", "read_uncommitted", err);
}

static rd_kafka_topic_t *topic_new(struct hr_kafka_producer *producer)
{
    rd_kafka_topic_conf_t *conf = NULL;
    if (producer->in_runs) {
        conf = rd_kafka_default_topic_conf_dup(producer->client);
        hr_kafka_runs_attach(&producer->runs, conf);
    }
    return rd_kafka_topic_new(producer->client, producer->topic_name, conf);
}

static int queue_max(const rd_kafka_t *client)
{
    char number[32] = "";
    size_t size = sizeof(number);
    (void)rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)client), "queue.buffering.max.messages", number, &size);
    int messages = (int)strtol(number, NULL, 10);
    return messages >= 2 ? messages : INT32_MAX / 2; /* 0: no limit */
}

enum hr_status hr_kafka_producer_open(struct hr_kafka_producer *producer, const struct hr_properties *properties,
                                      const char *query, const char *topic, const char *transactional_id,
                                      struct hr_error *err)
{
    rd_kafka_conf_t *conf = NULL;
    int partitions = 0;
    *producer = (struct hr_kafka_producer){.topic_name = topic, .transactional = transactional_id != NULL};
    producer->in_runs = hr_kafka_runs_allowed(properties);
    HR_TRY(hr_kafka_conf(HR_KAFKA_PRODUCER, properties, query, &conf, err));
    enum hr_status status = producer_configure(producer, conf, transactional_id, err);
    if (status != HR_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    HR_TRY(hr_kafka_client(HR_KAFKA_PRODUCER, conf, &producer->client, err));
    producer->queue_max = queue_max(producer->client);
    producer->topic = topic_new(producer);
    if (producer->topic == NULL) {
        return hr_fail(err, HR_BAD_CONFIG, "'%s' is no name of a topic", topic);
    }
    HR_TRY(hr_kafka_topic(producer->client, &producer->watch, topic, HR_KAFKA_ASK_MS, &partitions, err));
    hr_kafka_runs_open(&producer->runs, producer->transactional, partitions);
    return HR_OK;
}

enum hr_status hr_kafka_producer_fence(struct hr_kafka_producer *producer, struct hr_error *err)
{
    char text[320];
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_init_transactions(producer->client, HR_KAFKA_ASK_MS);
        if (error == NULL) {
            return HR_OK;
        }
        bool again = rd_kafka_error_is_retriable(error) && !patience_is_over(producer, begin);
        if (!again) {
            (void)hr_kafka_fail(err, rd_kafka_error_code(error), rd_kafka_error_string(error),
                                what(producer, "starting transactions", text));
        }
        rd_kafka_error_destroy(error);
        if (!again) {
            return err != NULL ? err->status : HR_UNAVAILABLE;
        }
    }
}

void hr_kafka_producer_abort(struct hr_kafka_producer *producer)
{
    if (!producer->open_transaction) {
        return;
    }
    producer->open_transaction = false;
    int wait_ms = stop_level(producer) > 0 && producer->gave_up ? ABORT_STOPPING_MS : ABORT_MS;
    (void)rd_kafka_flush(producer->client, wait_ms);
    rd_kafka_error_t *error = rd_kafka_abort_transaction(producer->client, wait_ms);
    if (error != NULL) {
        hr_log_debug(NULL, "topic '%s': abort: %s; the next start or the time-out ends the transaction",
                     producer->topic_name, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

void hr_kafka_producer_close(struct hr_kafka_producer *producer)
{
    if (producer->client == NULL) {
        return;
    }
    hr_kafka_producer_abort(producer);
    if (producer->topic != NULL) {
        rd_kafka_topic_destroy(producer->topic);
    }
    (void)rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    hr_kafka_client_destroy(producer->client);
    *producer = (struct hr_kafka_producer){0};
}

/* ---- sending ------------------------------------------------------------------------------------------------ */

void hr_kafka_producer_begin(struct hr_kafka_producer *producer)
{
    HR_ASSERT(!producer->open_transaction);
    producer->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    hr_kafka_runs_begin(&producer->runs);
    producer->sent = 0;
}

enum hr_status hr_kafka_producer_enter(struct hr_kafka_producer *producer, struct hr_error *err)
{
    if (!producer->transactional || producer->open_transaction) {
        return HR_OK;
    }
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer->client);
    if (error != NULL) {
        char text[320];
        (void)hr_kafka_fail(err, rd_kafka_error_code(error), rd_kafka_error_string(error),
                            what(producer, "beginning a transaction", text));
        rd_kafka_error_destroy(error);
        return err->status;
    }
    producer->open_transaction = true;
    return HR_OK;
}

/* What librdkafka or a delivery report says has gone wrong for good in this batch. */
static enum hr_status check_failed(struct hr_kafka_producer *producer, struct hr_error *err)
{
    char text[320];
    char reason[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer->client, reason, sizeof(reason));
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return hr_kafka_fail(err, fatal, reason, what(producer, "writing", text));
    }
    return producer->failed == RD_KAFKA_RESP_ERR_NO_ERROR
               ? HR_OK
               : hr_kafka_fail(err, producer->failed, producer->failed_text, what(producer, "writing", text));
}

/* librdkafka tells of failed deliveries only, so that nothing says when the last one has arrived: looked at often at
 * first, for a small transaction is there within a millisecond, and less so later. */
static void wait_a_little(struct hr_kafka_producer *producer, int64_t waited_ns)
{
    if (waited_ns > OFTEN_NS) {
        (void)rd_kafka_poll(producer->client, 1);
        return;
    }
    (void)rd_kafka_poll(producer->client, 0);
    (void)nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

/* Waits until at most `left` messages are not sent, or nothing moves for GIVE_UP_NS. */
static enum hr_status drain(struct hr_kafka_producer *producer, int left, struct hr_error *err)
{
    int before = rd_kafka_outq_len(producer->client);
    int64_t begin_ns = hr_clock_monotonic_ns(&hr_clock_system);
    int64_t progress_ns = begin_ns;
    (void)rd_kafka_poll(producer->client, 0);
    for (;;) {
        HR_TRY(check_failed(producer, err));
        int now = rd_kafka_outq_len(producer->client);
        if (now <= left) {
            return HR_OK;
        }
        if (now < before) {
            before = now;
            progress_ns = hr_clock_monotonic_ns(&hr_clock_system);
        } else if (patience_is_over(producer, progress_ns)) {
            char text[320];
            return hr_kafka_fail(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "no broker takes records",
                                 what(producer, "writing", text));
        }
        wait_a_little(producer, hr_clock_monotonic_ns(&hr_clock_system) - begin_ns);
    }
}

/* Makes room before anything is produced: a queue that is full in the middle of rd_kafka_produce_batch takes later rows
 * and refuses earlier ones, and rows of one key must stay in order. */
static enum hr_status make_room(struct hr_kafka_producer *producer, size_t count, size_t bytes, struct hr_error *err)
{
    if (producer->queued_bytes + bytes > QUEUED_BYTES_MAX) {
        HR_TRY(drain(producer, 0, err));
        producer->queued_bytes = 0;
    }
    producer->queued_bytes += bytes;
    producer->sent += count;
    return rd_kafka_outq_len(producer->client) + (int)count <= producer->queue_max
               ? HR_OK
               : drain(producer, producer->queue_max - (int)count, err);
}

static enum hr_status produce(struct hr_kafka_producer *producer, int32_t partition, rd_kafka_message_t *messages,
                              size_t count, struct hr_error *err)
{
    if ((size_t)rd_kafka_produce_batch(producer->topic, partition, RD_KAFKA_MSG_F_COPY, messages, (int)count) ==
        count) {
        return HR_OK;
    }
    HR_TRY(check_failed(producer, err));
    for (size_t i = 0; i < count; i++) {
        if (messages[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            char text[320];
            return hr_kafka_fail(err, messages[i].err, NULL, what(producer, "writing", text));
        }
    }
    return HR_OK;
}

static enum hr_status produce_in_runs(struct hr_kafka_producer *producer, rd_kafka_message_t *messages, size_t count,
                                      struct hr_error *err)
{
    for (size_t done = 0; done < count;) {
        int32_t partition;
        size_t part = hr_kafka_runs_next(&producer->runs, count, count - done, &partition);
        HR_TRY(produce(producer, partition, messages + done, part, err));
        done += part;
    }
    return HR_OK;
}

enum hr_status hr_kafka_producer_send(struct hr_kafka_producer *producer, rd_kafka_message_t *messages, size_t count,
                                      bool keyed, size_t bytes, struct hr_error *err)
{
    HR_TRY(hr_kafka_producer_enter(producer, err));
    size_t slice_max = (size_t)producer->queue_max / 2;
    for (size_t first = 0; first < count; first += slice_max) {
        size_t slice = count - first < slice_max ? count - first : slice_max;
        HR_TRY(make_room(producer, slice, first == 0 ? bytes : 0, err));
        HR_TRY(keyed || !producer->in_runs ? produce(producer, RD_KAFKA_PARTITION_UA, messages + first, slice, err)
                                           : produce_in_runs(producer, messages + first, slice, err));
    }
    (void)rd_kafka_poll(producer->client, 0);
    return check_failed(producer, err);
}

enum hr_status hr_kafka_producer_send_document(struct hr_kafka_producer *producer, const struct hr_document *document,
                                               struct hr_error *err)
{
    HR_TRY(hr_kafka_producer_enter(producer, err));
    HR_TRY(make_room(producer, 1, document->value.length, err));
    rd_kafka_headers_t *headers = rd_kafka_headers_new(document->header_count);
    for (size_t i = 0; i < document->header_count; i++) {
        const struct hr_document_header *header = &document->headers[i];
        (void)rd_kafka_header_add(headers, header->name, -1, header->value.data, (ssize_t)header->value.length);
    }
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer->client, RD_KAFKA_V_RKT(producer->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)document->value.data, document->value.length),
        RD_KAFKA_V_KEY(document->key.data, document->key.length), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char text[320];
        rd_kafka_headers_destroy(headers);
        HR_TRY(check_failed(producer, err));
        return hr_kafka_fail(err, code, NULL, what(producer, "writing", text));
    }
    return check_failed(producer, err);
}

enum hr_status hr_kafka_producer_flush(struct hr_kafka_producer *producer, struct hr_error *err)
{
    return drain(producer, 0, err);
}

/* ---- commit ------------------------------------------------------------------------------------------------- */

/* The broker answers a commit before all its partitions have the end marker, and refuses a next transaction until they
 * do; librdkafka then asks again after 20 ms, so waiting a little is quicker. Rows that come meanwhile join the next
 * batch. What comes after a large transaction takes longer than the markers anyway. */
static void let_markers_pass(const struct hr_kafka_producer *producer)
{
    if (producer->sent < HR_KAFKA_RUN_MESSAGES) {
        (void)nanosleep(&(struct timespec){.tv_nsec = MARKERS_NS}, NULL);
    }
}

/* Retried as long as librdkafka says that this is safe: the same transaction, no new one. */
enum hr_status hr_kafka_producer_commit(struct hr_kafka_producer *producer, struct hr_error *err)
{
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_commit_transaction(producer->client, COMMIT_MS);
        if (error == NULL) {
            producer->open_transaction = false;
            let_markers_pass(producer);
            return HR_OK;
        }
        bool again = rd_kafka_error_is_retriable(error) && !rd_kafka_error_txn_requires_abort(error) &&
                     !patience_is_over(producer, begin);
        if (!again) {
            char text[320];
            /* A record that can never be written must be named, not tried again for ever. */
            rd_kafka_resp_err_t code = producer->failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                                           ? producer->failed
                                           : rd_kafka_error_code(error);
            (void)hr_kafka_fail(err, code, rd_kafka_error_string(error), what(producer, "commit", text));
        }
        rd_kafka_error_destroy(error);
        if (!again) {
            return err->status;
        }
    }
}
