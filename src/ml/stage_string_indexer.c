/* SPDX-License-Identifier: Apache-2.0
 *
 * StringIndexer: labels to numbers 0, 1, … in an order chosen at the fit: by frequency (ties alphabetical, ascending)
 * or alphabetical (Java's order of strings). Numbers are labels by their text in Java; NaN and null are never labels.
 * The column carries its labels on as a nominal attribute. Source: org.apache.spark.ml.feature.StringIndexer.
 */
#include <math.h>
#include <stdlib.h>

#include "ml/column_pairs.h"
#include "ml/label_map.h"
#include "ml/stage.h"
#include "ml/value_text.h"

enum label_order { FREQUENCY_DESC, FREQUENCY_ASC, ALPHABET_DESC, ALPHABET_ASC };
enum indexer_invalid { INDEXER_ERROR, INDEXER_SKIP, INDEXER_KEEP };

struct indexer_options {
    struct hr_column_pairs columns;
    int order;
    int handle_invalid;
};

struct indexer {
    struct hr_stage base;
    struct hr_column_pair *pairs;
    struct hr_label_map *maps; /* one a column: number of a label is its index */
    size_t map_count;
};

static void indexer_release(struct indexer *indexer)
{
    for (size_t i = 0; i < indexer->map_count; i++) {
        hr_label_map_release(&indexer->maps[i]);
    }
    indexer->map_count = 0;
}

static void indexer_make_maps(struct indexer *indexer)
{
    indexer_release(indexer);
    size_t count = hr_column_pairs_count(&indexer->base);
    indexer->maps = hr_arena_calloc(indexer->base.arena, count, sizeof(*indexer->maps));
    for (size_t i = 0; i < count; i++) {
        hr_label_map_init(&indexer->maps[i], indexer->base.arena);
    }
    indexer->map_count = count;
}

static enum hr_status load_labels(const struct hr_stage *stage, const json_t *labels, size_t column,
                                  struct hr_label_map *map, struct hr_error *err)
{
    if (!json_is_array(labels)) {
        return hr_stage_fail(stage, err, "fitted.labelsArray[%zu] must be a list of strings", column);
    }
    for (size_t i = 0; i < json_array_size(labels); i++) {
        const json_t *label = json_array_get(labels, i);
        if (!json_is_string(label)) {
            hr_stage_fail(stage, err, "fitted.labelsArray[%zu][%zu] is no string", column, i);
            return hr_fail_hint(err, "YAML reads words like y, no and 1.0 as other types: put labels in quotes");
        }
        struct hr_str text = {json_string_value(label), json_string_length(label)};
        if (hr_label_map_add(map, text) != i) {
            return hr_stage_fail(stage, err, "fitted.labelsArray[%zu] holds '%.*s' twice", column, HR_STR_ARGS(text));
        }
    }
    return HR_OK;
}

static enum hr_status indexer_load(struct hr_stage *stage, const json_t *fitted, struct hr_error *err)
{
    struct indexer *indexer = (struct indexer *)stage;
    const json_t *arrays = json_object_get(fitted, "labelsArray");
    size_t count = hr_column_pairs_count(stage);
    if (!json_is_array(arrays) || json_array_size(arrays) != count) {
        return hr_stage_fail(stage, err, "fitted.labelsArray must be %zu lists of labels, one a column", count);
    }
    indexer_make_maps(indexer);
    for (size_t i = 0; i < count; i++) {
        HR_TRY(load_labels(stage, json_array_get(arrays, i), i, &indexer->maps[i], err));
    }
    return HR_OK;
}

static json_t *indexer_save(const struct hr_stage *stage)
{
    const struct indexer *indexer = (const struct indexer *)stage;
    json_t *arrays = json_array();
    for (size_t i = 0; i < indexer->map_count; i++) {
        json_t *labels = json_array();
        for (size_t label = 0; label < indexer->maps[i].count; label++) {
            struct hr_str text = indexer->maps[i].labels[label].text;
            json_array_append_new(labels, json_stringn(text.data, text.length));
        }
        json_array_append_new(arrays, labels);
    }
    return json_pack("{s:o}", "labelsArray", arrays);
}

