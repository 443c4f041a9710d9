/* SPDX-License-Identifier: Apache-2.0
 *
 * Nanoseconds a record for decoding and encoding the click record (click_record.h), in chunks as the engine does.
 *
 *     bench_json [--rounds N] [--csv | --shuffled | --escaped | --spaced | --typed | --some | --vectors |
 *                --doubles]
 *
 * csv: the same fields as CSV; shuffled: every record has its members in another order; escaped: one string has an
 * escape; spaced: blanks after ':' and ',' as Python's json writes them; typed: ts is a time stamp, dwell and price are
 * float; some: three columns of the ten; vectors: other records, with a vector of 16 numbers of three places; doubles:
 * the same with all their digits. The median and the best of the rounds are printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/random.h"
#include "click_record.h"
#include "data/format.h"

enum { RECORDS = 100000, ROUNDS_MAX = 1000, MEMBERS = 10 };

static const char click_schema[] =
    "session_id string, user_id string, page string, country string, ts long, device int, "
    "clicks int, dwell double, price double, label double";

static const char typed_schema[] =
    "[{name: session_id, type: string}, {name: user_id, type: string}, {name: page, type: string}, {name: country, "
    "type: string}, {name: ts, type: timestamp, format: epochMillis}, {name: device, type: int}, {name: clicks, type: "
    "int}, {name: dwell, type: float}, {name: price, type: float}, {name: label, type: int}]";
static const char some_schema[] = "user_id string, clicks int, label double";
static const char vector_schema[] = "id long, v vector";

struct bench {
    struct hr_arena arena;
    struct hr_arena chunk_arena;
    struct hr_schema schema;
    struct hr_format *format;
    struct hr_record *records;
    size_t bytes;
    struct hr_buf out;
    size_t rows;
};

/* The record's members in an order that depends on i. */
static size_t shuffle(char *record, size_t length, uint64_t i)
{
    char copy[CLICK_RECORD_MAX];
    const char *start[MEMBERS + 1];
    size_t count = 0;
    memcpy(copy, record, length);
    start[count++] = copy + 1;
    for (const char *p = copy; p < copy + length; p++) {
        if (*p == ',' && p[1] == '"') {
            start[count++] = p + 1;
        }
    }
    char *to = record + 1;
    for (size_t k = 0; k < count; k++) {
        size_t m = (k * 7 + i) % count;
        const char *end = m + 1 < count ? start[m + 1] - 1 : copy + length - 1;
        memcpy(to, start[m], (size_t)(end - start[m]));
        to += end - start[m];
        *to++ = k + 1 < count ? ',' : '}';
    }
    return (size_t)(to - record);
}

static size_t space(char *record, size_t length)
{
    char copy[CLICK_RECORD_MAX * 2];
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        copy[to++] = record[i];
        if ((record[i] == ',' || record[i] == ':') && (record[i + 1] == '"' || record[i - 1] == '"')) {
            copy[to++] = ' ';
        }
    }
    memcpy(record, copy, to);
    return to;
}

/* The values between commas. */
static size_t to_csv(char *record, size_t length)
{
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        if (record[i] == ':' && record[i - 1] == '"') {
            for (i += record[i + 1] == '"' ? 2 : 1; record[i] != '"' && record[i] != ',' && record[i] != '}'; i++) {
                record[to++] = record[i];
            }
            record[to++] = ',';
        }
    }
    return to - 1;
}

/* In the place of a click record. */
static size_t vector_record(uint64_t i, bool all_digits, char *record)
{
    uint64_t state = i;
    int length = snprintf(record, 64, "{\"id\":%llu,\"v\":[", (unsigned long long)i);
    for (int k = 0; k < 16; k++) {
        double value = (double)(hr_random_splitmix(&state) >> 11) * 0x1p-53 * 20 - 10;
        length += snprintf(record + length, 32, all_digits ? "%s%.17g" : "%s%.3f", k > 0 ? "," : "", value);
    }
    return (size_t)length + (size_t)snprintf(record + length, 8, "]}");
}

static void make_records(struct bench *bench, const char *shape)
{
    char *text = hr_arena_alloc(&bench->arena, (size_t)RECORDS * 2 * CLICK_RECORD_MAX);
    bench->records = hr_arena_calloc(&bench->arena, RECORDS, sizeof(*bench->records));
    for (uint64_t i = 0; i < RECORDS; i++) {
        char record[CLICK_RECORD_MAX * 2];
        size_t length = click_record_write(1, i, record);
        if (strcmp(shape, "--vectors") == 0 || strcmp(shape, "--doubles") == 0) {
            length = vector_record(i, shape[2] == 'd', record);
        } else if (strcmp(shape, "--shuffled") == 0) {
            length = shuffle(record, length, i);
        } else if (strcmp(shape, "--escaped") == 0) {
            char *page = strstr(record, "/product");
            memmove(page + 2, page + 1, length - (size_t)(page + 1 - record));
            memcpy(page, "\\/", 2);
            length++;
        } else if (strcmp(shape, "--csv") == 0) {
            length = to_csv(record, length);
        } else if (strcmp(shape, "--spaced") == 0) {
            length = space(record, length);
        }
        memcpy(text, record, length);
        bench->records[i] = (struct hr_record){.value = {text, length}, .partition = -1};
        text += length + 1;
        bench->bytes += length;
    }
}

