/* SPDX-License-Identifier: Apache-2.0
 *
 * Paged memory: one contiguous, growable, zeroed region whose 4 KiB pages remember whether they changed since the last
 * checkpoint. Everything that must survive a crash bit for bit (weights, centres, scaler and metric state) lives in
 * such a region, so that saving it is copying dirty pages and the cost of a checkpoint is what changed. Large regions
 * are aligned to and advised for huge pages. The address is stable until a resize. Thread: the query's.
 */
#ifndef HR_BASE_PAGED_H
#define HR_BASE_PAGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

#define HR_PAGE_SIZE 4096u

struct hr_paged {
    uint8_t *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes, a multiple of HR_PAGE_SIZE */
    uint8_t *dirty;  /* one byte a page */
    size_t maximum;  /* bytes */
};

void hr_paged_init(struct hr_paged *paged, size_t maximum);
void hr_paged_release(struct hr_paged *paged);
/* Grows (zeroed, dirty) or keeps; never shrinks. HR_BAD_DATA past the maximum. data may move. */
enum hr_status hr_paged_resize(struct hr_paged *paged, size_t size, struct hr_error *err);
static inline size_t hr_paged_page_count(const struct hr_paged *paged)
{
    return (paged->size + HR_PAGE_SIZE - 1) / HR_PAGE_SIZE;
}
static inline void hr_paged_mark(struct hr_paged *paged, size_t offset)
{
    paged->dirty[offset / HR_PAGE_SIZE] = 1;
}
static inline void hr_paged_mark_range(struct hr_paged *paged, size_t offset, size_t length)
{
    if (length > 0) {
        memset(paged->dirty + offset / HR_PAGE_SIZE, 1,
               (offset + length - 1) / HR_PAGE_SIZE - offset / HR_PAGE_SIZE + 1);
    }
}
/* True when there is no page left to mark. */
bool hr_paged_all_dirty(const struct hr_paged *paged);
/* After a delta was taken. */
void hr_paged_clear_dirty(struct hr_paged *paged);
/* Loads a page from a checkpoint, growing as needed; the page is clean afterwards. size_total: the region's size. */
enum hr_status hr_paged_load(struct hr_paged *paged, size_t size_total, size_t page, const void *bytes, size_t length,
                             struct hr_error *err);

#endif
