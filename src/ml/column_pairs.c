/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the two forms, and finding the columns.
 */
#include "ml/column_pairs.h"

#include <string.h>

static bool is_multiple(const struct hr_column_pairs *columns)
{
    return columns->input_cols.count > 0 || columns->output_cols.count > 0;
}

static void check_twice(const struct hr_stage *stage, const struct hr_string_list *list, const char *key,
                        struct hr_findings *findings)
{
    for (size_t i = 1; i < list->count; i++) {
        for (size_t earlier = 0; earlier < i; earlier++) {
            if (strcmp(list->items[i], list->items[earlier]) == 0) {
                hr_findings_error(findings, &stage->place, "%s: column '%s' is twice in %s", stage->type->kind.name,
                                  list->items[i], key);
                return;
            }
        }
    }
}

void hr_column_pairs_check(struct hr_stage *stage, struct hr_findings *findings)
{
    const struct hr_column_pairs *columns = stage->options;
    const char *type = stage->type->kind.name;
    bool single = columns->input_col != NULL || columns->output_col != NULL;
    if (single && is_multiple(columns)) {
        hr_findings_error(findings, &stage->place,
                          "%s: inputCol, outputCol and inputCols, outputCols exclude each other", type);
        return;
    }
    if (!is_multiple(columns)) {
        if (columns->input_col == NULL) {
            hr_findings_error(findings, &stage->place, "%s: 'inputCol' (or 'inputCols') is missing", type);
        }
        if (columns->output_col == NULL) {
            hr_findings_error(findings, &stage->place, "%s: 'outputCol' (or 'outputCols') is missing", type);
        }
        return;
    }
    if (columns->input_cols.count != columns->output_cols.count) {
        hr_findings_error(findings, &stage->place, "%s: %zu inputCols, but %zu outputCols; there must be as many", type,
                          columns->input_cols.count, columns->output_cols.count);
    }
    check_twice(stage, &columns->output_cols, "outputCols", findings);
}

size_t hr_column_pairs_count(const struct hr_stage *stage)
{
    const struct hr_column_pairs *columns = stage->options;
    return is_multiple(columns) ? columns->input_cols.count : 1;
}

enum hr_status hr_column_pairs_find(const struct hr_stage *stage, const struct hr_schema *schema, unsigned type_mask,
                                    const char *wanted, struct hr_column_pair **out, struct hr_error *err)
{
    const struct hr_column_pairs *columns = stage->options;
    size_t count = hr_column_pairs_count(stage);
    struct hr_column_pair *pairs = hr_arena_calloc(stage->arena, count, sizeof(*pairs));
    for (size_t i = 0; i < count; i++) {
        pairs[i].input_name = is_multiple(columns) ? columns->input_cols.items[i] : columns->input_col;
        pairs[i].output_name = is_multiple(columns) ? columns->output_cols.items[i] : columns->output_col;
        HR_TRY(hr_schema_need_type(schema, pairs[i].input_name, type_mask, wanted, &pairs[i].input, err));
    }
    *out = pairs;
    return HR_OK;
}
