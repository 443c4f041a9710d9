/* SPDX-License-Identifier: Apache-2.0
 *
 * The speed of light: librdkafka alone copies a topic, a transaction every BATCH records, nothing decoded.
 *
 *     copy BOOTSTRAP IN OUT RECORDS [BATCH [PARTITIONS]]
 *
 * Prints rows a second and processor time a row, as main_job.py does for the query.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "client.h"

#define TAKE 10000

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void send_copies(rd_kafka_t *producer, rd_kafka_topic_t *topic, rd_kafka_message_t **from, ssize_t count)
{
    static rd_kafka_message_t messages[TAKE];
    int wanted = 0;
    for (ssize_t i = 0; i < count; i++) {
        if (from[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            messages[wanted++] = (rd_kafka_message_t){.payload = from[i]->payload, .len = from[i]->len};
        }
    }
    while (rd_kafka_outq_len(producer) + wanted > 50000) {
        rd_kafka_poll(producer, 1);
    }
    if (rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, messages, wanted) != wanted) {
        client_fail("produce", "refused");
    }
}

static void copy(rd_kafka_t *consumer, const char *from, rd_kafka_t *producer, rd_kafka_topic_t *topic, long records,
                 long batch)
{
    static rd_kafka_message_t *taken[TAKE];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
    long done = 0;
    long in_batch = 0;
    while (done < records) {
        size_t wanted = batch - in_batch < TAKE ? (size_t)(batch - in_batch) : TAKE;
        ssize_t count = rd_kafka_consume_batch_queue(queue, 0, taken, wanted);
        if (count == 0) {
            /* The fetcher sleeps for up to a second once its queue was full; a question wakes it. */
            int64_t low;
            int64_t high;
            (void)rd_kafka_query_watermark_offsets(consumer, from, 0, &low, &high, 1000);
            count = rd_kafka_consume_batch_queue(queue, 100, taken, 1);
        }
        if (count <= 0) {
            continue;
        }
        if (in_batch == 0) {
            client_check("begin", rd_kafka_begin_transaction(producer));
        }
        send_copies(producer, topic, taken, count);
        for (ssize_t i = 0; i < count; i++) {
            long good = taken[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
            done += good;
            in_batch += good;
            rd_kafka_message_destroy(taken[i]);
        }
        if (in_batch >= batch || done >= records) {
            while (rd_kafka_outq_len(producer) > 0) {
                rd_kafka_poll(producer, 1);
            }
            client_check("commit", rd_kafka_commit_transaction(producer, 30000));
            in_batch = 0;
        }
    }
    rd_kafka_queue_destroy(queue);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: copy BOOTSTRAP IN OUT RECORDS [BATCH [PARTITIONS]]\n");
        return 64;
    }
    const char *const consumer_settings[] = {"group.id", "copy", "enable.auto.commit", "false", "fetch.wait.max.ms",
                                             "50",       NULL};
    const char *const producer_settings[] = {"transactional.id",
                                             argv[3],
                                             "linger.ms",
                                             "2",
                                             "max.in.flight.requests.per.connection",
                                             "1",
                                             "batch.num.messages",
                                             "4000",
                                             "delivery.report.only.error",
                                             "true",
                                             NULL};
    long records = strtol(argv[4], NULL, 10);
    rd_kafka_t *consumer = client_new(RD_KAFKA_CONSUMER, argv[1], consumer_settings);
    rd_kafka_t *producer = client_new(RD_KAFKA_PRODUCER, argv[1], producer_settings);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, argv[3], NULL);
    rd_kafka_poll_set_consumer(consumer);
    client_check("init", rd_kafka_init_transactions(producer, 30000));
    client_assign(consumer, argv[2], argc > 6 ? (int)strtol(argv[6], NULL, 10) : 4, 0);
    double begin = seconds();
    copy(consumer, argv[2], producer, topic, records, argc > 5 ? strtol(argv[5], NULL, 10) : 100000);
    double wall = seconds() - begin;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double user = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    double kernel = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    printf("bare copy: %.0f rows/s; %.2f µs user + %.2f µs system a row; peak memory %ld MB\n", (double)records / wall,
           user / (double)records * 1e6, kernel / (double)records * 1e6, usage.ru_maxrss / 1024);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    rd_kafka_destroy(consumer);
    return 0;
}
