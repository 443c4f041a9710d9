/* SPDX-License-Identifier: Apache-2.0
 *
 * Where k-means starts: `initialCenters: {centers: [[…]], weights: […]}`, or `{random: {dim, weight, seed}}` with
 * Gaussian centres drawn as Spark's Scala class draws them (org.apache.spark.mllib.clustering.StreamingKMeans).
 */
#ifndef HR_ML_INITIAL_CENTRES_H
#define HR_ML_INITIAL_CENTRES_H

#include <stddef.h>
#include <stdint.h>

#include "base/finding.h"
#include "base/yaml.h"

/* The largest `dim`. */
#define HR_CENTRE_DIMENSION_MAX 10000000

/* Findings for all that is wrong. initial may be NULL; place: of the model. */
void hr_initial_centres_check(const struct hr_yaml *initial, const struct hr_place *place, int64_t k,
                              struct hr_findings *findings);
/* Coordinates of a centre. After a check without findings, like the next one. */
size_t hr_initial_centres_dimension(const struct hr_yaml *initial);
/* centres: count rows of dimension numbers; weights: count. */
void hr_initial_centres_fill(const struct hr_yaml *initial, size_t count, size_t dimension, double *centres,
                             double *weights);

#endif
