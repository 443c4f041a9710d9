/* SPDX-License-Identifier: Apache-2.0
 *
 * One row at a time through pipeline and model, as a chunk of one row each:
 *
 *     bench_row ROUNDS
 *
 * The model has learned from 65,536 click records. Prints a JSON object with processor nanoseconds a row of each round:
 * "score" (the pipeline's stages and the prediction, the row's columns being there) and "all" (from the record's bytes
 * to the JSON of the result).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "click_path.h"

#define RECORDS 65536
#define ROUNDS_MAX 100

static struct click_path path;

enum depth { DECODE, SCORE, ALL };

static double thread_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void one_row(size_t record, enum depth depth)
{
    hr_arena_reset(&path.chunk_arena);
    hr_chunk_init(&path.chunk, &path.schema, 1, path.records, &path.rejects, &path.chunk_arena);
    hr_format_decode(path.format, path.records + record, (uint32_t)record, 1, &path.chunk);
    if (depth == DECODE) {
        return;
    }
    click_path_transform(&path);
    hr_model_score(path.model, &path.chunk);
    if (depth == ALL) {
        hr_buf_clear(&path.out);
        click_path_encode(&path);
    }
}

static double nanoseconds(enum depth depth)
{
    double start = thread_seconds();
    for (size_t record = 0; record < RECORDS; record++) {
        one_row(record, depth);
    }
    return (thread_seconds() - start) * 1e9 / RECORDS;
}

static void print(const char *name, const double *values, int count)
{
    printf("\"%s\": [", name);
    for (int i = 0; i < count; i++) {
        printf(i > 0 ? ", %.1f" : "%.1f", values[i]);
    }
    printf("]");
}

int main(int argc, char **argv)
{
    static double score[ROUNDS_MAX];
    static double all[ROUNDS_MAX];
    int rounds = argc == 2 ? atoi(argv[1]) : 0;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_row ROUNDS\n");
        return 2;
    }
    click_path_open(&path, RECORDS, true);
    click_path_batch(&path);
    for (int i = 0; i < rounds; i++) {
        double decode = nanoseconds(DECODE);
        score[i] = nanoseconds(SCORE) - decode;
        all[i] = nanoseconds(ALL);
    }
    printf("{");
    print("score", score, rounds);
    printf(", ");
    print("all", all, rounds);
    printf("}\n");
    click_path_close(&path);
    return 0;
}
