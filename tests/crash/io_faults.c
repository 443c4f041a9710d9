/* SPDX-License-Identifier: Apache-2.0
 *
 * A library to preload, which makes calls on files fail and the wall clock jump. Built and used by world.py:
 *
 *     HEADRACE_IO_FAULT=CALLS:TEXT:N:ACTION[:once]     from the N-th such call on a path that contains TEXT (and, with
 *                                                      TEXT = A*B, ends with B), or that one call alone
 *     HEADRACE_IO_REPORT=FILE                          a line for each call that failed: CALL PATH
 *     HEADRACE_CLOCK_JUMPS=MS:SECONDS[,…]              MS after the start CLOCK_REALTIME is SECONDS off
 *
 * CALLS: of open, read, write, sync, rename, truncate, mkdir; several joined with '|'.
 * ACTION: ENOSPC, EIO, EMFILE, EACCES; `short`: half of the write is done, and the next ones say ENOSPC; `lied`: the
 * sync is done and says EIO; `lost`: what was written since the last sync is gone, and the sync says EIO.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC, CALL_RENAME, CALL_TRUNCATE, CALL_MKDIR, CALL_COUNT };
static const char *const call_names[] = {"open", "read", "write", "sync", "rename", "truncate", "mkdir"};

enum { ACTION_SHORT = -1, ACTION_LIED = -2, ACTION_LOST = -3 }; /* above 0: an errno */

static unsigned rule_calls; /* bits */
static char rule_text[256];
static char rule_ending[64];
static long rule_first;
static int rule_action;
static bool rule_once;
static long rule_seen;
static int report_fd = -1;

struct jump {
    int64_t after_ns;
    int64_t shift_s;
};
static struct jump jumps[8];
static size_t jump_count;
static int64_t start_ns;

/* Sizes as of the last sync, of files that the rule is about. */
static struct synced {
    dev_t device;
    ino_t inode;
    off_t size;
} synced[256];
static size_t synced_count;

static int64_t monotonic_ns(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- settings ----------------------------------------------------------------------------------------------- */

static void refuse(const char *text)
{
    fprintf(stderr, "io_faults: cannot read '%s'\n", text);
    abort();
}

static int action_parse(const char *name)
{
    static const struct {
        const char *name;
        int action;
    } actions[] = {
        {"ENOSPC", ENOSPC},      {"EIO", EIO},          {"EMFILE", EMFILE},    {"EACCES", EACCES},
        {"short", ACTION_SHORT}, {"lied", ACTION_LIED}, {"lost", ACTION_LOST},
    };
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(name, actions[i].name) == 0) {
            return actions[i].action;
        }
    }
    refuse(name);
    return 0;
}

static void calls_parse(char *text)
{
    for (char *name = strsep(&text, "|"); name != NULL; name = strsep(&text, "|")) {
        unsigned before = rule_calls;
        for (int i = 0; i < CALL_COUNT; i++) {
            rule_calls |= strcmp(name, call_names[i]) == 0 ? 1u << i : 0;
        }
        if (rule_calls == before) {
            refuse(name);
        }
    }
}

static void rule_parse(const char *setting)
{
    char copy[512];
    char *rest = copy;
    (void)snprintf(copy, sizeof(copy), "%s", setting);
    char *calls = strsep(&rest, ":");
    char *text = strsep(&rest, ":");
    char *number = strsep(&rest, ":");
    char *action = strsep(&rest, ":");
    if (action == NULL || (rest != NULL && strcmp(rest, "once") != 0)) {
        refuse(setting);
    }
    calls_parse(calls);
    (void)snprintf(rule_text, sizeof(rule_text), "%s", strsep(&text, "*"));
    (void)snprintf(rule_ending, sizeof(rule_ending), "%s", text != NULL ? text : "");
    rule_first = strtol(number, NULL, 10);
    rule_action = action_parse(action);
    rule_once = rest != NULL;
}

static void jumps_parse(const char *setting)
{
    while (*setting != '\0' && jump_count < sizeof(jumps) / sizeof(jumps[0])) {
        char *end;
        jumps[jump_count].after_ns = strtol(setting, &end, 10) * 1000000;
        if (*end != ':') {
            refuse(setting);
        }
        jumps[jump_count++].shift_s = strtol(end + 1, &end, 10);
        setting = *end == ',' ? end + 1 : end;
    }
}

__attribute__((constructor)) static void settings_read(void)
{
    const char *rule = getenv("HEADRACE_IO_FAULT");
    const char *report = getenv("HEADRACE_IO_REPORT");
    const char *clock = getenv("HEADRACE_CLOCK_JUMPS");
    start_ns = monotonic_ns();
    if (report != NULL) {
        report_fd = (int)syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    if (clock != NULL) {
        jumps_parse(clock);
    }
    if (rule != NULL) {
        rule_parse(rule);
    }
}

/* ---- the rule ----------------------------------------------------------------------------------------------- */

static bool path_matches(const char *path)
{
    size_t length = strlen(path);
    size_t ending = strlen(rule_ending);
    return strstr(path, rule_text) != NULL && length >= ending && strcmp(path + length - ending, rule_ending) == 0;
}

/* Does this call fail? Reports it. */
static bool fails(enum call call, const char *path)
{
    if (((rule_calls >> call) & 1) == 0 || !path_matches(path)) {
        return false;
    }
    long seen = __atomic_add_fetch(&rule_seen, 1, __ATOMIC_RELAXED);
    if (seen < rule_first || (rule_once && seen > rule_first)) {
        return false;
    }
    char line[PATH_MAX + 32];
    int length = snprintf(line, sizeof(line), "%s %s\n", call_names[call], path);
    (void)!syscall(SYS_write, report_fd, line, length);
    return true;
}

static const char *path_of(int fd, char out[PATH_MAX])
{
    char name[64];
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, out, PATH_MAX - 1);
    out[length > 0 ? length : 0] = '\0';
    return out;
}

