/* SPDX-License-Identifier: Apache-2.0
 *
 * Append-only JSON output into a buffer: no tree, no allocation of its own. Puts commas itself. For documents and for
 * records alike; documents that are read and changed use jansson.
 *
 *     struct hr_json json;
 *     hr_json_init(&json, &buf);
 *     hr_json_object_begin(&json);
 *     hr_json_key(&json, "rows");
 *     hr_json_int(&json, 3);
 *     hr_json_object_end(&json);
 */
#ifndef HR_BASE_JSON_WRITER_H
#define HR_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct hr_json {
    struct hr_buf *buf;
    bool comma; /* a value was written at this level */
};

void hr_json_init(struct hr_json *json, struct hr_buf *buf);
void hr_json_object_begin(struct hr_json *json);
void hr_json_object_end(struct hr_json *json);
void hr_json_array_begin(struct hr_json *json);
void hr_json_array_end(struct hr_json *json);
void hr_json_key(struct hr_json *json, const char *key);
void hr_json_key_str(struct hr_json *json, struct hr_str key);
/* The slice must be UTF-8 (bytes that are not are written as U+FFFD). Escapes ", \ and controls only. */
void hr_json_str(struct hr_json *json, struct hr_str value);
void hr_json_text(struct hr_json *json, const char *value); /* NULL: null */
void hr_json_int(struct hr_json *json, int64_t value);
/* Shortest round-trip form; NaN and the infinities as the strings "NaN", "Infinity", "-Infinity". */
void hr_json_double(struct hr_json *json, double value);
void hr_json_bool(struct hr_json *json, bool value);
void hr_json_null(struct hr_json *json);
/* Text that already is one JSON value. */
void hr_json_raw(struct hr_json *json, struct hr_str value);
/* Only the quoted, escaped form, with no comma handling: for encoders that place their own punctuation. */
void hr_json_append_quoted(struct hr_buf *buf, struct hr_str value);
void hr_json_append_double(struct hr_buf *buf, double value);

#endif
