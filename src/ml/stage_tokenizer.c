/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokenizer: lower case, then Java's split("\\s"): one white-space character of ASCII separates; leading and inner
 * empty tokens are kept, trailing ones dropped, and text without a separator is one token, so "" gives [""] and " "
 * gives []. Source: org.apache.spark.ml.feature.Tokenizer.
 */
#include "ml/stage.h"
#include "ml/text.h"

struct tokenizer_options {
    const char *input_col;
    const char *output_col;
};

struct tokenizer {
    struct hr_stage base;
    size_t input;
    size_t output;
};

static enum hr_status tokenizer_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct tokenizer *tokenizer = (struct tokenizer *)stage;
    const struct tokenizer_options *options = stage->options;
    HR_TRY(hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(STRING), "a string", &tokenizer->input, err));
    return hr_schema_add(schema, options->output_col, HR_TYPE_STRING_ARRAY, NULL, &tokenizer->output, err);
}

/* Java's \s without UNICODE_CHARACTER_CLASS. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void split(struct hr_str text, struct hr_text_list *tokens)
{
    size_t start = 0;
    bool separated = false;
    for (size_t i = 0; i < text.length; i++) {
        if (is_space(text.data[i])) {
            hr_text_list_add(tokens, (struct hr_str){text.data + start, i - start});
            start = i + 1;
            separated = true;
        }
    }
    hr_text_list_add(tokens, (struct hr_str){text.data + start, text.length - start});
    while (separated && tokens->count > 0 && tokens->items[tokens->count - 1].length == 0) {
        tokens->count--;
    }
}

static void tokenizer_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct tokenizer *tokenizer = (const struct tokenizer *)stage;
    const struct tokenizer_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[tokenizer->input];
    struct hr_column *output = &chunk->columns[tokenizer->output];
    struct hr_text_list tokens = {.arena = chunk->arena};
    hr_column_init(output, HR_TYPE_STRING_ARRAY, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, options->input_col, "null has no tokens");
            continue;
        }
        split(hr_text_lower(input->strings[row], chunk->arena), &tokens);
        output->string_arrays[row].items = hr_text_list_take(&tokens, &output->string_arrays[row].count);
    }
}

static const struct hr_option tokenizer_rows[] = {
    HR_OPTION(struct tokenizer_options, input_col, "inputCol", STRING, .required = true, .help = "string column"),
    HR_OPTION(struct tokenizer_options, output_col, "outputCol", STRING, .required = true,
              .help = "array<string> column to make"),
};

const struct hr_stage_type hr_stage_tokenizer = {
    .kind =
        {
            .name = "Tokenizer",
            .summary = "lower case, split at each white-space character",
            .doc = "Text in lower case (full Unicode, root locale), split at single ASCII white-space characters. "
                   "Leading and inner empty tokens stay, trailing ones go. Null text is an error of the row. "
                   "Spark: org.apache.spark.ml.feature.Tokenizer.",
            .example = "{ type: Tokenizer, inputCol: text, outputCol: words }",
            .options = {tokenizer_rows, HR_ARRAY_LEN(tokenizer_rows)},
            .options_size = sizeof(struct tokenizer_options),
            .instance_size = sizeof(struct tokenizer),
        },
    .bind = tokenizer_bind,
    .transform = tokenizer_transform,
};
