/* SPDX-License-Identifier: Apache-2.0
 *
 * Which partitions the Kafka source has, where each one starts, and whether a position that was kept can still be read.
 * Offsets are always absolute before they are assigned: librdkafka takes half a second to find "the beginning" itself.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <inttypes.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "data/timestamp.h"
#include "stream/source_kafka.h"

#define DISCOVER_NS INT64_C(10000000000)
#define OFFSET_EARLIEST (-2)
#define OFFSET_LATEST (-1)
#define PATTERN_STEPS_MAX 100000

/* ---- plan time ---------------------------------------------------------------------------------------------- */

static pcre2_code *pattern_compile(const char *pattern, char *text, size_t size)
{
    int code = 0;
    size_t place = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                         PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code, &place, NULL);
    if (compiled == NULL) {
        char reason[128] = "";
        (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
        (void)snprintf(text, size, "%s at character %zu", reason, place + 1);
    }
    return compiled;
}

static void check_assign(const struct hr_yaml *node, struct hr_findings *findings)
{
    if (node->kind != HR_YAML_MAPPING || node->count == 0) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "assign is no map of topics");
        hr_finding_hint(findings, finding, "write assign: {clicks: [0, 1]}");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct hr_yaml *list = node->items[i];
        bool good = list->kind == HR_YAML_SEQUENCE && list->count > 0;
        for (size_t k = 0; good && k < list->count; k++) {
            int64_t number = -1;
            good = hr_yaml_integer(list->items[k], &number) && number >= 0 && number <= INT32_MAX;
        }
        if (!good) {
            hr_findings_error(findings, &list->place, "assign: partitions of '%s' must be a list of numbers",
                              node->keys[i]);
        }
    }
}

static bool is_word(const struct hr_yaml *node, const char *word)
{
    return node->kind == HR_YAML_SCALAR && strcmp(node->text, word) == 0;
}

static void check_offsets(const struct hr_yaml *node, struct hr_findings *findings)
{
    if (is_word(node, "earliest") || is_word(node, "latest")) {
        return;
    }
    bool good = node->kind == HR_YAML_MAPPING && node->count > 0;
    for (size_t i = 0; good && i < node->count; i++) {
        const struct hr_yaml *partitions = node->items[i];
        good = partitions->kind == HR_YAML_MAPPING && partitions->count > 0;
        for (size_t k = 0; good && k < partitions->count; k++) {
            int64_t offset;
            char *end;
            good = hr_yaml_integer(partitions->items[k], &offset) && offset >= OFFSET_EARLIEST &&
                   strtol(partitions->keys[k], &end, 10) >= 0 && *end == '\0';
        }
    }
    if (!good) {
        struct hr_finding *finding =
            hr_findings_error(findings, &node->place, "startingOffsets is not earliest, latest or a map of offsets");
        hr_finding_hint(findings, finding,
                        "write startingOffsets: {clicks: {0: 1200, 1: -2}}; -2 is the earliest "
                        "offset, -1 the latest");
    }
}

/* RFC 3339, or milliseconds since 1970. */
static bool parse_time(const char *text, int64_t *out_ms)
{
    int64_t microseconds;
    if (hr_timestamp_parse_rfc3339(text, strlen(text), &microseconds)) {
        *out_ms = microseconds / 1000;
        return true;
    }
    char *end;
    *out_ms = strtoll(text, &end, 10);
    return end != text && *end == '\0' && *out_ms >= 0;
}

void hr_kafka_position_check(struct hr_kafka_source *source, struct hr_findings *findings)
{
    const struct hr_kafka_source_options *options = hr_kafka_options_of(source);
    const struct hr_place *place = &source->base.place;
    int ways = (options->topics.count > 0) + (options->pattern != NULL) + (options->assign != NULL);
    if (ways != 1) {
        struct hr_finding *finding = hr_findings_error(findings, place,
                                                       ways == 0 ? "a kafka source needs topics"
                                                                 : "subscribe, subscribePattern and assign exclude "
                                                                   "each other");
        hr_finding_hint(findings, finding,
                        "write one of subscribe: [topic], subscribePattern: \"clicks-.*\", "
                        "assign: {topic: [0, 1]}");
    }
    if (options->assign != NULL) {
        check_assign(options->assign, findings);
    }
    if (options->starting_offsets != NULL) {
        check_offsets(options->starting_offsets, findings);
    }
    int64_t ignored;
    if (options->starting_timestamp != NULL && !parse_time(options->starting_timestamp, &ignored)) {
        struct hr_finding *finding =
            hr_findings_error(findings, place, "startingTimestamp '%s' is no time", options->starting_timestamp);
        hr_finding_hint(findings, finding, "write 2026-01-31T10:00:00Z, or milliseconds since 1970");
    }
    if (options->starting_timestamp != NULL && options->starting_offsets != NULL) {
        hr_findings_error(findings, place, "startingOffsets and startingTimestamp exclude each other");
    }
    char text[256];
    pcre2_code *pattern = options->pattern != NULL ? pattern_compile(options->pattern, text, sizeof(text)) : NULL;
    if (options->pattern != NULL && pattern == NULL) {
        hr_findings_error(findings, place, "subscribePattern: %s", text);
    }
    pcre2_code_free(pattern);
}

