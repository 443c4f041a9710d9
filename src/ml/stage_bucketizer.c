/* SPDX-License-Identifier: Apache-2.0
 *
 * Bucketizer: numbers to bucket numbers. Splits s0 < s1 < … < sn make n buckets [s_i, s_i+1), the last one closed. NaN
 * is an error, a row to skip, or a bucket of its own (number n); a value outside the splits is always an error. Zeros
 * are ordered as in java.util.Arrays.binarySearch: −0.0 is below 0.0. Source: org.apache.spark.ml.feature.Bucketizer.
 */
#include <math.h>

#include "base/number.h"
#include "ml/column_pairs.h"
#include "ml/stage.h"

/* Buckets of so few splits are found by counting, many rows at a time; those of more by halving. */
#define COUNTED_SPLITS 24u
#define BLOCK_ROWS 256u

enum bucketizer_invalid { BUCKETIZER_ERROR, BUCKETIZER_SKIP, BUCKETIZER_KEEP };

struct bucketizer_options {
    struct hr_column_pairs columns;
    struct hr_double_list splits;
    struct hr_double_lists splits_array;
    int handle_invalid;
};

struct bucketizer {
    struct hr_stage base;
    struct hr_column_pair *pairs;
};

static const struct hr_double_list *splits_of(const struct bucketizer_options *options, size_t i)
{
    return options->splits_array.count > 0 ? &options->splits_array.items[i] : &options->splits;
}

static void check_splits(const struct hr_stage *stage, const struct hr_double_list *splits,
                         struct hr_findings *findings)
{
    if (splits->count < 3) {
        hr_findings_error(findings, &stage->place, "Bucketizer: %zu splits; at least 3 are needed", splits->count);
        return;
    }
    for (size_t i = 0; i + 1 < splits->count; i++) {
        if (!(splits->items[i] < splits->items[i + 1])) {
            hr_findings_error(findings, &stage->place, "Bucketizer: splits must ascend, but %g comes before %g",
                              splits->items[i], splits->items[i + 1]);
            return;
        }
    }
}

static void bucketizer_check(struct hr_stage *stage, struct hr_findings *findings)
{
    const struct bucketizer_options *options = stage->options;
    hr_column_pairs_check(stage, findings);
    bool several = options->columns.input_cols.count > 0;
    if (options->splits.count > 0 && options->splits_array.count > 0) {
        hr_findings_error(findings, &stage->place, "Bucketizer: 'splits' and 'splitsArray' exclude each other");
        return;
    }
    if (!several) {
        if (options->splits_array.count > 0) {
            hr_findings_error(findings, &stage->place, "Bucketizer: 'splitsArray' goes with inputCols; use 'splits'");
            return;
        }
        check_splits(stage, &options->splits, findings);
        return;
    }
    if (options->splits_array.count != options->columns.input_cols.count) {
        hr_findings_error(findings, &stage->place, "Bucketizer: %zu lists in splitsArray for %zu inputCols",
                          options->splits_array.count, options->columns.input_cols.count);
        return;
    }
    for (size_t i = 0; i < options->splits_array.count; i++) {
        check_splits(stage, &options->splits_array.items[i], findings);
    }
}

/* "-0.5, 0.0": how Spark names a bucket. */
static const char *bucket_name(double low, double high, struct hr_arena *arena)
{
    char first[HR_NUMBER_TEXT_MAX];
    char second[HR_NUMBER_TEXT_MAX];
    size_t first_length = hr_number_format_java(low, first);
    size_t second_length = hr_number_format_java(high, second);
    return hr_arena_printf(arena, "%.*s, %.*s", (int)first_length, first, (int)second_length, second);
}

