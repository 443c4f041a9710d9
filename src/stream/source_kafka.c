/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kafka source: partitions are assigned by us, at offsets of our own; the group's are only published, for tools
 * that show lag. A batch:
 *
 *     plan   position .. min(end asked for or fetched, target), shared fairly up to the limit; then fetches until all
 * of it is here, so that read never waits read   hands the messages over, partition by partition; the last one of each
 * becomes its anchor
 *
 * Offsets may have gaps (compaction, control records of transactions): a range is complete when something at or above
 * its end was seen.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "stream/source_kafka.h"

#define INCOMING_MAX 4096
#define LATEST_NS INT64_C(1000000000)
#define PUBLISH_NS INT64_C(5000000000)
/* A broker that says nothing for so long does not hold up a stop. */
#define SILENT_NS INT64_C(3000000000)
#define STALLED_NS INT64_C(5000000000)
#define FETCH_SLICE_US 20000
#define PUBLISH_WAIT_MS 300

static const struct hr_option kafka_options[] = {
    HR_OPTION(struct hr_kafka_source_options, topics, "subscribe", STRINGS, .help = "topics to read"),
    HR_OPTION(struct hr_kafka_source_options, pattern, "subscribePattern", STRING,
              .help = "regular expression of topics to read, also of those made later"),
    HR_OPTION(struct hr_kafka_source_options, assign, "assign", NODE, .help = "{topic: [partition, …]} to read"),
    HR_OPTION(struct hr_kafka_source_options, starting_offsets, "startingOffsets", NODE,
              .help = "earliest, latest (the default) or {topic: {partition: offset}} with -2 for earliest, -1 for "
                      "latest; where a new query starts"),
    HR_OPTION(struct hr_kafka_source_options, starting_timestamp, "startingTimestamp", STRING,
              .help = "RFC 3339 or milliseconds since 1970; a new query starts at the first record of that time"),
    HR_OPTION(struct hr_kafka_source_options, rows_per_trigger_min, "minOffsetsPerTrigger", INT, .minimum = 1,
              .maximum = 1e15, .help = "a batch waits until so many offsets are there; default: no wait"),
    HR_OPTION(struct hr_kafka_source_options, trigger_delay_max_us, "maxTriggerDelay", DURATION, .fallback = "15m",
              .help = "but not longer than this"),
    HR_OPTION(struct hr_kafka_source_options, fail_on_data_loss, "failOnDataLoss", BOOL, .fallback = "true",
              .help = "end the query when records are gone that were not read yet; else count them and go on"),
    HR_OPTION(struct hr_kafka_source_options, include_headers, "includeHeaders", BOOL, .fallback = "false",
              .help = "keep record headers for the column __headers"),
    HR_OPTION(struct hr_kafka_source_options, properties, "properties", PROPERTIES,
              .help = "librdkafka's properties; bootstrap.servers at least"),
};

static struct hr_kafka_source *kafka_of(struct hr_source *base)
{
    return (struct hr_kafka_source *)base;
}

/* ---- plan time, open and close ------------------------------------------------------------------------------ */

static void kafka_check(struct hr_source *base, struct hr_findings *findings)
{
    const struct hr_kafka_source_options *options = base->options;
    hr_kafka_check(HR_KAFKA_CONSUMER, &options->properties, &base->place, findings);
    hr_kafka_position_check(kafka_of(base), findings);
}

