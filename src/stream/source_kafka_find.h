/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the Kafka source's plan-time checks, its search for partitions and its positions.
 */
#ifndef HR_STREAM_SOURCE_KAFKA_FIND_H
#define HR_STREAM_SOURCE_KAFKA_FIND_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "stream/source_kafka.h"

#define HR_KAFKA_EARLIEST (-2)
#define HR_KAFKA_LATEST (-1)

/* The whole name must match. NULL: text says why. */
pcre2_code *hr_kafka_pattern_compile(const char *pattern, char *text, size_t size);
/* RFC 3339, or milliseconds since 1970. */
bool hr_kafka_parse_time(const char *text, int64_t *out_ms);
/* A scalar of that text. */
bool hr_kafka_is_word(const struct hr_yaml *node, const char *word);
/* All partitions that the options ask for, with position −1; out is empty before. */
enum hr_status hr_kafka_find_partitions(struct hr_kafka_source *source, struct hr_offsets *out, int timeout_ms,
                                        struct hr_error *err);

#endif
