/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kafka source: partitions are assigned by us, at offsets of our own.
 */
#include "base/kafka.h"
#include "stream/source.h"

struct kafka_options {
    struct hr_string_list topics;
    const char *pattern;
    struct hr_yaml *assign;
    struct hr_yaml *starting_offsets;
    const char *starting_timestamp;
    int64_t rows_per_trigger_min;
    int64_t trigger_delay_max_us;
    bool fail_on_data_loss;
    bool include_headers;
    struct hr_properties properties;
};

static const struct hr_option kafka_options[] = {
    HR_OPTION(struct kafka_options, topics, "subscribe", STRINGS, .help = "topics to read"),
    HR_OPTION(struct kafka_options, pattern, "subscribePattern", STRING,
              .help = "regular expression of topics to read, also of those made later"),
    HR_OPTION(struct kafka_options, assign, "assign", NODE, .help = "{topic: [partition, …]} to read"),
    HR_OPTION(struct kafka_options, starting_offsets, "startingOffsets", NODE,
              .help = "earliest, latest (the default) or {topic: {partition: offset}} with -2 for earliest, -1 for "
                      "latest; where a new query starts"),
    HR_OPTION(struct kafka_options, starting_timestamp, "startingTimestamp", STRING,
              .help = "RFC 3339 or milliseconds since 1970; a new query starts at the first record of that time"),
    HR_OPTION(struct kafka_options, rows_per_trigger_min, "minOffsetsPerTrigger", INT, .minimum = 1, .maximum = 1e15,
              .help = "a batch waits until so many offsets are there; default: no wait"),
    HR_OPTION(struct kafka_options, trigger_delay_max_us, "maxTriggerDelay", DURATION, .fallback = "15m",
              .help = "but not longer than this"),
    HR_OPTION(struct kafka_options, fail_on_data_loss, "failOnDataLoss", BOOL, .fallback = "true",
              .help = "end the query when records are gone that were not read yet; else count them and go on"),
    HR_OPTION(struct kafka_options, include_headers, "includeHeaders", BOOL, .fallback = "false",
              .help = "keep record headers for the column __headers"),
    HR_OPTION(struct kafka_options, properties, "properties", PROPERTIES,
              .help = "librdkafka's properties; bootstrap.servers at least"),
};

struct kafka_source {
    struct hr_source base;
};

static enum hr_status kafka_open(struct hr_source *base, const struct hr_offsets *committed, struct hr_error *err)
{
    (void)base;
    (void)committed;
    return hr_fail(err, HR_BUG, "the Kafka source is not built in");
}

static enum hr_status kafka_latest(struct hr_source *base, struct hr_offsets *out, struct hr_error *err)
{
    (void)base;
    (void)out;
    return hr_fail(err, HR_BUG, "the Kafka source is not built in");
}

static enum hr_status kafka_plan(struct hr_source *base, const struct hr_source_limit *limit,
                                 struct hr_offsets *out_end, struct hr_error *err)
{
    (void)base;
    (void)limit;
    (void)out_end;
    return hr_fail(err, HR_BUG, "the Kafka source is not built in");
}

static enum hr_status kafka_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                 struct hr_error *err)
{
    (void)base;
    (void)end;
    (void)out;
    return hr_fail(err, HR_BUG, "the Kafka source is not built in");
}

static void kafka_close(struct hr_source *base)
{
    (void)base;
}

const struct hr_source_type hr_source_kafka = {
    .kind =
        {
            .name = "kafka",
            .summary = "records of Kafka topics",
            .doc = "Partitions are assigned by Headrace, at the offsets of its checkpoint.",
            .example = "{type: kafka, subscribe: [clicks], startingOffsets: earliest, properties: {bootstrap.servers: "
                       "\"localhost:9092\"}, format: {type: json}, schema: \"id long, x double\"}",
            .options = {kafka_options, HR_ARRAY_LEN(kafka_options)},
            .options_size = sizeof(struct kafka_options),
            .instance_size = sizeof(struct kafka_source),
        },
    .flags = HR_SOURCE_REPLAYABLE,
    .open = kafka_open,
    .latest = kafka_latest,
    .plan = kafka_plan,
    .read = kafka_read,
    .close = kafka_close,
};
