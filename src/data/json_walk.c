/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk of the JSON decoder. A member is found by the guess that records of one producer have their members in one
 * order: the member that followed this one in the last record is compared first, as plain bytes.
 */
#include "data/json_walk.h"

#include "data/json_fast.h"
#include "data/json_text.h"

static const char *walk_value(struct hr_json_walk *walk, const char *p, int depth, const struct hr_json_member *member);

/* Columns of a value, and of everything below it, are as if it had not come. */
static void forget(struct hr_json_decoder *decoder, const struct hr_json_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const struct hr_json_member *member = &node->members[i];
        for (uint32_t column = member->column; column != HR_JSON_NONE; column = decoder->plan.next_column[column]) {
            decoder->states[column] = HR_JSON_MISSING;
        }
        if (member->node != NULL) {
            forget(decoder, member->node);
        }
    }
}

/* The member's name and the colon; *index of the member, HR_JSON_NONE when the schema does not know it. */
static const char *member_name(struct hr_json_walk *walk, const char *p, struct hr_json_node *node, uint32_t *index)
{
    const char *end = walk->input.end;
    struct hr_str key;
    if (p == end || *p != '"') {
        return hr_json_fail(&walk->input, p, HR_REASON_MALFORMED, "a member's name in quotes");
    }
    p = hr_json_string(&walk->input, p + 1, &key);
    if (p == NULL) {
        return NULL;
    }
    *index = hr_json_node_find(node, key);
    p = hr_json_skip_blanks(p, end);
    if (p == end || *p != ':') {
        return hr_json_fail(&walk->input, p, HR_REASON_MALFORMED, "':'");
    }
    p = hr_json_skip_blanks(p + 1, end);
    return p < end ? p : hr_json_fail(&walk->input, p, HR_REASON_MALFORMED, "a value");
}

/* Whole milliseconds or seconds. */
static inline const char *fast_epoch(struct hr_json_walk *walk, const char *p, enum hr_timestamp_format format,
                                     int64_t *out)
{
    if (format != HR_TIMESTAMP_EPOCH_MILLIS && format != HR_TIMESTAMP_EPOCH_SECONDS) {
        return NULL;
    }
    const char *next = hr_json_fast_integer(walk->input.start, p, walk->input.end, out);
    int64_t unit = format == HR_TIMESTAMP_EPOCH_MILLIS ? 1000 : 1000000;
    if (next == NULL || __builtin_mul_overflow(*out, unit, out) || *out < HR_TIMESTAMP_MIN || *out > HR_TIMESTAMP_MAX) {
        return NULL;
    }
    return next;
}

/* The value of a member that leads to one column and no further, where it is of the kind that most are. NULL: it is
 * not, look the general way. */
static inline const char *fast_value(struct hr_json_walk *walk, const char *p, uint32_t index)
{
    struct hr_json_decoder *decoder = walk->decoder;
    struct hr_column *column = decoder->targets[index].column;
    const char *end = walk->input.end;
    const char *next = NULL;
    switch (column->type) {
    case HR_TYPE_STRING:
        next = *p == '"' ? hr_json_fast_string(p, end, &column->strings[walk->row]) : NULL;
        break;
    case HR_TYPE_INT:
        next = hr_json_fast_integer(walk->input.start, p, end, &column->longs[walk->row]);
        if (next != NULL && column->longs[walk->row] != (int32_t)column->longs[walk->row]) {
            return NULL;
        }
        break;
    case HR_TYPE_LONG:
        next = hr_json_fast_integer(walk->input.start, p, end, &column->longs[walk->row]);
        break;
    case HR_TYPE_TIMESTAMP:
        next = fast_epoch(walk, p, decoder->targets[index].field->timestamp_format, &column->longs[walk->row]);
        break;
    case HR_TYPE_FLOAT:
        next = hr_json_fast_float(walk->input.start, p, end, &column->doubles[walk->row]);
        break;
    case HR_TYPE_DOUBLE:
        next = hr_json_fast_double(walk->input.start, p, end, &column->doubles[walk->row]);
        break;
    default:
        break;
    }
    if (HR_LIKELY(next != NULL)) {
        decoder->states[index] = HR_JSON_VALUE;
    }
    return next;
}

static inline const char *member_value(struct hr_json_walk *walk, const char *p, int depth,
                                       const struct hr_json_member *member)
{
    const char *next = NULL;
    if (HR_LIKELY(member->kind == HR_JSON_TO_COLUMN)) {
        next = fast_value(walk, p, member->column);
    } else if (member->kind == HR_JSON_TO_NOTHING) {
        next = hr_json_fast_skip(walk->input.start, p, walk->input.end);
        return HR_LIKELY(next != NULL) ? next : hr_json_skip_value(&walk->input, p, depth);
    }
    return HR_LIKELY(next != NULL) ? next : walk_value(walk, p, depth, member);
}

/* The place of the value when the expected member stands at p, else NULL. */
static inline const char *fast_member(struct hr_json_walk *walk, const char *p, const struct hr_json_member *member)
{
    if (HR_LIKELY(hr_json_fast_wide_token(p, walk->input.end, member->wide, member->wide_others))) {
        return hr_json_skip_blanks(p + member->token.length, walk->input.end);
    }
    if (member->token.length == 0 || !hr_json_fast_token(p, walk->input.end, member->token)) {
        return NULL;
    }
    return hr_json_skip_blanks(p + member->token.length, walk->input.end);
}