static struct hr_attribute *label_attribute(const char *name, const struct hr_label_map *map, bool keep,
                                            struct hr_arena *arena)
{
    struct hr_attribute *attribute = hr_arena_new(arena, struct hr_attribute);
    attribute->kind = HR_ATTRIBUTE_NOMINAL;
    attribute->name = name;
    attribute->value_count = map->count + (keep ? 1 : 0);
    attribute->values = hr_arena_array(arena, attribute->value_count, const char *);
    for (size_t i = 0; i < map->count; i++) {
        attribute->values[i] = map->labels[i].text.data;
    }
    if (keep) {
        attribute->values[map->count] = "__unknown";
    }
    return attribute;
}

static enum hr_status find_inputs(struct indexer *indexer, const struct hr_schema *schema, struct hr_error *err)
{
    return hr_column_pairs_find(&indexer->base, schema, HR_TYPE_MASK_NUMERIC | HR_TYPE_MASK(STRING),
                                "a string or a number", &indexer->pairs, err);
}

static enum hr_status indexer_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct indexer *indexer = (struct indexer *)stage;
    const struct indexer_options *options = stage->options;
    HR_TRY(find_inputs(indexer, schema, err));
    for (size_t i = 0; i < indexer->map_count; i++) {
        struct hr_column_pair *pair = &indexer->pairs[i];
        struct hr_attribute *attribute = label_attribute(pair->output_name, &indexer->maps[i],
                                                         options->handle_invalid == INDEXER_KEEP, stage->arena);
        HR_TRY(hr_schema_add(schema, pair->output_name, HR_TYPE_DOUBLE, attribute, &pair->output, err));
    }
    return HR_OK;
}

static bool is_nan(const struct hr_column *column, size_t row)
{
    return (column->type == HR_TYPE_DOUBLE || column->type == HR_TYPE_FLOAT) && isnan(column->doubles[row]);
}

static void invalid_row(const struct hr_stage *stage, struct hr_chunk *chunk, size_t row,
                        const struct hr_column_pair *pair, const struct hr_str *label)
{
    const struct indexer_options *options = stage->options;
    if (options->handle_invalid == INDEXER_SKIP) {
        hr_chunk_drop(chunk, row);
    } else if (label == NULL) {
        hr_stage_reject(stage, chunk, row, pair->input_name,
                        "null is no label; handleInvalid: keep gives it a number, skip leaves such rows out");
    } else {
        int shown = label->length > 100 ? 100 : (int)label->length;
        hr_stage_reject(stage, chunk, row, pair->input_name,
                        "Unseen label: %.*s; handleInvalid: keep gives it a number, skip leaves such rows out", shown,
                        label->data);
    }
}

static void index_column(const struct hr_stage *stage, struct hr_chunk *chunk, const struct hr_column_pair *pair,
                         const struct hr_label_map *map)
{
    const struct indexer_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[pair->input];
    struct hr_column *output = &chunk->columns[pair->output];
    bool keep = options->handle_invalid == INDEXER_KEEP;
    char buffer[HR_NUMBER_TEXT_MAX];
    hr_column_init(output, HR_TYPE_DOUBLE, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        bool null = hr_column_is_null(input, row);
        struct hr_str label = null ? (struct hr_str){0} : hr_value_text(input, row, buffer);
        size_t index = null || is_nan(input, row) ? SIZE_MAX : hr_label_map_find(map, label);
        if (index != SIZE_MAX || keep) {
            output->doubles[row] = (double)(index != SIZE_MAX ? index : map->count);
        } else {
            invalid_row(stage, chunk, row, pair, null ? NULL : &label);
        }
    }
}

static void indexer_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct indexer *indexer = (const struct indexer *)stage;
    for (size_t i = 0; i < indexer->map_count; i++) {
        index_column(stage, chunk, &indexer->pairs[i], &indexer->maps[i]);
    }
}

static enum hr_status indexer_fit_begin(struct hr_stage *stage, const struct hr_schema *schema, struct hr_error *err)
{
    struct indexer *indexer = (struct indexer *)stage;
    HR_TRY(find_inputs(indexer, schema, err));
    indexer_make_maps(indexer);
    return HR_OK;
}