static bool fd_fails(enum call call, int fd)
{
    char path[PATH_MAX];
    return ((rule_calls >> call) & 1) != 0 && fails(call, path_of(fd, path));
}

static int fail(int number)
{
    errno = number > 0 ? number : rule_action == ACTION_SHORT ? ENOSPC : EIO;
    return -1;
}

/* Where the size of a file as of its last sync is kept; takes its size now when there is none yet or `now`. */
static struct synced *synced_of(int fd, bool now)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return NULL;
    }
    struct synced *entry = synced;
    while (entry < synced + synced_count && (entry->device != status.st_dev || entry->inode != status.st_ino)) {
        entry++;
    }
    if (entry == synced + sizeof(synced) / sizeof(synced[0])) {
        return NULL;
    }
    if (entry == synced + synced_count || now) {
        *entry = (struct synced){status.st_dev, status.st_ino, status.st_size};
        synced_count += entry == synced + synced_count;
    }
    return entry;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (real == NULL) { \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name); \
    }

/* ---- open, rename, mkdir ------------------------------------------------------------------------------------ */

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    if (fails(CALL_OPEN, path)) {
        return fail(rule_action);
    }
    int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    if (fd >= 0 && rule_action == ACTION_LOST && (flags & O_ACCMODE) != O_RDONLY) {
        int number = errno;
        (void)synced_of(fd, false);
        errno = number;
    }
    return fd;
}

#define OPEN_MODE(last) \
    va_list arguments; \
    va_start(arguments, last); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0; \
    va_end(arguments)

int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    OPEN_MODE(flags);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    OPEN_MODE(flags);
    return open_at(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...)
{
    OPEN_MODE(flags);
    return open_at(directory, path, flags, mode);
}

/* What the headers make of open where the compiler knows that there is no mode. */
int __open_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    return fails(CALL_RENAME, to) ? fail(rule_action) : real(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    return fails(CALL_MKDIR, path) ? fail(rule_action) : real(path, mode);
}

/* ---- reading and writing ------------------------------------------------------------------------------------ */

ssize_t read(int fd, void *data, size_t length)
{
    REAL(read);
    return fd_fails(CALL_READ, fd) ? fail(rule_action) : real(fd, data, length);
}

ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
    REAL(pread);
    return fd_fails(CALL_READ, fd) ? fail(rule_action) : real(fd, data, length, offset);
}

ssize_t pread64(int fd, void *data, size_t length, off_t offset)
{
    return pread(fd, data, length, offset);
}

/* RocksDB reads its log, MANIFEST and CURRENT so, and takes fewer bytes without an end of file for an error. */
#undef fread_unlocked
size_t fread_unlocked(void *data, size_t size, size_t count, FILE *stream)
{
    REAL(fread_unlocked);
    if (fd_fails(CALL_READ, fileno(stream))) {
        errno = EIO;
        return 0;
    }
    return real(data, size, count, stream);
}

/* How much of a failing write is done; the first of `short` alone does any. */
static size_t short_length(size_t length)
{
    return rule_action == ACTION_SHORT && __atomic_load_n(&rule_seen, __ATOMIC_RELAXED) == rule_first ? length / 2 : 0;
}

ssize_t write(int fd, const void *data, size_t length)
{
    REAL(write);
    if (!fd_fails(CALL_WRITE, fd)) {
        return real(fd, data, length);
    }
    size_t part = short_length(length);
    return part > 0 ? real(fd, data, part) : fail(rule_action);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    REAL(pwrite);
    if (!fd_fails(CALL_WRITE, fd)) {
        return real(fd, data, length, offset);
    }
    size_t part = short_length(length);
    return part > 0 ? real(fd, data, part, offset) : fail(rule_action);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite(fd, data, length, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    return fd_fails(CALL_WRITE, fd) ? fail(rule_action) : real(fd, parts, count);
}

/* ---- syncing, cutting --------------------------------------------------------------------------------------- */

static int sync_with(int (*real)(int), int fd)
{
    if (!fd_fails(CALL_SYNC, fd)) {
        int result = real(fd);
        if (result == 0 && rule_action == ACTION_LOST) {
            (void)synced_of(fd, true);
        }
        return result;
    }
    if (rule_action == ACTION_LIED) {
        (void)real(fd);
    } else if (rule_action == ACTION_LOST) {
        const struct synced *entry = synced_of(fd, false);
        (void)!syscall(SYS_ftruncate, fd, entry != NULL ? entry->size : 0);
    }
    return fail(rule_action);
}

int fsync(int fd)
{
    REAL(fsync);
    return sync_with(real, fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return sync_with(real, fd);
}

int ftruncate(int fd, off_t length)
{
    REAL(ftruncate);
    return fd_fails(CALL_TRUNCATE, fd) ? fail(rule_action) : real(fd, length);
}

int ftruncate64(int fd, off_t length)
{
    return ftruncate(fd, length);
}

/* ---- the wall clock ----------------------------------------------------------------------------------------- */

static int64_t clock_shift_s(void)
{
    int64_t shift_s = 0;
    for (size_t i = 0; i < jump_count && monotonic_ns() - start_ns >= jumps[i].after_ns; i++) {
        shift_s = jumps[i].shift_s;
    }
    return shift_s;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    if (result == 0 && clock == CLOCK_REALTIME) {
        out->tv_sec += clock_shift_s();
    }
    return result;
}