/* As in Spark, the bucket that keep makes for NaN is not among the values. */
static struct hr_attribute *bucket_attribute(const char *name, const struct hr_double_list *splits,
                                             struct hr_arena *arena)
{
    struct hr_attribute *attribute = hr_arena_new(arena, struct hr_attribute);
    attribute->kind = HR_ATTRIBUTE_NOMINAL;
    attribute->name = name;
    attribute->value_count = splits->count - 1;
    attribute->values = hr_arena_array(arena, attribute->value_count, const char *);
    for (size_t i = 0; i + 1 < splits->count; i++) {
        attribute->values[i] = bucket_name(splits->items[i], splits->items[i + 1], arena);
    }
    return attribute;
}

static enum hr_status bucketizer_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct bucketizer *bucketizer = (struct bucketizer *)stage;
    const struct bucketizer_options *options = stage->options;
    HR_TRY(hr_column_pairs_find(stage, schema, HR_TYPE_MASK_NUMERIC, "a number", &bucketizer->pairs, err));
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        struct hr_column_pair *pair = &bucketizer->pairs[i];
        struct hr_attribute *attribute = bucket_attribute(pair->output_name, splits_of(options, i), stage->arena);
        HR_TRY(hr_schema_add(schema, pair->output_name, HR_TYPE_DOUBLE, attribute, &pair->output, err));
    }
    return HR_OK;
}

/* Double.compare(a, b) < 0, where neither is NaN. */
static bool is_below(double a, double b)
{
    return a < b || (a == b && signbit(a) && !signbit(b));
}

/* The bucket of a value that is not NaN; −1: outside. */
static double find_bucket(const struct hr_double_list *splits, double value)
{
    const double *items = splits->items;
    size_t last = splits->count - 1;
    if (value == items[last]) {
        return (double)(last - 1);
    }
    size_t low = 0; /* splits before it are at or below the value */
    size_t high = splits->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_below(value, items[middle])) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low == 0 || low == splits->count ? -1.0 : (double)(low - 1);
}

static void reject_value(const struct hr_stage *stage, struct hr_chunk *chunk, size_t row,
                         const struct hr_column_pair *pair, const struct hr_double_list *splits, double value)
{
    char text[HR_NUMBER_TEXT_MAX];
    size_t length = hr_number_format_java(value, text);
    if (isnan(value)) {
        hr_stage_reject(stage, chunk, row, pair->input_name,
                        "NaN has no bucket; handleInvalid: keep gives it one, skip leaves such rows out");
        return;
    }
    hr_stage_reject(stage, chunk, row, pair->input_name, "the value %.*s is outside the splits [%g, %g]", (int)length,
                    text, splits->items[0], splits->items[splits->count - 1]);
}

/* One row, whatever is in it. */
static void bucketize_row(const struct hr_stage *stage, struct hr_chunk *chunk, const struct hr_column_pair *pair,
                          const struct hr_double_list *splits, size_t row)
{
    const struct bucketizer_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[pair->input];
    struct hr_column *output = &chunk->columns[pair->output];
    if (hr_column_is_null(input, row)) {
        output->doubles[row] = 0.0;
        hr_column_set_null(output, row, chunk->rows, chunk->arena);
        return;
    }
    double value = hr_column_number(input, row);
    double bucket = -1.0;
    if (!isnan(value)) {
        bucket = find_bucket(splits, value);
    } else if (options->handle_invalid == BUCKETIZER_KEEP) {
        bucket = (double)(splits->count - 1);
    }
    if (bucket < 0.0 && !chunk->dropped[row]) {
        reject_value(stage, chunk, row, pair, splits, value);
    }
    output->doubles[row] = bucket;
}

/* The number of splits at or below each value, less 1: its bucket, unless it is NaN, -0.0, the last split or outside.
 */
static void count_splits(const struct hr_double_list *splits, const double *restrict values, size_t count,
                         double *restrict out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = -1.0;
    }
    for (size_t j = 0; j < splits->count; j++) {
        double split = splits->items[j];
        for (size_t i = 0; i < count; i++) {
            out[i] += values[i] >= split ? 1.0 : 0.0;
        }
    }
}

