/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over a source as far as it reaches now, for fit and eval: the steps plan and read of a batch, with no
 * checkpoint, no sinks and no offsets kept.
 */
#ifndef HR_SERVICE_BOUNDED_H
#define HR_SERVICE_BOUNDED_H

#include <stdint.h>

#include "base/status.h"
#include "stream/run.h"

/* Opens the plan's source at its start and remembers where it ends now. May be called again: another pass over the same
 * rows. The run was made by hr_run_init without a checkpoint. */
enum hr_status hr_bounded_open(struct hr_run *run, struct hr_error *err);
/* Reads the records of the next batch into run->records. HR_END: that was all. */
enum hr_status hr_bounded_read(struct hr_run *run, struct hr_error *err);
/* Records that may go aside do so here: `deadLetter:` or mode drop is in the query file, and there is no sink. Counts
 * them in run->record.dead_letters. */
void hr_bounded_allow_rejects(struct hr_run *run);

/* How far a long pass is, on a terminal only: one line on standard error, at most five times a second. */
struct hr_progress_line {
    const char *what; /* "fit, pass 1" */
    bool terminal;
    bool shown;
    int64_t last_ns;
};
void hr_progress_line_init(struct hr_progress_line *line, const char *what);
void hr_progress_line_show(struct hr_progress_line *line, uint64_t rows);
void hr_progress_line_clear(struct hr_progress_line *line);

#endif
