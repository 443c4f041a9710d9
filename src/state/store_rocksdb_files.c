/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a RocksDB store that RocksDB itself does not look after well enough: whether there is a store, and where
 * a reader's info log goes, which may not lie beside the store.
 */
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "state/store_rocksdb_internal.h"

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

enum hr_status hr_store_rocksdb_log_directory(char out[HR_LOG_DIRECTORY_MAX], struct hr_error *err)
{
    const char *places[] = {getenv("TMPDIR"), "/tmp", "/dev/shm", "/var/tmp"};
    for (size_t i = 0; i < HR_ARRAY_LEN(places); i++) {
        if (places[i] != NULL && strlen(places[i]) < 40) {
            snprintf(out, HR_LOG_DIRECTORY_MAX, "%s/headrace-XXXXXX", places[i]);
            if (mkdtemp(out) != NULL) {
                return HR_OK;
            }
        }
    }
    hr_fail_errno(err, HR_CANNOT_CREATE, "a temporary directory");
    return hr_fail_hint(err, "set TMPDIR to a directory that can be written; a reader's log goes there");
}

void hr_store_rocksdb_remove_directory(const char *path)
{
    (void)nftw(path, remove_entry, 4, FTW_DEPTH | FTW_PHYS);
}

/* With CURRENT missing RocksDB would begin a new, empty store over the old files. */
enum hr_status hr_store_rocksdb_look(const char *path, bool *exists, struct hr_error *err)
{
    *exists = false;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return HR_OK;
    }
    bool current = false;
    bool data = false;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        const char *ending = strrchr(entry->d_name, '.');
        current = current || strcmp(entry->d_name, "CURRENT") == 0;
        data = data || (ending != NULL && (strcmp(ending, ".sst") == 0 || strcmp(ending, ".log") == 0));
    }
    closedir(directory);
    if (data && !current) {
        hr_fail(err, HR_CORRUPT, "state store %s: the file CURRENT is missing", path);
        return hr_fail_hint(err, "restore the state directory from a copy");
    }
    *exists = current;
    return HR_OK;
}
