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
 *     HEADRACE_POWER_FAIL=ENDING     the first such sync says EIO. As with Linux, what it was about stays readable and
 * never reaches the disk, whatever syncs follow, unless it is written again: lost/INODE
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
static const char *failing = "";

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
    if (getenv("HEADRACE_POWER_FAIL") != NULL) {
        failing = getenv("HEADRACE_POWER_FAIL");
    }
}

static void failed(const char *what)
{
    fprintf(stderr, "power_loss: %s: %s\n", what, strerror(errno));
    abort();
}

static bool path_ends(const char *path, const char *ending)
{
    size_t length = strlen(path);
    size_t wanted = strlen(ending);
    return wanted > 0 && length >= wanted && strcmp(path + length - wanted, ending) == 0;
}

/* Is the open file below the folder? path: of PATH_MAX bytes. */
static bool is_ours(int fd, struct stat *status, char *path)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t length = folder[0] != '\0' ? readlink(name, path, PATH_MAX - 1) : -1;
    path[length > 0 ? length : 0] = '\0';
    size_t above = strlen(folder) - 1; /* without its slash: the folder itself is ours, too */
    return length > 0 && strncmp(path, folder, above) == 0 && (path[above] == '/' || path[above] == '\0') &&
           !path_ends(path, ignored) && fstat(fd, status) == 0;
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

/* Bytes that a failed sync was about: from, to. */
static bool lost_range(const struct stat *status, long range[2])
{
    char path[PATH_MAX];
    shadow_path(path, "lost", status, "");
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool good = fscanf(file, "%ld %ld", &range[0], &range[1]) == 2;
    (void)fclose(file);
    return good;
}

static void lose(const struct stat *status)
{
    char path[PATH_MAX];
    struct stat before = {.st_size = 0};
    shadow_path(path, "bytes", status, "");
    (void)stat(path, &before);
    shadow_path(path, "lost", status, "");
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        failed(path);
    }
    fprintf(file, "%ld %ld\n", (long)before.st_size, (long)status->st_size);
    (void)fclose(file);
}

static void write_bytes(int from, FILE *to)
{
    struct stat status;
    long range[2];
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
    if (fstat(from, &status) == 0 && lost_range(&status, range)) {
        (void)fseek(to, range[0], SEEK_SET);
        for (long i = range[0]; i < range[1]; i++) {
            (void)fputc('\0', to);
        }
    }
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
    char path[PATH_MAX];
    if (result == 0 && is_ours(fd, &status, path)) {
        if (path_ends(path, failing)) {
            failing = "";
            lose(&status);
            errno = EIO;
            return -1;
        }
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
