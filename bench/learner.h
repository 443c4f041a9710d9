/* SPDX-License-Identifier: Apache-2.0
 *
 * A model over vectors in memory: a schema of `features` and `label`, and chunks that are views of the caller's arrays.
 * For programs that measure models without decoding. What is wrong ends the program.
 */
#ifndef HR_BENCH_LEARNER_H
#define HR_BENCH_LEARNER_H

#include "data/chunk.h"
#include "ml/model.h"

struct learner {
    struct hr_arena arena;
    struct hr_arena chunk_arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_rejects rejects;
    struct hr_record *records; /* empty ones */
    struct hr_model *model;
    struct hr_chunk chunk;
};

/* model: YAML. dimension: of the vectors. */
void learner_open(struct learner *learner, const char *model, uint32_t dimension);
/* The chunk to come: count rows, at most HR_CHUNK_ROWS. dense: the rows as one matrix; NULL: they are not. labels may
 * be NULL for models without. */
void learner_chunk(struct learner *learner, struct hr_vector *vectors, const double *dense, int64_t *labels,
                   size_t count);
void learner_score(struct learner *learner);
void learner_learn(struct learner *learner);
void learner_end_batch(struct learner *learner);
void learner_close(struct learner *learner);

#endif
