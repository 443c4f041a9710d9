/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_maker.h. Well-formed records; numbers are json_numbers.c, damage is json_damage.c.
 */
#include "json_maker.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/random.h"
#include "json_damage.h"
#include "json_draw.h"

enum kind { ANY, BOOLEAN, INTEGER, FLOATING, STRING, STRINGS, DOUBLES, VECTOR, OBJECT, ITEMS };

struct made_member {
    const char *key; /* as JSON text, with quotes */
    enum kind kind;
    const struct made_member *members;
    size_t count;
};

static const struct made_member click_members[] = {
    {"\"session_id\"", STRING, NULL, 0}, {"\"user_id\"", STRING, NULL, 0}, {"\"page\"", STRING, NULL, 0},
    {"\"country\"", STRING, NULL, 0},    {"\"ts\"", INTEGER, NULL, 0},     {"\"device\"", INTEGER, NULL, 0},
    {"\"clicks\"", INTEGER, NULL, 0},    {"\"dwell\"", FLOATING, NULL, 0}, {"\"price\"", FLOATING, NULL, 0},
    {"\"label\"", FLOATING, NULL, 0},
};

static const struct made_member user_members[] = {
    {"\"id\"", INTEGER, NULL, 0}, {"\"score\"", FLOATING, NULL, 0}, {"\"name\"", STRING, NULL, 0}};

static const struct made_member nested_members[] = {
    {"\"user\"", OBJECT, user_members, HR_ARRAY_LEN(user_members)},
    {"\"v\"", VECTOR, NULL, 0},
    {"\"items\"", ITEMS, NULL, 0},
    {"\"a/b\"", STRING, NULL, 0},
    {"\"a\\/b\"", STRING, NULL, 0},
    {"\"q\\\"t\"", INTEGER, NULL, 0},
    {"\"\"", FLOATING, NULL, 0},
};

static const struct made_member typed_members[] = {
    {"\"b\"", BOOLEAN, NULL, 0},  {"\"i\"", INTEGER, NULL, 0},  {"\"l\"", INTEGER, NULL, 0},
    {"\"f\"", FLOATING, NULL, 0}, {"\"d\"", FLOATING, NULL, 0}, {"\"s\"", STRING, NULL, 0},
    {"\"S\"", STRINGS, NULL, 0},  {"\"D\"", DOUBLES, NULL, 0},  {"\"v\"", VECTOR, NULL, 0},
    {"\"w\"", VECTOR, NULL, 0},
};

static const struct made_member text_members[] = {
    {"\"na\u00efve\"", STRING, NULL, 0},
    {"\"na\\u00efve\"", STRING, NULL, 0},
    {"\"\u043a\u043b\u044e\u0447\"", FLOATING, NULL, 0},
    {"\"\\ud83d\\ude00\"", STRING, NULL, 0},
    {"\"t\"", STRINGS, NULL, 0},
};

const char *const maker_schemas[] = {
    "session_id string, user_id string, page string, country string, ts long, device int, clicks int, dwell double, "
    "price double, label double NOT NULL",
    "- {name: id, type: long, path: /user/id}\n"
    "- {name: when, type: timestamp, format: epochMillis, path: /user/id}\n"
    "- {name: when_too, type: timestamp, format: epochSeconds, path: /user/id}\n"
    "- {name: score, type: double, path: /user/score}\n"
    "- {name: name, type: string, path: /user/name, nullable: false}\n"
    "- {name: v, type: vector}\n"
    "- {name: v_size, type: long, path: /v/size}\n"
    "- {name: first, type: string, path: /items/0}\n"
    "- {name: third, type: double, path: /items/2/x}\n"
    "- {name: slashed, type: string, path: /a~1b}\n"
    "- {name: slashed_again, type: string, path: /a~1b}\n"
    "- {name: 'q\"t', type: int}\n"
    "- {name: empty, type: float, path: /}",
    "b boolean, i int, l long, f float, d double, s string, S array<string>, D array<double>, v vector, w vector NOT "
    "NULL",
    "- {name: na\u00efve, type: string}\n"
    "- {name: \u043a\u043b\u044e\u0447, type: double}\n"
    "- {name: \U0001F600, type: string}\n"
    "- {name: t, type: array<string>}",
};
const size_t maker_schema_count = HR_ARRAY_LEN(maker_schemas);

static const struct {
    const struct made_member *members;
    size_t count;
} made_records[] = {
    {click_members, HR_ARRAY_LEN(click_members)},
    {nested_members, HR_ARRAY_LEN(nested_members)},
    {typed_members, HR_ARRAY_LEN(typed_members)},
    {text_members, HR_ARRAY_LEN(text_members)},
};

