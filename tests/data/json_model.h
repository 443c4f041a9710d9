/* SPDX-License-Identifier: Apache-2.0
 *
 * What a JSON record should become, worked out from jansson's tree: the other side of the differential test.
 *
 * Where jansson is known to differ from Headrace, and what is done about it (each exactly under its condition):
 *
 *   - Numbers that do not fit (an integer past int64, a real past the largest double) are an error of jansson's parser;
 *     Headrace judges them by their column. The number is replaced in the text by an array that carries
 *     it (["hr-number:1e999"]), and the text is read again.
 *   - A NUL in a member's name (\u0000) is an error of jansson's parser and nothing special to Headrace. The escape is
 *     replaced by \u0001: no schema has either.
 *   - A NUL byte after a number or a word is passed over by jansson 2.14 (what its scanner puts back looks like the end
 *     of its buffer). It is no JSON, so a record with a NUL byte that jansson takes is one that it should not.
 *   - jansson nests 2,048 levels deep, Headrace 128: counted in the text once it is known to be well formed.
 *   - The integer -0 is 0 to jansson, and -0.0 to Headrace where a double is wanted: texts with "-0" are read a second
 *     time with all numbers as reals.
 *   - A float column holds the float next to the text's number; jansson only has the double next to it. Where that
 *     double lies halfway between two floats, either is right here (the test of numbers knows the text).
 *   - \u0000 in a value needs JSON_ALLOW_NUL, anything but an object or array at the top JSON_DECODE_ANY: both are set.
 *   - Of members that come twice both take the last one (JSON_REJECT_DUPLICATES is not set).
 */
#ifndef HR_TESTS_DATA_JSON_MODEL_H
#define HR_TESTS_DATA_JSON_MODEL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "data/chunk.h"
#include "data/json_value.h"

struct model {
    json_t *root;  /* NULL: jansson does not take the record */
    json_t *reals; /* the same with all numbers as reals */
    struct hr_buf text;
    int depth;            /* of the deepest container */
    size_t overflows;     /* numbers that were replaced */
    size_t nuls_in_names; /* that were replaced */
    json_error_t error;
};

void model_init(struct model *model);
void model_release(struct model *model);
/* Reads a record; forgets the one before. */
void model_read(struct model *model, struct hr_str record);

/* The text of a number that was replaced, NULL when the value is not one. */
const char *model_hidden_number(const json_t *value);

/* One column's value in the two trees; both NULL when it is missing. */
struct model_value {
    json_t *value;
    json_t *real;
};
struct model_value model_find(const struct model *model, const struct hr_field *field);
/* What a column makes of it. */
enum hr_json_state model_state(struct model_value value, const struct hr_field *field);
/* What jansson's tree does not tell: a float column whose value lies halfway between the largest float and what is out
 * of range, and epochs with fraction or exponent, which are cut off in decimal. The record is then not compared. */
bool model_is_unsure(const struct model *model, const struct hr_schema *schema);
/* For a state VALUE: is it what stands in the column? */
bool model_same(struct model_value value, const struct hr_field *field, const struct hr_column *column, size_t row);

#endif
