/* SPDX-License-Identifier: Apache-2.0
 *
 * What the Kafka source checks at plan time: which topics, and where a new query starts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/timestamp.h"
#include "stream/source_kafka_find.h"

pcre2_code *hr_kafka_pattern_compile(const char *pattern, char *text, size_t size)
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

bool hr_kafka_is_word(const struct hr_yaml *node, const char *word)
{
    return node->kind == HR_YAML_SCALAR && strcmp(node->text, word) == 0;
}

static void check_offsets(const struct hr_yaml *node, struct hr_findings *findings)
{
    if (hr_kafka_is_word(node, "earliest") || hr_kafka_is_word(node, "latest")) {
        return;
    }
    bool good = node->kind == HR_YAML_MAPPING && node->count > 0;
    for (size_t i = 0; good && i < node->count; i++) {
        const struct hr_yaml *partitions = node->items[i];
        good = partitions->kind == HR_YAML_MAPPING && partitions->count > 0;
        for (size_t k = 0; good && k < partitions->count; k++) {
            int64_t offset;
            char *end;
            good = hr_yaml_integer(partitions->items[k], &offset) && offset >= HR_KAFKA_EARLIEST &&
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

bool hr_kafka_parse_time(const char *text, int64_t *out_ms)
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

/* Also a key whose value is wrong says which topics are meant; an empty list does not. */
static int is_written(const struct hr_yaml *node, const char *key)
{
    const struct hr_yaml *value = hr_yaml_get(node, key);
    return value != NULL && !hr_yaml_is_null(value) && (value->kind != HR_YAML_SEQUENCE || value->count > 0);
}

void hr_kafka_position_check(struct hr_kafka_source *source, struct hr_findings *findings)
{
    const struct hr_kafka_source_options *options = hr_kafka_options_of(source);
    const struct hr_place *place = &source->base.place;
    const struct hr_yaml *node = source->base.node;
    int ways = is_written(node, "subscribe") + is_written(node, "subscribePattern") + is_written(node, "assign");
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
    if (options->starting_timestamp != NULL && !hr_kafka_parse_time(options->starting_timestamp, &ignored)) {
        struct hr_finding *finding = hr_findings_error(findings, place, "startingTimestamp is no time");
        hr_finding_hint(findings, finding, "write 2026-01-31T10:00:00Z, or milliseconds since 1970");
    }
    if (options->starting_timestamp != NULL && options->starting_offsets != NULL) {
        hr_findings_error(findings, place, "startingOffsets and startingTimestamp exclude each other");
    }
    char text[256];
    pcre2_code *pattern =
        options->pattern != NULL ? hr_kafka_pattern_compile(options->pattern, text, sizeof(text)) : NULL;
    if (options->pattern != NULL && pattern == NULL) {
        hr_findings_error(findings, place, "subscribePattern: %s", text);
    }
    pcre2_code_free(pattern);
}
