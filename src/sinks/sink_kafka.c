/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kafka sink: a batch is one transaction, with a ledger record in it.
 */
#include "base/kafka.h"
#include "sinks/sink.h"

struct kafka_options {
    const char *topic;
    const char *key_column;
    const char *id_prefix;
    struct hr_yaml *ledger;
    struct hr_properties properties;
};

static const struct hr_option kafka_options[] = {
    HR_OPTION(struct kafka_options, topic, "topic", STRING, .required = true, .help = "topic to write to; must exist"),
    HR_OPTION(struct kafka_options, key_column, "keyCol", STRING,
              .help = "column of the record's key: a string, or a long as decimal text; default: no key"),
    HR_OPTION(struct kafka_options, id_prefix, "transactionalIdPrefix", STRING, .fallback = "headrace",
              .help = "transactional.id is <prefix>-<query>-<sink>"),
    HR_OPTION(struct kafka_options, ledger, "ledger", NODE,
              .help = "{topic: headrace.ledger, replicationFactor: default}: where the last batch is remembered"),
    HR_OPTION(struct kafka_options, properties, "properties", PROPERTIES,
              .help = "librdkafka's properties; bootstrap.servers at least"),
};

struct kafka_sink {
    struct hr_sink base;
};

static enum hr_status kafka_open(struct hr_sink *base, const struct hr_sink_identity *identity, struct hr_error *err)
{
    (void)base;
    (void)identity;
    return hr_fail(err, HR_BUG, "the Kafka sink is not built in");
}

static enum hr_status kafka_recover(struct hr_sink *base, struct hr_sink_position *out, struct hr_error *err)
{
    (void)base;
    (void)out;
    return hr_fail(err, HR_BUG, "the Kafka sink is not built in");
}

static enum hr_status kafka_begin(struct hr_sink *base, int64_t batch, struct hr_error *err)
{
    (void)base;
    (void)batch;
    return hr_fail(err, HR_BUG, "the Kafka sink is not built in");
}

static enum hr_status kafka_write_rows(struct hr_sink *base, const struct hr_chunk *chunk, struct hr_error *err)
{
    (void)base;
    (void)chunk;
    return hr_fail(err, HR_BUG, "the Kafka sink is not built in");
}

static enum hr_status kafka_write_document(struct hr_sink *base, const struct hr_document *document,
                                           struct hr_error *err)
{
    (void)base;
    (void)document;
    return hr_fail(err, HR_BUG, "the Kafka sink is not built in");
}

static void kafka_nothing(struct hr_sink *base)
{
    (void)base;
}

const struct hr_sink_type hr_sink_kafka = {
    .kind =
        {
            .name = "kafka",
            .summary = "records of a Kafka topic, exactly once",
            .doc =
                "A batch is one transaction, with a record in the ledger topic that remembers the batch. Readers with "
                "isolation.level=read_committed see each row once.",
            .example =
                "{type: kafka, topic: predictions, keyCol: id, properties: {bootstrap.servers: \"localhost:9092\"}}",
            .options = {kafka_options, HR_ARRAY_LEN(kafka_options)},
            .options_size = sizeof(struct kafka_options),
            .instance_size = sizeof(struct kafka_sink),
        },
    .flags = HR_SINK_TRANSACTIONAL,
    .open = kafka_open,
    .recover = kafka_recover,
    .begin = kafka_begin,
    .write_rows = kafka_write_rows,
    .write_document = kafka_write_document,
    .commit = kafka_begin,
    .abort = kafka_nothing,
    .close = kafka_nothing,
};
