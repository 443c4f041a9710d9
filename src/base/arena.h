/* SPDX-License-Identifier: Apache-2.0
 *
 * Bump arena: memory with one life span. Three exist: the process, a query (freed at its stop) and a batch or chunk
 * (reset, not freed, so that a warmed-up arena never calls malloc). An arena is used by one thread at a time.
 */
#ifndef HR_BASE_ARENA_H
#define HR_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/base.h"

struct hr_arena_block;

struct hr_arena {
    struct hr_arena_block *first;
    struct hr_arena_block *current;
    char *next;         /* first free byte of current */
    char *end;          /* end of current */
    size_t block_size;  /* size of a new block, bytes */
    size_t total_bytes; /* of all blocks, for memory reports */
};

/* block_size 0: 64 KiB. Nothing is allocated before the first use. */
void hr_arena_init(struct hr_arena *arena, size_t block_size);
/* Frees everything; the arena may be used again. */
void hr_arena_release(struct hr_arena *arena);
/* Forgets everything that was allocated and keeps the memory. */
void hr_arena_reset(struct hr_arena *arena);
/* size bytes, aligned to 64 when size >= 64, else to 16; not zeroed; never NULL, also for size 0. */
void *hr_arena_alloc(struct hr_arena *arena, size_t size) __attribute__((alloc_size(2), returns_nonnull));
void *hr_arena_calloc(struct hr_arena *arena, size_t count, size_t size);
char *hr_arena_strdup(struct hr_arena *arena, const char *text);
char *hr_arena_strndup(struct hr_arena *arena, const char *text, size_t length);
char *hr_arena_printf(struct hr_arena *arena, const char *format, ...) HR_PRINTF(2, 3);
char *hr_arena_vprintf(struct hr_arena *arena, const char *format, va_list arguments) HR_PRINTF(2, 0);

#define hr_arena_new(arena, type) ((type *)hr_arena_calloc(arena, 1, sizeof(type)))
#define hr_arena_array(arena, count, type) ((type *)hr_arena_alloc(arena, (size_t)(count) * sizeof(type)))

#endif
