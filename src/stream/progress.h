/* SPDX-License-Identifier: Apache-2.0
 *
 * The progress document of a batch: the field names of Spark's StreamingQueryProgress, and ours (contract §4).
 */
#ifndef HR_STREAM_PROGRESS_H
#define HR_STREAM_PROGRESS_H

#include "base/buf.h"
#include "stream/run.h"

/* Appends one JSON object without a newline. latest: may be NULL. */
void hr_progress_write(const struct hr_run *run, const struct hr_offsets *latest, struct hr_buf *out);

#endif
