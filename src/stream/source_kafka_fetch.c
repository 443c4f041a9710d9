/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages from librdkafka into a ring a partition. librdkafka's own queue is the read-ahead: it fills while a batch is
 * computed. Messages stay where librdkafka put them; a record points into its message.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/wire.h"
#include "stream/source_kafka.h"

#define INCOMING_MAX 4096

/* ---- rings -------------------------------------------------------------------------------------------------- */

static void ring_push(struct hr_kafka_partition *partition, rd_kafka_message_t *message)
{
    if (partition->count == partition->capacity) {
        size_t capacity = partition->capacity == 0 ? 256 : partition->capacity * 2;
        rd_kafka_message_t **ring = hr_calloc(capacity, sizeof(rd_kafka_message_t *));
        for (size_t i = 0; i < partition->count; i++) {
            ring[i] = partition->ring[(partition->head + i) & (partition->capacity - 1)];
        }
        hr_free(partition->ring);
        partition->ring = ring;
        partition->capacity = capacity;
        partition->head = 0;
    }
    partition->ring[(partition->head + partition->count++) & (partition->capacity - 1)] = message;
}

static rd_kafka_message_t *ring_first(const struct hr_kafka_partition *partition)
{
    return partition->count > 0 ? partition->ring[partition->head] : NULL;
}

static rd_kafka_message_t *ring_pop(struct hr_kafka_partition *partition)
{
    rd_kafka_message_t *message = partition->ring[partition->head];
    partition->head = (partition->head + 1) & (partition->capacity - 1);
    partition->count--;
    return message;
}

void hr_kafka_fetch_forget(struct hr_kafka_source *source, struct hr_kafka_partition *partition)
{
    while (partition->count > 0) {
        rd_kafka_message_t *message = ring_pop(partition);
        source->waiting_bytes -= message->len;
        source->waiting_count--;
        rd_kafka_message_destroy(message);
    }
}

void hr_kafka_fetch_keep(struct hr_kafka_source *source, rd_kafka_message_t *message)
{
    if (source->handed_count == source->handed_capacity) {
        source->handed_capacity = source->handed_capacity == 0 ? INCOMING_MAX : source->handed_capacity * 2;
        source->handed = hr_realloc_array(source->handed, source->handed_capacity, sizeof(rd_kafka_message_t *));
    }
    source->handed[source->handed_count++] = message;
}

rd_kafka_message_t *hr_kafka_fetch_take(struct hr_kafka_source *source, struct hr_kafka_partition *partition,
                                        int64_t end)
{
    rd_kafka_message_t *message = ring_first(partition);
    if (message == NULL || message->offset >= end) {
        return NULL;
    }
    source->waiting_bytes -= message->len;
    source->waiting_count--;
    return ring_pop(partition);
}

void hr_kafka_fetch_release(struct hr_kafka_source *source, size_t first, size_t count)
{
    HR_ASSERT(first + count <= source->handed_count);
    for (size_t i = first; i < first + count; i++) {
        if (source->handed[i] != NULL) {
            rd_kafka_message_destroy(source->handed[i]);
            source->handed[i] = NULL;
        }
    }
}

void hr_kafka_fetch_free_handed(struct hr_kafka_source *source)
{
    hr_kafka_fetch_release(source, 0, source->handed_count);
    source->handed_count = 0;
}

/* ---- anchors ------------------------------------------------------------------------------------------------ */

uint32_t hr_kafka_message_crc(const rd_kafka_message_t *message)
{
    uint32_t crc = message->key != NULL ? hr_crc32c(0, message->key, message->key_len) : 0;
    return message->payload != NULL ? hr_crc32c(crc, message->payload, message->len) : crc;
}

int64_t hr_kafka_message_time_us(const rd_kafka_message_t *message, bool *known)
{
    rd_kafka_timestamp_type_t type;
    int64_t milliseconds = rd_kafka_message_timestamp(message, &type);
    *known = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && milliseconds >= 0;
    return *known ? milliseconds * 1000 : 0;
}

/* Whether the record before the position is the one that was there. One that is gone by compaction says nothing. */
static bool anchor_fits(const struct hr_offset *offset, const rd_kafka_message_t *message)
{
    bool known;
    if (message->offset != offset->anchor_offset) {
        return true;
    }
    return hr_kafka_message_crc(message) == offset->anchor_crc &&
           hr_kafka_message_time_us(message, &known) == offset->anchor_timestamp_us;
}

/* ---- fetch -------------------------------------------------------------------------------------------------- */

