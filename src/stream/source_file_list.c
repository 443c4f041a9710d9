/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files a path stands for, and what the file system says of them. A scan merges what it finds into the known
 * list: entries are never removed while the source is open, so that records may keep pointing to their names.
 */
#include "stream/source_file_list.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/compress.h"

#define PLAIN_READ_SIZE (64u << 10)
#define GLOB_CHARACTERS "*?["

static size_t list_lower_bound(const struct hr_file_list *list, struct hr_str name)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hr_str_compare(hr_str_from(list->items[middle]->name), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct hr_file_entry *hr_file_list_find(const struct hr_file_list *list, struct hr_str name)
{
    size_t index = list_lower_bound(list, name);
    if (index == list->count || !hr_str_equal(hr_str_from(list->items[index]->name), name)) {
        return NULL;
    }
    return list->items[index];
}

static struct hr_file_entry *list_add(struct hr_file_list *list, const char *name, const char *path)
{
    size_t index = list_lower_bound(list, hr_str_from(name));
    if (index < list->count && strcmp(list->items[index]->name, name) == 0) {
        return list->items[index];
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        list->items = hr_realloc_array(list->items, list->capacity, sizeof(list->items[0]));
    }
    memmove(&list->items[index + 1], &list->items[index], (list->count - index) * sizeof(list->items[0]));
    struct hr_file_entry *entry = hr_calloc(1, sizeof(*entry));
    entry->name = hr_strdup(name);
    entry->path = hr_strdup(path);
    entry->compressed = hr_compression_of(path) != HR_COMPRESSION_NONE;
    entry->bounded_dry = -1;
    entry->plain_of_size = -1;
    hr_buf_init(&entry->header, (size_t)1 << 30);
    list->items[index] = entry;
    list->count++;
    return entry;
}

/* Adds or refreshes one regular file; anything else (a directory, a socket, a file that was just removed) is left out.
 */
static void list_see(struct hr_file_list *list, const char *name, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return;
    }
    struct hr_file_entry *entry = list_add(list, name, path);
    entry->present = true;
    entry->size = status.st_size;
    entry->changed = status.st_mtim;
}

static enum hr_status list_scan_directory(struct hr_file_list *list, const char *full, const char *path,
                                          struct hr_error *err)
{
    DIR *stream = opendir(full);
    if (stream == NULL) {
        return hr_fail_errno(err, errno == EACCES ? HR_PERMISSION : HR_NO_INPUT, "cannot list directory '%s'", path);
    }
    struct hr_arena arena;
    hr_arena_init(&arena, 0);
    /* "in/" and "in" are the same directory, and must give the same names. */
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    const char *prefix = hr_arena_strndup(&arena, path, length);
    errno = 0;
    for (struct dirent *item = readdir(stream); item != NULL; item = readdir(stream)) {
        if (item->d_name[0] != '.' && item->d_name[0] != '_') {
            list_see(list, hr_arena_printf(&arena, "%s/%s", strcmp(prefix, "/") == 0 ? "" : prefix, item->d_name),
                     hr_arena_printf(&arena, "%s/%s", full, item->d_name));
        }
        errno = 0;
    }
    int failure = errno;
    closedir(stream);
    hr_arena_release(&arena);
    errno = failure;
    return failure == 0 ? HR_OK : hr_fail_errno(err, HR_IO, "cannot list directory '%s'", path);
}

static enum hr_status list_scan_glob(struct hr_file_list *list, const char *full, const char *path,
                                     struct hr_error *err)
{
    glob_t found;
    int result = glob(full, GLOB_NOSORT, NULL, &found);
    if (result == GLOB_NOMATCH) {
        return HR_OK;
    }
    if (result != 0) {
        return hr_fail(err, HR_IO, "cannot expand '%s': %s", path,
                       result == GLOB_NOSPACE ? "too many files" : "a directory cannot be read");
    }
    /* full is "<directory>/<path>" or path itself: what was put in front is cut off again. */
    size_t cut = strlen(full) - strlen(path);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        list_see(list, found.gl_pathv[i] + cut, found.gl_pathv[i]);
    }
    globfree(&found);
    return HR_OK;
}

enum hr_status hr_file_list_scan(struct hr_file_list *list, const char *directory, const char *path,
                                 struct hr_error *err)
{
    struct hr_arena arena;
    hr_arena_init(&arena, 0);
    const char *full = hr_file_join(&arena, directory, path);
    for (size_t i = 0; i < list->count; i++) {
        list->items[i]->present = false;
    }
    struct stat status;
    enum hr_status result = HR_OK;
    list->single = false;
    if (stat(full, &status) != 0) {
        if (strpbrk(path, GLOB_CHARACTERS) != NULL) {
            result = list_scan_glob(list, full, path, err);
        } else {
            result = hr_fail_errno(err, errno == EACCES ? HR_PERMISSION : HR_NO_INPUT, "source file '%s'", path);
            (void)hr_fail_hint(err, "the path is relative to the query file's directory, '%s'", directory);
        }
    } else if (S_ISDIR(status.st_mode)) {
        result = list_scan_directory(list, full, path, err);
    } else if (S_ISREG(status.st_mode)) {
        list->single = true;
        list_see(list, path, full);
    } else {
        result = hr_fail(err, HR_NO_INPUT, "source '%s' is neither a regular file nor a directory", path);
    }
    hr_arena_release(&arena);
    return result;
}

static void entry_free(struct hr_file_entry *entry)
{
    hr_buf_release(&entry->header);
    hr_free(entry->name);
    hr_free(entry->path);
    hr_free(entry);
}

void hr_file_list_remove(struct hr_file_list *list, size_t index)
{
    entry_free(list->items[index]);
    memmove(list->items + index, list->items + index + 1, (list->count - index - 1) * sizeof(*list->items));
    list->count--;
}

void hr_file_list_release(struct hr_file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        entry_free(list->items[i]);
    }
    hr_free(list->items);
    *list = (struct hr_file_list){0};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void reader_close(struct hr_reader **reader)
{
    if (*reader != NULL) {
        hr_reader_close(*reader);
    }
}

enum hr_status hr_file_plain_size(struct hr_file_entry *entry, int64_t *out, struct hr_error *err)
{
    if (!entry->compressed) {
        *out = entry->size;
        return HR_OK;
    }
    if (entry->plain_of_size == entry->size && same_time(entry->plain_changed, entry->changed)) {
        *out = entry->plain_size;
        return HR_OK;
    }
    HR_CLEANUP(reader_close) struct hr_reader *reader = NULL;
    HR_CLEANUP(hr_free_pointer) char *block = hr_calloc(1, PLAIN_READ_SIZE);
    HR_TRY(hr_reader_open(entry->path, &reader, err));
    int64_t total = 0;
    size_t count = 0;
    do {
        HR_TRY(hr_reader_read(reader, block, PLAIN_READ_SIZE, &count, err));
        total += (int64_t)count;
    } while (count > 0);
    entry->plain_size = total;
    entry->plain_of_size = entry->size;
    entry->plain_changed = entry->changed;
    *out = total;
    return HR_OK;
}

void hr_file_entry_set_dry(struct hr_file_entry *entry, int64_t end)
{
    entry->dry = true;
    entry->dry_size = entry->size;
    entry->dry_changed = entry->changed;
    entry->dry_end = end;
}

bool hr_file_entry_is_dry(const struct hr_file_entry *entry)
{
    return entry->dry && entry->dry_size == entry->size && same_time(entry->dry_changed, entry->changed);
}
