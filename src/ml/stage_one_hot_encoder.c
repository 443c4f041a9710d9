/* SPDX-License-Identifier: Apache-2.0
 *
 * OneHotEncoder: a category number to a sparse vector with a 1 at its place. With n categories:
 *
 *   dropLast   handleInvalid   size    a number that is no category
 *   true       error           n − 1   error; category n − 1 is all zeros
 *   true       keep            n       all zeros
 *   false      error           n       error
 *   false      keep            n + 1   place n
 *
 * The fit takes n from the attribute of the column, or else the largest number plus one; there it refuses fractions,
 * which the transform truncates. Null stays null. Source: org.apache.spark.ml.feature.OneHotEncoder.
 */
#include <math.h>

#include "ml/column_pairs.h"
#include "ml/fitted_values.h"
#include "ml/stage.h"
#include "ml/value_text.h"
#include "ml/vectors.h"

#define CATEGORIES_MAX 2147483646.0

enum encoder_invalid { ENCODER_ERROR, ENCODER_KEEP };

struct encoder_options {
    struct hr_column_pairs columns;
    bool drop_last;
    int handle_invalid;
};

struct encoder {
    struct hr_stage base;
    struct hr_column_pair *pairs;
    uint32_t *sizes; /* categories of each column: fitted */
    bool *scanned;   /* at the fit: the size comes from the rows */
};

static enum hr_status encoder_load(struct hr_stage *stage, const json_t *fitted, struct hr_error *err)
{
    struct encoder *encoder = (struct encoder *)stage;
    size_t columns = hr_column_pairs_count(stage);
    double *sizes;
    size_t count;
    HR_TRY(hr_fitted_doubles(stage, fitted, "categorySizes", &sizes, &count, err));
    if (count != columns) {
        return hr_stage_fail(stage, err, "fitted.categorySizes has %zu elements for %zu columns", count, columns);
    }
    encoder->sizes = hr_arena_calloc(stage->arena, count, sizeof(*encoder->sizes));
    for (size_t i = 0; i < count; i++) {
        if (!(sizes[i] >= 0.0 && sizes[i] <= CATEGORIES_MAX) || sizes[i] != floor(sizes[i])) {
            return hr_stage_fail(stage, err, "fitted.categorySizes[%zu] is no number of categories", i);
        }
        encoder->sizes[i] = (uint32_t)sizes[i];
    }
    return HR_OK;
}

static json_t *encoder_save(const struct hr_stage *stage)
{
    const struct encoder *encoder = (const struct encoder *)stage;
    json_t *sizes = json_array();
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        json_array_append_new(sizes, json_integer(encoder->sizes[i]));
    }
    return json_pack("{s:o}", "categorySizes", sizes);
}

/* Whether the attribute of a column says how many categories there are. HR_BAD_CONFIG for a column that has none. */
static enum hr_status known_categories(const struct hr_stage *stage, const struct hr_attribute *attribute,
                                       const char *column, bool *known, uint32_t *count, struct hr_error *err)
{
    *known = false;
    if (attribute == NULL) {
        return HR_OK;
    }
    if (attribute->kind == HR_ATTRIBUTE_NUMERIC) {
        return hr_stage_fail(stage, err, "column '%s' is known to be continuous; it has no categories", column);
    }
    if (attribute->kind == HR_ATTRIBUTE_BINARY) {
        *known = true;
        *count = 2;
    } else if (attribute->kind == HR_ATTRIBUTE_NOMINAL && (attribute->values != NULL || attribute->value_count > 0)) {
        *known = true;
        *count = (uint32_t)attribute->value_count;
    }
    return HR_OK;
}

/* Names of elements are never empty in Spark, and neither are they here. */
static enum hr_status refuse_empty_names(const struct hr_stage *stage, const struct hr_attribute *attribute,
                                         const char *column, size_t count, struct hr_error *err)
{
    for (size_t i = 0; attribute != NULL && attribute->values != NULL && i < count && i < attribute->value_count; i++) {
        if (attribute->values[i][0] == '\0') {
            hr_stage_fail(stage, err, "column '%s' has an empty string among its labels, which cannot name an element",
                          column);
            return hr_fail_hint(err, "give those rows another label before they are indexed");
        }
    }
    return HR_OK;
}

/* Elements of the vector, with dropLast and handleInvalid taken into account. */
static uint32_t vector_size(const struct encoder_options *options, uint32_t categories)
{
    bool keep = options->handle_invalid == ENCODER_KEEP;
    if (options->drop_last && !keep) {
        return categories > 0 ? categories - 1 : 0;
    }
    return categories + (!options->drop_last && keep ? 1 : 0);
}

