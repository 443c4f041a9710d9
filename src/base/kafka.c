/* SPDX-License-Identifier: Apache-2.0
 *
 * Kafka client set-up: see kafka.h. Which properties the engine owns, and why, is one table; what it sets unless the
 * user does is another.
 */
#include "base/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"

/* ---- properties ----------------------------------------------------------------------------------------------- */

enum { FOR_CONSUMER = 1, FOR_PRODUCER = 2, FOR_BOTH = 3 };

struct owned_property {
    const char *name;
    unsigned roles;
    const char *value; /* NULL: librdkafka's default, or set by the caller */
    const char *reason;
};

static const struct owned_property owned_properties[] = {
    {"enable.auto.commit", FOR_CONSUMER, "false", "positions are kept in the checkpoint, with the model"},
    {"enable.auto.offset.store", FOR_CONSUMER, "false", "positions are kept in the checkpoint, with the model"},
    {"auto.commit.interval.ms", FOR_CONSUMER, NULL, "positions are kept in the checkpoint, with the model"},
    {"auto.offset.reset", FOR_CONSUMER, "error",
     "a gap must never be skipped silently; use startingOffsets and failOnDataLoss"},
    {"isolation.level", FOR_CONSUMER, "read_committed", "rows of aborted transactions must not be learned"},
    {"enable.partition.eof", FOR_CONSUMER, "true", "the engine needs to see the end of a range"},
    {"partition.assignment.strategy", FOR_CONSUMER, NULL, "partitions are assigned by the engine, not by the group"},
    {"group.instance.id", FOR_CONSUMER, NULL, "partitions are assigned by the engine, not by the group"},
    {"enable.idempotence", FOR_PRODUCER, "true", "retries must not write a row twice"},
    {"acks", FOR_PRODUCER, NULL, "exactly once needs the answer of all replicas in sync"},
    {"request.required.acks", FOR_PRODUCER, NULL, "exactly once needs the answer of all replicas in sync"},
    {"transactional.id", FOR_PRODUCER, NULL,
     "it must be the same at every start: <transactionalIdPrefix>-<query>-<sink>; set transactionalIdPrefix"},
    {"delivery.report.only.error", FOR_PRODUCER, "true", "the commit says whether all rows arrived"},
    {"dr_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"dr_msg_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"event_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"error_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"log_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"stats_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"rebalance_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"offset_commit_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"consume_cb", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"opaque", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"log.queue", FOR_BOTH, NULL, "callbacks belong to the engine"},
    {"enabled_events", FOR_BOTH, NULL, "callbacks belong to the engine"},
};

struct default_property {
    const char *name;
    unsigned roles;
    const char *value;
};

/* Measured against a real broker; users may set them otherwise. */
static const struct default_property default_properties[] = {
    {"socket.nagle.disable", FOR_BOTH, "true"},
    {"socket.keepalive.enable", FOR_BOTH, "true"},
    {"reconnect.backoff.ms", FOR_BOTH, "50"},
    /* The default of 10 s costs up to that after a broker is back. */
    {"reconnect.backoff.max.ms", FOR_BOTH, "500"},
    {"log.connection.close", FOR_BOTH, "false"},
    {"fetch.wait.max.ms", FOR_CONSUMER, "50"},
    {"check.crcs", FOR_CONSUMER, "true"},
    /* How often new partitions and topics are looked for. */
    {"topic.metadata.refresh.interval.ms", FOR_CONSUMER, "10000"},
    {"fetch.error.backoff.ms", FOR_CONSUMER, "100"},
    {"max.poll.interval.ms", FOR_CONSUMER, "86400000"},
    {"retry.backoff.ms", FOR_PRODUCER, "5"},
    {"linger.ms", FOR_PRODUCER, "2"},
    {"max.in.flight.requests.per.connection", FOR_PRODUCER, "1"},
    {"batch.num.messages", FOR_PRODUCER, "4000"},
    /* A queue left to fill costs more processor time a row than the rows themselves. */
    {"queue.buffering.max.messages", FOR_PRODUCER, "50000"},
    {"partitioner", FOR_PRODUCER, "murmur2_random"},
};

static unsigned role_mask(enum hr_kafka_role role)
{
    return role == HR_KAFKA_CONSUMER ? FOR_CONSUMER : FOR_PRODUCER;
}

static const struct owned_property *find_owned(enum hr_kafka_role role, const char *name)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(owned_properties); i++) {
        if ((owned_properties[i].roles & role_mask(role)) != 0 && strcmp(owned_properties[i].name, name) == 0) {
            return &owned_properties[i];
        }
    }
    return NULL;
}

