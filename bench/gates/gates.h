/* SPDX-License-Identifier: Apache-2.0
 *
 * A gate: a part of the engine against a simpler piece of work on the same data, both timed in turns in one run, so
 * that the speed of the machine and its other load fall out of the ratio.
 */
#ifndef HR_BENCH_GATES_H
#define HR_BENCH_GATES_H

#include <stdbool.h>
#include <stdint.h>

struct gate {
    const char *name;
    double bound; /* of time(work) / time(reference) */
    const char *item;
    double items;      /* of one call of work */
    bool (*can)(void); /* NULL: on every processor */
    void (*open)(void);
    void (*work)(void);
    void (*reference)(void);
    void (*close)(void);
};

extern const struct gate gate_decode;
extern const struct gate gate_decode_columns;
extern const struct gate gate_encode;
extern const struct gate gate_logistic;
extern const struct gate gate_k_means;
extern const struct gate gate_checkpoint;

/* Allocations (malloc, calloc, realloc and the like, in any library) by the record path, after the first batches. The
 * plant is one small allocation a batch. */
uint64_t gate_allocations(int planted);

/* Keeps a result, so that the compiler must compute it. */
static inline void gate_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

#endif
