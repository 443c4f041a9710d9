/* SPDX-License-Identifier: Apache-2.0
 *
 * The stage kind: one step of a pipeline, named and behaving as in Spark ML. A stage reads columns of a chunk and fills
 * the columns that it added to the schema.
 *
 * Life cycle, all on the query's thread:
 *   hr_stage_new    options read and checked (plan time)
 *   load            an estimator takes its fitted values (inline, or from a pipeline file)
 *   bind            the schema so far is known: find inputs, add outputs with attributes, choose kernels, allocate
 *   transform       chunk by chunk; allocates from chunk->arena only
 *   close
 * An estimator in `headrace fit` goes fit_begin → fit_chunk … → fit_end (again → another pass) → save, then load and
 * bind as above. An online stage keeps what it learns in `state`; that region is checkpointed with the offsets.
 *
 * A value that cannot be transformed is hr_chunk_reject(chunk, row, HR_REASON_STAGE, …): the message must name the
 * stage (hr_stage_reject does), the column and the value. handleInvalid: skip is hr_chunk_drop.
 */
#ifndef HR_ML_STAGE_H
#define HR_ML_STAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/kind.h"
#include "base/paged.h"
#include "base/status.h"
#include "data/chunk.h"
#include "data/schema.h"

enum hr_stage_flags {
    HR_STAGE_ESTIMATOR = 1, /* needs fitted values */
    HR_STAGE_ONLINE = 2,    /* learns in the query; uses state */
};

struct hr_stage;

struct hr_stage_type {
    struct hr_kind kind;
    unsigned flags;
    /* Checks between options, before any schema is known. NULL: nothing to check. */
    void (*check)(struct hr_stage *stage, struct hr_findings *findings);
    /* Estimators: takes the fitted values; keys as Spark's model attributes. HR_BAD_CONFIG names the key. */
    enum hr_status (*load)(struct hr_stage *stage, const json_t *fitted, struct hr_error *err);
    /* Estimators: the fitted values, as load reads them. A new reference. */
    json_t *(*save)(const struct hr_stage *stage);
    enum hr_status (*bind)(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err);
    /* Fills the stage's output columns (allocating them) for all rows of the chunk. */
    void (*transform)(struct hr_stage *stage, struct hr_chunk *chunk);
    /* Estimators. The schema is what the stages before produce. */
    enum hr_status (*fit_begin)(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err);
    enum hr_status (*fit_chunk)(struct hr_stage *stage, const struct hr_chunk *chunk, struct hr_error *err);
    /* *again: true asks for another pass over the same rows. */
    enum hr_status (*fit_end)(struct hr_stage *stage, bool *again, struct hr_error *err);
    /* Online stages: "fitted" of `checkpoint inspect`, from state bytes alone. A new reference. */
    json_t *(*inspect)(const void *state, size_t size);
    /* The other way, after bind, for scoring alone: transforms as the stage did that inspect wrote. */
    enum hr_status (*restore)(struct hr_stage *stage, const json_t *fitted, struct hr_error *err);
    void (*close)(struct hr_stage *stage);
};

/* First member of a stage's own struct. */
struct hr_stage {
    const struct hr_stage_type *type;
    const char *id;
    void *options;
    json_t *fitted;         /* as given; NULL: none. Owned */
    struct hr_paged state;  /* online stages */
    bool frozen;            /* online stages: transform with the state as it is, learn nothing (score) */
    struct hr_place place;  /* in the query file */
    struct hr_arena *arena; /* of the query: life span of the stage */
    size_t column_end;      /* schema->count after bind: columns below exist once this stage has run */
};

#define HR_STAGE_TYPES(X) \
    X(binarizer) \
    X(bucketizer) \
    X(imputer) \
    X(string_indexer) \
    X(index_to_string) \
    X(one_hot_encoder) \
    X(vector_size_hint) \
    X(vector_assembler) \
    X(normalizer) \
    X(standard_scaler) \
    X(min_max_scaler) \
    X(tokenizer) \
    X(regex_tokenizer) \
    X(hashing_tf) \
    X(feature_hasher) \
    X(idf) \
    X(online_standard_scaler)

#define HR_STAGE_EXTERN(name) extern const struct hr_stage_type hr_stage_##name;
HR_STAGE_TYPES(HR_STAGE_EXTERN)
#undef HR_STAGE_EXTERN

extern const struct hr_stage_type *const hr_stage_types[];
extern const size_t hr_stage_type_count;

/* NULL: unknown. */
const struct hr_stage_type *hr_stage_type_find(const char *name);
/* Reads one element of `pipeline.stages`. NULL when there are findings (unknown type with the nearest name, options).
 * index: position, for the default id "<type>_<index>". */
struct hr_stage *hr_stage_new(const struct hr_yaml *node, size_t index, struct hr_arena *arena,
                              struct hr_findings *findings);
/* The same from an element of a pipeline file. */
enum hr_status hr_stage_from_json(const json_t *node, size_t index, struct hr_arena *arena, struct hr_stage **out,
                                  struct hr_error *err);
/* {"type", "id", "params", "fitted"}: an element of a pipeline file. A new reference. */
json_t *hr_stage_to_json(const struct hr_stage *stage);
/* After fit_end: saves the fitted values and takes them as if they had been given. */
enum hr_status hr_stage_take_fit(struct hr_stage *stage, struct hr_error *err);
void hr_stage_close(struct hr_stage *stage);

/* Rejects a row in the stage's name: "StringIndexer 'si': column 'cat': unseen label 'x' …". */
void hr_stage_reject(const struct hr_stage *stage, struct hr_chunk *chunk, size_t row, const char *column,
                     const char *format, ...) HR_PRINTF(5, 6);
/* For fit_chunk: a row that the fit cannot use ends it. HR_BAD_DATA; names the record, the stage and the column. */
enum hr_status hr_stage_fail_row(const struct hr_stage *stage, const struct hr_chunk *chunk, size_t row,
                                 struct hr_error *err, const char *column, const char *format, ...) HR_PRINTF(6, 7);
/* The same with a message that names stage and column. record: index into chunk->records. */
enum hr_status hr_stage_fail_record(const struct hr_chunk *chunk, uint32_t record, const char *message,
                                    struct hr_error *err);
/* hr_fail(HR_BAD_CONFIG) with the stage's name before the text. */
enum hr_status hr_stage_fail(const struct hr_stage *stage, struct hr_error *err, const char *format, ...)
    HR_PRINTF(3, 4);

#endif
