/* SPDX-License-Identifier: Apache-2.0
 *
 * A small Kafka client for tests: plain librdkafka, none of Headrace's code, so that what it reads is a second opinion.
 * Each command is followed by BOOTSTRAP and TOPIC:
 *
 *     create PARTITIONS [KEY=VALUE…]   makes a topic; KEY=VALUE: its configuration
 *     produce                          lines `PARTITION<TAB>VALUE` or `PARTITION<TAB>KEY<TAB>VALUE`; \N is a null value
 *     consume                          all records, read_committed, as JSON lines
 *     count                            how many a read_committed reader sees
 *     first                            waits for one record more than there are now; prints the time it was read (ms)
 *
 * More are in kafka_tool_admin.c. KAFKA_PROPERTIES="name=value,…" is added to every client (SASL_SSL listeners).
 */
#include "kafka_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void tool_fail(const char *what, const char *why)
{
    fprintf(stderr, "kafka_tool: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[512];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) != RD_KAFKA_CONF_OK) {
        tool_fail(name, error);
    }
}

/* name=value,… */
static void set_all(rd_kafka_conf_t *conf, const char *settings)
{
    char *copy = settings != NULL ? strdup(settings) : NULL;
    char *rest = copy;
    for (char *one = strsep(&rest, ","); one != NULL && *one != '\0'; one = strsep(&rest, ",")) {
        char *value = strchr(one, '=');
        if (value == NULL) {
            tool_fail("no setting", one);
        }
        *value = '\0';
        set(conf, one, value + 1);
    }
    free(copy);
}

rd_kafka_t *tool_client(rd_kafka_type_t type, const char *bootstrap, const char *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    if (type == RD_KAFKA_CONSUMER) {
        set(conf, "group.id", "kafka-tool");
        set(conf, "enable.auto.commit", "false");
        set(conf, "isolation.level", "read_committed");
        set(conf, "enable.partition.eof", "true");
        set(conf, "auto.offset.reset", "error");
        set(conf, "fetch.wait.max.ms", "10");
    } else {
        set(conf, "enable.idempotence", "true");
        set(conf, "linger.ms", "20");
    }
    set_all(conf, settings);
    set_all(conf, getenv("KAFKA_PROPERTIES"));
    char error[512];
    rd_kafka_t *made = rd_kafka_new(type, conf, error, sizeof(error));
    if (made == NULL) {
        tool_fail("client", error);
    }
    return made;
}

/* ---- create ------------------------------------------------------------------------------------------------- */

