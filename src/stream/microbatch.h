/* SPDX-License-Identifier: Apache-2.0
 *
 * One micro-batch in eight words: plan, read, decode, transform, learn, prepare, deliver, commit.
 */
#ifndef HR_STREAM_MICROBATCH_H
#define HR_STREAM_MICROBATCH_H

#include "base/status.h"
#include "stream/run.h"

/* Without `maxRowsPerTrigger` a batch takes what is there, up to this many rows: it bounds memory and the length of a
 * transaction. */
#define HR_BATCH_ROWS_MAX 100000

/* Runs one batch, waiting up to wait_us for the first record. HR_AGAIN: no data yet. HR_END: the bounded input or the
 * trigger is done. Any other failure ends the run: its state in memory is ahead of the checkpoint. */
enum hr_status hr_microbatch_run(struct hr_run *run, int64_t wait_us, struct hr_error *err);

/* Steps 3 to 5 for records [first, first + count), count <= HR_CHUNK_ROWS: for eval and score, which have no
 * checkpoint. chunk is valid until the chunk arena is reset. */
enum hr_status hr_microbatch_chunk(struct hr_run *run, size_t first, size_t count, struct hr_chunk *chunk,
                                   struct hr_error *err);

#endif
