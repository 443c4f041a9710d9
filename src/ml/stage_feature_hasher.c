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
    uint32_t index; /* of a number */
    uint32_t boolean_index[2];
    struct hr_murmur3_beginning beginning; /* of "name=value" */
    uint32_t *small; /* categorical numbers: index of 0 … SMALL_VALUES - 1, so that codes need no text; else NULL */
};

#define SMALL_VALUES 256
/* Rows that are hashed column by column before their pairs are sorted. */
#define BLOCK_ROWS 64u
/* The index of a null: no vector is so long. */
#define NO_INDEX ((uint32_t)INT32_MAX)

struct hasher {
    struct hr_stage base;
    struct hasher_input *inputs;
    size_t output;
};

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

/* Of "name=text". */
static inline uint32_t index_of(const struct hasher_input *input, const char *text, size_t length, int64_t buckets)
{
    return (uint32_t)hr_murmur3_bucket(hr_murmur3_end(&input->beginning, text, length), (int32_t)buckets);
}

static uint32_t long_index(const struct hasher_input *input, int64_t value, int64_t buckets)
{
    char text[HR_NUMBER_TEXT_MAX];
    size_t length = hr_number_format_int64(value, text);
    return index_of(input, text, length, buckets);
}

static uint32_t double_index(const struct hasher_input *input, double value, int64_t buckets)
{
    char text[HR_NUMBER_TEXT_MAX];
    size_t length = hr_number_format_java(value, text);
    return index_of(input, text, length, buckets);
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
    input->categorical = field->type == HR_TYPE_STRING || field->type == HR_TYPE_BOOLEAN ||
                         is_declared(&options->categorical_cols, field->name);
    input->index = (uint32_t)hr_murmur3_bucket(
        hr_murmur3_bytes(field->name, strlen(field->name), HR_MURMUR3_SPARK_SEED), (int32_t)options->num_features);
    const char *beginning = hr_arena_printf(arena, "%s=", field->name);
    input->beginning = hr_murmur3_begin(beginning, strlen(beginning), HR_MURMUR3_SPARK_SEED);
    input->boolean_index[0] = index_of(input, "false", 5, options->num_features);
    input->boolean_index[1] = index_of(input, "true", 4, options->num_features);
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

/* Pairs of some rows, `width` a row. */
struct block {
    uint32_t *indices;
    double *values;
    size_t width;
    size_t first; /* row of the chunk */
    size_t rows;
};

static void hash_numbers(const struct hasher_input *input, const struct hr_column *column, const struct block *block,
                         size_t i)
{
    for (size_t row = 0; row < block->rows; row++) {
        block->indices[row * block->width + i] = input->index;
        block->values[row * block->width + i] = hr_column_number(column, block->first + row);
    }
}

static void hash_categories(const struct hasher_input *input, const struct hr_column *column, const struct block *block,
                            size_t i, int64_t buckets)
{
    uint32_t *indices = block->indices + i;
    for (size_t row = 0; row < block->rows; row++) {
        size_t at = block->first + row;
        if (column->type == HR_TYPE_STRING) {
            indices[row * block->width] =
                index_of(input, column->strings[at].data, column->strings[at].length, buckets);
        } else if (column->type == HR_TYPE_BOOLEAN) {
            indices[row * block->width] = input->boolean_index[column->bytes[at] != 0];
        } else {
            indices[row * block->width] = number_index(input, column, at, buckets);
        }
        block->values[row * block->width + i] = 1.0;
    }
}

/* Fills in the block's rows; true when one of them has a null. */
static bool hash_block(const struct hasher *hasher, const struct hr_chunk *chunk, const struct block *block)
{
    const struct hasher_options *options = hasher->base.options;
    bool nulls = false;
    for (size_t i = 0; i < block->width; i++) {
        const struct hasher_input *input = &hasher->inputs[i];
        const struct hr_column *column = &chunk->columns[input->column];
        if (input->categorical) {
            hash_categories(input, column, block, i, options->num_features);
        } else {
            hash_numbers(input, column, block, i);
        }
        for (size_t row = 0; column->valid != NULL && row < block->rows; row++) {
            if (hr_column_is_null(column, block->first + row)) {
                block->indices[row * block->width + i] = NO_INDEX;
                nulls = true;
            }
        }
    }
    return nulls;
}

/* Takes the nulls out of a row; how many pairs are left. */
static size_t close_up(uint32_t *indices, double *values, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        indices[left] = indices[i];
        values[left] = values[i];
        left += indices[i] != NO_INDEX;
    }
    return left;
}

static void hasher_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct hasher *hasher = (const struct hasher *)stage;
    const struct hasher_options *options = stage->options;
    struct hr_column *output = &chunk->columns[hasher->output];
    size_t width = options->input_cols.count;
    struct block block = {
        .indices = hr_arena_array(chunk->arena, BLOCK_ROWS * width, uint32_t),
        .values = hr_arena_array(chunk->arena, BLOCK_ROWS * width, double),
        .width = width,
    };
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    uint32_t *indices = hr_arena_array(chunk->arena, chunk->rows * width, uint32_t);
    double *values = hr_arena_array(chunk->arena, chunk->rows * width, double);
    for (; block.first < chunk->rows; block.first += BLOCK_ROWS) {
        block.rows = chunk->rows - block.first < BLOCK_ROWS ? chunk->rows - block.first : BLOCK_ROWS;
        bool nulls = hash_block(hasher, chunk, &block);
        for (size_t row = 0; row < block.rows; row++) {
            uint32_t *from_indices = block.indices + row * width;
            double *from = block.values + row * width;
            size_t count = nulls ? close_up(from_indices, from, width) : width;
            uint32_t left = hr_hashed_row_sort(from_indices, from, count, false, indices, values, chunk->arena);
            output->vectors[block.first + row] = (struct hr_vector){
                .values = values, .indices = indices, .size = (uint32_t)options->num_features, .count = left};
            indices += left;
            values += left;
        }
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
