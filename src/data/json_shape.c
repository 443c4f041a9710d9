/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning a shape: what stands between the values of a record is cut into windows of sixteen bytes.
 */
#include "data/json_shape.h"

#include <string.h>

#include "data/json_text.h"

/* A record that is being learned, member by member. */
struct lesson {
    struct hr_json_shape *shape;
    struct hr_json_plan *plan;
    struct hr_json_input input;
    uint64_t seen[(HR_JSON_SHAPE_MEMBERS + 63) / 64]; /* one bit a member of the plan */
    bool quoted;                                      /* the value before */
    size_t least;                                     /* bytes of a record of this shape up to here */
};

static bool has_elements(enum hr_type type)
{
    return type == HR_TYPE_STRING_ARRAY || type == HR_TYPE_DOUBLE_ARRAY || type == HR_TYPE_VECTOR;
}

static bool fits(const struct hr_json_plan *plan)
{
    const struct hr_json_node *root = &plan->root;
    if (root->count == 0 || root->count + HR_JSON_LEARNED_MAX > HR_JSON_SHAPE_MEMBERS) {
        return false;
    }
    for (uint32_t i = 0; i < root->count; i++) {
        const struct hr_json_member *member = &root->members[i];
        if (member->kind != HR_JSON_TO_COLUMN || member->token.length == 0 ||
            has_elements(plan->schema->fields[member->column].type)) {
            return false;
        }
    }
    return true;
}

/* Gaps are read so many at a time. */
enum { GAP_SLACK = 32 };

static size_t gap_room(const struct hr_json_shape *shape)
{
    return 4 * (size_t)shape->value_most + GAP_SLACK;
}

struct hr_json_shape *hr_json_shape_new(const struct hr_json_plan *plan, struct hr_arena *arena)
{
    if (!fits(plan)) {
        return NULL;
    }
    struct hr_json_shape *shape = hr_arena_new(arena, struct hr_json_shape);
    shape->value_most = plan->root.count + HR_JSON_LEARNED_MAX;
    shape->values = hr_arena_array(arena, shape->value_most, struct hr_json_shape_value);
    shape->windows = hr_arena_array(arena, 2 * (size_t)shape->value_most, struct hr_json_window);
    shape->gaps = hr_arena_array(arena, gap_room(shape), uint16_t);
    shape->gap_mask = hr_arena_array(arena, gap_room(shape), uint16_t);
    return shape;
}

/* What a column takes in quotes; a bare value of such a column is null, of another one null, true, false or a number.
 */
static bool wants_quotes(const struct hr_field *field)
{
    return field->type == HR_TYPE_STRING || field->type == HR_TYPE_BINARY ||
           (field->type == HR_TYPE_TIMESTAMP &&
            (field->timestamp_format == HR_TIMESTAMP_RFC3339 || field->timestamp_format == HR_TIMESTAMP_PATTERN));
}

static bool add_window(struct hr_json_shape *shape, const char *bytes, size_t from, size_t length, int shift)
{
    if (shape->window_count == 2 * shape->value_most) {
        return false;
    }
    struct hr_json_window *window = &shape->windows[shape->window_count++];
    *window = (struct hr_json_window){.quote = (uint16_t)shape->quote_count, .shift = (int16_t)shift};
    memcpy(window->bytes + from, bytes, length);
    memset(window->mask + from, 0xff, length);
    return true;
}

/* Windows for the token, whose key's opening quote is the next one. lead: bytes before that quote. The window of a
 * short token ends where it does, and so lies in the record, or begins there when there may be too little before it. */
static bool add_token(struct lesson *lesson, const char *token, size_t length, size_t lead)
{
    struct hr_json_shape *shape = lesson->shape;
    int shift = -(int)lead - 1;
    if (length < 16) {
        bool forward = lesson->least + length < 16;
        int back = forward ? 0 : 16 - (int)length;
        if (forward) {
            shape->forward = shape->window_count;
        } else if (shape->backward == 0) {
            shape->backward = shape->window_count;
        }
        return add_window(shape, token, (size_t)back, length, shift - back);
    }
    for (size_t at = 0;; at += 16) {
        at = at + 16 > length ? length - 16 : at;
        if (!add_window(shape, token + at, 0, 16, shift + (int)at)) {
            return false;
        }
        if (at + 16 == length) {
            return true;
        }
    }
}

static void add_gap(struct hr_json_shape *shape, size_t quote, size_t length)
{
    shape->gaps[quote] = (uint16_t)length;
    shape->gap_mask[quote] = UINT16_MAX;
}

