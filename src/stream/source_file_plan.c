/* SPDX-License-Identifier: Apache-2.0
 *
 * The range of the file source's next batch: files in their order, each as far as it has whole records, up to the
 * trigger's limit. The records are read on the way and kept, for read() is next.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "stream/source_file_internal.h"

/* A batch without a limit of the user's own stops growing here. */
#define BATCH_BYTES_MAX (16u << 20)
#define POLL_FILE_US 50000
#define POLL_DIRECTORY_US 200000
#define SCAN_FRESH_NS 500000000

/* Decides whether a file can give anything up to *upper. */
static enum hr_status file_has_more(const struct hr_file_entry *entry, int64_t position,
                                    const struct hr_source_limit *limit, int64_t *upper, bool *more,
                                    struct hr_error *err)
{
    *more = false;
    *upper = INT64_MAX;
    if (limit->target != NULL) {
        const struct hr_offset *target = hr_offsets_find(limit->target, hr_str_from(entry->name), -1);
        *upper = target != NULL ? target->position : 0;
        if (entry->compressed && target != NULL && position > *upper) {
            return hr_file_fail_loss(err,
                                     "file '%s' was cut or replaced: it was read up to byte %" PRId64
                                     " (unpacked) and has %" PRId64 " now",
                                     entry->name, position, *upper);
        }
        if (position >= *upper || entry->bounded_dry >= *upper) {
            return HR_OK;
        }
    }
    if (!entry->present) {
        if (limit->target != NULL || (!entry->compressed && entry->size > position)) {
            return hr_file_fail_loss(err, "file '%s' was removed: it was read up to byte %" PRId64 " of %" PRId64,
                                     entry->name, position, limit->target != NULL ? *upper : entry->size);
        }
        return HR_OK;
    }
    if (!entry->compressed && (entry->size < position || (limit->target != NULL && entry->size < *upper))) {
        return hr_file_fail_loss(err,
                                 "file '%s' was cut: it was read up to byte %" PRId64 " and has %" PRId64 " bytes now",
                                 entry->name, position, entry->size);
    }
    *more = limit->target != NULL || (!hr_file_entry_is_dry(entry) && (entry->compressed || entry->size > position));
    return HR_OK;
}

static enum hr_status file_plan_entry(struct hr_file_source *source, struct hr_file_entry *entry, int64_t upper,
                                      struct hr_file_part *part, struct hr_error *err)
{
    struct hr_offset *offset = hr_offsets_find(&source->planned_end, hr_str_from(entry->name), -1);
    int64_t position = offset != NULL ? offset->position : 0;
    struct hr_file_cursor *cursor = &source->cursor;
    if (cursor->entry != entry || cursor->position != position || cursor->upper != upper) {
        hr_file_cursor_close(cursor);
        HR_TRY(hr_file_cursor_open(cursor, entry, source->base.format, &source->arenas[source->filling], offset, upper,
                                   err));
    }
    HR_TRY(hr_file_source_read_part(source, part, err));
    if (part->rows > 0) {
        hr_file_line_set_position(&source->planned_end, entry->name, &part->last);
        /* The file may have grown since the scan. */
        if (!entry->compressed && part->last.end > entry->size) {
            entry->size = part->last.end;
        }
    }
    /* The rows' limit may fall on the end of a file, which then is not opened again. */
    if (part->rows > 0 && !entry->compressed && part->last.end == entry->size) {
        hr_file_entry_set_dry(entry, part->last.end);
    }
    if (part->dry) {
        if (upper != INT64_MAX) {
            if (cursor->position < upper) {
                return hr_file_fail_loss(err, "file '%s' was cut: byte %" PRId64 " was there, it ends at %" PRId64,
                                         entry->name, upper, cursor->position);
            }
            entry->bounded_dry = upper;
        }
        offset = hr_offsets_find(&source->planned_end, hr_str_from(entry->name), -1);
        bool whole = entry->compressed || cursor->position == entry->size;
        hr_file_entry_set_dry(entry, whole && offset != NULL ? offset->position : -1);
        hr_file_cursor_close(cursor);
    }
    return HR_OK;
}

/* One look at all files in their order. */
static enum hr_status file_plan_pass(struct hr_file_source *source, const struct hr_source_limit *limit,
                                     struct hr_error *err)
{
    int64_t rows = 0;
    int64_t files = 0;
    int64_t files_max = hr_file_source_options(source)->files_per_trigger_max;
    bool capped = source->base.rows_per_trigger_max == INT64_MAX && limit->rows != INT64_MAX;
    uint64_t bytes_max = capped ? BATCH_BYTES_MAX : UINT64_MAX;
    for (size_t i = 0; i < source->list.count; i++) {
        struct hr_file_entry *entry = source->list.items[i];
        const struct hr_offset *offset = hr_offsets_find(&source->base.position, hr_str_from(entry->name), -1);
        int64_t upper = 0;
        bool more = false;
        HR_TRY(file_has_more(entry, offset != NULL ? offset->position : 0, limit, &upper, &more, err));
        if (!more) {
            continue;
        }
        struct hr_file_part part = {
            .records = &source->planned,
            .rows_max = limit->rows - rows,
            .bytes_max = bytes_max,
        };
        HR_TRY(file_plan_entry(source, entry, upper, &part, err));
        rows += part.rows;
        files += part.rows > 0;
        if (rows >= limit->rows || source->planned.bytes >= bytes_max || (files_max > 0 && files >= files_max)) {
            break;
        }
    }
    return HR_OK;
}

/* Waits for the next look; false: the time is over, or a stop was asked for. */
static bool file_wait(struct hr_file_source *source, int64_t wait_us)
{
    int64_t left = wait_us - source->base.waited_ns / 1000;
    if (left <= 0) {
        return false;
    }
    int64_t poll = source->list.single ? POLL_FILE_US : POLL_DIRECTORY_US;
    int64_t begin = hr_clock_monotonic_ns(&hr_clock_system);
    bool stopped = false;
    if (source->base.stop != NULL) {
        stopped = hr_stop_wait(source->base.stop, left < poll ? left : poll) > 0;
    } else {
        hr_clock_system.sleep_us(hr_clock_system.context, left < poll ? left : poll);
    }
    source->base.waited_ns += hr_clock_monotonic_ns(&hr_clock_system) - begin;
    return !stopped;
}

enum hr_status hr_file_source_plan(struct hr_source *base, const struct hr_source_limit *limit,
                                   struct hr_offsets *out_end, struct hr_error *err)
{
    struct hr_file_source *source = (struct hr_file_source *)base;
    bool fresh = hr_clock_monotonic_ns(&hr_clock_system) - source->scanned_ns < SCAN_FRESH_NS;
    hr_file_source_restart(source);
    for (;;) {
        if (!fresh) {
            HR_TRY(hr_file_source_scan(source, err));
        }
        HR_TRY(file_plan_pass(source, limit, err));
        if (source->planned.count > 0) {
            source->has_plan = true;
            hr_offsets_copy(out_end, &source->planned_end);
            return HR_OK;
        }
        if (limit->target != NULL) {
            return HR_END;
        }
        if (hr_file_source_options(source)->clean == HR_FILE_CLEAN_DELETE) {
            hr_file_source_clean(source);
        }
        /* Nothing in an old picture says nothing: look again before waiting. */
        if (!fresh && !file_wait(source, limit->wait_us)) {
            return HR_AGAIN;
        }
        fresh = false;
    }
}
