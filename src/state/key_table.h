/* SPDX-License-Identifier: Apache-2.0
 *
 * State by key: an open-addressing table from keys (bytes, or longs) to values of one fixed size, in paged memory, so
 * that a checkpoint stores the pages that a batch touched and no others.
 *
 *     hr_key_table_enter(&table, keys, count, values, &err);     a batch at a time: the memory's latency is shared
 *     for each row: ((struct my_state *)values[row])->count++;
 *
 * A new key's value is all zeros. All that it is lies in `slots` and `keys`: when both are saved and loaded, page by
 * page, hr_key_table_loaded makes the same table of them, and what follows is the same bytes. Nothing is ever removed.
 * Thread: the query's.
 */
#ifndef HR_STATE_KEY_TABLE_H
#define HR_STATE_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/paged.h"
#include "base/status.h"
#include "base/str.h"

struct hr_key_table {
    struct hr_paged slots; /* a header, then the slots: hash, length, a short key itself, value */
    struct hr_paged keys;  /* long keys, one after the other */
    size_t value_size;
    size_t stride;     /* of a slot */
    size_t slot_count; /* a power of two; 0: nothing was entered yet */
    unsigned shift;    /* of a hash, to the number of its first slot */
    size_t count;
    uint64_t hash_mask; /* all ones; a test leaves few, so that keys collide */
};

/* maximum: bytes of each of the two regions. Values are aligned to 8 bytes. */
void hr_key_table_init(struct hr_key_table *table, size_t value_size, size_t maximum);
void hr_key_table_release(struct hr_key_table *table);
/* out[i]: where the value of keys[i] is, made where the key is new; counts as changed. Good until the next enter. The
 * same key may come several times. On HR_BAD_DATA (too large) nothing was entered. */
enum hr_status hr_key_table_enter(struct hr_key_table *table, const struct hr_str *keys, size_t count, void **out,
                                  struct hr_error *err);
/* The same for longs; a table has keys of one kind. */
enum hr_status hr_key_table_enter_longs(struct hr_key_table *table, const int64_t *keys, size_t count, void **out,
                                        struct hr_error *err);
/* NULL: no such key. */
const void *hr_key_table_find(const struct hr_key_table *table, struct hr_str key);
/* The keys in the order of their slots: *slot begins with 0; false: there are no more. A long is its eight bytes. */
bool hr_key_table_next(const struct hr_key_table *table, size_t *slot, struct hr_str *key, const void **value);
/* After the pages of both regions were loaded into a table of init: HR_CORRUPT where they are no table, HR_MISMATCH
 * where its values have another size. */
enum hr_status hr_key_table_loaded(struct hr_key_table *table, struct hr_error *err);

#endif
