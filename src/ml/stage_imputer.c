/* SPDX-License-Identifier: Apache-2.0
 *
 * Imputer: puts the mean, median or mode of the fit in place of null and of missingValue (by default NaN). The fit
 * leaves out null, NaN and missingValue; with another missingValue NaN stays what it is. Columns keep their type: a
 * surrogate of 2.33 is 2 in a column of integers. Source: org.apache.spark.ml.feature.Imputer.
 */
#include <math.h>
#include <string.h>

#include "ml/column_pairs.h"
#include "ml/fitted_values.h"
#include "ml/stage.h"
#include "ml/surrogate.h"
#include "ml/value_text.h"

struct imputer_options {
    struct hr_column_pairs columns;
    int strategy; /* enum hr_surrogate_kind */
    double missing_value;
    double relative_error;
};

struct imputer {
    struct hr_stage base;
    struct hr_column_pair *pairs;
    double *surrogates;        /* fitted, one a column */
    struct hr_surrogate *fits; /* one a column */
    size_t fit_count;
};

static enum hr_status imputer_load(struct hr_stage *stage, const json_t *fitted, struct hr_error *err)
{
    struct imputer *imputer = (struct imputer *)stage;
    size_t columns = hr_column_pairs_count(stage);
    size_t count;
    HR_TRY(hr_fitted_doubles(stage, fitted, "surrogates", &imputer->surrogates, &count, err));
    if (count != columns) {
        return hr_stage_fail(stage, err, "fitted.surrogates has %zu elements for %zu columns", count, columns);
    }
    return HR_OK;
}

static json_t *imputer_save(const struct hr_stage *stage)
{
    const struct imputer *imputer = (const struct imputer *)stage;
    return json_pack("{s:o}", "surrogates", hr_fitted_from_doubles(imputer->surrogates, hr_column_pairs_count(stage)));
}

/* The surrogate must be a value of the column's type once its fraction is cut off. */
static enum hr_status check_fits(const struct hr_stage *stage, enum hr_type type, const char *column, double surrogate,
                                 struct hr_error *err)
{
    bool fits = true;
    if (type == HR_TYPE_INT) {
        fits = surrogate > -2147483649.0 && surrogate < 2147483648.0;
    } else if (type == HR_TYPE_LONG) {
        fits = surrogate >= -0x1p63 && surrogate < 0x1p63;
    }
    if (!fits) {
        return hr_stage_fail(stage, err, "column '%s' is %s, and its surrogate %g does not fit that type", column,
                             hr_type_name(type), surrogate);
    }
    return HR_OK;
}

static enum hr_status find_inputs(struct imputer *imputer, const struct hr_schema *schema, struct hr_error *err)
{
    return hr_column_pairs_find(&imputer->base, schema, HR_TYPE_MASK_NUMERIC, "a number", &imputer->pairs, err);
}

static enum hr_status imputer_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct imputer *imputer = (struct imputer *)stage;
    HR_TRY(find_inputs(imputer, schema, err));
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        struct hr_column_pair *pair = &imputer->pairs[i];
        enum hr_type type = schema->fields[pair->input].type;
        HR_TRY(check_fits(stage, type, pair->input_name, imputer->surrogates[i], err));
        HR_TRY(hr_schema_add(schema, pair->output_name, type, NULL, &pair->output, err));
    }
    return HR_OK;
}

/* As Spark's SQL compares: NaN equals NaN. */
static bool is_missing(double value, double missing)
{
    return value == missing || (isnan(value) && isnan(missing));
}

static bool any_missing(const struct hr_column *input, size_t rows, double missing)
{
    if (input->valid != NULL) {
        return true;
    }
    bool whole = input->type == HR_TYPE_INT || input->type == HR_TYPE_LONG;
    if (whole && isnan(missing)) {
        return false;
    }
    int found = 0;
    for (size_t row = 0; row < rows; row++) {
        found |= is_missing(whole ? (double)input->longs[row] : input->doubles[row], missing);
    }
    return found != 0;
}

static void impute_column(struct hr_chunk *chunk, const struct hr_column_pair *pair, double missing, double surrogate)
{
    const struct hr_column *input = &chunk->columns[pair->input];
    struct hr_column *output = &chunk->columns[pair->output];
    if (!any_missing(input, chunk->rows, missing)) {
        *output = *input;
        return;
    }
    hr_column_init(output, input->type, chunk->rows, chunk->arena);
    if (input->type == HR_TYPE_INT || input->type == HR_TYPE_LONG) {
        int64_t whole = (int64_t)surrogate;
        for (size_t row = 0; row < chunk->rows; row++) {
            bool replace = hr_column_is_null(input, row) || is_missing((double)input->longs[row], missing);
            output->longs[row] = replace ? whole : input->longs[row];
        }
        return;
    }
    double value = input->type == HR_TYPE_FLOAT ? (double)(float)surrogate : surrogate;
    for (size_t row = 0; row < chunk->rows; row++) {
        bool replace = hr_column_is_null(input, row) || is_missing(input->doubles[row], missing);
        output->doubles[row] = replace ? value : input->doubles[row];
    }
}

static void imputer_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct imputer *imputer = (const struct imputer *)stage;
    const struct imputer_options *options = stage->options;
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        impute_column(chunk, &imputer->pairs[i], options->missing_value, imputer->surrogates[i]);
    }
}