static bool is_bootstrap(const char *name)
{
    return strcmp(name, "bootstrap.servers") == 0 || strcmp(name, "metadata.broker.list") == 0;
}

static bool is_secret(const struct hr_property *property)
{
    return property->secret || strstr(property->key, "password") != NULL || strstr(property->key, "secret") != NULL ||
           strstr(property->key, "key.pem") != NULL || strstr(property->key, "oauthbearer.config") != NULL;
}

/* librdkafka quotes values in its messages: a secret must not get out that way. */
static void hide_secret(const struct hr_property *property, char *text)
{
    size_t length = strlen(property->value);
    if (!is_secret(property) || length == 0) {
        return;
    }
    for (char *found = strstr(text, property->value); found != NULL; found = strstr(found, property->value)) {
        memset(found, '*', length);
        found += length;
    }
}

static void unknown_property(const struct hr_property *property, struct hr_findings *findings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t count = 0;
    const char **dump = rd_kafka_conf_dump(conf, &count);
    const char *names[512];
    size_t name_count = 0;
    for (size_t i = 0; i + 1 < count && name_count < HR_ARRAY_LEN(names); i += 2) {
        names[name_count++] = dump[i];
    }
    const char *nearest = hr_str_nearest(property->key, names, name_count);
    struct hr_finding *finding =
        hr_findings_error(findings, &property->place, "librdkafka has no property '%s'", property->key);
    if (nearest != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", nearest);
    }
    rd_kafka_conf_dump_free(dump, count);
    rd_kafka_conf_destroy(conf);
}

void hr_kafka_check(enum hr_kafka_role role, const struct hr_properties *properties, const struct hr_place *place,
                    struct hr_findings *findings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool bootstrap = false;
    for (size_t i = 0; i < properties->count; i++) {
        const struct hr_property *property = &properties->items[i];
        const struct owned_property *owned = find_owned(role, property->key);
        char text[512];
        if (owned != NULL) {
            struct hr_finding *finding =
                hr_findings_error(findings, &property->place, "'%s' is set by the engine", property->key);
            hr_finding_hint(findings, finding, "remove it: %s", owned->reason);
            continue;
        }
        bootstrap = bootstrap || is_bootstrap(property->key) || strcmp(property->key, "test.mock.num.brokers") == 0;
        switch (rd_kafka_conf_set(conf, property->key, property->value, text, sizeof(text))) {
        case RD_KAFKA_CONF_UNKNOWN:
            unknown_property(property, findings);
            break;
        case RD_KAFKA_CONF_INVALID:
            hide_secret(property, text);
            hr_finding_hint(findings, hr_findings_error(findings, &property->place, "'%s': %s", property->key, text),
                            "librdkafka's CONFIGURATION.md says what it takes");
            break;
        default:
            break;
        }
    }
    if (!bootstrap) {
        struct hr_finding *finding = hr_findings_error(findings, place, "'properties' lacks 'bootstrap.servers'");
        hr_finding_hint(findings, finding, "add properties: {bootstrap.servers: \"host:9092\"}");
    }
    rd_kafka_conf_destroy(conf);
}

static void log_line(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)level;
    hr_log_debug(NULL, "%s: %s %s", client != NULL ? rd_kafka_name(client) : "kafka", facility, text);
}

enum hr_status hr_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct hr_error *err)
{
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
        return hr_fail(err, HR_BUG, "Kafka client: %s", text);
    }
    return HR_OK;
}

