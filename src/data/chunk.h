/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunk: at most HR_CHUNK_ROWS rows as columns, the unit of work. It goes through decode, transform, learn and the
 * sinks' write while it is in the cache, then its arena is reset. A batch is a sequence of chunks; the batch is the
 * unit of transaction. columns[i] belongs to schema->fields[i]; a stage fills the columns that it added to the schema.
 *
 * Dropping: a stage that skips a row, or that cannot transform it, marks it with hr_chunk_drop or hr_chunk_reject and
 * goes on with the others; the pipeline compacts the chunk after the stage, so that stages never see dropped rows.
 */
#ifndef HR_DATA_CHUNK_H
#define HR_DATA_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "data/column.h"
#include "data/record.h"
#include "data/schema.h"

#define HR_CHUNK_ROWS 2048u

struct hr_chunk {
    const struct hr_schema *schema;
    struct hr_column *columns; /* schema->count of them */
    size_t rows;
    uint32_t *record_index;          /* row → index into records */
    const struct hr_record *records; /* of the batch */
    struct hr_rejects *rejects;      /* of the batch */
    uint8_t *dropped;                /* one byte a row */
    size_t dropped_count;
    struct hr_arena *arena; /* reset after the chunk */
};

/* An empty chunk with room for `capacity` rows; columns are not allocated: decoder and stages do that. */
void hr_chunk_init(struct hr_chunk *chunk, const struct hr_schema *schema, size_t capacity,
                   const struct hr_record *records, struct hr_rejects *rejects, struct hr_arena *arena);
/* The row is left out (handleInvalid: skip). */
void hr_chunk_drop(struct hr_chunk *chunk, size_t row);
/* The row is an error of that row: left out, and a reject of its record. */
void hr_chunk_reject(struct hr_chunk *chunk, size_t row, enum hr_reason reason, const char *format, ...)
    HR_PRINTF(4, 5);
/* Removes dropped rows from the first `columns` columns. Moves values, allocates nothing but bitmaps. */
void hr_chunk_compact(struct hr_chunk *chunk, size_t columns);

#endif
