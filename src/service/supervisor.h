/* SPDX-License-Identifier: Apache-2.0
 *
 * Several queries in one process, each on its own thread; one that fails leaves the others alone. The first SIGTERM or
 * SIGINT asks all of them to finish their batch and commit; a second one, or 30 seconds, aborts the batches.
 */
#ifndef HR_SERVICE_SUPERVISOR_H
#define HR_SERVICE_SUPERVISOR_H

#include <stddef.h>

#include "stream/query.h"

/* SIGTERM and SIGINT are held back in this thread and all that it starts, and SIGPIPE is ignored. Before any thread. */
void hr_supervisor_hold_signals(void);
/* Starts the queries and waits until all have ended. Returns the worst exit code: 0 after a clean stop, 1 after an
 * abort. Errors are printed as queries end. */
int hr_supervisor_run(struct hr_query *const *queries, size_t count);

#endif