static void blanks(struct maker *maker)
{
    if (once(maker, 12)) {
        do {
            put_byte(maker, " \t\r\n"[below(maker, 4)]);
        } while (once(maker, 3));
    }
}

static void integer(struct maker *maker)
{
    if (once(maker, 80)) {
        maker_number(maker);
        return;
    }
    if (once(maker, 6)) {
        put_byte(maker, '-');
    }
    maker_whole(maker, below(maker, once(maker, 40) ? 21 : 9));
}

static void put_point(struct maker *maker, uint32_t point)
{
    char text[16];
    (void)snprintf(text, sizeof(text), once(maker, 2) ? "\\u%04x" : "\\u%04X", point);
    put(maker, text);
}

static void string_piece(struct maker *maker)
{
    static const char *const pieces[] = {
        "\u00e9",
        "\u20ac",
        "\U0001F600",
        "\uffff",
        "\u0800",
        "\U0010FFFF",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\f",
        "\\n",
        "\\r",
        "\\t",
        "\\ud83d\\ude00",
        "\\uD800\\uDC00",
        "\\udbff\\udfff",
        "\x7f",
        "u0000",
        "/",
        "'",
        "{",
        "]",
        ":",
    };
    switch (below(maker, 12)) {
    case 0:
        put(maker, pieces[below(maker, HR_ARRAY_LEN(pieces))]);
        break;
    case 1:
        /* Mostly an escape that is right; the surrogates among them are not. */
        put_point(maker, once(maker, 4) ? below(maker, 0x100) : below(maker, 0x10000));
        break;
    default:
        for (unsigned count = below(maker, once(maker, 10) ? 80 : 12); count > 0; count--) {
            put_byte(maker, "abcdefghijklmnopqrstuvwxyz0123456789-_/. "[below(maker, 41)]);
        }
    }
}

static void string(struct maker *maker)
{
    put_byte(maker, '"');
    if (once(maker, 24)) {
        static const char *const named[] = {"NaN", "Infinity", "-Infinity", "null", "1", "nan"};
        put(maker, named[below(maker, HR_ARRAY_LEN(named))]);
    } else {
        for (unsigned pieces = 1 + (once(maker, 3) ? below(maker, 6) : 0); pieces > 0; pieces--) {
            string_piece(maker);
        }
    }
    put_byte(maker, '"');
}

static void value(struct maker *maker, enum kind kind, const struct made_member *member, int depth);

static void between(struct maker *maker)
{
    blanks(maker);
    put_byte(maker, ',');
    blanks(maker);
}

static void array(struct maker *maker, enum kind kind, unsigned count, int depth)
{
    put_byte(maker, '[');
    blanks(maker);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) {
            between(maker);
        }
        value(maker, kind, NULL, depth + 1);
    }
    blanks(maker);
    put_byte(maker, ']');
}

static void key(struct maker *maker, const char *text)
{
    put(maker, text);
    blanks(maker);
    put_byte(maker, ':');
    blanks(maker);
}

static void sparse_vector(struct maker *maker, int depth)
{
    static const char *const parts[] = {"\"size\"", "\"indices\"", "\"values\""};
    unsigned count = below(maker, 5);
    unsigned first = below(maker, 3);
    put_byte(maker, '{');
    for (unsigned i = 0; i < 3 + (once(maker, 10) ? 1u : 0u); i++) {
        unsigned part = (first + i) % 3;
        if (i > 0) {
            between(maker);
        }
        key(maker, parts[part]);
        if (once(maker, 40)) {
            value(maker, ANY, NULL, depth + 1);
        } else if (part == 0) {
            put(maker, "100");
        } else if (part == 1) {
            char text[80] = "";
            for (unsigned k = 0, index = 0; k < count; k++) {
                index += 1 + below(maker, once(maker, 30) ? 100 : 20);
                (void)snprintf(text + strlen(text), 16, "%s%u", k > 0 ? "," : "", index - 1);
            }
            put_byte(maker, '[');
            put(maker, text);
            put_byte(maker, ']');
        } else {
            array(maker, FLOATING, count, depth + 1);
        }
    }
    put_byte(maker, '}');
}

