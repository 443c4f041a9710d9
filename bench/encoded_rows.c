/* SPDX-License-Identifier: Apache-2.0
 *
 * See encoded_rows.h.
 */
#include "encoded_rows.h"

#include <math.h>

#include "base/random.h"

static double unit(uint64_t *state)
{
    return (double)(hr_random_splitmix(state) >> 11) * 0x1p-53;
}

/* The true weight of an element, in [−scale, scale]. */
static double weight(uint32_t element, double scale)
{
    uint64_t state = 0x5eed0000ull + element;
    (void)hr_random_splitmix(&state);
    return (unit(&state) * 2.0 - 1.0) * scale;
}

static double make_row(uint32_t *indices, double *values, uint32_t dimension, uint64_t *state)
{
    double margin = -0.5;
    for (uint32_t i = 0; i < ENCODED_DENSE; i++) {
        indices[i] = i;
        values[i] = (double)(float)(unit(state) * 2.0 - 1.0);
        margin += weight(i, 1.5) * values[i];
    }
    uint32_t share = (dimension - ENCODED_DENSE) / ENCODED_GROUPS;
    for (uint32_t group = 0; group < ENCODED_GROUPS; group++) {
        uint32_t rank = (uint32_t)(exp(unit(state) * log((double)share + 1.0)) - 1.0);
        uint32_t element = ENCODED_DENSE + group * share + (rank < share ? rank : share - 1);
        indices[ENCODED_DENSE + group] = element;
        values[ENCODED_DENSE + group] = 1.0;
        margin += weight(element, 0.8);
    }
    return margin;
}

void encoded_rows_make(struct encoded_rows *rows, size_t count, uint32_t dimension, uint64_t seed,
                       struct hr_arena *arena)
{
    *rows = (struct encoded_rows){
        .count = count,
        .dimension = dimension,
        .indices = hr_arena_array(arena, count * ENCODED_NONZEROS, uint32_t),
        .values = hr_arena_array(arena, count * ENCODED_NONZEROS, double),
        .labels = hr_arena_array(arena, count, int64_t),
        .vectors = hr_arena_array(arena, count, struct hr_vector),
    };
    for (size_t row = 0; row < count; row++) {
        uint64_t state = seed * 0x2545f4914f6cdd1du ^ row * 0xd1342543de82ef95u;
        uint32_t *indices = rows->indices + row * ENCODED_NONZEROS;
        double *values = rows->values + row * ENCODED_NONZEROS;
        double margin = make_row(indices, values, dimension, &state);
        rows->labels[row] = unit(&state) < 1.0 / (1.0 + exp(-margin));
        rows->vectors[row] = (struct hr_vector){values, indices, dimension, ENCODED_NONZEROS};
    }
}
