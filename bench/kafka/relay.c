/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor of latency: librdkafka alone writes on what it reads, as it came, at once, until it is killed.
 *
 *     relay BOOTSTRAP IN OUT [TRANSACTIONAL_ID]
 *
 * What is there is one batch and goes to one partition, the next in turn, as a query's rows without a key do. Without a
 * TRANSACTIONAL_ID nothing waits for the broker's answer; with one, each batch is a transaction.
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "client.h"

#define TAKE 4000
#define PARTITIONS 4
#define IDLE_MS 100
#define LOOK_NS 150000 /* between two looks at whether all of a transaction has arrived */

struct relay {
    rd_kafka_t *consumer;
    rd_kafka_queue_t *queue;
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    bool transactions;
    int32_t partition;
};

static void commit(struct relay *relay)
{
    while (rd_kafka_outq_len(relay->producer) > 0) {
        rd_kafka_poll(relay->producer, 0);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    }
    client_check("commit", rd_kafka_commit_transaction(relay->producer, 30000));
}

static void write_on(struct relay *relay, rd_kafka_message_t **taken, ssize_t count)
{
    static rd_kafka_message_t messages[TAKE];
    int wanted = 0;
    for (ssize_t i = 0; i < count; i++) {
        if (taken[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            messages[wanted++] = (rd_kafka_message_t){.payload = taken[i]->payload, .len = taken[i]->len};
        }
    }
    if (wanted == 0) {
        return;
    }
    if (relay->transactions) {
        client_check("begin", rd_kafka_begin_transaction(relay->producer));
    }
    relay->partition = (relay->partition + 1) % PARTITIONS;
    if (rd_kafka_produce_batch(relay->topic, relay->partition, RD_KAFKA_MSG_F_COPY, messages, wanted) != wanted) {
        client_fail("produce", "refused");
    }
    if (relay->transactions) {
        commit(relay);
    }
}

/* With a wait, librdkafka returns at the first message: what came with it is taken without one. */
static void step(struct relay *relay)
{
    static rd_kafka_message_t *taken[TAKE];
    ssize_t count = rd_kafka_consume_batch_queue(relay->queue, IDLE_MS, taken, 1);
    if (count > 0) {
        ssize_t more = rd_kafka_consume_batch_queue(relay->queue, 0, taken + count, TAKE - 1);
        count += more > 0 ? more : 0;
    }
    write_on(relay, taken, count);
    for (ssize_t i = 0; i < count; i++) {
        rd_kafka_message_destroy(taken[i]);
    }
    rd_kafka_poll(relay->producer, 0);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: relay BOOTSTRAP IN OUT [TRANSACTIONAL_ID]\n");
        return 64;
    }
    /* As a query has them. */
    const char *const consumer_settings[] = {"group.id",
                                             "relay",
                                             "enable.auto.commit",
                                             "false",
                                             "fetch.wait.max.ms",
                                             "50",
                                             "socket.nagle.disable",
                                             "true",
                                             "enable.partition.eof",
                                             "true",
                                             NULL};
    const char *const producer_settings[] = {"enable.idempotence",
                                             "true",
                                             "linger.ms",
                                             "0",
                                             "max.in.flight.requests.per.connection",
                                             "1",
                                             "retry.backoff.ms",
                                             "5",
                                             "socket.nagle.disable",
                                             "true",
                                             "delivery.report.only.error",
                                             "true",
                                             argc > 4 ? "transactional.id" : NULL,
                                             argc > 4 ? argv[4] : NULL,
                                             NULL};
    struct relay relay = {.transactions = argc > 4};
    relay.consumer = client_new(RD_KAFKA_CONSUMER, argv[1], consumer_settings);
    relay.producer = client_new(RD_KAFKA_PRODUCER, argv[1], producer_settings);
    relay.topic = rd_kafka_topic_new(relay.producer, argv[3], NULL);
    if (relay.transactions) {
        client_check("init", rd_kafka_init_transactions(relay.producer, 30000));
    }
    rd_kafka_poll_set_consumer(relay.consumer);
    relay.queue = rd_kafka_queue_get_consumer(relay.consumer);
    client_assign(relay.consumer, argv[2], PARTITIONS, 0);
    for (;;) {
        step(&relay);
    }
}
