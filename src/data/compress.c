/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip (RFC 1952, members one after the other are one file) and zstd (RFC 8878, frames likewise). A compressed file
 * that ends inside a member or frame is damaged, an empty one is empty.
 */
#include "data/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/str.h"

enum { INPUT_SIZE = 256 * 1024, GZIP_WINDOW = 15 + 16, GZIP_LEVEL = 6, ZSTD_LEVEL = 3 };

struct hr_reader {
    enum hr_compression compression;
    int fd;
    char *path;
    int64_t position; /* plain bytes given so far */
    int64_t taken;    /* bytes read from the file */
    char *input;      /* compressed files only */
    size_t input_start;
    size_t input_end;
    bool input_over; /* the file's end was seen */
    bool inside;     /* a member or frame has begun and not ended */
    bool started;    /* any member or frame has begun */
    bool broken;     /* damage was met: there is nothing to read after it, and no end either */
    z_stream gzip;
    bool gzip_ready;
    ZSTD_DStream *zstd;
};

enum hr_compression hr_compression_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot != NULL && strcmp(dot, ".gz") == 0) {
        return HR_COMPRESSION_GZIP;
    }
    return dot != NULL && strcmp(dot, ".zst") == 0 ? HR_COMPRESSION_ZSTD : HR_COMPRESSION_NONE;
}

const char *hr_compression_extension(enum hr_compression compression)
{
    static const char *const extensions[] = {"", ".gz", ".zst"};
    return extensions[compression];
}

void hr_reader_close(struct hr_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->gzip_ready) {
        (void)inflateEnd(&reader->gzip);
    }
    ZSTD_freeDStream(reader->zstd);
    if (reader->fd >= 0) {
        (void)close(reader->fd);
    }
    hr_free(reader->input);
    hr_free(reader->path);
    hr_free(reader);
}

static void close_reader(struct hr_reader **reader)
{
    hr_reader_close(*reader);
}

enum hr_status hr_reader_open(const char *path, struct hr_reader **out, struct hr_error *err)
{
    struct hr_reader *reader HR_CLEANUP(close_reader) = hr_calloc(1, sizeof(*reader));
    reader->compression = hr_compression_of(path);
    reader->path = hr_strdup(path);
    reader->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0) {
        return hr_fail_errno(err,
                             errno == ENOENT   ? HR_NO_INPUT
                             : errno == EACCES ? HR_PERMISSION
                                               : HR_IO,
                             "%s cannot be opened", path);
    }
    if (reader->compression != HR_COMPRESSION_NONE) {
        reader->input = hr_alloc(INPUT_SIZE);
    }
    if (reader->compression == HR_COMPRESSION_GZIP) {
        HR_ASSERT(inflateInit2(&reader->gzip, GZIP_WINDOW) == Z_OK);
        reader->gzip_ready = true;
    } else if (reader->compression == HR_COMPRESSION_ZSTD) {
        reader->zstd = ZSTD_createDStream();
        HR_ASSERT(reader->zstd != NULL);
    }
    *out = reader;
    reader = NULL;
    return HR_OK;
}

static enum hr_status read_file(struct hr_reader *reader, void *data, size_t length, size_t *out_read,
                                struct hr_error *err)
{
    ssize_t count = 0;
    do {
        count = read(reader->fd, data, length);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return hr_fail_errno(err, HR_IO, "%s cannot be read at byte %lld", reader->path, (long long)reader->taken);
    }
    reader->taken += count;
    *out_read = (size_t)count;
    return HR_OK;
}

/* More compressed bytes when there are none; input_over at the end. */
static enum hr_status fill_input(struct hr_reader *reader, struct hr_error *err)
{
    if (reader->input_start < reader->input_end || reader->input_over) {
        return HR_OK;
    }
    size_t count = 0;
    HR_TRY(read_file(reader, reader->input, INPUT_SIZE, &count, err));
    reader->input_start = 0;
    reader->input_end = count;
    reader->input_over = count == 0;
    return HR_OK;
}

