/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding click records out of CSV, from one text in memory, line ends included:
 *
 *     bench_csv RECORDS ROUNDS [FILE]    FILE: writes the text there, without a header, and decodes nothing
 *
 * Prints a JSON object: processor nanoseconds a record of each round, and of each column what a peer has to find too,
 * the sum of numbers or the greatest text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "click_path.h"

#define ROUNDS_MAX 100
#define COLUMNS 10

static struct click_path path;
static struct hr_format *csv;
static struct hr_buf text;
static struct hr_record *records; /* of one chunk */
static double sums[COLUMNS];
static struct hr_str greatest[COLUMNS];

static double thread_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void make_text(void)
{
    size_t columns[COLUMNS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    hr_buf_init(&text, (size_t)1 << 31);
    for (size_t first = 0; first < path.count; first += HR_CHUNK_ROWS) {
        click_path_decode(&path, first);
        hr_format_encode(csv, &path.chunk, columns, COLUMNS, 0, path.chunk.rows, true, &text, NULL);
    }
}

/* The lines from *offset on, as many as a chunk has rows. */
static size_t split_chunk(size_t *offset)
{
    size_t count = 0;
    while (count < HR_CHUNK_ROWS && *offset < text.length) {
        size_t content;
        const char *line = text.data + *offset;
        *offset += hr_format_split(csv, line, text.length - *offset, true, &content);
        records[count++].value = (struct hr_str){line, content};
    }
    return count;
}

static void sum_chunk(void)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct hr_column *column = &path.chunk.columns[i];
        for (size_t row = 0; row < path.chunk.rows; row++) {
            if (column->type != HR_TYPE_STRING) {
                sums[i] += hr_column_number(column, row);
            } else if (hr_str_compare(column->strings[row], greatest[i]) > 0) {
                greatest[i] = column->strings[row];
            }
        }
    }
}

/* Nanoseconds a record. */
static double decode(bool sum)
{
    double start = thread_seconds();
    size_t rows = 0;
    for (size_t offset = 0; offset < text.length;) {
        size_t count = split_chunk(&offset);
        hr_arena_reset(&path.chunk_arena);
        hr_chunk_init(&path.chunk, &path.schema, count, records, &path.rejects, &path.chunk_arena);
        hr_format_decode(csv, records, 0, count, &path.chunk);
        rows += path.chunk.rows;
        if (sum) {
            sum_chunk();
        }
    }
    double seconds = thread_seconds() - start;
    if (rows != path.count) {
        fprintf(stderr, "bench_csv: %zu of %zu records are rows\n", rows, path.count);
        exit(1);
    }
    return seconds * 1e9 / (double)path.count;
}

static void print(const double *times, int rounds)
{
    printf("{\"bytes\": %.1f, \"columns\": [", (double)text.length / (double)path.count);
    for (size_t i = 0; i < COLUMNS; i++) {
        printf("%s", i > 0 ? ", " : "");
        if (path.schema.fields[i].type == HR_TYPE_STRING) {
            printf("\"%.*s\"", HR_STR_ARGS(greatest[i]));
        } else {
            printf("%.17g", sums[i]);
        }
    }
    printf("], \"headrace\": [");
    for (int i = 0; i < rounds; i++) {
        printf(i > 0 ? ", %.2f" : "%.2f", times[i]);
    }
    printf("]}\n");
}

static int write_text(const char *name)
{
    FILE *file = fopen(name, "wb");
    if (file == NULL || fwrite(text.data, 1, text.length, file) != text.length || fclose(file) != 0) {
        fprintf(stderr, "bench_csv: %s cannot be written\n", name);
        return 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct hr_place place = {"bench", 1, 1, "source"};
    static double times[ROUNDS_MAX];
    int rounds = argc > 2 ? atoi(argv[2]) : 0;
    if (argc > 4 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_csv RECORDS ROUNDS [FILE]\n");
        return 2;
    }
    struct hr_error err = {0};
    click_path_open(&path, strtoull(argv[1], NULL, 10), false);
    csv = hr_format_new(click_path_yaml(&path.arena, &path.findings, "{type: csv, header: false}"), &place, NULL,
                        &path.arena, &path.findings);
    click_path_require(&path.findings, csv != NULL && hr_format_open(csv, &path.schema, &err) == HR_OK, err.text);
    records = hr_arena_calloc(&path.arena, HR_CHUNK_ROWS, sizeof(*records));
    make_text();
    int status = 0;
    if (argc > 3) {
        status = write_text(argv[3]);
    } else {
        decode(true);
        for (int i = 0; i < rounds; i++) {
            times[i] = decode(false);
        }
        print(times, rounds);
    }
    hr_format_close(csv);
    hr_buf_release(&text);
    click_path_close(&path);
    return status;
}
