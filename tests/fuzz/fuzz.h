/* SPDX-License-Identifier: Apache-2.0
 *
 * What fuzz targets share. Each target is one file with LLVMFuzzerTestOneInput; libFuzzer's main calls it in the preset
 * `fuzz`, replay.c over the stored inputs in all others. A target aborts when something is wrong that a sanitizer would
 * not see.
 */
#ifndef HR_TESTS_FUZZ_H
#define HR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a file that has no name, for what reads files. One at a time; the path stays the same. */
const char *fuzz_file(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

#endif
