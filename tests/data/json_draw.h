/* SPDX-License-Identifier: Apache-2.0
 *
 * What the makers of JSON records share: draws from the maker's state, and writing.
 */
#ifndef HR_TESTS_DATA_JSON_DRAW_H
#define HR_TESTS_DATA_JSON_DRAW_H

#include <string.h>

#include "base/base.h"
#include "base/random.h"
#include "json_maker.h"

static inline uint64_t maker_bits(struct maker *maker)
{
    return hr_random_splitmix(&maker->state);
}

static inline unsigned below(struct maker *maker, unsigned limit)
{
    return (unsigned)((maker_bits(maker) >> 32) * limit >> 32);
}

/* One time in `often`. */
static inline bool once(struct maker *maker, unsigned often)
{
    return below(maker, often) == 0;
}

static inline void put(struct maker *maker, const char *text)
{
    size_t length = strlen(text);
    if (length <= MAKER_TEXT_MAX - maker->length) {
        memcpy(maker->text + maker->length, text, length);
        maker->length += length;
    }
}

static inline void put_byte(struct maker *maker, char byte)
{
    if (maker->length < MAKER_TEXT_MAX) {
        maker->text[maker->length++] = byte;
    }
}

/* A JSON integer of `count` digits, 0 for none. */
void maker_whole(struct maker *maker, unsigned count);

#endif