/* ---- which partitions --------------------------------------------------------------------------------------- */

/* Positions of what was found; −1 where nothing is decided yet. */
struct found {
    struct hr_kafka_source *source;
    struct hr_offsets offsets;
    pcre2_code *pattern;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

static void found_release(struct found *found)
{
    hr_offsets_release(&found->offsets);
    pcre2_match_context_free(found->limits);
    pcre2_match_data_free(found->match);
    pcre2_code_free(found->pattern);
}

static enum hr_status find_topic(struct found *found, const struct rd_kafka_metadata *metadata, const char *topic,
                                 const struct hr_yaml *partitions, struct hr_error *err)
{
    int count = 0;
    HR_TRY(hr_kafka_metadata_topic(metadata, topic, &count, err));
    for (int i = 0; i < count && partitions == NULL; i++) {
        hr_offsets_set(&found->offsets, hr_str_from(topic), i, -1);
    }
    for (size_t i = 0; partitions != NULL && i < partitions->count; i++) {
        int64_t number = 0;
        (void)hr_yaml_integer(partitions->items[i], &number);
        if (number >= count) {
            (void)hr_fail(err, HR_BAD_CONFIG, "topic '%s' has %d partitions, assign names %lld", topic, count,
                          (long long)number);
            return hr_fail_hint(err, "partitions are counted from 0");
        }
        hr_offsets_set(&found->offsets, hr_str_from(topic), (int32_t)number, -1);
    }
    return HR_OK;
}

static enum hr_status find_pattern(struct found *found, const struct rd_kafka_metadata *metadata, struct hr_error *err)
{
    char text[256];
    found->pattern = pattern_compile(hr_kafka_options_of(found->source)->pattern, text, sizeof(text));
    HR_ASSERT(found->pattern != NULL);
    found->match = pcre2_match_data_create(1, NULL);
    found->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(found->limits, PATTERN_STEPS_MAX);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const char *topic = metadata->topics[i].topic;
        if (strncmp(topic, "__", 2) != 0 &&
            pcre2_match(found->pattern, (PCRE2_SPTR)topic, strlen(topic), 0, 0, found->match, found->limits) >= 0) {
            HR_TRY(find_topic(found, metadata, topic, NULL, err));
        }
    }
    return HR_OK;
}

static enum hr_status find_in(struct found *found, const struct rd_kafka_metadata *metadata, struct hr_error *err)
{
    const struct hr_kafka_source_options *options = hr_kafka_options_of(found->source);
    for (size_t i = 0; i < options->topics.count; i++) {
        HR_TRY(find_topic(found, metadata, options->topics.items[i], NULL, err));
    }
    for (size_t i = 0; options->assign != NULL && i < options->assign->count; i++) {
        HR_TRY(find_topic(found, metadata, options->assign->keys[i], options->assign->items[i], err));
    }
    return options->pattern != NULL ? find_pattern(found, metadata, err) : HR_OK;
}

