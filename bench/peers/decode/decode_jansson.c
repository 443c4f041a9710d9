/* SPDX-License-Identifier: Apache-2.0
 *
 * jansson as a decoder of click records: json_loadb on each line, then one lookup a column. Texts are copied, for the
 * values go with their object.
 */
#include <jansson.h>
#include <string.h>

#include "click_columns.h"

static char texts[4 << 20];
static char *text_end;

static struct click_text text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    size_t length = json_string_length(value);
    char *copy = text_end;
    memcpy(copy, json_string_value(value), length);
    text_end += length;
    return (struct click_text){copy, length};
}

static int64_t integer_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

size_t peer_decode(const char *text, size_t length, size_t records, struct click_columns *columns)
{
    size_t row = 0;
    const char *end = text + length;
    text_end = texts;
    while (row < records && text < end && text_end + 1024 < texts + sizeof(texts)) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        json_t *object = json_loadb(text, (size_t)(line_end - text), 0, NULL);
        if (object == NULL) {
            break;
        }
        columns->session_id[row] = text_of(object, "session_id");
        columns->user_id[row] = text_of(object, "user_id");
        columns->page[row] = text_of(object, "page");
        columns->country[row] = text_of(object, "country");
        columns->ts[row] = integer_of(object, "ts");
        columns->device[row] = integer_of(object, "device");
        columns->clicks[row] = integer_of(object, "clicks");
        columns->dwell[row] = number_of(object, "dwell");
        columns->price[row] = number_of(object, "price");
        columns->label[row] = integer_of(object, "label");
        json_decref(object);
        row++;
        text = line_end + 1;
    }
    return row;
}
