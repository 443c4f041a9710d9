/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration of a Kafka client out of `properties:`, see kafka.h. Which properties the engine owns, and why, is
 * one table; what it sets unless the user does is another.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/kafka.h"
#include "base/log.h"
#include "base/str.h"

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
    {"linger.ms", FOR_PRODUCER, "0"},
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

/* The names of all properties. A dump of a configuration leaves out those that have no value, sasl.password among them;
 * the table that librdkafka prints of itself begins each row with a name. */
static const char **property_names(struct hr_arena *arena, size_t *out_count)
{
    char *table = NULL;
    size_t size = 0;
    size_t count = 0;
    FILE *stream = open_memstream(&table, &size);
    HR_ASSERT(stream != NULL);
    rd_kafka_conf_properties_show(stream);
    HR_ASSERT(fclose(stream) == 0);
    const char **names = hr_arena_array(arena, size / 2 + 1, const char *);
    for (const char *line = table; *line != '\0';) {
        size_t length = strcspn(line, " |\n");
        if (length > 0 && line[0] >= 'a' && line[0] <= 'z') {
            names[count++] = hr_arena_strndup(arena, line, length);
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    hr_free(table);
    *out_count = count;
    return names;
}

static void unknown_property(const struct hr_property *property, struct hr_findings *findings)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    size_t count;
    const char **names = property_names(&arena, &count);
    const char *nearest = hr_str_nearest(property->key, names, count);
    struct hr_finding *finding =
        hr_findings_error(findings, &property->place, "librdkafka has no property '%s'", property->key);
    if (nearest != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", nearest);
    } else {
        hr_finding_hint(findings, finding, "librdkafka's CONFIGURATION.md names all properties");
    }
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
        if (is_bootstrap(property->key) && property->value[0] == '\0') {
            struct hr_finding *finding = hr_findings_error(findings, &property->place, "'%s' is empty", property->key);
            hr_finding_hint(findings, finding, "write %s: \"host:9092\"", property->key);
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
