/* SPDX-License-Identifier: Apache-2.0
 *
 * Speed of the parts as ratios within one run, and the record path's allocations, against bounds:
 *
 *     bench_gates               a line a gate; exit 1 when one is broken
 *     bench_gates --self-test   plants a fault in each, work done four times or an allocation a batch; exit 1 when a
 *                               gate does not notice
 *
 * The ratio is the median of rounds that alternate, in processor time of this thread. A bound is a third to twice above
 * what the ratio was when it was set: it catches a part that got slow, not a few percent.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "gates.h"

#define ROUNDS 11
/* For --self-test: fewer, each with the work done so often. */
#define PLANTED_ROUNDS 3
#define PLANTED_REPEAT 4

static double thread_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double time_of(void (*work)(void), int repeat)
{
    double start = thread_seconds();
    for (int i = 0; i < repeat; i++) {
        work();
    }
    return thread_seconds() - start;
}

/* *nanoseconds: of an item's work. */
static double ratio_of(const struct gate *gate, bool planted, double *nanoseconds)
{
    double ratios[ROUNDS];
    double times[ROUNDS];
    int rounds = planted ? PLANTED_ROUNDS : ROUNDS;
    gate->open();
    gate->work();
    gate->reference();
    for (int i = 0; i < rounds; i++) {
        double reference = time_of(gate->reference, 1);
        times[i] = time_of(gate->work, planted ? PLANTED_REPEAT : 1);
        ratios[i] = times[i] / reference;
    }
    gate->close();
    qsort(ratios, (size_t)rounds, sizeof(*ratios), compare);
    qsort(times, (size_t)rounds, sizeof(*times), compare);
    *nanoseconds = times[rounds / 2] * 1e9 / gate->items;
    return ratios[rounds / 2];
}

int main(int argc, char **argv)
{
    static const struct gate *const gates[] = {&gate_decode,   &gate_decode_columns, &gate_encode,
                                               &gate_logistic, &gate_k_means,        &gate_checkpoint};
    bool self_test = argc == 2 && strcmp(argv[1], "--self-test") == 0;
    if (argc > 1 && !self_test) {
        fprintf(stderr, "usage: bench_gates [--self-test]\n");
        return 2;
    }
    int unexpected = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(gates); i++) {
        if (gates[i]->can != NULL && !gates[i]->can()) {
            printf("%-7s %-52s this processor cannot\n", "-", gates[i]->name);
            continue;
        }
        double nanoseconds;
        double ratio = ratio_of(gates[i], self_test, &nanoseconds);
        bool broken = ratio > gates[i]->bound;
        printf("%-7s %-52s %7.2f (bound %.1f), %.0f ns a %s\n", broken ? "broken" : "ok", gates[i]->name, ratio,
               gates[i]->bound, nanoseconds, gates[i]->item);
        unexpected += broken != self_test;
    }
    uint64_t allocations = gate_allocations(self_test);
    printf("%-7s %-52s %7llu (bound 0)\n", allocations > 0 ? "broken" : "ok",
           "allocations: decode, transform, learn, encode", (unsigned long long)allocations);
    unexpected += (allocations > 0) != self_test;
    if (unexpected > 0) {
        printf(self_test ? "%d gates do not notice a planted fault\n" : "%d gates are broken\n", unexpected);
    }
    return unexpected > 0;
}
