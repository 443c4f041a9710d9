/* SPDX-License-Identifier: Apache-2.0
 *
 * VectorSizeHint: tells the size of a vector column, in place, so that stages after it know it at plan time. Rows that
 * are null or of another size: error, skip, or (optimistic) not looked at.
 * Source: org.apache.spark.ml.feature.VectorSizeHint.
 */
#include "ml/stage.h"
#include "ml/vectors.h"

enum hint_invalid { HINT_ERROR, HINT_SKIP, HINT_OPTIMISTIC };

struct hint_options {
    const char *input_col;
    int64_t size;
    int handle_invalid;
};

struct hint {
    struct hr_stage base;
    size_t input;
};

static enum hr_status hint_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct hint *hint = (struct hint *)stage;
    const struct hint_options *options = stage->options;
    HR_TRY(hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(VECTOR), "a vector", &hint->input, err));
    struct hr_field *field = &schema->fields[hint->input];
    size_t known = hr_vector_known_size(field);
    if (known != 0 && known != (size_t)options->size) {
        return hr_stage_fail(stage, err, "column '%s' is known to have %zu elements, size says %lld",
                             options->input_col, known, (long long)options->size);
    }
    if (known == 0) {
        field->attribute = hr_vector_size_attribute((size_t)options->size, stage->arena);
    }
    return HR_OK;
}

static void hint_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct hint *hint = (const struct hint *)stage;
    const struct hint_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[hint->input];
    if (options->handle_invalid == HINT_OPTIMISTIC ||
        (input->dense != NULL && input->dense_size == (uint32_t)options->size)) {
        return;
    }
    for (size_t row = 0; row < chunk->rows; row++) {
        bool null = hr_column_is_null(input, row);
        if (!null && input->vectors[row].size == (uint32_t)options->size) {
            continue;
        }
        if (options->handle_invalid == HINT_SKIP) {
            hr_chunk_drop(chunk, row);
        } else if (null) {
            hr_stage_reject(stage, chunk, row, options->input_col,
                            "the vector is null; handleInvalid: skip leaves such rows out");
        } else {
            hr_stage_reject(stage, chunk, row, options->input_col, "a vector of size %u where size %lld is expected",
                            input->vectors[row].size, (long long)options->size);
        }
    }
}

static const char *const hint_choices[] = {"error", "skip", "optimistic", NULL};

static const struct hr_option hint_rows[] = {
    HR_OPTION(struct hint_options, input_col, "inputCol", STRING, .required = true, .help = "vector column"),
    HR_OPTION(struct hint_options, size, "size", INT, .required = true, .minimum = 0, .maximum = 2147483647,
              .help = "number of elements"),
    HR_OPTION(struct hint_options, handle_invalid, "handleInvalid", CHOICE, .fallback = "error",
              .choices = hint_choices,
              .help = "what to do with null and vectors of another size; optimistic: no check"),
};

const struct hr_stage_type hr_stage_vector_size_hint = {
    .kind =
        {
            .name = "VectorSizeHint",
            .summary = "tells how many elements a vector column has",
            .doc = "Makes the size of a vector column known to the stages after it, and checks it row by row unless "
                   "handleInvalid is optimistic. Spark: org.apache.spark.ml.feature.VectorSizeHint.",
            .example = "{ type: VectorSizeHint, inputCol: embedding, size: 128, handleInvalid: skip }",
            .options = {hint_rows, HR_ARRAY_LEN(hint_rows)},
            .options_size = sizeof(struct hint_options),
            .instance_size = sizeof(struct hint),
        },
    .bind = hint_bind,
    .transform = hint_transform,
};
