/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of files that a path of the file source stands for, each with what is known of its size and its end.
 */
#ifndef HR_STREAM_SOURCE_FILE_LIST_H
#define HR_STREAM_SOURCE_FILE_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* One file, from when it is first seen until the source is closed. */
struct hr_file_entry {
    char *name; /* as in offsets: relative to the query file as the user wrote the path */
    char *path; /* to open */
    bool compressed;
    bool present; /* in the last scan */
    int64_t size; /* on disk, in the last scan */
    struct timespec changed;
    bool dry; /* no complete record was left when size and time were dry_size and dry_changed */
    int64_t dry_size;
    struct timespec dry_changed;
    int64_t dry_end;     /* where its last record ended then; −1: something that is no whole record stood after it */
    int64_t bounded_dry; /* bounded runs: no record was left before this position */
    int64_t plain_size;  /* compressed files: of the plain bytes, when counted for plain_of_size and plain_changed */
    int64_t plain_of_size;
    struct timespec plain_changed;
    struct hr_buf header; /* CSV: the first record, once it was read */
};

struct hr_file_list {
    struct hr_file_entry **items; /* sorted by name, byte order */
    size_t count;
    size_t capacity;
    bool single; /* the path is one file */
};

/* Looks at the file system: path is a file, a directory (its files but for names that start with '.' or '_') or a glob.
 * HR_NO_INPUT when the path, no glob, does not exist. */
enum hr_status hr_file_list_scan(struct hr_file_list *list, const char *directory, const char *path,
                                 struct hr_error *err);
struct hr_file_entry *hr_file_list_find(const struct hr_file_list *list, struct hr_str name);
/* Forgets a file: one of that name that is seen later is a new one. */
void hr_file_list_remove(struct hr_file_list *list, size_t index);
void hr_file_list_release(struct hr_file_list *list);
/* Plain bytes in the file: its size, or for compressed files what reading through gives (remembered). */
enum hr_status hr_file_plain_size(struct hr_file_entry *entry, int64_t *out, struct hr_error *err);

/* No record is left in the file as it was at the last scan. end: of its last record, or −1 (dry_end). */
void hr_file_entry_set_dry(struct hr_file_entry *entry, int64_t end);
/* It is still as it was then. */
bool hr_file_entry_is_dry(const struct hr_file_entry *entry);

#endif