enum hr_status hr_kafka_fetch_assign(struct hr_kafka_source *source, struct hr_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)source->partition_count);
    for (size_t i = 0; i < source->partition_count; i++) {
        struct hr_kafka_partition *partition = &source->partitions[i];
        const struct hr_offset *offset = &source->base.position.items[i];
        int64_t from = partition->next;
        partition->verify = offset->has_anchor && from == offset->position && offset->anchor_offset < from &&
                            offset->anchor_offset >= partition->low;
        rd_kafka_topic_partition_list_add(list, partition->topic.data, partition->number)->offset =
            partition->verify ? offset->anchor_offset : from;
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(source->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? HR_OK : hr_kafka_fail(err, code, NULL, "assigning partitions");
}

/* A topic was away: what comes now may be of another one with its name. Back to the positions, anchors first. */
static enum hr_status fetch_anew(struct hr_kafka_source *source, struct hr_error *err)
{
    for (size_t i = 0; i < source->partition_count; i++) {
        hr_kafka_fetch_forget(source, &source->partitions[i]);
        source->partitions[i].next = source->base.position.items[i].position;
    }
    return hr_kafka_fetch_assign(source, err);
}

static bool is_of(const struct hr_kafka_partition *partition, const char *topic, int32_t number)
{
    return partition->number == number && strcmp(partition->topic.data, topic) == 0;
}

/* Messages come in runs of one partition. SIZE_MAX: not one of ours. */
static size_t find_partition(struct hr_kafka_source *source, const rd_kafka_message_t *message)
{
    const char *topic = message->rkt != NULL ? rd_kafka_topic_name(message->rkt) : "";
    for (size_t i = 0; i < source->partition_count; i++) {
        size_t candidate = source->last + i;
        candidate = candidate >= source->partition_count ? candidate - source->partition_count : candidate;
        if (is_of(&source->partitions[candidate], topic, message->partition)) {
            source->last = candidate;
            return candidate;
        }
    }
    return SIZE_MAX;
}

static enum hr_status take_lost(struct hr_kafka_source *source, size_t index, bool remade, struct hr_error *err)
{
    HR_TRY(hr_kafka_position_lost(source, index, remade, err));
    source->assigned_anew = true;
    return hr_kafka_fetch_assign(source, err);
}

/* Takes ownership of the message. */
static enum hr_status take_message(struct hr_kafka_source *source, rd_kafka_message_t *message, size_t *got,
                                   struct hr_error *err)
{
    size_t index = find_partition(source, message);
    struct hr_kafka_partition *partition = index == SIZE_MAX ? NULL : &source->partitions[index];
    if (partition != NULL && partition->verify) {
        partition->verify = false;
        if (!anchor_fits(&source->base.position.items[index], message)) {
            rd_kafka_message_destroy(message);
            return take_lost(source, index, true, err);
        }
    }
    if (partition == NULL || message->offset < partition->next) {
        rd_kafka_message_destroy(message); /* the anchor, or left from an assignment before */
        return HR_OK;
    }
    partition->next = message->offset + 1;
    source->waiting_bytes += message->len;
    source->waiting_count++;
    ring_push(partition, message);
    (*got)++;
    return HR_OK;
}

static enum hr_status take_event(struct hr_kafka_source *source, const rd_kafka_message_t *message,
                                 struct hr_error *err)
{
    size_t index = find_partition(source, message);
    if (index == SIZE_MAX) {
        hr_log_debug(source->base.query, "Kafka consumer: %s", rd_kafka_message_errstr(message));
        return HR_OK;
    }
    struct hr_kafka_partition *partition = &source->partitions[index];
    char what[320];
    snprintf(what, sizeof(what), "topic '%s', partition %d", partition->topic.data, partition->number);
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (message->offset < source->base.position.items[index].position) {
            return take_lost(source, index, true, err);
        }
        partition->next = message->offset > partition->next ? message->offset : partition->next;
        partition->verify = false; /* the anchor is gone by compaction, and so is all after it */
        return HR_OK;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return take_lost(source, index, false, err);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return hr_kafka_position_gone(source, partition->topic, partition->number, err);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        return hr_kafka_fail(err, message->err, rd_kafka_message_errstr(message), what);
    default:
        hr_log_debug(source->base.query, "%s: %s", what, rd_kafka_message_errstr(message));
        return HR_OK;
    }
}

enum hr_status hr_kafka_fetch(struct hr_kafka_source *source, int64_t wait_us, size_t *got, struct hr_error *err)
{
    *got = 0;
    (void)rd_kafka_poll(source->client, 0); /* error callbacks */
    if (source->watch.gone) {
        source->watch.gone = false;
        HR_TRY(fetch_anew(source, err));
    }
    int timeout_ms = (int)((wait_us + 999) / 1000);
    enum hr_status status = HR_OK;
    /* With a wait, the first call returns at the first message: what came with it is fetched without one. */
    ssize_t count = rd_kafka_consume_batch_queue(source->queue, 0, source->incoming, INCOMING_MAX);
    if (count == 0 && timeout_ms > 0) {
        count = rd_kafka_consume_batch_queue(source->queue, timeout_ms, source->incoming, 1);
    }
    source->assigned_anew = false;
    for (ssize_t i = 0; i < count; i++) {
        rd_kafka_message_t *message = source->incoming[i];
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            /* After an assignment all comes again. What was taken before it may lie above a position that has moved
             * back to the first offset, and would stand for all that is below. */
            if (status != HR_OK || source->assigned_anew) {
                rd_kafka_message_destroy(message);
                continue;
            }
            status = take_message(source, message, got, err);
            continue;
        }
        status = status == HR_OK && !source->assigned_anew ? take_event(source, message, err) : status;
        rd_kafka_message_destroy(message);
    }
    if (*got > 0) {
        source->got_ns = hr_kafka_now_ns();
        hr_kafka_watch_answer(&source->watch);
    }
    return status;
}

bool hr_kafka_fetch_verified(const struct hr_kafka_source *source)
{
    for (size_t i = 0; i < source->partition_count; i++) {
        if (source->partitions[i].verify) {
            return false;
        }
    }
    return true;
}

bool hr_kafka_fetch_complete(const struct hr_kafka_source *source, const struct hr_offsets *end)
{
    for (size_t i = 0; i < end->count; i++) {
        const struct hr_offset *wanted = &end->items[i];
        for (size_t k = 0; k < source->partition_count; k++) {
            const struct hr_kafka_partition *partition = &source->partitions[(i + k) % source->partition_count];
            if (partition->number == wanted->partition && hr_str_equal(partition->topic, wanted->name)) {
                if (partition->next < wanted->position || partition->verify) {
                    return false;
                }
                break;
            }
        }
    }
    return true;
}
