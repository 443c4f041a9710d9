/* SPDX-License-Identifier: Apache-2.0
 *
 * How a checkpoint is laid out in its store. Keys sort in byte order; numbers in keys are big-endian.
 *
 *     a <batch:8>            again: the record of a prepared batch that was dropped, until the batch is prepared anew
 *     c                      committed batch and the chain's sum at it
 *     d <batch:8>            delta: which pages the batch wrote, and which version each superseded
 *     m                      meta: lineage, identity
 *     p <part> 00 <page:4> <batch:8>   page, trailing zeros left out, then CRC32C of bytes and key
 *     r <batch:8>            batch record: the caller's record, delta CRC, table of all parts
 *
 * All values but pages are wire documents. A page that holds only zeros and has no older version is not stored.
 *
 * Each record carries the chain's sum of the record before it, and `c` the sum of the committed one, so that a record
 * that is lost or from another time is noticed. The part table has for each part the sum of a hash of (page, version,
 * CRC) over its live pages: a lost or stale page is noticed when the part is loaded, though every page that is there is
 * whole.
 */
#ifndef HR_STATE_CHECKPOINT_FORMAT_H
#define HR_STATE_CHECKPOINT_FORMAT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#define HR_PART_NAME_MAX 200u
/* 'p', name, 0, page, batch */
#define HR_PAGE_KEY_MAX (1 + HR_PART_NAME_MAX + 1 + 4 + 8)
#define HR_BATCH_KEY_LENGTH 9u
#define HR_KEY_COMMITTED HR_STR("c")
#define HR_KEY_META HR_STR("m")
#define HR_KEY_TAKEN_OVER HR_STR("t")
/* No value is longer. */
#define HR_STATE_VALUE_MAX ((size_t)1 << 31)

struct hr_part_entry {
    struct hr_str name;
    uint64_t size;  /* of the region, bytes */
    uint64_t pages; /* stored pages that are live */
    uint64_t sum;   /* of hr_page_hash over them, modulo 2^64 */
};

/* Sorted by name. */
struct hr_part_table {
    struct hr_part_entry *items;
    size_t count;
};

struct hr_batch_entry {
    int64_t batch;
    uint32_t previous_chain;
    uint32_t delta_crc;
    uint32_t chain; /* at this record; computed, not stored in it */
    struct hr_str record;
    struct hr_part_table parts;
};

/* One page of a delta. */
struct hr_delta_page {
    uint32_t page;
    int64_t superseded; /* version that it replaces, −1: none */
};

/* Pages that a batch wrote to one part. */
struct hr_delta_part {
    struct hr_str name;
    struct hr_delta_page *pages;
    size_t count;
};

struct hr_delta {
    struct hr_delta_part *parts;
    size_t count;
};

/* kind 'a', 'd' or 'r'; out has HR_BATCH_KEY_LENGTH bytes. */
struct hr_str hr_key_batch(char kind, int64_t batch, char *out);
/* out has HR_PAGE_KEY_MAX bytes. */
struct hr_str hr_key_page(struct hr_str part, uint32_t page, int64_t batch, char *out);
/* What all pages of a part begin with. */
struct hr_str hr_key_part(struct hr_str part, char *out);
/* HR_CORRUPT when the key has not the form. part is a view into key. */
enum hr_status hr_key_parse_page(struct hr_str key, struct hr_str *part, uint32_t *page, int64_t *batch,
                                 struct hr_error *err);
enum hr_status hr_key_parse_batch(struct hr_str key, int64_t *batch, struct hr_error *err);

/* Length without trailing zero bytes. */
size_t hr_page_trim(const uint8_t *bytes, size_t length);
/* The CRC stored behind a page: content_crc continued over the key, so that pages cannot change places. */
uint32_t hr_page_crc(uint32_t content_crc, struct hr_str key);
/* Checks and takes off the CRC. */
enum hr_status hr_page_open(struct hr_str key, struct hr_str value, struct hr_str *bytes, uint32_t *crc,
                            struct hr_error *err);
uint64_t hr_page_hash(uint32_t page, int64_t batch, uint32_t crc);

struct hr_part_entry *hr_part_table_find(const struct hr_part_table *table, struct hr_str name);

/* Encoders append one document to out; decoders copy into arena, so that nothing points into the document. */
void hr_batch_entry_encode(const struct hr_batch_entry *entry, struct hr_buf *out);
enum hr_status hr_batch_entry_decode(struct hr_str value, int64_t batch, struct hr_arena *arena,
                                     struct hr_batch_entry *out, struct hr_error *err);
void hr_delta_encode(const struct hr_delta *delta, int64_t batch, struct hr_buf *out);
enum hr_status hr_delta_decode(struct hr_str value, int64_t batch, struct hr_arena *arena, struct hr_delta *out,
                               struct hr_error *err);
void hr_committed_encode(int64_t batch, uint32_t chain, struct hr_buf *out);
enum hr_status hr_committed_decode(struct hr_str value, int64_t *batch, uint32_t *chain, struct hr_error *err);
void hr_meta_encode(const char *lineage, struct hr_str identity, struct hr_buf *out);
/* identity: appended. */
enum hr_status hr_meta_decode(struct hr_str value, char lineage[37], struct hr_buf *identity, struct hr_error *err);

#endif
