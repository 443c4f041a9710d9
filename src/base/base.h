/* SPDX-License-Identifier: Apache-2.0
 *
 * Macros that every file may use: attributes, array length, container_of, assertions. No types, no functions with a
 * domain meaning. Assertions stay on in release builds: a broken invariant must stop the process before it can write
 * anything, and the tested way back is to restart from the checkpoint.
 */
#ifndef HR_BASE_BASE_H
#define HR_BASE_BASE_H

#include <stddef.h>

#define HR_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#define HR_NODISCARD __attribute__((warn_unused_result))
#define HR_CLEANUP(function) __attribute__((cleanup(function), unused))
#define HR_UNUSED __attribute__((unused))
#define HR_COLD __attribute__((cold, noinline))
#define HR_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define HR_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define HR_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define hr_container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* A programmer's error: prints file, line and text on standard error and aborts. */
#define HR_PANIC(text) hr_bug(__FILE__, __LINE__, text)
#define HR_ASSERT(condition) \
    do { \
        if (HR_UNLIKELY(!(condition))) { \
            hr_bug(__FILE__, __LINE__, #condition); \
        } \
    } while (0)

void hr_bug(const char *file, int line, const char *text) __attribute__((noreturn, cold));

#endif
