/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunks of JSON records, and what becomes of a record that was walked (json_walk.h): a row, a row with nulls, or a
 * reject that says why.
 */
#include "data/json_decode.h"

#include <string.h>

#include "data/json_columns.h"
#include "data/json_text.h"
#include "data/json_walk.h"
#include "data/simd.h"

/* Records between two tries to find a shape, at most. */
enum { SHAPE_PAUSE_MAX = 4096 };

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

static HR_COLD void reject_text(const struct hr_json_walk *walk, struct hr_rejects *rejects, uint32_t record)
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
static int value_length(const struct hr_json_walk *walk, const char *at)
{
    struct hr_json_input input = walk->input;
    const char *next = hr_json_skip_value(&input, at, 1);
    return (int)shortened(at, next != NULL ? next : walk->input.end);
}

/* Sets nulls. false: the record is a reject, by its first column that has something wrong. */
static HR_COLD bool judge(struct hr_json_walk *walk, struct hr_chunk *chunk, size_t rows, uint32_t record)
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

static bool decode_record(struct hr_json_walk *walk, const struct hr_record *record, uint32_t index, size_t rows,
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
    if (HR_UNLIKELY(hr_json_walk_record(walk) == NULL)) {
        reject_text(walk, chunk->rejects, index);
        return false;
    }
    return HR_LIKELY(all_values(decoder->states, padded)) || judge(walk, chunk, rows, index);
}

static void begin_chunk(struct hr_json_decoder *decoder, size_t rows, struct hr_chunk *chunk)
{
    HR_ASSERT(decoder->plan.column_count <= chunk->schema->count);
    decoder->shape_wanted = decoder->shape != NULL && hr_simd_best() == HR_SIMD_AVX512;
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

/* A shape that was not found or did not fit is not looked for again at once. */
static void pause_shape(struct hr_json_decoder *decoder)
{
    decoder->shape_known = false;
    decoder->shape_pause = decoder->shape_penalty;
    decoder->shape_penalty += decoder->shape_penalty < SHAPE_PAUSE_MAX ? decoder->shape_penalty + 1 : 0;
}

/* Half of the records odd cost as much as walking all. */
static void judge_shape(struct hr_json_decoder *decoder, size_t odd, size_t count)
{
    if (HR_UNLIKELY(odd * 2 > count)) {
        pause_shape(decoder);
    } else {
        decoder->shape_penalty -= decoder->shape_penalty / 2;
    }
}

/* Walks a record into the next row. */
static void decode_walked(struct hr_json_walk *walk, const struct hr_record *record, uint32_t index, size_t rows,
                          struct hr_chunk *chunk)
{
    struct hr_json_decoder *decoder = walk->decoder;
    bool accepted = decode_record(walk, record, index, rows, chunk);
    if (HR_LIKELY(accepted)) {
        chunk->record_index[walk->row++] = index;
    }
    if (HR_LIKELY(!decoder->shape_wanted || decoder->shape_known)) {
        return;
    }
    if (decoder->shape_pause > 0) {
        decoder->shape_pause--;
    } else if (accepted && hr_json_shape_learn(decoder->shape, &decoder->plan, record->value, chunk->arena)) {
        decoder->shape_known = true;
    } else {
        pause_shape(decoder);
    }
}

static void read_columns(struct hr_json_walk *walk, size_t count, struct hr_chunk *chunk)
{
    struct hr_json_decoder *decoder = walk->decoder;
    for (uint32_t i = 0; i < decoder->shape->value_count; i++) {
        const struct hr_json_shape_value *value = &decoder->shape->values[i];
        struct hr_json_column column = {
            .value = *value,
            .first = walk->row,
            .count = count,
            .target = value->column != HR_JSON_NONE ? &decoder->targets[value->column] : NULL,
            .scratch = &decoder->scratch,
            .arena = chunk->arena,
        };
        hr_json_column_read(decoder->index, &column);
    }
}

/* A block of the records present, a column at a time, into as many rows; then the odd ones are walked,
 * and rows of those that are bad are dropped. */
static void decode_shaped(struct hr_json_walk *walk, const struct hr_record *records, uint32_t first_index,
                          size_t count, size_t present, size_t rows, struct hr_chunk *chunk)
{
    struct hr_json_decoder *decoder = walk->decoder;
    size_t first = walk->row;
    size_t odd = hr_json_index_records(decoder->index, decoder->shape, records, count, present);
    if (odd < count) {
        read_columns(walk, count, chunk);
    }
    for (size_t i = 0; i < count; i++) {
        chunk->record_index[first + i] = first_index + (uint32_t)i;
    }
    chunk->rows = first + count;
    odd = 0;
    for (size_t i = 0; i < count; i++) {
        if (HR_UNLIKELY(decoder->index->odd[i])) {
            odd++;
            walk->row = first + i;
            if (!decode_record(walk, &records[i], first_index + (uint32_t)i, rows, chunk)) {
                hr_chunk_drop(chunk, first + i);
            }
        }
    }
    walk->row = chunk->rows;
    judge_shape(decoder, odd, count);
}

/* The records up to the next header, at most a block. */
static size_t block_of(const struct hr_json_shape *shape, const struct hr_record *records, size_t count)
{
    size_t most = hr_json_index_block(shape);
    size_t block = 0;
    while (block < count && block < most && !(records[block].flags & HR_RECORD_HEADER)) {
        block++;
    }
    return block;
}

void hr_json_decoder_chunk(struct hr_json_decoder *decoder, const struct hr_record *records, uint32_t first_index,
                           size_t count, struct hr_chunk *chunk)
{
    struct hr_json_walk walk = {.decoder = decoder, .input = {.arena = chunk->arena}};
    begin_chunk(decoder, count, chunk);
    for (size_t i = 0; i < count;) {
        size_t block =
            decoder->shape_wanted && decoder->shape_known ? block_of(decoder->shape, records + i, count - i) : 0;
        if (block >= HR_JSON_BLOCK_LEAST) {
            decode_shaped(&walk, records + i, first_index + (uint32_t)i, block, count - i, count, chunk);
            i += block;
            continue;
        }
        if (!(records[i].flags & HR_RECORD_HEADER)) {
            decode_walked(&walk, &records[i], first_index + (uint32_t)i, count, chunk);
        }
        i++;
    }
    chunk->rows = walk.row;
    hr_chunk_compact(chunk, decoder->plan.column_count);
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
    decoder->shape = hr_json_shape_new(&decoder->plan, arena);
    if (decoder->shape != NULL) {
        decoder->index = hr_json_index_new(decoder->shape, record_bytes_max, arena);
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
