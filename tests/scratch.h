/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory that lives as long as the test program, and files in it as text.
 */
#ifndef HR_TESTS_SCRATCH_H
#define HR_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"

static char scratch_root[32];

static inline int scratch_remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void scratch_remove(const char *path)
{
    nftw(path, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_remove_root(void)
{
    scratch_remove(scratch_root);
}

/* The path of a name in the directory, which is made by the first call; one of eight rotating buffers. */
HR_PRINTF(1, 2) static inline const char *scratch_path(const char *format, ...)
{
    static char paths[8][512];
    static unsigned next;
    if (scratch_root[0] == 0) {
        strcpy(scratch_root, "/tmp/headrace-test-XXXXXX");
        if (mkdtemp(scratch_root) == NULL) {
            abort();
        }
        atexit(scratch_remove_root);
    }
    char *path = paths[next++ % HR_ARRAY_LEN(paths)];
    int length = snprintf(path, sizeof(paths[0]), "%s/", scratch_root);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path + length, sizeof(paths[0]) - (size_t)length, format, arguments);
    va_end(arguments);
    return path;
}

static inline void scratch_write(const char *path, const void *data, size_t length, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (file == NULL || fwrite(data, 1, length, file) != length || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

static inline void scratch_write_text(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text), "w");
}

/* The bytes of a file, terminated, to be freed with hr_free; NULL: there is none. */
static inline char *scratch_read(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    *length = 0;
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        return NULL;
    }
    char *data = hr_calloc(1, (size_t)status.st_size + 1);
    *length = fread(data, 1, (size_t)status.st_size, file);
    fclose(file);
    return data;
}

#endif
