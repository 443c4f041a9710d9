/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger: see kafka_ledger.h. Finding a record reads the whole partition, which compaction keeps small.
 *
 * Committed readers see only up to the first transaction that is open, whoever's it is. Another query that was killed
 * between its ledger record and its commit would hide a record of ours behind it, and a batch would be delivered twice.
 * So the end is asked for with read_uncommitted, by the producer, and the committed reader must get there.
 */
#include "sinks/kafka_ledger.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define LEDGER_TOPIC "headrace.ledger"
#define FIND_NS INT64_C(20000000000)
#define POLL_MS 100
#define BATCH_MESSAGES 1000

enum { REPLICATION_DEFAULT = -1 };

void hr_kafka_ledger_read(struct hr_kafka_ledger *ledger, const struct hr_yaml *node, struct hr_findings *findings)
{
    *ledger = (struct hr_kafka_ledger){.topic = LEDGER_TOPIC, .replication_factor = REPLICATION_DEFAULT};
    if (node == NULL) {
        return;
    }
    if (node->kind != HR_YAML_MAPPING) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "ledger is no map");
        hr_finding_hint(findings, finding, "write ledger: {topic: headrace.ledger, replicationFactor: 3}");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct hr_yaml *value = node->items[i];
        int64_t factor = 0;
        if (strcmp(node->keys[i], "topic") == 0 && value->kind == HR_YAML_SCALAR && value->text[0] != '\0') {
            ledger->topic = value->text;
        } else if (strcmp(node->keys[i], "replicationFactor") == 0 &&
                   (hr_yaml_integer(value, &factor)
                        ? factor >= 1 && factor <= 100
                        : value->kind == HR_YAML_SCALAR && strcmp(value->text, "default") == 0)) {
            ledger->replication_factor = factor > 0 ? (int)factor : REPLICATION_DEFAULT;
        } else {
            struct hr_finding *finding = hr_findings_error(
                findings, &node->key_places[i], "ledger: '%s' is unknown or has a wrong value", node->keys[i]);
            hr_finding_hint(findings, finding, "it takes topic, a name, and replicationFactor, a number or default");
        }
    }
}

enum hr_status hr_kafka_ledger_open(struct hr_kafka_ledger *ledger, rd_kafka_t *producer, struct hr_kafka_watch *watch,
                                    int timeout_ms, struct hr_error *err)
{
    HR_TRY(hr_kafka_make_topic(producer, watch, ledger->topic, 1, ledger->replication_factor, true, timeout_ms, err));
    ledger->handle = rd_kafka_topic_new(producer, ledger->topic, NULL);
    return ledger->handle != NULL ? HR_OK
                                  : hr_fail(err, HR_BAD_CONFIG, "ledger: '%s' is no name of a topic", ledger->topic);
}

void hr_kafka_ledger_close(struct hr_kafka_ledger *ledger)
{
    if (ledger->handle != NULL) {
        rd_kafka_topic_destroy(ledger->handle);
    }
    ledger->handle = NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

enum hr_status hr_kafka_ledger_write(struct hr_kafka_ledger *ledger, rd_kafka_t *producer,
                                     const struct hr_sink_identity *identity, const char *sink, int64_t batch,
                                     struct hr_error *err)
{
    char key[160];
    char value[320];
    int key_length = snprintf(key, sizeof(key), "%s/%s", identity->query, sink);
    int length =
        snprintf(value, sizeof(value), "{\"query\":\"%s\",\"sink\":\"%s\",\"lineage\":\"%s\",\"batch\":%" PRId64 "}",
                 identity->query, sink, identity->lineage, batch);
    HR_ASSERT(key_length < (int)sizeof(key) && length < (int)sizeof(value));
    if (rd_kafka_produce(ledger->handle, 0, RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK, value, (size_t)length, key,
                         (size_t)key_length, NULL) != 0) {
        char text[320];
        (void)snprintf(text, sizeof(text), "ledger topic '%.200s'", ledger->topic);
        /* _FATAL is any of several: one that was fenced must end, not start again and fence its successor. */
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer, NULL, 0);
        return hr_kafka_fail(err, fatal != RD_KAFKA_RESP_ERR_NO_ERROR ? fatal : code, NULL, text);
    }
    return HR_OK;
}

/* ---- finding ------------------------------------------------------------------------------------------------ */

