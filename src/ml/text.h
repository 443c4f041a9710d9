/* SPDX-License-Identifier: Apache-2.0
 *
 * Text as Java sees it, for the stages that must give Spark's tokens: full Unicode lower case (String.toLowerCase in
 * the root locale, special casing included) and lengths in UTF-16 units. Input is UTF-8. Thread: any.
 */
#ifndef HR_ML_TEXT_H
#define HR_ML_TEXT_H

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

/* The slice itself when there is nothing to change, else a copy in arena. */
struct hr_str hr_text_lower(struct hr_str text, struct hr_arena *arena);
size_t hr_text_utf16_length(struct hr_str text);

/* A growing list of slices, for one row's tokens; memory is the arena's and is reused by the next row. */
struct hr_text_list {
    struct hr_str *items;
    size_t count;
    size_t capacity;
    struct hr_arena *arena;
};
void hr_text_list_add(struct hr_text_list *list, struct hr_str item);
/* The list's items as an array of their own in the arena; the list is emptied. */
struct hr_str *hr_text_list_take(struct hr_text_list *list, size_t *count);

#endif
