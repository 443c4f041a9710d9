/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of rejects: by the format's mode (deadLetter, drop, failFast) for records that could not be decoded; for
 * rows that a stage or the model could not use, a dead letter where `deadLetter:` is set, else the end of the query.
 */
#ifndef HR_STREAM_BAD_RECORDS_H
#define HR_STREAM_BAD_RECORDS_H

#include "base/status.h"
#include "stream/run.h"

/* Looks at the rejects that came since the last call: HR_BAD_DATA, naming the record's origin, for the first that ends
 * the query; those that are dropped are taken off the list. */
enum hr_status hr_bad_records_judge(struct hr_run *run, struct hr_error *err);
/* Once a batch, after the last chunk: orders the rejects by record, checks deadLetter.maxRatio over the last 10,000
 * records (the window is state of the query), and writes the dead letters. */
enum hr_status hr_bad_records_write(struct hr_run *run, struct hr_error *err);

#endif
