/* SPDX-License-Identifier: Apache-2.0
 *
 * HashingTF: term counts by the hashing trick. index = nonNegativeMod(murmur3_x86_32(UTF-8, seed 42), numFeatures). A
 * null element hashes to the seed, a number by its bits, as in Spark.
 * Source: org.apache.spark.ml.feature.HashingTF (hash of Spark 3 and later).
 */
#include <string.h>

#include "base/murmur3.h"
#include "ml/hashed_row.h"
#include "ml/stage.h"

struct hashing_options {
    const char *input_col;
    const char *output_col;
    int64_t num_features;
    bool binary;
};

struct hashing {
    struct hr_stage base;
    size_t input;
    size_t output;
};

static enum hr_status hashing_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct hashing *hashing = (struct hashing *)stage;
    const struct hashing_options *options = stage->options;
    HR_TRY(hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(STRING_ARRAY) | HR_TYPE_MASK(DOUBLE_ARRAY),
                               "an array (Tokenizer makes one of text)", &hashing->input, err));
    struct hr_attribute *attribute = hr_arena_new(stage->arena, struct hr_attribute);
    attribute->kind = HR_ATTRIBUTE_GROUP;
    attribute->element_count = (size_t)options->num_features;
    return hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, attribute, &hashing->output, err);
}

static void hash_strings(const struct hr_string_array *array, int32_t buckets, struct hr_hashed_row *row)
{
    for (size_t i = 0; i < array->count; i++) {
        bool is_null = array->valid != NULL && (array->valid[i / 64] >> (i % 64) & 1) == 0;
        int32_t hash = is_null ? (int32_t)HR_MURMUR3_SPARK_SEED
                               : hr_murmur3_bytes(array->items[i].data, array->items[i].length, HR_MURMUR3_SPARK_SEED);
        hr_hashed_row_add(row, (uint32_t)hr_murmur3_bucket(hash, buckets), 1.0);
    }
}

static void hash_doubles(const struct hr_double_array *array, int32_t buckets, struct hr_hashed_row *row)
{
    for (size_t i = 0; i < array->count; i++) {
        int64_t bits;
        memcpy(&bits, &array->items[i], sizeof(bits));
        int32_t hash = hr_murmur3_long(bits, HR_MURMUR3_SPARK_SEED);
        hr_hashed_row_add(row, (uint32_t)hr_murmur3_bucket(hash, buckets), 1.0);
    }
}

static void hashing_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct hashing *hashing = (const struct hashing *)stage;
    const struct hashing_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[hashing->input];
    struct hr_column *output = &chunk->columns[hashing->output];
    struct hr_hashed_row pairs = {.arena = chunk->arena};
    int32_t buckets = (int32_t)options->num_features;
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, options->input_col, "null has no terms");
            continue;
        }
        if (input->type == HR_TYPE_STRING_ARRAY) {
            hash_strings(&input->string_arrays[row], buckets, &pairs);
        } else {
            hash_doubles(&input->double_arrays[row], buckets, &pairs);
        }
        output->vectors[row] = hr_hashed_row_take(&pairs, (uint32_t)buckets, options->binary);
    }
}

static const struct hr_option hashing_rows[] = {
    HR_OPTION(struct hashing_options, input_col, "inputCol", STRING, .required = true,
              .help = "array<string> or array<double> column"),
    HR_OPTION(struct hashing_options, output_col, "outputCol", STRING, .required = true,
              .help = "vector column to make"),
    HR_OPTION(struct hashing_options, num_features, "numFeatures", INT, .fallback = "262144", .minimum = 1,
              .maximum = 2147483647, .help = "size of the vector; a power of two spreads terms evenly"),
    HR_OPTION(struct hashing_options, binary, "binary", BOOL, .fallback = "false",
              .help = "1 for each term that occurs, instead of its count"),
};

const struct hr_stage_type hr_stage_hashing_tf = {
    .kind =
        {
            .name = "HashingTF",
            .summary = "term counts by hashing",
            .doc =
                "Counts terms into a sparse vector of numFeatures elements; a term's index is its MurmurHash3 (seed "
                "42) "
                "modulo numFeatures, so no vocabulary is kept and terms may collide. A null array is an error of the "
                "row. Spark: org.apache.spark.ml.feature.HashingTF.",
            .example = "{ type: HashingTF, inputCol: words, outputCol: tf, numFeatures: 4096 }",
            .options = {hashing_rows, HR_ARRAY_LEN(hashing_rows)},
            .options_size = sizeof(struct hashing_options),
            .instance_size = sizeof(struct hashing),
        },
    .bind = hashing_bind,
    .transform = hashing_transform,
};
