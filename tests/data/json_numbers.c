/* SPDX-License-Identifier: Apache-2.0
 *
 * Number text for json_maker.h.
 */
#include <stdio.h>

#include "json_draw.h"

static void digits(struct maker *maker, unsigned count)
{
    while (count-- > 0) {
        put_byte(maker, (char)('0' + below(maker, 10)));
    }
}

void maker_whole(struct maker *maker, unsigned count)
{
    if (count == 0) {
        put_byte(maker, '0');
    } else {
        put_byte(maker, (char)('1' + below(maker, 9)));
        digits(maker, count - 1);
    }
}

static unsigned digit_count(struct maker *maker)
{
    static const unsigned limits[] = {2, 4, 9, 20, 24, 40};
    return below(maker, limits[below(maker, HR_ARRAY_LEN(limits))]);
}

/* Numbers where something changes: limits of types, halfway between two doubles or floats, subnormals. */
static const char *const edges[] = {
    "0",
    "-0",
    "-0.0",
    "0e5",
    "0.0000",
    "1e0",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "9007199254740992.5",
    "16777217",
    "16777217.000000001",
    "1e22",
    "1e23",
    "9007199254740991e22",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1e309",
    "-1e400",
    "1e-400",
    "5e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "3.4028235677973366e38",
    "3.4028235677973365e38",
    "3.4028234663852886e38",
    "1.401298464324817e-45",
    "7.006492321624085e-46",
    "1e-46",
    "0.1",
    "0.30000000000000004",
    "123456789012345678901234567890",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "0e99999999999999999999",
    "1E+2",
    "1e-07",
    "4.35",
    "0.000001",
    "1.00000000000000000000000000000000000000000000001",
};

void maker_number(struct maker *maker)
{
    if (once(maker, 8)) {
        put(maker, edges[below(maker, HR_ARRAY_LEN(edges))]);
        return;
    }
    if (once(maker, 8)) {
        /* Any double there is, with too many digits or too few. */
        uint64_t bits = maker_bits(maker);
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (value - value == 0) {
            char text[64];
            (void)snprintf(text, sizeof(text), "%.*e", (int)below(maker, 22), value);
            put(maker, text);
            return;
        }
    }
    if (once(maker, 3)) {
        put_byte(maker, '-');
    }
    maker_whole(maker, digit_count(maker));
    if (once(maker, 2)) {
        put_byte(maker, '.');
        digits(maker, 1 + digit_count(maker));
    }
    if (once(maker, 4)) {
        put_byte(maker, once(maker, 2) ? 'e' : 'E');
        put(maker, once(maker, 2) ? "" : once(maker, 2) ? "-" : "+");
        digits(maker, 1 + below(maker, once(maker, 8) ? 4 : 2));
    }
}
