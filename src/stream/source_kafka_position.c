/* SPDX-License-Identifier: Apache-2.0
 *
 * Where each partition of the Kafka source starts, and whether a position that was kept can still be read. Offsets are
 * always absolute before they are assigned: librdkafka takes half a second to find "the beginning" itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "stream/source_kafka_find.h"

#define DISCOVER_NS INT64_C(10000000000)
/* A partition that seems to be gone is looked for once more, for metadata may be late. */
#define MISSING_NS INT64_C(2000000000)

/* ---- asking for offsets ------------------------------------------------------------------------------------- */

/* offsets: in, times or the words −2, −1; out, offsets. */
static enum hr_status ask(struct hr_kafka_source *source, struct hr_offsets *offsets, int timeout_ms,
                          struct hr_error *err)
{
    if (offsets->count == 0) {
        return HR_OK;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)offsets->count);
    for (size_t i = 0; i < offsets->count; i++) {
        const struct hr_offset *offset = &offsets->items[i];
        rd_kafka_topic_partition_list_add(list, offset->name.data, offset->partition)->offset = offset->position;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(source->client, list, timeout_ms);
    char what[320] = "asking for offsets";
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        code = list->elems[i].err;
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            (void)snprintf(what, sizeof(what), "topic '%s', partition %d: asking for offsets", list->elems[i].topic,
                           list->elems[i].partition);
            break;
        }
        struct hr_offset *offset =
            hr_offsets_find(offsets, hr_str_from(list->elems[i].topic), list->elems[i].partition);
        offset->position = list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return hr_kafka_fail(err, code, NULL, what);
    }
    hr_kafka_watch_answer(&source->watch);
    return HR_OK;
}

static enum hr_status ask_all(struct hr_kafka_source *source, const struct hr_offsets *names, int64_t question,
                              struct hr_offsets *out, int timeout_ms, struct hr_error *err)
{
    hr_offsets_copy(out, names);
    for (size_t i = 0; i < out->count; i++) {
        out->items[i].position = question;
    }
    return ask(source, out, timeout_ms, err);
}

enum hr_status hr_kafka_position_ends(struct hr_kafka_source *source, int timeout_ms, struct hr_error *err)
{
    struct hr_offsets ends = {0};
    enum hr_status status = ask_all(source, &source->base.position, HR_KAFKA_LATEST, &ends, timeout_ms, err);
    for (size_t i = 0; status == HR_OK && i < ends.count; i++) {
        source->partitions[i].end = ends.items[i].position;
    }
    source->asked_ns = status == HR_OK ? hr_kafka_now_ns() : source->asked_ns;
    hr_offsets_release(&ends);
    return status;
}

/* ---- where to start ----------------------------------------------------------------------------------------- */

static const struct hr_yaml *given_offset(const struct hr_yaml *offsets, const struct hr_offset *offset)
{
    const struct hr_yaml *topic = hr_yaml_get(offsets, offset->name.data);
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", offset->partition);
    return hr_yaml_get(topic, number);
}

/* The question to ask for a partition's first position (−2, −1, a time), or an absolute offset. */
static enum hr_status starting_offset(struct hr_kafka_source *source, const struct hr_offset *offset, int64_t *question,
                                      bool *absolute, struct hr_error *err)
{
    const struct hr_kafka_source_options *options = hr_kafka_options_of(source);
    const struct hr_yaml *given = options->starting_offsets;
    *absolute = false;
    *question = HR_KAFKA_LATEST;
    if (options->starting_timestamp != NULL) {
        (void)hr_kafka_parse_time(options->starting_timestamp, question);
        return HR_OK;
    }
    if (given == NULL || given->kind == HR_YAML_SCALAR) {
        *question = given != NULL && hr_kafka_is_word(given, "earliest") ? HR_KAFKA_EARLIEST : HR_KAFKA_LATEST;
        return HR_OK;
    }
    const struct hr_yaml *value = given_offset(given, offset);
    if (value == NULL) {
        (void)hr_fail(err, HR_BAD_CONFIG, "startingOffsets says nothing of topic '%s', partition %d", offset->name.data,
                      offset->partition);
        return hr_fail_hint(err, "name every partition; -2 is the earliest offset, -1 the latest");
    }
    (void)hr_yaml_integer(value, question);
    *absolute = *question >= 0;
    return HR_OK;
}

