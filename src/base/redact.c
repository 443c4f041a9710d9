/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of values, longest first, that only grows; mostly it is empty, and then nothing is looked at.
 */
#include "base/redact.h"

#include <ctype.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

/* Shorter values are words such as "out" or "1", which messages have for other reasons too. */
#define ANYWHERE_LENGTH 8u
#define WORD_LENGTH 5u

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct value {
    struct value *next;
    size_t length;
    char text[];
} * values;

void hr_redact_add(const char *value)
{
    size_t length = strlen(value);
    if (length == 0) {
        return;
    }
    pthread_mutex_lock(&mutex);
    struct value **at = &values;
    while (*at != NULL && (*at)->length > length) {
        at = &(*at)->next;
    }
    bool known = false;
    for (const struct value *same = *at; same != NULL && same->length == length && !known; same = same->next) {
        known = strcmp(same->text, value) == 0;
    }
    if (!known) {
        struct value *added = hr_alloc(sizeof(*added) + length + 1);
        memcpy(added->text, value, length + 1);
        added->length = length;
        added->next = *at;
        __atomic_store_n(at, added, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&mutex);
}

static bool is_border(char c, size_t length)
{
    if (length >= WORD_LENGTH) {
        return !isalnum((unsigned char)c) && c != '_';
    }
    return c == '\0' || strchr("'\"`/=@", c) != NULL;
}

/* How many bytes at text[at] are this value; 0: it is another text. A message may have been cut within the value. */
static size_t match(const struct value *value, const char *text, size_t at, size_t length)
{
    size_t left = length - at;
    bool cut = left < value->length;
    size_t compared = cut ? left : value->length;
    if (memcmp(text + at, value->text, compared) != 0) {
        return 0;
    }
    if (compared >= ANYWHERE_LENGTH) {
        return compared;
    }
    bool before = at == 0 || is_border(text[at - 1], compared);
    return !cut && before && is_border(text[at + compared], compared) ? compared : 0;
}

static size_t match_any(const char *text, size_t at, size_t length)
{
    size_t found = 0;
    for (const struct value *value = values; value != NULL && found == 0; value = value->next) {
        found = match(value, text, at, length);
    }
    return found;
}

const char *hr_redact(const char *text, struct hr_buf *out)
{
    if (__atomic_load_n(&values, __ATOMIC_ACQUIRE) == NULL) {
        return text;
    }
    hr_buf_clear(out);
    size_t length = strlen(text);
    bool changed = false;
    pthread_mutex_lock(&mutex);
    for (size_t at = 0; at < length;) {
        size_t found = match_any(text, at, length);
        if (found > 0) {
            hr_buf_append_text(out, HR_REDACTED);
            changed = true;
            at += found;
        } else {
            hr_buf_append_char(out, text[at++]);
        }
    }
    pthread_mutex_unlock(&mutex);
    return changed ? hr_buf_text(out) : text;
}
