/* SPDX-License-Identifier: Apache-2.0
 *
 * See csv_columns.h. Numbers of up to 16 characters are taken out of words that end where the field ends, so that what
 * is read lies inside the record; all others go to csv_value.h, which also has the last word on what is no number.
 */
#include "data/csv_columns.h"

#include <string.h>

#include "data/simd.h"

#define ZEROS 0x3030303030303030u
#define POINTS 0x2e2e2e2e2e2e2e2eu
#define HIGH_BITS 0x8080808080808080u

static inline uint64_t word_at(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

/* The last `length` (1 to 8) characters before text[end], in the word's high bytes and '0' before them. */
static inline uint64_t last_word(const char *text, size_t end, size_t length)
{
    unsigned unused = 64 - 8 * (unsigned)length;
    if (HR_LIKELY(end >= 8)) {
        uint64_t keep = UINT64_MAX << unused;
        return (word_at(text + end - 8) & keep) | (ZEROS & ~keep);
    }
    uint64_t word = ZEROS;
    for (size_t i = end - length; i < end; i++) {
        word = word >> 8 | (uint64_t)(unsigned char)text[i] << 56;
    }
    return word;
}

/* The characters of a field, the last eight in `low`; false: not of 1 to 16. */
static inline bool last_words(const char *text, size_t start, size_t end, uint64_t *low, uint64_t *high)
{
    size_t length = end - start;
    *high = ZEROS;
    if (HR_LIKELY(length - 1 < 8)) {
        *low = last_word(text, end, length);
        return true;
    }
    if (length - 1 >= 16) {
        return false;
    }
    *low = word_at(text + end - 8);
    *high = last_word(text, end - 8, length - 8);
    return true;
}

static inline bool all_digits(uint64_t word)
{
    uint64_t digits = word ^ ZEROS;
    return (((digits + 0x7676767676767676u) | digits) & HIGH_BITS) == 0;
}

/* Of eight digits, the first in the lowest byte: neighbours are joined three times. */
static inline uint64_t digits_value(uint64_t word)
{
    word = (word ^ ZEROS) * (1 + (10 << 8)) >> 8;
    word = (word & 0x00ff00ff00ff00ffu) * (1 + (100 << 16)) >> 16;
    return (word & 0x0000ffff0000ffffu) * (1 + ((uint64_t)10000 << 32)) >> 32;
}

/* Digits with an optional sign. */
static inline bool read_integer(const char *text, size_t start, size_t end, int64_t *out)
{
    uint64_t low;
    uint64_t high;
    bool negative = start < end && text[start] == '-';
    if (HR_UNLIKELY(!last_words(text, start + negative, end, &low, &high) || !all_digits(low))) {
        return false;
    }
    uint64_t value = digits_value(low);
    if (high != ZEROS) {
        if (!all_digits(high)) {
            return false;
        }
        value += digits_value(high) * 100000000u;
    }
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* 0x80 in the first byte that is a point, and perhaps in bytes after it. */
static inline uint64_t first_point(uint64_t word)
{
    uint64_t other = word ^ POINTS;
    return (other - 0x0101010101010101u) & ~other & HIGH_BITS;
}

/* Takes the point out: the bytes before it move up by one, `before` comes in from below. */
static inline uint64_t without_point(uint64_t word, unsigned byte, uint64_t before)
{
    uint64_t upper = byte == 7 ? 0 : word & UINT64_MAX << (8 * byte + 8);
    uint64_t lower = word & (((uint64_t)1 << (8 * byte)) - 1);
    return upper | lower << 8 | before;
}

/* Digits, a point anywhere between them or none: value / 10^scale. */
static inline bool read_decimal(const char *text, size_t start, size_t end, uint64_t *value, unsigned *scale)
{
    uint64_t low;
    uint64_t high;
    *scale = 0;
    if (HR_UNLIKELY(!last_words(text, start, end, &low, &high))) {
        return false;
    }
    uint64_t point = first_point(low);
    if (HR_LIKELY(point != 0)) {
        unsigned byte = (unsigned)__builtin_ctzll(point) / 8;
        *scale = 7 - byte;
        low = without_point(low, byte, high >> 56);
        high = high << 8 | '0';
    } else if (high != ZEROS && (point = first_point(high)) != 0) {
        unsigned byte = (unsigned)__builtin_ctzll(point) / 8;
        *scale = 15 - byte;
        high = without_point(high, byte, '0');
    }
    /* A point alone is no number. */
    if (HR_UNLIKELY(!all_digits(low) || (*scale == 0 && end - start == 1 && text[start] == '.'))) {
        return false;
    }
    *value = digits_value(low);
    if (high != ZEROS) {
        if (!all_digits(high)) {
            return false;
        }
        *value += digits_value(high) * 100000000u;
    }
    return true;
}

/* Mantissa (below 10^16, of which 2^53 are doubles) and power of ten are exact, so their quotient is rounded once. */
static inline bool read_double(const char *text, size_t start, size_t end, double *out)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t value;
    unsigned scale;
    bool negative = start < end && text[start] == '-';
    if (HR_UNLIKELY(!read_decimal(text, start + negative, end, &value, &scale) || value > (uint64_t)1 << 53)) {
        return false;
    }
    double result = (double)(int64_t)value / powers[scale];
    *out = negative ? -result : result;
    return true;
}

/* In the same way: up to 2^24 and 10^10. */
static inline bool read_float(const char *text, size_t start, size_t end, double *out)
{
    static const float powers[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
    uint64_t value;
    unsigned scale;
    bool negative = start < end && text[start] == '-';
    if (HR_UNLIKELY(!read_decimal(text, start + negative, end, &value, &scale) || value > (uint64_t)1 << 24 ||
                    scale > 10)) {
        return false;
    }
    float result = (float)(int64_t)value / powers[scale];
    *out = (double)(negative ? -result : result);
    return true;
}

static inline bool is_null(struct hr_str null_value, const char *text, size_t length)
{
    return length == 0 || (HR_UNLIKELY(length == null_value.length) && memcmp(text, null_value.data, length) == 0);
}

/* Nulls, and what is not written the usual way. */
static HR_COLD void read_unusual(struct hr_csv_index *index, const struct hr_csv_column *column, size_t record,
                                 struct hr_str text)
{
    if (index->odd[record]) {
        return;
    }
    size_t row = column->first + record;
    if (!is_null(column->null_value, text.data, text.length)) {
        index->odd[record] = hr_csv_value(text, column->target, row, column->scratch, column->arena) != HR_JSON_VALUE;
    } else if (column->target->field->nullable) {
        hr_column_set_null(column->target->column, row, column->rows, column->arena);
    } else {
        index->odd[record] = 1;
    }
}

/* One loop a type. take: of text, start, end and row; whether it has written the value. */
#define READ_LOOP(take) \
    do { \
        const uint16_t *starts = index->starts + from * index->stride + column->place; \
        for (size_t i = from; i < to; i++, starts += index->stride) { \
            const char *text = index->text[i]; \
            size_t start = starts[0]; \
            size_t end = (size_t)starts[1] - 1; \
            size_t row = column->first + i; \
            if (HR_UNLIKELY(starts[1] <= start + 1 || is_null(column->null_value, text + start, end - start) || \
                            !(take))) { \
                read_unusual(index, column, i, \
                             (struct hr_str){text + start, starts[1] <= start + 1 ? 0 : end - start}); \
            } \
        } \
    } while (0)

static void read_strings(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to)
{
    struct hr_str *out = column->target->column->strings;
    READ_LOOP((out[row] = (struct hr_str){text + start, end - start}, true));
}

static void read_longs(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to)
{
    int64_t *out = column->target->column->longs;
    READ_LOOP(read_integer(text, start, end, &out[row]));
}

static void read_ints(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to)
{
    int64_t *out = column->target->column->longs;
    READ_LOOP(read_integer(text, start, end, &out[row]) && out[row] == (int32_t)out[row]);
}

static void read_doubles(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to)
{
    double *out = column->target->column->doubles;
    READ_LOOP(read_double(text, start, end, &out[row]));
}

static void read_floats(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to)
{
    double *out = column->target->column->doubles;
    READ_LOOP(read_float(text, start, end, &out[row]));
}

/* A JSON number: no zeros before others. */
static inline bool read_epoch(const char *text, size_t start, size_t end, int64_t unit, int64_t *out)
{
    return text[start] != '0' && text[start] != '-' && read_integer(text, start, end, out) &&
           !__builtin_mul_overflow(*out, unit, out) && *out >= HR_TIMESTAMP_MIN && *out <= HR_TIMESTAMP_MAX;
}

static void read_epochs(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to,
                        int64_t unit)
{
    int64_t *out = column->target->column->longs;
    READ_LOOP(read_epoch(text, start, end, unit, &out[row]));
}

static void read_others(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to)
{
    const uint16_t *starts = index->starts + from * index->stride + column->place;
    for (size_t i = from; i < to; i++, starts += index->stride) {
        size_t length = starts[1] > starts[0] ? (size_t)starts[1] - starts[0] - 1 : 0;
        read_unusual(index, column, i, (struct hr_str){index->text[i] + starts[0], length});
    }
}

void hr_csv_column_read_some(struct hr_csv_index *index, const struct hr_csv_column *column, size_t from, size_t to)
{
    const struct hr_field *field = column->target->field;
    switch (field->type) {
    case HR_TYPE_STRING:
        read_strings(index, column, from, to);
        return;
    case HR_TYPE_INT:
        read_ints(index, column, from, to);
        return;
    case HR_TYPE_LONG:
        read_longs(index, column, from, to);
        return;
    case HR_TYPE_FLOAT:
        read_floats(index, column, from, to);
        return;
    case HR_TYPE_DOUBLE:
        read_doubles(index, column, from, to);
        return;
    case HR_TYPE_TIMESTAMP:
        if (field->timestamp_format == HR_TIMESTAMP_EPOCH_MILLIS) {
            read_epochs(index, column, from, to, 1000);
            return;
        }
        if (field->timestamp_format == HR_TIMESTAMP_EPOCH_SECONDS) {
            read_epochs(index, column, from, to, 1000000);
            return;
        }
        break;
    default:
        break;
    }
    read_others(index, column, from, to);
}

void hr_csv_column_read(struct hr_csv_index *index, const struct hr_csv_column *column)
{
    size_t done = hr_simd_best() == HR_SIMD_AVX512 ? hr_csv_column_read_wide(index, column) : 0;
    hr_csv_column_read_some(index, column, done, column->count);
}
