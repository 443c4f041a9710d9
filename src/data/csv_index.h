/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the fields of plain CSV records stand: records without any quote, of the right number of fields. 64 bytes at a
 * time with AVX-512, 32 with AVX2, eight otherwise, whichever the processor has.
 */
#ifndef HR_DATA_CSV_INDEX_H
#define HR_DATA_CSV_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "data/csv_text.h"
#include "data/record.h"

enum {
    HR_CSV_BLOCK = 256,         /* records: they, their index and their columns fit the first level cache */
    HR_CSV_PLAIN_MAX = 65000,   /* bytes of a record, so that places fit 16 bits */
    HR_CSV_PLAIN_FIELDS = 4096, /* of a record */
    HR_CSV_INDEX_SLACK = 64,    /* places past the last record's that may be written */
};

/* Field i of record r is [starts[r * stride + i], starts[r * stride + i + 1] − 1) of its text. */
struct hr_csv_index {
    struct hr_csv_dialect dialect;
    size_t fields;
    size_t stride; /* fields + 1 */
    size_t record_bytes_max;
    const char *text[HR_CSV_BLOCK];
    uint8_t odd[HR_CSV_BLOCK]; /* not indexed: for the general way */
    uint16_t *starts;          /* HR_CSV_BLOCK * stride + HR_CSV_INDEX_SLACK of them */
};

/* Indexes records[0..count), at most HR_CSV_BLOCK. What is not odd is not blank, and UTF-8. */
void hr_csv_index_records(struct hr_csv_index *index, const struct hr_record *records, size_t count);

#endif