static enum hr_status kafka_connect(struct hr_kafka_source *source, struct hr_error *err)
{
    const struct hr_kafka_source_options *options = hr_kafka_options_of(source);
    rd_kafka_conf_t *conf = NULL;
    char group[128];
    (void)snprintf(group, sizeof(group), "headrace-%s", source->base.query);
    HR_TRY(hr_kafka_conf(HR_KAFKA_CONSUMER, &options->properties, source->base.query, &conf, err));
    hr_kafka_conf_watch(conf, &source->watch);
    enum hr_status status = hr_kafka_conf_default(conf, &options->properties, "group.id", group, err);
    if (status != HR_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    HR_TRY(hr_kafka_client(HR_KAFKA_CONSUMER, conf, &source->client, err));
    source->queue = rd_kafka_queue_get_consumer(source->client);
    source->incoming = hr_calloc(INCOMING_MAX, sizeof(rd_kafka_message_t *));
    source->published_ns = hr_kafka_now_ns();
    return HR_OK;
}

static void kafka_close(struct hr_source *base)
{
    struct hr_kafka_source *source = kafka_of(base);
    if (source->client != NULL && source->unpublished) {
        hr_kafka_position_publish(source, PUBLISH_WAIT_MS);
    }
    hr_kafka_fetch_free_handed(source);
    for (size_t i = 0; i < source->partition_count; i++) {
        hr_kafka_fetch_forget(source, &source->partitions[i]);
        hr_free(source->partitions[i].ring);
    }
    if (source->client != NULL) {
        rd_kafka_queue_destroy(source->queue);
        hr_kafka_client_destroy(source->client);
    }
    hr_free(source->partitions);
    hr_free(source->incoming);
    hr_free(source->handed);
    hr_offsets_release(&source->range);
    hr_offsets_release(&source->committed);
    hr_arena_release(&source->name_arena);
    hr_arena_release(&source->header_arena);
    struct hr_source kept = source->base;
    *source = (struct hr_kafka_source){.base = kept};
}

/* The client looks for its group's coordinator as soon as it is made: that is the connection. */
static void kafka_start(struct hr_source *base)
{
    (void)kafka_connect(kafka_of(base), NULL);
}

static enum hr_status kafka_open(struct hr_source *base, const struct hr_offsets *committed, struct hr_error *err)
{
    struct hr_kafka_source *source = kafka_of(base);
    if (source->client == NULL) {
        HR_TRY(kafka_connect(source, err));
    }
    HR_TRY(hr_kafka_position_open(source, committed, err));
    return hr_kafka_fetch_assign(source, err);
}

static void kafka_preflight(struct hr_source *base, struct hr_findings *findings)
{
    struct hr_kafka_source *source = kafka_of(base);
    struct hr_error err;
    if (kafka_connect(source, &err) != HR_OK || hr_kafka_position_open(source, NULL, &err) != HR_OK) {
        (void)hr_findings_add(findings, &base->place, &err);
    }
    kafka_close(base);
    hr_offsets_release(&base->position);
}

static const char *kafka_describe(const struct hr_source *base)
{
    const struct hr_kafka_source_options *options = base->options;
    if (options->pattern != NULL) {
        return hr_arena_printf(base->arena, "topics like %s", options->pattern);
    }
    struct hr_buf text;
    hr_buf_init(&text, 4096);
    size_t count = options->topics.count + (options->assign != NULL ? options->assign->count : 0);
    for (size_t i = 0; i < count; i++) {
        const char *name = options->assign != NULL ? options->assign->keys[i] : options->topics.items[i];
        hr_buf_printf(&text, "%s%s", i > 0 ? ", " : count > 1 ? "topics " : "topic ", name);
    }
    const char *description = hr_arena_strdup(base->arena, hr_buf_text(&text));
    hr_buf_release(&text);
    return description;
}

/* ---- read --------------------------------------------------------------------------------------------------- */

/* In a replay nothing was fetched by plan. A range that cannot be fetched any more must not be waited for. */
static enum hr_status check_stalled(struct hr_kafka_source *source, const struct hr_offsets *end, struct hr_error *err)
{
    if (hr_kafka_position_ends(source, HR_KAFKA_ASK_MS, NULL) != HR_OK) {
        return HR_OK; /* the broker is away: waited for */
    }
    for (size_t i = 0; i < end->count; i++) {
        const struct hr_offset *wanted = &end->items[i];
        for (size_t k = 0; k < source->partition_count; k++) {
            const struct hr_kafka_partition *partition = &source->partitions[k];
            if (partition->number == wanted->partition && hr_str_equal(partition->topic, wanted->name) &&
                partition->end < wanted->position) {
                (void)hr_fail(err, HR_DATA_LOSS,
                              "topic '%s', partition %d: a batch was prepared up to offset %" PRId64
                              ", but the partition ends at %" PRId64,
                              partition->topic.data, partition->number, wanted->position, partition->end);
                return hr_fail_hint(err, "the topic was made anew or cut off; see docs/recovery.md");
            }
        }
    }
    return HR_OK;
}

static enum hr_status fetch_rest(struct hr_kafka_source *source, const struct hr_offsets *end, struct hr_error *err)
{
    int64_t progress_ns = hr_kafka_now_ns();
    while (!hr_kafka_fetch_complete(source, end)) {
        size_t got = 0;
        HR_TRY(hr_kafka_fetch(source, FETCH_SLICE_US, &got, err));
        int stop = source->base.stop != NULL ? hr_stop_level(source->base.stop) : 0;
        bool silent = source->watch.down || hr_kafka_now_ns() - progress_ns > SILENT_NS;
        if (stop >= 2 || (stop >= 1 && silent)) {
            return hr_fail(err, HR_INTERRUPTED, "stopped while a batch was fetched");
        }
        if (got > 0) {
            progress_ns = hr_kafka_now_ns();
        } else if (hr_kafka_now_ns() - progress_ns > STALLED_NS) {
            progress_ns = hr_kafka_now_ns();
            HR_TRY(check_stalled(source, end, err));
        }
    }
    return HR_OK;
}

/* Header values are any bytes: what is not UTF-8 is written as U+FFFD. */
static struct hr_str headers_text(struct hr_kafka_source *source, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return HR_STR("{}");
    }
    struct hr_buf buf;
    struct hr_json json;
    hr_buf_init(&buf, 16u << 20);
    hr_json_init(&json, &buf);
    hr_json_object_begin(&json);
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        hr_json_key(&json, name);
        if (value == NULL) {
            hr_json_null(&json);
        } else {
            hr_json_str(&json, (struct hr_str){value, size});
        }
    }
    hr_json_object_end(&json);
    struct hr_str text = {hr_arena_strndup(&source->header_arena, buf.data, buf.length), buf.length};
    hr_buf_release(&buf);
    return text;
}

