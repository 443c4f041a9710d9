/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of kafka_tool that do to topics what happens to them in the world. Each is followed by BOOTSTRAP and
 * TOPIC:
 *
 *     delete                       deletes the topic, and waits until it is gone
 *     grow PARTITIONS              gives it more partitions
 *     truncate PARTITION OFFSET    deletes the records before OFFSET
 *     describe KEY                 prints one value of the topic's configuration
 *     committed GROUP              prints `PARTITION OFFSET` as the group has committed them
 *     transact ID                  as produce, in transactions; a line `commit` or `abort` ends each
 *     hang ID TIMEOUT_MS           as produce, in one transaction that stays open until the process is killed
 *     send                         lines `PARTITION<TAB>MILLISECONDS<TAB>NAME=VALUE,…<TAB>KEY<TAB>VALUE`: a record's
 * time and headers
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kafka_tool.h"

/* ---- topics ------------------------------------------------------------------------------------------------- */

/* Waits for the answer to an admin request, and destroys the queue. */
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TOOL_TIMEOUT_MS);
    if (event == NULL || rd_kafka_event_error(event)) {
        tool_fail(what, event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    }
    rd_kafka_queue_destroy(queue);
    return event;
}

static void check_topic(const rd_kafka_topic_result_t **results, size_t count, const char *what)
{
    if (count != 1 || rd_kafka_topic_result_error(results[0])) {
        tool_fail(what, count == 1 ? rd_kafka_topic_result_error_string(results[0]) : "no result");
    }
}

static bool exists(rd_kafka_t *client, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 1, NULL, &metadata, TOOL_TIMEOUT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        tool_fail(topic, rd_kafka_err2str(error));
    }
    bool found = false;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        found = found || strcmp(metadata->topics[i].topic, topic) == 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

static void delete_topic(rd_kafka_t *client, const char *topic)
{
    rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopics(client, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "delete");
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    check_topic(results, count, "delete");
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(request);
    while (exists(client, topic)) {
        (void)usleep(20000);
    }
}

static void grow(rd_kafka_t *client, const char *topic, size_t partitions)
{
    char error[512];
    rd_kafka_NewPartitions_t *request = rd_kafka_NewPartitions_new(topic, partitions, error, sizeof(error));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreatePartitions(client, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "grow");
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count);
    check_topic(results, count, "grow");
    rd_kafka_event_destroy(event);
    rd_kafka_NewPartitions_destroy(request);
}

static void truncate_topic(rd_kafka_t *client, const char *topic, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, topic, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteRecords(client, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "truncate");
    const rd_kafka_topic_partition_list_t *result =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    if (result->cnt != 1 || result->elems[0].err) {
        tool_fail("truncate", result->cnt == 1 ? rd_kafka_err2str(result->elems[0].err) : "no result");
    }
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(before);
}

static void describe(rd_kafka_t *client, const char *topic, const char *key)
{
    rd_kafka_ConfigResource_t *request = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DescribeConfigs(client, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "describe");
    size_t count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    if (count != 1 || rd_kafka_ConfigResource_error(resources[0])) {
        tool_fail("describe", count == 1 ? rd_kafka_ConfigResource_error_string(resources[0]) : "no result");
    }
    size_t entry_count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &entry_count);
    for (size_t i = 0; i < entry_count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), key) == 0) {
            printf("%s\n", rd_kafka_ConfigEntry_value(entries[i]));
        }
    }
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(request);
}

/* ---- groups ------------------------------------------------------------------------------------------------- */

