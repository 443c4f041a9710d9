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
#include <unistd.h>

#include "stream/source_file_internal.h"

static const char *const clean_choices[] = {"off", "delete", NULL};

static const struct hr_option file_options[] = {
    HR_OPTION(struct hr_file_options, path, "path", STRING, .required = true,
              .help = "a file, a directory or a glob; .gz and .zst are read through; relative to the query file"),
    HR_OPTION(struct hr_file_options, files_per_trigger_max, "maxFilesPerTrigger", INT, .minimum = 1, .maximum = 1e9,
              .help = "at most so many files take part in a batch; default: no limit"),
    HR_OPTION(struct hr_file_options, clean, "cleanSource", CHOICE, .choices = clean_choices, .fallback = "off",
              .help = "delete: a file is deleted when the batch that read its last record is committed; files must be "
                      "whole when they get their name"),
};

static void file_check(struct hr_source *base, struct hr_findings *findings)
{
    const struct hr_file_options *options = base->options;
    if (options->path[0] == '\0') {
        hr_findings_error(findings, &base->place, "'path' is empty");
    }
    base->flags |= options->clean == HR_FILE_CLEAN_DELETE ? HR_SOURCE_CONSUMES : 0;
}

static void file_preflight(struct hr_source *base, struct hr_findings *findings)
{
    struct hr_file_source *source = (struct hr_file_source *)base;
    struct hr_error err;
    if (hr_file_source_scan(source, &err) != HR_OK) {
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
        hr_findings_warning(findings, &base->place, "no file matches '%s' yet", hr_file_source_options(source)->path);
    }
}

/* A plain file that is shorter than what was read of it, or whose last record changed. Compressed files are checked
 * when they are read, for that means reading through them. */
static enum hr_status file_check_positions(struct hr_file_source *source, struct hr_error *err)
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
    struct hr_file_source *source = (struct hr_file_source *)base;
    HR_TRY(hr_file_source_scan(source, err));
    if (committed != NULL) {
        hr_offsets_copy(&base->position, committed);
    }
    HR_TRY(file_check_positions(source, err));
    if (hr_file_source_options(source)->clean == HR_FILE_CLEAN_DELETE) {
        hr_file_source_find_read(source);
    }
    return HR_OK;
}

static void file_close(struct hr_source *base)
{
    struct hr_file_source *source = (struct hr_file_source *)base;
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
    return ((const struct hr_file_options *)base->options)->path;
}

static enum hr_status file_latest(struct hr_source *base, struct hr_offsets *out, struct hr_error *err)
{
    struct hr_file_source *source = (struct hr_file_source *)base;
    HR_TRY(hr_file_source_scan(source, err));
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

static enum hr_status file_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                struct hr_error *err)
{
    struct hr_file_source *source = (struct hr_file_source *)base;
    if (source->has_plan && hr_offsets_equal(end, &source->planned_end)) {
        struct hr_records handed = source->planned;
        source->planned = *out;
        *out = handed;
        hr_offsets_copy(&base->position, &source->planned_end);
    } else {
        HR_TRY(hr_file_source_replay(source, end, out, err));
    }
    source->has_plan = false;
    source->filling ^= 1;
    return HR_OK;
}

static void file_committed(struct hr_source *base, const struct hr_offsets *end)
{
    struct hr_file_source *source = (struct hr_file_source *)base;
    if (hr_file_source_options(source)->clean == HR_FILE_CLEAN_DELETE) {
        hr_offsets_copy(&source->committed, end);
        hr_file_source_clean(source);
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
            .options_size = sizeof(struct hr_file_options),
            .instance_size = sizeof(struct hr_file_source),
        },
    .flags = HR_SOURCE_REPLAYABLE | HR_SOURCE_AHEAD,
    .check = file_check,
    .preflight = file_preflight,
    .open = file_open,
    .latest = file_latest,
    .plan = hr_file_source_plan,
    .read = file_read,
    .committed = file_committed,
    .close = file_close,
    .describe = file_describe,
};