static HR_COLD enum hr_status damaged(struct hr_reader *reader, const char *why, struct hr_error *err)
{
    reader->broken = true;
    long long at = (long long)(reader->taken - (int64_t)(reader->input_end - reader->input_start));
    (void)hr_fail(err, HR_BAD_DATA, "%s is damaged near byte %lld (plain byte %lld): %s", reader->path, at,
                  (long long)reader->position, why);
    return hr_fail_hint(err, "test it with `%s -t`; the rows before the damage can be saved by unpacking it by hand",
                        reader->compression == HR_COMPRESSION_GZIP ? "gzip" : "zstd");
}

/* Zeros after the last member are padding, as gzip itself sees it. */
static bool is_padding(struct hr_reader *reader)
{
    while (reader->input_start < reader->input_end && reader->input[reader->input_start] == 0) {
        reader->input_start++;
    }
    return reader->input_start == reader->input_end;
}

/* One step: *made may be 0 although the end is not reached. */
static enum hr_status inflate_step(struct hr_reader *reader, void *data, size_t length, size_t *made,
                                   struct hr_error *err)
{
    z_stream *stream = &reader->gzip;
    *made = 0;
    if (!reader->inside) {
        if (reader->started && is_padding(reader)) {
            return HR_OK;
        }
        HR_ASSERT(inflateReset(stream) == Z_OK);
        reader->inside = reader->started = true;
    }
    unsigned room = length > UINT32_MAX / 2 ? UINT32_MAX / 2 : (unsigned)length;
    stream->next_in = (Bytef *)(reader->input + reader->input_start);
    stream->avail_in = (unsigned)(reader->input_end - reader->input_start);
    stream->next_out = data;
    stream->avail_out = room;
    int code = inflate(stream, Z_NO_FLUSH);
    reader->input_start = reader->input_end - stream->avail_in;
    *made = room - stream->avail_out;
    if (code == Z_STREAM_END) {
        reader->inside = false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return damaged(reader, stream->msg != NULL ? stream->msg : "not gzip data", err);
    }
    return HR_OK;
}

static enum hr_status zstd_step(struct hr_reader *reader, void *data, size_t length, size_t *made, struct hr_error *err)
{
    ZSTD_inBuffer input = {reader->input, reader->input_end, reader->input_start};
    ZSTD_outBuffer output = {data, length, 0};
    size_t code = ZSTD_decompressStream(reader->zstd, &output, &input);
    reader->input_start = input.pos;
    *made = output.pos;
    if (ZSTD_isError(code)) {
        return damaged(reader, ZSTD_getErrorName(code), err);
    }
    reader->inside = code != 0;
    return HR_OK;
}

static enum hr_status read_compressed(struct hr_reader *reader, char *data, size_t length, size_t *out_read,
                                      struct hr_error *err)
{
    *out_read = 0;
    if (HR_UNLIKELY(reader->broken)) {
        return damaged(reader, "nothing can be read after the damage", err);
    }
    while (*out_read < length) {
        HR_TRY(fill_input(reader, err));
        bool more_input = reader->input_start < reader->input_end;
        if (!more_input && !reader->inside) {
            return HR_OK;
        }
        size_t made = 0;
        HR_TRY(reader->compression == HR_COMPRESSION_GZIP
                   ? inflate_step(reader, data + *out_read, length - *out_read, &made, err)
                   : zstd_step(reader, data + *out_read, length - *out_read, &made, err));
        *out_read += made;
        reader->position += (int64_t)made;
        /* No input and no output: what is inside waits for bytes that do not come. */
        if (!more_input && made == 0 && reader->inside) {
            return *out_read > 0 ? HR_OK : damaged(reader, "the file ends too early", err);
        }
    }
    return HR_OK;
}

enum hr_status hr_reader_read(struct hr_reader *reader, void *data, size_t length, size_t *out_read,
                              struct hr_error *err)
{
    if (reader->compression != HR_COMPRESSION_NONE) {
        return read_compressed(reader, data, length, out_read, err);
    }
    HR_TRY(read_file(reader, data, length, out_read, err));
    reader->position += (int64_t)*out_read;
    return HR_OK;
}

