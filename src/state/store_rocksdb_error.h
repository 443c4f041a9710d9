/* SPDX-License-Identifier: Apache-2.0
 *
 * What RocksDB's messages mean. For store_rocksdb.c.
 */
#ifndef HR_STATE_STORE_ROCKSDB_ERROR_H
#define HR_STATE_STORE_ROCKSDB_ERROR_H

#include "base/status.h"

/* Makes an error, with what to do about it, of a message that came while the store at path did `doing`. */
enum hr_status hr_store_rocksdb_fail(struct hr_error *err, const char *path, const char *doing, const char *text);

#endif
