/* SPDX-License-Identifier: Apache-2.0
 *
 * The only file that calls malloc.
 */
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t alloc_calls;

static void *alloc_or_abort(void *pointer, size_t size)
{
    if (HR_UNLIKELY(pointer == NULL)) {
        fprintf(stderr, "headrace: out of memory: %zu bytes\n", size);
        abort();
    }
    __atomic_fetch_add(&alloc_calls, 1, __ATOMIC_RELAXED);
    return pointer;
}

void *hr_alloc(size_t size)
{
    return alloc_or_abort(malloc(size > 0 ? size : 1), size);
}

void *hr_calloc(size_t count, size_t size)
{
    return alloc_or_abort(calloc(count > 0 ? count : 1, size > 0 ? size : 1), count * size);
}

void *hr_realloc_array(void *pointer, size_t count, size_t size)
{
    HR_ASSERT(size > 0);
    return alloc_or_abort(reallocarray(pointer, count > 0 ? count : 1, size), count * size);
}

char *hr_strdup(const char *text)
{
    return hr_strndup(text, strlen(text));
}

char *hr_strndup(const char *text, size_t length)
{
    char *copy = hr_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void hr_free(void *pointer)
{
    free(pointer);
}

void hr_free_pointer(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

uint64_t hr_alloc_count(void)
{
    return __atomic_load_n(&alloc_calls, __ATOMIC_RELAXED);
}

void hr_bug(const char *file, int line, const char *text)
{
    fprintf(stderr, "headrace: bug at %s:%d: %s\n", file, line, text);
    abort();
}
