/* SPDX-License-Identifier: Apache-2.0
 *
 * RegexTokenizer: Java regular expressions by PCRE2, in UTF mode without Unicode classes (\w, \d and \s are ASCII, as
 * in Java). gaps true: Java's Pattern.split with limit 0: no empty first token from an empty match at the start,
 * trailing empty tokens dropped, the whole text when nothing matches. gaps false: the matches. Tokens shorter than
 * minTokenLength UTF-16 units are left out. A pattern that backtracks past the limits is an error of the row, never a
 * hang. Source: org.apache.spark.ml.feature.RegexTokenizer.
 *
 * Known difference: an empty match between the two halves of a surrogate pair cuts it in Java; here a code point is
 * whole.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "ml/stage.h"
#include "ml/text.h"

#define MATCH_LIMIT 1000000u
#define DEPTH_LIMIT 10000u
#define HEAP_LIMIT_KIB 16384u

struct regex_options {
    const char *input_col;
    const char *output_col;
    const char *pattern;
    bool gaps;
    int64_t min_token_length;
    bool to_lowercase;
};

struct regex_tokenizer {
    struct hr_stage base;
    size_t input;
    size_t output;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
};

static void regex_release(struct regex_tokenizer *regex)
{
    pcre2_code_free(regex->code);
    pcre2_match_data_free(regex->match);
    pcre2_match_context_free(regex->context);
    regex->code = NULL;
    regex->match = NULL;
    regex->context = NULL;
}

static pcre2_code *regex_compile(const char *pattern, int *error, PCRE2_SIZE *position)
{
    uint32_t flags = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (strstr(pattern, "\\u") != NULL) {
        flags |= PCRE2_ALT_BSUX; /* \uXXXX, as Java writes it */
    }
    return pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, flags, error, position, NULL);
}

static void regex_check(struct hr_stage *stage, struct hr_findings *findings)
{
    const struct regex_options *options = stage->options;
    int error = 0;
    PCRE2_SIZE position = 0;
    pcre2_code *code = regex_compile(options->pattern, &error, &position);
    if (code == NULL) {
        PCRE2_UCHAR text[128];
        (void)pcre2_get_error_message(error, text, sizeof(text));
        hr_findings_error(findings, &stage->place, "RegexTokenizer '%s': pattern '%s' is wrong at character %zu: %s",
                          stage->id, options->pattern, (size_t)position + 1, (const char *)text);
    }
    pcre2_code_free(code);
}

static enum hr_status regex_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct regex_tokenizer *regex = (struct regex_tokenizer *)stage;
    const struct regex_options *options = stage->options;
    HR_TRY(hr_schema_need_type(schema, options->input_col, HR_TYPE_MASK(STRING), "a string", &regex->input, err));
    int error = 0;
    PCRE2_SIZE position = 0;
    regex_release(regex);
    regex->code = regex_compile(options->pattern, &error, &position);
    if (regex->code == NULL) {
        return hr_stage_fail(stage, err, "pattern '%s' is wrong at character %zu", options->pattern,
                             (size_t)position + 1);
    }
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE); /* without it, the interpreter does the same */
    regex->match = pcre2_match_data_create_from_pattern(regex->code, NULL);
    regex->context = pcre2_match_context_create(NULL);
    HR_ASSERT(regex->match != NULL && regex->context != NULL);
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_depth_limit(regex->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
    return hr_schema_add(schema, options->output_col, HR_TYPE_STRING_ARRAY, NULL, &regex->output, err);
}

/* The next match at or after *from, as Java's Matcher.find: after an empty match the search goes on one character
 * later. 1: found, 0: none, negative: PCRE2's error. */
static int regex_find(const struct regex_tokenizer *regex, struct hr_str text, size_t *from, size_t *start, size_t *end)
{
    if (*from > text.length) {
        return 0;
    }
    int found = pcre2_match(regex->code, (PCRE2_SPTR)(text.data != NULL ? text.data : ""), text.length, *from,
                            PCRE2_NO_UTF_CHECK, regex->match, regex->context);
    if (found == PCRE2_ERROR_NOMATCH) {
        return 0;
    }
    if (found < 0) {
        return found;
    }
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(regex->match);
    *start = offsets[0];
    *end = offsets[1];
    *from = *end;
    if (*start == *end) {
        do {
            (*from)++;
        } while (*from < text.length && ((unsigned char)text.data[*from] & 0xc0) == 0x80);
    }
    return 1;
}

static void add_token(struct hr_str text, size_t start, size_t end, struct hr_text_list *tokens)
{
    hr_text_list_add(tokens, (struct hr_str){text.data + start, end - start});
}