static void release_fits(struct imputer *imputer)
{
    for (size_t i = 0; i < imputer->fit_count; i++) {
        hr_surrogate_release(&imputer->fits[i]);
    }
    imputer->fit_count = 0;
}

static enum hr_status imputer_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    struct imputer *imputer = (struct imputer *)stage;
    const struct imputer_options *options = stage->options;
    size_t columns = hr_column_pairs_count(stage);
    HR_TRY(find_inputs(imputer, schema, err));
    release_fits(imputer);
    imputer->fits = hr_arena_calloc(stage->arena, columns, sizeof(*imputer->fits));
    imputer->fit_count = columns;
    for (size_t i = 0; i < columns; i++) {
        hr_surrogate_init(&imputer->fits[i], (enum hr_surrogate_kind)options->strategy);
    }
    return HR_OK;
}

static enum hr_status imputer_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk,
                                        struct hr_error *err HR_UNUSED)
{
    struct imputer *imputer = (struct imputer *)stage;
    const struct imputer_options *options = stage->options;
    for (size_t i = 0; i < imputer->fit_count; i++) {
        const struct hr_column *input = &chunk->columns[imputer->pairs[i].input];
        for (size_t row = 0; row < chunk->rows; row++) {
            double value = hr_column_number(input, row);
            if (!hr_column_is_null(input, row) && !isnan(value) && value != options->missing_value) {
                hr_surrogate_add(&imputer->fits[i], value);
            }
        }
    }
    return HR_OK;
}

static enum hr_status no_surrogate(const struct hr_stage *stage, const struct hr_column_pair *pair,
                                   const struct hr_surrogate *fit, struct hr_error *err)
{
    const struct imputer_options *options = stage->options;
    char text[HR_NUMBER_TEXT_MAX];
    size_t length = hr_number_format_java(options->missing_value, text);
    if (fit->count == 0) {
        hr_stage_fail(stage, err,
                      "the surrogate of column '%s' cannot be computed: all its values are null, NaN or "
                      "missingValue (%.*s)",
                      pair->input_name, (int)length, text);
        return hr_fail_hint(err, "leave the column out, or give its value: fitted: { surrogates: [0.0] }");
    }
    hr_stage_fail(stage, err, "the surrogate of column '%s' cannot be computed: the mean of its values is NaN",
                  pair->input_name);
    return hr_fail_hint(err, "it holds both Infinity and -Infinity; strategy: median or mode has no trouble with them");
}

static enum hr_status imputer_fit_end(struct hr_stage *stage, bool *again, struct hr_error *err)
{
    struct imputer *imputer = (struct imputer *)stage;
    *again = false;
    for (size_t i = 0; i < imputer->fit_count; i++) {
        *again |= hr_surrogate_end_pass(&imputer->fits[i]);
    }
    if (*again) {
        return HR_OK;
    }
    imputer->surrogates = hr_arena_array(stage->arena, imputer->fit_count, double);
    for (size_t i = 0; i < imputer->fit_count; i++) {
        imputer->surrogates[i] = hr_surrogate_value(&imputer->fits[i]);
        if (isnan(imputer->surrogates[i])) {
            return no_surrogate(stage, &imputer->pairs[i], &imputer->fits[i], err);
        }
    }
    release_fits(imputer);
    return HR_OK;
}

static void imputer_close(struct hr_stage *stage)
{
    release_fits((struct imputer *)stage);
}

static const char *const strategy_choices[] = {
    [HR_SURROGATE_MEAN] = "mean", [HR_SURROGATE_MEDIAN] = "median", [HR_SURROGATE_MODE] = "mode", NULL};

static const struct hr_option imputer_rows[] = {
    HR_COLUMN_PAIR_OPTIONS(struct imputer_options, "numeric column"),
    HR_OPTION(struct imputer_options, strategy, "strategy", CHOICE, .fallback = "mean", .choices = strategy_choices,
              .help = "what takes the place of missing values"),
    HR_OPTION(struct imputer_options, missing_value, "missingValue", DOUBLE, .fallback = "NaN",
              .help = "the value that counts as missing; null always does"),
    HR_OPTION(struct imputer_options, relative_error, "relativeError", DOUBLE, .fallback = "0.001", .minimum = 0.0,
              .maximum = 1.0, .help = "accepted for Spark's sake; the median is exact"),
};

const struct hr_stage_type hr_stage_imputer = {
    .kind =
        {
            .name = "Imputer",
            .summary = "fills missing numbers with mean, median or mode",
            .doc = "Null and missingValue become the mean, the (lower) median or the (smallest) mode of the fit. "
                   "Columns keep their type. The median takes four passes over the training rows and little memory. "
                   "Fitted values: surrogates. Spark: org.apache.spark.ml.feature.Imputer.",
            .example = "{ type: Imputer, inputCols: [amount, age], outputCols: [amountF, ageF], strategy: median,\n"
                       "  fitted: { surrogates: [12.5, 40.0] } }",
            .options = {imputer_rows, HR_ARRAY_LEN(imputer_rows)},
            .options_size = sizeof(struct imputer_options),
            .instance_size = sizeof(struct imputer),
        },
    .flags = HR_STAGE_ESTIMATOR,
    .check = hr_column_pairs_check,
    .load = imputer_load,
    .save = imputer_save,
    .bind = imputer_bind,
    .transform = imputer_transform,
    .fit_begin = imputer_fit_begin,
    .fit_chunk = imputer_fit_chunk,
    .fit_end = imputer_fit_end,
    .close = imputer_close,
};
