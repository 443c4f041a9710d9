/* SPDX-License-Identifier: Apache-2.0
 *
 * A Kafka client from names and values, for the programs beside it; what fails ends the program.
 */
#ifndef HR_BENCH_KAFKA_CLIENT_H
#define HR_BENCH_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

_Noreturn void client_fail(const char *what, const char *why);
/* settings: name, value, name, value, …, NULL. */
rd_kafka_t *client_new(rd_kafka_type_t type, const char *bootstrap, const char *const *settings);
/* Reads partitions 0 … partitions - 1 of a topic, each from an offset, or RD_KAFKA_OFFSET_END. */
void client_assign(rd_kafka_t *consumer, const char *topic, int partitions, int64_t from);
/* Of a transactional call; NULL: it went well. */
void client_check(const char *what, rd_kafka_error_t *error);

#endif
