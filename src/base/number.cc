/* SPDX-License-Identifier: Apache-2.0
 *
 * Text and numbers by <charconv>. What is ours: telling overflow from underflow, which from_chars reports alike, the
 * layout of Java's Double.toString, and the same texts as to_chars gives, made faster where most numbers are.
 */
#include "base/number.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

namespace
{

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Sign of the decimal exponent of a number text that is out of range: its first digit that is not 0 stands this far
 * from the point, and the exponent is added. */
bool is_overflow(const char *text, size_t length)
{
    long long magnitude = 0; /* power of ten of the first significant digit */
    bool point = false;
    bool significant = false;
    size_t i = text[0] == '-' ? 1 : 0;
    for (; i < length && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.') {
            point = true;
        } else {
            significant = significant || text[i] != '0';
            if (!point && significant) {
                magnitude++;
            } else if (point && !significant) {
                magnitude--;
            }
        }
    }
    long long exponent = 0;
    bool negative = false;
    if (i < length) {
        i++;
        negative = i < length && text[i] == '-';
        i += i < length && (text[i] == '-' || text[i] == '+') ? 1 : 0;
        for (; i < length; i++) {
            if (exponent < 1000000000000000ll) {
                exponent = exponent * 10 + (text[i] - '0');
            }
        }
    }
    return magnitude + (negative ? -exponent : exponent) > 0;
}

/* Shortest significant digits of a finite positive number and the power of ten of the first one. */
size_t shortest_digits(double value, char digits[HR_NUMBER_TEXT_MAX], int *exponent)
{
    char text[HR_NUMBER_TEXT_MAX];
    char *end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
    char *mark = static_cast<char *>(std::memchr(text, 'e', static_cast<size_t>(end - text)));
    if (mark == text + 1) {
        /* Java looks at two digits where one would do, and takes the closer: 4.9E-324, not 5E-324. */
        char two[HR_NUMBER_TEXT_MAX];
        char *two_end = std::to_chars(two, two + sizeof(two), value, std::chars_format::scientific, 1).ptr;
        double again = 0;
        if (std::from_chars(two, two_end, again).ec == std::errc() && again == value && two[2] != '0') {
            std::memcpy(text, two, static_cast<size_t>(two_end - two));
            end = text + (two_end - two);
            mark = text + 3;
        }
    }
    *exponent = 0;
    (void)std::from_chars(mark[1] == '+' ? mark + 2 : mark + 1, end, *exponent);
    size_t count = 0;
    for (const char *at = text; at < mark; at++) {
        if (*at != '.') {
            digits[count++] = *at;
        }
    }
    return count;
}

char *put(char *out, const char *text, size_t length)
{
    std::memcpy(out, text, length);
    return out + length;
}

char *put_zeros(char *out, int count)
{
    for (int i = 0; i < count; i++) {
        *out++ = '0';
    }
    return out;
}

/* 0.00123, 1.0, 1234.5 */
char *put_plain(char *out, const char *digits, size_t count, int exponent)
{
    if (exponent < 0) {
        out = put_zeros(put(out, "0.", 2), -exponent - 1);
        return put(out, digits, count);
    }
    size_t before = static_cast<size_t>(exponent) + 1;
    if (count <= before) {
        out = put_zeros(put(out, digits, count), static_cast<int>(before - count));
        return put(out, ".0", 2);
    }
    out = put(out, digits, before);
    *out++ = '.';
    return put(out, digits + before, count - before);
}

/* The eight decimal digits of a value below 10^8, one a byte, the first in the lowest. */
std::uint64_t eight_digits(std::uint32_t value)
{
    /* Halved three times; the multiplications are divisions by 100 and by 10, exact for values of four and two digits.
     */
    std::uint64_t word = value / 10000 | static_cast<std::uint64_t>(value % 10000) << 32;
    std::uint64_t high = ((word * 10486) >> 20) & 0x0000007f0000007fu;
    word = high | (word - 100 * high) << 16;
    high = ((word * 103) >> 10) & 0x000f000f000f000fu;
    return high | (word - 10 * high) << 8;
}

constexpr std::uint64_t zeros_of_text = 0x3030303030303030u;

/* Writes eight bytes at out, of which the returned number counts. */
size_t put_whole(char *out, std::uint32_t value)
{
    std::uint64_t digits = eight_digits(value);
    unsigned leading = value == 0 ? 7 : static_cast<unsigned>(__builtin_ctzll(digits)) / 8;
    std::uint64_t text = (digits | zeros_of_text) >> (8 * leading);
    std::memcpy(out, &text, sizeof(text));
    return 8 - leading;
}

