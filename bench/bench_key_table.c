/* SPDX-License-Identifier: Apache-2.0
 *
 * State by key: how many reads-modify-writes a second of processor time, over a million keys in random order, and what
 * a load from saved pages costs.
 *
 *     bench_key_table [KEYS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "state/key_table.h"

#define ROWS 4096u
#define BATCHES 5000u
#define LOADS 5u
#define MAXIMUM ((size_t)8 << 30)

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

struct rows {
    char (*texts)[16];
    char bytes[ROWS][16]; /* of the keys, one after the other, as a batch has them */
    struct hr_str keys[ROWS];
    int64_t longs[ROWS];
    void *values[ROWS];
};

static void make_rows(struct rows *rows, uint64_t *random, size_t keys, bool longs)
{
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t key = draw(random) % keys;
        rows->longs[i] = (int64_t)key;
        if (!longs) {
            memcpy(rows->bytes[i], rows->texts[key], 16);
            rows->keys[i] = (struct hr_str){rows->bytes[i], 16};
        }
    }
}

static void run(struct rows *rows, struct hr_key_table *table, size_t keys, bool longs)
{
    uint64_t random = 1;
    double seconds = 0;
    double growing = 0;
    struct hr_error err;
    for (size_t batch = 0; batch < 2 * BATCHES; batch++) {
        make_rows(rows, &random, keys, longs);
        double begin = cpu_seconds();
        enum hr_status status = longs ? hr_key_table_enter_longs(table, rows->longs, ROWS, rows->values, &err)
                                      : hr_key_table_enter(table, rows->keys, ROWS, rows->values, &err);
        HR_ASSERT(status == HR_OK);
        for (size_t i = 0; i < ROWS; i++) {
            ++*(int64_t *)rows->values[i];
        }
        *(batch < BATCHES ? &growing : &seconds) += cpu_seconds() - begin;
    }
    double million = (double)ROWS * BATCHES / 1e6;
    printf("%-16s %9zu keys  %6.1f M/s while it grows  %6.1f M/s after  %5.1f MB\n", longs ? "long" : "16-byte string",
           table->count, million / growing, million / seconds, (double)(table->slots.size + table->keys.size) / 1e6);
}

static double load_once(const struct hr_key_table *saved)
{
    struct hr_key_table table;
    struct hr_error err;
    hr_key_table_init(&table, saved->value_size, MAXIMUM);
    double begin = cpu_seconds();
    for (size_t page = 0; page < hr_paged_page_count(&saved->slots); page++) {
        size_t start = page * HR_PAGE_SIZE;
        size_t length = saved->slots.size - start < HR_PAGE_SIZE ? saved->slots.size - start : HR_PAGE_SIZE;
        HR_ASSERT(hr_paged_load(&table.slots, saved->slots.size, page, saved->slots.data + start, length, &err) ==
                  HR_OK);
    }
    HR_ASSERT(hr_key_table_loaded(&table, &err) == HR_OK && table.count == saved->count);
    double seconds = cpu_seconds() - begin;
    hr_key_table_release(&table);
    return seconds;
}

/* The first load touches memory that the host of a virtual machine may have taken back, the others what the one before
 * gave back. */
static void load(const struct hr_key_table *saved)
{
    double first = load_once(saved);
    double least = first;
    for (size_t i = 1; i < LOADS; i++) {
        double seconds = load_once(saved);
        least = seconds < least ? seconds : least;
    }
    double gigabytes = (double)saved->slots.size / 1e9;
    printf("%-16s %9zu keys  %6.3f s from pages in memory, %5.2f s/GB, least of %u; the first one %5.2f\n", "load",
           saved->count, least, least / gigabytes, LOADS, first / gigabytes);
}

int main(int argc, char **argv)
{
    size_t keys = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    struct rows *rows = hr_calloc(1, sizeof(*rows));
    rows->texts = hr_calloc(keys, sizeof(*rows->texts));
    for (size_t i = 0; i < keys; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "user-%011zu", i);
        memcpy(rows->texts[i], text, 16);
    }
    for (int longs = 0; longs <= 1; longs++) {
        struct hr_key_table table;
        hr_key_table_init(&table, sizeof(int64_t), MAXIMUM);
        run(rows, &table, keys, longs != 0);
        load(&table);
        hr_key_table_release(&table);
    }
    hr_free(rows->texts);
    hr_free(rows);
    return 0;
}
