/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch record: what prep/N and batch/N hold beside pages: the range, which sinks take part, counts. Everything that a
 * replay needs to be the same batch again, and what `checkpoint list` shows.
 */
#ifndef HR_STREAM_RECORD_H
#define HR_STREAM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "stream/offset.h"

/* A sink's part: the last batch, this one included, in which it had something to commit. */
struct hr_sink_mark {
    char id[64];
    int64_t last_batch; /* −1: never */
};

#define HR_SINK_MARKS_MAX 64

struct hr_batch_record {
    int64_t batch;
    struct hr_offsets start;
    struct hr_offsets end;
    uint64_t input_rows; /* records read; CSV headers and tombstones left out */
    uint64_t output_rows;
    uint64_t dead_letters;
    uint64_t lost_rows;   /* so far, with failOnDataLoss: false */
    int64_t timestamp_us; /* of the batch's start; for people, never used in a batch */
    struct hr_sink_mark marks[HR_SINK_MARKS_MAX];
    size_t mark_count;
};

void hr_batch_record_release(struct hr_batch_record *record);
void hr_batch_record_encode(const struct hr_batch_record *record, struct hr_buf *out);
/* out is released first; on failure it is empty. */
enum hr_status hr_batch_record_decode(struct hr_str bytes, struct hr_batch_record *out, struct hr_error *err);
/* −1: never, also for a sink that the record does not know. */
int64_t hr_batch_record_mark(const struct hr_batch_record *record, const char *sink_id);
void hr_batch_record_set_mark(struct hr_batch_record *record, const char *sink_id, int64_t batch);

#endif
