/* SPDX-License-Identifier: Apache-2.0
 *
 * The file source. `path` is a file, a directory or a glob; .gz and .zst are read through. Rules:
 *
 * 1. Files are read in the byte order of their names; a position is the name (as written, relative to the query file)
 *    and a byte offset in the plain file, so that a checkpoint survives moving the project.
 * 2. A record is complete with its terminator. In a bounded range (availableNow, once, eval, fit) and in compressed
 * files the last line needs none; otherwise a last line without newline waits until the file grows.
 * 3. Blank lines are no records.
 * 4. Files may grow and new ones may appear. What was read must stay: the last record before a position is remembered
 *    by its CRC (the anchor), and a file that was cut or replaced is data loss.
 * 5. plan() reads ahead and keeps the records, so that read() of the planned range costs nothing; any other range (a
 *    replay) is read again from the files.
 * 6. A CSV header is presented again, as a header record, in front of each file's part of a range.
 *
 * Memory: two arenas take turns. plan() fills one while the records of the batch before may still be in use in the
 * other.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "stream/source.h"
#include "stream/source_file.h"

/* A batch without a limit of the user's own stops growing here. */
#define BATCH_BYTES_MAX (16u << 20)
#define POLL_FILE_US 50000
#define POLL_DIRECTORY_US 200000
#define SCAN_FRESH_NS 500000000
#define RECORDS_PER_STOP_CHECK 4096

struct file_options {
    const char *path;
    int64_t files_per_trigger_max;
    int clean; /* enum clean */
};

enum clean { CLEAN_OFF, CLEAN_DELETE };
static const char *const clean_choices[] = {"off", "delete", NULL};

static const struct hr_option file_options[] = {
    HR_OPTION(struct file_options, path, "path", STRING, .required = true,
              .help = "a file, a directory or a glob; .gz and .zst are read through; relative to the query file"),
    HR_OPTION(struct file_options, files_per_trigger_max, "maxFilesPerTrigger", INT, .minimum = 1, .maximum = 1e9,
              .help = "at most so many files take part in a batch; default: no limit"),
    HR_OPTION(struct file_options, clean, "cleanSource", CHOICE, .choices = clean_choices, .fallback = "off",
              .help = "delete: a file is deleted when the batch that read its last record is committed; files must be "
                      "whole when they get their name"),
};

struct file_source {
    struct hr_source base;
    struct hr_file_list list;
    int64_t scanned_ns;
    struct hr_file_cursor cursor; /* of the file that the last plan ended in */
    struct hr_arena arenas[2];
    int filling; /* the arena that the next plan or replay fills */
    struct hr_records planned;
    struct hr_offsets planned_end;
    bool has_plan;
    struct hr_offsets committed; /* cleanSource: delete only */
};

