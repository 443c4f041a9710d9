/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about topics, and making one: see kafka.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/kafka.h"
#include "base/str.h"

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

/* Error callbacks come only when the client is polled. Short waits first, for a refusal is known at once; the last one
 * long, for a large cluster's answer takes its time. */
static rd_kafka_resp_err_t ask_metadata(rd_kafka_t *client, struct hr_kafka_watch *watch, int timeout_ms,
                                        const struct rd_kafka_metadata **out)
{
    static const int waits_ms[] = {300, 700};
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (size_t i = 0; i <= HR_ARRAY_LEN(waits_ms) && timeout_ms > 0; i++) {
        int wait_ms = i < HR_ARRAY_LEN(waits_ms) && waits_ms[i] < timeout_ms ? waits_ms[i] : timeout_ms;
        timeout_ms -= wait_ms;
        /* All topics: asking for one by name makes a broker that creates topics by itself create it. */
        code = rd_kafka_metadata(client, 1, NULL, out, wait_ms);
        (void)rd_kafka_poll(client, 0);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || watch->refused) {
            return code;
        }
    }
    return code;
}

enum hr_status hr_kafka_metadata(rd_kafka_t *client, struct hr_kafka_watch *watch, int timeout_ms,
                                 const struct rd_kafka_metadata **out, struct hr_error *err)
{
    rd_kafka_resp_err_t code = ask_metadata(client, watch, timeout_ms, out);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        hr_kafka_watch_answer(watch);
        return HR_OK;
    }
    char bootstrap[200] = "";
    char what[256];
    size_t size = sizeof(bootstrap);
    (void)rd_kafka_conf_get(rd_kafka_conf(client), "bootstrap.servers", bootstrap, &size);
    snprintf(what, sizeof(what), "broker %.199s", bootstrap);
    if (watch->refused) {
        return hr_kafka_fail(err, RD_KAFKA_RESP_ERR__AUTHENTICATION, watch->text, what);
    }
    if (watch->cause != 0) {
        return hr_kafka_fail(err, (rd_kafka_resp_err_t)watch->cause, watch->text, what);
    }
    return hr_kafka_fail(err, code, watch->down ? watch->text : "no answer", what);
}

enum hr_status hr_kafka_topic(rd_kafka_t *client, struct hr_kafka_watch *watch, const char *topic, int timeout_ms,
                              int *out_partitions, struct hr_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    HR_TRY(hr_kafka_metadata(client, watch, timeout_ms, &metadata, err));
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

enum hr_status hr_kafka_make_topic(rd_kafka_t *client, struct hr_kafka_watch *watch, const char *topic, int partitions,
                                   int replication_factor, bool compacted, int timeout_ms, struct hr_error *err)
{
    int found = 0;
    enum hr_status status = hr_kafka_topic(client, watch, topic, timeout_ms, &found, err);
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