/* Of the key at the next quote, and of the quotes beside it. */
static void add_gaps(struct hr_json_shape *shape, size_t key_length, bool quoted, bool quoted_before)
{
    size_t quote = shape->quote_count;
    add_gap(shape, quote, key_length + 1);
    if (quoted) {
        add_gap(shape, quote + 1, 2);
    }
    if (quoted_before) {
        add_gap(shape, quote - 1, 2);
    }
}

static bool add_member(struct lesson *lesson, const struct hr_json_member *member, bool quoted)
{
    struct hr_json_shape *shape = lesson->shape;
    char token[HR_JSON_SHAPE_TOKEN_MAX];
    bool first = shape->value_count == 0;
    const char *before = first ? "{" : lesson->quoted ? "\"," : ",";
    size_t lead = strlen(before);
    size_t length = lead + member->token.length + quoted;
    if (shape->value_count == shape->value_most || length > sizeof(token)) {
        return false;
    }
    memcpy(token, before, lead);
    memcpy(token + lead, member->token.data, member->token.length);
    token[length - 1] = quoted ? '"' : ':';
    if (!add_token(lesson, token, length, lead)) {
        return false;
    }
    add_gaps(shape, member->key.length, quoted, lesson->quoted);
    shape->last = quoted ? 1 : 3;
    lesson->least += length + !quoted;
    shape->values[shape->value_count++] = (struct hr_json_shape_value){
        .place = (uint16_t)(shape->quote_count + 1 + quoted),
        .margin = quoted ? 0 : 1,
        .column = member->column,
    };
    shape->quote_count += quoted ? 4 : 2;
    lesson->quoted = quoted;
    return true;
}

/* The value at p; returns the place after it, NULL when it cannot be of a shape. */
static const char *learn_value(struct lesson *lesson, const char *p, bool *quoted)
{
    const char *end = lesson->input.end;
    *quoted = p < end && *p == '"';
    if (*quoted) {
        p = hr_json_plain_end(p + 1, end);
        return p < end && *p == '"' ? p + 1 : NULL;
    }
    if (p == end || *p == '{' || *p == '[') {
        return NULL;
    }
    return hr_json_skip_value(&lesson->input, p, 1);
}

static const struct hr_json_member *learn_key(struct lesson *lesson, const char *p, const char *key_end)
{
    struct hr_json_node *root = &lesson->plan->root;
    uint32_t index = hr_json_node_find(root, (struct hr_str){p, (size_t)(key_end - p)});
    if (index == HR_JSON_NONE || (lesson->seen[index / 64] >> index % 64 & 1) != 0 ||
        root->members[index].token.length == 0) {
        return NULL;
    }
    lesson->seen[index / 64] |= (uint64_t)1 << index % 64;
    return &root->members[index];
}

/* One member, p after the brace or the comma. Returns the place after its value. */
static const char *learn_member(struct lesson *lesson, const char *p)
{
    const char *end = lesson->input.end;
    if (p == end || *p != '"') {
        return NULL;
    }
    const char *key_end = memchr(p + 1, '"', (size_t)(end - p - 1));
    if (key_end == NULL || end - key_end < 3 || key_end[1] != ':') {
        return NULL;
    }
    const struct hr_json_member *member = learn_key(lesson, p + 1, key_end);
    bool quoted;
    p = learn_value(lesson, key_end + 2, &quoted);
    if (member == NULL || p == NULL) {
        return NULL;
    }
    if (member->column != HR_JSON_NONE && quoted != wants_quotes(&lesson->plan->schema->fields[member->column])) {
        return NULL;
    }
    return add_member(lesson, member, quoted) ? p : NULL;
}

bool hr_json_shape_learn(struct hr_json_shape *shape, struct hr_json_plan *plan, struct hr_str text,
                         struct hr_arena *arena)
{
    const char *end = text.data + text.length;
    struct lesson lesson = {
        .shape = shape,
        .plan = plan,
        .input = {.start = text.data, .end = end, .arena = arena},
    };
    shape->value_count = shape->window_count = shape->quote_count = shape->forward = shape->backward = 0;
    memset(shape->gaps, 0, gap_room(shape) * sizeof(*shape->gaps));
    memset(shape->gap_mask, 0, gap_room(shape) * sizeof(*shape->gap_mask));
    if (text.length < 2 || text.data[0] != '{') {
        return false;
    }
    const char *p = text.data;
    do {
        p = learn_member(&lesson, p + 1);
    } while (p != NULL && p < end && *p == ',');
    if (p == NULL || end - p != 1) {
        return false;
    }
    if (lesson.quoted) {
        add_gap(shape, shape->quote_count - 1, 2);
    }
    for (uint32_t i = 0; i < plan->root.count; i++) {
        if ((lesson.seen[i / 64] >> i % 64 & 1) == 0) {
            return false; /* a column that is null in this record */
        }
    }
    return true;
}
