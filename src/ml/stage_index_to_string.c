/* SPDX-License-Identifier: Apache-2.0
 *
 * IndexToString: the way back from StringIndexer, by given labels or those that the column carries. A fraction is cut
 * off toward zero, as in Spark; null stays null. Source: org.apache.spark.ml.feature.IndexToString.
 */
#include <math.h>
#include <string.h>

#include "ml/stage.h"
#include "ml/value_text.h"

struct labels_options {
    const char *input_col;
    const char *output_col;
    struct hr_string_list labels;
};

struct labels {
    struct hr_stage base;
    size_t input;
    size_t output;
    struct hr_str *labels;
    size_t count;
};

static enum hr_status take_labels(struct labels *labels, const struct hr_attribute *attribute, struct hr_error *err)
{
    const struct hr_stage *stage = &labels->base;
    const struct labels_options *options = stage->options;
    const char *const *items = options->labels.items;
    labels->count = options->labels.count;
    if (labels->count == 0) {
        if (attribute == NULL || attribute->kind != HR_ATTRIBUTE_NOMINAL || attribute->values == NULL) {
            hr_stage_fail(stage, err, "column '%s' carries no labels", options->input_col);
            return hr_fail_hint(err, "give them (labels: [a, b]), or make the column with StringIndexer");
        }
        items = attribute->values;
        labels->count = attribute->value_count;
    }
    labels->labels = hr_arena_array(stage->arena, labels->count, struct hr_str);
    for (size_t i = 0; i < labels->count; i++) {
        labels->labels[i] = (struct hr_str){items[i], strlen(items[i])};
    }
    return HR_OK;
}

static enum hr_status labels_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct labels *labels = (struct labels *)stage;
    const struct labels_options *options = stage->options;
    HR_TRY(hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK_NUMERIC, "a number", &labels->input, err));
    HR_TRY(take_labels(labels, schema->fields[labels->input].attribute, err));
    return hr_schema_add(schema, options->output_col, HR_TYPE_STRING, NULL, &labels->output, err);
}

static void labels_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct labels *labels = (const struct labels *)stage;
    const struct labels_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[labels->input];
    struct hr_column *output = &chunk->columns[labels->output];
    hr_column_init(output, HR_TYPE_STRING, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_column_set_null(output, row, chunk->rows, chunk->arena);
            continue;
        }
        double value = hr_column_number(input, row);
        if (value > -1.0 && value < (double)labels->count) {
            output->strings[row] = labels->labels[(size_t)trunc(value)];
            continue;
        }
        char text[HR_NUMBER_TEXT_MAX];
        struct hr_str shown = hr_value_text(input, row, text);
        hr_stage_reject(stage, chunk, row, options->input_col, "Unseen index: %.*s, there are %zu labels (0 to %zd)",
                        HR_STR_ARGS(shown), labels->count, (ssize_t)labels->count - 1);
    }
}

static const struct hr_option labels_rows[] = {
    HR_OPTION(struct labels_options, input_col, "inputCol", STRING, .required = true, .help = "column of indices"),
    HR_OPTION(struct labels_options, output_col, "outputCol", STRING, .required = true,
              .help = "string column to make"),
    HR_OPTION(struct labels_options, labels, "labels", STRINGS,
              .help = "labels of 0, 1, …; without them those that the column carries"),
};

const struct hr_stage_type hr_stage_index_to_string = {
    .kind =
        {
            .name = "IndexToString",
            .summary = "numbers back to the labels they stand for",
            .doc = "The way back from StringIndexer: number i becomes label i, of `labels` or of those that travel "
                   "with the column. Null stays null, a number without a label is an error. "
                   "Spark: org.apache.spark.ml.feature.IndexToString.",
            .example = "{ type: IndexToString, inputCol: cityIndex, outputCol: city, labels: [Oslo, Lima] }",
            .options = {labels_rows, HR_ARRAY_LEN(labels_rows)},
            .options_size = sizeof(struct labels_options),
            .instance_size = sizeof(struct labels),
        },
    .bind = labels_bind,
    .transform = labels_transform,
};
