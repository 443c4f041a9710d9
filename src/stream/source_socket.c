/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket source: connects as a client and takes lines. A connection cannot be read again, so lines are made durable
 * in a journal below the checkpoint before anything uses them; from there they are replayable like any other source.
 * What a crash of Headrace may lose is what it had not taken yet: bytes that were still in the connection.
 *
 * Position: "journal", the number of the next row. A connection that ends is made again, with back-off; a last line
 * without newline counts when the peer closed in good order, and is dropped when the connection broke.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "stream/source.h"
#include "stream/source_journal.h"
#include "stream/source_socket_connection.h"

#define POSITION_NAME HR_STR("journal")
#define READ_SIZE ((size_t)256 << 10)
#define TAKE_BYTES_MAX ((size_t)4 << 20)
#define AHEAD_ROWS_MAX 200000
#define BACK_OFF_FIRST_US 100000
#define BACK_OFF_MAX_US 5000000
#define POLL_SLICE_US 100000
#define FIRST_LOOK_US 1000000
#define LINE_BYTES_DEFAULT ((size_t)16 << 20)

struct socket_options {
    const char *host;
    int64_t port;
};

static const struct hr_option socket_options[] = {
    HR_OPTION(struct socket_options, host, "host", STRING, .required = true, .help = "name or address to connect to"),
    HR_OPTION(struct socket_options, port, "port", INT, .required = true, .minimum = 1, .maximum = 65535,
              .help = "TCP port to connect to"),
};

struct socket_source {
    struct hr_source base;
    struct hr_journal journal;
    bool open;
    bool tried; /* to connect */
    int fd;     /* -1: not connected */
    int64_t retry_at_ns;
    int64_t back_off_us;
    struct hr_buf pending; /* bytes of a line that is not complete */
    bool skipping;         /* the rest of a line that was too long */
    struct hr_str *lines;  /* found in pending, not journaled yet */
    size_t line_capacity;
    struct hr_arena arenas[2];
    int filling;
};

static const struct socket_options *options_of(const struct socket_source *source)
{
    return source->base.options;
}

static int64_t now_ns(void)
{
    return hr_clock_monotonic_ns(&hr_clock_system);
}

static int64_t position_of(const struct hr_offsets *offsets)
{
    const struct hr_offset *offset = hr_offsets_find(offsets, POSITION_NAME, -1);
    return offset != NULL ? offset->position : 0;
}

/* ---- the connection ----------------------------------------------------------------------------------------- */

static void socket_disconnect(struct socket_source *source, const char *reason)
{
    if (source->fd >= 0) {
        close(source->fd);
        source->fd = -1;
    }
    source->skipping = false;
    hr_buf_clear(&source->pending);
    snprintf(source->base.waiting_for, sizeof(source->base.waiting_for), "connection to %s:%" PRId64 " (%s)",
             options_of(source)->host, options_of(source)->port, reason);
    source->retry_at_ns = now_ns() + source->back_off_us * 1000;
    source->back_off_us = source->back_off_us * 2 < BACK_OFF_MAX_US ? source->back_off_us * 2 : BACK_OFF_MAX_US;
}

static void socket_connect(struct socket_source *source)
{
    const char *reason = "";
    source->tried = true;
    source->fd = hr_connection_open(options_of(source)->host, options_of(source)->port, &reason);
    if (source->fd < 0) {
        socket_disconnect(source, reason);
        return;
    }
    source->base.waiting_for[0] = '\0';
}

/* ---- from bytes to the journal ------------------------------------------------------------------------------ */

static bool is_blank(struct hr_str line)
{
    for (size_t i = 0; i < line.length; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') {
            return false;
        }
    }
    return true;
}

static void line_add(struct socket_source *source, size_t *count, struct hr_str line)
{
    if (is_blank(line)) {
        return;
    }
    if (*count == source->line_capacity) {
        source->line_capacity = source->line_capacity == 0 ? 1024 : source->line_capacity * 2;
        source->lines = hr_realloc_array(source->lines, source->line_capacity, sizeof(source->lines[0]));
    }
    source->lines[(*count)++] = line;
}

/* Drops the rest of a line that was too long, up to its newline. */
static size_t skip_rest(struct socket_source *source)
{
    const char *newline = memchr(source->pending.data, '\n', source->pending.length);
    if (newline == NULL) {
        return source->pending.length;
    }
    source->skipping = false;
    return (size_t)(newline - source->pending.data) + 1;
}

