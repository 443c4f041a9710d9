/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a query started: the positions that `startingOffsets` came to at the very first start, kept in the checkpoint's
 * identity as "startOffsets". A crash before the first batch then loses nothing that arrived meanwhile, as with Spark's
 * sources/0 log.
 */
#ifndef HR_STREAM_START_OFFSETS_H
#define HR_STREAM_START_OFFSETS_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"
#include "state/checkpoint.h"
#include "stream/offset.h"

/* *known false: nothing was stored yet. */
enum hr_status hr_start_offsets_load(struct hr_str identity, struct hr_offsets *out, bool *known, struct hr_error *err);
enum hr_status hr_start_offsets_store(struct hr_checkpoint *checkpoint, const struct hr_offsets *offsets,
                                      struct hr_error *err);
/* Stores the plan's identity where it differs from the checkpoint's (an allowed change), keeping "startOffsets". */
enum hr_status hr_identity_update(struct hr_checkpoint *checkpoint, struct hr_str identity, struct hr_error *err);

#endif