static void create(const char *bootstrap, const char *topic, int partitions, char **settings, int setting_count)
{
    char error[512];
    rd_kafka_t *producer = tool_client(RD_KAFKA_PRODUCER, bootstrap, NULL);
    rd_kafka_NewTopic_t *request = rd_kafka_NewTopic_new(topic, partitions, 1, error, sizeof(error));
    for (int i = 0; i < setting_count; i++) {
        char *value = strchr(settings[i], '=');
        if (value == NULL) {
            tool_fail("create", settings[i]);
        }
        *value = '\0';
        rd_kafka_NewTopic_set_config(request, settings[i], value + 1);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(producer);
    rd_kafka_CreateTopics(producer, &request, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TOOL_TIMEOUT_MS);
    if (event == NULL || rd_kafka_event_error(event)) {
        tool_fail("create", event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    }
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    if (count != 1 || rd_kafka_topic_result_error(results[0])) {
        tool_fail("create", count == 1 ? rd_kafka_topic_result_error_string(results[0]) : "no result");
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(request);
    rd_kafka_destroy(producer);
}

/* ---- produce ------------------------------------------------------------------------------------------------ */

void tool_produce_line(rd_kafka_t *producer, rd_kafka_topic_t *topic, char *line)
{
    char *rest = line;
    char *partition = strsep(&rest, "\t");
    char *key = NULL;
    char *value = strsep(&rest, "\t");
    if (value == NULL) {
        tool_fail("produce", "a line is PARTITION<TAB>[KEY<TAB>]VALUE");
    }
    if (rest != NULL) {
        key = value;
        value = rest;
    }
    bool tombstone = strcmp(value, "\\N") == 0;
    while (rd_kafka_produce(topic, (int32_t)strtol(partition, NULL, 10), RD_KAFKA_MSG_F_COPY, tombstone ? NULL : value,
                            tombstone ? 0 : strlen(value), key, key != NULL ? strlen(key) : 0, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            tool_fail("produce", rd_kafka_err2str(rd_kafka_last_error()));
        }
        rd_kafka_poll(producer, 5);
    }
}

void tool_flush(rd_kafka_t *producer)
{
    if (rd_kafka_flush(producer, TOOL_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR || rd_kafka_outq_len(producer) > 0) {
        tool_fail("produce", "records were not delivered in time");
    }
}

static void produce(const char *bootstrap, const char *name)
{
    rd_kafka_t *producer = tool_client(RD_KAFKA_PRODUCER, bootstrap, NULL);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        if (line[length - 1] == '\n') {
            line[length - 1] = '\0';
        }
        tool_produce_line(producer, topic, line);
        rd_kafka_poll(producer, 0);
    }
    free(line);
    tool_flush(producer);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
}

/* ---- consume ------------------------------------------------------------------------------------------------ */

static void print_text(const void *bytes, size_t length)
{
    if (bytes == NULL) {
        (void)fputs("null", stdout);
        return;
    }
    (void)putchar('"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = ((const unsigned char *)bytes)[i];
        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20) {
            printf("\\u%04x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static void print_message(const rd_kafka_message_t *message)
{
    printf("{\"partition\":%d,\"offset\":%lld,\"key\":", message->partition, (long long)message->offset);
    print_text(message->key, message->key_len);
    (void)fputs(",\"value\":", stdout);
    print_text(message->payload, message->len);
    (void)fputs(",\"headers\":{", stdout);
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *name;
        const void *value;
        size_t length;
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR;
             i++) {
            if (i > 0) {
                (void)putchar(',');
            }
            print_text(name, strlen(name));
            (void)putchar(':');
            print_text(value, length);
        }
    }
    (void)fputs("}}\n", stdout);
}

static int assign_all(rd_kafka_t *consumer, const char *topic, int64_t offset)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(consumer, 0, handle, &metadata, TOOL_TIMEOUT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1 || metadata->topics[0].err) {
        tool_fail(topic, rd_kafka_err2str(error ? error : metadata->topics[0].err));
    }
    int partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = offset;
    }
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return partitions;
}

static void consume(const char *bootstrap, const char *topic, bool print)
{
    rd_kafka_t *consumer = tool_client(RD_KAFKA_CONSUMER, bootstrap, NULL);
    rd_kafka_poll_set_consumer(consumer);
    int left = assign_all(consumer, topic, RD_KAFKA_OFFSET_BEGINNING);
    long long count = 0;
    while (left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, TOOL_TIMEOUT_MS);
        if (message == NULL) {
            tool_fail(topic, "nothing came for 30 s: is a transaction open?");
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            left--;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            count++;
            if (print) {
                print_message(message);
            }
        } else if (message->err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN &&
                   message->err != RD_KAFKA_RESP_ERR__TRANSPORT) {
            tool_fail(topic, rd_kafka_message_errstr(message));
        }
        rd_kafka_message_destroy(message);
    }
    if (!print) {
        printf("%lld\n", count);
    }
    (void)rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

static void first(const char *bootstrap, const char *topic)
{
    rd_kafka_t *consumer = tool_client(RD_KAFKA_CONSUMER, bootstrap, NULL);
    rd_kafka_poll_set_consumer(consumer);
    int left = assign_all(consumer, topic, RD_KAFKA_OFFSET_END);
    bool ready = false;
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, TOOL_TIMEOUT_MS);
        if (message == NULL) {
            tool_fail(topic, "nothing came for 30 s");
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && --left == 0 && !ready) {
            ready = true;
            (void)fputs("ready\n", stdout);
            (void)fflush(stdout);
        }
        bool found = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        rd_kafka_message_destroy(message);
        if (found) {
            break;
        }
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    printf("%.3f\n", (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
    (void)rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

int main(int argc, char **argv)
{
    const char *command = argc > 3 ? argv[1] : "";
    if (strcmp(command, "create") == 0 && argc > 4) {
        create(argv[2], argv[3], (int)strtol(argv[4], NULL, 10), argv + 5, argc - 5);
    } else if (strcmp(command, "produce") == 0) {
        produce(argv[2], argv[3]);
    } else if (strcmp(command, "consume") == 0) {
        consume(argv[2], argv[3], true);
    } else if (strcmp(command, "count") == 0) {
        consume(argv[2], argv[3], false);
    } else if (strcmp(command, "first") == 0) {
        first(argv[2], argv[3]);
    } else if (argc <= 3 || !tool_admin(argc, argv)) {
        (void)fputs("usage: kafka_tool COMMAND BOOTSTRAP TOPIC …; see kafka_tool.c and kafka_tool_admin.c\n", stderr);
        return 64;
    }
    return 0;
}
