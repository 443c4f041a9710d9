/* SPDX-License-Identifier: Apache-2.0
 *
 * A cursor that cuts one file into records, for the file source and for `score`. source_file.c has the rules.
 */
#ifndef HR_STREAM_SOURCE_FILE_CURSOR_H
#define HR_STREAM_SOURCE_FILE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "data/compress.h"
#include "data/format.h"
#include "stream/offset.h"
#include "stream/source_file_list.h"

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