/* Java's split with limit 0, or all matches. Negative: PCRE2's error. */
static int regex_tokens(const struct regex_tokenizer *regex, const struct regex_options *options, struct hr_str text,
                        struct hr_text_list *tokens)
{
    size_t from = 0;
    size_t index = 0;
    size_t start = 0;
    size_t end = 0;
    int found;
    while ((found = regex_find(regex, text, &from, &start, &end)) > 0) {
        if (!options->gaps) {
            add_token(text, start, end, tokens);
        } else if (!(index == 0 && start == 0 && end == 0)) {
            add_token(text, index, start, tokens);
            index = end;
        }
    }
    if (found < 0 || !options->gaps) {
        return found;
    }
    if (index == 0) {
        tokens->count = 0;
        hr_text_list_add(tokens, text);
        return 0;
    }
    add_token(text, index, text.length, tokens);
    while (tokens->count > 0 && tokens->items[tokens->count - 1].length == 0) {
        tokens->count--;
    }
    return 0;
}

static void drop_short(struct hr_text_list *tokens, size_t minimum)
{
    size_t kept = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        if (hr_text_utf16_length(tokens->items[i]) >= minimum) {
            tokens->items[kept++] = tokens->items[i];
        }
    }
    tokens->count = kept;
}

static void regex_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct regex_tokenizer *regex = (const struct regex_tokenizer *)stage;
    const struct regex_options *options = stage->options;
    const struct hr_column *input = &chunk->columns[regex->input];
    struct hr_column *output = &chunk->columns[regex->output];
    struct hr_text_list tokens = {.arena = chunk->arena};
    hr_column_init(output, HR_TYPE_STRING_ARRAY, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (hr_column_is_null(input, row)) {
            hr_stage_reject(stage, chunk, row, options->input_col, "null has no tokens");
            continue;
        }
        struct hr_str text = input->strings[row];
        if (options->to_lowercase) {
            text = hr_text_lower(text, chunk->arena);
        }
        tokens.count = 0;
        int failed = regex_tokens(regex, options, text, &tokens);
        if (failed < 0) {
            hr_stage_reject(stage, chunk, row, options->input_col,
                            "pattern '%s' needs too many steps on this text of %zu bytes (PCRE2 error %d)",
                            options->pattern, text.length, failed);
            continue;
        }
        drop_short(&tokens, (size_t)options->min_token_length);
        output->string_arrays[row].items = hr_text_list_take(&tokens, &output->string_arrays[row].count);
    }
}

static void regex_close(struct hr_stage *stage)
{
    regex_release((struct regex_tokenizer *)stage);
}

static const struct hr_option regex_rows[] = {
    HR_OPTION(struct regex_options, input_col, "inputCol", STRING, .required = true, .help = "string column"),
    HR_OPTION(struct regex_options, output_col, "outputCol", STRING, .required = true,
              .help = "array<string> column to make"),
    HR_OPTION(struct regex_options, pattern, "pattern", STRING, .fallback = "\\s+",
              .help = "regular expression, Java's syntax: what separates tokens, or what a token is"),
    HR_OPTION(struct regex_options, gaps, "gaps", BOOL, .fallback = "true",
              .help = "true: the pattern separates tokens; false: it matches them"),
    HR_OPTION(struct regex_options, min_token_length, "minTokenLength", INT, .fallback = "1", .minimum = 0,
              .maximum = 1e9, .help = "shorter tokens are left out; in UTF-16 units, as Java counts"),
    HR_OPTION(struct regex_options, to_lowercase, "toLowercase", BOOL, .fallback = "true",
              .help = "lower case before matching"),
};

const struct hr_stage_type hr_stage_regex_tokenizer = {
    .kind =
        {
            .name = "RegexTokenizer",
            .summary = "tokens by a regular expression",
            .doc =
                "Splits text at the matches of a pattern (gaps: true) or takes the matches (gaps: false). Patterns are "
                "Java's, run by PCRE2 with limits on steps and memory. Null text is an error of the row. "
                "Spark: org.apache.spark.ml.feature.RegexTokenizer.",
            .example = "{ type: RegexTokenizer, inputCol: text, outputCol: words, pattern: '\\W+', minTokenLength: 2 }",
            .options = {regex_rows, HR_ARRAY_LEN(regex_rows)},
            .options_size = sizeof(struct regex_options),
            .instance_size = sizeof(struct regex_tokenizer),
        },
    .check = regex_check,
    .bind = regex_bind,
    .transform = regex_transform,
    .close = regex_close,
};
