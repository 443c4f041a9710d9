/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of reasons and records, and the list of rejects of a batch.
 */
#include "data/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

const char *hr_reason_name(enum hr_reason reason)
{
    static const char *const names[] = {
#define HR_REASON_NAME(name, text, meaning) text,
        HR_REASONS(HR_REASON_NAME)
#undef HR_REASON_NAME
    };
    HR_ASSERT((size_t)reason < HR_ARRAY_LEN(names));
    return names[reason];
}

void hr_record_place(const struct hr_record *record, char *out, size_t size)
{
    if (record->origin.length == 0) {
        out[0] = '\0';
    } else if (record->line > 0) {
        (void)snprintf(out, size, "%.*s:%lld", HR_STR_ARGS(record->origin), (long long)record->line);
    } else {
        (void)snprintf(out, size, "%.*s, partition %d, offset %lld", HR_STR_ARGS(record->origin), record->partition,
                       (long long)record->offset);
    }
}

void hr_rejects_init(struct hr_rejects *rejects, struct hr_arena *arena)
{
    *rejects = (struct hr_rejects){.arena = arena};
}

void hr_rejects_add(struct hr_rejects *rejects, uint32_t record, enum hr_reason reason, const char *format, ...)
{
    if (rejects->count == rejects->capacity) {
        size_t capacity = rejects->capacity == 0 ? 16 : rejects->capacity * 2;
        struct hr_reject *items = hr_arena_array(rejects->arena, capacity, struct hr_reject);
        if (rejects->count > 0) {
            memcpy(items, rejects->items, rejects->count * sizeof(*items));
        }
        rejects->items = items;
        rejects->capacity = capacity;
    }
    char text[501];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t length = strlen(text);
    /* Never end in half a character. */
    if (wanted > (int)length) {
        while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80) {
            length--;
        }
        if (length > 0 && (unsigned char)text[length - 1] >= 0xc0) {
            length--;
        }
    }
    rejects->items[rejects->count++] = (struct hr_reject){
        .record = record,
        .reason = reason,
        .message = hr_arena_strndup(rejects->arena, text, length),
    };
}
