/* SPDX-License-Identifier: Apache-2.0
 *
 * Binary form of everything we store: little-endian, a magic and a format version in front, CRC32C at the end. The
 * reader is bounds-checked and sticky: after the first bad read all further reads give zeros, and hr_wire_done() says
 * what went wrong. An unknown version is HR_CORRUPT with a hint to upgrade, never a guess.
 */
#ifndef HR_BASE_WIRE_H
#define HR_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* CRC-32C (Castagnoli), hardware where the processor has it; seed 0 for a new sum, or the sum so far. */
uint32_t hr_crc32c(uint32_t seed, const void *data, size_t length);
/* The same sum by tables, which hr_crc32c falls back to. */
uint32_t hr_crc32c_portable(uint32_t seed, const void *data, size_t length);

struct hr_wire_writer {
    struct hr_buf *buf;
    size_t start; /* where this document begins in buf */
};

/* magic: four characters naming the document. */
void hr_wire_begin(struct hr_wire_writer *writer, struct hr_buf *buf, const char magic[4], uint32_t version);
void hr_wire_put_u8(struct hr_wire_writer *writer, uint8_t value);
void hr_wire_put_u32(struct hr_wire_writer *writer, uint32_t value);
void hr_wire_put_u64(struct hr_wire_writer *writer, uint64_t value);
void hr_wire_put_i64(struct hr_wire_writer *writer, int64_t value);
void hr_wire_put_double(struct hr_wire_writer *writer, double value);
/* Length (u64) and bytes. */
void hr_wire_put_bytes(struct hr_wire_writer *writer, const void *data, size_t length);
void hr_wire_put_str(struct hr_wire_writer *writer, struct hr_str value);
/* Appends the CRC. */
void hr_wire_end(struct hr_wire_writer *writer);

struct hr_wire_reader {
    const uint8_t *data;
    size_t length;
    size_t position;
    uint32_t version;
    bool bad;
};

/* Checks magic, CRC and version <= version_max. what: for the message ("prepared batch 12"). */
enum hr_status hr_wire_open(struct hr_wire_reader *reader, const void *data, size_t length, const char magic[4],
                            uint32_t version_max, const char *what, struct hr_error *err);
uint8_t hr_wire_get_u8(struct hr_wire_reader *reader);
uint32_t hr_wire_get_u32(struct hr_wire_reader *reader);
uint64_t hr_wire_get_u64(struct hr_wire_reader *reader);
int64_t hr_wire_get_i64(struct hr_wire_reader *reader);
double hr_wire_get_double(struct hr_wire_reader *reader);
/* A view into the document. */
struct hr_str hr_wire_get_str(struct hr_wire_reader *reader);
/* HR_OK when every read was in bounds and nothing is left. */
enum hr_status hr_wire_done(const struct hr_wire_reader *reader, const char *what, struct hr_error *err);

#endif
