/* SPDX-License-Identifier: Apache-2.0
 *
 * What store_rocksdb.c has around RocksDB. For nobody else.
 */
#ifndef HR_STATE_STORE_ROCKSDB_INTERNAL_H
#define HR_STATE_STORE_ROCKSDB_INTERNAL_H

#include <stdbool.h>

#include "base/status.h"

#define HR_LOG_DIRECTORY_MAX 64u

/* store_rocksdb_error.c. Makes an error, with what to do about it, of a message of RocksDB's that came while the store
 * at path did `doing`. */
enum hr_status hr_store_rocksdb_fail(struct hr_error *err, const char *path, const char *doing, const char *text);
/* store_rocksdb_files.c. Is there a store at path? HR_CORRUPT when there is half of one. */
enum hr_status hr_store_rocksdb_look(const char *path, bool *exists, struct hr_error *err);
/* Makes a new temporary directory for a reader's info log; *out is its path. */
enum hr_status hr_store_rocksdb_log_directory(char out[HR_LOG_DIRECTORY_MAX], struct hr_error *err);
void hr_store_rocksdb_remove_directory(const char *path);

#endif
