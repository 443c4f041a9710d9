/* SPDX-License-Identifier: Apache-2.0
 *
 * RocksDB's C API gives errors as text only, so the class of an error is read out of the text.
 */
#include <string.h>

#include "state/store_rocksdb_internal.h"

enum hr_status hr_store_rocksdb_fail(struct hr_error *err, const char *path, const char *doing, const char *text)
{
    enum hr_status status = HR_IO;
    const char *hint = "the state is as of the last finished write; start again to look at it";
    if (strstr(text, "File too large") != NULL) {
        hint = "a file may not grow that long: see the limit of the process (ulimit -f), then start again: nothing is "
               "lost";
    } else if (strstr(text, "No space left") != NULL || strstr(text, "Disk quota exceeded") != NULL) {
        hint = "free space on the disk of the state directory, then start again: nothing is lost";
    } else if (strstr(text, "Too many open files") != NULL) {
        hint = "no file descriptor is left: raise the limit (ulimit -n) and start again";
    } else if (strstr(text, "Input/output error") != NULL) {
        hint = "the disk failed: see the kernel's log (dmesg), then start again: the start looks at what reached it";
    } else if (strncmp(text, "Corruption", 10) == 0 || strncmp(text, "Invalid argument", 16) == 0 ||
               strncmp(text, "Not implemented", 15) == 0) {
        status = HR_CORRUPT;
        hint = "restore the state directory from a copy, or move it away and start with "
               "--new-lineage";
    } else if (strstr(text, "ock file") != NULL || strstr(text, "lock hold") != NULL) {
        status = HR_LOCKED;
        hint = "another process uses this state directory; stop it or choose another "
               "checkpoint location";
    } else if (strstr(text, "Permission denied") != NULL || strstr(text, "Operation not permitted") != NULL ||
               strstr(text, "Read-only file system") != NULL) {
        status = HR_PERMISSION;
        hint = "give this user read and write access to the state directory";
    } else if (strstr(text, "No such file") != NULL) {
        status = HR_CORRUPT;
        hint = "a file of the store is missing: restore the state directory from a copy";
    }
    hr_fail(err, status, "state store %s: %s: %s", path, doing, text);
    hr_fail_hint(err, "%s", hint);
    return status;
}
