/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a range of the file source: one file's part of it, with the file's header in front, and a range that was
 * planned by a start before this one.
 */
#include <inttypes.h>

#include "stream/source_file_internal.h"

#define RECORDS_PER_STOP_CHECK 4096

static void file_add(struct hr_file_source *source, struct hr_records *records, struct hr_str value, int64_t offset,
                     int64_t line, uint32_t flags)
{
    struct hr_record *record = hr_records_add(records);
    record->value = value;
    record->offset = offset;
    record->line = line;
    record->origin = hr_str_from(source->cursor.entry->name);
    record->flags = flags;
    records->bytes += value.length;
}

/* The header of a file whose start lies before the range. */
static enum hr_status file_load_header(struct hr_file_source *source, struct hr_file_entry *entry, struct hr_error *err)
{
    if (entry->header.length > 0) {
        return HR_OK;
    }
    struct hr_arena arena;
    hr_arena_init(&arena, 0);
    struct hr_file_cursor cursor;
    struct hr_file_line line;
    enum hr_status status = hr_file_cursor_open(&cursor, entry, source->base.format, &arena, NULL, INT64_MAX, err);
    if (status == HR_OK) {
        status = hr_file_cursor_next(&cursor, &line, err);
        if (status == HR_OK) {
            hr_buf_append_str(&entry->header, line.value);
        } else if (status == HR_END) {
            status = hr_file_fail_loss(err, "file '%s' was replaced: its header line is gone", entry->name);
        }
        hr_file_cursor_close(&cursor);
    }
    hr_arena_release(&arena);
    return status;
}

enum hr_status hr_file_source_read_part(struct hr_file_source *source, struct hr_file_part *part, struct hr_error *err)
{
    struct hr_file_cursor *cursor = &source->cursor;
    size_t first = part->records->count;
    uint64_t first_bytes = part->records->bytes;
    bool header_due = hr_format_has_header(source->base.format);
    if (header_due && cursor->position > 0) {
        HR_TRY(file_load_header(source, cursor->entry, err));
        file_add(source, part->records, hr_buf_str(&cursor->entry->header), 0, 1, HR_RECORD_HEADER);
        header_due = false;
    }
    while (part->rows < part->rows_max && part->records->bytes < part->bytes_max) {
        if (part->rows % RECORDS_PER_STOP_CHECK == 0 && source->base.stop != NULL &&
            hr_stop_level(source->base.stop) >= 2) {
            return HR_INTERRUPTED;
        }
        struct hr_file_line line;
        enum hr_status status = hr_file_cursor_next(cursor, &line, err);
        if (status == HR_END) {
            part->dry = true;
            break;
        }
        HR_TRY(status);
        file_add(source, part->records, line.value, line.offset, line.line, header_due ? HR_RECORD_HEADER : 0);
        if (header_due) {
            header_due = false;
            continue;
        }
        part->rows++;
        part->last = line;
    }
    if (part->rows > 0) {
        hr_file_line_seal(&part->last);
    }
    if (part->rows == 0) {
        part->records->count = first;
        part->records->bytes = first_bytes;
    }
    return HR_OK;
}

void hr_file_line_set_position(struct hr_offsets *offsets, const char *name, const struct hr_file_line *last)
{
    struct hr_offset *offset = hr_offsets_set(offsets, hr_str_from(name), -1, last->end);
    offset->line = last->end_line;
    offset->has_anchor = true;
    offset->anchor_offset = last->offset;
    offset->anchor_crc = last->crc;
    offset->anchor_timestamp_us = 0;
}

/* ---- a range that was planned before ----------------------------------------------------------------------------- */

void hr_file_source_restart(struct hr_file_source *source)
{
    struct hr_arena *arena = &source->arenas[source->filling];
    if (source->has_plan || source->cursor.arena == arena) {
        hr_file_cursor_close(&source->cursor);
    }
    source->has_plan = false;
    hr_arena_reset(arena);
    if (source->cursor.entry != NULL) {
        hr_file_cursor_move(&source->cursor, arena);
        source->cursor.eof = false; /* the file may have grown since */
    }
    hr_records_clear(&source->planned);
    hr_offsets_copy(&source->planned_end, &source->base.position);
}

static enum hr_status file_replay_entry(struct hr_file_source *source, const struct hr_offset *begin,
                                        const struct hr_offset *end, struct hr_records *out, struct hr_error *err)
{
    struct hr_file_entry *entry = hr_file_list_find(&source->list, end->name);
    if (entry == NULL || !entry->present) {
        return hr_file_fail_loss(err, "file '%.*s' is gone: its bytes %" PRId64 " to %" PRId64 " are needed again",
                                 HR_STR_ARGS(end->name), begin != NULL ? begin->position : 0, end->position);
    }
    HR_TRY(hr_file_cursor_open(&source->cursor, entry, source->base.format, &source->arenas[source->filling], begin,
                               end->position, err));
    struct hr_file_part part = {.records = out, .rows_max = INT64_MAX, .bytes_max = UINT64_MAX};
    HR_TRY(hr_file_source_read_part(source, &part, err));
    if (source->cursor.position < end->position) {
        return hr_file_fail_loss(err, "file '%s' was cut: it was read up to byte %" PRId64 " and ends at byte %" PRId64,
                                 entry->name, end->position, source->cursor.position);
    }
    if (end->has_anchor && (part.rows == 0 || part.last.crc != end->anchor_crc)) {
        return hr_file_fail_loss(err,
                                 "file '%s' was replaced: the record at byte %" PRId64 " is not the one that was "
                                 "read; bytes %" PRId64 " to %" PRId64 " are needed again",
                                 entry->name, end->anchor_offset, begin != NULL ? begin->position : 0, end->position);
    }
    struct hr_offset *offset = hr_offsets_set(&source->base.position, end->name, -1, end->position);
    offset->line = source->cursor.line;
    if (part.rows > 0) {
        hr_file_line_set_position(&source->base.position, entry->name, &part.last);
        offset->position = end->position;
    }
    hr_file_cursor_close(&source->cursor);
    return HR_OK;
}

enum hr_status hr_file_source_replay(struct hr_file_source *source, const struct hr_offsets *end,
                                     struct hr_records *out, struct hr_error *err)
{
    hr_file_source_restart(source);
    hr_file_cursor_close(&source->cursor);
    HR_TRY(hr_file_source_scan(source, err));
    /* A plan that is not kept may have come further than this range. */
    for (size_t i = 0; i < source->list.count; i++) {
        source->list.items[i]->dry = false;
        source->list.items[i]->bounded_dry = -1;
    }
    for (size_t i = 0; i < end->count; i++) {
        const struct hr_offset *begin = hr_offsets_find(&source->base.position, end->items[i].name, -1);
        if (end->items[i].position > (begin != NULL ? begin->position : 0)) {
            HR_TRY(file_replay_entry(source, begin, &end->items[i], out, err));
        }
    }
    return HR_OK;
}
