/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_columns.h: any processor, any type. The short ways of json_fast.h, then those of json_value.h.
 */
#include "data/json_columns.h"

#include "data/json_fast.h"
#include "data/simd.h"

/* A value and its record. */
struct place {
    const char *start; /* of the record */
    const char *end;   /* of the record */
    const char *p;
    const char *next; /* place after the value */
};

static inline struct place place_of(const struct hr_json_index *index, const struct hr_json_shape_value *value,
                                    size_t record)
{
    const uint16_t *starts = index->starts + record * index->stride;
    const char *text = index->text[record];
    return (struct place){
        .start = text,
        .end = text + starts[index->stride - 1] - 1,
        .p = text + starts[value->place] + value->margin,
        .next = text + starts[value->place + 1] - 1 - value->margin,
    };
}

/* Whole milliseconds or seconds. */
static inline const char *read_epoch(struct place place, enum hr_timestamp_format format, int64_t *out)
{
    int64_t unit = format == HR_TIMESTAMP_EPOCH_MILLIS ? 1000 : 1000000;
    const char *next = hr_json_fast_integer(place.start, place.p, place.end, out);
    if (next == NULL || __builtin_mul_overflow(*out, unit, out) || *out < HR_TIMESTAMP_MIN || *out > HR_TIMESTAMP_MAX) {
        return NULL;
    }
    return next;
}

/* As json_value.h has it; quotes are outside of the place. */
static const char *read_general(const struct hr_json_column *column, struct place place, size_t row)
{
    struct hr_json_input input = {.start = place.start, .end = place.end, .arena = column->arena};
    uint8_t state = HR_JSON_MISSING;
    size_t quote = column->value.margin == 0;
    const char *next = hr_json_value(&input, place.p - quote, 1, column->target, row, column->scratch, &state);
    return next != NULL && state == HR_JSON_VALUE ? next - quote : NULL;
}

static const char *read_value(const struct hr_json_column *column, struct place place, size_t row)
{
    struct hr_column *out = column->target->column;
    const struct hr_field *field = column->target->field;
    const char *next = NULL;
    switch (field->type) {
    case HR_TYPE_STRING:
        out->strings[row] = (struct hr_str){place.p, (size_t)(place.next - place.p)};
        return place.next;
    case HR_TYPE_INT:
        next = hr_json_fast_integer(place.start, place.p, place.end, &out->longs[row]);
        next = next != NULL && out->longs[row] == (int32_t)out->longs[row] ? next : NULL;
        break;
    case HR_TYPE_LONG:
        next = hr_json_fast_integer(place.start, place.p, place.end, &out->longs[row]);
        break;
    case HR_TYPE_TIMESTAMP:
        if (column->value.margin != 0) {
            next = read_epoch(place, field->timestamp_format, &out->longs[row]);
        }
        break;
    case HR_TYPE_FLOAT:
        next = hr_json_fast_float(place.start, place.p, place.end, &out->doubles[row]);
        break;
    case HR_TYPE_DOUBLE:
        next = hr_json_fast_double(place.start, place.p, place.end, &out->doubles[row]);
        break;
    default:
        break;
    }
    return HR_LIKELY(next != NULL) ? next : read_general(column, place, row);
}

static const char *check_value(const struct hr_json_column *column, struct place place)
{
    if (column->value.margin == 0) {
        return place.next;
    }
    const char *next = hr_json_fast_skip(place.start, place.p, place.end);
    if (next == NULL) {
        struct hr_json_input input = {.start = place.start, .end = place.end, .arena = column->arena};
        next = hr_json_skip_value(&input, place.p, 1);
    }
    return next;
}

void hr_json_column_read_some(struct hr_json_index *index, const struct hr_json_column *column, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (HR_UNLIKELY(index->odd[i])) {
            continue;
        }
        struct place place = place_of(index, &column->value, i);
        const char *next =
            column->target == NULL ? check_value(column, place) : read_value(column, place, column->first + i);
        index->odd[i] = next != place.next;
    }
}

void hr_json_column_read(struct hr_json_index *index, const struct hr_json_column *column)
{
    size_t done = hr_simd_best() == HR_SIMD_AVX512 ? hr_json_column_read_wide(index, column) : 0;
    hr_json_column_read_some(index, column, done, column->count);
}
