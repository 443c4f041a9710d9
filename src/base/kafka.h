/* SPDX-License-Identifier: Apache-2.0
 *
 * What the Kafka source, the Kafka sink and the Kafka dead letters have in common: configuration from `properties:`
 * with the engine's own properties refused, librdkafka's errors as ours, its log lines at DEBUG, a topic check by
 * metadata with a bounded wait. kafka.c, kafka_conf.c and kafka_topic.c are the only files of base that know
 * librdkafka.
 */
#ifndef HR_BASE_KAFKA_H
#define HR_BASE_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/finding.h"
#include "base/option.h"
#include "base/status.h"

enum hr_kafka_role { HR_KAFKA_CONSUMER, HR_KAFKA_PRODUCER };

/* Whether the brokers are away, as librdkafka's error callback says. Thread: the one that polls the client. */
struct hr_kafka_watch {
    bool down;
    bool refused;    /* a broker is there, but does not take our name and password */
    int64_t down_ns; /* since when, monotonic */
    bool gone;       /* a topic or partition was not there; it may come back as another one. Cleared by the caller */
    int cause;       /* librdkafka's code for what is in the text; 0: only that the brokers are away */
    char text[256];  /* why */
};

/* Checks `properties:` without connecting: owned properties (with the reason why the engine owns them), unknown names,
 * bad values (librdkafka's own text at our place, secrets left out), missing bootstrap.servers. */
void hr_kafka_check(enum hr_kafka_role role, const struct hr_properties *properties, const struct hr_place *place,
                    struct hr_findings *findings);
/* A configuration with the user's properties over the engine's defaults for the role, and the engine's own values.
 * query: for log lines; must outlive the client. The caller owns *out (rd_kafka_new takes it on success). */
enum hr_status hr_kafka_conf(enum hr_kafka_role role, const struct hr_properties *properties, const char *query,
                             rd_kafka_conf_t **out, struct hr_error *err);
/* The client's errors go to the watch, which must outlive it. */
void hr_kafka_conf_watch(rd_kafka_conf_t *conf, struct hr_kafka_watch *watch);
/* The same for a client with an error callback of its own. */
void hr_kafka_watch_error(struct hr_kafka_watch *watch, const rd_kafka_t *client, int code, const char *reason);
/* A broker has answered. */
static inline void hr_kafka_watch_answer(struct hr_kafka_watch *watch)
{
    watch->down = watch->refused = false;
    watch->cause = 0;
}
/* Sets one property of the engine's own choice. */
enum hr_status hr_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct hr_error *err);
/* Sets it where the user has not. */
enum hr_status hr_kafka_conf_default(rd_kafka_conf_t *conf, const struct hr_properties *properties, const char *name,
                                     const char *value, struct hr_error *err);
/* "host:9092", for logs and errors; never NULL. */
const char *hr_kafka_bootstrap(const struct hr_properties *properties);
/* A client; conf is taken in any case. */
enum hr_status hr_kafka_client(enum hr_kafka_role role, rd_kafka_conf_t *conf, rd_kafka_t **out, struct hr_error *err);
/* Destroys a client. One that does not come to its end within seconds is left behind: librdkafka before 2.1 waits for
 * ever when a partition that was read is gone, as its topic was deleted or its broker restarted. */
void hr_kafka_client_destroy(rd_kafka_t *client);
/* librdkafka's error as ours, with a hint: fenced → HR_FENCED, authorization → HR_PERMISSION, what only another
 * configuration can mend (record too large, transaction time-out above the broker's) → HR_BAD_CONFIG, the client's own
 * trouble → HR_IO, all else (transport, time-outs, aborted transactions) → HR_UNAVAILABLE: start again from the
 * checkpoint. text: librdkafka's own, NULL: the code's. what: "commit of batch 12 to topic 'x'". err may be NULL. */
enum hr_status hr_kafka_fail(struct hr_error *err, rd_kafka_resp_err_t code, const char *text, const char *what);
/* Metadata of all topics, within timeout_ms; the caller destroys *out. HR_UNAVAILABLE: no broker answered, with its
 * name; HR_PERMISSION: it refuses us. */
enum hr_status hr_kafka_metadata(rd_kafka_t *client, struct hr_kafka_watch *watch, int timeout_ms,
                                 const struct rd_kafka_metadata **out, struct hr_error *err);
/* HR_OK with the number of partitions; HR_BAD_CONFIG when the topic does not exist (with the nearest topic name as hint
 * where there is one); else as hr_kafka_metadata. */
enum hr_status hr_kafka_topic(rd_kafka_t *client, struct hr_kafka_watch *watch, const char *topic, int timeout_ms,
                              int *out_partitions, struct hr_error *err);
/* The same in metadata of all topics that was asked for already. */
enum hr_status hr_kafka_metadata_topic(const struct rd_kafka_metadata *metadata, const char *topic, int *out_partitions,
                                       struct hr_error *err);
/* Makes a topic when missing: compacted when asked. replication_factor -1: the broker's default. */
enum hr_status hr_kafka_make_topic(rd_kafka_t *client, struct hr_kafka_watch *watch, const char *topic, int partitions,
                                   int replication_factor, bool compacted, int timeout_ms, struct hr_error *err);

#endif