/* Journals all complete lines of `pending`. at_end: the last one needs no newline. */
static enum hr_status socket_journal(struct socket_source *source, bool at_end, struct hr_error *err)
{
    size_t maximum = source->base.format->record_bytes_max;
    maximum = maximum > 0 ? maximum : LINE_BYTES_DEFAULT;
    size_t used = source->skipping && source->pending.length > 0 ? skip_rest(source) : 0;
    size_t count = 0;
    while (used < source->pending.length) {
        const char *data = source->pending.data + used;
        size_t content = 0;
        size_t length = hr_format_split(source->base.format, data, source->pending.length - used, at_end, &content);
        if (length == 0 && source->pending.length - used > maximum) {
            /* Enough to be seen as too large. */
            content = maximum + 1;
            length = source->pending.length - used;
            source->skipping = true;
        }
        if (length == 0) {
            break;
        }
        line_add(source, &count, (struct hr_str){data, content});
        used += length;
    }
    if (count > 0) {
        HR_TRY(hr_journal_append(&source->journal, source->lines, (uint32_t)count, err));
        source->back_off_us = BACK_OFF_FIRST_US;
    }
    if (used > 0) {
        memmove(source->pending.data, source->pending.data + used, source->pending.length - used);
        source->pending.length -= used;
    }
    return HR_OK;
}

/* Takes what the connection has, without waiting. */
static enum hr_status socket_take(struct socket_source *source, struct hr_error *err)
{
    size_t taken = 0;
    while (taken < TAKE_BYTES_MAX) {
        char *room = hr_buf_reserve(&source->pending, READ_SIZE);
        if (room == NULL) {
            break;
        }
        ssize_t count = recv(source->fd, room, READ_SIZE, 0);
        if (count > 0) {
            source->pending.length += (size_t)count;
            taken += (size_t)count;
            continue;
        }
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        int failure = errno;
        HR_TRY(socket_journal(source, count == 0, err));
        socket_disconnect(source, count == 0 ? "closed by the peer" : strerror(failure));
        return HR_OK;
    }
    return socket_journal(source, false, err);
}

static bool socket_sleep(struct socket_source *source, int64_t wait_us)
{
    if (source->base.stop != NULL) {
        return hr_stop_wait(source->base.stop, wait_us) == 0;
    }
    hr_clock_system.sleep_us(hr_clock_system.context, wait_us);
    return true;
}

/* Connects when it is time, and takes lines until there are some or wait_us is over. */
static enum hr_status socket_pump(struct socket_source *source, int64_t wait_us, struct hr_error *err)
{
    int64_t begin = now_ns();
    int64_t had = source->journal.next;
    for (;;) {
        if (source->fd < 0 && now_ns() >= source->retry_at_ns) {
            socket_connect(source);
        }
        int64_t left = wait_us - (now_ns() - begin) / 1000;
        int64_t slice = left < POLL_SLICE_US ? left : POLL_SLICE_US;
        slice = slice > 0 ? slice : 0;
        bool stopped = source->base.stop != NULL && hr_stop_level(source->base.stop) > 0;
        if (source->fd >= 0) {
            struct pollfd wait = {.fd = source->fd, .events = POLLIN};
            if (poll(&wait, 1, (int)((slice + 999) / 1000)) > 0) {
                HR_TRY(socket_take(source, err));
            }
        } else if (slice > 0) {
            stopped = !socket_sleep(source, slice);
        }
        if (source->journal.next > had || left <= 0 || stopped) {
            source->base.waited_ns += now_ns() - begin;
            return HR_OK;
        }
    }
}

/* ---- the kind's callbacks ----------------------------------------------------------------------------------- */

static enum hr_status socket_open_journal(struct socket_source *source, const struct hr_offsets *committed,
                                          struct hr_error *err)
{
    struct hr_source *base = &source->base;
    char directory[4096];
    snprintf(directory, sizeof(directory), "%s/journal-%s", base->state_directory, base->id);
    HR_TRY(hr_journal_open(&source->journal, directory, err));
    if (source->journal.dropped_bytes > 0) {
        hr_log_warn(base->query, "journal %s: %" PRId64 " bytes of an append that a crash cut off were dropped",
                    directory, source->journal.dropped_bytes);
    }
    int64_t position = committed != NULL ? position_of(committed) : source->journal.first;
    if (position < source->journal.first || position > source->journal.next) {
        (void)hr_fail(err, HR_DATA_LOSS,
                      "journal '%s' has rows %" PRId64 " to %" PRId64 ", and the query is at row %" PRId64, directory,
                      source->journal.first, source->journal.next, position);
        return hr_fail_hint(err,
                            "restore the journal that belongs to the checkpoint, or start anew with --new-lineage");
    }
    hr_offsets_set(&base->position, POSITION_NAME, -1, position);
    return HR_OK;
}

static enum hr_status socket_open(struct hr_source *base, const struct hr_offsets *committed, struct hr_error *err)
{
    struct socket_source *source = (struct socket_source *)base;
    if (base->state_directory == NULL) {
        (void)hr_fail(err, HR_BAD_CONFIG, "a socket source needs a checkpoint, for its journal");
        return hr_fail_hint(err, "fit and eval read a source that ends: save the lines to a file and read that");
    }
    source->open = true;
    source->fd = -1;
    source->tried = false;
    source->skipping = false;
    source->retry_at_ns = 0;
    source->back_off_us = BACK_OFF_FIRST_US;
    hr_buf_init(&source->pending, (size_t)64 << 20);
    return socket_open_journal(source, committed, err);
}

