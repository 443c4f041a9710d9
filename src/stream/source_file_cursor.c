/* SPDX-License-Identifier: Apache-2.0
 *
 * A cursor over one file: reads blocks, cuts them into records with the format's splitter, counts positions and lines.
 * Blocks come from the batch's arena and are never moved, so that records are views into them; only a cut-off tail is
 * copied when the next block begins.
 */
#include "stream/source_file_cursor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/wire.h"

#define BLOCK_SIZE (256u << 10)
#define RECORD_BYTES_DEFAULT ((size_t)16 << 20)

enum hr_status hr_file_fail_loss(struct hr_error *err, const char *format, ...)
{
    char text[900];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)hr_fail(err, HR_DATA_LOSS, "%s", text);
    if (err != NULL) {
        (void)hr_fail_hint(err,
                           "put the file back as it was, or start anew with --new-lineage or another "
                           "checkpoint.location; files may grow, and new ones may appear, but what was read must stay");
    }
    return HR_DATA_LOSS;
}

static int64_t count_lines(const char *data, size_t length)
{
    int64_t lines = 0;
    const char *end = data + length;
    while (data < end && (data = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        lines++;
        data++;
    }
    return lines;
}

/* Reads over [at->anchor_offset, at->position) and compares. */
static enum hr_status cursor_check_anchor(struct hr_file_cursor *cursor, const struct hr_offset *at,
                                          struct hr_error *err)
{
    HR_TRY(hr_reader_seek(cursor->reader, at->anchor_offset, err));
    uint32_t crc = 0;
    int64_t left = at->position - at->anchor_offset;
    while (left > 0) {
        size_t count = 0;
        size_t want = left < (int64_t)cursor->capacity ? (size_t)left : cursor->capacity;
        HR_TRY(hr_reader_read(cursor->reader, cursor->data, want, &count, err));
        if (count == 0) {
            return hr_file_fail_loss(err, "file '%s' was cut: it was read up to byte %lld and ends at byte %lld now",
                                     cursor->entry->name, (long long)at->position, (long long)(at->position - left));
        }
        crc = hr_crc32c(crc, cursor->data, count);
        left -= (int64_t)count;
    }
    if (crc != at->anchor_crc) {
        return hr_file_fail_loss(err,
                                 "file '%s' was replaced: it was read up to byte %lld, and its record at byte %lld is "
                                 "not the one that was read",
                                 cursor->entry->name, (long long)at->position, (long long)at->anchor_offset);
    }
    return HR_OK;
}

static enum hr_status cursor_start(struct hr_file_cursor *cursor, const struct hr_offset *at, struct hr_error *err)
{
    HR_TRY(hr_reader_open(cursor->entry->path, &cursor->reader, err));
    if (at == NULL || at->position == 0) {
        return HR_OK;
    }
    cursor->position = at->position;
    cursor->line = at->line;
    if (at->has_anchor) {
        return cursor_check_anchor(cursor, at, err);
    }
    return hr_reader_seek(cursor->reader, at->position, err);
}

enum hr_status hr_file_cursor_open(struct hr_file_cursor *cursor, struct hr_file_entry *entry, struct hr_format *format,
                                   struct hr_arena *arena, const struct hr_offset *at, int64_t upper,
                                   struct hr_error *err)
{
    *cursor = (struct hr_file_cursor){
        .entry = entry,
        .format = format,
        .arena = arena,
        .data = hr_arena_alloc(arena, BLOCK_SIZE),
        .capacity = BLOCK_SIZE,
        .upper = upper,
    };
    enum hr_status status = cursor_start(cursor, at, err);
    if (status != HR_OK) {
        hr_file_cursor_close(cursor);
    }
    return status;
}

void hr_file_cursor_close(struct hr_file_cursor *cursor)
{
    if (cursor->reader != NULL) {
        hr_reader_close(cursor->reader);
    }
    *cursor = (struct hr_file_cursor){0};
}

void hr_file_cursor_move(struct hr_file_cursor *cursor, struct hr_arena *arena)
{
    size_t rest = cursor->end - cursor->start;
    size_t capacity = rest * 2 > BLOCK_SIZE ? rest * 2 : BLOCK_SIZE;
    char *data = hr_arena_alloc(arena, capacity);
    if (rest > 0) {
        memcpy(data, cursor->data + cursor->start, rest);
    }
    cursor->arena = arena;
    cursor->data = data;
    cursor->start = 0;
    cursor->end = rest;
    cursor->capacity = capacity;
}

/* Fills the block, or sets eof. */
static enum hr_status cursor_fill(struct hr_file_cursor *cursor, struct hr_error *err)
{
    if (cursor->end == cursor->capacity) {
        hr_file_cursor_move(cursor, cursor->arena);
    }
    while (cursor->end < cursor->capacity && !cursor->eof) {
        int64_t allowed = cursor->upper - cursor->position - (int64_t)(cursor->end - cursor->start);
        size_t want = cursor->capacity - cursor->end;
        want = allowed < (int64_t)want ? (size_t)allowed : want;
        size_t count = 0;
        if (want > 0) {
            HR_TRY(hr_reader_read(cursor->reader, cursor->data + cursor->end, want, &count, err));
        }
        cursor->end += count;
        cursor->eof = count == 0;
        if (cursor->as_it_comes) {
            break;
        }
    }
    return HR_OK;
}

bool hr_file_cursor_has_line(const struct hr_file_cursor *cursor)
{
    return memchr(cursor->data + cursor->start, '\n', cursor->end - cursor->start) != NULL;
}

static void cursor_advance(struct hr_file_cursor *cursor, size_t length)
{
    cursor->line += count_lines(cursor->data + cursor->start, length);
    cursor->start += length;
    cursor->position += (int64_t)length;
}

static bool is_blank(const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] != ' ' && data[i] != '\t' && data[i] != '\r') {
            return false;
        }
    }
    return true;
}