static enum hr_status start_fresh(struct hr_kafka_source *source, struct hr_offsets *offsets,
                                  const struct hr_offsets *ends, struct hr_error *err)
{
    HR_CLEANUP(hr_offsets_release) struct hr_offsets questions = {0};
    for (size_t i = 0; i < offsets->count; i++) {
        struct hr_offset *offset = &offsets->items[i];
        int64_t question;
        bool absolute;
        HR_TRY(starting_offset(source, offset, &question, &absolute, err));
        if (absolute || question == HR_KAFKA_LATEST) {
            offset->position = absolute ? question : ends->items[i].position;
        } else {
            hr_offsets_set(&questions, offset->name, offset->partition, question);
        }
    }
    HR_TRY(ask(source, &questions, HR_KAFKA_ASK_MS, err));
    for (size_t i = 0; i < questions.count; i++) {
        const struct hr_offset *answer = &questions.items[i];
        struct hr_offset *offset = hr_offsets_find(offsets, answer->name, answer->partition);
        const struct hr_offset *end = hr_offsets_find(ends, answer->name, answer->partition);
        /* No record of that time yet: −1. */
        offset->position = answer->position >= 0 ? answer->position : end->position;
    }
    return HR_OK;
}

/* Takes the partitions, in the order of base.position. */
static void take_partitions(struct hr_kafka_source *source, const struct hr_offsets *lows,
                            const struct hr_offsets *ends)
{
    struct hr_kafka_partition *old = source->partitions;
    size_t old_count = source->partition_count;
    const struct hr_offsets *position = &source->base.position;
    source->partitions = hr_calloc(position->count + 1, sizeof(*source->partitions));
    source->partition_count = position->count;
    source->last = 0;
    for (size_t i = 0, next = 0; i < position->count; i++) {
        const struct hr_offset *offset = &position->items[i];
        struct hr_kafka_partition *partition = &source->partitions[i];
        if (next < old_count && old[next].number == offset->partition && hr_str_equal(old[next].topic, offset->name)) {
            *partition = old[next++];
        } else {
            partition->topic = (struct hr_str){
                hr_arena_strndup(&source->name_arena, offset->name.data, offset->name.length), offset->name.length};
            partition->number = offset->partition;
            partition->next = offset->position;
        }
        const struct hr_offset *low = hr_offsets_find(lows, offset->name, offset->partition);
        const struct hr_offset *end = hr_offsets_find(ends, offset->name, offset->partition);
        partition->low = low != NULL ? low->position : partition->low;
        partition->end = end != NULL ? end->position : partition->end;
    }
    hr_free(old);
}

enum hr_status hr_kafka_position_gone(const struct hr_kafka_source *source, struct hr_str topic, int32_t partition,
                                      struct hr_error *err)
{
    bool fail = hr_kafka_options_of(source)->fail_on_data_loss;
    const struct hr_offset *offset = hr_offsets_find(&source->base.position, topic, partition);
    (void)hr_fail(err, fail ? HR_DATA_LOSS : HR_UNAVAILABLE,
                  "topic '%.*s' has no partition %d any more, which was read up to offset %" PRId64, HR_STR_ARGS(topic),
                  partition, offset != NULL ? offset->position : 0);
    return hr_fail_hint(err, "the topic was deleted or made anew, or the query reads other topics than before; "
                             "--new-lineage starts from startingOffsets");
}

/* Partitions of the checkpoint stay, those that are new start at their first offset. */
static enum hr_status keep_committed(struct hr_kafka_source *source, const struct hr_offsets *committed,
                                     const struct hr_offsets *found, const struct hr_offsets *lows,
                                     struct hr_error *err)
{
    struct hr_offsets *position = &source->base.position;
    hr_offsets_copy(position, committed);
    for (size_t i = 0; i < committed->count; i++) {
        const struct hr_offset *offset = &committed->items[i];
        if (hr_offsets_find(found, offset->name, offset->partition) != NULL) {
            continue;
        }
        enum hr_status status = hr_kafka_position_gone(source, offset->name, offset->partition, err);
        if (status == HR_DATA_LOSS) {
            return status;
        }
        hr_log_warn(source->base.query,
                    "topic '%.*s', partition %d is gone; what was not read of it, from offset %" PRId64 " on, is lost",
                    HR_STR_ARGS(offset->name), offset->partition, offset->position);
        hr_offsets_remove(position, offset->name, offset->partition);
        source->moved = true;
    }
    for (size_t i = 0; i < lows->count; i++) {
        const struct hr_offset *low = &lows->items[i];
        if (hr_offsets_find(committed, low->name, low->partition) == NULL) {
            hr_offsets_set(&source->base.position, low->name, low->partition, low->position);
        }
    }
    return HR_OK;
}