/* Decimals of at most `places` places below `limit` are written the short way. */
template <typename Number> struct short_decimal;
template <> struct short_decimal<double> {
    static constexpr double limit = 0x1p23;
    static constexpr double scale = 1e8;
    static constexpr double apart = 0x1p-51;
    static constexpr std::uint32_t fraction_unit = 1; /* 10^8 / scale */
};
template <> struct short_decimal<float> {
    static constexpr float limit = 0x1p10F;
    static constexpr float scale = 1e4F;
    static constexpr double apart = 0x1p-22;
    static constexpr std::uint32_t fraction_unit = 10000;
};

/* The text of a value that is such a decimal; 0: it is none, or something else is shorter.
 *
 * Doubles below 2^23 are at most 2^-30 apart, so that at most one multiple of 10^-8 rounds to a given one. If there is
 * one, it is m below, for the product is off by less than a half; and if m / 10^8, which is rounded once, is the value,
 * then the shortest decimal is m without the zeros at its end, as it is a multiple of 10^-8 too. Floats below 2^10 are
 * at most 2^-14 apart, and 10^-4 is more; m is below 2^24, so that it is a float. From 0.001 on the plain form is no
 * longer than the one with an exponent, but for integers with five zeros at the end. */
template <typename Number> size_t format_short_decimal(Number value, char *out)
{
    using decimal = short_decimal<Number>;
    char *at = out;
    if (std::signbit(value)) {
        *at++ = '-';
        value = -value;
    }
    if (!(value < decimal::limit) || (value < Number(1e-3) && value != 0)) {
        return 0;
    }
    double product = static_cast<double>(value) * static_cast<double>(decimal::scale);
    std::uint64_t m = static_cast<std::uint64_t>(product + 0.5);
    /* Both are rounded once: further apart than this, there is no need to divide. */
    if (std::fabs(product - static_cast<double>(m)) > product * decimal::apart ||
        static_cast<Number>(m) / decimal::scale != value) {
        return 0;
    }
    constexpr std::uint32_t unit = static_cast<std::uint32_t>(decimal::scale);
    std::uint32_t whole = static_cast<std::uint32_t>(m / unit);
    std::uint32_t fraction = static_cast<std::uint32_t>(m % unit) * decimal::fraction_unit;
    if (fraction == 0 && whole >= 100000 && whole % 100000 == 0) {
        return 0;
    }
    at += put_whole(at, whole);
    if (fraction != 0) {
        std::uint64_t digits = eight_digits(fraction);
        unsigned trailing = static_cast<unsigned>(__builtin_clzll(digits)) / 8;
        std::uint64_t text = digits | zeros_of_text;
        *at++ = '.';
        std::memcpy(at, &text, sizeof(text));
        at += 8 - trailing;
    }
    return static_cast<size_t>(at - out);
}

/* The last 8 - skipped of eight digits. Writes eight bytes. */
char *put_word(char *out, std::uint64_t digits, unsigned skipped)
{
    std::uint64_t text = (digits | zeros_of_text) >> (8 * skipped);
    std::memcpy(out, &text, sizeof(text));
    return out + 8 - skipped;
}

/* `digits`, which is not 0, with leading zeros to m places, 9 to 24, without the zeros at the end. Writes up to 8 bytes
 * more at out. */
char *put_places(char *out, std::uint64_t digits, unsigned m)
{
    std::uint64_t high = digits / 100000000;
    std::uint64_t last = eight_digits(static_cast<std::uint32_t>(digits % 100000000));
    std::uint64_t middle = eight_digits(static_cast<std::uint32_t>(high % 100000000));
    if (m > 16) {
        out = put_word(out, eight_digits(static_cast<std::uint32_t>(high / 100000000)), 24 - m);
        out = put_word(out, middle, 0);
    } else {
        out = put_word(out, middle, 16 - m);
    }
    out = put_word(out, last, 0);
    if (last != 0) {
        return out - static_cast<unsigned>(__builtin_clzll(last)) / 8;
    }
    while (out[-1] == '0') {
        out--;
    }
    return out;
}

/* The shortest decimal text of a double in [0.001, 2^23) that is no integer, after format_short_decimal took the short
 * ones; 0: not one of these, or a power of two.
 *
 * The value is c / 2^t with t of 30 to 62, and whatever lies within half of 2^-t of it reads the same. As in
 * Giulietti's Schubfach ("The Schubfach way to render doubles", 2020), two grids are enough: with m places, for which
 * 10^-m is at most 2^-t, the nearest multiple is within; with one place fewer there is at most one that is, and then it
 * is shorter. Here 10^m is below 2^64, so that all of it is exact. */
