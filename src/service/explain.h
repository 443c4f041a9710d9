/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan as a document: what `headrace explain` prints, and an estimate of the memory that the query takes.
 */
#ifndef HR_SERVICE_EXPLAIN_H
#define HR_SERVICE_EXPLAIN_H

#include <jansson.h>

#include "stream/plan.h"

/* Keys: query, file, source, stages, model, evaluation, sinks, deadLetter, trigger, checkpoint, memory. A new
 * reference. */
json_t *hr_explain_document(const struct hr_plan *plan);
/* {"chunk", "batch", "stages", "model", "evaluation", "store", "total", "assumed": {…}}: bytes. A new reference. */
json_t *hr_explain_memory(const struct hr_plan *plan);

#endif
