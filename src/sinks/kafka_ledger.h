/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger of the Kafka sinks: a compacted topic of one partition in the sink's cluster. A record, written in the
 * same transaction as the rows, says which batch they are:
 *
 *     key    <query>/<sink>
 *     value  {"query", "sink", "lineage", "batch"}
 *
 * After a crash it is the one place that knows what readers can see.
 */
#ifndef HR_SINKS_KAFKA_LEDGER_H
#define HR_SINKS_KAFKA_LEDGER_H

#include "base/kafka.h"
#include "sinks/sink.h"

struct hr_kafka_ledger {
    const char *topic;
    int replication_factor; /* -1: the broker's default */
    rd_kafka_topic_t *handle;
};

/* Reads `ledger:`; node may be NULL. */
void hr_kafka_ledger_read(struct hr_kafka_ledger *ledger, const struct hr_yaml *node, struct hr_findings *findings);
/* Makes the topic when it is missing. */
enum hr_status hr_kafka_ledger_open(struct hr_kafka_ledger *ledger, rd_kafka_t *producer, struct hr_kafka_watch *watch,
                                    int timeout_ms, struct hr_error *err);
/* The last batch that a sink of a query committed. After init_transactions of that sink. producer: its isolation.level
 * must be read_uncommitted. HR_UNAVAILABLE: another query's transaction hides the end of the ledger for now. */
enum hr_status hr_kafka_ledger_find(struct hr_kafka_ledger *ledger, rd_kafka_t *producer,
                                    const struct hr_properties *properties, const char *query, const char *sink,
                                    struct hr_sink_position *out, struct hr_error *err);
/* Produces a record; it counts when the producer's transaction does. */
enum hr_status hr_kafka_ledger_write(struct hr_kafka_ledger *ledger, rd_kafka_t *producer,
                                     const struct hr_sink_identity *identity, const char *sink, int64_t batch,
                                     struct hr_error *err);
void hr_kafka_ledger_close(struct hr_kafka_ledger *ledger);

#endif
