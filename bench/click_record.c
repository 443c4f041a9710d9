/* SPDX-License-Identifier: Apache-2.0
 *
 * See click_record.h.
 */
#include "click_record.h"

#include <math.h>
#include <stdio.h>

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

/* Rank in [0, count) with P(rank) ~ 1/(rank + 1), by inverting the continuous law. */
static unsigned draw_zipf(struct draw *draw, unsigned count)
{
    unsigned rank = (unsigned)(exp(draw_unit(draw) * log((double)count + 1.0)) - 1.0);
    return rank < count ? rank : count - 1;
}

/* A fixed effect in [−1, 1] of value `id` of a named group. */
static double effect(unsigned group, unsigned id)
{
    struct draw draw = {.state = ((uint64_t)group << 32) + id};
    (void)draw_bits(&draw);
    return draw_unit(&draw) * 2.0 - 1.0;
}

size_t click_record_write(uint64_t seed, uint64_t index, char *out)
{
    /* Mixed once, so that the draws of neighbouring records do not overlap. */
    struct draw mixed = {.state = seed * 0x2545f4914f6cdd1du ^ index * 0xd1342543de82ef95u};
    struct draw draw = {.state = draw_bits(&mixed)};
    uint64_t high = draw_bits(&draw);
    uint64_t low = draw_bits(&draw);
    unsigned user = draw_zipf(&draw, 1000000);
    unsigned page = draw_zipf(&draw, 200);
    unsigned country = draw_zipf(&draw, 40);
    unsigned device = (unsigned)(draw_bits(&draw) & 3);
    unsigned clicks = draw_zipf(&draw, 100);
    double dwell = fmin(-40.0 * log1p(-draw_unit(&draw)), 999.0);
    double price = 5.0 + 200.0 * draw_unit(&draw);
    double margin = -0.6 + effect(1, page) + effect(2, country) + 0.5 * effect(3, device) + 0.02 * clicks +
                    0.012 * dwell - 0.006 * price;
    int label = draw_unit(&draw) < 1.0 / (1.0 + exp(-margin));
    int length = snprintf(out, CLICK_RECORD_MAX,
                          "{\"session_id\":\"%08x-%04x-%04x-%04x-%012llx\",\"user_id\":\"user-%07u\","
                          "\"page\":\"/product/%03u\",\"country\":\"c%02u\",\"ts\":%llu,\"device\":%u,\"clicks\":%u,"
                          "\"dwell\":%.3f,\"price\":%.2f,\"label\":%d}",
                          (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff),
                          (unsigned)(low >> 48), (unsigned long long)(low & 0xffffffffffffu), user, page, country,
                          1760000000000ull + 3 * (unsigned long long)index, device, clicks, dwell, price, label);
    return (size_t)length;
}
