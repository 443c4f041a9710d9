/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64. The decoder is strict: bits past the last byte must be zero, so that each text has one reading and back.
 */
#include "data/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hr_base64_encode(const void *data, size_t length, char *out)
{
    const uint8_t *bytes = data;
    size_t i = 0;
    for (; i + 3 <= length; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = alphabet[group >> 6 & 63];
        *out++ = alphabet[group & 63];
    }
    if (i == length) {
        return;
    }
    uint32_t group = (uint32_t)bytes[i] << 16 | (i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0);
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    *out++ = i + 1 < length ? alphabet[group >> 6 & 63] : '=';
    *out++ = '=';
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool hr_base64_decode(const char *text, size_t length, char *out, size_t *out_length)
{
    if (length % 4 != 0) {
        return false;
    }
    size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=') {
        padding++;
    }
    size_t to = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < length - padding; i++) {
        int value = value_of(text[i]);
        if (value < 0) {
            return false;
        }
        group = group << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            out[to++] = (char)(group >> 16);
            out[to++] = (char)(group >> 8);
            out[to++] = (char)group;
            group = 0;
        }
    }
    if (padding == 1) {
        out[to++] = (char)(group >> 10);
        out[to++] = (char)(group >> 2);
    } else if (padding == 2) {
        out[to++] = (char)(group >> 4);
    }
    uint32_t rest = padding == 1 ? group & 3 : padding == 2 ? group & 15 : 0;
    *out_length = to;
    return rest == 0;
}
