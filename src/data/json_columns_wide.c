/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of json_columns.c with AVX-512, for strings, and for numbers of at most eight characters, the sign included
 * (integers without one: sixteen). A record that has something else goes through the other loop by itself.
 */
#include "data/json_columns.h"

#if defined(__x86_64__)
#include "data/lanes.h"

static inline struct hr_lanes_index index_of(const struct hr_json_index *index, const struct hr_json_column *column,
                                             size_t first, size_t margin)
{
    return (struct hr_lanes_index){
        .text = index->text + first,
        .starts = index->starts + first * index->stride + column->value.place,
        .stride = index->stride,
        .margin = margin,
    };
}

/* The rest of eight records, by the other loop. */
static HR_COLD void read_rest(struct hr_json_index *index, const struct hr_json_column *column, size_t first,
                              unsigned done)
{
    for (unsigned i = 0; i < HR_LANES; i++) {
        if (!(done >> i & 1)) {
            hr_json_column_read_some(index, column, first + i, first + i + 1);
        }
    }
}

HR_LANES_TARGET static size_t read_strings(struct hr_json_index *index, const struct hr_json_column *column)
{
    struct hr_str *out = column->target->column->strings + column->first;
    size_t i = 0;
    for (; i + HR_LANES <= column->count; i += HR_LANES) {
        struct hr_lanes lanes = hr_lanes_load(index_of(index, column, i, 0));
        hr_lanes_store_texts(out + i, &lanes);
    }
    return i;
}

/* Lanes of 1 to `most` bytes. */
HR_LANES_TARGET static inline __mmask8 lanes_up_to(const struct hr_lanes *lanes, long long most)
{
    return _mm512_cmplt_epu64_mask(_mm512_sub_epi64(lanes->length, _mm512_set1_epi64(1)), _mm512_set1_epi64(most));
}

/* Lanes that begin with a zero and have other digits after it: `words` ends where the field does, lengths up to 8. */
HR_LANES_TARGET static inline __mmask8 zeros_before(__m512i words, __m512i length, __mmask8 after)
{
    __m512i shift = _mm512_slli_epi64(_mm512_sub_epi64(_mm512_set1_epi64(8), length), 3);
    __m512i first = _mm512_and_si512(_mm512_srlv_epi64(words, shift), _mm512_set1_epi64(0xff));
    return after & _mm512_cmpeq_epi64_mask(first, _mm512_set1_epi64('0'));
}

/* Integers times `unit`, of which the limit is the greatest. */
HR_LANES_TARGET static size_t read_integers(struct hr_json_index *index, const struct hr_json_column *column,
                                            int64_t greatest, int64_t unit)
{
    const __m512i eight = _mm512_set1_epi64(8);
    const __m512i limit = _mm512_set1_epi64(greatest / unit);
    int64_t *out = column->target->column->longs + column->first;
    size_t i = 0;
    for (; i + HR_LANES <= column->count; i += HR_LANES) {
        struct hr_lanes_index at = index_of(index, column, i, 1);
        struct hr_lanes lanes = hr_lanes_load(at);
        __mmask8 done = lanes_up_to(&lanes, 16);
        __mmask8 longer = done & _mm512_cmpgt_epi64_mask(lanes.length, eight);
        __m512i words = hr_lanes_last_words(at, &lanes, &done);
        __mmask64 inside = hr_lanes_inside(_mm512_min_epi64(lanes.length, eight));
        __mmask8 minus = hr_lanes_take_minus(words, &inside, &lanes.length);
        __m512i low_length = _mm512_min_epi64(lanes.length, eight);
        __m512i values = hr_lanes_digits_value(words, inside, &done);
        __mmask8 more_than_one = _mm512_cmpgt_epi64_mask(low_length, _mm512_set1_epi64(1)) & (__mmask8)~longer;
        done &= (__mmask8)~zeros_before(words, low_length, more_than_one);
        /* A time before 1970 has a limit of its own. */
        done &= unit == 1 ? _mm512_cmpgt_epi64_mask(low_length, _mm512_setzero_si512()) : (__mmask8)~minus;
        if (longer != 0) {
            __m512i high_length = _mm512_sub_epi64(lanes.length, eight);
            __mmask8 both = longer & done;
            words = hr_lanes_words_before(lanes.text, _mm512_sub_epi64(lanes.end, eight), &both);
            __m512i more = hr_lanes_digits_value(words, hr_lanes_inside(high_length), &both);
            both &= (__mmask8)~zeros_before(words, high_length, longer);
            values = _mm512_mask_add_epi64(values, both, values, _mm512_mul_epu32(more, _mm512_set1_epi64(100000000)));
            done &= (__mmask8)(~longer | both);
        }
        done &= _mm512_cmple_epi64_mask(values, limit);
        values = unit == 1 ? _mm512_mask_sub_epi64(values, minus, _mm512_setzero_si512(), values)
                           : _mm512_mullo_epi64(values, _mm512_set1_epi64(unit));
        _mm512_storeu_si512(out + i, values);
        if (HR_UNLIKELY(done != 0xff)) {
            read_rest(index, column, i, done);
        }
    }
    return i;
}

