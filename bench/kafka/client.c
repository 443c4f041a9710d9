/* SPDX-License-Identifier: Apache-2.0
 *
 * See client.h.
 */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void client_fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[512];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) != RD_KAFKA_CONF_OK) {
        client_fail(name, error);
    }
}

rd_kafka_t *client_new(rd_kafka_type_t type, const char *bootstrap, const char *const *settings)
{
    char error[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    for (; settings[0] != NULL; settings += 2) {
        set(conf, settings[0], settings[1]);
    }
    rd_kafka_t *made = rd_kafka_new(type, conf, error, sizeof(error));
    if (made == NULL) {
        client_fail("client", error);
    }
    return made;
}

void client_assign(rd_kafka_t *consumer, const char *topic, int partitions, int64_t from)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = from;
    }
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void client_check(const char *what, rd_kafka_error_t *error)
{
    if (error != NULL) {
        client_fail(what, rd_kafka_error_string(error));
    }
}