static struct hr_attribute *element_attributes(const struct hr_column_pair *pair, const struct hr_attribute *input,
                                               uint32_t size, uint32_t categories, struct hr_arena *arena)
{
    struct hr_attribute *group = hr_vector_size_attribute(size, arena);
    if (group == NULL) {
        return NULL;
    }
    group->name = pair->output_name;
    if (size > HR_NAMED_ELEMENTS_MAX) {
        return group;
    }
    const char **names = input != NULL ? input->values : NULL;
    group->elements = hr_arena_calloc(arena, size, sizeof(*group->elements));
    for (uint32_t i = 0; i < size; i++) {
        group->elements[i].kind = HR_ATTRIBUTE_BINARY;
        if (i >= categories) {
            group->elements[i].name = "invalidValues";
        } else if (names != NULL && i < input->value_count) {
            group->elements[i].name = names[i];
        } else {
            group->elements[i].name = hr_arena_printf(arena, "%u", i);
        }
    }
    return group;
}

static enum hr_status bind_column(struct encoder *encoder, size_t index, struct hr_schema *schema, struct hr_error *err)
{
    const struct hr_stage *stage = &encoder->base;
    const struct encoder_options *options = stage->options;
    struct hr_column_pair *pair = &encoder->pairs[index];
    const struct hr_attribute *input = schema->fields[pair->input].attribute;
    uint32_t size = vector_size(options, encoder->sizes[index]);
    bool known;
    uint32_t categories = 0;
    HR_TRY(known_categories(stage, input, pair->input_name, &known, &categories, err));
    if (known && categories != encoder->sizes[index]) {
        hr_stage_fail(stage, err, "column '%s' has %u categories, the encoder was fitted on %u", pair->input_name,
                      categories, encoder->sizes[index]);
        return hr_fail_hint(err, "fit both again, on the same rows: headrace fit QUERY.yaml -o PIPELINE.json");
    }
    if (known && categories < 2 && options->drop_last && options->handle_invalid == ENCODER_ERROR) {
        hr_stage_fail(stage, err, "column '%s' has fewer than two categories; dropLast leaves nothing to encode",
                      pair->input_name);
        return hr_fail_hint(err, "set dropLast: false, or handleInvalid: keep");
    }
    HR_TRY(refuse_empty_names(stage, input, pair->input_name, size, err));
    struct hr_attribute *group = element_attributes(pair, input, size, encoder->sizes[index], stage->arena);
    return hr_schema_add(schema, pair->output_name, HR_TYPE_VECTOR, group, &pair->output, err);
}

static enum hr_status encoder_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct encoder *encoder = (struct encoder *)stage;
    HR_TRY(hr_column_pairs_find(stage, schema, HR_TYPE_MASK_NUMERIC, "a category number", &encoder->pairs, err));
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        HR_TRY(bind_column(encoder, i, schema, err));
    }
    return HR_OK;
}

static void reject_number(const struct hr_stage *stage, struct hr_chunk *chunk, size_t row,
                          const struct hr_column_pair *pair, uint32_t categories)
{
    char text[HR_NUMBER_TEXT_MAX];
    struct hr_str value = hr_value_text(&chunk->columns[pair->input], row, text);
    bool negative = hr_column_number(&chunk->columns[pair->input], row) < 0.0;
    hr_stage_reject(stage, chunk, row, pair->input_name,
                    "%s value: %.*s, the fit saw categories below %u; handleInvalid: keep takes such values",
                    negative ? "Negative" : "Unseen", HR_STR_ARGS(value), categories);
}

static void encode_column(const struct hr_stage *stage, struct hr_chunk *chunk, const struct hr_column_pair *pair,
                          uint32_t categories)
{
    static const double one = 1.0;
    const struct encoder_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[pair->input];
    struct hr_column *output = &chunk->columns[pair->output];
    uint32_t size = vector_size(options, categories);
    uint32_t *places = hr_arena_array(chunk->arena, chunk->rows, uint32_t);
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_column_set_null(output, row, chunk->rows, chunk->arena);
            continue;
        }
        double value = hr_column_number(input, row);
        bool valid = value >= 0.0 && value < (double)categories;
        if (!valid && options->handle_invalid == ENCODER_ERROR) {
            reject_number(stage, chunk, row, pair, categories);
        }
        places[row] = valid ? (uint32_t)value : categories;
        /* A fraction above the last place that there is, as 2.5 of size 2, has none. */
        bool present = valid ? value < (double)size : categories < size;
        output->vectors[row] = (struct hr_vector){&one, &places[row], size, present ? 1 : 0};
    }
}

