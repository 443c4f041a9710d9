/* SPDX-License-Identifier: Apache-2.0
 *
 * The first message of a run comes without a partition, so that librdkafka asks: it knows which ones have a leader. The
 * others are told what it was answered.
 */
#include "sinks/kafka_runs.h"

#include <string.h>

#include "data/chunk.h"

#define MANY (HR_CHUNK_ROWS - HR_CHUNK_ROWS / 4)

bool hr_kafka_runs_allowed(const struct hr_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        const char *key = properties->items[i].key;
        if (strcmp(key, "partitioner") == 0 || strcmp(key, "sticky.partitioning.linger.ms") == 0) {
            return false;
        }
    }
    return true;
}

/* The next partition in turn that has a leader. */
static int32_t choose_partition(const rd_kafka_topic_t *topic, const void *key, size_t key_length, int32_t count,
                                void *opaque, void *message_opaque)
{
    struct hr_kafka_runs *runs = opaque;
    if (key != NULL) {
        return rd_kafka_msg_partitioner_murmur2_random(topic, key, key_length, count, opaque, message_opaque);
    }
    int64_t before = atomic_load_explicit(&runs->answer, memory_order_relaxed);
    int32_t partition = (int32_t)((before + 1) % count);
    for (int32_t i = 1; i < count && !rd_kafka_topic_partition_available(topic, partition); i++) {
        partition = (partition + 1) % count;
    }
    atomic_store_explicit(&runs->answer, partition, memory_order_relaxed);
    return partition;
}

void hr_kafka_runs_attach(struct hr_kafka_runs *runs, rd_kafka_topic_conf_t *conf)
{
    rd_kafka_topic_conf_set_partitioner_cb(conf, choose_partition);
    rd_kafka_topic_conf_set_opaque(conf, runs);
}

void hr_kafka_runs_open(struct hr_kafka_runs *runs, bool transactional, int partitions)
{
    size_t most = partitions < HR_KAFKA_RUNS_JOINED_MAX ? (size_t)partitions : HR_KAFKA_RUNS_JOINED_MAX;
    runs->joined_max = transactional ? most : 0;
}

/* The first partition of a batch has the most of it: the next batch begins one further on, however many joined. */
void hr_kafka_runs_begin(struct hr_kafka_runs *runs)
{
    if (runs->joined_count > 0) {
        atomic_store_explicit(&runs->answer, runs->joined[0], memory_order_relaxed);
    }
    runs->joined_count = 0;
    runs->turn = 0;
    runs->left = 0;
    runs->asked = false;
}

/* What librdkafka was told for the first message of this run. */
static void take_answer(struct hr_kafka_runs *runs)
{
    runs->asked = false;
    runs->partition = atomic_load_explicit(&runs->answer, memory_order_relaxed);
    if (runs->joined_count < runs->joined_max) {
        runs->joined[runs->joined_count++] = runs->partition;
    }
}

/* A chunk that is full but for what was dropped of it: more of them are likely to come. */
static size_t run_length(const struct hr_kafka_runs *runs, size_t together)
{
    bool joining = runs->joined_count < runs->joined_max && together >= MANY;
    return joining ? together / runs->joined_max : HR_KAFKA_RUN_MESSAGES;
}

size_t hr_kafka_runs_next(struct hr_kafka_runs *runs, size_t together, size_t left, int32_t *partition)
{
    if (runs->asked) {
        take_answer(runs);
    }
    if (runs->left == 0) {
        runs->left = run_length(runs, together);
        runs->asked = runs->joined_max == 0 || runs->joined_count < runs->joined_max;
        if (!runs->asked) {
            runs->partition = runs->joined[runs->turn++ % runs->joined_max];
        }
    }
    size_t part = runs->asked ? 1 : left < runs->left ? left : runs->left;
    *partition = runs->asked ? RD_KAFKA_PARTITION_UA : runs->partition;
    runs->left -= part;
    return part;
}
