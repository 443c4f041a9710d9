/* SPDX-License-Identifier: Apache-2.0
 *
 * For the targets of formats: bytes split into records, decoded as one chunk, and rows encoded again.
 */
#ifndef HR_TESTS_FUZZ_RECORDS_H
#define HR_TESTS_FUZZ_RECORDS_H

#include "data/format.h"

enum { FUZZ_RECORDS_MAX = 256 };

struct fuzz_records {
    struct hr_arena arena;
    struct hr_arena chunk_arena;
    struct hr_arena batch_arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_format *format;
    struct hr_record records[FUZZ_RECORDS_MAX];
    size_t count;
    struct hr_rejects rejects;
    struct hr_chunk chunk;
};

/* schema: as YAML text under the key `schema`; format: YAML. */
void fuzz_records_open(struct fuzz_records *records, const char *schema, const char *format);
/* Splits and decodes; every record must become a row or a reject. */
void fuzz_records_decode(struct fuzz_records *records, const char *data, size_t length);
/* All rows, with what a file of the format begins with. */
void fuzz_records_encode(struct fuzz_records *records, struct hr_buf *out);
/* What is encoded must decode without a reject and encode to the same bytes. */
void fuzz_records_check_round_trip(struct fuzz_records *records);

#endif
