/* SPDX-License-Identifier: Apache-2.0
 *
 * simdjson On-Demand as a decoder of click records: iterate_many over the lines of a chunk, fields looked up in the
 * order that they have, strings unescaped into the parser's buffer. Compile for the machine (-march=native): On-Demand
 * takes its kernel at compile time.
 */
#include <simdjson.h>

#include "click_columns.h"

namespace
{

using namespace simdjson;

/* Texts of the chunk; the parser's own buffer is used again for each document. */
uint8_t texts[4 << 20];

struct row_reader {
    ondemand::parser &parser;
    ondemand::object object;
    uint8_t *&end;

    click_text text(std::string_view key)
    {
        ondemand::raw_json_string raw = object[key].get_raw_json_string();
        std::string_view value = parser.unescape(raw, end);
        return {value.data(), value.size()};
    }
    int64_t integer(std::string_view key)
    {
        return object[key].get_int64();
    }
    double number(std::string_view key)
    {
        return object[key].get_double();
    }
};

void decode_row(row_reader reader, size_t row, click_columns *columns)
{
    columns->session_id[row] = reader.text("session_id");
    columns->user_id[row] = reader.text("user_id");
    columns->page[row] = reader.text("page");
    columns->country[row] = reader.text("country");
    columns->ts[row] = reader.integer("ts");
    columns->device[row] = reader.integer("device");
    columns->clicks[row] = reader.integer("clicks");
    columns->dwell[row] = reader.number("dwell");
    columns->price[row] = reader.number("price");
    columns->label[row] = reader.integer("label");
}

} // namespace

extern "C" size_t peer_decode(const char *text, size_t length, size_t records, click_columns *columns)
{
    static ondemand::parser parser;
    uint8_t *end = texts;
    size_t row = 0;
    try {
        ondemand::document_stream stream;
        if (parser.iterate_many(text, length, length + SIMDJSON_PADDING).get(stream) != SUCCESS) {
            return 0;
        }
        for (auto document : stream) {
            if (row == records) {
                break;
            }
            decode_row({parser, document.get_object(), end}, row, columns);
            row++;
        }
    } catch (const simdjson_error &error) {
        fprintf(stderr, "simdjson: %s\n", error.what());
    }
    return row;
}
