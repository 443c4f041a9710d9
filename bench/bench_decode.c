/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding click records beside peers, chunk by chunk: every column has to be equal first, then all are timed in turns.
 *
 *     bench_decode RECORDS ROUNDS [NAME=LIBRARY.so …]
 *
 * A library is one of bench/peers/decode. Prints a JSON object: processor nanoseconds a record of each round, by name;
 * ours is "headrace". Ends with 1 when a peer has other columns.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "click_path.h"
#include "peers/decode/click_columns.h"

#define SIDES_MAX 8
#define ROUNDS_MAX 100

struct side {
    const char *name;
    peer_decode_fn *decode; /* NULL: ours */
    double times[ROUNDS_MAX];
};

static struct click_path path;

/* The order of the schema in click_path.c. */
enum { SESSION_ID, USER_ID, PAGE, COUNTRY, TS, DEVICE, CLICKS, DWELL, PRICE, LABEL };

static double process_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void make_columns(struct click_columns *columns)
{
    struct click_text **texts[] = {&columns->session_id, &columns->user_id, &columns->page, &columns->country};
    int64_t **integers[] = {&columns->ts, &columns->device, &columns->clicks, &columns->label};
    double **numbers[] = {&columns->dwell, &columns->price};
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        *texts[i] = hr_arena_calloc(&path.arena, HR_CHUNK_ROWS, sizeof(struct click_text));
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(integers); i++) {
        *integers[i] = hr_arena_calloc(&path.arena, HR_CHUNK_ROWS, sizeof(int64_t));
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(numbers); i++) {
        *numbers[i] = hr_arena_calloc(&path.arena, HR_CHUNK_ROWS, sizeof(double));
    }
}

static size_t chunk_count(size_t first)
{
    return path.count - first < HR_CHUNK_ROWS ? path.count - first : HR_CHUNK_ROWS;
}

static size_t peer_chunk(const struct side *side, size_t first, struct click_columns *columns)
{
    size_t count = chunk_count(first);
    const char *text = path.records[first].value.data;
    const struct hr_str *last = &path.records[first + count - 1].value;
    return side->decode(text, (size_t)(last->data + last->length + 1 - text), count, columns);
}

static bool same_texts(size_t column, const struct click_text *texts)
{
    const struct hr_str *ours = path.chunk.columns[column].strings;
    for (size_t row = 0; row < path.chunk.rows; row++) {
        if (ours[row].length != texts[row].length || memcmp(ours[row].data, texts[row].data, texts[row].length) != 0) {
            return false;
        }
    }
    return true;
}

static bool same_bytes(size_t column, const void *values)
{
    return memcmp(path.chunk.columns[column].any, values, path.chunk.rows * sizeof(int64_t)) == 0;
}

static bool same_columns(const struct click_columns *columns)
{
    return same_texts(SESSION_ID, columns->session_id) && same_texts(USER_ID, columns->user_id) &&
           same_texts(PAGE, columns->page) && same_texts(COUNTRY, columns->country) && same_bytes(TS, columns->ts) &&
           same_bytes(DEVICE, columns->device) && same_bytes(CLICKS, columns->clicks) &&
           same_bytes(DWELL, columns->dwell) && same_bytes(PRICE, columns->price) && same_bytes(LABEL, columns->label);
}

static void check(const struct side *side, struct click_columns *columns)
{
    for (size_t first = 0; first < path.count; first += HR_CHUNK_ROWS) {
        click_path_decode(&path, first);
        size_t rows = peer_chunk(side, first, columns);
        if (rows != path.chunk.rows || !same_columns(columns)) {
            fprintf(stderr, "bench_decode: %s: other columns than ours in the chunk of record %zu (%zu rows)\n",
                    side->name, first, rows);
            exit(1);
        }
    }
}

static double time_side(const struct side *side, struct click_columns *columns)
{
    double start = process_seconds();
    for (size_t first = 0; first < path.count; first += HR_CHUNK_ROWS) {
        if (side->decode == NULL) {
            click_path_decode(&path, first);
        } else {
            peer_chunk(side, first, columns);
        }
    }
    return (process_seconds() - start) * 1e9 / (double)path.count;
}

static void open_side(struct side *side, char *argument)
{
    char *separator = strchr(argument, '=');
    void *library = separator != NULL ? dlopen(separator + 1, RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = library != NULL ? dlsym(library, "peer_decode") : NULL;
    if (symbol == NULL) {
        fprintf(stderr, "bench_decode: %s: %s\n", argument, separator == NULL ? "NAME=LIBRARY.so" : dlerror());
        exit(2);
    }
    *separator = '\0';
    side->name = argument;
    memcpy(&side->decode, &symbol, sizeof(symbol));
}

static void print(const struct side *sides, size_t count, int rounds)
{
    for (size_t i = 0; i < count; i++) {
        printf("%s\"%s\": [", i == 0 ? "{" : ", ", sides[i].name);
        for (int round = 0; round < rounds; round++) {
            printf("%s%.2f", round > 0 ? ", " : "", sides[i].times[round]);
        }
        printf("]");
    }
    printf(", \"bytes\": %.1f}\n", (double)path.text_length / (double)path.count);
}

int main(int argc, char **argv)
{
    static struct side sides[SIDES_MAX];
    size_t count = 1;
    int rounds = argc > 2 ? atoi(argv[2]) : 0;
    if (rounds < 1 || rounds > ROUNDS_MAX || argc > 3 + SIDES_MAX - 1) {
        fprintf(stderr, "usage: bench_decode RECORDS ROUNDS [NAME=LIBRARY.so …]\n");
        return 2;
    }
    click_path_open(&path, strtoull(argv[1], NULL, 10), false);
    struct click_columns columns;
    make_columns(&columns);
    sides[0].name = "headrace";
    for (int i = 3; i < argc; i++) {
        open_side(&sides[count], argv[i]);
        check(&sides[count++], &columns);
    }
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            sides[i].times[round] = time_side(&sides[i], &columns);
        }
    }
    print(sides, count, rounds);
    click_path_close(&path);
    return 0;
}
