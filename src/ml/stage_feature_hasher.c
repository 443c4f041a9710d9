/* SPDX-License-Identifier: Apache-2.0
 *
 * FeatureHasher: columns of any scalar type into one sparse vector by the hashing trick. A number adds its value at
 * hash(column name); a string, a boolean, and a number declared in categoricalCols add 1 at hash("column=value"), the
 * value as Java's toString writes it. Nulls add nothing. Hash: as HashingTF.
 * Source: org.apache.spark.ml.feature.FeatureHasher (hash of Spark 3 and later).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/murmur3.h"
#include "base/number.h"
#include "ml/hashed_row.h"
#include "ml/stage.h"

struct hasher_options {
    struct hr_string_list input_cols;
    struct hr_string_list categorical_cols;
    const char *output_col;
    int64_t num_features;
};

/* How a column becomes pairs, chosen at bind. */
struct hasher_input {
    size_t column;
    bool categorical;
    const char *name;
    size_t name_length;
    uint32_t index; /* of a number */
    uint32_t boolean_index[2];
    char *prefix;    /* "name=", with room behind it for a number's text */
    uint32_t *small; /* categorical numbers: index of 0 … SMALL_VALUES - 1, so that codes need no text; else NULL */
};

#define SMALL_VALUES 256

struct hasher {
    struct hr_stage base;
    struct hasher_input *inputs;
    size_t output;
};

static uint32_t bucket_of(const char *text, size_t length, int64_t buckets)
{
    return (uint32_t)hr_murmur3_bucket(hr_murmur3_bytes(text, length, HR_MURMUR3_SPARK_SEED), (int32_t)buckets);
}

static bool is_declared(const struct hr_string_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Float.toString: the shortest decimal that reads back to the same float. */
static double shortest_of_float(double value)
{
    char text[32];
    for (int digits = 1; digits < 9; digits++) {
        (void)snprintf(text, sizeof(text), "%.*e", digits - 1, value);
        if ((double)strtof(text, NULL) == value) {
            break;
        }
    }
    double shortest = value;
    return hr_number_parse_double(text, strlen(text), &shortest) ? shortest : value;
}

static uint32_t long_index(const struct hasher_input *input, int64_t value, int64_t buckets)
{
    size_t length = hr_number_format_int64(value, input->prefix + input->name_length + 1);
    return bucket_of(input->prefix, input->name_length + 1 + length, buckets);
}

static uint32_t double_index(const struct hasher_input *input, double value, int64_t buckets)
{
    size_t length = hr_number_format_java(value, input->prefix + input->name_length + 1);
    return bucket_of(input->prefix, input->name_length + 1 + length, buckets);
}

static uint32_t number_index(const struct hasher_input *input, const struct hr_column *column, size_t row,
                             int64_t buckets)
{
    if (column->type == HR_TYPE_INT || column->type == HR_TYPE_LONG) {
        int64_t value = column->longs[row];
        return value >= 0 && value < SMALL_VALUES ? input->small[value] : long_index(input, value, buckets);
    }
    double value = column->doubles[row];
    if (value >= 0 && value < SMALL_VALUES && (double)(int)value == value && !signbit(value)) {
        return input->small[(int)value];
    }
    return double_index(input, column->type == HR_TYPE_FLOAT ? shortest_of_float(value) : value, buckets);
}

static void input_init(struct hasher_input *input, const struct hr_field *field, const struct hasher_options *options,
                       struct hr_arena *arena)
{
    input->name = field->name;
    input->name_length = strlen(field->name);
    input->categorical = field->type == HR_TYPE_STRING || field->type == HR_TYPE_BOOLEAN ||
                         is_declared(&options->categorical_cols, field->name);
    input->index = bucket_of(field->name, input->name_length, options->num_features);
    input->prefix = hr_arena_alloc(arena, input->name_length + 1 + HR_NUMBER_TEXT_MAX);
    memcpy(input->prefix, field->name, input->name_length);
    input->prefix[input->name_length] = '=';
    for (int value = 0; value < 2; value++) {
        const char *text = hr_arena_printf(arena, "%s=%s", field->name, value ? "true" : "false");
        input->boolean_index[value] = bucket_of(text, strlen(text), options->num_features);
    }
    if (input->categorical && hr_type_is_numeric(field->type)) {
        input->small = hr_arena_array(arena, SMALL_VALUES, uint32_t);
        for (int value = 0; value < SMALL_VALUES; value++) {
            bool integer = field->type == HR_TYPE_INT || field->type == HR_TYPE_LONG;
            input->small[value] = integer ? long_index(input, value, options->num_features)
                                          : double_index(input, value, options->num_features);
        }
    }
}

static enum hr_status hasher_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct hasher *hasher = (struct hasher *)stage;
    const struct hasher_options *options = stage->options;
    hasher->inputs = hr_arena_calloc(stage->arena, options->input_cols.count, sizeof(*hasher->inputs));
    for (size_t i = 0; i < options->input_cols.count; i++) {
        struct hasher_input *input = &hasher->inputs[i];
        HR_TRY(hr_schema_need_type(schema, options->input_cols.items[i],
                                   HR_TYPE_MASK_NUMERIC | HR_TYPE_MASK(STRING) | HR_TYPE_MASK(BOOLEAN),
                                   "a number, string or boolean", &input->column, err));
        input_init(input, &schema->fields[input->column], options, stage->arena);
    }
    struct hr_attribute *attribute = hr_arena_new(stage->arena, struct hr_attribute);
    attribute->kind = HR_ATTRIBUTE_GROUP;
    attribute->element_count = (size_t)options->num_features;
    return hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, attribute, &hasher->output, err);
}

