/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints click records (click_record.h) as JSON lines; or feeds them to a directory, a file of 250,000 at a time and at
 * most N files (3) ahead of who reads and deletes them (the file source with `cleanSource: delete`); or produces them
 * straight to a Kafka topic, record i to partition i mod P.
 *
 *     make_clicks COUNT [--seed N] [--first I] > clicks.ndjson
 *     make_clicks COUNT --directory DIR [--ahead N]
 *     make_clicks COUNT --kafka BOOTSTRAP TOPIC PARTITIONS
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "click_record.h"

enum { FILE_RECORDS = 250000 };

struct target {
    uint64_t count;
    uint64_t first;
    uint64_t seed;
    const char *directory; /* NULL: none */
    uint64_t ahead;
    const char *bootstrap; /* NULL: standard output */
    const char *topic;
    int32_t partitions;
};

static int write_records(const struct target *target, uint64_t first, uint64_t count, FILE *file)
{
    static char buffer[1 << 16];
    size_t used = 0;
    for (uint64_t i = first; i < first + count; i++) {
        if (sizeof(buffer) - used < CLICK_RECORD_MAX + 1) {
            (void)fwrite(buffer, 1, used, file);
            used = 0;
        }
        used += click_record_write(target->seed, i, buffer + used);
        buffer[used++] = '\n';
    }
    (void)fwrite(buffer, 1, used, file);
    return fflush(file) == 0 ? 0 : 1;
}

static void file_name(const struct target *target, uint64_t number, char *out, size_t size)
{
    snprintf(out, size, "%s/clicks-%06llu.ndjson", target->directory, (unsigned long long)number);
}

/* Each file gets its name when it is whole. */
static int feed_directory(const struct target *target)
{
    char name[4096];
    char part[4096];
    snprintf(part, sizeof(part), "%s/.part", target->directory);
    uint64_t number = 0;
    for (uint64_t done = 0; done < target->count; number++) {
        uint64_t count = target->count - done < FILE_RECORDS ? target->count - done : FILE_RECORDS;
        if (number >= target->ahead) {
            file_name(target, number - target->ahead, name, sizeof(name));
            while (access(name, F_OK) == 0) {
                usleep(2000);
            }
        }
        file_name(target, number, name, sizeof(name));
        FILE *file = fopen(part, "w");
        if (file == NULL || write_records(target, target->first + done, count, file) != 0 || fclose(file) != 0 ||
            rename(part, name) != 0) {
            perror(name);
            return 1;
        }
        done += count;
    }
    return 0;
}

static int produce_records(const struct target *target)
{
    char error[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", target->bootstrap, error, sizeof(error));
    rd_kafka_conf_set(conf, "linger.ms", "50", error, sizeof(error));
    rd_kafka_conf_set(conf, "enable.idempotence", "true", error, sizeof(error));
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    if (producer == NULL) {
        fprintf(stderr, "make_clicks: %s\n", error);
        return 1;
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, target->topic, NULL);
    char record[CLICK_RECORD_MAX];
    for (uint64_t i = target->first; i < target->first + target->count; i++) {
        size_t length = click_record_write(target->seed, i, record);
        int32_t partition = (int32_t)(i % (uint64_t)target->partitions);
        while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, record, length, NULL, 0, NULL) != 0) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                fprintf(stderr, "make_clicks: %s\n", rd_kafka_err2str(rd_kafka_last_error()));
                return 1;
            }
            rd_kafka_poll(producer, 5);
        }
    }
    rd_kafka_resp_err_t flushed = rd_kafka_flush(producer, 60000);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return flushed == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct target target = {.seed = 1, .ahead = 3};
    int i = 1;
    if (i < argc) {
        target.count = strtoull(argv[i++], NULL, 10);
    }
    for (; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            target.seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--first") == 0 && i + 1 < argc) {
            target.first = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--directory") == 0 && i + 1 < argc) {
            target.directory = argv[++i];
        } else if (strcmp(argv[i], "--ahead") == 0 && i + 1 < argc) {
            target.ahead = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--kafka") == 0 && i + 3 < argc) {
            target.bootstrap = argv[i + 1];
            target.topic = argv[i + 2];
            target.partitions = (int32_t)strtol(argv[i + 3], NULL, 10);
            i += 3;
        } else {
            target.count = 0;
        }
    }
    if (target.count == 0 || (target.bootstrap != NULL && target.partitions <= 0)) {
        fprintf(stderr,
                "usage: make_clicks COUNT [--seed N] [--first I] [--directory DIR [--ahead N] | --kafka BOOTSTRAP "
                "TOPIC PARTITIONS]\n");
        return 64;
    }
    if (target.directory != NULL) {
        return feed_directory(&target);
    }
    return target.bootstrap != NULL ? produce_records(&target)
                                    : write_records(&target, target.first, target.count, stdout);
}
