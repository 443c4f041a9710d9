/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip and zstd, read through and written: a reader that gives plain bytes of a file whatever its ending says, and a
 * writer over a file descriptor. Positions are of the plain bytes. The same input gives the same compressed bytes (no
 * time stamps), so that a part that is written again is the same file.
 */
#ifndef HR_DATA_COMPRESS_H
#define HR_DATA_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

enum hr_compression { HR_COMPRESSION_NONE, HR_COMPRESSION_GZIP, HR_COMPRESSION_ZSTD };

/* By the file's ending: .gz, .zst. */
enum hr_compression hr_compression_of(const char *path);
const char *hr_compression_extension(enum hr_compression compression); /* "", ".gz", ".zst" */

struct hr_reader;
/* HR_NO_INPUT when the file is missing. */
enum hr_status hr_reader_open(const char *path, struct hr_reader **out, struct hr_error *err);
/* Up to length plain bytes; *out_read 0 is the end. HR_BAD_DATA for damaged compressed data, with file and position. */
enum hr_status hr_reader_read(struct hr_reader *reader, void *data, size_t length, size_t *out_read,
                              struct hr_error *err);
/* Moves to a plain position: seek for plain files, reading through for compressed ones. */
enum hr_status hr_reader_seek(struct hr_reader *reader, int64_t position, struct hr_error *err);
void hr_reader_close(struct hr_reader *reader);

/* Compresses all of data as one stream appended to out. */
enum hr_status hr_compress(enum hr_compression compression, const void *data, size_t length, struct hr_buf *out,
                           struct hr_error *err);

#endif