static enum hr_status indexer_fit_chunk(struct hr_stage *stage, const struct hr_chunk *chunk,
                                        struct hr_error *err HR_UNUSED)
{
    struct indexer *indexer = (struct indexer *)stage;
    char buffer[HR_NUMBER_TEXT_MAX];
    for (size_t i = 0; i < indexer->map_count; i++) {
        const struct hr_column *input = &chunk->columns[indexer->pairs[i].input];
        for (size_t row = 0; row < chunk->rows; row++) {
            if (!hr_column_is_null(input, row) && !is_nan(input, row)) {
                (void)hr_label_map_add(&indexer->maps[i], hr_value_text(input, row, buffer));
            }
        }
    }
    return HR_OK;
}

static int by_alphabet(const void *a, const void *b)
{
    return hr_label_compare(((const struct hr_label *)a)->text, ((const struct hr_label *)b)->text);
}

static int by_alphabet_descending(const void *a, const void *b)
{
    return by_alphabet(b, a);
}

static int by_frequency(const void *a, const void *b)
{
    int64_t first = ((const struct hr_label *)a)->count;
    int64_t second = ((const struct hr_label *)b)->count;
    return first != second ? (first > second) - (first < second) : by_alphabet(a, b);
}

static int by_frequency_descending(const void *a, const void *b)
{
    int64_t first = ((const struct hr_label *)a)->count;
    int64_t second = ((const struct hr_label *)b)->count;
    return first != second ? (first < second) - (first > second) : by_alphabet(a, b);
}

static enum hr_status indexer_fit_end(struct hr_stage *stage, bool *again, struct hr_error *err HR_UNUSED)
{
    static int (*const orders[])(const void *, const void *) = {
        [FREQUENCY_DESC] = by_frequency_descending,
        [FREQUENCY_ASC] = by_frequency,
        [ALPHABET_DESC] = by_alphabet_descending,
        [ALPHABET_ASC] = by_alphabet,
    };
    struct indexer *indexer = (struct indexer *)stage;
    const struct indexer_options *options = stage->options;
    for (size_t i = 0; i < indexer->map_count; i++) {
        struct hr_label_map *map = &indexer->maps[i];
        if (map->count > 0) {
            qsort(map->labels, map->count, sizeof(*map->labels), orders[options->order]);
        }
    }
    *again = false;
    return HR_OK;
}

static void indexer_close(struct hr_stage *stage)
{
    indexer_release((struct indexer *)stage);
}

static const char *const order_choices[] = {"frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc", NULL};
static const char *const invalid_choices[] = {"error", "skip", "keep", NULL};

static const struct hr_option indexer_rows[] = {
    HR_COLUMN_PAIR_OPTIONS(struct indexer_options, "string or numeric column"),
    HR_OPTION(struct indexer_options, order, "stringOrderType", CHOICE, .fallback = "frequencyDesc",
              .choices = order_choices, .help = "which label becomes 0"),
    HR_OPTION(struct indexer_options, handle_invalid, "handleInvalid", CHOICE, .fallback = "error",
              .choices = invalid_choices,
              .help = "what to do with null and labels that the fit did not see; keep: one more number"),
};

const struct hr_stage_type hr_stage_string_indexer = {
    .kind =
        {
            .name = "StringIndexer",
            .summary = "labels to numbers 0, 1, …",
            .doc = "Numbers the labels of a column, by default the most frequent first. Numeric columns are indexed by "
                   "their text. The labels travel with the column: IndexToString and OneHotEncoder use them. Fitted "
                   "values: labelsArray, a list of labels a column. Spark: org.apache.spark.ml.feature.StringIndexer.",
            .example = "{ type: StringIndexer, inputCol: city, outputCol: cityIndex, handleInvalid: keep,\n"
                       "  fitted: { labelsArray: [[Oslo, Lima]] } }",
            .options = {indexer_rows, HR_ARRAY_LEN(indexer_rows)},
            .options_size = sizeof(struct indexer_options),
            .instance_size = sizeof(struct indexer),
        },
    .flags = HR_STAGE_ESTIMATOR,
    .check = hr_column_pairs_check,
    .load = indexer_load,
    .save = indexer_save,
    .bind = indexer_bind,
    .transform = indexer_transform,
    .fit_begin = indexer_fit_begin,
    .fit_chunk = indexer_fit_chunk,
    .fit_end = indexer_fit_end,
    .close = indexer_close,
};
