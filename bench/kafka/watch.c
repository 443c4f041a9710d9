/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a topic has come, seen from outside: the sum of its partitions' ends as a read_committed reader has them,
 * a line `SECONDS OFFSETS` (CLOCK_MONOTONIC) each time that it has changed, until standard input closes.
 *
 *     watch BOOTSTRAP TOPIC [EVERY_MS]
 *
 * Engines report their own speed each in its own way; this is the same for all of them. Offsets count the markers of
 * transactions too, one a partition and transaction.
 */
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define TIMEOUT_MS 10000

static int partitions_of(rd_kafka_t *client, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, TIMEOUT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_fail(name, rd_kafka_err2str(error));
    }
    int partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return partitions;
}

static long long end_of(rd_kafka_t *client, const char *topic, int partitions)
{
    long long sum = 0;
    for (int i = 0; i < partitions; i++) {
        int64_t low;
        int64_t high;
        if (rd_kafka_query_watermark_offsets(client, topic, i, &low, &high, TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return -1; /* asked again */
        }
        sum += high;
    }
    return sum;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: watch BOOTSTRAP TOPIC [EVERY_MS]\n");
        return 64;
    }
    static const char *const settings[] = {"isolation.level", "read_committed", NULL};
    int every_ms = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 100;
    rd_kafka_t *client = client_new(RD_KAFKA_CONSUMER, argv[1], settings);
    int partitions = partitions_of(client, argv[2]);
    long long last = -1;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    do {
        long long end = end_of(client, argv[2], partitions);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (end >= 0 && end != last) {
            printf("%.6f %lld\n", (double)now.tv_sec + (double)now.tv_nsec / 1e9, end);
            (void)fflush(stdout);
            last = end;
        }
    } while (poll(&input, 1, every_ms) == 0);
    rd_kafka_destroy(client);
    return 0;
}
