/* SPDX-License-Identifier: Apache-2.0
 *
 * Journal of the socket source: see source_journal.h. All frames are known in memory, by row; bytes are read when asked
 * for. A segment ends at SEGMENT_BYTES, so that committed rows give their space back.
 */
#include "stream/source_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "base/wire.h"

#define MAGIC "HRJL"
#define FORMAT_VERSION 1
#define SEGMENT_BYTES ((int64_t)8 << 20)
#define SEGMENT_READ_MAX ((size_t)1 << 30)
#define SUFFIX ".journal"
#define NAME_DIGITS 20

static char *segment_path(const struct hr_journal *journal, int64_t segment, char *out, size_t size)
{
    snprintf(out, size, "%s/%0*" PRId64 SUFFIX, journal->directory, NAME_DIGITS, segment);
    return out;
}

static void frame_add(struct hr_journal *journal, struct hr_journal_frame frame)
{
    if (journal->frame_count == journal->frame_capacity) {
        journal->frame_capacity = journal->frame_capacity == 0 ? 64 : journal->frame_capacity * 2;
        journal->frames = hr_realloc_array(journal->frames, journal->frame_capacity, sizeof(journal->frames[0]));
    }
    journal->frames[journal->frame_count++] = frame;
    journal->next = frame.first + frame.count;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static uint32_t length_at(const char *data)
{
    uint32_t length;
    memcpy(&length, data, sizeof(length));
    return length;
}

/* A whole, undamaged frame at data + offset. */
static bool frame_parse(const char *data, size_t size, size_t offset, struct hr_journal_frame *out)
{
    struct hr_wire_reader reader;
    struct hr_error err;
    if (size - offset < sizeof(uint32_t)) {
        return false;
    }
    out->length = length_at(data + offset);
    out->offset = (int64_t)(offset + sizeof(uint32_t));
    if (out->length > size - offset - sizeof(uint32_t) ||
        hr_wire_open(&reader, data + out->offset, out->length, MAGIC, FORMAT_VERSION, "journal frame", &err) != HR_OK) {
        return false;
    }
    out->first = hr_wire_get_i64(&reader);
    out->count = hr_wire_get_u32(&reader);
    return !reader.bad && out->first >= 0;
}

/* A bad frame at the end of the last segment: one that a crash cut off is shorter than it says, or has zeros that the
 * disk put in place of what never reached it. One that is all there was synced, and then damaged. */
static bool frame_is_cut_off(const char *data, size_t size, size_t offset)
{
    static const char zeros[64];
    struct hr_wire_reader reader;
    struct hr_error err;
    size_t rest = size - offset;
    if (memmem(data + offset, rest, zeros, sizeof(zeros)) != NULL) {
        return true;
    }
    if (rest <= sizeof(uint32_t)) {
        return true;
    }
    /* The length itself may be what is damaged. */
    rest -= sizeof(uint32_t);
    return length_at(data + offset) > rest && hr_wire_open(&reader, data + offset + sizeof(uint32_t), rest, MAGIC,
                                                           FORMAT_VERSION, "journal frame", &err) != HR_OK;
}

/* Is there a good frame anywhere behind a bad one? Then the bad one was not the last to be written. */
static bool frame_follows(const char *data, size_t size, size_t offset)
{
    struct hr_journal_frame frame;
    const char *end = data + size;
    const char *next = data + offset + 1 + sizeof(uint32_t);
    while (next < end && (next = memmem(next, (size_t)(end - next), MAGIC, strlen(MAGIC))) != NULL) {
        if (frame_parse(data, size, (size_t)(next - data) - sizeof(uint32_t), &frame)) {
            return true;
        }
        next++;
    }
    return false;
}

/* The last segment is written anew, without an end that was cut off. An append whose sync failed before the last end
 * can be read, but may never reach the disk (Linux takes such pages for clean): what is used from here on must have. */
static enum hr_status journal_write_again(struct hr_journal *journal, const char *path, struct hr_str bytes,
                                          size_t length, struct hr_error *err)
{
    journal->dropped_bytes = (int64_t)(bytes.length - length);
    return hr_file_write_atomic(path, bytes.data, length, err);
}

static enum hr_status journal_scan_segment(struct hr_journal *journal, int64_t segment, bool is_last,
                                           struct hr_error *err)
{
    char path[4096];
    segment_path(journal, segment, path, sizeof(path));
    HR_CLEANUP(hr_buf_release) struct hr_buf bytes;
    hr_buf_init(&bytes, SEGMENT_READ_MAX);
    HR_TRY(hr_file_read(path, SEGMENT_READ_MAX, &bytes, err));
    size_t offset = 0;
    bool first = true;
    while (offset < bytes.length) {
        struct hr_journal_frame frame = {.segment = segment};
        bool good = frame_parse(bytes.data, bytes.length, offset, &frame);
        if (!good && is_last && frame_is_cut_off(bytes.data, bytes.length, offset) &&
            !frame_follows(bytes.data, bytes.length, offset)) {
            break; /* see journal_write_again */
        }
        int64_t expected = first ? segment : journal->next;
        if (!good || frame.first != expected || (journal->frame_count > 0 && frame.first != journal->next)) {
            (void)hr_fail(err, HR_CORRUPT, "journal '%s' is damaged at byte %zu (row %" PRId64 ")", path, offset,
                          expected);
            return hr_fail_hint(err, "its lines cannot be had again from the connection: move the journal's directory "
                                     "away and run with --new-lineage to go on without them");
        }
        frame_add(journal, frame);
        first = false;
        offset = (size_t)frame.offset + frame.length;
    }
    if (is_last) {
        HR_TRY(journal_write_again(journal, path, hr_buf_str(&bytes), offset, err));
        journal->segment = segment;
        journal->segment_bytes = (int64_t)offset;
        journal->next = first ? segment : journal->next;
    }
    return HR_OK;
}

static int compare_rows(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* First rows of all segments, sorted; the caller frees *out. */
static enum hr_status journal_list(const struct hr_journal *journal, int64_t **out, size_t *out_count,
                                   struct hr_error *err)
{
    DIR *stream = opendir(journal->directory);
    if (stream == NULL) {
        return hr_fail_errno(err, HR_IO, "cannot list journal '%s'", journal->directory);
    }
    size_t capacity = 0;
    for (struct dirent *item = readdir(stream); item != NULL; item = readdir(stream)) {
        int64_t segment;
        if (strlen(item->d_name) != NAME_DIGITS + strlen(SUFFIX) || strcmp(item->d_name + NAME_DIGITS, SUFFIX) != 0 ||
            !hr_number_parse_int64(item->d_name, NAME_DIGITS, &segment)) {
            continue;
        }
        if (*out_count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            *out = hr_realloc_array(*out, capacity, sizeof(**out));
        }
        (*out)[(*out_count)++] = segment;
    }
    closedir(stream);
    if (*out_count > 0) {
        qsort(*out, *out_count, sizeof(**out), compare_rows);
    }
    return HR_OK;
}

enum hr_status hr_journal_open(struct hr_journal *journal, const char *directory, struct hr_error *err)
{
    *journal = (struct hr_journal){.fd = -1};
    journal->directory = hr_strdup(directory);
    hr_buf_init(&journal->buffer, SEGMENT_READ_MAX);
    HR_TRY(hr_file_make_directory(directory, err));
    HR_CLEANUP(hr_free_pointer) int64_t *segments = NULL;
    size_t count = 0;
    HR_TRY(journal_list(journal, &segments, &count, err));
    for (size_t i = 0; i < count; i++) {
        HR_TRY(journal_scan_segment(journal, segments[i], i + 1 == count, err));
    }
    journal->first = count > 0 ? segments[0] : 0;
    if (count == 0) {
        return HR_OK;
    }
    char path[4096];
    segment_path(journal, journal->segment, path, sizeof(path));
    journal->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    return journal->fd >= 0 ? HR_OK : hr_fail_errno(err, HR_IO, "cannot open journal '%s'", path);
}

void hr_journal_close(struct hr_journal *journal)
{
    if (journal->directory == NULL) {
        return;
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    hr_free(journal->frames);
    hr_free(journal->directory);
    hr_buf_release(&journal->buffer);
    *journal = (struct hr_journal){.fd = -1};
}

/* ---- appending ---------------------------------------------------------------------------------------------- */

static enum hr_status journal_new_segment(struct hr_journal *journal, struct hr_error *err)
{
    char path[4096];
    segment_path(journal, journal->next, path, sizeof(path));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        return hr_fail_errno(err, HR_IO, "cannot make journal '%s'", path);
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    journal->fd = fd;
    journal->segment = journal->next;
    journal->segment_bytes = 0;
    return hr_file_sync_directory(journal->directory, err);
}

static enum hr_status journal_write(struct hr_journal *journal, struct hr_error *err)
{
    if (journal->fd < 0 || journal->segment_bytes >= SEGMENT_BYTES) {
        HR_TRY(journal_new_segment(journal, err));
    }
    HR_TRY(hr_file_write_all(journal->fd, journal->directory, journal->buffer.data, journal->buffer.length, err));
    if (fdatasync(journal->fd) != 0) {
        return hr_fail_errno(err, HR_IO, "cannot sync journal '%s'", journal->directory);
    }
    return HR_OK;
}

enum hr_status hr_journal_append(struct hr_journal *journal, const struct hr_str *lines, uint32_t count,
                                 struct hr_error *err)
{
    if (journal->unsynced) {
        return hr_fail(err, HR_IO, "journal '%s' could not be written before", journal->directory);
    }
    struct hr_wire_writer writer;
    uint32_t length = 0;
    hr_buf_clear(&journal->buffer);
    hr_buf_append(&journal->buffer, &length, sizeof(length));
    hr_wire_begin(&writer, &journal->buffer, MAGIC, FORMAT_VERSION);
    hr_wire_put_i64(&writer, journal->next);
    hr_wire_put_u32(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        hr_wire_put_str(&writer, lines[i]);
    }
    hr_wire_end(&writer);
    if (journal->buffer.overflow) {
        return hr_fail(err, HR_BUG, "an append to journal '%s' is too large", journal->directory);
    }
    length = (uint32_t)(journal->buffer.length - sizeof(length));
    memcpy(journal->buffer.data, &length, sizeof(length));
    enum hr_status status = journal_write(journal, err);
    if (status != HR_OK) {
        journal->unsynced = true;
        return status;
    }
    frame_add(journal, (struct hr_journal_frame){
                           .first = journal->next,
                           .count = count,
                           .length = length,
                           .offset = journal->segment_bytes + (int64_t)sizeof(length),
                           .segment = journal->segment,
                       });
    journal->segment_bytes += (int64_t)journal->buffer.length;
    return HR_OK;
}

/* ---- reading and dropping ----------------------------------------------------------------------------------- */

static enum hr_status frame_read(const struct hr_journal *journal, const struct hr_journal_frame *frame,
                                 struct hr_arena *arena, struct hr_wire_reader *reader, struct hr_error *err)
{
    char path[4096];
    segment_path(journal, frame->segment, path, sizeof(path));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return hr_fail_errno(err, errno == ENOENT ? HR_DATA_LOSS : HR_IO, "cannot open journal '%s'", path);
    }
    char *bytes = hr_arena_alloc(arena, frame->length);
    ssize_t count = pread(fd, bytes, frame->length, frame->offset);
    int failure = errno;
    close(fd);
    errno = failure;
    if (count < 0) {
        return hr_fail_errno(err, HR_IO, "cannot read journal '%s'", path);
    }
    HR_TRY(hr_wire_open(reader, bytes, (size_t)count, MAGIC, FORMAT_VERSION, "journal frame", err));
    if (hr_wire_get_i64(reader) != frame->first || hr_wire_get_u32(reader) != frame->count) {
        return hr_fail(err, HR_CORRUPT, "journal '%s' changed under the query", path);
    }
    return HR_OK;
}

enum hr_status hr_journal_read(const struct hr_journal *journal, int64_t first, int64_t end, struct hr_arena *arena,
                               hr_journal_visit_fn *visit, void *context, struct hr_error *err)
{
    if (first < end && (first < journal->first || end > journal->next)) {
        return hr_fail(err, HR_DATA_LOSS,
                       "journal '%s' has rows %" PRId64 " to %" PRId64 ", and %" PRId64 " to %" PRId64 " are needed",
                       journal->directory, journal->first, journal->next, first, end);
    }
    for (size_t i = 0; i < journal->frame_count; i++) {
        const struct hr_journal_frame *frame = &journal->frames[i];
        if (frame->first >= end || frame->first + frame->count <= first) {
            continue;
        }
        struct hr_wire_reader reader;
        HR_TRY(frame_read(journal, frame, arena, &reader, err));
        for (uint32_t j = 0; j < frame->count; j++) {
            struct hr_str line = hr_wire_get_str(&reader);
            int64_t row = frame->first + j;
            if (row >= first && row < end) {
                visit(context, row, line);
            }
        }
        HR_TRY(hr_wire_done(&reader, "journal frame", err));
    }
    return HR_OK;
}

void hr_journal_drop(struct hr_journal *journal, int64_t row)
{
    size_t keep = 0;
    while (keep < journal->frame_count) {
        int64_t segment = journal->frames[keep].segment;
        size_t next = keep;
        while (next < journal->frame_count && journal->frames[next].segment == segment) {
            next++;
        }
        const struct hr_journal_frame *last = &journal->frames[next - 1];
        if (segment == journal->segment || last->first + last->count > row) {
            break;
        }
        char path[4096];
        /* A segment that stays behind is found again, and dropped, after the next start. */
        (void)unlink(segment_path(journal, segment, path, sizeof(path)));
        keep = next;
    }
    if (keep > 0) {
        journal->frame_count -= keep;
        memmove(journal->frames, journal->frames + keep, journal->frame_count * sizeof(journal->frames[0]));
        journal->first = journal->frame_count > 0 ? journal->frames[0].first : journal->segment;
    }
}