static enum hr_status check_range(struct hr_kafka_source *source, struct hr_error *err)
{
    for (size_t i = 0; i < source->partition_count; i++) {
        const struct hr_kafka_partition *partition = &source->partitions[i];
        int64_t position = source->base.position.items[i].position;
        if (position > partition->end) {
            HR_TRY(hr_kafka_position_lost(source, i, true, err));
        } else if (position < partition->low) {
            HR_TRY(hr_kafka_position_lost(source, i, false, err));
        }
    }
    return HR_OK;
}

enum hr_status hr_kafka_position_open(struct hr_kafka_source *source, const struct hr_offsets *committed,
                                      struct hr_error *err)
{
    HR_CLEANUP(hr_offsets_release) struct hr_offsets found = {0};
    HR_CLEANUP(hr_offsets_release) struct hr_offsets lows = {0};
    HR_CLEANUP(hr_offsets_release) struct hr_offsets ends = {0};
    HR_TRY(hr_kafka_find_partitions(source, &found, HR_KAFKA_ASK_MS, err));
    HR_TRY(ask_all(source, &found, HR_KAFKA_EARLIEST, &lows, HR_KAFKA_ASK_MS, err));
    HR_TRY(ask_all(source, &found, HR_KAFKA_LATEST, &ends, HR_KAFKA_ASK_MS, err));
    if (committed == NULL) {
        HR_TRY(start_fresh(source, &found, &ends, err));
        hr_offsets_copy(&source->base.position, &found);
    } else {
        HR_TRY(keep_committed(source, committed, &found, &lows, err));
    }
    take_partitions(source, &lows, &ends);
    source->asked_ns = source->discovered_ns = hr_kafka_now_ns();
    return check_range(source, err);
}

/* ---- while running ------------------------------------------------------------------------------------------ */

/* The first of our partitions that is not there any more, when that was so last time as well. */
static enum hr_status check_missing(struct hr_kafka_source *source, const struct hr_offsets *found,
                                    struct hr_error *err)
{
    bool was_missing = source->missing;
    source->missing = false;
    for (size_t i = 0; i < source->base.position.count; i++) {
        const struct hr_offset *offset = &source->base.position.items[i];
        if (hr_offsets_find(found, offset->name, offset->partition) != NULL) {
            continue;
        }
        if (was_missing) {
            return hr_kafka_position_gone(source, offset->name, offset->partition, err);
        }
        source->missing = true;
        source->discovered_ns += MISSING_NS - DISCOVER_NS;
        return HR_OK;
    }
    return HR_OK;
}

static enum hr_status discover_new(struct hr_kafka_source *source, bool *changed, struct hr_error *err)
{
    HR_CLEANUP(hr_offsets_release) struct hr_offsets found = {0};
    HR_CLEANUP(hr_offsets_release) struct hr_offsets lows = {0};
    enum hr_status status = hr_kafka_find_partitions(source, &found, HR_KAFKA_ASK_MS, NULL);
    if (status == HR_OK || status == HR_BAD_CONFIG) {
        HR_TRY(check_missing(source, &found, err));
    }
    if (status != HR_OK) {
        return HR_OK; /* away, or seemingly gone */
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct hr_offset *offset = &found.items[i];
        if (hr_offsets_find(&source->base.position, offset->name, offset->partition) == NULL) {
            hr_offsets_set(&lows, offset->name, offset->partition, HR_KAFKA_EARLIEST);
        }
    }
    if (lows.count == 0 || ask(source, &lows, HR_KAFKA_ASK_MS, NULL) != HR_OK) {
        return HR_OK;
    }
    for (size_t i = 0; i < lows.count; i++) {
        const struct hr_offset *low = &lows.items[i];
        hr_log_info(source->base.query, "source '%s': new partition: topic '%.*s', partition %d, from offset %" PRId64,
                    source->base.id, HR_STR_ARGS(low->name), low->partition, low->position);
        hr_offsets_set(&source->base.position, low->name, low->partition, low->position);
    }
    take_partitions(source, &lows, &lows);
    *changed = true;
    return hr_kafka_position_ends(source, HR_KAFKA_ASK_MS, err);
}

enum hr_status hr_kafka_position_discover(struct hr_kafka_source *source, bool *changed, struct hr_error *err)
{
    *changed = false;
    if (hr_kafka_now_ns() - source->discovered_ns < DISCOVER_NS || source->watch.down || hr_kafka_stopping(source)) {
        return HR_OK;
    }
    source->discovered_ns = hr_kafka_now_ns();
    return discover_new(source, changed, err);
}

