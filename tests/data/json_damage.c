/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_damage.h.
 */
#include "json_damage.h"

#include "json_draw.h"

struct span {
    size_t start;
    size_t length;
};

/* Takes out `length` bytes at `at` and puts others in their place. */
static void replace(struct maker *maker, struct span old, const char *text, size_t length)
{
    if (length > old.length && length - old.length > MAKER_TEXT_MAX - maker->length) {
        return;
    }
    char *at = maker->text + old.start;
    memmove(at + length, at + old.length, maker->length - old.start - old.length);
    memcpy(at, text, length);
    maker->length = maker->length - old.length + length;
}

/* Bytes that mean something to a JSON reader, or are the edges of UTF-8. */
static char telling_byte(struct maker *maker)
{
    static const char bytes[] =
        "\"\"\\\\{}[]::,,--+.eE0019nturf \t\n\r/b\x00\x01\x1f\x20\x7f\x80\xbf\xc0\xc2\xdf\xe0\xed"
        "\xef\xf0\xf4\xf5\xff";
    return once(maker, 3) ? (char)maker_bits(maker) : bytes[below(maker, (unsigned)sizeof(bytes) - 1)];
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '-' || c == '+' || c == '.';
}

/* The token at or after a random place: a string with its quotes, a word, or one byte. */
static struct span token(struct maker *maker)
{
    size_t at = 0;
    size_t target = below(maker, (unsigned)maker->length);
    struct span found = {0, 1};
    while (at < maker->length && found.start + found.length <= target) {
        found.start = at;
        if (maker->text[at] == '"') {
            do {
                at += maker->text[at] == '\\' ? 2 : 1;
            } while (at < maker->length && maker->text[at] != '"');
            at = at < maker->length ? at + 1 : maker->length;
        } else if (is_word(maker->text[at])) {
            while (at < maker->length && is_word(maker->text[at])) {
                at++;
            }
        } else {
            at++;
        }
        found.length = at - found.start;
    }
    return found;
}

static void swap_tokens(struct maker *maker)
{
    struct span a = token(maker);
    struct span b = token(maker);
    char first[MAKER_TEXT_MAX];
    char second[MAKER_TEXT_MAX];
    if (a.start > b.start) {
        struct span other = a;
        a = b;
        b = other;
    }
    if (a.start + a.length > b.start) {
        return;
    }
    memcpy(first, maker->text + a.start, a.length);
    memcpy(second, maker->text + b.start, b.length);
    replace(maker, b, first, a.length);
    replace(maker, a, second, b.length);
}

static void other_token(struct maker *maker)
{
    static const char *const tokens[] = {
        "null",
        "true",
        "false",
        "\"\"",
        "[]",
        "{}",
        "[null]",
        "{\"x\":1}",
        "[1,2]",
        "\"x\"",
        "nul",
        "truE",
        "NaN",
        "-",
        "Infinity",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "0x10",
        "1_0",
        "--1",
        "'x'",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\u0000\"",
        "\"a\tb\"",
        "\xef\xbb\xbf",
        "/**/",
        ",,",
        ",}",
        "[1,]",
        "\xc0\x80",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "1 2",
        "{\"size\":1,\"indices\":[0],\"values\":[1]}",
    };
    if (once(maker, 2)) {
        const char *text = tokens[below(maker, (unsigned)HR_ARRAY_LEN(tokens))];
        replace(maker, token(maker), text, strlen(text));
        return;
    }
    /* A number is written at the end, moved, and the end is cut off again. */
    size_t length = maker->length;
    char number[400];
    maker_number(maker);
    size_t written = maker->length - length;
    maker->length = length;
    if (written <= sizeof(number)) {
        memcpy(number, maker->text + length, written);
        replace(maker, token(maker), number, written);
    }
}

/* A token's copy somewhere else: duplicate members and values come about, and lists that are not. */
static void copy_span(struct maker *maker)
{
    struct span from = token(maker);
    struct span end = token(maker);
    char copy[512];
    if (end.start > from.start) {
        from.length = end.start + end.length - from.start;
    }
    if (from.length <= sizeof(copy)) {
        memcpy(copy, maker->text + from.start, from.length);
        struct span to = {token(maker).start, 0};
        replace(maker, to, copy, from.length);
    }
}

/* The start of this record and the end of another. */
static void splice(struct maker *maker)
{
    static _Thread_local struct maker other;
    size_t keep = once(maker, 2) ? token(maker).start : below(maker, (unsigned)maker->length);
    maker_record(&other, maker_bits(maker), 0, below(maker, (unsigned)maker_schema_count));
    if (other.length == 0) {
        return;
    }
    size_t from = once(maker, 2) ? token(&other).start : below(maker, (unsigned)other.length);
    replace(maker, (struct span){keep, maker->length - keep}, other.text + from, other.length - from);
}

void maker_damage(struct maker *maker)
{
    static _Thread_local bool splicing;
    if (maker->length == 0) {
        return;
    }
    size_t at = below(maker, (unsigned)maker->length);
    char byte = telling_byte(maker);
    switch (below(maker, 10)) {
    case 0:
        maker->text[at] = (char)(maker->text[at] ^ (1 << below(maker, 8)));
        break;
    case 1:
        maker->text[at] = byte;
        break;
    case 2:
        replace(maker, (struct span){at, 0}, &byte, 1);
        break;
    case 3: {
        size_t length = once(maker, 2) ? 1 : 1 + below(maker, 20);
        replace(maker, (struct span){at, length < maker->length - at ? length : maker->length - at}, "", 0);
        break;
    }
    case 4:
        replace(maker, token(maker), "", 0);
        break;
    case 5:
        swap_tokens(maker);
        break;
    case 6:
        copy_span(maker);
        break;
    case 7:
        /* The other record is damaged too, but not spliced in turn. */
        if (!splicing) {
            splicing = true;
            splice(maker);
            splicing = false;
        }
        break;
    default:
        other_token(maker);
    }
}
