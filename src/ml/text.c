/* SPDX-License-Identifier: Apache-2.0
 *
 * ICU does the case mapping; ASCII, which is nearly everything, does not go there.
 */
#include "ml/text.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unicode/ucasemap.h>

static UCaseMap *case_map;
static pthread_once_t case_map_made = PTHREAD_ONCE_INIT;

static void case_map_make(void)
{
    UErrorCode code = U_ZERO_ERROR;
    case_map = ucasemap_open("", 0, &code); /* "": the root locale */
    HR_ASSERT(U_SUCCESS(code));
}

static struct hr_str lower_by_icu(struct hr_str text, struct hr_arena *arena)
{
    pthread_once(&case_map_made, case_map_make);
    size_t capacity = text.length * 3 + 8; /* no mapping grows more: U+0130 becomes three bytes out of two */
    char *out = hr_arena_alloc(arena, capacity);
    UErrorCode code = U_ZERO_ERROR;
    int32_t length = ucasemap_utf8ToLower(case_map, out, (int32_t)capacity, text.data, (int32_t)text.length, &code);
    HR_ASSERT(U_SUCCESS(code));
    return (struct hr_str){out, (size_t)length};
}

struct hr_str hr_text_lower(struct hr_str text, struct hr_arena *arena)
{
    bool upper = false;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x80) {
            return lower_by_icu(text, arena);
        }
        upper |= c >= 'A' && c <= 'Z';
    }
    if (!upper) {
        return text;
    }
    char *out = hr_arena_alloc(arena, text.length);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (struct hr_str){out, text.length};
}

size_t hr_text_utf16_length(struct hr_str text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        /* One for each lead byte, one more for four-byte sequences, which are surrogate pairs. */
        units += (c & 0xc0) != 0x80;
        units += c >= 0xf0;
    }
    return units;
}

void hr_text_list_add(struct hr_text_list *list, struct hr_str item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : 64;
        struct hr_str *items = hr_arena_array(list->arena, capacity, struct hr_str);
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof(*items));
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

struct hr_str *hr_text_list_take(struct hr_text_list *list, size_t *count)
{
    struct hr_str *items = hr_arena_array(list->arena, list->count, struct hr_str);
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof(*items));
    }
    *count = list->count;
    list->count = 0;
    return items;
}
