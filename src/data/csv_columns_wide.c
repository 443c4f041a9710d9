/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of csv_columns.c with AVX-512, for strings, and for numbers of at most eight characters, the sign included
 * (integers without one: sixteen). A record that has something else goes through the other loop by itself.
 */
#include "data/csv_columns.h"

#if defined(__x86_64__)
#include "data/lanes.h"

static inline struct hr_lanes_index index_of(const struct hr_csv_index *index, const struct hr_csv_column *column,
                                             size_t first)
{
    return (struct hr_lanes_index){
        .text = index->text + first,
        .starts = index->starts + first * index->stride + column->place,
        .stride = index->stride,
    };
}

/* Lanes that are not empty, and not as long as the text that stands for null. */
HR_LANES_TARGET static inline __mmask8 usual_lanes(const struct hr_csv_column *column, const struct hr_lanes *lanes)
{
    return _mm512_cmpgt_epi64_mask(lanes->length, _mm512_setzero_si512()) &
           _mm512_cmpneq_epi64_mask(lanes->length, _mm512_set1_epi64((long long)column->null_value.length));
}

/* The rest of eight records, by the other loop. */
static HR_COLD void read_rest(struct hr_csv_index *index, const struct hr_csv_column *column, size_t first,
                              unsigned done)
{
    for (unsigned i = 0; i < HR_LANES; i++) {
        if (!(done >> i & 1)) {
            hr_csv_column_read_some(index, column, first + i, first + i + 1);
        }
    }
}

HR_LANES_TARGET static size_t read_strings(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    struct hr_str *out = column->target->column->strings + column->first;
    size_t i = 0;
    for (; i + HR_LANES <= column->count; i += HR_LANES) {
        struct hr_lanes lanes = hr_lanes_load(index_of(index, column, i));
        __mmask8 done = usual_lanes(column, &lanes);
        hr_lanes_store_texts(out + i, &lanes);
        if (HR_UNLIKELY(done != 0xff)) {
            read_rest(index, column, i, done);
        }
    }
    return i;
}

HR_LANES_TARGET static size_t read_integers(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    const __m512i eight = _mm512_set1_epi64(8);
    const __m512i limit = _mm512_set1_epi64(column->target->field->type == HR_TYPE_INT ? INT32_MAX : INT64_MAX);
    int64_t *out = column->target->column->longs + column->first;
    size_t i = 0;
    for (; i + HR_LANES <= column->count; i += HR_LANES) {
        struct hr_lanes_index at = index_of(index, column, i);
        struct hr_lanes lanes = hr_lanes_load(at);
        __mmask8 done = usual_lanes(column, &lanes) & _mm512_cmple_epi64_mask(lanes.length, _mm512_set1_epi64(16));
        __m512i words = hr_lanes_last_words(at, &lanes, &done);
        __mmask64 inside = hr_lanes_inside(_mm512_min_epi64(lanes.length, eight));
        __mmask8 minus = hr_lanes_take_minus(words, &inside, &lanes.length);
        __m512i low_length = _mm512_min_epi64(lanes.length, eight);
        __m512i values = hr_lanes_digits_value(words, inside, &done);
        __mmask8 longer = done & _mm512_cmpgt_epi64_mask(lanes.length, eight);
        if (longer != 0) {
            __mmask8 both = longer;
            words = hr_lanes_words_before(lanes.text, _mm512_sub_epi64(lanes.end, eight), &both);
            inside = hr_lanes_inside(_mm512_sub_epi64(lanes.length, eight));
            __m512i more = hr_lanes_digits_value(words, inside, &both);
            values = _mm512_mask_add_epi64(values, both, values, _mm512_mul_epu32(more, _mm512_set1_epi64(100000000)));
            done &= (__mmask8)(~longer | both);
        }
        done &= _mm512_cmple_epi64_mask(values, limit) & _mm512_cmpgt_epi64_mask(low_length, _mm512_setzero_si512());
        _mm512_storeu_si512(out + i, _mm512_mask_sub_epi64(values, minus, _mm512_setzero_si512(), values));
        if (HR_UNLIKELY(done != 0xff)) {
            read_rest(index, column, i, done);
        }
    }
    return i;
}

HR_LANES_TARGET static size_t read_doubles(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    double *out = column->target->column->doubles + column->first;
    size_t i = 0;
    for (; i + HR_LANES <= column->count; i += HR_LANES) {
        struct hr_lanes_index at = index_of(index, column, i);
        struct hr_lanes lanes = hr_lanes_load(at);
        __mmask8 done = usual_lanes(column, &lanes) & _mm512_cmple_epi64_mask(lanes.length, _mm512_set1_epi64(8));
        __m512i words = hr_lanes_last_words(at, &lanes, &done);
        __mmask64 inside = hr_lanes_inside(lanes.length);
        __mmask8 minus = hr_lanes_take_minus(words, &inside, &lanes.length);
        struct hr_lanes_decimal decimal = hr_lanes_decimal(words, inside, &done);
        /* A sign or a point alone is no number. */
        __m512i least = _mm512_maskz_mov_epi64(decimal.pointed, _mm512_set1_epi64(1));
        done &= _mm512_cmpgt_epi64_mask(lanes.length, least);
        _mm512_storeu_pd(out + i, hr_lanes_decimal_double(decimal, minus));
        if (HR_UNLIKELY(done != 0xff)) {
            read_rest(index, column, i, done);
        }
    }
    return i;
}

size_t hr_csv_column_read_wide(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    switch (column->target->field->type) {
    case HR_TYPE_STRING:
        return read_strings(index, column);
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        return read_integers(index, column);
    case HR_TYPE_DOUBLE:
        return read_doubles(index, column);
    default:
        return 0;
    }
}
#else
size_t hr_csv_column_read_wide(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    (void)index, (void)column;
    return 0;
}
#endif
