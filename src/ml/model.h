/* SPDX-License-Identifier: Apache-2.0
 *
 * The model kind: scores rows and learns from the labelled ones. All that it learns lives in `state` (paged memory,
 * little-endian, a struct hr_model_head first), so that a checkpoint is its dirty pages and a resume is bit-exact.
 *
 * Two families on purpose: Streaming… scores a whole batch with the model before it, then learns (Spark);
 * Online… is row by row: each row is scored with what all earlier rows taught, then learned.
 *
 * Life cycle, on the query's thread: hr_model_new → bind (adds prediction columns to the schema, sizes state where the
 * dimension is known) → per chunk learn (or score) → per batch end_batch → close. A null label is scored, not learned.
 * A row that the model cannot use (bad label, wrong vector size) is hr_chunk_reject(HR_REASON_MODEL) naming model,
 * column and value. Non-finite features or results are caught: the row is scored, not learned, and counted in
 * head->nonfinite; state never becomes non-finite.
 */
#ifndef HR_ML_MODEL_H
#define HR_ML_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/kind.h"
#include "base/paged.h"
#include "base/status.h"
#include "data/chunk.h"

enum hr_model_task { HR_TASK_CLASSIFICATION, HR_TASK_REGRESSION, HR_TASK_CLUSTERING };

/* At offset 0 of every model's state. */
struct hr_model_head {
    uint64_t format;  /* layout version of the type, from 1 */
    uint64_t version; /* +1 a batch that taught something */
    uint64_t rows_learned;
    uint64_t nonfinite; /* rows not learned because a feature or the result was not finite */
    uint64_t dimension; /* 0: not known yet */
    uint64_t reserved[3];
};

struct hr_model;

struct hr_model_type {
    struct hr_kind kind;
    enum hr_model_task task;
    bool row_by_row;
    void (*check)(struct hr_model *model, struct hr_findings *findings);
    enum hr_status (*bind)(struct hr_model *model, struct hr_schema *schema, struct hr_error *err);
    /* Fills the prediction columns; changes no state. */
    void (*score)(struct hr_model *model, struct hr_chunk *chunk);
    /* Fills the prediction columns and learns: at once (row by row), or by remembering the chunk for end_batch. */
    enum hr_status (*learn)(struct hr_model *model, struct hr_chunk *chunk, struct hr_error *err);
    /* After the last chunk of a batch, also an empty one. NULL: nothing to do. */
    enum hr_status (*end_batch)(struct hr_model *model, struct hr_error *err);
    /* "state" of `checkpoint inspect`, from state bytes and "params" alone. A new reference. */
    json_t *(*inspect)(const void *state, size_t size, const json_t *params);
    /* The other way, after bind, for scoring alone: predicts as the model did that inspect wrote. What only learning
     * needs (an optimizer's sums) is not there, so the model must not learn from here on. */
    enum hr_status (*restore)(struct hr_model *model, const json_t *state, struct hr_error *err);
    void (*close)(struct hr_model *model);
};

/* Options that all models share; first member of each type's options struct. */
struct hr_model_columns {
    const char *features_col;
    const char *label_col;
    const char *prediction_col;
    const char *raw_prediction_col;
    const char *probability_col;
    const char *distance_col;
};

#define HR_MODEL_OPTION_FEATURES(type) \
    HR_OPTION(type, columns.features_col, "featuresCol", STRING, .fallback = "features", \
              .help = "vector column that the model reads")
#define HR_MODEL_OPTION_LABEL(type) \
    HR_OPTION(type, columns.label_col, "labelCol", STRING, .fallback = "label", \
              .help = "numeric column with the truth; null: the row is scored, not learned")
#define HR_MODEL_OPTION_RAW_PREDICTION(type) \
    HR_OPTION(type, columns.raw_prediction_col, "rawPredictionCol", STRING, .fallback = "rawPrediction", \
              .help = "vector column that receives [-margin, margin]; empty: none")
#define HR_MODEL_OPTION_PROBABILITY(type) \
    HR_OPTION(type, columns.probability_col, "probabilityCol", STRING, .fallback = "probability", \
              .help = "vector column that receives [P(0), P(1)]; empty: none")
#define HR_MODEL_OPTION_PREDICTION(type) \
    HR_OPTION(type, columns.prediction_col, "predictionCol", STRING, .fallback = "prediction", \
              .help = "column that receives the prediction")

