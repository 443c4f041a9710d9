/* SPDX-License-Identifier: Apache-2.0
 *
 * What the scalers that are fitted on vectors have in common: one vector column in, one out, all rows of one size, two
 * fitted lists of that size. What a scaler computes is its own.
 */
#ifndef HR_ML_VECTOR_SCALER_H
#define HR_ML_VECTOR_SCALER_H

#include "ml/stage.h"

/* First member of a scaler's options. */
struct hr_vector_scaler_options {
    const char *input_col;
    const char *output_col;
};

/* First member of a scaler. */
struct hr_vector_scaler {
    struct hr_stage base;
    size_t input;
    size_t output;
    size_t size; /* of the fitted vectors; during a fit 0 before the first row */
};

#define HR_VECTOR_SCALER_OPTIONS(type) \
    HR_OPTION(type, columns.input_col, "inputCol", STRING, .required = true, .help = "vector column to scale"), \
        HR_OPTION(type, columns.output_col, "outputCol", STRING, .required = true, .help = "vector column to make")

/* Two fitted lists of one size, which becomes the scaler's. */
enum hr_status hr_vector_scaler_load(struct hr_vector_scaler *scaler, const json_t *fitted, const char *first_key,
                                     double **first, const char *second_key, double **second, struct hr_error *err);
/* The stage's bind. */
enum hr_status hr_vector_scaler_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err);
/* Is the row's vector there, of the fitted size? Rejects the row where it is not. */
bool hr_vector_scaler_takes(struct hr_stage *stage, struct hr_chunk *chunk, size_t row);

/* The size is known. */
typedef void hr_vector_scaler_begin(struct hr_vector_scaler *scaler);
typedef void hr_vector_scaler_take(struct hr_vector_scaler *scaler, const struct hr_vector *vector);

/* The stage's fit_begin: finds the input, forgets the size. */
enum hr_status hr_vector_scaler_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err);
/* begin at the first row, take for each. */
enum hr_status hr_vector_scaler_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk,
                                          hr_vector_scaler_begin *begin, hr_vector_scaler_take *take,
                                          struct hr_error *err);
/* Were there rows? */
enum hr_status hr_vector_scaler_fit_end(struct hr_stage *stage, bool *again, struct hr_error *err);

#endif
