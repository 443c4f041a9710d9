/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON numbers: scan, and conversion without a detour through text where that is exact.
 */
#include "data/json_number.h"

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "base/number.h"

enum { EXPONENT_MAX = 100000, EXACT_DIGITS = 19 };

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* Eight digits at once: all are digits when adding 0x46 reaches no high bit and subtracting '0' borrows none. */
static inline bool eight_digits(const char *p, uint64_t *value)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    if ((((word + 0x4646464646464646u) | (word - 0x3030303030303030u)) & 0x8080808080808080u) != 0) {
        return false;
    }
    word -= 0x3030303030303030u;
    word = word * 10 + (word >> 8);
    word = ((word & 0x000000ff000000ffu) * 0x000f424000000064u +
            ((word >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u) >>
           32;
    *value = word;
    return true;
}

/* Appends the digits from p on to *mantissa (which wraps when there are more than fit). */
static inline const char *digits(const char *p, const char *end, uint64_t *mantissa)
{
    uint64_t value = *mantissa;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t eight;
    while (end - p >= 8 && eight_digits(p, &eight)) {
        value = value * 100000000u + eight;
        p += 8;
    }
#endif
    while (p < end && is_digit(*p)) {
        value = value * 10 + (uint64_t)(*p - '0');
        p++;
    }
    *mantissa = value;
    return p;
}

/* p stands after 'e'. */
static const char *exponent(const char *p, const char *end, int *out)
{
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) {
        p++;
    }
    const char *start = p;
    int value = 0;
    for (; p < end && is_digit(*p); p++) {
        value = value < EXPONENT_MAX ? value * 10 + (*p - '0') : value;
    }
    *out = negative ? -value : value;
    return p == start ? NULL : p;
}

const char *hr_json_number(const char *p, const char *end, struct hr_json_number *out)
{
    out->text = p;
    out->negative = p < end && *p == '-';
    p += out->negative;
    const char *first = p;
    uint64_t mantissa = 0;
    p = digits(p, end, &mantissa);
    size_t count = (size_t)(p - first);
    if (count == 0 || (*first == '0' && count > 1)) {
        return NULL;
    }
    int power = 0;
    out->integer = true;
    if (p < end && *p == '.') {
        const char *fraction = p + 1;
        p = digits(fraction, end, &mantissa);
        if (p == fraction) {
            return NULL;
        }
        count += (size_t)(p - fraction);
        power = p - fraction < EXPONENT_MAX ? -(int)(p - fraction) : -EXPONENT_MAX;
        out->integer = false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        int written;
        p = exponent(p + 1, end, &written);
        if (p == NULL) {
            return NULL;
        }
        power += written;
        out->integer = false;
    }
    out->mantissa = mantissa;
    out->exponent = power;
    out->exact = count <= EXACT_DIGITS;
    out->length = (size_t)(p - out->text);
    return p;
}

static const uint64_t integer_powers[] = {1u,
                                          10u,
                                          100u,
                                          1000u,
                                          10000u,
                                          100000u,
                                          1000000u,
                                          10000000u,
                                          100000000u,
                                          1000000000u,
                                          10000000000u,
                                          100000000000u,
                                          1000000000000u,
                                          10000000000000u,
                                          100000000000000u,
                                          1000000000000000u,
                                          10000000000000000u,
                                          100000000000000000u,
                                          1000000000000000000u,
                                          10000000000000000000u};

