/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX files with the syncs in the right order: data before the name, the name before success is told.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static void close_descriptor(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

/* Which status an errno of open, mkdir or rename asks for. */
static enum hr_status open_status(int number)
{
    switch (number) {
    case EACCES:
    case EPERM:
        return HR_PERMISSION;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EROFS:
        return HR_CANNOT_CREATE;
    default:
        return HR_IO;
    }
}

/* Reads until the end or one byte more than allowed. */
static enum hr_status read_to_end(int fd, const char *path, size_t maximum, struct hr_buf *out, struct hr_error *err)
{
    for (;;) {
        char *to = hr_buf_reserve(out, 1);
        if (to == NULL) {
            return hr_fail(err, HR_BAD_DATA, "%s: larger than the limit of %zu bytes", path, out->maximum);
        }
        ssize_t got = read(fd, to, out->capacity - out->length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return hr_fail_errno(err, errno == EISDIR ? HR_NO_INPUT : HR_IO, "%s: cannot read", path);
        }
        if (got == 0) {
            return HR_OK;
        }
        out->length += (size_t)got;
        if (out->length > maximum) {
            return hr_fail(err, HR_BAD_DATA, "%s: larger than the limit of %zu bytes", path, maximum);
        }
    }
}

enum hr_status hr_file_read(const char *path, size_t maximum, struct hr_buf *out, struct hr_error *err)
{
    HR_CLEANUP(close_descriptor) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        enum hr_status status = open_status(errno);
        return hr_fail_errno(err, status == HR_CANNOT_CREATE ? HR_NO_INPUT : status, "%s: cannot open", path);
    }
    hr_buf_clear(out);
    enum hr_status status = read_to_end(fd, path, maximum, out, err);
    if (status != HR_OK) {
        hr_buf_clear(out);
    }
    return status;
}

enum hr_status hr_file_write_all(int fd, const char *path, const void *data, size_t length, struct hr_error *err)
{
    const char *next = data;
    while (length > 0) {
        ssize_t written = write(fd, next, length);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return hr_fail_errno(err, HR_IO, "%s: cannot write", path);
        }
        next += written;
        length -= (size_t)written;
    }
    return HR_OK;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static enum hr_status write_synced(const char *path, const void *data, size_t length, struct hr_error *err)
{
    HR_CLEANUP(close_descriptor) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return hr_fail_errno(err, open_status(errno), "%s: cannot create", path);
    }
    HR_TRY(hr_file_write_all(fd, path, data, length, err));
    if (fdatasync(fd) != 0) {
        return hr_fail_errno(err, HR_IO, "%s: cannot sync", path);
    }
    int closing = fd;
    fd = -1;
    if (close(closing) != 0) {
        return hr_fail_errno(err, HR_IO, "%s: cannot close", path);
    }
    return HR_OK;
}

/* The directory part with its slash, as a length: 0 when there is none. */
static size_t directory_length(const char *path)
{
    return (size_t)(last_part(path) - path);
}

static enum hr_status sync_directory_of(const char *path, struct hr_error *err)
{
    size_t length = directory_length(path);
    HR_CLEANUP(hr_free_pointer) char *directory = length > 0 ? hr_strndup(path, length) : hr_strdup(".");
    return hr_file_sync_directory(directory, err);
}

enum hr_status hr_file_write_atomic(const char *path, const void *data, size_t length, struct hr_error *err)
{
    struct hr_buf name;
    hr_buf_init(&name, strlen(path) + 16);
    hr_buf_printf(&name, "%.*s.%s.tmp", (int)directory_length(path), path, last_part(path));
    HR_CLEANUP(hr_free_pointer) char *temporary = hr_strdup(hr_buf_text(&name));
    hr_buf_release(&name);
    enum hr_status status = write_synced(temporary, data, length, err);
    if (status == HR_OK && rename(temporary, path) != 0) {
        status = hr_fail_errno(err, open_status(errno), "%s: cannot rename to %s", temporary, path);
    }
    if (status != HR_OK) {
        (void)unlink(temporary);
        return status;
    }
    return sync_directory_of(path, err);
}

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* One level; a directory that is there is fine, one that was made is made to last. */
static enum hr_status make_one(const char *path, struct hr_error *err)
{
    if (mkdir(path, 0777) == 0) {
        HR_CLEANUP(hr_free_pointer) char *copy = hr_strdup(path);
        for (size_t length = strlen(copy); length > 1 && copy[length - 1] == '/'; length--) {
            copy[length - 1] = '\0';
        }
        return sync_directory_of(copy, err);
    }
    int number = errno;
    if (is_directory(path)) {
        return HR_OK;
    }
    errno = number;
    if (number == EEXIST) {
        return hr_fail(err, HR_CANNOT_CREATE, "%s: is in the way and not a directory", path);
    }
    return hr_fail_errno(err, HR_CANNOT_CREATE, "%s: cannot make the directory", path);
}

static enum hr_status make_all(const char *path, struct hr_error *err)
{
    HR_CLEANUP(hr_free_pointer) char *partial = hr_strdup(path);
    for (char *slash = strchr(partial + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        HR_TRY(make_one(partial, err));
        *slash = '/';
    }
    return make_one(partial, err);
}

enum hr_status hr_file_make_directory(const char *path, struct hr_error *err)
{
    if (is_directory(path)) {
        return HR_OK;
    }
    if (path[0] == '\0') {
        return hr_fail(err, HR_CANNOT_CREATE, "a directory needs a name");
    }
    if (make_all(path, err) == HR_OK) {
        return HR_OK;
    }
    (void)hr_fail_context(err, "directory '%s'", path);
    return err->hint[0] != '\0' ? err->status : hr_fail_hint(err, "name a directory that this user may make and write");
}

enum hr_status hr_file_sync_directory(const char *path, struct hr_error *err)
{
    HR_CLEANUP(close_descriptor) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return hr_fail_errno(err, open_status(errno), "%s: cannot open the directory", path);
    }
    if (fsync(fd) != 0) {
        return hr_fail_errno(err, HR_IO, "%s: cannot sync the directory", path);
    }
    return HR_OK;
}

bool hr_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *hr_file_join(struct hr_arena *arena, const char *directory, const char *name)
{
    if (name[0] == '/' || directory[0] == '\0' || strcmp(directory, ".") == 0) {
        return hr_arena_strdup(arena, name);
    }
    const char *slash = directory[strlen(directory) - 1] == '/' ? "" : "/";
    return hr_arena_printf(arena, "%s%s%s", directory, slash, name);
}

char *hr_file_directory(struct hr_arena *arena, const char *path)
{
    size_t length = directory_length(path);
    if (length == 0) {
        return hr_arena_strdup(arena, ".");
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return hr_arena_strndup(arena, path, length);
}

enum hr_status hr_file_lock(const char *path, int *out_fd, struct hr_error *err)
{
    *out_fd = -1;
    HR_CLEANUP(close_descriptor) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        return hr_fail_errno(err, open_status(errno), "%s: cannot open the lock file", path);
    }
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            (void)hr_fail(err, HR_LOCKED, "%s: locked by another process", path);
            return hr_fail_hint(err, "stop the other process, or use another directory");
        }
        if (errno != EINTR) {
            return hr_fail_errno(err, HR_IO, "%s: cannot lock", path);
        }
    }
    *out_fd = fd;
    fd = -1;
    return HR_OK;
}
