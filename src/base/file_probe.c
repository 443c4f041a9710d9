/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a directory keep what exactly-once delivery needs of it? The type of a file system does not tell: the same FUSE
 * or network mount can or cannot, as its options are. So it is tried, with the calls that a file sink makes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define FIRST "first"
#define SECOND "second, and longer"

struct probe {
    char *appended; /* paths of two hidden files */
    char *shown;
    int lock;
};

static void probe_release(struct probe *probe)
{
    if (probe->lock >= 0) {
        (void)close(probe->lock);
    }
    if (probe->shown != NULL) {
        (void)unlink(probe->appended);
        (void)unlink(probe->shown);
    }
    hr_free(probe->appended);
    hr_free(probe->shown);
}

static char *probe_path(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 1;
    char *path = hr_alloc(size);
    (void)snprintf(path, size, "%s%s", directory, name);
    return path;
}

/* Names that nobody else has, for the directory may be shared, or be one that everybody may write to. */
static enum hr_status probe_make(struct probe *probe, const char *directory, struct hr_error *err)
{
    probe->appended = probe_path(directory, "/.headrace-probe-XXXXXX");
    int fd = mkostemp(probe->appended, O_CLOEXEC);
    if (fd < 0) {
        return hr_fail_errno(err, HR_CANNOT_CREATE, "%s: cannot create a file", directory);
    }
    (void)close(fd);
    probe->shown = probe_path(probe->appended, ".shown");
    return HR_OK;
}

/* Is the file what was renamed, all of it? A mount that renames by copying may show less. */
static enum hr_status check_shown(const struct probe *probe, struct hr_error *err)
{
    struct hr_buf found HR_CLEANUP(hr_buf_release);
    hr_buf_init(&found, 4096);
    HR_TRY(hr_file_read(probe->shown, 4096, &found, err));
    if (!hr_str_equal(hr_buf_str(&found), HR_STR(SECOND))) {
        return hr_fail(err, HR_CANNOT_CREATE, "%s: a rename did not replace it", probe->shown);
    }
    return HR_OK;
}

/* A lock, and a line at the end of what is there: what a manifest takes. */
static enum hr_status try_append(struct probe *probe, struct hr_error *err)
{
    HR_TRY(hr_file_lock(probe->appended, &probe->lock, err));
    for (int i = 0; i < 2; i++) {
        int fd = open(probe->appended, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0) {
            return hr_fail_errno(err, HR_CANNOT_CREATE, "%s: cannot open it to append", probe->appended);
        }
        enum hr_status status = hr_file_write_all(fd, probe->appended, FIRST, strlen(FIRST), err);
        if (status == HR_OK && fdatasync(fd) != 0) {
            status = hr_fail_errno(err, HR_IO, "%s: cannot sync", probe->appended);
        }
        (void)close(fd);
        HR_TRY(status);
    }
    return HR_OK;
}

/* Twice: to a new name, as a part is shown, and over one that is there, as a manifest is replaced. */
static enum hr_status try_rename(const struct probe *probe, struct hr_error *err)
{
    HR_TRY(hr_file_write_atomic(probe->shown, FIRST, strlen(FIRST), err));
    HR_TRY(hr_file_write_atomic(probe->shown, SECOND, strlen(SECOND), err));
    return check_shown(probe, err);
}

enum hr_status hr_file_probe(const char *directory, struct hr_error *err)
{
    struct probe probe HR_CLEANUP(probe_release) = {.lock = -1};
    HR_TRY(probe_make(&probe, directory, err));
    HR_TRY(try_append(&probe, err));
    return try_rename(&probe, err);
}
