/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk of the JSON decoder. A member is found by the guess that records of one producer have their members in one
 * order: the member that followed this one in the last record is compared first, as plain bytes.
 */
#include "data/json_decode.h"

#include <string.h>

#include "data/json_fast.h"
#include "data/json_text.h"

struct walk {
    struct hr_json_decoder *decoder;
    struct hr_json_input input;
    size_t row;
};

static const char *walk_value(struct walk *walk, const char *p, int depth, const struct hr_json_member *member);

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
static const char *member_name(struct walk *walk, const char *p, struct hr_json_node *node, uint32_t *index)
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
static inline const char *fast_epoch(struct walk *walk, const char *p, enum hr_timestamp_format format, int64_t *out)
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
static inline const char *fast_value(struct walk *walk, const char *p, uint32_t index)
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

static inline const char *member_value(struct walk *walk, const char *p, int depth, const struct hr_json_member *member)
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
static inline const char *fast_member(struct walk *walk, const char *p, const struct hr_json_member *member)
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
static const char *walk_object(struct walk *walk, const char *p, int depth, struct hr_json_node *node)
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
static const char *walk_array(struct walk *walk, const char *p, int depth, const struct hr_json_node *node)
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
static const char *walk_below(struct walk *walk, const char *p, int depth, struct hr_json_node *node)
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
static inline const char *walk_value(struct walk *walk, const char *p, int depth, const struct hr_json_member *member)
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
static HR_COLD const char *no_object(struct walk *walk, const char *p)
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

static const char *walk_record(struct walk *walk)
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

/* ---- what became of a record -------------------------------------------------------------------------------- */

/* Up to 40 bytes of text that is well-formed UTF-8 as far as `end`, cut between characters. */
static size_t shortened(const char *text, const char *end)
{
    size_t length = (size_t)(end - text);
    if (length <= 40) {
        return length;
    }
    length = 40;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length--;
    }
    return length;
}

static HR_COLD void reject_text(const struct walk *walk, struct hr_rejects *rejects, uint32_t record)
{
    const struct hr_json_input *input = &walk->input;
    size_t at = (size_t)(input->at - input->start);
    if (input->reason == HR_REASON_EMPTY) {
        hr_rejects_add(rejects, record, input->reason, "the record is empty");
    } else if (input->reason == HR_REASON_NOT_AN_OBJECT) {
        hr_rejects_add(rejects, record, input->reason, "the record is JSON, but not one object");
    } else if (input->reason == HR_REASON_INVALID_UTF8) {
        hr_rejects_add(rejects, record, input->reason, "byte %zu: 0x%02x is not UTF-8", at + 1,
                       (unsigned)(unsigned char)*input->at);
    } else if (input->at == input->end) {
        hr_rejects_add(rejects, record, input->reason, "byte %zu: expected %s, but the record ends", at + 1,
                       input->what);
    } else if ((unsigned char)*input->at >= 0x20 && (unsigned char)*input->at < 0x7f) {
        hr_rejects_add(rejects, record, input->reason, "byte %zu: expected %s, found '%c'", at + 1, input->what,
                       *input->at);
    } else {
        hr_rejects_add(rejects, record, input->reason, "byte %zu: expected %s, found byte 0x%02x", at + 1, input->what,
                       (unsigned)(unsigned char)*input->at);
    }
}

/* The text of one value, for a message. */
static int value_length(const struct walk *walk, const char *at)
{
    struct hr_json_input input = walk->input;
    const char *next = hr_json_skip_value(&input, at, 1);
    return (int)shortened(at, next != NULL ? next : walk->input.end);
}

/* Sets nulls. false: the record is a reject, by its first column that has something wrong. */
static HR_COLD bool judge(struct walk *walk, struct hr_chunk *chunk, size_t rows, uint32_t record)
{
    struct hr_json_decoder *decoder = walk->decoder;
    struct hr_rejects *rejects = chunk->rejects;
    for (size_t i = 0; i < decoder->plan.column_count; i++) {
        const struct hr_field *field = &decoder->plan.schema->fields[i];
        const char *type = hr_type_name(field->type);
        enum hr_json_state state = decoder->states[i];
        const char *at = decoder->offenders[i];
        if (state == HR_JSON_WRONG_TYPE) {
            hr_rejects_add(rejects, record, HR_REASON_WRONG_TYPE, "column '%s' is %s and cannot hold %.*s", field->name,
                           type, value_length(walk, at), at);
            return false;
        }
        if (state == HR_JSON_OUT_OF_RANGE) {
            hr_rejects_add(rejects, record, HR_REASON_OUT_OF_RANGE, "column '%s' is %s; %.*s is out of its range",
                           field->name, type, value_length(walk, at), at);
            return false;
        }
        if (state != HR_JSON_VALUE && !field->nullable) {
            hr_rejects_add(rejects, record, HR_REASON_NULL_VALUE, "column '%s' is not nullable, and its value is %s",
                           field->name, state == HR_JSON_NULL ? "null" : "missing");
            return false;
        }
    }
    for (size_t i = 0; i < decoder->plan.column_count; i++) {
        if (decoder->states[i] != HR_JSON_VALUE) {
            hr_column_set_null(&chunk->columns[i], walk->row, rows, chunk->arena);
        }
    }
    return true;
}

