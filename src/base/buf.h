/* SPDX-License-Identifier: Apache-2.0
 *
 * Growable byte buffer that is born with a maximum. Going past the maximum sets `overflow` and drops the bytes: callers
 * check once at the end. Growing calls malloc, so hot paths keep one buffer and clear it (memory stays).
 */
#ifndef HR_BASE_BUF_H
#define HR_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"
#include "base/str.h"

struct hr_buf {
    char *data;
    size_t length;
    size_t capacity;
    size_t maximum;
    bool overflow;
};

void hr_buf_init(struct hr_buf *buf, size_t maximum);
void hr_buf_release(struct hr_buf *buf);
/* Empties; keeps memory; clears overflow. */
void hr_buf_clear(struct hr_buf *buf);
/* Makes room for `extra` more bytes and returns where to write them, or NULL (and overflow) past the maximum. The
 * caller then adds what it wrote to buf->length. */
char *hr_buf_reserve(struct hr_buf *buf, size_t extra);
void hr_buf_append(struct hr_buf *buf, const void *data, size_t length);
void hr_buf_printf(struct hr_buf *buf, const char *format, ...) HR_PRINTF(2, 3);
/* A terminated C string of the content; terminator not counted in length. "" after overflow of an empty buffer. */
const char *hr_buf_text(struct hr_buf *buf);

static inline void hr_buf_append_str(struct hr_buf *buf, struct hr_str slice)
{
    hr_buf_append(buf, slice.data, slice.length);
}

static inline void hr_buf_append_text(struct hr_buf *buf, const char *text)
{
    hr_buf_append(buf, text, strlen(text));
}

static inline void hr_buf_append_char(struct hr_buf *buf, char c)
{
    hr_buf_append(buf, &c, 1);
}

static inline struct hr_str hr_buf_str(const struct hr_buf *buf)
{
    return (struct hr_str){buf->data, buf->length};
}

#endif