static enum hr_status conf_fill(enum hr_kafka_role role, const struct hr_properties *properties, const char *query,
                                rd_kafka_conf_t *conf, struct hr_error *err)
{
    char text[512];
    snprintf(text, sizeof(text), "headrace-%s", query);
    HR_TRY(hr_kafka_conf_set(conf, "client.id", text, err));
    for (size_t i = 0; i < HR_ARRAY_LEN(default_properties); i++) {
        if ((default_properties[i].roles & role_mask(role)) != 0) {
            HR_TRY(hr_kafka_conf_set(conf, default_properties[i].name, default_properties[i].value, err));
        }
    }
    for (size_t i = 0; i < properties->count; i++) {
        const struct hr_property *property = &properties->items[i];
        const struct owned_property *owned = find_owned(role, property->key);
        if (owned != NULL) {
            return hr_fail(err, HR_BAD_CONFIG, "property '%s' is set by the engine: %s", property->key, owned->reason);
        }
        if (rd_kafka_conf_set(conf, property->key, property->value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
            hide_secret(property, text);
            return hr_fail(err, HR_BAD_CONFIG, "Kafka client: %s", text);
        }
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(owned_properties); i++) {
        const struct owned_property *owned = &owned_properties[i];
        if ((owned->roles & role_mask(role)) != 0 && owned->value != NULL) {
            HR_TRY(hr_kafka_conf_set(conf, owned->name, owned->value, err));
        }
    }
    rd_kafka_conf_set_log_cb(conf, log_line);
    return HR_OK;
}

enum hr_status hr_kafka_conf(enum hr_kafka_role role, const struct hr_properties *properties, const char *query,
                             rd_kafka_conf_t **out, struct hr_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum hr_status status = conf_fill(role, properties, query, conf, err);
    if (status != HR_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    *out = conf;
    return HR_OK;
}

enum hr_status hr_kafka_conf_default(rd_kafka_conf_t *conf, const struct hr_properties *properties, const char *name,
                                     const char *value, struct hr_error *err)
{
    for (size_t i = 0; i < properties->count; i++) {
        if (strcmp(properties->items[i].key, name) == 0) {
            return HR_OK;
        }
    }
    return hr_kafka_conf_set(conf, name, value, err);
}

const char *hr_kafka_bootstrap(const struct hr_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        if (is_bootstrap(properties->items[i].key)) {
            return properties->items[i].value;
        }
    }
    return "(no bootstrap.servers)";
}

/* librdkafka guesses at causes in these texts (SASL, a wrong port …): the code alone is kept. */
static void watch_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct hr_kafka_watch *watch = opaque;
    hr_log_debug(NULL, "%s: %s: %s", rd_kafka_name(client), rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
    if (watch == NULL) {
        return;
    }
    switch (code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
        watch->down = true;
        snprintf(watch->text, sizeof(watch->text), "%s", rd_kafka_err2str((rd_kafka_resp_err_t)code));
        break;
    default:
        break;
    }
}

void hr_kafka_conf_watch(rd_kafka_conf_t *conf, struct hr_kafka_watch *watch)
{
    *watch = (struct hr_kafka_watch){0};
    rd_kafka_conf_set_opaque(conf, watch);
    rd_kafka_conf_set_error_cb(conf, watch_error);
}

enum hr_status hr_kafka_client(enum hr_kafka_role role, rd_kafka_conf_t *conf, rd_kafka_t **out, struct hr_error *err)
{
    char text[512];
    rd_kafka_type_t type = role == HR_KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof(text));
    if (client == NULL) {
        rd_kafka_conf_destroy(conf);
        (void)hr_fail(err, HR_BAD_CONFIG, "no Kafka client could be made: %s", text);
        return hr_fail_hint(err, "check 'properties'");
    }
    *out = client;
    return HR_OK;
}

/* ---- errors --------------------------------------------------------------------------------------------------- */

static enum hr_status status_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return HR_FENCED;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return HR_PERMISSION;
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return HR_BAD_CONFIG;
    case RD_KAFKA_RESP_ERR__FS:
    case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        return HR_IO;
    default:
        return HR_UNAVAILABLE;
    }
}

static const char *hint_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
        return "transaction.timeout.ms is above the broker's transaction.max.timeout.ms";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return "raise message.max.bytes in 'properties' and max.message.bytes of the topic, or write fewer columns";
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        return "is the broker of bootstrap.servers running, and reachable from here?";
    case RD_KAFKA_RESP_ERR__SSL:
        return "check security.protocol and the ssl.* properties";
    default:
        break;
    }
    switch (status_of(code)) {
    case HR_FENCED:
        return "see whether a second process runs this query; if none does, raise transaction.timeout.ms or lower "
               "maxRowsPerTrigger";
    case HR_PERMISSION:
        return "check the sasl.* properties and the access rights on the broker";
    default:
        return NULL;
    }
}

enum hr_status hr_kafka_fail(struct hr_error *err, rd_kafka_resp_err_t code, const char *text, const char *what)
{
    enum hr_status status = status_of(code);
    if (status == HR_FENCED) {
        (void)hr_fail(err, status, "%s: another instance took over, or this one was too slow (transaction.timeout.ms)",
                      what);
    } else if (text != NULL) {
        (void)hr_fail(err, status, "%s: %s (%s)", what, text, rd_kafka_err2name(code));
    } else {
        (void)hr_fail(err, status, "%s: %s (%s)", what, rd_kafka_err2str(code), rd_kafka_err2name(code));
    }
    if (err != NULL && hint_of(code) != NULL) {
        (void)hr_fail_hint(err, "%s", hint_of(code));
    }
    return status;
}

