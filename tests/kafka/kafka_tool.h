/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of kafka_tool share: kafka_tool.c (create, produce, consume) and kafka_tool_admin.c (what changes
 * topics, reads groups and opens transactions). Every function ends the program when something fails.
 */
#ifndef HR_TESTS_KAFKA_TOOL_H
#define HR_TESTS_KAFKA_TOOL_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#define TOOL_TIMEOUT_MS 30000

_Noreturn void tool_fail(const char *what, const char *why);
/* settings: NULL, or "name=value,…" over those of the role. */
rd_kafka_t *tool_client(rd_kafka_type_t type, const char *bootstrap, const char *settings);
/* Produces `PARTITION<TAB>[KEY<TAB>]VALUE`, waiting while the queue is full. */
void tool_produce_line(rd_kafka_t *producer, rd_kafka_topic_t *topic, char *line);
void tool_flush(rd_kafka_t *producer);
/* Runs a command of kafka_tool_admin.c. false: it is none. */
bool tool_admin(int argc, char **argv);

#endif