/* 2^power, which must be a normal double. */
static inline double power_of_two(int power)
{
    uint64_t bits = (uint64_t)(power + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* mantissa / 10^power, rounded once: the quotient's first 64 bits, of which a double takes 53, and in the last one
 * whether anything is left over. The conversion to double rounds, the power of two is exact. */
static double divide_exactly(uint64_t mantissa, int power)
{
    int mantissa_shift = __builtin_clzll(mantissa);
    int divisor_shift = __builtin_clzll(integer_powers[power]);
    uint64_t dividend = mantissa << mantissa_shift;
    uint64_t divisor = integer_powers[power] << divisor_shift;
    int bits = dividend < divisor ? 64 : 63;
    unsigned __int128 wide = (unsigned __int128)dividend << bits;
    uint64_t quotient = (uint64_t)(wide / divisor);
    quotient |= quotient * (unsigned __int128)divisor != wide;
    return (double)quotient * power_of_two(divisor_shift - mantissa_shift - bits);
}

static double multiply_exactly(uint64_t mantissa, int power)
{
    unsigned __int128 product = (unsigned __int128)mantissa * integer_powers[power];
    uint64_t high = (uint64_t)(product >> 64);
    if (high == 0) {
        return (double)(uint64_t)product;
    }
    int shift = __builtin_clzll(high);
    product <<= shift;
    uint64_t first = (uint64_t)(product >> 64) | ((uint64_t)product != 0);
    return (double)first * power_of_two(64 - shift);
}

/* mantissa · 10^power rounded once; false when that takes more than is here. */
static inline bool decimal(uint64_t mantissa, int power, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (HR_LIKELY(mantissa <= (uint64_t)1 << 53 && power >= -22 && power <= 22)) {
        double value = (double)mantissa;
        *out = power < 0 ? value / powers[-power] : value * powers[power];
        return true;
    }
    if (mantissa != 0 && power >= -19 && power <= 19) {
        *out = power < 0 ? divide_exactly(mantissa, -power) : multiply_exactly(mantissa, power);
        return true;
    }
    return false;
}

double hr_json_number_double(const struct hr_json_number *number)
{
    double value = 0;
    if (HR_LIKELY(number->exact && decimal(number->mantissa, number->exponent, &value))) {
        return number->negative ? -value : value;
    }
    bool parsed = hr_number_parse_double(number->text, number->length, &value);
    HR_ASSERT(parsed);
    return value;
}

const char *hr_json_number_long_fraction(const char *p, const char *end, struct hr_json_long_fraction start,
                                         double *out)
{
    uint64_t mantissa = start.mantissa;
    const char *next = digits(p, end, &mantissa);
    unsigned more = (unsigned)(next - p);
    if (next == end || next - p > EXACT_DIGITS - start.digits || (*next | 0x20) == 'e' || *next == '.' ||
        !decimal(mantissa, -(int)(start.places + more), out)) {
        return NULL;
    }
    return next;
}

double hr_json_number_float(const struct hr_json_number *number)
{
    static const float powers[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
    float value = 0;
    int power = number->exponent;
    if (HR_LIKELY(number->exact && number->mantissa <= (uint64_t)1 << 24 && power >= -10 && power <= 10)) {
        value = (float)number->mantissa;
        value = power < 0 ? value / powers[-power] : value * powers[power];
        return (double)(number->negative ? -value : value);
    }
    bool parsed = hr_number_parse_float(number->text, number->length, &value);
    HR_ASSERT(parsed);
    return (double)value;
}

bool hr_json_number_int64(const struct hr_json_number *number, int64_t *out)
{
    uint64_t limit = number->negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (!number->exact || number->mantissa > limit) {
        return false;
    }
    *out = number->negative ? (int64_t)(0 - number->mantissa) : (int64_t)number->mantissa;
    return true;
}

bool hr_json_number_scaled(const struct hr_json_number *number, int power, int64_t *out)
{
    if (!number->exact) {
        /* Twenty digits and more: time stamps with a needlessly long fraction. */
        double value = hr_json_number_double(number) * pow(10, power);
        if (!(fabs(value) < 9.2e18)) {
            return false;
        }
        *out = (int64_t)value;
        return true;
    }
    uint64_t value = number->mantissa;
    int scale = number->exponent + power;
    for (; scale > 0 && value != 0; scale--) {
        if (__builtin_mul_overflow(value, (uint64_t)10, &value)) {
            return false;
        }
    }
    for (; scale < 0 && value != 0; scale++) {
        value /= 10;
    }
    if (value > INT64_MAX) {
        return false;
    }
    *out = number->negative ? -(int64_t)value : (int64_t)value;
    return true;
}