/* ---- topics --------------------------------------------------------------------------------------------------- */

static enum hr_status topic_missing(const struct rd_kafka_metadata *metadata, const char *topic, struct hr_error *err)
{
    const char **names = hr_calloc((size_t)metadata->topic_cnt + 1, sizeof(*names));
    size_t count = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strncmp(metadata->topics[i].topic, "__", 2) != 0) {
            names[count++] = metadata->topics[i].topic;
        }
    }
    const char *nearest = hr_str_nearest(topic, names, count);
    (void)hr_fail(err, HR_BAD_CONFIG, "topic '%s' does not exist", topic);
    if (nearest != NULL) {
        (void)hr_fail_hint(err, "did you mean '%s'? Otherwise make the topic first", nearest);
    } else {
        (void)hr_fail_hint(err, "make the topic first, or grant the right to describe it");
    }
    hr_free(names);
    return HR_BAD_CONFIG;
}

enum hr_status hr_kafka_metadata_topic(const struct rd_kafka_metadata *metadata, const char *topic, int *out_partitions,
                                       struct hr_error *err)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *found = &metadata->topics[i];
        if (strcmp(found->topic, topic) != 0 || found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            continue;
        }
        if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR && found->err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
            char what[320];
            snprintf(what, sizeof(what), "topic '%s'", topic);
            return hr_kafka_fail(err, found->err, NULL, what);
        }
        *out_partitions = found->partition_cnt;
        return HR_OK;
    }
    return topic_missing(metadata, topic, err);
}

enum hr_status hr_kafka_topic(rd_kafka_t *client, const char *topic, int timeout_ms, int *out_partitions,
                              struct hr_error *err)
{
    /* All topics: asking for one by name makes a broker that creates topics by itself create it. */
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 1, NULL, &metadata, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return hr_kafka_fail(err, code, "no broker answered", "Kafka");
    }
    enum hr_status status = hr_kafka_metadata_topic(metadata, topic, out_partitions, err);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

/* The answer of the one topic in a CreateTopics event. */
static enum hr_status made_topic(rd_kafka_event_t *event, const char *topic, struct hr_error *err)
{
    char what[320];
    snprintf(what, sizeof(what), "making topic '%s'", topic);
    if (event == NULL) {
        return hr_kafka_fail(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "no broker answered", what);
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return hr_kafka_fail(err, rd_kafka_event_error(event), rd_kafka_event_error_string(event), what);
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code = count > 0 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return HR_OK;
    }
    return hr_kafka_fail(err, code, count > 0 ? rd_kafka_topic_result_error_string(topics[0]) : NULL, what);
}

static enum hr_status create_topic(rd_kafka_t *client, rd_kafka_NewTopic_t *topic, const char *name, int timeout_ms,
                                   struct hr_error *err)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, NULL, 0);
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, NULL, 0);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + 1000);
    enum hr_status status = made_topic(event, name, err);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return status;
}

enum hr_status hr_kafka_make_topic(rd_kafka_t *client, const char *topic, int partitions, int replication_factor,
                                   bool compacted, int timeout_ms, struct hr_error *err)
{
    int found = 0;
    enum hr_status status = hr_kafka_topic(client, topic, timeout_ms, &found, err);
    if (status != HR_BAD_CONFIG) {
        return status;
    }
    char text[512];
    rd_kafka_NewTopic_t *new_topic = rd_kafka_NewTopic_new(topic, partitions, replication_factor, text, sizeof(text));
    if (new_topic == NULL) {
        return hr_fail(err, HR_BAD_CONFIG, "topic '%s' cannot be made: %s", topic, text);
    }
    if (compacted) {
        /* Small segments: only closed ones are compacted, and a start reads what is left. */
        rd_kafka_NewTopic_set_config(new_topic, "cleanup.policy", "compact");
        rd_kafka_NewTopic_set_config(new_topic, "segment.bytes", "4194304");
        rd_kafka_NewTopic_set_config(new_topic, "segment.ms", "3600000");
        rd_kafka_NewTopic_set_config(new_topic, "min.cleanable.dirty.ratio", "0.1");
    }
    status = create_topic(client, new_topic, topic, timeout_ms, err);
    rd_kafka_NewTopic_destroy(new_topic);
    return status;
}
