/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts what the record path allocates: this program's malloc and its relatives stand before glibc's, so that calls of
 * libraries count too.
 */
#include <errno.h>
#include <stdlib.h>

#include "click_path.h"
#include "gates.h"

#define CHUNKS 20

static uint64_t calls;

/* glibc's own, under the names that it keeps for this. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void count_call(void)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

static void *counted_malloc(size_t size)
{
    count_call();
    return __libc_malloc(size);
}

static void *counted_calloc(size_t count, size_t size)
{
    count_call();
    return __libc_calloc(count, size);
}

static void *counted_realloc(void *pointer, size_t size)
{
    count_call();
    return __libc_realloc(pointer, size);
}

static void *counted_reallocarray(void *pointer, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return counted_realloc(pointer, bytes);
}

static void *counted_aligned_alloc(size_t alignment, size_t size)
{
    count_call();
    return __libc_memalign(alignment, size);
}

static int counted_posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = counted_aligned_alloc(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

/* The names that all others call. */
#define ALIAS(function) __attribute__((alias(#function)))
void *malloc(size_t size) ALIAS(counted_malloc);
void *calloc(size_t count, size_t size) ALIAS(counted_calloc);
void *realloc(void *pointer, size_t size) ALIAS(counted_realloc);
void *reallocarray(void *pointer, size_t count, size_t size) ALIAS(counted_reallocarray);
void *aligned_alloc(size_t alignment, size_t size) ALIAS(counted_aligned_alloc);
int posix_memalign(void **out, size_t alignment, size_t size) ALIAS(counted_posix_memalign);

uint64_t gate_allocations(int planted)
{
    static struct click_path path;
    click_path_open(&path, (size_t)CHUNKS * HR_CHUNK_ROWS, true);
    /* The first chunks make the arena's blocks and the scratch of stages and model; a user that is met again costs
     * nothing more. */
    click_path_batch(&path);
    uint64_t before = calls;
    for (int i = 0; i < 2; i++) {
        click_path_batch(&path);
        void *plant = planted ? malloc(16) : NULL;
        gate_keep((uint64_t)(uintptr_t)plant);
        free(plant);
    }
    uint64_t allocations = calls - before;
    click_path_close(&path);
    return allocations;
}