static void members(struct maker *maker, const struct made_member *table, size_t count, int depth)
{
    size_t first = once(maker, 3) ? below(maker, (unsigned)count) : 0;
    bool comma = false;
    put_byte(maker, '{');
    blanks(maker);
    for (size_t i = 0; i < count; i++) {
        const struct made_member *member = &table[(first + i) % count];
        if (once(maker, 40)) {
            continue;
        }
        unsigned times = once(maker, 20) ? 2 : 1;
        while (times-- > 0) {
            if (comma) {
                between(maker);
            }
            comma = true;
            key(maker, member->key);
            value(maker, member->kind, member, depth + 1);
        }
        if (once(maker, 24)) {
            between(maker);
            string(maker);
            key(maker, "");
            value(maker, ANY, NULL, depth + 1);
        }
    }
    blanks(maker);
    put_byte(maker, '}');
}

/* Containers within each other, about as many as the limit. */
static void deep(struct maker *maker, int depth)
{
    unsigned levels = 110 + below(maker, 24);
    bool object = once(maker, 2);
    (void)depth;
    for (unsigned i = 0; i < levels; i++) {
        put(maker, object ? "{\"x\":" : "[");
    }
    put(maker, "1");
    for (unsigned i = 0; i < levels; i++) {
        put_byte(maker, object ? '}' : ']');
    }
}

static void any_value(struct maker *maker, int depth)
{
    static const struct made_member inner[] = {
        {"\"x\"", ANY, NULL, 0}, {"\"\"", STRING, NULL, 0}, {"\"x\\u0000\"", ANY, NULL, 0}};
    switch (below(maker, depth > 6 ? 5 : 8)) {
    case 0:
        maker_number(maker);
        break;
    case 1:
        string(maker);
        break;
    case 2:
        put(maker, "true");
        break;
    case 3:
        put(maker, "false");
        break;
    case 4:
        put(maker, "null");
        break;
    case 5:
        array(maker, ANY, below(maker, 4), depth);
        break;
    case 6:
        members(maker, inner, HR_ARRAY_LEN(inner), depth);
        break;
    default:
        if (once(maker, 20)) {
            deep(maker, depth);
        } else {
            array(maker, FLOATING, below(maker, 40), depth);
        }
    }
}

/* Elements 0 and 2 are what the schema's pointers look at; an object with such names serves as well. */
static void items(struct maker *maker, int depth)
{
    static const struct made_member third[] = {{"\"x\"", FLOATING, NULL, 0}, {"\"y\"", ANY, NULL, 0}};
    static const struct made_member names[] = {{"\"0\"", STRING, NULL, 0}, {"\"2\"", OBJECT, third, 2}};
    if (once(maker, 5)) {
        members(maker, names, HR_ARRAY_LEN(names), depth);
        return;
    }
    put_byte(maker, '[');
    string(maker);
    between(maker);
    any_value(maker, depth + 1);
    between(maker);
    members(maker, third, HR_ARRAY_LEN(third), depth + 1);
    put_byte(maker, ']');
}

static void value(struct maker *maker, enum kind kind, const struct made_member *member, int depth)
{
    if (once(maker, 30)) {
        put(maker, "null");
        return;
    }
    if (kind == ANY || once(maker, 200)) {
        any_value(maker, depth);
        return;
    }
    switch (kind) {
    case BOOLEAN:
        put(maker, once(maker, 2) ? "true" : "false");
        break;
    case INTEGER:
        integer(maker);
        break;
    case STRING:
        string(maker);
        break;
    case STRINGS:
        array(maker, STRING, below(maker, 5), depth);
        break;
    case DOUBLES:
        array(maker, FLOATING, below(maker, 10), depth);
        break;
    case VECTOR:
        if (once(maker, 2)) {
            sparse_vector(maker, depth);
        } else {
            array(maker, FLOATING, below(maker, 10), depth);
        }
        break;
    case OBJECT:
        members(maker, member->members, member->count, depth);
        break;
    case ITEMS:
        items(maker, depth);
        break;
    default:
        if (once(maker, 40)) {
            put(maker, "\"NaN\"");
        } else {
            maker_number(maker);
        }
    }
}

void maker_begin(struct maker *maker, uint64_t seed, uint64_t number)
{
    uint64_t mixed = seed * 0x2545f4914f6cdd1du ^ number * 0xd1342543de82ef95u;
    maker->state = hr_random_splitmix(&mixed);
    maker->length = 0;
}

void maker_record(struct maker *maker, uint64_t seed, uint64_t number, size_t schema)
{
    maker_begin(maker, seed, number);
    unsigned damages = once(maker, 4) ? 0 : once(maker, 3) ? 1 + below(maker, 6) : 1;
    blanks(maker);
    if (once(maker, 200)) {
        any_value(maker, 0);
    } else {
        members(maker, made_records[schema].members, made_records[schema].count, 1);
    }
    blanks(maker);
    for (; damages > 0; damages--) {
        maker_damage(maker);
    }
}