static void committed(const char *bootstrap, const char *topic, const char *group)
{
    char settings[256];
    (void)snprintf(settings, sizeof(settings), "group.id=%s", group);
    rd_kafka_t *consumer = tool_client(RD_KAFKA_CONSUMER, bootstrap, settings);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(consumer, 0, handle, &metadata, TOOL_TIMEOUT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        tool_fail(topic, rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(metadata->topics[0].partition_cnt);
    rd_kafka_topic_partition_list_add_range(list, topic, 0, metadata->topics[0].partition_cnt - 1);
    error = rd_kafka_committed(consumer, list, TOOL_TIMEOUT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        tool_fail(group, rd_kafka_err2str(error));
    }
    for (int i = 0; i < list->cnt; i++) {
        printf("%d %lld\n", list->elems[i].partition, (long long)list->elems[i].offset);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    (void)rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

/* ---- transactions ------------------------------------------------------------------------------------------- */

static void check(rd_kafka_error_t *error, const char *what)
{
    if (error != NULL) {
        tool_fail(what, rd_kafka_error_string(error));
    }
}

/* The next line of standard input without its end; NULL: no more. */
static char *next_line(char **line, size_t *capacity)
{
    ssize_t length = getline(line, capacity, stdin);
    if (length <= 0) {
        return NULL;
    }
    (*line)[strcspn(*line, "\n")] = '\0';
    return *line;
}

static rd_kafka_t *transactional(const char *bootstrap, const char *id, const char *timeout_ms)
{
    char settings[512];
    (void)snprintf(settings, sizeof(settings), "transactional.id=%s,transaction.timeout.ms=%s", id, timeout_ms);
    rd_kafka_t *producer = tool_client(RD_KAFKA_PRODUCER, bootstrap, settings);
    check(rd_kafka_init_transactions(producer, TOOL_TIMEOUT_MS), "init_transactions");
    return producer;
}

static void transact(rd_kafka_t *producer, rd_kafka_topic_t *topic)
{
    char *line = NULL;
    size_t capacity = 0;
    bool open = false;
    while (next_line(&line, &capacity) != NULL) {
        bool commit = strcmp(line, "commit") == 0;
        if (!open) {
            check(rd_kafka_begin_transaction(producer), "begin");
            open = true;
        }
        if (!commit && strcmp(line, "abort") != 0) {
            tool_produce_line(producer, topic, line);
            continue;
        }
        tool_flush(producer);
        check(commit ? rd_kafka_commit_transaction(producer, TOOL_TIMEOUT_MS)
                     : rd_kafka_abort_transaction(producer, TOOL_TIMEOUT_MS),
              line);
        open = false;
    }
    free(line);
    if (open) {
        tool_fail("transact", "the last line is neither commit nor abort");
    }
}

static void hang(rd_kafka_t *producer, rd_kafka_topic_t *topic)
{
    char *line = NULL;
    size_t capacity = 0;
    check(rd_kafka_begin_transaction(producer), "begin");
    while (next_line(&line, &capacity) != NULL) {
        tool_produce_line(producer, topic, line);
    }
    free(line);
    tool_flush(producer);
    (void)fputs("open\n", stdout);
    (void)fflush(stdout);
    for (;;) {
        (void)pause();
    }
}

/* ---- times and headers -------------------------------------------------------------------------------------- */

static void send_line(rd_kafka_t *producer, rd_kafka_topic_t *topic, char *line)
{
    enum { PARTITION, MILLISECONDS, HEADERS, KEY, VALUE, FIELDS };
    char *fields[FIELDS];
    char *rest = line;
    for (int i = 0; i < FIELDS; i++) {
        fields[i] = i < VALUE ? strsep(&rest, "\t") : rest;
        if (fields[i] == NULL) {
            tool_fail("send", "a line is PARTITION, MILLISECONDS, headers, KEY and VALUE");
        }
    }
    const char *key = fields[KEY][0] != '\0' ? fields[KEY] : NULL;
    char *pairs = fields[HEADERS];
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    for (char *one = strsep(&pairs, ","); one != NULL && *one != '\0'; one = strsep(&pairs, ",")) {
        char *value = strchr(one, '=');
        (void)rd_kafka_header_add(headers, one, value != NULL ? value - one : -1, value != NULL ? value + 1 : NULL, -1);
    }
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION((int32_t)strtol(fields[PARTITION], NULL, 10)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(strtoll(fields[MILLISECONDS], NULL, 10)),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_KEY(key, strlen(fields[KEY])),
        RD_KAFKA_V_VALUE(fields[VALUE], strlen(fields[VALUE])), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        tool_fail("send", rd_kafka_err2str(error));
    }
}

static void send_lines(rd_kafka_t *producer, rd_kafka_topic_t *topic)
{
    char *line = NULL;
    size_t capacity = 0;
    while (next_line(&line, &capacity) != NULL) {
        send_line(producer, topic, line);
    }
    free(line);
    tool_flush(producer);
}

/* ---- commands ----------------------------------------------------------------------------------------------- */

static bool with_producer(int argc, char **argv)
{
    const char *command = argv[1];
    bool is_hang = strcmp(command, "hang") == 0 && argc > 5;
    bool is_transact = strcmp(command, "transact") == 0 && argc > 4;
    bool is_send = strcmp(command, "send") == 0;
    if (!is_hang && !is_transact && !is_send) {
        return false;
    }
    rd_kafka_t *producer = is_send ? tool_client(RD_KAFKA_PRODUCER, argv[2], NULL)
                                   : transactional(argv[2], argv[4], is_hang ? argv[5] : "60000");
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, argv[3], NULL);
    if (is_hang) {
        hang(producer, topic);
    } else if (is_transact) {
        transact(producer, topic);
    } else {
        send_lines(producer, topic);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return true;
}

bool tool_admin(int argc, char **argv)
{
    const char *command = argv[1];
    if (strcmp(command, "committed") == 0 && argc > 4) {
        committed(argv[2], argv[3], argv[4]);
        return true;
    }
    if (with_producer(argc, argv)) {
        return true;
    }
    rd_kafka_t *client = tool_client(RD_KAFKA_PRODUCER, argv[2], NULL);
    bool known = true;
    if (strcmp(command, "delete") == 0) {
        delete_topic(client, argv[3]);
    } else if (strcmp(command, "grow") == 0 && argc > 4) {
        grow(client, argv[3], strtoul(argv[4], NULL, 10));
    } else if (strcmp(command, "truncate") == 0 && argc > 5) {
        truncate_topic(client, argv[3], (int32_t)strtol(argv[4], NULL, 10), strtoll(argv[5], NULL, 10));
    } else if (strcmp(command, "describe") == 0 && argc > 4) {
        describe(client, argv[3], argv[4]);
    } else {
        known = false;
    }
    rd_kafka_destroy(client);
    return known;
}