static void socket_close(struct hr_source *base)
{
    struct socket_source *source = (struct socket_source *)base;
    if (!source->open) {
        return;
    }
    if (source->fd >= 0) {
        close(source->fd);
    }
    hr_journal_close(&source->journal);
    hr_buf_release(&source->pending);
    hr_free(source->lines);
    source->lines = NULL;
    source->line_capacity = 0;
    hr_arena_release(&source->arenas[0]);
    hr_arena_release(&source->arenas[1]);
    source->open = false;
}

static enum hr_status socket_latest(struct hr_source *base, struct hr_offsets *out, struct hr_error *err)
{
    struct socket_source *source = (struct socket_source *)base;
    if (!source->tried) {
        HR_TRY(socket_pump(source, FIRST_LOOK_US, err));
    }
    hr_offsets_release(out);
    hr_offsets_set(out, POSITION_NAME, -1, source->journal.next);
    return HR_OK;
}

static enum hr_status socket_plan(struct hr_source *base, const struct hr_source_limit *limit,
                                  struct hr_offsets *out_end, struct hr_error *err)
{
    struct socket_source *source = (struct socket_source *)base;
    int64_t position = position_of(&base->position);
    int64_t end;
    if (limit->target != NULL) {
        end = position_of(limit->target);
        if (position >= end) {
            return HR_END;
        }
    } else {
        int64_t ahead = source->journal.next - position;
        if (ahead < limit->rows && ahead < AHEAD_ROWS_MAX) {
            HR_TRY(socket_pump(source, ahead > 0 ? 0 : limit->wait_us, err));
        }
        end = source->journal.next;
        if (end == position) {
            return HR_AGAIN;
        }
    }
    hr_offsets_copy(out_end, &base->position);
    hr_offsets_set(out_end, POSITION_NAME, -1, end - position > limit->rows ? position + limit->rows : end);
    return HR_OK;
}

struct socket_read {
    struct hr_records *records;
    struct hr_str origin;
};

static void socket_visit(void *context, int64_t row, struct hr_str line)
{
    struct socket_read *read = context;
    struct hr_record *record = hr_records_add(read->records);
    record->value = line;
    record->origin = read->origin;
    record->offset = row;
    read->records->bytes += line.length;
}

static enum hr_status socket_read(struct hr_source *base, const struct hr_offsets *end, struct hr_records *out,
                                  struct hr_error *err)
{
    struct socket_source *source = (struct socket_source *)base;
    struct hr_arena *arena = &source->arenas[source->filling];
    struct socket_read read = {.records = out};
    source->filling ^= 1;
    hr_arena_reset(arena);
    read.origin =
        hr_str_from(hr_arena_printf(arena, "%s:%" PRId64, options_of(source)->host, options_of(source)->port));
    HR_TRY(hr_journal_read(&source->journal, position_of(&base->position), position_of(end), arena, socket_visit, &read,
                           err));
    hr_offsets_set(&base->position, POSITION_NAME, -1, position_of(end));
    return HR_OK;
}

static void socket_committed(struct hr_source *base, const struct hr_offsets *end)
{
    struct socket_source *source = (struct socket_source *)base;
    hr_journal_drop(&source->journal, position_of(end));
}

static void socket_preflight(struct hr_source *base, struct hr_findings *findings)
{
    struct socket_source *source = (struct socket_source *)base;
    source->fd = -1;
    source->back_off_us = BACK_OFF_FIRST_US;
    socket_connect(source);
    if (source->fd >= 0) {
        close(source->fd);
        source->fd = -1;
        return;
    }
    struct hr_error err;
    (void)hr_fail(&err, HR_UNAVAILABLE, "no %s", base->waiting_for);
    (void)hr_fail_hint(&err, "start the server first, or lint with --offline; a running query waits for it");
    hr_findings_add(findings, &base->place, &err);
}

static const char *socket_describe(const struct hr_source *base)
{
    const struct socket_options *options = base->options;
    return hr_arena_printf(base->arena, "%s:%" PRId64, options->host, options->port);
}

const struct hr_source_type hr_source_socket = {
    .kind =
        {
            .name = "socket",
            .summary = "lines from a TCP server",
            .doc =
                "Connects as a client and connects again, with back-off, when the connection ends. Lines are written "
                "to a journal below the checkpoint and synced before they are used, so that a crash of Headrace loses "
                "none that it took; lines that were still under way are lost, for TCP cannot send them again. Blank "
                "lines are no records. Not for fit and eval.",
            .example = "{type: socket, host: localhost, port: 9999, format: {type: json}, schema: \"id long\"}",
            .options = {socket_options, HR_ARRAY_LEN(socket_options)},
            .options_size = sizeof(struct socket_options),
            .instance_size = sizeof(struct socket_source),
        },
    .flags = HR_SOURCE_REPLAYABLE | HR_SOURCE_CONSUMES,
    .preflight = socket_preflight,
    .open = socket_open,
    .latest = socket_latest,
    .plan = socket_plan,
    .read = socket_read,
    .committed = socket_committed,
    .close = socket_close,
    .describe = socket_describe,
};
