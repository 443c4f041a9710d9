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

#endif