static const struct file_options *options_of(const struct file_source *source)
{
    return source->base.options;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static enum hr_status file_scan(struct file_source *source, struct hr_error *err)
{
    source->scanned_ns = hr_clock_monotonic_ns(&hr_clock_system);
    return hr_file_list_scan(&source->list, source->base.directory, options_of(source)->path, err);
}

/* No record is left in the file as it was at the last scan. end: of its last record, or −1 (dry_end). */
static void file_set_dry(struct hr_file_entry *entry, int64_t end)
{
    entry->dry = true;
    entry->dry_size = entry->size;
    entry->dry_changed = entry->changed;
    entry->dry_end = end;
}

/* A file that is gone leaves nothing behind, or months of files would fill memory and every batch's record. */
static void file_forget(struct file_source *source, size_t index)
{
    struct hr_file_entry *entry = source->list.items[index];
    struct hr_str name = hr_str_from(entry->name);
    if (source->cursor.entry == entry) {
        hr_file_cursor_close(&source->cursor);
    }
    hr_offsets_remove(&source->base.position, name, -1);
    hr_offsets_remove(&source->planned_end, name, -1);
    hr_file_list_remove(&source->list, index);
}

/* cleanSource: delete. Files that committed batches came to the end of, and that are as they were then. Those that an
 * earlier run deleted are forgotten too, now that a batch was committed: a prepared one might have named them. */
static void file_clean(struct file_source *source)
{
    for (size_t i = source->list.count; i-- > 0;) {
        struct hr_file_entry *entry = source->list.items[i];
        const struct hr_offset *offset = NULL;
        if (entry->present && entry->dry && entry->dry_end >= 0) {
            offset = hr_offsets_find(&source->committed, hr_str_from(entry->name), -1);
        }
        struct stat status;
        if (offset != NULL && offset->position >= entry->dry_end && stat(entry->path, &status) == 0 &&
            status.st_size == entry->dry_size && same_time(status.st_mtim, entry->dry_changed)) {
            if (unlink(entry->path) == 0) {
                file_forget(source, i);
            }
        }
    }
    for (size_t i = 0; i < source->committed.count; i++) {
        struct hr_str name = source->committed.items[i].name;
        if (hr_file_list_find(&source->list, name) == NULL) {
            hr_offsets_remove(&source->base.position, name, -1);
        }
    }
}

/* Files that a run before this one read to their end, and did not come to delete. */
static void file_find_read(struct file_source *source)
{
    for (size_t i = 0; i < source->base.position.count; i++) {
        const struct hr_offset *offset = &source->base.position.items[i];
        struct hr_file_entry *entry = hr_file_list_find(&source->list, offset->name);
        if (entry != NULL && entry->present && !entry->compressed && entry->size == offset->position) {
            file_set_dry(entry, offset->position);
        }
    }
    hr_offsets_copy(&source->committed, &source->base.position);
}

/* ---- life cycle --------------------------------------------------------------------------------------------- */

static void file_check(struct hr_source *base, struct hr_findings *findings)
{
    const struct file_options *options = base->options;
    if (options->path[0] == '\0') {
        hr_findings_error(findings, &base->place, "'path' is empty");
    }
    base->flags |= options->clean == CLEAN_DELETE ? HR_SOURCE_CONSUMES : 0;
}

static void file_preflight(struct hr_source *base, struct hr_findings *findings)
{
    struct file_source *source = (struct file_source *)base;
    struct hr_error err;
    if (file_scan(source, &err) != HR_OK) {
        hr_findings_add(findings, &base->place, &err);
        return;
    }
    size_t present = 0;
    for (size_t i = 0; i < source->list.count; i++) {
        const struct hr_file_entry *entry = source->list.items[i];
        present += entry->present;
        if (entry->present && access(entry->path, R_OK) != 0) {
            (void)hr_fail_errno(&err, HR_PERMISSION, "cannot read source file '%s'", entry->name);
            hr_findings_add(findings, &base->place, &err);
        }
    }
    if (present == 0) {
        hr_findings_warning(findings, &base->place, "no file matches '%s' yet", options_of(source)->path);
    }
}

/* A plain file that is shorter than what was read of it, or whose last record changed. Compressed files are checked
 * when they are read, for that means reading through them. */
static enum hr_status file_check_positions(struct file_source *source, struct hr_error *err)
{
    for (size_t i = 0; i < source->base.position.count; i++) {
        const struct hr_offset *offset = &source->base.position.items[i];
        struct hr_file_entry *entry = hr_file_list_find(&source->list, offset->name);
        if (entry == NULL || !entry->present || entry->compressed || offset->position == 0) {
            continue;
        }
        if (entry->size < offset->position) {
            return hr_file_fail_loss(
                err, "file '%s' was cut: it was read up to byte %" PRId64 " and has %" PRId64 " bytes now", entry->name,
                offset->position, entry->size);
        }
        struct hr_file_cursor probe;
        HR_TRY(hr_file_cursor_open(&probe, entry, source->base.format, &source->arenas[0], offset, INT64_MAX, err));
        hr_file_cursor_close(&probe);
        hr_arena_reset(&source->arenas[0]);
    }
    return HR_OK;
}

static enum hr_status file_open(struct hr_source *base, const struct hr_offsets *committed, struct hr_error *err)
{
    struct file_source *source = (struct file_source *)base;
    HR_TRY(file_scan(source, err));
    if (committed != NULL) {
        hr_offsets_copy(&base->position, committed);
    }
    HR_TRY(file_check_positions(source, err));
    if (options_of(source)->clean == CLEAN_DELETE) {
        file_find_read(source);
    }
    return HR_OK;
}

static void file_close(struct hr_source *base)
{
    struct file_source *source = (struct file_source *)base;
    hr_file_cursor_close(&source->cursor);
    hr_records_release(&source->planned);
    hr_offsets_release(&source->planned_end);
    hr_offsets_release(&source->committed);
    hr_arena_release(&source->arenas[0]);
    hr_arena_release(&source->arenas[1]);
    hr_file_list_release(&source->list);
    source->has_plan = false;
}

static const char *file_describe(const struct hr_source *base)
{
    return ((const struct file_options *)base->options)->path;
}

static enum hr_status file_latest(struct hr_source *base, struct hr_offsets *out, struct hr_error *err)
{
    struct file_source *source = (struct file_source *)base;
    HR_TRY(file_scan(source, err));
    struct hr_offsets latest = {0};
    hr_offsets_copy(&latest, &base->position);
    for (size_t i = 0; i < source->list.count; i++) {
        struct hr_file_entry *entry = source->list.items[i];
        int64_t size = 0;
        if (!entry->present) {
            continue;
        }
        enum hr_status status = hr_file_plain_size(entry, &size, err);
        if (status != HR_OK) {
            hr_offsets_release(&latest);
            return status;
        }
        hr_offsets_set(&latest, hr_str_from(entry->name), -1, size);
    }
    hr_offsets_release(out);
    *out = latest;
    return HR_OK;
}

/* ---- reading one file's part of a range --------------------------------------------------------------------- */

/* The part of a range that lies in one file. */
struct file_part {
    struct hr_records *records;
    int64_t rows_max;
    uint64_t bytes_max;
    int64_t rows; /* found */
    struct hr_file_line last;
    bool dry; /* no complete record is left */
};

static void file_add(struct file_source *source, struct hr_records *records, struct hr_str value, int64_t offset,
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
static enum hr_status file_load_header(struct file_source *source, struct hr_file_entry *entry, struct hr_error *err)
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

/* Adds records from the cursor. The header comes first; without a row after it, it is taken back. */
static enum hr_status file_read_part(struct file_source *source, struct file_part *part, struct hr_error *err)
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

static void file_set_position(struct hr_offsets *offsets, const char *name, const struct hr_file_line *last)
{
    struct hr_offset *offset = hr_offsets_set(offsets, hr_str_from(name), -1, last->end);
    offset->line = last->end_line;
    offset->has_anchor = true;
    offset->anchor_offset = last->offset;
    offset->anchor_crc = last->crc;
    offset->anchor_timestamp_us = 0;
}

/* ---- plan --------------------------------------------------------------------------------------------------- */

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
    bool dry = entry->dry && entry->dry_size == entry->size && same_time(entry->dry_changed, entry->changed);
    *more = limit->target != NULL || (!dry && (entry->compressed || entry->size > position));
    return HR_OK;
}

static enum hr_status file_plan_entry(struct file_source *source, struct hr_file_entry *entry, int64_t upper,
                                      struct file_part *part, struct hr_error *err)
{
    struct hr_offset *offset = hr_offsets_find(&source->planned_end, hr_str_from(entry->name), -1);
    int64_t position = offset != NULL ? offset->position : 0;
    struct hr_file_cursor *cursor = &source->cursor;
    if (cursor->entry != entry || cursor->position != position || cursor->upper != upper) {
        hr_file_cursor_close(cursor);
        HR_TRY(hr_file_cursor_open(cursor, entry, source->base.format, &source->arenas[source->filling], offset, upper,
                                   err));
    }
    HR_TRY(file_read_part(source, part, err));
    if (part->rows > 0) {
        file_set_position(&source->planned_end, entry->name, &part->last);
        /* The file may have grown since the scan. */
        if (!entry->compressed && part->last.end > entry->size) {
            entry->size = part->last.end;
        }
    }
    /* The rows' limit may fall on the end of a file, which then is not opened again. */
    if (part->rows > 0 && !entry->compressed && part->last.end == entry->size) {
        file_set_dry(entry, part->last.end);
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
        file_set_dry(entry, whole && offset != NULL ? offset->position : -1);
        hr_file_cursor_close(cursor);
    }
    return HR_OK;
}

/* One look at all files in their order. */
static enum hr_status file_plan_pass(struct file_source *source, const struct hr_source_limit *limit,
                                     struct hr_error *err)
{
    int64_t rows = 0;
    int64_t files = 0;
    int64_t files_max = options_of(source)->files_per_trigger_max;
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
        struct file_part part = {
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

static void file_plan_reset(struct file_source *source)
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

/* Waits for the next look; false: the time is over, or a stop was asked for. */
static bool file_wait(struct file_source *source, int64_t wait_us)
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

static enum hr_status file_plan(struct hr_source *base, const struct hr_source_limit *limit, struct hr_offsets *out_end,
                                struct hr_error *err)
{
    struct file_source *source = (struct file_source *)base;
    bool fresh = hr_clock_monotonic_ns(&hr_clock_system) - source->scanned_ns < SCAN_FRESH_NS;
    file_plan_reset(source);
    for (;;) {
        if (!fresh) {
            HR_TRY(file_scan(source, err));
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
        if (options_of(source)->clean == CLEAN_DELETE) {
            file_clean(source);
        }
        /* Nothing in an old picture says nothing: look again before waiting. */
        if (!fresh && !file_wait(source, limit->wait_us)) {
            return HR_AGAIN;
        }
        fresh = false;
    }
}

/* ---- read --------------------------------------------------------------------------------------------------- */

static enum hr_status file_replay_entry(struct file_source *source, const struct hr_offset *begin,
                                        const struct hr_offset *end, struct hr_records *out, struct hr_error *err)
{
    struct hr_file_entry *entry = hr_file_list_find(&source->list, end->name);
    if (entry == NULL || !entry->present) {
        return hr_file_fail_loss(err, "file '%.*s' is gone: its bytes %" PRId64 " to %" PRId64 " are needed again",
                                 HR_STR_ARGS(end->name), begin != NULL ? begin->position : 0, end->position);
    }
    HR_TRY(hr_file_cursor_open(&source->cursor, entry, source->base.format, &source->arenas[source->filling], begin,
                               end->position, err));
    struct file_part part = {.records = out, .rows_max = INT64_MAX, .bytes_max = UINT64_MAX};
    HR_TRY(file_read_part(source, &part, err));
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
        file_set_position(&source->base.position, entry->name, &part.last);
        offset->position = end->position;
    }
    hr_file_cursor_close(&source->cursor);
    return HR_OK;
}

static enum hr_status file_replay(struct file_source *source, const struct hr_offsets *end, struct hr_records *out,
                                  struct hr_error *err)
{
    file_plan_reset(source);
    hr_file_cursor_close(&source->cursor);
    HR_TRY(file_scan(source, err));
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

static enum hr_status file_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                struct hr_error *err)
{
    struct file_source *source = (struct file_source *)base;
    if (source->has_plan && hr_offsets_equal(end, &source->planned_end)) {
        struct hr_records handed = source->planned;
        source->planned = *out;
        *out = handed;
        hr_offsets_copy(&base->position, &source->planned_end);
    } else {
        HR_TRY(file_replay(source, end, out, err));
    }
    source->has_plan = false;
    source->filling ^= 1;
    return HR_OK;
}

static void file_committed(struct hr_source *base, const struct hr_offsets *end)
{
    struct file_source *source = (struct file_source *)base;
    if (options_of(source)->clean == CLEAN_DELETE) {
        hr_offsets_copy(&source->committed, end);
        file_clean(source);
    }
}

const struct hr_source_type hr_source_file = {
    .kind =
        {
            .name = "file",
            .summary = "lines of a file, of the files of a directory, or of a glob",
            .doc =
                "Files are read in name order; new files and what is appended to known ones are picked up while the "
                "query runs. Names in a directory that start with '.' or '_' are left out. .gz and .zst files are "
                "read through. Blank lines are no records. In a bounded run (availableNow, once, eval, fit) the last "
                "line needs no newline; otherwise it waits for one. A file that was cut or replaced ends the query: "
                "what was read must stay, unless `cleanSource: delete` deletes it: then files should be written under "
                "another name (such as one that begins with '.') and renamed when they are whole. Without "
                "maxRowsPerTrigger a batch has at most 16 MiB of input.",
            .example = "{type: file, path: in, maxFilesPerTrigger: 10, format: {type: json}, schema: \"id long\"}",
            .options = {file_options, HR_ARRAY_LEN(file_options)},
            .options_size = sizeof(struct file_options),
            .instance_size = sizeof(struct file_source),
        },
    .flags = HR_SOURCE_REPLAYABLE | HR_SOURCE_AHEAD,
    .check = file_check,
    .preflight = file_preflight,
    .open = file_open,
    .latest = file_latest,
    .plan = file_plan,
    .read = file_read,
    .committed = file_committed,
    .close = file_close,
    .describe = file_describe,
};
