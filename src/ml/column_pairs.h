/* SPDX-License-Identifier: Apache-2.0
 *
 * Input and output columns of a stage that works column by column: inputCol and outputCol for one, inputCols and
 * outputCols for several, as Spark's stages take them. The options, their checks, and the columns found in a schema.
 */
#ifndef HR_ML_COLUMN_PAIRS_H
#define HR_ML_COLUMN_PAIRS_H

#include "ml/stage.h"

/* First member of the options of such a stage. */
struct hr_column_pairs {
    const char *input_col;
    const char *output_col;
    struct hr_string_list input_cols;
    struct hr_string_list output_cols;
};

/* Rows of an option table; type has a member `columns`. */
#define HR_COLUMN_PAIR_OPTIONS(type, what) \
    HR_OPTION(type, columns.input_col, "inputCol", STRING, .help = what), \
        HR_OPTION(type, columns.output_col, "outputCol", STRING, .help = "column to make"), \
        HR_OPTION(type, columns.input_cols, "inputCols", STRINGS, .help = "several columns, instead of inputCol"), \
        HR_OPTION(type, columns.output_cols, "outputCols", STRINGS, \
                  .help = "columns to make, one for each of inputCols")

struct hr_column_pair {
    const char *input_name;
    const char *output_name;
    size_t input; /* indices in the schema */
    size_t output;
};

/* Findings: neither or both forms, lists of different lengths, a name twice. */
void hr_column_pairs_check(struct hr_stage *stage, struct hr_findings *findings);
size_t hr_column_pairs_count(const struct hr_stage *stage);
/* Finds the inputs; output indices are left 0. The array has hr_column_pairs_count elements, in the stage's arena. */
enum hr_status hr_column_pairs_find(const struct hr_stage *stage, const struct hr_schema *schema, unsigned type_mask,
                                    const char *wanted, struct hr_column_pair **out, struct hr_error *err);

#endif