size_t format_long_decimal(double value, char *out)
{
    static constexpr std::uint64_t powers[] = {
        10000000000,      100000000000,      1000000000000,      10000000000000,      100000000000000,
        1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000u};
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    char *at = out;
    *at = '-';
    at += bits >> 63;
    value = std::fabs(value);
    std::uint64_t c = (bits & 0xfffffffffffffu) | 0x10000000000000u;
    if (!(value >= 1e-3 && value < 0x1p23) || c == 0x10000000000000u) {
        return 0;
    }
    unsigned t = 1075 - (static_cast<unsigned>(bits >> 52) & 0x7ff);
    unsigned m = (t * 1233 >> 12) + 1;   /* ceil(t · log10(2)): 10 to 19 */
    std::uint64_t unit = powers[m - 10]; /* 10^m: what 2^-t is in units of 10^-m / 2^t */
    unsigned __int128 scaled = static_cast<unsigned __int128>(c) * unit;
    std::uint64_t below = static_cast<std::uint64_t>(scaled >> t);
    std::uint64_t one = std::uint64_t(1) << (t + 1);
    std::uint64_t rest = static_cast<std::uint64_t>(scaled << 1) & (one - 1); /* of value above `below` */
    std::uint64_t edge = unit - (c & 1);                                      /* bounds count when c is even */
    std::uint64_t last = below % 10;
    /* The nearest with m places, of equals the even one; unless one with a place fewer is within. */
    std::uint64_t digits = below + (rest > one / 2 || (rest == one / 2 && (below & 1) != 0));
    digits = static_cast<unsigned __int128>(10 - last) * one - rest <= edge ? below + 10 - last : digits;
    digits = static_cast<unsigned __int128>(last) * one + rest <= edge ? below - last : digits;
    if (value < 1) {
        *at++ = '0';
    } else {
        at += put_whole(at, static_cast<std::uint32_t>(digits / unit));
        digits %= unit;
        if (digits == 0) {
            return 0; /* an integer */
        }
    }
    *at++ = '.';
    return static_cast<size_t>(put_places(at, digits, m) - out);
}

template <typename Number> size_t format_floating(Number value, char *out)
{
    size_t length = format_short_decimal(value, out);
    if constexpr (sizeof(Number) == sizeof(double)) {
        length = length > 0 ? length : format_long_decimal(value, out);
    }
    return length > 0 ? length : static_cast<size_t>(std::to_chars(out, out + HR_NUMBER_TEXT_MAX, value).ptr - out);
}

template <typename Number> bool parse_floating(const char *text, size_t length, Number *out)
{
    size_t sign = length > 0 && text[0] == '-' ? 1 : 0;
    if (length <= sign || !(is_digit(text[sign]) || text[sign] == '.')) {
        return false;
    }
    Number value = 0;
    std::from_chars_result result = std::from_chars(text, text + length, value);
    if (result.ptr != text + length || result.ec == std::errc::invalid_argument) {
        return false;
    }
    if (result.ec == std::errc::result_out_of_range) {
        value = is_overflow(text, length) ? std::numeric_limits<Number>::infinity() : Number(0);
        value = sign != 0 ? -value : value;
    }
    *out = value;
    return true;
}

} // namespace

bool hr_number_parse_double(const char *text, size_t length, double *out)
{
    return parse_floating(text, length, out);
}

bool hr_number_parse_float(const char *text, size_t length, float *out)
{
    return parse_floating(text, length, out);
}

bool hr_number_parse_int64(const char *text, size_t length, int64_t *out)
{
    int64_t value = 0;
    std::from_chars_result result = std::from_chars(text, text + length, value);
    if (length == 0 || result.ptr != text + length || result.ec != std::errc()) {
        return false;
    }
    *out = value;
    return true;
}

size_t hr_number_format_double(double value, char *out)
{
    return format_floating(value, out);
}

size_t hr_number_format_float(float value, char *out)
{
    return format_floating(value, out);
}

size_t hr_number_format_int64(int64_t value, char *out)
{
    if (value >= 0 && value < 100000000) {
        return put_whole(out, static_cast<std::uint32_t>(value));
    }
    return static_cast<size_t>(std::to_chars(out, out + HR_NUMBER_TEXT_MAX, value).ptr - out);
}

size_t hr_number_format_java(double value, char *out)
{
    if (std::isnan(value)) {
        return static_cast<size_t>(put(out, "NaN", 3) - out);
    }
    char *at = out;
    if (std::signbit(value)) {
        *at++ = '-';
        value = -value;
    }
    if (std::isinf(value)) {
        return static_cast<size_t>(put(at, "Infinity", 8) - out);
    }
    if (value == 0) {
        return static_cast<size_t>(put(at, "0.0", 3) - out);
    }
    char digits[HR_NUMBER_TEXT_MAX];
    int exponent;
    size_t count = shortest_digits(value, digits, &exponent);
    if (value >= 1e-3 && value < 1e7) {
        return static_cast<size_t>(put_plain(at, digits, count, exponent) - out);
    }
    at = put_plain(at, digits, count, 0);
    *at++ = 'E';
    return static_cast<size_t>(std::to_chars(at, out + HR_NUMBER_TEXT_MAX, exponent).ptr - out);
}