/* The members of an object; p stands after the brace. depth: of containers around the members. */
static const char *walk_object(struct hr_json_walk *walk, const char *p, int depth, struct hr_json_node *node)
{
    const char *end = walk->input.end;
    uint32_t *guess = &node->first;
    p = hr_json_skip_blanks(p, end);
    if (p < end && *p == '}') {
        return p + 1;
    }
    for (;;) {
        uint32_t index = *guess;
        const char *value = index != HR_JSON_NONE ? fast_member(walk, p, &node->members[index]) : NULL;
        if (HR_UNLIKELY(value == NULL || value == end)) {
            value = member_name(walk, p, node, &index);
            if (HR_UNLIKELY(value == NULL)) {
                return NULL;
            }
        }
        if (HR_UNLIKELY(index == HR_JSON_NONE)) {
            p = hr_json_skip_value(&walk->input, value, depth);
        } else {
            struct hr_json_member *member = &node->members[index];
            *guess = index;
            guess = &member->follower;
            p = member_value(walk, value, depth, member);
        }
        if (HR_UNLIKELY(p == NULL)) {
            return NULL;
        }
        if (HR_LIKELY(end - p >= 2 && p[0] == ',' && p[1] == '"')) {
            p++;
            continue;
        }
        p = hr_json_skip_blanks(p, end);
        if (HR_UNLIKELY(p == end || (*p != ',' && *p != '}'))) {
            return hr_json_fail(&walk->input, p, HR_REASON_MALFORMED, "',' or '}'");
        }
        if (*p == '}') {
            return p + 1;
        }
        p = hr_json_skip_blanks(p + 1, end);
    }
}

static const struct hr_json_member *element_member(const struct hr_json_node *node, uint32_t element)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->members[i].element == element) {
            return &node->members[i];
        }
    }
    return NULL;
}

/* The elements of an array that a pointer leads into ("/items/0"); p stands after the bracket. */
static const char *walk_array(struct hr_json_walk *walk, const char *p, int depth, const struct hr_json_node *node)
{
    const char *end = walk->input.end;
    p = hr_json_skip_blanks(p, end);
    if (p < end && *p == ']') {
        return p + 1;
    }
    for (uint32_t element = 0;; element++) {
        const struct hr_json_member *member = element_member(node, element);
        if (p == end) {
            return hr_json_fail(&walk->input, p, HR_REASON_MALFORMED, "a value");
        }
        p = member != NULL ? walk_value(walk, p, depth, member) : hr_json_skip_value(&walk->input, p, depth);
        if (p == NULL) {
            return NULL;
        }
        p = hr_json_skip_blanks(p, end);
        if (p == end || (*p != ',' && *p != ']')) {
            return hr_json_fail(&walk->input, p, HR_REASON_MALFORMED, "',' or ']'");
        }
        if (*p == ']') {
            return p + 1;
        }
        p = hr_json_skip_blanks(p + 1, end);
    }
}

/* A value that pointers lead into. */
static const char *walk_below(struct hr_json_walk *walk, const char *p, int depth, struct hr_json_node *node)
{
    struct hr_json_decoder *decoder = walk->decoder;
    if (node->seen == decoder->record_number) {
        forget(decoder, node);
    }
    node->seen = decoder->record_number;
    if (*p != '{' && *p != '[') {
        return hr_json_skip_value(&walk->input, p, depth);
    }
    if (depth >= HR_JSON_DEPTH_MAX) {
        return hr_json_fail(&walk->input, p, HR_REASON_TOO_DEEP, "at most 128 levels");
    }
    return *p == '{' ? walk_object(walk, p + 1, depth + 1, node) : walk_array(walk, p + 1, depth + 1, node);
}

/* A value that the schema knows; p is not at the end. Several columns may want it, each reads it for itself. */
static inline const char *walk_value(struct hr_json_walk *walk, const char *p, int depth,
                                     const struct hr_json_member *member)
{
    struct hr_json_decoder *decoder = walk->decoder;
    const char *next = p;
    for (uint32_t column = member->column; column != HR_JSON_NONE; column = decoder->plan.next_column[column]) {
        next = hr_json_value(&walk->input, p, depth, &decoder->targets[column], walk->row, &decoder->scratch,
                             &decoder->states[column]);
        if (HR_UNLIKELY(next == NULL)) {
            return NULL;
        }
        if (HR_UNLIKELY(decoder->states[column] != HR_JSON_VALUE)) {
            decoder->offenders[column] = p;
        }
    }
    return HR_LIKELY(member->node == NULL) ? next : walk_below(walk, p, depth, member->node);
}

/* Something else than an object: is it JSON at all? */
static HR_COLD const char *no_object(struct hr_json_walk *walk, const char *p)
{
    const char *end = walk->input.end;
    if (p == end) {
        return hr_json_fail(&walk->input, p, HR_REASON_EMPTY, "an object");
    }
    const char *next = hr_json_skip_value(&walk->input, p, 0);
    if (next == NULL) {
        return NULL;
    }
    next = hr_json_skip_blanks(next, end);
    return next == end ? hr_json_fail(&walk->input, p, HR_REASON_NOT_AN_OBJECT, "an object")
                       : hr_json_fail(&walk->input, next, HR_REASON_MALFORMED, "the end of the record");
}

const char *hr_json_walk_record(struct hr_json_walk *walk)
{
    struct hr_json_decoder *decoder = walk->decoder;
    const char *p = hr_json_skip_blanks(walk->input.start, walk->input.end);
    if (HR_UNLIKELY(p == walk->input.end || *p != '{')) {
        return no_object(walk, p);
    }
    decoder->record_number++;
    p = walk_object(walk, p + 1, 1, &decoder->plan.root);
    if (HR_UNLIKELY(p == NULL)) {
        return NULL;
    }
    p = hr_json_skip_blanks(p, walk->input.end);
    return HR_LIKELY(p == walk->input.end)
               ? p
               : hr_json_fail(&walk->input, p, HR_REASON_TRAILING_BYTES, "the end of the record");
}