static enum hr_status rewind_compressed(struct hr_reader *reader, struct hr_error *err)
{
    if (lseek(reader->fd, 0, SEEK_SET) < 0) {
        return hr_fail_errno(err, HR_IO, "%s cannot be read from its start again", reader->path);
    }
    reader->position = reader->taken = 0;
    reader->input_start = reader->input_end = 0;
    reader->input_over = reader->inside = reader->started = reader->broken = false;
    if (reader->zstd != NULL) {
        (void)ZSTD_DCtx_reset(reader->zstd, ZSTD_reset_session_only);
    }
    return HR_OK;
}

enum hr_status hr_reader_seek(struct hr_reader *reader, int64_t position, struct hr_error *err)
{
    if (reader->compression == HR_COMPRESSION_NONE) {
        if (lseek(reader->fd, position, SEEK_SET) < 0) {
            return hr_fail_errno(err, HR_IO, "%s: cannot go to byte %lld", reader->path, (long long)position);
        }
        reader->position = reader->taken = position;
        return HR_OK;
    }
    if (position < reader->position) {
        HR_TRY(rewind_compressed(reader, err));
    }
    char *plain HR_CLEANUP(hr_free_pointer) = hr_alloc(INPUT_SIZE);
    while (reader->position < position) {
        int64_t left = position - reader->position;
        size_t count = 0;
        HR_TRY(read_compressed(reader, plain, left < INPUT_SIZE ? (size_t)left : INPUT_SIZE, &count, err));
        if (count == 0) {
            return hr_fail(err, HR_BAD_DATA, "%s holds %lld bytes when unpacked; byte %lld was asked for", reader->path,
                           (long long)reader->position, (long long)position);
        }
    }
    return HR_OK;
}

static enum hr_status too_long(struct hr_error *err, const struct hr_buf *out)
{
    return hr_fail(err, HR_BAD_DATA, "compressed data is larger than the limit of %zu bytes", out->maximum);
}

static enum hr_status compress_gzip(const void *data, size_t length, struct hr_buf *out, struct hr_error *err)
{
    z_stream stream = {0};
    HR_ASSERT(deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    /* Time 0 and an unknown system: the bytes depend on the data alone. */
    gz_header header = {.os = 255};
    (void)deflateSetHeader(&stream, &header);
    size_t bound = deflateBound(&stream, length);
    char *room = hr_buf_reserve(out, bound);
    if (room == NULL) {
        (void)deflateEnd(&stream);
        return too_long(err, out);
    }
    size_t taken = 0;
    size_t made = 0;
    int code = Z_OK;
    while (code == Z_OK) {
        size_t in = length - taken > UINT32_MAX / 2 ? UINT32_MAX / 2 : length - taken;
        size_t space = bound - made > UINT32_MAX / 2 ? UINT32_MAX / 2 : bound - made;
        stream.next_in = (Bytef *)(uintptr_t)data + taken;
        stream.avail_in = (unsigned)in;
        stream.next_out = (Bytef *)room + made;
        stream.avail_out = (unsigned)space;
        code = deflate(&stream, taken + in == length ? Z_FINISH : Z_NO_FLUSH);
        taken += in - stream.avail_in;
        made += space - stream.avail_out;
    }
    (void)deflateEnd(&stream);
    HR_ASSERT(code == Z_STREAM_END);
    out->length += made;
    return HR_OK;
}

static enum hr_status compress_zstd(const void *data, size_t length, struct hr_buf *out, struct hr_error *err)
{
    size_t bound = ZSTD_compressBound(length);
    char *room = hr_buf_reserve(out, bound);
    if (room == NULL) {
        return too_long(err, out);
    }
    ZSTD_CCtx *context = ZSTD_createCCtx();
    HR_ASSERT(context != NULL);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t made = ZSTD_compress2(context, room, bound, data, length);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(made)) {
        return hr_fail(err, HR_BUG, "zstd: %s", ZSTD_getErrorName(made));
    }
    out->length += made;
    return HR_OK;
}

enum hr_status hr_compress(enum hr_compression compression, const void *data, size_t length, struct hr_buf *out,
                           struct hr_error *err)
{
    switch (compression) {
    case HR_COMPRESSION_GZIP:
        return compress_gzip(data, length, out, err);
    case HR_COMPRESSION_ZSTD:
        return compress_zstd(data, length, out, err);
    case HR_COMPRESSION_NONE:
        break;
    }
    hr_buf_append(out, data, length);
    return out->overflow ? too_long(err, out) : HR_OK;
}
