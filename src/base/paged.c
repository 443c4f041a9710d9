/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages come straight from the kernel: zeroed for free, and a large region can start on a huge-page boundary, which
 * saves most of the TLB misses of a hashed weight vector.
 */
#include "base/paged.h"

#include <sys/mman.h>

#include "base/alloc.h"

#define PAGED_HUGE_PAGE ((size_t)2 << 20)

void hr_paged_init(struct hr_paged *paged, size_t maximum)
{
    *paged = (struct hr_paged){.maximum = maximum};
}

void hr_paged_release(struct hr_paged *paged)
{
    if (paged->data != NULL) {
        (void)munmap(paged->data, paged->capacity);
    }
    hr_free(paged->dirty);
    hr_paged_init(paged, paged->maximum);
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* capacity bytes of zeros, NULL when the kernel has none. */
static uint8_t *map_pages(size_t capacity)
{
    bool huge = capacity >= PAGED_HUGE_PAGE;
    size_t mapped = huge ? capacity + PAGED_HUGE_PAGE : capacity;
    uint8_t *start = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    if (!huge) {
        return start;
    }
    uint8_t *aligned = (uint8_t *)round_up((size_t)start, PAGED_HUGE_PAGE);
    size_t before = (size_t)(aligned - start);
    if (before > 0) {
        (void)munmap(start, before);
    }
    if (mapped - before > capacity) {
        (void)munmap(aligned + capacity, mapped - before - capacity);
    }
    (void)madvise(aligned, capacity, MADV_HUGEPAGE);
    return aligned;
}

static enum hr_status grow(struct hr_paged *paged, size_t size, struct hr_error *err)
{
    size_t wanted = paged->capacity <= paged->maximum / 2 ? paged->capacity * 2 : paged->maximum;
    size_t capacity = round_up(size > wanted ? size : wanted, HR_PAGE_SIZE);
    if (capacity >= PAGED_HUGE_PAGE) {
        capacity = round_up(capacity, PAGED_HUGE_PAGE);
    }
    uint8_t *data = map_pages(capacity);
    if (data == NULL) {
        return hr_fail_errno(err, HR_BAD_DATA, "cannot get %zu bytes of memory", capacity);
    }
    if (paged->data != NULL) {
        memcpy(data, paged->data, paged->size);
        (void)munmap(paged->data, paged->capacity);
    }
    paged->data = data;
    paged->capacity = capacity;
    paged->dirty = hr_realloc_array(paged->dirty, capacity / HR_PAGE_SIZE, 1);
    return HR_OK;
}

enum hr_status hr_paged_resize(struct hr_paged *paged, size_t size, struct hr_error *err)
{
    if (size > paged->maximum) {
        return hr_fail(err, HR_BAD_DATA, "%zu bytes of state are more than the limit of %zu", size, paged->maximum);
    }
    if (size <= paged->size) {
        return HR_OK;
    }
    if (size > paged->capacity) {
        HR_TRY(grow(paged, size, err));
    }
    /* The page that was the last one counts as changed too: more of it is in use now. */
    size_t old = paged->size;
    paged->size = size;
    hr_paged_mark_range(paged, old, size - old);
    return HR_OK;
}

bool hr_paged_all_dirty(const struct hr_paged *paged)
{
    return paged->size > 0 && memchr(paged->dirty, 0, hr_paged_page_count(paged)) == NULL;
}

void hr_paged_clear_dirty(struct hr_paged *paged)
{
    if (paged->size > 0) {
        memset(paged->dirty, 0, hr_paged_page_count(paged));
    }
}

enum hr_status hr_paged_load(struct hr_paged *paged, size_t size_total, size_t page, const void *bytes, size_t length,
                             struct hr_error *err)
{
    if (page >= (size_total + HR_PAGE_SIZE - 1) / HR_PAGE_SIZE || length > HR_PAGE_SIZE) {
        return hr_fail(err, HR_CORRUPT, "page %zu with %zu bytes does not fit a region of %zu bytes", page, length,
                       size_total);
    }
    size_t start = page * HR_PAGE_SIZE;
    size_t room = size_total - start < HR_PAGE_SIZE ? size_total - start : HR_PAGE_SIZE;
    if (length > room) {
        return hr_fail(err, HR_CORRUPT, "page %zu with %zu bytes does not fit a region of %zu bytes", page, length,
                       size_total);
    }
    HR_TRY(hr_paged_resize(paged, size_total, err));
    memcpy(paged->data + start, bytes, length);
    memset(paged->data + start + length, 0, room - length);
    paged->dirty[page] = 0;
    return HR_OK;
}
