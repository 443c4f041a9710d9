/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and directories with the durability that the name says. Errors name the path. ENOSPC is HR_IO with a hint.
 * A failed sync is never repeated: the pages may be gone (PostgreSQL's fsync lesson), so the caller ends its run.
 */
#ifndef HR_BASE_FILE_H
#define HR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

/* Reads all of a file of at most maximum bytes in place of what out holds. HR_NO_INPUT: missing or a directory;
 * HR_BAD_DATA: larger than maximum (or than out's own). */
enum hr_status hr_file_read(const char *path, size_t maximum, struct hr_buf *out, struct hr_error *err);
/* Temporary name, write, fdatasync, rename, fsync of the directory. */
enum hr_status hr_file_write_atomic(const char *path, const void *data, size_t length, struct hr_error *err);
/* write(2) until all is written. */
enum hr_status hr_file_write_all(int fd, const char *path, const void *data, size_t length, struct hr_error *err);
/* mkdir -p; HR_CANNOT_CREATE. */
enum hr_status hr_file_make_directory(const char *path, struct hr_error *err);
enum hr_status hr_file_sync_directory(const char *path, struct hr_error *err);
bool hr_file_exists(const char *path);
/* "dir/name", or name alone when it is absolute. */
char *hr_file_join(struct hr_arena *arena, const char *directory, const char *name);
char *hr_file_directory(struct hr_arena *arena, const char *path);
/* Exclusive flock on a file made when missing. HR_LOCKED with the path when someone holds it; *out_fd is then -1. The
 * lock goes with the descriptor. */
enum hr_status hr_file_lock(const char *path, int *out_fd, struct hr_error *err);
/* Tries in a directory what parts and manifests need: lock, append, sync, rename to a new and over an old name, sync of
 * the directory. Hidden files of a name of their own, which are gone when it returns. The error is the first that
 * failed. (file_probe.c) */
enum hr_status hr_file_probe(const char *directory, struct hr_error *err);

#endif
