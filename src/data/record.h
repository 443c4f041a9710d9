/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw record as a source delivers it: bytes and where they came from. Bytes belong to the source's batch buffer and
 * live until the batch ends, or until all that is to be known of the record is elsewhere. Also the reject: why a record
 * did not become (or stay) a row. Reasons are a closed list; users see the names in dead letters and metrics.
 */
#ifndef HR_DATA_RECORD_H
#define HR_DATA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum hr_record_flags {
    HR_RECORD_HAS_KEY = 1,
    HR_RECORD_TOMBSTONE = 2, /* null value */
    HR_RECORD_HEADER = 4,    /* a CSV header line: sets the columns' order for the records after it, is no row */
    HR_RECORD_HAS_TIME = 8,
};

struct hr_record {
    struct hr_str value;
    struct hr_str key;
    struct hr_str origin;  /* topic, file path, "host:port" */
    struct hr_str headers; /* JSON object text, only with includeHeaders */
    int64_t offset;        /* Kafka offset, or byte offset in the (decompressed) file */
    int64_t line;          /* from 1, files only, else 0 */
    int64_t timestamp_us;
    int32_t partition; /* −1: none */
    uint32_t flags;
};

#define HR_REASONS(X) \
    X(EMPTY, "empty", "no bytes, or only white space") \
    X(MALFORMED, "malformed", "not well-formed JSON or CSV") \
    X(NOT_AN_OBJECT, "not_an_object", "well-formed JSON that is not one object") \
    X(TRAILING_BYTES, "trailing_bytes", "something follows the object") \
    X(INVALID_UTF8, "invalid_utf8", "bytes that are not UTF-8") \
    X(TOO_DEEP, "too_deep", "nested deeper than the limit") \
    X(TOO_LARGE, "too_large", "longer than the limit") \
    X(WRONG_TYPE, "wrong_type", "a value that its column's type cannot hold") \
    X(OUT_OF_RANGE, "out_of_range", "a number outside its column's range") \
    X(NULL_VALUE, "null_value", "null or missing in a column that is not nullable") \
    X(WRONG_FIELD_COUNT, "wrong_field_count", "a CSV record with too many or too few fields") \
    X(STAGE, "stage", "a stage could not transform the row") \
    X(MODEL, "model", "the model could not use the row") \
    X(TOMBSTONE, "tombstone", "a null value, with tombstones: deadLetter")

enum hr_reason {
#define HR_REASON_MEMBER(name, text, meaning) HR_REASON_##name,
    HR_REASONS(HR_REASON_MEMBER)
#undef HR_REASON_MEMBER
};

const char *hr_reason_name(enum hr_reason reason);
/* Where a record came from, for messages: "in/a.json:4", "clicks, partition 0, offset 7"; empty when not known. */
void hr_record_place(const struct hr_record *record, char *out, size_t size);

struct hr_reject {
    uint32_t record; /* index into the batch's records */
    enum hr_reason reason;
    const char *message; /* names field, column or stage, and the value, shortened; batch arena */
};

/* Grows in the batch arena. */
struct hr_rejects {
    struct hr_reject *items;
    size_t count;
    size_t capacity;
    struct hr_arena *arena;
};

struct hr_arena;
void hr_rejects_init(struct hr_rejects *rejects, struct hr_arena *arena);
/* message is formatted into the arena, at most 500 bytes. */
void hr_rejects_add(struct hr_rejects *rejects, uint32_t record, enum hr_reason reason, const char *format, ...)
    HR_PRINTF(4, 5);

#endif