/* All partitions that the options ask for. */
static enum hr_status find_partitions(struct found *found, int timeout_ms, struct hr_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(found->source->client, 1, NULL, &metadata, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char what[320];
        (void)snprintf(what, sizeof(what), "broker %.200s",
                       hr_kafka_bootstrap(&hr_kafka_options_of(found->source)->properties));
        return hr_kafka_fail(err, code, "no answer", what);
    }
    enum hr_status status = find_in(found, metadata, err);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

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
    source->watch.down = false;
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
    enum hr_status status = ask_all(source, &source->base.position, OFFSET_LATEST, &ends, timeout_ms, err);
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
    *question = OFFSET_LATEST;
    if (options->starting_timestamp != NULL) {
        (void)parse_time(options->starting_timestamp, question);
        return HR_OK;
    }
    if (given == NULL || given->kind == HR_YAML_SCALAR) {
        *question = given != NULL && is_word(given, "earliest") ? OFFSET_EARLIEST : OFFSET_LATEST;
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
        if (absolute || question == OFFSET_LATEST) {
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
                hr_arena_strndup(source->base.arena, offset->name.data, offset->name.length), offset->name.length};
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

/* Partitions of the checkpoint stay, those that are new start at their first offset. */
static enum hr_status keep_committed(struct hr_kafka_source *source, const struct hr_offsets *committed,
                                     const struct hr_offsets *found, const struct hr_offsets *lows,
                                     struct hr_error *err)
{
    hr_offsets_copy(&source->base.position, committed);
    for (size_t i = 0; i < committed->count; i++) {
        const struct hr_offset *offset = &committed->items[i];
        if (hr_offsets_find(found, offset->name, offset->partition) == NULL) {
            (void)hr_fail(err, HR_DATA_LOSS,
                          "topic '%.*s' has no partition %d any more, which was read up to offset "
                          "%" PRId64,
                          HR_STR_ARGS(offset->name), offset->partition, offset->position);
            return hr_fail_hint(err, "the topic was made anew, or the query reads other topics than before; "
                                     "--new-lineage starts from startingOffsets");
        }
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

static enum hr_status open_found(struct found *found, const struct hr_offsets *committed, struct hr_error *err)
{
    struct hr_kafka_source *source = found->source;
    HR_CLEANUP(hr_offsets_release) struct hr_offsets lows = {0};
    HR_CLEANUP(hr_offsets_release) struct hr_offsets ends = {0};
    HR_TRY(find_partitions(found, HR_KAFKA_ASK_MS, err));
    HR_TRY(ask_all(source, &found->offsets, OFFSET_EARLIEST, &lows, HR_KAFKA_ASK_MS, err));
    HR_TRY(ask_all(source, &found->offsets, OFFSET_LATEST, &ends, HR_KAFKA_ASK_MS, err));
    if (committed == NULL) {
        HR_TRY(start_fresh(source, &found->offsets, &ends, err));
        hr_offsets_copy(&source->base.position, &found->offsets);
    } else {
        HR_TRY(keep_committed(source, committed, &found->offsets, &lows, err));
    }
    take_partitions(source, &lows, &ends);
    source->asked_ns = source->discovered_ns = hr_kafka_now_ns();
    return check_range(source, err);
}

enum hr_status hr_kafka_position_open(struct hr_kafka_source *source, const struct hr_offsets *committed,
                                      struct hr_error *err)
{
    struct found found = {.source = source};
    enum hr_status status = open_found(&found, committed, err);
    found_release(&found);
    return status;
}

/* ---- while running ------------------------------------------------------------------------------------------ */

static enum hr_status discover_new(struct found *found, bool *changed, struct hr_error *err)
{
    struct hr_kafka_source *source = found->source;
    HR_CLEANUP(hr_offsets_release) struct hr_offsets lows = {0};
    if (find_partitions(found, HR_KAFKA_ASK_MS, NULL) != HR_OK) {
        return HR_OK; /* away, or a topic is gone: reading it says so */
    }
    for (size_t i = 0; i < found->offsets.count; i++) {
        const struct hr_offset *offset = &found->offsets.items[i];
        if (hr_offsets_find(&source->base.position, offset->name, offset->partition) == NULL) {
            hr_offsets_set(&lows, offset->name, offset->partition, OFFSET_EARLIEST);
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
    if (hr_kafka_now_ns() - source->discovered_ns < DISCOVER_NS || source->watch.down) {
        return HR_OK;
    }
    source->discovered_ns = hr_kafka_now_ns();
    struct found found = {.source = source};
    enum hr_status status = discover_new(&found, changed, err);
    found_release(&found);
    return status;
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
    hr_offsets_set(&question, partition->topic, partition->number, OFFSET_EARLIEST);
    HR_TRY(ask(source, &question, HR_KAFKA_ASK_MS, err));
    partition->low = question.items[0].position;
    question.items[0].position = OFFSET_LATEST;
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
    if (hr_kafka_options_of(source)->fail_on_data_loss) {
        return lost_fail(partition, offset->position, remade, err);
    }
    if (remade) {
        hr_log_warn(source->base.query,
                    "topic '%s', partition %d was made anew: read from its first offset, %" PRId64
                    "; what the old one held above offset %" PRId64 " and was not read is lost",
                    partition->topic.data, partition->number, partition->low, offset->position);
    } else if (partition->low > offset->position) {
        uint64_t lost = (uint64_t)(partition->low - offset->position);
        source->base.lost_rows += lost;
        hr_log_warn(source->base.query,
                    "topic '%s', partition %d: offsets %" PRId64 " to %" PRId64 " (%" PRIu64 " rows) are lost",
                    partition->topic.data, partition->number, offset->position, partition->low - 1, lost);
    }
    hr_kafka_fetch_forget(partition);
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
    const struct hr_offsets *position = &source->base.position;
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