static uint32_t string_index(const struct hasher_input *input, struct hr_str value, int64_t buckets,
                             struct hr_arena *arena)
{
    char small[256];
    size_t length = input->name_length + 1 + value.length;
    char *text = length <= sizeof(small) ? small : hr_arena_alloc(arena, length);
    memcpy(text, input->prefix, input->name_length + 1);
    if (value.length > 0) {
        memcpy(text + input->name_length + 1, value.data, value.length);
    }
    return bucket_of(text, length, buckets);
}

static void hash_value(const struct hasher_input *input, const struct hr_column *column, size_t row, int64_t buckets,
                       struct hr_hashed_row *pairs)
{
    if (column->type == HR_TYPE_STRING) {
        hr_hashed_row_add(pairs, string_index(input, column->strings[row], buckets, pairs->arena), 1.0);
    } else if (column->type == HR_TYPE_BOOLEAN) {
        hr_hashed_row_add(pairs, input->boolean_index[column->bytes[row] != 0], 1.0);
    } else if (input->categorical) {
        hr_hashed_row_add(pairs, number_index(input, column, row, buckets), 1.0);
    } else {
        hr_hashed_row_add(pairs, input->index, hr_column_number(column, row));
    }
}

static void hasher_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct hasher *hasher = (const struct hasher *)stage;
    const struct hasher_options *options = stage->options;
    struct hr_column *output = &chunk->columns[hasher->output];
    struct hr_hashed_row pairs = {.arena = chunk->arena};
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        for (size_t i = 0; i < options->input_cols.count; i++) {
            const struct hr_column *column = &chunk->columns[hasher->inputs[i].column];
            if (!hr_column_is_null(column, row)) {
                hash_value(&hasher->inputs[i], column, row, options->num_features, &pairs);
            }
        }
        output->vectors[row] = hr_hashed_row_take(&pairs, (uint32_t)options->num_features, false);
    }
}

static const struct hr_option hasher_rows[] = {
    HR_OPTION(struct hasher_options, input_cols, "inputCols", STRINGS, .required = true,
              .help = "columns to hash: numbers, strings, booleans"),
    HR_OPTION(struct hasher_options, categorical_cols, "categoricalCols", STRINGS,
              .help = "numeric columns to treat as categories"),
    HR_OPTION(struct hasher_options, output_col, "outputCol", STRING, .required = true,
              .help = "vector column to make"),
    HR_OPTION(struct hasher_options, num_features, "numFeatures", INT, .fallback = "262144", .minimum = 1,
              .maximum = 2147483647, .help = "size of the vector; a power of two spreads values evenly"),
};

const struct hr_stage_type hr_stage_feature_hasher = {
    .kind =
        {
            .name = "FeatureHasher",
            .summary = "columns of any scalar type into one vector by hashing",
            .doc =
                "A number adds its value at the hash of its column's name; strings, booleans and the numbers in "
                "categoricalCols add 1 at the hash of \"column=value\". Nulls add nothing; what falls on one index is "
                "added up. Spark: org.apache.spark.ml.feature.FeatureHasher.",
            .example = "{ type: FeatureHasher, inputCols: [merchant, amount], outputCol: hashed, numFeatures: 65536 }",
            .options = {hasher_rows, HR_ARRAY_LEN(hasher_rows)},
            .options_size = sizeof(struct hasher_options),
            .instance_size = sizeof(struct hasher),
        },
    .bind = hasher_bind,
    .transform = hasher_transform,
};
