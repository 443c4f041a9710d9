/* SPDX-License-Identifier: Apache-2.0
 *
 * Open-loop latency through a query: records are sent at a steady rate whatever comes back; the member "ts" of each one
 * is the time at which it was meant to be sent (µs since 1970), and the query must write it on. A read_committed reader
 * takes the difference.
 *
 *     latency BOOTSTRAP IN OUT RATE SECONDS [SKIP]
 *
 * SKIP: seconds at the start that do not count (2). Prints p50, p95, p99, p99.9 and the largest, in ms.
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../click_record.h"
#include "client.h"

struct run {
    const char *bootstrap;
    const char *in;
    const char *out;
    double rate;
    double seconds;
    double skip;
    int64_t begin_us; /* of the schedule */
    volatile bool reading;
    volatile bool sent;
    uint64_t total;
    double *latencies; /* ms */
    uint64_t count;
};

static int64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* The generator's record with another time in it. */
static size_t record_at(uint64_t index, int64_t time_us, char *out)
{
    char record[CLICK_RECORD_MAX];
    size_t length = click_record_write(1, index, record);
    char *member = memmem(record, length, "\"ts\":", 5);
    char *rest = memchr(member, ',', length - (size_t)(member - record));
    int head = (int)(member - record) + 5;
    return (size_t)snprintf(out, CLICK_RECORD_MAX + 8, "%.*s%lld%.*s", head, record, (long long)time_us,
                            (int)(record + length - rest), rest);
}

static void *send_all(void *argument)
{
    struct run *run = argument;
    /* A request a record is more than a broker beside its clients can take from 5,000 a second on: without anything
     * between generator and reader, p99 was 200 ms. A millisecond of it is the price. */
    const char *const settings[] = {"linger.ms", run->rate < 5000 ? "0" : "1", "acks", "all", NULL};
    rd_kafka_t *producer = client_new(RD_KAFKA_PRODUCER, run->bootstrap, settings);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, run->in, NULL);
    while (!run->reading) {
        rd_kafka_poll(producer, 10);
    }
    run->begin_us = now_us() + 100000;
    for (uint64_t i = 0; i < run->total; i++) {
        int64_t due = run->begin_us + (int64_t)((double)i * 1e6 / run->rate);
        int64_t wait = due - now_us();
        if (wait > 0) {
            struct timespec nap = {wait / 1000000, wait % 1000000 * 1000};
            nanosleep(&nap, NULL);
        }
        char record[CLICK_RECORD_MAX + 8];
        size_t length = record_at(i, due, record);
        while (rd_kafka_produce(topic, (int32_t)(i % 4), RD_KAFKA_MSG_F_COPY, record, length, NULL, 0, NULL) != 0) {
            rd_kafka_poll(producer, 1);
        }
        rd_kafka_poll(producer, 0);
    }
    rd_kafka_flush(producer, 10000);
    run->sent = true;
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return NULL;
}

static int assign_at_end(rd_kafka_t *consumer, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, name, NULL);
    if (rd_kafka_metadata(consumer, 0, topic, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_fail(name, "no metadata");
    }
    int partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    client_assign(consumer, name, partitions, RD_KAFKA_OFFSET_END);
    return partitions;
}

static void take(struct run *run, const rd_kafka_message_t *message)
{
    int64_t seen = now_us();
    const char *member = memmem(message->payload, message->len, "\"ts\":", 5);
    if (member == NULL) {
        client_fail(run->out, "a record without \"ts\"");
    }
    int64_t due = strtoll(member + 5, NULL, 10);
    if (due >= run->begin_us + (int64_t)(run->skip * 1e6)) {
        run->latencies[run->count++] = (double)(seen - due) / 1000;
    }
}

static uint64_t read_all(struct run *run)
{
    static const char *const settings[] = {
        "group.id", "latency", "isolation.level", "read_committed", "enable.partition.eof", "true", "fetch.wait.max.ms",
        "5",        NULL};
    rd_kafka_t *consumer = client_new(RD_KAFKA_CONSUMER, run->bootstrap, settings);
    rd_kafka_poll_set_consumer(consumer);
    int left = assign_at_end(consumer, run->out);
    uint64_t seen = 0;
    int64_t quiet_us = 0;
    while (seen < run->total) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
        if (message == NULL) {
            quiet_us = run->sent ? quiet_us + 100000 : 0;
            if (quiet_us > 10000000) {
                break;
            }
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            run->reading = run->reading || --left == 0;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            seen++;
            quiet_us = 0;
            take(run, message);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(consumer);
    return seen;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: latency BOOTSTRAP IN OUT RATE SECONDS [SKIP]\n");
        return 64;
    }
    struct run run = {.bootstrap = argv[1],
                      .in = argv[2],
                      .out = argv[3],
                      .rate = strtod(argv[4], NULL),
                      .seconds = strtod(argv[5], NULL),
                      .skip = argc > 6 ? strtod(argv[6], NULL) : 2};
    run.total = (uint64_t)(run.rate * run.seconds);
    run.latencies = calloc(run.total + 1, sizeof(double));
    pthread_t thread;
    pthread_create(&thread, NULL, send_all, &run);
    uint64_t seen = read_all(&run);
    pthread_join(thread, NULL);
    qsort(run.latencies, run.count, sizeof(double), by_size);
    static const double shares[] = {0.5, 0.95, 0.99, 0.999};
    printf("%.0f/s, %llu of %llu records seen; ms: ", run.rate, (unsigned long long)seen,
           (unsigned long long)run.total);
    for (size_t i = 0; i < 4 && run.count > 0; i++) {
        printf("p%g %.1f, ", shares[i] * 100, run.latencies[(uint64_t)(shares[i] * (double)(run.count - 1))]);
    }
    printf("max %.1f\n", run.count > 0 ? run.latencies[run.count - 1] : 0.0);
    free(run.latencies);
    return seen == run.total ? 0 : 1;
}
