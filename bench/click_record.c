/* SPDX-License-Identifier: Apache-2.0
 *
 * See click_record.h.
 */
#include "click_record.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct draw {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw_bits(struct draw *draw)
{
    uint64_t z = (draw->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double draw_unit(struct draw *draw)
{
    return (double)(draw_bits(draw) >> 11) * 0x1p-53;
}

/* Rank in [0, count) with P(rank) ~ 1/(rank + 1), by inverting the continuous law. log_count: log(count + 1). */
static unsigned draw_zipf(struct draw *draw, unsigned count, double log_count)
{
    unsigned rank = (unsigned)(exp(draw_unit(draw) * log_count) - 1.0);
    return rank < count ? rank : count - 1;
}

/* A fixed effect in [−1, 1] of value `id` of a named group. */
static double effect(unsigned group, unsigned id)
{
    struct draw draw = {.state = ((uint64_t)group << 32) + id};
    (void)draw_bits(&draw);
    return draw_unit(&draw) * 2.0 - 1.0;
}

/* What does not depend on the record. */
static struct {
    bool made;
    double log_users, log_pages, log_countries, log_clicks;
    double pages[200], countries[40], devices[4];
    char hex[256][2];
    char three[1000][3];
} tables;

static void make_tables(void)
{
    tables.log_users = log(1000000 + 1.0);
    tables.log_pages = log(200 + 1.0);
    tables.log_countries = log(40 + 1.0);
    tables.log_clicks = log(100 + 1.0);
    for (unsigned i = 0; i < 200; i++) {
        tables.pages[i] = effect(1, i);
    }
    for (unsigned i = 0; i < 40; i++) {
        tables.countries[i] = effect(2, i);
    }
    for (unsigned i = 0; i < 4; i++) {
        tables.devices[i] = effect(3, i);
    }
    for (unsigned i = 0; i < 256; i++) {
        tables.hex[i][0] = "0123456789abcdef"[i >> 4];
        tables.hex[i][1] = "0123456789abcdef"[i & 15];
    }
    for (unsigned i = 0; i < 1000; i++) {
        tables.three[i][0] = (char)('0' + i / 100);
        tables.three[i][1] = (char)('0' + i / 10 % 10);
        tables.three[i][2] = (char)('0' + i % 10);
    }
    tables.made = true;
}

/* For string literals. */
#define PUT(out, text) (memcpy(out, text, sizeof(text) - 1), (out) + sizeof(text) - 1)

/* The last `bytes` bytes of a value. */
static char *put_hex(char *out, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        memcpy(out, tables.hex[value >> (8 * i) & 0xff], 2);
        out += 2;
    }
    return out;
}

static char *put_three(char *out, uint64_t value)
{
    memcpy(out, tables.three[value], 3);
    return out + 3;
}

static char *put_number(char *out, uint64_t value)
{
    char text[20];
    char *p = text + sizeof(text);
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    memcpy(out, p, (size_t)(text + sizeof(text) - p));
    return out + (text + sizeof(text) - p);
}

/* As "%.*f" with two or three places, for 0 to 999: printf rounds the exact value, which near a half is its job. */
static char *put_decimal(char *out, double value, int places)
{
    unsigned scale = places == 3 ? 1000 : 100;
    double scaled = value * scale;
    double nearest = nearbyint(scaled);
    if (fabs(fabs(scaled - nearest) - 0.5) < 1e-6) {
        return out + snprintf(out, 16, "%.*f", places, value);
    }
    unsigned whole = (unsigned)nearest;
    out = put_number(out, whole / scale);
    *out++ = '.';
    const char *fraction = tables.three[whole % scale] + 3 - places;
    memcpy(out, fraction, (size_t)places);
    return out + places;
}

static char *put_ids(char *out, uint64_t high, uint64_t low)
{
    out = PUT(out, "{\"session_id\":\"");
    out = put_hex(out, high >> 32, 4);
    *out++ = '-';
    out = put_hex(out, high >> 16, 2);
    *out++ = '-';
    out = put_hex(out, high, 2);
    *out++ = '-';
    out = put_hex(out, low >> 48, 2);
    *out++ = '-';
    return put_hex(out, low, 6);
}

size_t click_record_write(uint64_t seed, uint64_t index, char *out)
{
    if (!tables.made) {
        make_tables();
    }
    /* Mixed once, so that the draws of neighbouring records do not overlap. */
    struct draw mixed = {.state = seed * 0x2545f4914f6cdd1du ^ index * 0xd1342543de82ef95u};
    struct draw draw = {.state = draw_bits(&mixed)};
    uint64_t high = draw_bits(&draw);
    uint64_t low = draw_bits(&draw);
    unsigned user = draw_zipf(&draw, 1000000, tables.log_users);
    unsigned page = draw_zipf(&draw, 200, tables.log_pages);
    unsigned country = draw_zipf(&draw, 40, tables.log_countries);
    unsigned device = (unsigned)(draw_bits(&draw) & 3);
    unsigned clicks = draw_zipf(&draw, 100, tables.log_clicks);
    double dwell = fmin(-40.0 * log1p(-draw_unit(&draw)), 999.0);
    double price = 5.0 + 200.0 * draw_unit(&draw);
    double margin = -0.6 + tables.pages[page] + tables.countries[country] + 0.5 * tables.devices[device] +
                    0.02 * clicks + 0.012 * dwell - 0.006 * price;
    int label = draw_unit(&draw) < 1.0 / (1.0 + exp(-margin));
    char *p = put_ids(out, high, low);
    p = PUT(p, "\",\"user_id\":\"user-");
    *p++ = (char)('0' + user / 1000000);
    p = put_three(put_three(p, user / 1000 % 1000), user % 1000);
    p = PUT(p, "\",\"page\":\"/product/");
    p = put_three(p, page);
    p = PUT(p, "\",\"country\":\"c");
    memcpy(p, tables.three[country] + 1, 2);
    p = PUT(p + 2, "\",\"ts\":");
    p = put_number(p, 1760000000000ull + 3 * index);
    p = PUT(p, ",\"device\":");
    p = put_number(p, device);
    p = PUT(p, ",\"clicks\":");
    p = put_number(p, clicks);
    p = put_decimal(PUT(p, ",\"dwell\":"), dwell, 3);
    p = put_decimal(PUT(p, ",\"price\":"), price, 2);
    p = PUT(p, ",\"label\":");
    *p++ = (char)('0' + label);
    *p++ = '}';
    return (size_t)(p - out);
}
