/* SPDX-License-Identifier: Apache-2.0
 *
 * The format kind: bytes ↔ rows. A decoder turns records into the columns of a chunk, directed by the schema; an
 * encoder turns rows into bytes for a sink; a splitter finds record ends in a byte stream (files, sockets).
 *
 * Life cycle: hr_format_new (plan time; options checked) → hr_format_open (schema known; compiles it) → decode, encode,
 * split → hr_format_free. A format instance belongs to one source or one sink and one thread.
 * Formats: HR_FORMAT_TYPES. Adding one: format_<name>.c with a `const struct hr_format_type`, and a line here.
 */
#ifndef HR_DATA_FORMAT_H
#define HR_DATA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/kind.h"
#include "base/status.h"
#include "data/chunk.h"
#include "data/schema.h"

struct hr_format;

/* Decodes records[0..count) into chunk (empty, initialised): fills columns whose origin is HR_ORIGIN_FIELD, sets
 * chunk->rows and record_index (index = first_index + i). A bad record becomes a reject and no row. HR_RECORD_HEADER
 * records configure and give no row; tombstones are not passed. Fails only for programmer's errors. */
typedef void hr_format_decode_fn(struct hr_format *format, const struct hr_record *records, uint32_t first_index,
                                 size_t count, struct hr_chunk *chunk);
/* The length of the first whole record in data including its terminator, 0 when there is none yet. *content: its
 * length without terminator. at_end: no more bytes will come. skip_blank is the caller's job. */
typedef size_t hr_format_split_fn(struct hr_format *format, const char *data, size_t length, bool at_end,
                                  size_t *content);
/* Appends rows [first, first+count) of the columns `columns[0..column_count)` (indices into chunk->columns) to out,
 * each followed by the terminator where framed. row_end[i]: offset in out after row i (without the terminator), may be
 * NULL. */
typedef void hr_format_encode_fn(struct hr_format *format, const struct hr_chunk *chunk, const size_t *columns,
                                 size_t column_count, size_t first, size_t count, bool framed, struct hr_buf *out,
                                 size_t *row_end);
/* What goes at the start of each file (a CSV header), nothing by default. */
typedef void hr_format_encode_header_fn(struct hr_format *format, const struct hr_schema *schema, const size_t *columns,
                                        size_t column_count, struct hr_buf *out);

struct hr_format_type {
    struct hr_kind kind;
    const char *extension; /* "json" */
    enum hr_status (*open)(struct hr_format *format, const struct hr_schema *schema, struct hr_error *err);
    hr_format_decode_fn *decode;
    hr_format_split_fn *split;
    hr_format_encode_fn *encode;
    hr_format_encode_header_fn *encode_header; /* NULL: none */
    /* True when a file's first record is a header that a source must present as HR_RECORD_HEADER. NULL: never. */
    bool (*has_header)(const struct hr_format *format);
    void (*close)(struct hr_format *format);
};

/* What to do with bad records; an option that all formats share. */
enum hr_bad_record_mode { HR_MODE_DEFAULT, HR_MODE_DEAD_LETTER, HR_MODE_DROP, HR_MODE_FAIL_FAST };
enum hr_tombstone_mode { HR_TOMBSTONE_IGNORE, HR_TOMBSTONE_DEAD_LETTER };

/* Options that all formats have; first member of a format's options. */
struct hr_format_options {
    int mode;       /* enum hr_bad_record_mode */
    int tombstones; /* enum hr_tombstone_mode */
    int64_t record_bytes_max;
};

extern const char *const hr_format_modes[];
extern const char *const hr_format_tombstone_modes[];

/* Their rows; struct_type has a member `common`. */
#define HR_FORMAT_OPTION_ROWS(struct_type) \
    HR_OPTION(struct_type, common.mode, "mode", CHOICE, .choices = hr_format_modes, .fallback = "auto", \
              .help = "what becomes of a bad record; auto: deadLetter where the query has a deadLetter section, else " \
                      "failFast"), \
        HR_OPTION(struct_type, common.tombstones, "tombstones", CHOICE, .choices = hr_format_tombstone_modes, \
                  .fallback = "ignore", .help = "what becomes of a Kafka record without a value"), \
        HR_OPTION(struct_type, common.record_bytes_max, "maxRecordBytes", BYTES, .fallback = "16MiB", .minimum = 64, \
                  .maximum = 1 << 30, .help = "a longer record is a bad record")

/* First member of a format's own struct. */
struct hr_format {
    const struct hr_format_type *type;
    void *options;
    const struct hr_schema *schema; /* as opened, source columns */
    enum hr_bad_record_mode mode;
    enum hr_tombstone_mode tombstones;
    size_t record_bytes_max; /* longer records are TOO_LARGE; default 16 MiB */
};

#define HR_FORMAT_TYPES(X) X(json) X(csv)

#define HR_FORMAT_EXTERN(name) extern const struct hr_format_type hr_format_##name;
HR_FORMAT_TYPES(HR_FORMAT_EXTERN)
#undef HR_FORMAT_EXTERN

extern const struct hr_format_type *const hr_format_types[];
extern const size_t hr_format_type_count;

/* Reads `format: {type: …}`, or `format: json` as a short form; without a type it is json (a node may be NULL).
 * encoder: keys that only an encoder takes (compression) are the sink's, listed in ignore. NULL when there are
 * findings. In arena; free with hr_format_close. */
struct hr_format *hr_format_new(const struct hr_yaml *node, const struct hr_place *parent, const char *const *ignore,
                                struct hr_arena *arena, struct hr_findings *findings);
enum hr_status hr_format_open(struct hr_format *format, const struct hr_schema *schema, struct hr_error *err);
void hr_format_decode(struct hr_format *format, const struct hr_record *records, uint32_t first_index, size_t count,
                      struct hr_chunk *chunk);
size_t hr_format_split(struct hr_format *format, const char *data, size_t length, bool at_end, size_t *content);
void hr_format_encode(struct hr_format *format, const struct hr_chunk *chunk, const size_t *columns,
                      size_t column_count, size_t first, size_t count, bool framed, struct hr_buf *out,
                      size_t *row_end);
void hr_format_encode_header(struct hr_format *format, const struct hr_schema *schema, const size_t *columns,
                             size_t column_count, struct hr_buf *out);
bool hr_format_has_header(const struct hr_format *format);
void hr_format_close(struct hr_format *format);

/* Fills the columns whose origin is not a field (__topic, __offset …) from the chunk's records. */
void hr_format_fill_metadata(struct hr_chunk *chunk);

#endif
