/* SPDX-License-Identifier: Apache-2.0
 *
 * One producer of one topic, with or without transactions, as the Kafka sink needs it: rows in order, a bounded queue,
 * errors that come back from the call that can name them. An error of any kind ends its use: the sink's query starts
 * again from its checkpoint with another producer.
 */
#ifndef HR_SINKS_KAFKA_PRODUCER_H
#define HR_SINKS_KAFKA_PRODUCER_H

#include "base/kafka.h"
#include "sinks/kafka_runs.h"
#include "sinks/sink.h"

/* How long one question to the brokers may take. */
#define HR_KAFKA_ASK_MS 5000

struct hr_kafka_producer {
    rd_kafka_t *client; /* NULL: not open */
    rd_kafka_topic_t *topic;
    const char *topic_name;
    struct hr_kafka_watch watch;
    bool transactional;
    bool open_transaction;
    bool gave_up;               /* the broker did not answer in time */
    const struct hr_stop *stop; /* NULL: never stops */
    rd_kafka_resp_err_t failed; /* first delivery that failed since begin */
    char failed_text[256];
    int queue_max;       /* queue.buffering.max.messages */
    size_t queued_bytes; /* at most so many are in librdkafka's queue */
    bool in_runs;        /* messages without a key go to one partition for a while, then to the next */
    size_t sent;         /* messages since begin */
    struct hr_kafka_runs runs;
};

/* Connects, and finds the topic. transactional_id NULL: no transactions, idempotent all the same. */
enum hr_status hr_kafka_producer_open(struct hr_kafka_producer *producer, const struct hr_properties *properties,
                                      const char *query, const char *topic, const char *transactional_id,
                                      struct hr_error *err);
/* Ends what an earlier instance of this transactional.id left open, and keeps it from writing ever again. */
enum hr_status hr_kafka_producer_fence(struct hr_kafka_producer *producer, struct hr_error *err);
/* A new batch: forgets earlier failures. The transaction begins with the first thing that is sent. */
void hr_kafka_producer_begin(struct hr_kafka_producer *producer);
/* Begins the transaction where there is none. */
enum hr_status hr_kafka_producer_enter(struct hr_kafka_producer *producer, struct hr_error *err);
/* Sends messages in order; they are copied. keyed: they have keys, which choose the partitions. bytes: of all keys and
 * values. Waits where the queue is full. */
enum hr_status hr_kafka_producer_send(struct hr_kafka_producer *producer, rd_kafka_message_t *messages, size_t count,
                                      bool keyed, size_t bytes, struct hr_error *err);
enum hr_status hr_kafka_producer_send_document(struct hr_kafka_producer *producer, const struct hr_document *document,
                                               struct hr_error *err);
/* Waits until all is with the broker. */
enum hr_status hr_kafka_producer_flush(struct hr_kafka_producer *producer, struct hr_error *err);
/* Commits the open transaction. */
enum hr_status hr_kafka_producer_commit(struct hr_kafka_producer *producer, struct hr_error *err);
/* Aborts an open transaction, so that no reader waits for it. */
void hr_kafka_producer_abort(struct hr_kafka_producer *producer);
void hr_kafka_producer_close(struct hr_kafka_producer *producer);

#endif
