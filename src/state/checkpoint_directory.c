/* SPDX-License-Identifier: Apache-2.0
 *
 * The files around a checkpoint's store. VERSION is written last when a checkpoint is made, so a directory with VERSION
 * must have a store that says something, and one without it may be begun anew. MARK holds the last batch that was
 * durable: RocksDB opens without an error when its log files are gone, and the mark is what notices. It is written
 * without sync after the synced write, so it may lag after a power loss and never leads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/wire.h"
#include "state/checkpoint_internal.h"

#define VERSION_TEXT "headrace checkpoint 1\n"
#define MARK_VERSION 1u

static char *directory_file(const struct hr_checkpoint_directory *directory, const char *name, struct hr_arena *arena)
{
    return hr_file_join(arena, directory->path, name);
}

/* What a checkpoint, whole or half made, may hold. Names with a dot are temporaries, or a file manager's. */
static bool directory_is_ours(const char *name)
{
    static const char *const ours[] = {"LOCK", "VERSION", "MARK", "rocksdb", "lost+found"};
    for (size_t i = 0; i < HR_ARRAY_LEN(ours); i++) {
        if (strcmp(name, ours[i]) == 0) {
            return true;
        }
    }
    return name[0] == '.';
}

static enum hr_status directory_check_foreign(const char *path, struct hr_error *err)
{
    DIR *stream = opendir(path);
    if (stream == NULL) {
        return errno == ENOENT ? HR_OK
                               : hr_fail_errno(err, errno == EACCES ? HR_PERMISSION : HR_CANNOT_CREATE,
                                               "checkpoint directory %s", path);
    }
    char foreign[256] = "";
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (!directory_is_ours(entry->d_name)) {
            snprintf(foreign, sizeof(foreign), "%s", entry->d_name);
            break;
        }
    }
    closedir(stream);
    if (foreign[0] == 0) {
        return HR_OK;
    }
    hr_fail(err, HR_CANNOT_CREATE, "checkpoint directory %s holds other things ('%s') and no checkpoint", path,
            foreign);
    return hr_fail_hint(err, "set checkpoint.location to an empty or new directory");
}

/* *versioned: VERSION is there and known. */
static enum hr_status directory_read_version(struct hr_checkpoint_directory *directory, struct hr_error *err)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    const char *path = directory_file(directory, "VERSION", &arena);
    directory->versioned = false;
    if (!hr_file_exists(path)) {
        return HR_OK;
    }
    struct hr_buf text HR_CLEANUP(hr_buf_release);
    hr_buf_init(&text, 256);
    HR_TRY(hr_file_read(path, 256, &text, err));
    if (!hr_str_equal_text(hr_buf_str(&text), VERSION_TEXT)) {
        hr_fail(err, HR_CORRUPT, "%s: not the VERSION of a checkpoint that this version knows", path);
        return hr_fail_hint(err, "it should be the line '%.*s'; a newer Headrace may have written it",
                            (int)sizeof(VERSION_TEXT) - 2, VERSION_TEXT);
    }
    directory->versioned = true;
    return HR_OK;
}

static enum hr_status directory_parse_mark(const char *path, struct hr_str bytes, int64_t *out, struct hr_error *err)
{
    struct hr_wire_reader reader;
    HR_TRY(hr_wire_open(&reader, bytes.data, bytes.length, "HRMK", MARK_VERSION, path, err));
    int64_t batch = hr_wire_get_i64(&reader);
    HR_TRY(hr_wire_done(&reader, path, err));
    *out = batch;
    return HR_OK;
}

static enum hr_status directory_read_mark(struct hr_checkpoint_directory *directory, struct hr_error *err)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    const char *path = directory_file(directory, "MARK", &arena);
    directory->mark = -1;
    if (!hr_file_exists(path)) {
        if (!directory->versioned) {
            return HR_OK;
        }
        hr_fail(err, HR_CORRUPT, "%s is missing", path);
        return hr_fail_hint(err, "restore the checkpoint directory as a whole from a copy");
    }
    struct hr_buf bytes HR_CLEANUP(hr_buf_release);
    hr_buf_init(&bytes, 256);
    enum hr_status status = HR_OK;
    /* A reader beside a running query may see half of a write. */
    for (int attempt = 0; attempt < 3; attempt++) {
        hr_buf_clear(&bytes);
        HR_TRY(hr_file_read(path, 256, &bytes, err));
        if (bytes.length == 0) {
            return HR_OK; /* never reached the disk before a power loss: no lower bound */
        }
        status = directory_parse_mark(path, hr_buf_str(&bytes), &directory->mark, err);
        if (status == HR_OK || !directory->versioned) {
            return HR_OK; /* while a checkpoint is being made nothing is durable yet: half a mark says no less */
        }
    }
    return status;
}