/* True when the end of the file is the end of its last record. */
static bool cursor_at_end(const struct hr_file_cursor *cursor)
{
    return cursor->eof && (cursor->upper != INT64_MAX || cursor->entry->compressed);
}

/* A record that is longer than the limit: its first bytes, enough to be seen as too large, and nothing of the rest up
 * to the next newline. */
static enum hr_status cursor_skip_oversize(struct hr_file_cursor *cursor, size_t maximum, struct hr_file_line *out,
                                           struct hr_error *err)
{
    out->value = (struct hr_str){cursor->data + cursor->start, maximum + 1};
    out->offset = cursor->position;
    out->line = cursor->line + 1;
    out->crc = 0;
    out->sealed = true;
    for (;;) {
        const char *data = cursor->data + cursor->start;
        size_t length = cursor->end - cursor->start;
        const char *newline = length > 0 ? memchr(data, '\n', length) : NULL;
        size_t taken = newline != NULL ? (size_t)(newline - data) + 1 : length;
        out->crc = hr_crc32c(out->crc, data, taken);
        cursor_advance(cursor, taken);
        if (newline != NULL || cursor_at_end(cursor)) {
            out->end = cursor->position;
            out->end_line = cursor->line;
            return HR_OK;
        }
        if (cursor->eof) {
            return HR_END;
        }
        HR_TRY(cursor_fill(cursor, err));
    }
}

void hr_file_line_seal(struct hr_file_line *line)
{
    if (!line->sealed) {
        line->crc = hr_crc32c(0, line->value.data, (size_t)(line->end - line->offset));
        line->sealed = true;
    }
}

enum hr_status hr_file_cursor_next(struct hr_file_cursor *cursor, struct hr_file_line *out, struct hr_error *err)
{
    size_t maximum = cursor->format->record_bytes_max > 0 ? cursor->format->record_bytes_max : RECORD_BYTES_DEFAULT;
    for (;;) {
        const char *data = cursor->data + cursor->start;
        size_t rest = cursor->end - cursor->start;
        size_t content = 0;
        size_t length = 0;
        if (rest > 0) {
            length = hr_format_split(cursor->format, data, rest, cursor_at_end(cursor), &content);
        }
        if (length > 0 && is_blank(data, content)) {
            cursor_advance(cursor, length);
            continue;
        }
        if (length > 0) {
            out->value = (struct hr_str){data, content};
            out->offset = cursor->position;
            out->line = cursor->line + 1;
            out->sealed = false;
            cursor_advance(cursor, length);
            out->end = cursor->position;
            out->end_line = cursor->line;
            return HR_OK;
        }
        if (cursor->eof) {
            return HR_END;
        }
        if (rest > maximum) {
            return cursor_skip_oversize(cursor, maximum, out, err);
        }
        HR_TRY(cursor_fill(cursor, err));
    }
}
