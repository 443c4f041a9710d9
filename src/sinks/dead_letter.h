/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters: records that did not become rows, with reason and origin, through a Kafka or file sink whose id is
 * "deadLetter", under the same protocol as rows: exactly once. Kafka: the value is the record's raw bytes, the headers
 * are headrace.error.reason, .message, .topic, .partition, .offset, .query, .batch. File: JSON lines with the fields
 * reason, message, topic (or the file's name, and line), partition, offset, query, batch and raw, or rawBase64 where it
 * is not UTF-8. maxRatio: more than that share of bad records over the last 10,000 records ends the query (judged once
 * 10,000 were seen).
 */
#ifndef HR_SINKS_DEAD_LETTER_H
#define HR_SINKS_DEAD_LETTER_H

#include "data/record.h"
#include "sinks/sink.h"

struct hr_dead_letter {
    struct hr_sink *sink;
    double max_ratio; /* 0: no limit */
    struct hr_buf buffer;
};

/* The keys that `deadLetter:` has beside those of its sink. */
struct hr_option_table hr_dead_letter_options(void);
/* Reads `deadLetter:`. NULL when node is NULL or there are findings. */
struct hr_dead_letter *hr_dead_letter_new(const struct hr_yaml *node, const char *directory, struct hr_arena *arena,
                                          struct hr_findings *findings);
/* Writes all rejects of a batch. */
enum hr_status hr_dead_letter_write(struct hr_dead_letter *dead_letter, const struct hr_rejects *rejects,
                                    const struct hr_record *records, int64_t batch, struct hr_error *err);
void hr_dead_letter_close(struct hr_dead_letter *dead_letter);

#endif