/* Takes ownership of the message. */
static void add_record(struct hr_kafka_source *source, const struct hr_kafka_partition *partition,
                       rd_kafka_message_t *message, struct hr_records *out)
{
    if (message->payload == NULL && source->base.format->tombstones == HR_TOMBSTONE_IGNORE) {
        out->tombstones++;
        rd_kafka_message_destroy(message);
        return;
    }
    bool has_time;
    hr_kafka_fetch_keep(source, message);
    struct hr_record *record = hr_records_add(out);
    record->value = (struct hr_str){message->payload, message->len};
    record->key = (struct hr_str){message->key, message->key_len};
    record->origin = partition->topic;
    record->partition = partition->number;
    record->offset = message->offset;
    record->timestamp_us = hr_kafka_message_time_us(message, &has_time);
    record->flags = (has_time ? HR_RECORD_HAS_TIME : 0) | (message->key != NULL ? HR_RECORD_HAS_KEY : 0) |
                    (message->payload == NULL ? HR_RECORD_TOMBSTONE : 0);
    if (hr_kafka_options_of(source)->include_headers) {
        record->headers = headers_text(source, message);
    }
    out->bytes += message->len;
}

static void hand_over(struct hr_kafka_source *source, struct hr_kafka_partition *partition, struct hr_offset *offset,
                      int64_t end, struct hr_records *out)
{
    rd_kafka_message_t *message = hr_kafka_fetch_take(source, partition, end);
    while (message != NULL) {
        rd_kafka_message_t *next = hr_kafka_fetch_take(source, partition, end);
        if (next == NULL) {
            bool known;
            offset->has_anchor = true;
            offset->anchor_offset = message->offset;
            offset->anchor_timestamp_us = hr_kafka_message_time_us(message, &known);
            offset->anchor_crc = hr_kafka_message_crc(message);
        }
        add_record(source, partition, message, out);
        message = next;
    }
    offset->position = end > offset->position ? end : offset->position;
}

static enum hr_status kafka_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                 struct hr_error *err)
{
    struct hr_kafka_source *source = kafka_of(base);
    hr_kafka_fetch_free_handed(source);
    hr_arena_reset(&source->header_arena);
    HR_TRY(fetch_rest(source, end, err));
    for (size_t i = 0; i < source->partition_count; i++) {
        struct hr_kafka_partition *partition = &source->partitions[i];
        const struct hr_offset *wanted = hr_offsets_find(end, partition->topic, partition->number);
        if (wanted != NULL) {
            hand_over(source, partition, &base->position.items[i], wanted->position, out);
        }
    }
    return HR_OK;
}

static void kafka_release_records(struct hr_source *base, size_t first, size_t count)
{
    hr_kafka_fetch_release(kafka_of(base), first, count);
}

static void kafka_committed(struct hr_source *base, const struct hr_offsets *end)
{
    struct hr_kafka_source *source = kafka_of(base);
    hr_offsets_copy(&source->committed, end);
    source->unpublished = true;
    if (hr_kafka_now_ns() - source->published_ns > PUBLISH_NS) {
        hr_kafka_position_publish(source, 0);
    }
}

static enum hr_status kafka_latest(struct hr_source *base, struct hr_offsets *out, struct hr_error *err)
{
    struct hr_kafka_source *source = kafka_of(base);
    (void)err;
    if (hr_kafka_now_ns() - source->asked_ns > LATEST_NS && !source->watch.down) {
        (void)hr_kafka_position_ends(source, 500, NULL); /* no answer: what is known */
    }
    (void)hr_kafka_available(source, NULL, out);
    return HR_OK;
}

const struct hr_source_type hr_source_kafka = {
    .kind =
        {
            .name = "kafka",
            .summary = "records of Kafka topics",
            .doc =
                "Partitions are assigned by Headrace, at the offsets of its checkpoint; the group "
                "headrace-<query> (group.id in properties) only shows them, for tools that show lag. New partitions, "
                "and new topics of a pattern, are found while running and read from their first offset. "
                "Transactions that were aborted are not read. A broker that is away is waited for.",
            .example = "{type: kafka, subscribe: [clicks], startingOffsets: earliest, properties: {bootstrap.servers: "
                       "\"localhost:9092\"}, format: {type: json}, schema: \"id long, x double\"}",
            .options = {kafka_options, HR_ARRAY_LEN(kafka_options)},
            .options_size = sizeof(struct hr_kafka_source_options),
            .instance_size = sizeof(struct hr_kafka_source),
        },
    .flags = HR_SOURCE_REPLAYABLE | HR_SOURCE_AHEAD,
    .check = kafka_check,
    .preflight = kafka_preflight,
    .start = kafka_start,
    .open = kafka_open,
    .latest = kafka_latest,
    .plan = hr_kafka_plan,
    .read = kafka_read,
    .release_records = kafka_release_records,
    .committed = kafka_committed,
    .close = kafka_close,
    .describe = kafka_describe,
};
