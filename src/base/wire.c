/* SPDX-License-Identifier: Apache-2.0
 *
 *     magic (4) | version u32 | values … | CRC32C of everything before u32
 *
 * Integers are copied as they lie in memory: all supported processors are little-endian, which is asserted below.
 * The sum stands last in every version, so it is checked before the version is looked at: a damaged version number is
 * told from a newer one.
 */
#include "base/wire.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire format is copied from memory");

#define WIRE_HEADER 8u
#define DAMAGED_HINT \
    "restore it from a copy, with all that lies beside it; docs/recovery.md says how to go on without one"
#define WIRE_TRAILER 4u

void hr_wire_begin(struct hr_wire_writer *writer, struct hr_buf *buf, const char magic[4], uint32_t version)
{
    *writer = (struct hr_wire_writer){.buf = buf, .start = buf->length};
    hr_buf_append(buf, magic, 4);
    hr_wire_put_u32(writer, version);
}

void hr_wire_put_u8(struct hr_wire_writer *writer, uint8_t value)
{
    hr_buf_append(writer->buf, &value, sizeof(value));
}

void hr_wire_put_u32(struct hr_wire_writer *writer, uint32_t value)
{
    hr_buf_append(writer->buf, &value, sizeof(value));
}

void hr_wire_put_u64(struct hr_wire_writer *writer, uint64_t value)
{
    hr_buf_append(writer->buf, &value, sizeof(value));
}

void hr_wire_put_i64(struct hr_wire_writer *writer, int64_t value)
{
    hr_buf_append(writer->buf, &value, sizeof(value));
}

void hr_wire_put_double(struct hr_wire_writer *writer, double value)
{
    hr_buf_append(writer->buf, &value, sizeof(value));
}

void hr_wire_put_bytes(struct hr_wire_writer *writer, const void *data, size_t length)
{
    hr_wire_put_u64(writer, length);
    hr_buf_append(writer->buf, data, length);
}

void hr_wire_put_str(struct hr_wire_writer *writer, struct hr_str value)
{
    hr_wire_put_bytes(writer, value.data, value.length);
}

void hr_wire_end(struct hr_wire_writer *writer)
{
    struct hr_buf *buf = writer->buf;
    if (!buf->overflow) {
        hr_wire_put_u32(writer, hr_crc32c(0, buf->data + writer->start, buf->length - writer->start));
    }
}

enum hr_status hr_wire_open(struct hr_wire_reader *reader, const void *data, size_t length, const char magic[4],
                            uint32_t version_max, const char *what, struct hr_error *err)
{
    const uint8_t *bytes = data;
    if (length < WIRE_HEADER + WIRE_TRAILER) {
        (void)hr_fail(err, HR_CORRUPT, "%s is damaged: %zu bytes are too few", what, length);
        return hr_fail_hint(err, DAMAGED_HINT);
    }
    if (memcmp(bytes, magic, 4) != 0) {
        (void)hr_fail(err, HR_CORRUPT, "%s is damaged or something else: it does not start with '%.4s'", what, magic);
        return hr_fail_hint(err, DAMAGED_HINT);
    }
    uint32_t version;
    uint32_t sum;
    memcpy(&version, bytes + 4, sizeof(version));
    memcpy(&sum, bytes + length - WIRE_TRAILER, sizeof(sum));
    uint32_t found = hr_crc32c(0, bytes, length - WIRE_TRAILER);
    if (found != sum) {
        (void)hr_fail(err, HR_CORRUPT, "%s is damaged: its checksum is %08x, its bytes give %08x", what, sum, found);
        return hr_fail_hint(err, DAMAGED_HINT);
    }
    if (version == 0 || version > version_max) {
        (void)hr_fail(err, HR_CORRUPT, "%s has format version %u, this program knows up to %u", what, version,
                      version_max);
        return hr_fail_hint(err, "it was written by a newer headrace: upgrade this one");
    }
    *reader = (struct hr_wire_reader){
        .data = bytes,
        .length = length - WIRE_TRAILER,
        .position = WIRE_HEADER,
        .version = version,
    };
    return HR_OK;
}

/* Copies the next bytes, or zeros from the first bad read on. */
static void take(struct hr_wire_reader *reader, void *out, size_t length)
{
    if (reader->bad || length > reader->length - reader->position) {
        reader->bad = true;
        memset(out, 0, length);
        return;
    }
    memcpy(out, reader->data + reader->position, length);
    reader->position += length;
}

uint8_t hr_wire_get_u8(struct hr_wire_reader *reader)
{
    uint8_t value;
    take(reader, &value, sizeof(value));
    return value;
}

uint32_t hr_wire_get_u32(struct hr_wire_reader *reader)
{
    uint32_t value;
    take(reader, &value, sizeof(value));
    return value;
}

uint64_t hr_wire_get_u64(struct hr_wire_reader *reader)
{
    uint64_t value;
    take(reader, &value, sizeof(value));
    return value;
}

int64_t hr_wire_get_i64(struct hr_wire_reader *reader)
{
    int64_t value;
    take(reader, &value, sizeof(value));
    return value;
}

double hr_wire_get_double(struct hr_wire_reader *reader)
{
    double value;
    take(reader, &value, sizeof(value));
    return value;
}

struct hr_str hr_wire_get_str(struct hr_wire_reader *reader)
{
    uint64_t length = hr_wire_get_u64(reader);
    if (reader->bad || length > reader->length - reader->position) {
        reader->bad = true;
        return (struct hr_str){"", 0};
    }
    struct hr_str value = {(const char *)reader->data + reader->position, length};
    reader->position += length;
    return value;
}

enum hr_status hr_wire_done(const struct hr_wire_reader *reader, const char *what, struct hr_error *err)
{
    if (reader->bad) {
        (void)hr_fail(err, HR_CORRUPT, "%s is damaged: it ends in the middle of a value", what);
        return hr_fail_hint(err, DAMAGED_HINT);
    }
    if (reader->position != reader->length) {
        (void)hr_fail(err, HR_CORRUPT, "%s is damaged: %zu bytes are left over", what,
                      reader->length - reader->position);
        return hr_fail_hint(err, DAMAGED_HINT);
    }
    return HR_OK;
}