static enum hr_status take_record(const rd_kafka_message_t *message, const char *topic, struct hr_sink_position *out,
                                  struct hr_error *err)
{
    json_error_t error;
    json_t *value = json_loadb(message->payload, message->len, 0, &error);
    const char *lineage = json_string_value(json_object_get(value, "lineage"));
    const json_t *batch = json_object_get(value, "batch");
    bool good = lineage != NULL && strlen(lineage) == 36 && json_is_integer(batch);
    if (good) {
        out->known = true;
        memcpy(out->lineage, lineage, 37);
        out->batch = json_integer_value(batch);
    }
    json_decref(value);
    return good ? HR_OK
                : hr_fail(err, HR_CORRUPT, "ledger topic '%s', offset %" PRId64 ": the record is not a ledger record",
                          topic, message->offset);
}

struct ledger_search {
    const char *topic;
    char key[160];
    size_t key_length;
    int64_t next; /* all below was seen */
    struct hr_sink_position *out;
};

static enum hr_status search_message(struct ledger_search *search, const rd_kafka_message_t *message,
                                     struct hr_error *err)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        search->next = message->offset > search->next ? message->offset : search->next;
        return HR_OK;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char text[320];
        (void)snprintf(text, sizeof(text), "reading the ledger topic '%.200s'", search->topic);
        return hr_kafka_fail(err, message->err, NULL, text);
    }
    search->next = message->offset + 1;
    if (message->payload == NULL || message->key_len != search->key_length ||
        memcmp(message->key, search->key, search->key_length) != 0) {
        return HR_OK;
    }
    return take_record(message, search->topic, search->out, err);
}

static enum hr_status search_until(struct ledger_search *search, rd_kafka_topic_t *topic, int64_t end,
                                   struct hr_error *err)
{
    rd_kafka_message_t *messages[BATCH_MESSAGES];
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    while (search->next < end) {
        ssize_t count = rd_kafka_consume_batch(topic, 0, 0, messages, BATCH_MESSAGES);
        if (count == 0) {
            messages[0] = rd_kafka_consume(topic, 0, POLL_MS);
            count = messages[0] != NULL;
        }
        enum hr_status status = HR_OK;
        for (ssize_t i = 0; i < count; i++) {
            status = status == HR_OK ? search_message(search, messages[i], err) : status;
            rd_kafka_message_destroy(messages[i]);
        }
        HR_TRY(status);
        if (search->next < end && hr_clock_monotonic_ns(&hr_clock_system) - begin > FIND_NS) {
            (void)hr_fail(err, HR_UNAVAILABLE,
                          "ledger topic '%s' can be read only up to offset %" PRId64 " of %" PRId64, search->topic,
                          search->next, end);
            return hr_fail_hint(err, "another query's transaction is open there; it ends at the latest after its "
                                     "transaction.timeout.ms");
        }
    }
    return HR_OK;
}

static enum hr_status search_with(struct ledger_search *search, rd_kafka_t *consumer, int64_t low, int64_t end,
                                  struct hr_error *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, search->topic, NULL);
    if (rd_kafka_consume_start(topic, 0, low) != 0) {
        char text[320];
        (void)snprintf(text, sizeof(text), "reading the ledger topic '%.200s'", search->topic);
        enum hr_status status = hr_kafka_fail(err, rd_kafka_last_error(), NULL, text);
        rd_kafka_topic_destroy(topic);
        return status;
    }
    search->next = low;
    enum hr_status status = search_until(search, topic, end, err);
    (void)rd_kafka_consume_stop(topic, 0);
    rd_kafka_topic_destroy(topic);
    return status;
}

enum hr_status hr_kafka_ledger_find(struct hr_kafka_ledger *ledger, rd_kafka_t *producer,
                                    const struct hr_properties *properties, const char *query, const char *sink,
                                    struct hr_sink_position *out, struct hr_error *err)
{
    struct ledger_search search = {.topic = ledger->topic, .out = out};
    search.key_length = (size_t)snprintf(search.key, sizeof(search.key), "%s/%s", query, sink);
    int64_t low = 0;
    int64_t end = 0;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(producer, ledger->topic, 0, &low, &end, 10000);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char text[320];
        (void)snprintf(text, sizeof(text), "asking for the end of the ledger topic '%.200s'", ledger->topic);
        return hr_kafka_fail(err, code, NULL, text);
    }
    if (low >= end) {
        return HR_OK;
    }
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *consumer = NULL;
    HR_TRY(hr_kafka_conf(HR_KAFKA_CONSUMER, properties, query, &conf, err));
    struct hr_kafka_watch watch;
    hr_kafka_conf_watch(conf, &watch);
    /* The last offset is a marker, no record: only an empty answer says that it was passed, and it must come at once.
     */
    enum hr_status status = hr_kafka_conf_set(conf, "fetch.wait.max.ms", "1", err);
    if (status != HR_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    HR_TRY(hr_kafka_client(HR_KAFKA_CONSUMER, conf, &consumer, err));
    status = search_with(&search, consumer, low, end, err);
    hr_kafka_client_destroy(consumer);
    return status;
}
