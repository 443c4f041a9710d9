/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunk: dropping rows and closing the gaps. Compaction moves values in place, by runs of kept rows, so that the usual
 * chunk with a few bad rows costs a few memmoves a column.
 */
#include "data/chunk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void hr_chunk_init(struct hr_chunk *chunk, const struct hr_schema *schema, size_t capacity,
                   const struct hr_record *records, struct hr_rejects *rejects, struct hr_arena *arena)
{
    *chunk = (struct hr_chunk){
        .schema = schema,
        .columns = hr_arena_calloc(arena, schema->count, sizeof(struct hr_column)),
        .record_index = hr_arena_calloc(arena, capacity, sizeof(uint32_t)),
        .records = records,
        .rejects = rejects,
        .dropped = hr_arena_calloc(arena, capacity, 1),
        .arena = arena,
    };
    for (size_t i = 0; i < schema->count; i++) {
        chunk->columns[i].type = schema->fields[i].type;
    }
}

void hr_chunk_drop(struct hr_chunk *chunk, size_t row)
{
    HR_ASSERT(row < chunk->rows);
    if (!chunk->dropped[row]) {
        chunk->dropped[row] = 1;
        chunk->dropped_count++;
    }
}

void hr_chunk_reject(struct hr_chunk *chunk, size_t row, enum hr_reason reason, const char *format, ...)
{
    HR_ASSERT(row < chunk->rows);
    if (chunk->dropped[row]) {
        return; /* the first reason stands */
    }
    hr_chunk_drop(chunk, row);
    char text[500];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (chunk->rejects != NULL) {
        hr_rejects_add(chunk->rejects, chunk->record_index[row], reason, "%s", text);
    }
}

/* Moves the elements of kept rows to the front. */
static void close_gaps(void *values, size_t size, const uint8_t *dropped, size_t rows)
{
    char *bytes = values;
    size_t to = 0;
    size_t row = 0;
    while (row < rows) {
        if (dropped[row]) {
            row++;
            continue;
        }
        size_t end = row + 1;
        while (end < rows && !dropped[end]) {
            end++;
        }
        if (to != row) {
            memmove(bytes + to * size, bytes + row * size, (end - row) * size);
        }
        to += end - row;
        row = end;
    }
}

static uint64_t *compact_bitmap(const uint64_t *valid, const uint8_t *dropped, size_t rows, struct hr_arena *arena)
{
    size_t words = (rows + 63) / 64;
    uint64_t *packed = hr_arena_calloc(arena, words, sizeof(uint64_t));
    size_t to = 0;
    bool any_null = false;
    for (size_t row = 0; row < rows; row++) {
        if (dropped[row]) {
            continue;
        }
        uint64_t bit = valid[row / 64] >> (row % 64) & 1;
        packed[to / 64] |= bit << (to % 64);
        any_null |= bit == 0;
        to++;
    }
    if (!any_null) {
        return NULL;
    }
    /* Bits past the last row read as "not null", as in a fresh bitmap. */
    for (; to < words * 64; to++) {
        packed[to / 64] |= (uint64_t)1 << (to % 64);
    }
    return packed;
}

/* True when an earlier column has the same values: a stage that passes a column on may share them. */
static bool moved_already(const struct hr_chunk *chunk, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (chunk->columns[i].any == chunk->columns[index].any) {
            return true;
        }
    }
    return false;
}

static void compact_column(const struct hr_chunk *chunk, size_t index)
{
    struct hr_column *column = &chunk->columns[index];
    if (column->any == NULL) {
        return; /* not filled yet */
    }
    const bool was_dense = column->dense != NULL;
    if (column->valid != NULL) {
        column->valid = compact_bitmap(column->valid, chunk->dropped, chunk->rows, chunk->arena);
    }
    if (!moved_already(chunk, index)) {
        close_gaps(column->any, hr_type_size(column->type), chunk->dropped, chunk->rows);
    }
    if (!was_dense) {
        return;
    }
    /* The matrix behind the views stays as it is (another column may look at it), so it is dense no more, unless what
     * was dropped stood at its ends. */
    hr_column_find_dense(column, chunk->rows - chunk->dropped_count);
}

void hr_chunk_compact(struct hr_chunk *chunk, size_t columns)
{
    if (chunk->dropped_count == 0) {
        return;
    }
    HR_ASSERT(columns <= chunk->schema->count);
    for (size_t i = 0; i < columns; i++) {
        compact_column(chunk, i);
    }
    close_gaps(chunk->record_index, sizeof(uint32_t), chunk->dropped, chunk->rows);
    size_t rows = chunk->rows;
    chunk->rows -= chunk->dropped_count;
    memset(chunk->dropped, 0, rows);
    chunk->dropped_count = 0;
}
