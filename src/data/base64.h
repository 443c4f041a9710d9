/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 of RFC 4648 §4, with padding, no line breaks.
 */
#ifndef HR_DATA_BASE64_H
#define HR_DATA_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that `length` bytes take as text. */
static inline size_t hr_base64_length(size_t length)
{
    return (length + 2) / 3 * 4;
}
/* Writes exactly hr_base64_length(length) bytes. */
void hr_base64_encode(const void *data, size_t length, char *out);
/* Writes at most length / 4 * 3 bytes to out. false: not base64. */
bool hr_base64_decode(const char *text, size_t length, char *out, size_t *out_length);

#endif