/* Lanes whose text is one of JSON's numbers: a digit at both ends, no zero before another digit. */
HR_LANES_TARGET static inline __mmask8 well_formed(__m512i words, __m512i length, struct hr_lanes_decimal decimal)
{
    __m512i places = _mm512_maskz_mov_epi64(decimal.pointed, _mm512_add_epi64(decimal.scale, _mm512_set1_epi64(1)));
    __m512i before = _mm512_sub_epi64(length, places); /* digits before the point */
    __mmask8 ends = _mm512_cmpgt_epi64_mask(before, _mm512_setzero_si512()) &
                    _mm512_cmpneq_epi64_mask(places, _mm512_set1_epi64(1));
    return ends & (__mmask8)~zeros_before(words, length, _mm512_cmpgt_epi64_mask(before, _mm512_set1_epi64(1)));
}

HR_LANES_TARGET static size_t read_doubles(struct hr_json_index *index, const struct hr_json_column *column)
{
    double *out = column->target->column->doubles + column->first;
    size_t i = 0;
    for (; i + HR_LANES <= column->count; i += HR_LANES) {
        struct hr_lanes_index at = index_of(index, column, i, 1);
        struct hr_lanes lanes = hr_lanes_load(at);
        __mmask8 done = lanes_up_to(&lanes, 8);
        __m512i words = hr_lanes_last_words(at, &lanes, &done);
        __mmask64 inside = hr_lanes_inside(lanes.length);
        __mmask8 minus = hr_lanes_take_minus(words, &inside, &lanes.length);
        struct hr_lanes_decimal decimal = hr_lanes_decimal(words, inside, &done);
        done &= well_formed(words, lanes.length, decimal);
        _mm512_storeu_pd(out + i, hr_lanes_decimal_double(decimal, minus));
        if (HR_UNLIKELY(done != 0xff)) {
            read_rest(index, column, i, done);
        }
    }
    return i;
}

size_t hr_json_column_read_wide(struct hr_json_index *index, const struct hr_json_column *column)
{
    if (column->target == NULL) {
        return column->value.margin == 0 ? column->count : 0;
    }
    switch (column->target->field->type) {
    case HR_TYPE_STRING:
        return read_strings(index, column);
    case HR_TYPE_INT:
        return read_integers(index, column, INT32_MAX, 1);
    case HR_TYPE_LONG:
        return read_integers(index, column, INT64_MAX, 1);
    case HR_TYPE_TIMESTAMP:
        if (column->target->field->timestamp_format == HR_TIMESTAMP_EPOCH_MILLIS) {
            return read_integers(index, column, HR_TIMESTAMP_MAX, 1000);
        }
        if (column->target->field->timestamp_format == HR_TIMESTAMP_EPOCH_SECONDS) {
            return read_integers(index, column, HR_TIMESTAMP_MAX, 1000000);
        }
        return 0;
    case HR_TYPE_DOUBLE:
        return read_doubles(index, column);
    default:
        return 0;
    }
}
#else
size_t hr_json_column_read_wide(struct hr_json_index *index, const struct hr_json_column *column)
{
    (void)index, (void)column;
    return 0;
}
#endif
