/* SPDX-License-Identifier: Apache-2.0
 *
 * Recovery: from what the checkpoint and the sinks' ledgers say to a run that may go on. With M the committed batch, N
 * = M + 1 a prepared one, and L_s what sink s remembers, compared with the batch it should remember (its mark):
 *
 *     no prep, every L_s as marked for M      clean: go on
 *     prep/N, every L_s as marked for M       nothing was visible: drop prep, run range N again
 *     prep/N, every taking part L_s = N       all was visible: commit N
 *     prep/N, some N, some not                run range N from state M, check the delta, deliver to the others, commit
 *     anything else                           refuse: a restored, copied or foreign state directory, or a lost ledger
 *
 * A sink that is at-least-once has no ledger: a prepared batch that it takes part in is delivered to it again.
 */
#ifndef HR_STREAM_RECOVERY_H
#define HR_STREAM_RECOVERY_H

#include "base/status.h"
#include "stream/run.h"

/* Opens sinks (which fences other instances), reads their ledgers, decides, loads the state and opens the source at the
 * committed positions. After HR_OK run->batch is the next to run. new_lineage: ledgers of another lineage are taken
 * over. *out_action: what was found, for the log. */
enum hr_recovery_action {
    HR_RECOVERY_GO_ON,
    HR_RECOVERY_DROP,
    HR_RECOVERY_COMMIT,
    HR_RECOVERY_REPLAY,
    HR_RECOVERY_REFUSE,
};

enum hr_status hr_recovery_run(struct hr_run *run, bool new_lineage, enum hr_recovery_action *out_action,
                               struct hr_error *err);

/* What recovery knows about one sink. */
struct hr_recovery_sink {
    bool exactly_once; /* others have no ledger */
    bool takes_part;   /* in the prepared batch */
    bool known;        /* the ledger knows this sink */
    bool same_lineage;
    int64_t ledger; /* batch in the ledger, −1: a lineage that was taken over and wrote nothing yet */
    int64_t mark;   /* batch it should be at, as of M; −1: never wrote */
};

/* The decision alone, pure: for the table's tests and the simulation. prepared −1: none. */
enum hr_recovery_action hr_recovery_decide(int64_t prepared, const struct hr_recovery_sink *sinks, size_t count);

/* State and positions for reading alone: loads all parts as of a kept batch. For score and eval over a checkpoint. */
enum hr_status hr_recovery_load_state(struct hr_run *run, int64_t batch, struct hr_error *err);

#endif
