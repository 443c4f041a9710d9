/* SPDX-License-Identifier: Apache-2.0
 *
 * Growable bytes with a maximum; doubles, so that n appends cost O(n).
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"

void hr_buf_init(struct hr_buf *buf, size_t maximum)
{
    *buf = (struct hr_buf){.maximum = maximum};
}

void hr_buf_release(struct hr_buf *buf)
{
    hr_free(buf->data);
    hr_buf_init(buf, buf->maximum);
}

void hr_buf_clear(struct hr_buf *buf)
{
    buf->length = 0;
    buf->overflow = false;
}

static HR_COLD bool buf_grow(struct hr_buf *buf, size_t needed)
{
    if (needed > buf->maximum) {
        buf->overflow = true;
        return false;
    }
    size_t capacity = buf->capacity < 128 ? 256 : buf->capacity * 2;
    if (capacity < needed) {
        capacity = needed;
    }
    if (capacity > buf->maximum) {
        capacity = buf->maximum;
    }
    buf->data = hr_realloc_array(buf->data, capacity + 1, 1); /* + 1: hr_buf_text's terminator */
    buf->capacity = capacity;
    return true;
}

char *hr_buf_reserve(struct hr_buf *buf, size_t extra)
{
    if (HR_UNLIKELY(buf->overflow || extra > buf->maximum)) {
        buf->overflow = true;
        return NULL;
    }
    if (HR_UNLIKELY(extra > buf->capacity - buf->length || buf->data == NULL)) {
        if (!buf_grow(buf, buf->length + extra)) {
            return NULL;
        }
    }
    return buf->data + buf->length;
}

void hr_buf_append(struct hr_buf *buf, const void *data, size_t length)
{
    char *to = hr_buf_reserve(buf, length);
    if (to != NULL && length > 0) {
        memcpy(to, data, length);
        buf->length += length;
    }
}

void hr_buf_printf(struct hr_buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    HR_ASSERT(length >= 0);
    char *to = hr_buf_reserve(buf, (size_t)length + 1);
    if (to != NULL) {
        va_start(arguments, format);
        (void)vsnprintf(to, (size_t)length + 1, format, arguments);
        va_end(arguments);
        buf->length += (size_t)length;
    }
}

const char *hr_buf_text(struct hr_buf *buf)
{
    if (buf->data == NULL) {
        return "";
    }
    buf->data[buf->length] = '\0';
    return buf->data;
}
