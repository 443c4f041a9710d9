/* SPDX-License-Identifier: Apache-2.0
 *
 * See initial_centres.h.
 */
#include "ml/initial_centres.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "ml/spark_random.h"

static bool read_number(const struct hr_yaml *node, double *out)
{
    return node != NULL && node->kind == HR_YAML_SCALAR &&
           hr_number_parse_double(node->text, strlen(node->text), out) && isfinite(*out);
}

static bool read_integer(const struct hr_yaml *node, int64_t *out)
{
    return node != NULL && node->kind == HR_YAML_SCALAR && hr_number_parse_int64(node->text, strlen(node->text), out);
}

static const struct hr_place *place_of(const struct hr_yaml *node, const struct hr_yaml *parent)
{
    return node != NULL ? &node->place : &parent->place;
}

/* {dim, weight, seed}; seed 0 when it is not given, for a model must not depend on chance. */
static void check_random(const struct hr_yaml *random, struct hr_findings *findings)
{
    int64_t dimension = 0;
    int64_t seed = 0;
    double weight = 0;
    const struct hr_yaml *node = hr_yaml_get(random, "dim");
    if (!read_integer(node, &dimension) || dimension < 1 || dimension > HR_CENTRE_DIMENSION_MAX) {
        hr_findings_error(findings, place_of(node, random), "'dim' must be a number of features from 1 to %d",
                          HR_CENTRE_DIMENSION_MAX);
    }
    node = hr_yaml_get(random, "weight");
    if (!read_number(node, &weight) || weight < 0.0) {
        hr_findings_error(findings, place_of(node, random), "'weight' must be a number that is not negative");
    }
    node = hr_yaml_get(random, "seed");
    if (node != NULL && !read_integer(node, &seed)) {
        hr_findings_error(findings, &node->place, "'seed' must be an integer");
    }
    for (size_t i = 0; i < random->count; i++) {
        static const char *const keys[] = {"dim", "weight", "seed"};
        const char *key = random->keys[i];
        if (strcmp(key, keys[0]) != 0 && strcmp(key, keys[1]) != 0 && strcmp(key, keys[2]) != 0) {
            struct hr_finding *finding = hr_findings_error(findings, &random->key_places[i], "unknown key '%s'", key);
            hr_finding_hint(findings, finding, "random centres take dim, weight and seed");
        }
    }
}

static void check_centres(const struct hr_yaml *initial, int64_t k, struct hr_findings *findings)
{
    const struct hr_yaml *centres = hr_yaml_get(initial, "centers");
    const struct hr_yaml *weights = hr_yaml_get(initial, "weights");
    if (centres->kind != HR_YAML_SEQUENCE || (int64_t)centres->count != k) {
        hr_findings_error(findings, &centres->place, "'centers' must be a list of k = %lld lists of numbers",
                          (long long)k);
        return;
    }
    size_t dimension = centres->items[0]->count;
    for (size_t j = 0; j < centres->count; j++) {
        const struct hr_yaml *row = centres->items[j];
        double ignored;
        if (row->kind != HR_YAML_SEQUENCE || row->count == 0 || row->count != dimension) {
            hr_findings_error(findings, &row->place, "a centre must be a list of numbers, as long as the first one");
            continue;
        }
        for (size_t i = 0; i < row->count; i++) {
            if (!read_number(row->items[i], &ignored)) {
                hr_findings_error(findings, &row->items[i]->place, "a coordinate must be a finite number");
            }
        }
    }
    if (weights == NULL || weights->kind != HR_YAML_SEQUENCE || (int64_t)weights->count != k) {
        hr_findings_error(findings, place_of(weights, initial), "'weights' must be a list of k = %lld numbers",
                          (long long)k);
        return;
    }
    for (size_t j = 0; j < weights->count; j++) {
        double weight;
        if (!read_number(weights->items[j], &weight) || weight < 0.0) {
            hr_findings_error(findings, &weights->items[j]->place, "a weight must be a number that is not negative");
        }
    }
}

void hr_initial_centres_check(const struct hr_yaml *initial, const struct hr_place *place, int64_t k,
                              struct hr_findings *findings)
{
    const struct hr_yaml *random = hr_yaml_get(initial, "random");
    const struct hr_yaml *centres = hr_yaml_get(initial, "centers");
    if (initial == NULL || (random == NULL) == (centres == NULL)) {
        struct hr_finding *finding =
            hr_findings_error(findings, place_of(initial, &(struct hr_yaml){.place = *place}),
                              "'initialCenters' must have either 'centers' and 'weights', or 'random'");
        hr_finding_hint(findings, finding,
                        "{centers: [[0, 0], [1, 1]], weights: [1, 1]} or {random: {dim: 2, weight: 1, seed: 42}}");
        return;
    }
    if (random != NULL) {
        check_random(random, findings);
    } else {
        check_centres(initial, k, findings);
    }
}

size_t hr_initial_centres_dimension(const struct hr_yaml *initial)
{
    const struct hr_yaml *random = hr_yaml_get(initial, "random");
    int64_t dimension = 0;
    if (random == NULL) {
        return hr_yaml_get(initial, "centers")->items[0]->count;
    }
    read_integer(hr_yaml_get(random, "dim"), &dimension);
    return (size_t)dimension;
}

static void fill_random(const struct hr_yaml *node, size_t count, size_t dimension, double *centres, double *weights)
{
    int64_t seed = 0;
    double weight = 0.0;
    read_integer(hr_yaml_get(node, "seed"), &seed);
    read_number(hr_yaml_get(node, "weight"), &weight);
    struct hr_spark_random random;
    hr_spark_random_init(&random, seed);
    for (size_t j = 0; j < count; j++) {
        for (size_t i = 0; i < dimension; i++) {
            centres[j * dimension + i] = hr_spark_random_gaussian(&random);
        }
        weights[j] = weight;
    }
}

static void fill_given(const struct hr_yaml *initial, size_t count, size_t dimension, double *centres, double *weights)
{
    const struct hr_yaml *given = hr_yaml_get(initial, "centers");
    const struct hr_yaml *given_weights = hr_yaml_get(initial, "weights");
    for (size_t j = 0; j < count; j++) {
        for (size_t i = 0; i < dimension; i++) {
            read_number(given->items[j]->items[i], &centres[j * dimension + i]);
        }
        read_number(given_weights->items[j], &weights[j]);
    }
}

void hr_initial_centres_fill(const struct hr_yaml *initial, size_t count, size_t dimension, double *centres,
                             double *weights)
{
    const struct hr_yaml *random = hr_yaml_get(initial, "random");
    if (random != NULL) {
        fill_random(random, count, dimension, centres, weights);
    } else {
        fill_given(initial, count, dimension, centres, weights);
    }
}
