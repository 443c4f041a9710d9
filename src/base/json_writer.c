/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON text. The string path is the hot one: valid UTF-8 without anything to escape is found eight bytes at a time and
 * copied in one piece.
 */
#include "base/json_writer.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

void hr_json_init(struct hr_json *json, struct hr_buf *buf)
{
    *json = (struct hr_json){.buf = buf};
}

/* What stands before any value or key. */
static void separate(struct hr_json *json)
{
    if (json->comma) {
        hr_buf_append_char(json->buf, ',');
    }
    json->comma = true;
}

static void open_level(struct hr_json *json, char bracket)
{
    separate(json);
    hr_buf_append_char(json->buf, bracket);
    json->comma = false;
}

static void close_level(struct hr_json *json, char bracket)
{
    hr_buf_append_char(json->buf, bracket);
    json->comma = true;
}

void hr_json_object_begin(struct hr_json *json)
{
    open_level(json, '{');
}

void hr_json_object_end(struct hr_json *json)
{
    close_level(json, '}');
}

void hr_json_array_begin(struct hr_json *json)
{
    open_level(json, '[');
}

void hr_json_array_end(struct hr_json *json)
{
    close_level(json, ']');
}

void hr_json_key(struct hr_json *json, const char *key)
{
    hr_json_key_str(json, hr_str_from(key));
}

void hr_json_key_str(struct hr_json *json, struct hr_str key)
{
    separate(json);
    hr_json_append_quoted(json->buf, key);
    hr_buf_append_char(json->buf, ':');
    json->comma = false;
}

void hr_json_str(struct hr_json *json, struct hr_str value)
{
    separate(json);
    hr_json_append_quoted(json->buf, value);
}

void hr_json_text(struct hr_json *json, const char *value)
{
    if (value == NULL) {
        hr_json_null(json);
    } else {
        hr_json_str(json, hr_str_from(value));
    }
}

void hr_json_int(struct hr_json *json, int64_t value)
{
    separate(json);
    char text[HR_NUMBER_TEXT_MAX];
    hr_buf_append(json->buf, text, hr_number_format_int64(value, text));
}

void hr_json_double(struct hr_json *json, double value)
{
    separate(json);
    hr_json_append_double(json->buf, value);
}

void hr_json_bool(struct hr_json *json, bool value)
{
    hr_json_raw(json, value ? HR_STR("true") : HR_STR("false"));
}

void hr_json_null(struct hr_json *json)
{
    hr_json_raw(json, HR_STR("null"));
}

void hr_json_raw(struct hr_json *json, struct hr_str value)
{
    separate(json);
    hr_buf_append_str(json->buf, value);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

#define EVERY_BYTE(value) (0x0101010101010101u * (value))

/* High bit set in some byte when the word holds a control, a quote or a backslash. May be set for bytes >= 0x80 too:
 * then the slow loop looks. */
static uint64_t escape_mask(uint64_t word)
{
    uint64_t quote = word ^ EVERY_BYTE((uint64_t)'"');
    uint64_t backslash = word ^ EVERY_BYTE((uint64_t)'\\');
    uint64_t ones = EVERY_BYTE((uint64_t)1);
    return ((word - EVERY_BYTE((uint64_t)0x20)) | (quote - ones) | (backslash - ones)) & EVERY_BYTE((uint64_t)0x80);
}

/* Bytes at the start that can be copied as they are. check: also stop at bytes >= 0x80. */
static size_t plain_run(const char *data, size_t length, bool check)
{
    size_t i = 0;
    uint64_t high = check ? EVERY_BYTE((uint64_t)0x80) : 0;
    while (i < length) {
        uint64_t word;
        if (length - i >= sizeof(word)) {
            memcpy(&word, data + i, sizeof(word));
            if (escape_mask(word) == 0 && (word & high) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        unsigned char c = (unsigned char)data[i];
        if (needs_escape(c) || (check && c >= 0x80)) {
            break;
        }
        i++;
    }
    return i;
}

static void append_escape(struct hr_buf *buf, unsigned char c)
{
    static const char short_forms[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\',
    };
    static const char hex[] = "0123456789abcdef";
    if (short_forms[c] != '\0') {
        char text[2] = {'\\', short_forms[c]};
        hr_buf_append(buf, text, sizeof(text));
    } else {
        char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        hr_buf_append(buf, text, sizeof(text));
    }
}

void hr_json_append_quoted(struct hr_buf *buf, struct hr_str value)
{
    bool check = !hr_str_is_utf8(value);
    hr_buf_append_char(buf, '"');
    for (size_t i = 0; i < value.length;) {
        size_t run = plain_run(value.data + i, value.length - i, check);
        hr_buf_append(buf, value.data + i, run);
        i += run;
        if (i == value.length) {
            break;
        }
        unsigned char c = (unsigned char)value.data[i];
        if (needs_escape(c)) {
            append_escape(buf, c);
            i++;
            continue;
        }
        size_t length = hr_str_utf8_length(value.data + i, value.length - i);
        if (length > 0) {
            hr_buf_append(buf, value.data + i, length);
            i += length;
        } else {
            hr_buf_append_text(buf, "\xef\xbf\xbd");
            i++;
        }
    }
    hr_buf_append_char(buf, '"');
}

void hr_json_append_double(struct hr_buf *buf, double value)
{
    if (HR_LIKELY(isfinite(value))) {
        char *to = hr_buf_reserve(buf, HR_NUMBER_TEXT_MAX);
        if (to != NULL) {
            buf->length += hr_number_format_double(value, to);
        }
        return;
    }
    hr_buf_append_text(buf, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}
