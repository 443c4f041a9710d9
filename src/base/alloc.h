/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocate or end the process. Every size that a user controls has a limit in an option table before it gets here, so
 * running out of memory means a bug or a full machine; the way back is the checkpoint. Counts calls, so that a test can
 * prove that the record path allocates nothing. Thread: any.
 */
#ifndef HR_BASE_ALLOC_H
#define HR_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

void *hr_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
/* Zeroed; ends the process when count * size overflows. */
void *hr_calloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
/* Resizes to count * size bytes; pointer may be NULL. */
void *hr_realloc_array(void *pointer, size_t count, size_t size) HR_NODISCARD;
char *hr_strdup(const char *text);
char *hr_strndup(const char *text, size_t length);
/* NULL is allowed. */
void hr_free(void *pointer);
/* For HR_CLEANUP: frees what the pointed-to pointer points to. */
void hr_free_pointer(void *pointer_to_pointer);
/* Says what could not be had and what to do, and ends the process with 71, also for libraries below and for threads. */
void hr_out_of_memory(const char *what) __attribute__((noreturn, cold));
/* From now on an exception of a C++ library that nobody takes ends the process so, when it is about memory or threads.
 */
void hr_out_of_memory_in_libraries(void);
/* Allocations since the start of the process, all threads. */
uint64_t hr_alloc_count(void);

#ifdef __cplusplus
}
#endif

#endif
