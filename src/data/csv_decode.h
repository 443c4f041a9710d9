/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV records into columns. Thread: one at a time.
 */
#ifndef HR_DATA_CSV_DECODE_H
#define HR_DATA_CSV_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "data/chunk.h"
#include "data/csv_index.h"
#include "data/csv_text.h"
#include "data/json_value.h"

/* A field's place that leads to no column. */
#define HR_CSV_NO_COLUMN SIZE_MAX

struct hr_csv_decoder {
    /* Set before it is opened. */
    struct hr_csv_dialect dialect;
    struct hr_str null_value;
    size_t record_bytes_max;

    const struct hr_schema *schema;
    size_t column_count; /* of the schema when opened */
    struct hr_arena arena;
    struct hr_json_scratch scratch;
    struct hr_json_target *targets; /* one a column of the schema */
    uint8_t *states;
    struct hr_str *texts; /* of the record at hand, for messages */
    size_t *columns;      /* field's place → column */
    size_t field_count;   /* how many fields a record has */
    size_t field_capacity;
    char header_error[400];    /* what is wrong with the header, and so with every record; "": nothing */
    struct hr_csv_index index; /* of plain records; its starts are made for index_fields */
    size_t index_fields;
    bool index_fits;  /* fields and columns are such that records may be indexed */
    bool index_known; /* index_fits was found out for the fields at hand */
};

/* HR_BAD_CONFIG: delimiter and quote are the same, a path that leads into a value, or a pattern that ICU refuses. */
enum hr_status hr_csv_decoder_open(struct hr_csv_decoder *decoder, const struct hr_schema *schema,
                                   struct hr_error *err);
/* Also of a decoder that is zeroed or half open. */
void hr_csv_decoder_close(struct hr_csv_decoder *decoder);
/* As hr_format_decode_fn. */
void hr_csv_decoder_chunk(struct hr_csv_decoder *decoder, const struct hr_record *records, uint32_t first_index,
                          size_t count, struct hr_chunk *chunk);

#endif