/* First member of a model's own struct. */
struct hr_model {
    const struct hr_model_type *type;
    const char *id;
    void *options; /* starts with struct hr_model_columns */
    struct hr_paged state;
    struct hr_place place;
    const struct hr_yaml *node; /* as written; during check */
    struct hr_arena *arena;     /* of the query */
    size_t features;            /* column indices after bind; SIZE_MAX: none */
    bool label_given;           /* labelCol is written out: it must be there */
    size_t label;
    size_t prediction;
    size_t raw_prediction;
    size_t probability;
    size_t distance;
};

static inline struct hr_model_head *hr_model_head(const struct hr_model *model)
{
    return (struct hr_model_head *)model->state.data;
}

#define HR_MODEL_TYPES(X) \
    X(streaming_logistic_regression) \
    X(streaming_linear_regression) \
    X(streaming_k_means) \
    X(online_logistic_regression)

#define HR_MODEL_EXTERN(name) extern const struct hr_model_type hr_model_##name;
HR_MODEL_TYPES(HR_MODEL_EXTERN)
#undef HR_MODEL_EXTERN

extern const struct hr_model_type *const hr_model_types[];
extern const size_t hr_model_type_count;

const struct hr_model_type *hr_model_type_find(const char *name);
/* Reads `model:`. NULL when there are findings. */
struct hr_model *hr_model_new(const struct hr_yaml *node, struct hr_arena *arena, struct hr_findings *findings);
/* Finds featuresCol and labelCol (numeric or boolean; a missing label column is allowed for scoring only when
 * need_label is false) and adds predictionCol and the others that the task has. For bind callbacks. */
enum hr_status hr_model_bind_columns(struct hr_model *model, struct hr_schema *schema, bool need_label,
                                     struct hr_error *err);
enum hr_status hr_model_bind(struct hr_model *model, struct hr_schema *schema, struct hr_error *err);
void hr_model_score(struct hr_model *model, struct hr_chunk *chunk);
enum hr_status hr_model_learn(struct hr_model *model, struct hr_chunk *chunk, struct hr_error *err);
enum hr_status hr_model_end_batch(struct hr_model *model, struct hr_error *err);
void hr_model_reject(const struct hr_model *model, struct hr_chunk *chunk, size_t row, const char *column,
                     const char *format, ...) HR_PRINTF(5, 6);

/* For the callbacks of a type. Prediction columns of a chunk, allocated; NULL where the model has no such column. */
struct hr_model_output {
    double *prediction;  /* classification, regression */
    int64_t *cluster;    /* clustering */
    double *raw;         /* two a row: −margin, margin */
    double *probability; /* two a row: P(0), P(1) */
    double *distance;    /* Euclidean, to the assigned centre */
};
void hr_model_output_begin(const struct hr_model *model, struct hr_chunk *chunk, struct hr_model_output *output);
/* Class 1 iff P(1) > threshold. A margin that is NaN gives NaN everywhere. */
void hr_model_output_margin(const struct hr_model_output *output, size_t row, double margin, double probability,
                            double threshold);
/* The same, with the probability that the margin has. Returns P(1). */
double hr_model_output_binary(const struct hr_model_output *output, size_t row, double margin, double threshold);
/* The row's feature vector; NULL when the row was rejected because it is null or not of this dimension (0: any). */
const struct hr_vector *hr_model_features(const struct hr_model *model, struct hr_chunk *chunk, size_t row,
                                          uint64_t dimension);
/* *label of a row that can be learned from; false when it is null or the chunk has no label. */
static inline bool hr_model_label(const struct hr_model *model, const struct hr_chunk *chunk, size_t row, double *label)
{
    if (model->label == SIZE_MAX || hr_column_is_null(&chunk->columns[model->label], row)) {
        return false;
    }
    *label = hr_column_number(&chunk->columns[model->label], row);
    return true;
}
/* The same for classes: a label that is not 0 or 1 rejects the row, and the result is false. */
bool hr_model_binary_label(const struct hr_model *model, struct hr_chunk *chunk, size_t row, double *label);
/* Size of the feature vectors as far as the schema knows it, else 0. After hr_model_bind_columns. */
uint64_t hr_model_known_dimension(const struct hr_model *model, const struct hr_schema *schema);
/* A JSON number; NaN and the infinities as strings. A new reference. */
json_t *hr_model_json_double(double value);
json_t *hr_model_json_doubles(const double *values, size_t count);
/* For restore: the list state[key] as count finite numbers. HR_BAD_CONFIG names the key. */
enum hr_status hr_model_read_doubles(const json_t *state, const char *key, size_t count, double *out,
                                     struct hr_error *err);

/* {"id", "type", "params"}. A new reference. */
json_t *hr_model_to_json(const struct hr_model *model);
void hr_model_close(struct hr_model *model);

#endif
