/* SPDX-License-Identifier: Apache-2.0
 *
 * Which partition rows without a key go to: a run of them to one, then to the next in turn. To ask for each message
 * costs more than the message.
 *
 * A partition joins a transaction with a request of its own, around which librdkafka before 2.4 has a thread spin for
 * two milliseconds. A batch that begins with many rows therefore deals them out to a few partitions at once, which join
 * with one request as a rule, and stays with these.
 *
 * Thread: the producer's user; librdkafka calls the partitioner in that one or in its own.
 */
#ifndef HR_SINKS_KAFKA_RUNS_H
#define HR_SINKS_KAFKA_RUNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/kafka.h"

#define HR_KAFKA_RUN_MESSAGES 4000 /* a full request of batch.num.messages */
#define HR_KAFKA_RUNS_JOINED_MAX 4

struct hr_kafka_runs {
    size_t joined_max; /* of a transaction, for rows without a key; 0: there are none */
    size_t joined_count;
    int32_t joined[HR_KAFKA_RUNS_JOINED_MAX];
    size_t turn;       /* of those that joined, when all have */
    size_t left;       /* messages until the next run */
    int32_t partition; /* of this run */
    bool asked;        /* librdkafka was left to ask for it */
    atomic_int answer; /* the partition that it was told last */
};

/* A partitioner that the user chose decides alone: false. */
bool hr_kafka_runs_allowed(const struct hr_properties *properties);
/* Of the topic's configuration, whose opaque must be the runs. Messages with a key go where murmur2_random says. */
void hr_kafka_runs_attach(struct hr_kafka_runs *runs, rd_kafka_topic_conf_t *conf);
/* partitions: of the topic. */
void hr_kafka_runs_open(struct hr_kafka_runs *runs, bool transactional, int partitions);
/* A new batch. */
void hr_kafka_runs_begin(struct hr_kafka_runs *runs);
/* How many of the next messages go to *partition, which may be RD_KAFKA_PARTITION_UA: at least 1, at most left.
 * together: messages that were handed over with these. */
size_t hr_kafka_runs_next(struct hr_kafka_runs *runs, size_t together, size_t left, int32_t *partition);

#endif