/* All states say VALUE (0); their number is padded to a multiple of eight. */
static inline bool all_values(const uint8_t *states, size_t count)
{
    uint64_t any = 0;
    for (size_t i = 0; i < count; i += 8) {
        uint64_t word;
        memcpy(&word, states + i, 8);
        any |= word;
    }
    return any == 0;
}

static bool decode_record(struct walk *walk, const struct hr_record *record, uint32_t index, size_t rows,
                          struct hr_chunk *chunk)
{
    struct hr_json_decoder *decoder = walk->decoder;
    walk->input.start = record->value.data;
    walk->input.end = record->value.data + record->value.length;
    if (HR_UNLIKELY(record->value.length > decoder->record_bytes_max)) {
        hr_rejects_add(chunk->rejects, index, HR_REASON_TOO_LARGE, "the record has %zu bytes, the limit is %zu",
                       record->value.length, decoder->record_bytes_max);
        return false;
    }
    if (HR_UNLIKELY(record->line == 1) && record->value.length >= 3 &&
        memcmp(record->value.data, "\xef\xbb\xbf", 3) == 0) {
        walk->input.start += 3; /* the byte order mark of a file */
    }
    size_t padded = (decoder->plan.column_count + 7) & ~(size_t)7;
    memcpy(decoder->states, decoder->fresh, padded);
    if (HR_UNLIKELY(walk_record(walk) == NULL)) {
        reject_text(walk, chunk->rejects, index);
        return false;
    }
    return HR_LIKELY(all_values(decoder->states, padded)) || judge(walk, chunk, rows, index);
}

static void begin_chunk(struct hr_json_decoder *decoder, size_t rows, struct hr_chunk *chunk)
{
    HR_ASSERT(decoder->plan.column_count <= chunk->schema->count);
    for (size_t i = 0; i < decoder->plan.column_count; i++) {
        if (decoder->plan.schema->fields[i].origin != HR_ORIGIN_FIELD) {
            continue;
        }
        hr_column_init(&chunk->columns[i], decoder->plan.schema->fields[i].type, rows, chunk->arena);
        struct hr_json_target *target = &decoder->targets[i];
        target->column = &chunk->columns[i];
        target->block = NULL;
        target->block_left = 0;
        target->rows_left = rows;
    }
}

void hr_json_decoder_chunk(struct hr_json_decoder *decoder, const struct hr_record *records, uint32_t first_index,
                           size_t count, struct hr_chunk *chunk)
{
    struct walk walk = {.decoder = decoder, .input = {.arena = chunk->arena}};
    begin_chunk(decoder, count, chunk);
    for (size_t i = 0; i < count; i++) {
        if (records[i].flags & HR_RECORD_HEADER) {
            continue;
        }
        if (HR_LIKELY(decode_record(&walk, &records[i], first_index + (uint32_t)i, count, chunk))) {
            chunk->record_index[walk.row++] = first_index + (uint32_t)i;
        }
    }
    chunk->rows = walk.row;
    for (size_t i = 0; i < decoder->plan.column_count; i++) {
        if (decoder->plan.schema->fields[i].origin == HR_ORIGIN_FIELD) {
            hr_column_find_dense(&chunk->columns[i], chunk->rows);
        }
    }
}

enum hr_status hr_json_decoder_open(struct hr_json_decoder *decoder, const struct hr_schema *schema,
                                    size_t record_bytes_max, struct hr_arena *arena, struct hr_error *err)
{
    *decoder = (struct hr_json_decoder){.record_bytes_max = record_bytes_max};
    hr_json_plan_compile(&decoder->plan, schema, arena);
    size_t padded = (schema->count + 7) & ~(size_t)7;
    uint8_t *fresh = hr_arena_calloc(arena, padded, 1);
    decoder->fresh = fresh;
    decoder->states = hr_arena_calloc(arena, padded, 1);
    decoder->targets = hr_arena_calloc(arena, schema->count, sizeof(*decoder->targets));
    decoder->offenders = hr_arena_calloc(arena, schema->count, sizeof(*decoder->offenders));
    decoder->patterns = hr_arena_calloc(arena, schema->count, sizeof(struct hr_timestamp_pattern *));
    for (size_t i = 0; i < schema->count; i++) {
        const struct hr_field *field = &schema->fields[i];
        if (field->origin != HR_ORIGIN_FIELD) {
            continue;
        }
        fresh[i] = HR_JSON_MISSING;
        decoder->targets[i].field = field;
        if (field->type == HR_TYPE_TIMESTAMP && field->timestamp_format == HR_TIMESTAMP_PATTERN) {
            HR_TRY(hr_timestamp_pattern_new(field->timestamp_pattern, &decoder->patterns[i], err));
            decoder->targets[i].pattern = decoder->patterns[i];
        }
    }
    return HR_OK;
}

void hr_json_decoder_close(struct hr_json_decoder *decoder)
{
    for (size_t i = 0; decoder->patterns != NULL && i < decoder->plan.column_count; i++) {
        hr_timestamp_pattern_free(decoder->patterns[i]);
    }
    hr_json_scratch_release(&decoder->scratch);
    *decoder = (struct hr_json_decoder){0};
}