static void decode(struct bench *bench, size_t first, struct hr_chunk *chunk, struct hr_rejects *rejects)
{
    size_t count = RECORDS - first < HR_CHUNK_ROWS ? RECORDS - first : HR_CHUNK_ROWS;
    hr_arena_reset(&bench->chunk_arena);
    hr_chunk_init(chunk, &bench->schema, count, bench->records, rejects, &bench->chunk_arena);
    hr_format_decode(bench->format, bench->records + first, (uint32_t)first, count, chunk);
    bench->rows += chunk->rows;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of the thread: what else runs on the machine does not count. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void print(const char *what, double *times, int rounds, double bytes)
{
    qsort(times, (size_t)rounds, sizeof(*times), compare);
    double median = times[rounds / 2] / RECORDS;
    printf("%-8s %7.1f ns/record (best %.1f), %.2f GB/s\n", what, median, times[0] / RECORDS, bytes / RECORDS / median);
}

static void run(struct bench *bench, int rounds)
{
    static double decode_times[ROUNDS_MAX];
    static double encode_times[ROUNDS_MAX];
    size_t columns[MEMBERS];
    for (size_t i = 0; i < bench->schema.count; i++) {
        columns[i] = i;
    }
    uint64_t allocations = 0;
    for (int round = 0; round < rounds; round++) {
        struct hr_rejects rejects;
        hr_rejects_init(&rejects, &bench->arena);
        bench->rows = 0;
        bench->out.length = 0;
        allocations = hr_alloc_count();
        double decode_time = 0;
        double encode_time = 0;
        for (size_t first = 0; first < RECORDS; first += HR_CHUNK_ROWS) {
            struct hr_chunk chunk;
            double start = now_ns();
            decode(bench, first, &chunk, &rejects);
            double middle = now_ns();
            hr_buf_clear(&bench->out);
            hr_format_encode(bench->format, &chunk, columns, bench->schema.count, 0, chunk.rows, true, &bench->out,
                             NULL);
            decode_time += middle - start;
            encode_time += now_ns() - middle;
        }
        decode_times[round] = decode_time;
        encode_times[round] = encode_time;
    }
    printf("%zu of %d records are rows, %.1f bytes each; %llu allocations in the last round\n", bench->rows, RECORDS,
           (double)bench->bytes / RECORDS, (unsigned long long)(hr_alloc_count() - allocations));
    print("decode", decode_times, rounds, (double)bench->bytes);
    print("encode", encode_times, rounds, (double)bench->bytes);
}

static const char *schema_of(const char *shape)
{
    if (strcmp(shape, "--typed") == 0) {
        return typed_schema;
    }
    if (strcmp(shape, "--some") == 0) {
        return some_schema;
    }
    return strcmp(shape, "--vectors") == 0 || strcmp(shape, "--doubles") == 0 ? vector_schema : click_schema;
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    int rounds = 30;
    const char *shape = "";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = atoi(argv[++i]);
            rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
        } else {
            shape = argv[i];
        }
    }
    struct hr_findings findings;
    hr_findings_init(&findings);
    hr_arena_init(&bench.arena, 0);
    hr_arena_init(&bench.chunk_arena, 0);
    hr_buf_init(&bench.out, 1 << 28);
    hr_schema_init(&bench.schema, &bench.arena);
    const char *text = schema_of(shape);
    struct hr_yaml schema = {.kind = HR_YAML_SCALAR, .text = text};
    struct hr_yaml *list = hr_yaml_read_text(&bench.arena, "schema", text, strlen(text), &findings);
    hr_schema_read(&bench.schema, text[0] == '[' ? list : &schema, &findings);
    struct hr_yaml csv = {.kind = HR_YAML_SCALAR, .text = "csv"};
    bench.format =
        hr_format_new(strcmp(shape, "--csv") == 0 ? &csv : NULL, &schema.place, NULL, &bench.arena, &findings);
    struct hr_error err = {0};
    if (findings.errors > 0 || hr_format_open(bench.format, &bench.schema, &err) != HR_OK) {
        fprintf(stderr, "schema: %s\n", err.text);
        return 1;
    }
    make_records(&bench, shape);
    run(&bench, rounds);
    hr_format_close(bench.format);
    hr_buf_release(&bench.out);
    hr_findings_release(&findings);
    hr_arena_release(&bench.chunk_arena);
    hr_arena_release(&bench.arena);
    return 0;
}
