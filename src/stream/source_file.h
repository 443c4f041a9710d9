/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the file source: the list of files that the path stands for, and a cursor (also of `score`) that
 * cuts one file into records. See source_file.c for the rules.
 */
#ifndef HR_STREAM_SOURCE_FILE_H
#define HR_STREAM_SOURCE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/status.h"
#include "data/compress.h"
#include "data/format.h"
#include "stream/offset.h"

/* One file, from when it is first seen until the source is closed. */
struct hr_file_entry {
    char *name; /* as in offsets: relative to the query file as the user wrote the path */
    char *path; /* to open */
    bool compressed;
    bool present; /* in the last scan */
    int64_t size; /* on disk, in the last scan */
    struct timespec changed;
    bool dry; /* no complete record was left when size and time were dry_size and dry_changed */
    int64_t dry_size;
    struct timespec dry_changed;
    int64_t dry_end;     /* where its last record ended then; −1: something that is no whole record stood after it */
    int64_t bounded_dry; /* bounded runs: no record was left before this position */
    int64_t plain_size;  /* compressed files: of the plain bytes, when counted for plain_of_size and plain_changed */
    int64_t plain_of_size;
    struct timespec plain_changed;
    struct hr_buf header; /* CSV: the first record, once it was read */
};

struct hr_file_list {
    struct hr_file_entry **items; /* sorted by name, byte order */
    size_t count;
    size_t capacity;
    bool single; /* the path is one file */
};

/* Looks at the file system: path is a file, a directory (its files but for names that start with '.' or '_') or a glob.
 * HR_NO_INPUT when the path, no glob, does not exist. */
enum hr_status hr_file_list_scan(struct hr_file_list *list, const char *directory, const char *path,
                                 struct hr_error *err);
struct hr_file_entry *hr_file_list_find(const struct hr_file_list *list, struct hr_str name);
/* Forgets a file: one of that name that is seen later is a new one. */
void hr_file_list_remove(struct hr_file_list *list, size_t index);
void hr_file_list_release(struct hr_file_list *list);
/* Plain bytes in the file: its size, or for compressed files what reading through gives (remembered). */
enum hr_status hr_file_plain_size(struct hr_file_entry *entry, int64_t *out, struct hr_error *err);

/* No record is left in the file as it was at the last scan. end: of its last record, or −1 (dry_end). */
void hr_file_entry_set_dry(struct hr_file_entry *entry, int64_t end);
/* It is still as it was then. */
bool hr_file_entry_is_dry(const struct hr_file_entry *entry);

/* A record as it stands in a file. */
struct hr_file_line {
    struct hr_str value; /* in the cursor's arena */
    int64_t offset;
    int64_t line;     /* of its first byte, from 1 */
    int64_t end;      /* position after its terminator */
    int64_t end_line; /* lines before end */
    uint32_t crc;     /* of the bytes [offset, end), once it is sealed */
    bool sealed;
};

struct hr_file_cursor {
    struct hr_file_entry *entry; /* NULL: closed */
    struct hr_reader *reader;
    struct hr_format *format;
    struct hr_arena *arena; /* blocks are taken from here; records point into them */
    char *data;             /* the block; bytes [start, end) are read and not yet cut */
    size_t start;
    size_t end;
    size_t capacity;
    int64_t position; /* of data[start] in the plain file */
    int64_t line;     /* lines before position */
    int64_t upper;    /* nothing at or past this position is read; INT64_MAX: follow the file */
    bool eof;
    bool as_it_comes; /* a pipe: what one read brings is given on before the next one waits */
};

/* True when the next record may be cut without reading, as far as a line end says. */
bool hr_file_cursor_has_line(const struct hr_file_cursor *cursor);
/* Opens at `at` (NULL: the start), after checking that the record before it is still the one that was read:
 * HR_DATA_LOSS names file and positions. */
enum hr_status hr_file_cursor_open(struct hr_file_cursor *cursor, struct hr_file_entry *entry, struct hr_format *format,
                                   struct hr_arena *arena, const struct hr_offset *at, int64_t upper,
                                   struct hr_error *err);
/* The next record that is not blank; HR_END: none is complete. A last line without a newline is complete when the
 * range is bounded or the file is compressed. */
enum hr_status hr_file_cursor_next(struct hr_file_cursor *cursor, struct hr_file_line *out, struct hr_error *err);
/* Makes the CRC, while the line's bytes are there. Few lines become anchors, so not every line pays for one. */
void hr_file_line_seal(struct hr_file_line *line);
/* Goes on in another arena; what is read already is copied. */
void hr_file_cursor_move(struct hr_file_cursor *cursor, struct hr_arena *arena);
void hr_file_cursor_close(struct hr_file_cursor *cursor);
/* HR_DATA_LOSS with what the user can do. */
enum hr_status hr_file_fail_loss(struct hr_error *err, const char *format, ...) HR_PRINTF(2, 3);

#endif
