/* SPDX-License-Identifier: Apache-2.0
 *
 * The only file that calls malloc.
 */
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_NO_RESOURCES 71 /* EX_OSERR */

static uint64_t alloc_calls;

void hr_out_of_memory(const char *what)
{
    char text[512];
    int length =
        snprintf(text, sizeof(text),
                 "headrace: error: out of memory: %s\n  hint: give the process more (ulimit -v, ulimit -u, the "
                 "container's limits), or set maxRowsPerTrigger lower; then start again: nothing is lost\n",
                 what);
    /* Not by exit: handlers would need memory, and other threads are at work. What is on disk is as after a kill. */
    (void)!write(STDERR_FILENO, text, (size_t)length);
    _exit(EXIT_NO_RESOURCES);
}

static void *alloc_or_abort(void *pointer, size_t size)
{
    if (HR_UNLIKELY(pointer == NULL)) {
        char what[64];
        (void)snprintf(what, sizeof(what), "%zu bytes", size);
        hr_out_of_memory(what);
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
