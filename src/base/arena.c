/* SPDX-License-Identifier: Apache-2.0
 *
 * Bump arena over a list of blocks. A reset keeps all blocks and starts again at the first, so a batch that needs as
 * much as the one before it allocates nothing. Under AddressSanitizer what is not handed out is poisoned, and there is
 * a gap behind each allocation, so that reading past one or after a reset is seen as with malloc.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

struct hr_arena_block {
    struct hr_arena_block *next;
    size_t size;
};

#define ARENA_BLOCK_DEFAULT 65536u
/* Room for the header that keeps the first allocation aligned to 64. */
#define ARENA_HEADER 64u

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_POISON
#endif
#endif
#if defined(ARENA_POISON) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define ARENA_GAP 16u
#else
#define ARENA_GAP 0u
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

void hr_arena_init(struct hr_arena *arena, size_t block_size)
{
    *arena = (struct hr_arena){.block_size = block_size > 0 ? block_size : ARENA_BLOCK_DEFAULT};
}

void hr_arena_release(struct hr_arena *arena)
{
    struct hr_arena_block *block = arena->first;
    while (block != NULL) {
        struct hr_arena_block *next = block->next;
        hr_free(block);
        block = next;
    }
    hr_arena_init(arena, arena->block_size);
}

static void arena_enter(struct hr_arena *arena, struct hr_arena_block *block)
{
    arena->current = block;
    uintptr_t start = ((uintptr_t)block + sizeof(*block) + ARENA_HEADER - 1) & ~(uintptr_t)(ARENA_HEADER - 1);
    arena->next = (char *)start;
    arena->end = (char *)block + block->size - ARENA_GAP;
    ASAN_POISON_MEMORY_REGION(arena->next, (size_t)(arena->end - arena->next) + ARENA_GAP);
}

void hr_arena_reset(struct hr_arena *arena)
{
    for (struct hr_arena_block *block = arena->first; ARENA_GAP > 0 && block != NULL; block = block->next) {
        ASAN_POISON_MEMORY_REGION(block + 1, block->size - sizeof(*block));
    }
    if (arena->first != NULL) {
        arena_enter(arena, arena->first);
    }
}

static HR_COLD void *arena_grow(struct hr_arena *arena, size_t size, size_t alignment)
{
    struct hr_arena_block *block = arena->current != NULL ? arena->current->next : arena->first;
    size_t needed = size + alignment + sizeof(struct hr_arena_block) + ARENA_HEADER + ARENA_GAP;
    HR_ASSERT(needed > size);
    if (block == NULL || block->size < needed) {
        size_t block_size = needed > arena->block_size ? needed : arena->block_size;
        struct hr_arena_block *made = hr_alloc(block_size);
        made->size = block_size;
        made->next = block;
        if (arena->current != NULL) {
            arena->current->next = made;
        } else {
            arena->first = made;
        }
        arena->total_bytes += block_size;
        block = made;
    }
    arena_enter(arena, block);
    return hr_arena_alloc(arena, size);
}

void *hr_arena_alloc(struct hr_arena *arena, size_t size)
{
    size_t alignment = size >= 64 ? 64 : 16;
    uintptr_t start = ((uintptr_t)arena->next + alignment - 1) & ~(uintptr_t)(alignment - 1);
    if (HR_UNLIKELY(arena->next == NULL || start > (uintptr_t)arena->end || size > (uintptr_t)arena->end - start)) {
        return arena_grow(arena, size, alignment);
    }
    arena->next = (char *)(start + size + ARENA_GAP);
    ASAN_UNPOISON_MEMORY_REGION((void *)start, size);
    return (void *)start;
}

void *hr_arena_calloc(struct hr_arena *arena, size_t count, size_t size)
{
    HR_ASSERT(size == 0 || count <= SIZE_MAX / size);
    void *memory = hr_arena_alloc(arena, count * size);
    memset(memory, 0, count * size);
    return memory;
}

char *hr_arena_strdup(struct hr_arena *arena, const char *text)
{
    return hr_arena_strndup(arena, text, strlen(text));
}

char *hr_arena_strndup(struct hr_arena *arena, const char *text, size_t length)
{
    char *copy = hr_arena_alloc(arena, length + 1);
    if (length > 0) {
        memcpy(copy, text, length);
    }
    copy[length] = '\0';
    return copy;
}

char *hr_arena_vprintf(struct hr_arena *arena, const char *format, va_list arguments)
{
    va_list measured;
    va_copy(measured, arguments);
    int length = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    HR_ASSERT(length >= 0);
    char *text = hr_arena_alloc(arena, (size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

char *hr_arena_printf(struct hr_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = hr_arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}