static void bucketize_column(const struct hr_stage *stage, struct hr_chunk *chunk, const struct hr_column_pair *pair,
                             const struct hr_double_list *splits)
{
    const struct hr_column *input = &chunk->columns[pair->input];
    struct hr_column *output = &chunk->columns[pair->output];
    hr_column_init(output, HR_TYPE_DOUBLE, chunk->rows, chunk->arena);
    bool counted = splits->count <= COUNTED_SPLITS;
    double last = counted ? (double)(splits->count - 1) : -1.0;
    double values[BLOCK_ROWS];
    for (size_t first = 0; first < chunk->rows; first += BLOCK_ROWS) {
        size_t count = chunk->rows - first < BLOCK_ROWS ? chunk->rows - first : BLOCK_ROWS;
        if (counted) {
            for (size_t i = 0; i < count; i++) {
                values[i] = hr_column_number(input, first + i);
            }
            count_splits(splits, values, count, output->doubles + first);
        }
        for (size_t i = 0; i < count; i++) {
            double bucket = output->doubles[first + i];
            bool plain = bucket >= 0.0 && bucket < last && !(values[i] == 0.0 && signbit(values[i]));
            if (!plain || hr_column_is_null(input, first + i)) {
                bucketize_row(stage, chunk, pair, splits, first + i);
            }
        }
    }
}

/* Rows with a null or NaN in any of the columns go first, so that they are never an error of another column. */
static void skip_rows(const struct hr_stage *stage, struct hr_chunk *chunk, const struct hr_column_pair *pairs)
{
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        const struct hr_column *input = &chunk->columns[pairs[i].input];
        for (size_t row = 0; row < chunk->rows; row++) {
            if (hr_column_is_null(input, row) || isnan(hr_column_number(input, row))) {
                hr_chunk_drop(chunk, row);
            }
        }
    }
}

static void bucketizer_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct bucketizer *bucketizer = (const struct bucketizer *)stage;
    const struct bucketizer_options *options = stage->options;
    if (options->handle_invalid == BUCKETIZER_SKIP) {
        skip_rows(stage, chunk, bucketizer->pairs);
    }
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        bucketize_column(stage, chunk, &bucketizer->pairs[i], splits_of(options, i));
    }
}

static const char *const invalid_choices[] = {"error", "skip", "keep", NULL};

static const struct hr_option bucketizer_rows[] = {
    HR_COLUMN_PAIR_OPTIONS(struct bucketizer_options, "numeric column"),
    HR_OPTION(struct bucketizer_options, splits, "splits", DOUBLES,
              .help = "ascending bounds of the buckets, at least 3; .inf and -.inf are allowed"),
    HR_OPTION(struct bucketizer_options, splits_array, "splitsArray", DOUBLE_LISTS,
              .help = "splits for each of inputCols"),
    HR_OPTION(struct bucketizer_options, handle_invalid, "handleInvalid", CHOICE, .fallback = "error",
              .choices = invalid_choices, .help = "what to do with NaN; skip also drops null, keep makes a bucket"),
};

const struct hr_stage_type hr_stage_bucketizer = {
    .kind =
        {
            .name = "Bucketizer",
            .summary = "numbers to bucket numbers by given splits",
            .doc = "n + 1 splits make n buckets, each with its lower bound, the last one with both. A value outside is "
                   "an error whatever handleInvalid says. Spark: org.apache.spark.ml.feature.Bucketizer.",
            .example = "{ type: Bucketizer, inputCol: age, outputCol: ageGroup, splits: [0.0, 18.0, 65.0, .inf] }",
            .options = {bucketizer_rows, HR_ARRAY_LEN(bucketizer_rows)},
            .options_size = sizeof(struct bucketizer_options),
            .instance_size = sizeof(struct bucketizer),
        },
    .check = bucketizer_check,
    .bind = bucketizer_bind,
    .transform = bucketizer_transform,
};