enum hr_status hr_checkpoint_directory_mark(struct hr_checkpoint_directory *directory, int64_t batch, bool sync,
                                            struct hr_error *err)
{
    if (directory->path == NULL) {
        return HR_OK;
    }
    struct hr_buf bytes HR_CLEANUP(hr_buf_release);
    hr_buf_init(&bytes, 256);
    struct hr_wire_writer writer;
    hr_wire_begin(&writer, &bytes, "HRMK", MARK_VERSION);
    hr_wire_put_i64(&writer, batch);
    hr_wire_end(&writer);
    size_t done = 0;
    while (done < bytes.length) {
        ssize_t written = pwrite(directory->mark_fd, bytes.data + done, bytes.length - done, (off_t)done);
        if (written < 0 && errno != EINTR) {
            return hr_fail_errno(err, HR_IO, "%s/MARK: cannot write", directory->path);
        }
        done += written > 0 ? (size_t)written : 0;
    }
    if (sync && fdatasync(directory->mark_fd) != 0) {
        return hr_fail_errno(err, HR_IO, "%s/MARK: sync", directory->path);
    }
    directory->mark = batch;
    return HR_OK;
}

static enum hr_status directory_open_mark(struct hr_checkpoint_directory *directory, struct hr_error *err)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    const char *path = directory_file(directory, "MARK", &arena);
    directory->mark_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (directory->mark_fd < 0) {
        return hr_fail_errno(err, errno == EACCES ? HR_PERMISSION : HR_CANNOT_CREATE, "%s", path);
    }
    return HR_OK;
}

static enum hr_status directory_lock_and_read(struct hr_checkpoint_directory *directory, struct hr_error *err)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    HR_TRY(directory_read_version(directory, err));
    if (!directory->versioned) {
        HR_TRY(directory_check_foreign(directory->path, err));
        HR_TRY(hr_file_make_directory(directory->path, err));
    }
    HR_TRY(hr_file_lock(directory_file(directory, "LOCK", &arena), &directory->lock_fd, err));
    /* Another process may have made it while we waited for nothing but the lock. */
    HR_TRY(directory_read_version(directory, err));
    HR_TRY(directory_read_mark(directory, err));
    return directory_open_mark(directory, err);
}

enum hr_status hr_checkpoint_directory_open(struct hr_checkpoint_directory *directory, const char *path,
                                            struct hr_error *err)
{
    *directory = (struct hr_checkpoint_directory){.path = hr_strdup(path), .lock_fd = -1, .mark_fd = -1, .mark = -1};
    enum hr_status status = directory_lock_and_read(directory, err);
    if (status != HR_OK) {
        hr_checkpoint_directory_close(directory);
    }
    return status;
}

static bool directory_has_store(const struct hr_checkpoint_directory *directory)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    return hr_file_exists(directory_file(directory, "rocksdb", &arena));
}

enum hr_status hr_checkpoint_directory_look(struct hr_checkpoint_directory *directory, const char *path,
                                            struct hr_error *err)
{
    *directory = (struct hr_checkpoint_directory){.path = hr_strdup(path), .lock_fd = -1, .mark_fd = -1, .mark = -1};
    enum hr_status status = directory_read_version(directory, err);
    if (status == HR_OK && !directory->versioned && directory_has_store(directory)) {
        status = hr_fail(err, HR_CORRUPT, "%s/VERSION is missing", path);
        hr_fail_hint(err, "restore the checkpoint directory as a whole from a copy; where its first start was cut off, "
                          "start the query again");
    } else if (status == HR_OK && !directory->versioned) {
        status = hr_fail(err, HR_NO_INPUT, "%s: there is no checkpoint", path);
        hr_fail_hint(err, "give the directory that holds VERSION and rocksdb/");
    }
    if (status == HR_OK) {
        status = directory_read_mark(directory, err);
    }
    if (status != HR_OK) {
        hr_checkpoint_directory_close(directory);
    }
    return status;
}

enum hr_status hr_checkpoint_directory_finish(struct hr_checkpoint_directory *directory, struct hr_error *err)
{
    struct hr_arena arena HR_CLEANUP(hr_arena_release);
    hr_arena_init(&arena, 0);
    HR_TRY(hr_checkpoint_directory_mark(directory, -1, false, err));
    HR_TRY(hr_file_write_atomic(directory_file(directory, "VERSION", &arena), VERSION_TEXT, sizeof(VERSION_TEXT) - 1,
                                err));
    directory->versioned = true;
    return HR_OK;
}

void hr_checkpoint_directory_close(struct hr_checkpoint_directory *directory)
{
    if (directory->mark_fd >= 0) {
        close(directory->mark_fd);
    }
    if (directory->lock_fd >= 0) {
        close(directory->lock_fd);
    }
    hr_free(directory->path);
    *directory = (struct hr_checkpoint_directory){.lock_fd = -1, .mark_fd = -1, .mark = -1};
}
