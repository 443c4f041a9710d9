/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading fitted values: lists of numbers (with "NaN", "Infinity" and "-Infinity" as strings, or a vector in its sparse
 * form) out of `fitted: {…}`, and writing them.
 */
#ifndef HR_ML_FITTED_VALUES_H
#define HR_ML_FITTED_VALUES_H

#include "ml/stage.h"

/* *out in the stage's arena. HR_BAD_CONFIG names the key when it is missing or no list of numbers. */
enum hr_status hr_fitted_doubles(const struct hr_stage *stage, const json_t *fitted, const char *key, double **out,
                                 size_t *count, struct hr_error *err);
/* A new reference. */
json_t *hr_fitted_from_doubles(const double *values, size_t count);

#endif
