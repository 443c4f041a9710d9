/* SPDX-License-Identifier: Apache-2.0
 *
 * What a query has learned, for scoring: read from a checkpoint (no lock, no byte changed), or from a file that holds
 * what `checkpoint inspect --format json` prints.
 *
 * The file is that document, or its `models` list, or one element of it. A model is found by its id, else by its type
 * when there is one of that type. Online stages are taken from the document's `stages`; those it does not have come
 * from the checkpoint.
 */
#ifndef HR_SERVICE_LEARNED_H
#define HR_SERVICE_LEARNED_H

#include "base/status.h"
#include "stream/plan.h"

/* Fills the state of the plan's model and online stages, and freezes the stages. directory: the checkpoint; file: NULL:
 * all from the checkpoint. HR_NO_INPUT: there is none; HR_MISMATCH, HR_BAD_CONFIG: it is that of something else. */
enum hr_status hr_learned_load(struct hr_plan *plan, const char *directory, const char *file, struct hr_error *err);

#endif
