/* SPDX-License-Identifier: Apache-2.0
 *
 * A library to preload, which remembers what would survive if the power went now: of each file below a folder the bytes
 * as of its last sync, of each directory the names as of its last sync. A kill -9 loses nothing of that kind, so a sync
 * that is missing shows only here. world_power.py makes the folder of it that a start then finds.
 *
 *     HEADRACE_POWER_FOLDER=FOLDER   what is looked after
 *     HEADRACE_POWER_SHADOW=FOLDER   on the same file system: bytes/INODE, names/INODE (a line each: INODE NAME) and
 *                                    kept/INODE, which keeps the number of a removed file from being given again
 *     HEADRACE_POWER_IGNORE=ENDING   syncs of paths that end so do nothing: is such a sync needed?
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[PATH_MAX];
static char shadow[PATH_MAX];
static const char *ignored = "";

__attribute__((constructor)) static void settings_read(void)
{
    const char *folder_setting = getenv("HEADRACE_POWER_FOLDER");
    const char *shadow_setting = getenv("HEADRACE_POWER_SHADOW");
    if (folder_setting != NULL && shadow_setting != NULL) {
        (void)snprintf(folder, sizeof(folder), "%s/", folder_setting);
        (void)snprintf(shadow, sizeof(shadow), "%s", shadow_setting);
    }
    if (getenv("HEADRACE_POWER_IGNORE") != NULL) {
        ignored = getenv("HEADRACE_POWER_IGNORE");
    }
}

static void failed(const char *what)
{
    fprintf(stderr, "power_loss: %s: %s\n", what, strerror(errno));
    abort();
}

/* Is the open file below the folder? */
static bool is_ours(int fd, struct stat *status)
{
    char name[64];
    char path[PATH_MAX] = "";
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t length = folder[0] != '\0' ? readlink(name, path, sizeof(path) - 2) : -1;
    size_t ending = strlen(ignored);
    if (length < 0 || (ending > 0 && (size_t)length > ending && strcmp(path + length - ending, ignored) == 0)) {
        return false;
    }
    path[length] = '/';
    path[length + 1] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0 && fstat(fd, status) == 0;
}

static void shadow_path(char out[PATH_MAX], const char *kind, const struct stat *status, const char *ending)
{
    (void)snprintf(out, PATH_MAX, "%.3000s/%s/%lu%s", shadow, kind, (unsigned long)status->st_ino, ending);
}

/* Puts what write_content writes in the place of the last one, whole. */
static void remember(const char *kind, const struct stat *status, int fd, void (*write_content)(int from, FILE *to))
{
    char final[PATH_MAX];
    char temporary[PATH_MAX];
    char ending[32];
    (void)snprintf(ending, sizeof(ending), ".%ld", (long)syscall(SYS_gettid));
    shadow_path(final, kind, status, "");
    shadow_path(temporary, kind, status, ending);
    FILE *to = fopen(temporary, "we");
    if (to == NULL) {
        failed(temporary);
    }
    write_content(fd, to);
    if (fclose(to) != 0 || syscall(SYS_rename, temporary, final) != 0) {
        failed(final);
    }
}

static void write_bytes(int from, FILE *to)
{
    char name[64];
    char block[1 << 16];
    ssize_t got;
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", from);
    int fd = open(name, O_RDONLY | O_CLOEXEC); /* the one we have may be open to write only */
    while ((got = read(fd, block, sizeof(block))) > 0) {
        (void)fwrite(block, 1, (size_t)got, to);
    }
    if (got < 0) {
        failed("read");
    }
    (void)close(fd);
}

static void write_names(int from, FILE *to)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", from);
    DIR *directory = opendir(name);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            fprintf(to, "%lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
        }
    }
    (void)closedir(directory);
}

static int synced(int fd, int result)
{
    int number = errno;
    struct stat status;
    if (result == 0 && is_ours(fd, &status)) {
        bool directory = S_ISDIR(status.st_mode);
        remember(directory ? "names" : "bytes", &status, fd, directory ? write_names : write_bytes);
    }
    errno = number;
    return result;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (real == NULL) { \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name); \
    }

int fsync(int fd)
{
    REAL(fsync);
    return synced(fd, real(fd));
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return synced(fd, real(fd));
}

/* ---- files that go ------------------------------------------------------------------------------------------ */

static void keep(const char *path)
{
    int number = errno;
    struct stat status;
    if (folder[0] != '\0' && lstat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        char kept[PATH_MAX];
        shadow_path(kept, "kept", &status, "");
        if (link(path, kept) != 0 && errno != EEXIST && errno != EXDEV) {
            failed(kept);
        }
    }
    errno = number;
}

int unlink(const char *path)
{
    REAL(unlink);
    keep(path);
    return real(path);
}

int remove(const char *path)
{
    REAL(remove);
    keep(path);
    return real(path);
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    keep(to);
    return real(from, to);
}
