/* SPDX-License-Identifier: Apache-2.0
 *
 * Which partitions the Kafka source reads, out of the cluster's metadata: topics by name, by pattern, or partition by
 * partition.
 */
#include "stream/source_kafka_find.h"

#include <stdio.h>
#include <string.h>

#define PATTERN_STEPS_MAX 100000

struct found {
    struct hr_kafka_source *source;
    struct hr_offsets *offsets;
    pcre2_code *pattern;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

static void found_release(struct found *found)
{
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
        hr_offsets_set(found->offsets, hr_str_from(topic), i, -1);
    }
    for (size_t i = 0; partitions != NULL && i < partitions->count; i++) {
        int64_t number = 0;
        (void)hr_yaml_integer(partitions->items[i], &number);
        if (number >= count) {
            (void)hr_fail(err, HR_BAD_CONFIG, "topic '%s' has %d partitions, assign names %lld", topic, count,
                          (long long)number);
            return hr_fail_hint(err, "partitions are counted from 0");
        }
        hr_offsets_set(found->offsets, hr_str_from(topic), (int32_t)number, -1);
    }
    return HR_OK;
}

static enum hr_status find_pattern(struct found *found, const struct rd_kafka_metadata *metadata, struct hr_error *err)
{
    char text[256];
    found->pattern = hr_kafka_pattern_compile(hr_kafka_options_of(found->source)->pattern, text, sizeof(text));
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

enum hr_status hr_kafka_find_partitions(struct hr_kafka_source *source, struct hr_offsets *out, int timeout_ms,
                                        struct hr_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    HR_TRY(hr_kafka_metadata(source->client, &source->watch, timeout_ms, &metadata, err));
    struct found found = {.source = source, .offsets = out};
    enum hr_status status = find_in(&found, metadata, err);
    found_release(&found);
    rd_kafka_metadata_destroy(metadata);
    return status;
}