static enum hr_status lost_fail(const struct hr_kafka_partition *partition, int64_t position, bool remade,
                                struct hr_error *err)
{
    if (remade) {
        (void)hr_fail(err, HR_DATA_LOSS,
                      "topic '%s', partition %d: the query has read up to offset %" PRId64 ", but what is there now "
                      "(offsets %" PRId64 " to %" PRId64 ") is not what it read: the topic was made anew or cut off",
                      partition->topic.data, partition->number, position, partition->low, partition->end);
    } else {
        (void)hr_fail(err, HR_DATA_LOSS,
                      "topic '%s', partition %d: offsets %" PRId64 " to %" PRId64 " (%" PRId64 " rows) are gone before "
                      "they were read; the first one left is %" PRId64,
                      partition->topic.data, partition->number, position, partition->low - 1, partition->low - position,
                      partition->low);
    }
    return hr_fail_hint(err, "failOnDataLoss: false goes on with what is there, and counts what is lost; see "
                             "docs/recovery.md");
}

/* What there is now, of one partition. */
static enum hr_status ask_range(struct hr_kafka_source *source, size_t index, struct hr_error *err)
{
    struct hr_kafka_partition *partition = &source->partitions[index];
    HR_CLEANUP(hr_offsets_release) struct hr_offsets question = {0};
    hr_offsets_set(&question, partition->topic, partition->number, HR_KAFKA_EARLIEST);
    HR_TRY(ask(source, &question, HR_KAFKA_ASK_MS, err));
    partition->low = question.items[0].position;
    question.items[0].position = HR_KAFKA_LATEST;
    HR_TRY(ask(source, &question, HR_KAFKA_ASK_MS, err));
    partition->end = question.items[0].position;
    return HR_OK;
}

enum hr_status hr_kafka_position_lost(struct hr_kafka_source *source, size_t index, bool remade, struct hr_error *err)
{
    struct hr_kafka_partition *partition = &source->partitions[index];
    struct hr_offset *offset = &source->base.position.items[index];
    HR_TRY(ask_range(source, index, err));
    remade = remade || offset->position > partition->end;
    if (!remade && partition->low <= offset->position) {
        /* Only the anchor is gone, or what was fetched ahead. */
        hr_kafka_fetch_forget(source, partition);
        partition->next = offset->position;
        offset->has_anchor = partition->verify = source->has_range = false;
        return HR_OK;
    }
    if (hr_kafka_options_of(source)->fail_on_data_loss) {
        return lost_fail(partition, offset->position, remade, err);
    }
    if (remade) {
        hr_log_warn(source->base.query,
                    "topic '%s', partition %d was made anew: read from its first offset, %" PRId64
                    "; what the old one held above offset %" PRId64 " and was not read is lost",
                    partition->topic.data, partition->number, partition->low, offset->position);
    } else {
        uint64_t lost = (uint64_t)(partition->low - offset->position);
        source->base.lost_rows += lost;
        hr_log_warn(source->base.query,
                    "topic '%s', partition %d: offsets %" PRId64 " to %" PRId64 " (%" PRIu64 " rows) are lost",
                    partition->topic.data, partition->number, offset->position, partition->low - 1, lost);
    }
    hr_kafka_fetch_forget(source, partition);
    offset->position = partition->next = partition->low;
    offset->has_anchor = false;
    partition->verify = false;
    source->has_range = false;
    source->moved = true;
    return HR_OK;
}

/* ---- the group ---------------------------------------------------------------------------------------------- */

void hr_kafka_position_publish(struct hr_kafka_source *source, int wait_ms)
{
    const struct hr_offsets *position = &source->committed;
    if (position->count == 0 || source->watch.down) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)position->count);
    for (size_t i = 0; i < position->count; i++) {
        const struct hr_offset *offset = &position->items[i];
        rd_kafka_topic_partition_list_add(list, offset->name.data, offset->partition)->offset = offset->position;
    }
    if (wait_ms == 0) {
        (void)rd_kafka_commit(source->client, list, 1);
    } else {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(source->client);
        (void)rd_kafka_commit_queue(source->client, list, queue, NULL, NULL);
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, wait_ms);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
        rd_kafka_queue_destroy(queue);
    }
    rd_kafka_topic_partition_list_destroy(list);
    source->published_ns = hr_kafka_now_ns();
    source->unpublished = false;
}
