/* SPDX-License-Identifier: Apache-2.0
 *
 * Named fault points, the places where a test makes the process die, fail or wait: `HR_TRY(hr_fault("prepare.before",
 * err))`. Chosen by HEADRACE_FAULT=NAME:N:ACTION (the N-th pass, from 1; ACTION = crash | error | delay=500ms); several
 * separated by commas. Compiled in with -DHEADRACE_FAULTS=ON, else a constant HR_OK. Names start with one of the eight
 * words. All names are rows of HR_FAULT_POINTS; the docs table and the crash suite walk it.
 */
#ifndef HR_BASE_FAULT_H
#define HR_BASE_FAULT_H

#include <stddef.h>

#include "base/status.h"

#define HR_FAULT_POINTS(X) \
    X("plan.after", "the range is chosen, nothing is written") \
    X("read.after", "all records of the range are in memory") \
    X("learn.after", "the model in memory is ahead of the checkpoint") \
    X("prepare.before", "sinks hold the rows, invisible; nothing is durable") \
    X("prepare.after", "prep/N is durable") \
    X("deliver.before", "no sink has committed") \
    X("deliver.sink", "after each sink's commit") \
    X("deliver.kafka.sent", "rows and ledger are sent, the transaction is open") \
    X("deliver.kafka.committed", "the transaction is committed") \
    X("deliver.file.synced", "the temporary part is durable, not yet renamed") \
    X("deliver.file.renamed", "the part is visible, its directory is not synced") \
    X("deliver.after", "every sink has committed") \
    X("commit.before", "the delta is not applied") \
    X("commit.after", "batch N is done")

#ifdef HEADRACE_FAULTS
enum hr_status hr_fault(const char *name, struct hr_error *err);
#else
static inline enum hr_status hr_fault(const char *name, struct hr_error *err)
{
    (void)name;
    (void)err;
    return HR_OK;
}
#endif

struct hr_fault_point {
    const char *name;
    const char *meaning;
};
extern const struct hr_fault_point hr_fault_points[];
extern const size_t hr_fault_point_count;

#endif
