/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_model.h: reading a record with jansson, with the known differences taken out.
 */
#include "json_model.h"

#include <stdio.h>
#include <string.h>

#define NUMBER_MARK "hr-number:"

enum { READ_FLAGS = JSON_ALLOW_NUL | JSON_DECODE_ANY };

void model_init(struct model *model)
{
    *model = (struct model){0};
    hr_buf_init(&model->text, 1 << 24);
}

static void forget(struct model *model)
{
    json_decref(model->root);
    if (model->reals != model->root) {
        json_decref(model->reals);
    }
    model->root = NULL;
    model->reals = NULL;
}

void model_release(struct model *model)
{
    forget(model);
    hr_buf_release(&model->text);
}

static void splice_text(struct hr_buf *text, size_t at, size_t length, const char *with, size_t with_length)
{
    size_t tail = text->length - at - length;
    if (hr_buf_reserve(text, with_length) == NULL) {
        return;
    }
    memmove(text->data + at + with_length, text->data + at + length, tail);
    memcpy(text->data + at, with, with_length);
    text->length = at + with_length + tail;
}

static size_t skip_digits(const struct hr_buf *text, size_t at, size_t end)
{
    while (at < end && text->data[at] >= '0' && text->data[at] <= '9') {
        at++;
    }
    return at;
}

/* The end of the number that starts at `at`, as JSON has them; `at` when none does. */
static size_t number_end(const struct hr_buf *text, size_t at, size_t end)
{
    size_t start = at;
    at += text->data[at] == '-';
    size_t whole = at;
    at = at < end && text->data[at] == '0' ? at + 1 : skip_digits(text, at, end);
    if (at == whole) {
        return start;
    }
    if (at < end && text->data[at] == '.') {
        at = skip_digits(text, at + 1, end);
    }
    if (at < end && (text->data[at] == 'e' || text->data[at] == 'E')) {
        at++;
        at += at < end && (text->data[at] == '+' || text->data[at] == '-');
        at = skip_digits(text, at, end);
    }
    return at;
}

/* The start of the number that ends at `end`: "1-99e9" and "009" are two numbers to jansson's scanner. */
static size_t number_start(const struct hr_buf *text, size_t end)
{
    size_t start = end;
    while (start > 0 && memchr("0123456789+-.eE", text->data[start - 1], 15) != NULL) {
        start--;
    }
    while (start < end) {
        size_t next = number_end(text, start, end);
        if (next == end) {
            break;
        }
        start = next > start ? next : start + 1;
    }
    return start;
}

/* The number that ends at `end` becomes an array with a string: a string alone might pass as a member's name. */
static bool hide_number(struct hr_buf *text, size_t end)
{
    size_t start = number_start(text, end);
    struct hr_buf mark;
    hr_buf_init(&mark, 1 << 24);
    hr_buf_printf(&mark, "[\"" NUMBER_MARK "%.*s\"]", (int)(end - start), text->data + start);
    splice_text(text, start, end - start, mark.data, mark.length);
    hr_buf_release(&mark);
    return end > start;
}

/* The last \u0000 before `end` becomes \u0001. */
static bool hide_nul(struct hr_buf *text, size_t end)
{
    for (size_t at = end; at-- > 0;) {
        if (text->length - at < 6 || memcmp(text->data + at, "\\u0000", 6) != 0) {
            continue;
        }
        size_t backslashes = 0;
        while (backslashes < at && text->data[at - 1 - backslashes] == '\\') {
            backslashes++;
        }
        if (backslashes % 2 == 0) {
            text->data[at + 5] = '1';
            return true;
        }
    }
    return false;
}

/* Of well-formed text. */
static int deepest(struct hr_str text)
{
    int depth = 0;
    int most = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
            most = depth > most ? depth : most;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return most;
}

void model_read(struct model *model, struct hr_str record)
{
    forget(model);
    model->overflows = 0;
    model->nuls_in_names = 0;
    hr_buf_clear(&model->text);
    hr_buf_append_str(&model->text, record);
    const char *text = record.length > 0 ? model->text.data : "";
    while ((model->root = json_loadb(text, model->text.length, READ_FLAGS, &model->error)) == NULL) {
        size_t at = (size_t)model->error.position;
        bool again = false;
        if (json_error_code(&model->error) == json_error_numeric_overflow) {
            again = hide_number(&model->text, at);
            model->overflows++;
        } else if (json_error_code(&model->error) == json_error_null_byte_in_key) {
            again = hide_nul(&model->text, at);
            model->nuls_in_names++;
        }
        if (!again) {
            return;
        }
        text = model->text.data;
    }
    if (memchr(record.data, '\0', record.length) != NULL) {
        (void)snprintf(model->error.text, sizeof(model->error.text) - 1, "a NUL byte");
        forget(model);
        return;
    }
    model->reals = model->root;
    if (memmem(text, model->text.length, "-0", 2) != NULL) {
        json_error_t error;
        model->reals = json_loadb(text, model->text.length, READ_FLAGS | JSON_DECODE_INT_AS_REAL, &error);
    }
    model->depth = deepest(record);
}

const char *model_hidden_number(const json_t *value)
{
    const char *text = json_string_value(json_array_get(value, 0));
    size_t mark = strlen(NUMBER_MARK);
    return text != NULL && strncmp(text, NUMBER_MARK, mark) == 0 ? text + mark : NULL;
}