static void encoder_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct encoder *encoder = (const struct encoder *)stage;
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        encode_column(stage, chunk, &encoder->pairs[i], encoder->sizes[i]);
    }
}

static enum hr_status encoder_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    struct encoder *encoder = (struct encoder *)stage;
    size_t columns = hr_column_pairs_count(stage);
    HR_TRY(hr_column_pairs_find(stage, schema, HR_TYPE_MASK_NUMERIC, "a category number", &encoder->pairs, err));
    encoder->sizes = hr_arena_calloc(stage->arena, columns, sizeof(*encoder->sizes));
    encoder->scanned = hr_arena_calloc(stage->arena, columns, sizeof(*encoder->scanned));
    for (size_t i = 0; i < columns; i++) {
        const struct hr_column_pair *pair = &encoder->pairs[i];
        const struct hr_attribute *attribute = schema->fields[pair->input].attribute;
        bool known;
        HR_TRY(known_categories(stage, attribute, pair->input_name, &known, &encoder->sizes[i], err));
        HR_TRY(refuse_empty_names(stage, attribute, pair->input_name, SIZE_MAX, err));
        encoder->scanned[i] = !known;
        if (!known) {
            encoder->sizes[i] = 1; /* of no rows, as in Spark */
        }
    }
    return HR_OK;
}

static enum hr_status scan_column(struct encoder *encoder, size_t index, const struct hr_chunk *chunk,
                                  struct hr_error *err)
{
    const struct hr_stage *stage = &encoder->base;
    const struct hr_column_pair *pair = &encoder->pairs[index];
    const struct hr_column *input = &chunk->columns[pair->input];
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            return hr_stage_fail_row(stage, chunk, row, err, pair->input_name,
                                     "null is no category; values must be indices 0, 1, …");
        }
        double value = hr_column_number(input, row);
        if (!(value >= 0.0 && value <= CATEGORIES_MAX) || value != floor(value)) {
            char text[HR_NUMBER_TEXT_MAX];
            struct hr_str shown = hr_value_text(input, row, text);
            return hr_stage_fail_row(stage, chunk, row, err, pair->input_name,
                                     "values must be indices 0, 1, …, but this is %.*s", HR_STR_ARGS(shown));
        }
        if (value >= (double)encoder->sizes[index]) {
            encoder->sizes[index] = (uint32_t)value + 1;
        }
    }
    return HR_OK;
}

static enum hr_status encoder_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct encoder *encoder = (struct encoder *)stage;
    for (size_t i = 0; i < hr_column_pairs_count(stage); i++) {
        if (encoder->scanned[i]) {
            HR_TRY(scan_column(encoder, i, chunk, err));
        }
    }
    return HR_OK;
}

static enum hr_status encoder_fit_end(struct hr_stage *stage HR_UNUSED, bool *again, struct hr_error *err HR_UNUSED)
{
    *again = false;
    return HR_OK;
}

static const char *const invalid_choices[] = {"error", "keep", NULL};

static const struct hr_option encoder_rows[] = {
    HR_COLUMN_PAIR_OPTIONS(struct encoder_options, "column of category numbers"),
    HR_OPTION(struct encoder_options, drop_last, "dropLast", BOOL, .fallback = "true",
              .help = "no element for the last category"),
    HR_OPTION(struct encoder_options, handle_invalid, "handleInvalid", CHOICE, .fallback = "error",
              .choices = invalid_choices,
              .help = "what to do with numbers that the fit did not see; keep: a category of their own"),
};

const struct hr_stage_type hr_stage_one_hot_encoder = {
    .kind =
        {
            .name = "OneHotEncoder",
            .summary = "category numbers to vectors with one 1",
            .doc = "Category i becomes a sparse vector with a 1 at place i. The number of categories comes from the "
                   "labels of the column (StringIndexer) or from the largest number of the fit. Null stays null. "
                   "Fitted values: categorySizes. Spark: org.apache.spark.ml.feature.OneHotEncoder.",
            .example = "{ type: OneHotEncoder, inputCols: [cityIndex], outputCols: [cityVector],\n"
                       "  fitted: { categorySizes: [4] } }",
            .options = {encoder_rows, HR_ARRAY_LEN(encoder_rows)},
            .options_size = sizeof(struct encoder_options),
            .instance_size = sizeof(struct encoder),
        },
    .flags = HR_STAGE_ESTIMATOR,
    .check = hr_column_pairs_check,
    .load = encoder_load,
    .save = encoder_save,
    .bind = encoder_bind,
    .transform = encoder_transform,
    .fit_begin = encoder_fit_begin,
    .fit_chunk = encoder_fit_chunk,
    .fit_end = encoder_fit_end,
};
