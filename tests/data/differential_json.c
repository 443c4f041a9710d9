/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON decoder against jansson over damaged records, and numbers against strtod.
 *
 *     differential_json [--records N] [--seed S] [--record I]
 *
 * Each record is decoded by Headrace, in chunks, and read by jansson; json_model.h says what should become of it, and
 * which differences between the two are known. Row or bad record, the reason, and every value must agree. Then N
 * numbers of all shapes are decoded as double, float and long and compared with the C library, and N doubles (random
 * bits, and decimals) are written, looked at whether they are as short as can be, and decoded again.
 * --record I: only the chunk that record I is in, and the record is printed; what failed is found again this way.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/random.h"
#include "data/format.h"
#include "json_maker.h"
#include "json_model.h"

enum { CHUNK = 256, FAILURES_MAX = 20, COLUMNS_MAX = 16 };

struct decoder {
    struct hr_arena arena;
    struct hr_findings findings;
    struct hr_schema schema;
    struct hr_format *format;
};

struct run {
    uint64_t seed;
    uint64_t only; /* UINT64_MAX: all */
    struct maker maker;
    struct model model;
    struct hr_arena chunk_arena;
    struct hr_arena batch_arena;
    struct hr_rejects rejects;
    struct hr_chunk chunk;
    struct hr_record records[CHUNK];
    uint64_t rows;
    uint64_t bad;
    uint64_t overflows;
    uint64_t unsure; /* model_is_unsure */
    uint64_t differences;
    bool numbers; /* the records are through */
};

/* The decoder keeps what it learned of members' order for the next chunk, so each chunk has a new one: a failure then
 * depends on its chunk alone. */
static void decoder_open(struct decoder *decoder, const char *schema)
{
    struct hr_buf document;
    struct hr_place place = {"query.yaml", 1, 1, "source"};
    struct hr_error err = {0};
    hr_arena_init(&decoder->arena, 16384);
    hr_findings_init(&decoder->findings);
    hr_schema_init(&decoder->schema, &decoder->arena);
    hr_buf_init(&document, 1 << 20);
    hr_buf_printf(&document, schema[0] == '-' ? "schema:\n%s\n" : "schema: \"%s\"\n", schema);
    struct hr_yaml *yaml =
        hr_yaml_read_text(&decoder->arena, "query.yaml", document.data, document.length, &decoder->findings);
    hr_schema_read(&decoder->schema, hr_yaml_get(yaml, "schema"), &decoder->findings);
    decoder->format = hr_format_new(NULL, &place, NULL, &decoder->arena, &decoder->findings);
    if (decoder->findings.errors > 0 || hr_format_open(decoder->format, &decoder->schema, &err) != HR_OK) {
        fprintf(stderr, "the test's schema is wrong: %s\n%s\n", schema, err.text);
        exit(2);
    }
    hr_buf_release(&document);
}

static void decoder_close(struct decoder *decoder)
{
    hr_format_close(decoder->format);
    hr_findings_release(&decoder->findings);
    hr_arena_release(&decoder->arena);
}

static void print_record(struct hr_str record)
{
    for (size_t i = 0; i < record.length; i++) {
        unsigned char c = (unsigned char)record.data[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            putchar(c);
        } else {
            printf("\\x%02x", c);
        }
    }
    putchar('\n');
}

static void HR_PRINTF(3, 4) difference(struct run *run, uint64_t number, const char *format, ...)
{
    if (run->differences++ >= FAILURES_MAX) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    printf("DIFFERENCE --seed %" PRIu64 " %s %" PRIu64 ": ", run->seed, run->numbers ? "number" : "--record", number);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

/* ---- records ------------------------------------------------------------------------------------------------- */

/* The reason that the model asks for; false: the record is a row. *column is the one to blame, or NULL. */
static bool expected_reason(const struct run *run, const struct hr_schema *schema, enum hr_reason *reason,
                            const char **column)
{
    *column = NULL;
    if (run->model.depth > HR_JSON_DEPTH_MAX) {
        *reason = HR_REASON_TOO_DEEP;
        return true;
    }
    if (!json_is_object(run->model.root)) {
        *reason = HR_REASON_NOT_AN_OBJECT;
        return true;
    }
    for (size_t i = 0; i < schema->count; i++) {
        const struct hr_field *field = &schema->fields[i];
        enum hr_json_state state = model_state(model_find(&run->model, field), field);
        *column = field->name;
        if (state == HR_JSON_WRONG_TYPE || state == HR_JSON_OUT_OF_RANGE) {
            *reason = state == HR_JSON_WRONG_TYPE ? HR_REASON_WRONG_TYPE : HR_REASON_OUT_OF_RANGE;
            return true;
        }
        if (state != HR_JSON_VALUE && !field->nullable) {
            *reason = HR_REASON_NULL_VALUE;
            return true;
        }
    }
    return false;
}

/* Reasons for text that jansson does not take. */
static bool is_text_reason(enum hr_reason reason)
{
    return reason == HR_REASON_EMPTY || reason == HR_REASON_MALFORMED || reason == HR_REASON_TRAILING_BYTES ||
           reason == HR_REASON_INVALID_UTF8 || reason == HR_REASON_TOO_DEEP;
}

static void check_reject(struct run *run, const struct hr_schema *schema, const struct hr_reject *reject,
                         uint64_t number)
{
    enum hr_reason reason = HR_REASON_MALFORMED;
    const char *column;
    run->bad++;
    if (run->model.root == NULL) {
        if (!is_text_reason(reject->reason)) {
            difference(run, number, "jansson says '%s', Headrace '%s'", run->model.error.text, reject->message);
        }
        return;
    }
    if (!expected_reason(run, schema, &reason, &column)) {
        difference(run, number, "should be a row, is '%s'", reject->message);
    } else if (reason != reject->reason || (column != NULL && strstr(reject->message, column) == NULL)) {
        difference(run, number, "should be %s by column %s, is %s: '%s'", hr_reason_name(reason),
                   column != NULL ? column : "-", hr_reason_name(reject->reason), reject->message);
    }
}

static void check_row(struct run *run, const struct hr_schema *schema, size_t row, uint64_t number)
{
    enum hr_reason reason = HR_REASON_MALFORMED;
    const char *bad_column;
    run->rows++;
    if (run->model.root == NULL) {
        difference(run, number, "jansson says '%s' at byte %d, Headrace takes it", run->model.error.text,
                   run->model.error.position);
        return;
    }
    if (expected_reason(run, schema, &reason, &bad_column)) {
        difference(run, number, "should be %s by column %s, is a row", hr_reason_name(reason),
                   bad_column != NULL ? bad_column : "-");
        return;
    }
    for (size_t i = 0; i < schema->count; i++) {
        const struct hr_column *column = &run->chunk.columns[i];
        struct model_value value = model_find(&run->model, &schema->fields[i]);
        bool is_null = value.value == NULL || json_is_null(value.value);
        if (is_null != hr_column_is_null(column, row)) {
            difference(run, number, "column %s: null on one side", schema->fields[i].name);
        } else if (!is_null && !model_same(value, &schema->fields[i], column, row)) {
            difference(run, number, "column %s: values differ", schema->fields[i].name);
        }
    }
}

static void check_chunk(struct run *run, const struct hr_schema *schema, uint64_t first, size_t count)
{
    size_t row = 0;
    size_t reject = 0;
    for (size_t i = 0; i < count; i++) {
        model_read(&run->model, run->records[i].value);
        run->overflows += run->model.overflows;
        bool unsure = run->model.root != NULL && model_is_unsure(&run->model, schema);
        run->unsure += unsure;
        if (row < run->chunk.rows && run->chunk.record_index[row] == i) {
            row++;
            if (!unsure) {
                check_row(run, schema, row - 1, first + i);
            }
        } else if (reject < run->rejects.count && run->rejects.items[reject].record == i) {
            reject++;
            if (!unsure) {
                check_reject(run, schema, &run->rejects.items[reject - 1], first + i);
            }
        } else {
            difference(run, first + i, "is neither a row nor a reject");
        }
        if (first + i == run->only) {
            print_record(run->records[i].value);
        }
    }
    if (row != run->chunk.rows || reject != run->rejects.count) {
        difference(run, first, "the chunk has %zu rows and %zu rejects too many", run->chunk.rows - row,
                   run->rejects.count - reject);
    }
}

/* Into blocks of the records' exact size, so that a sanitizer sees a read past them. */
static void decode(struct run *run, struct decoder *decoder, size_t count)
{
    hr_arena_reset(&run->chunk_arena);
    hr_arena_reset(&run->batch_arena);
    hr_rejects_init(&run->rejects, &run->batch_arena);
    hr_chunk_init(&run->chunk, &decoder->schema, count, run->records, &run->rejects, &run->chunk_arena);
    hr_format_decode(decoder->format, run->records, 0, count, &run->chunk);
}

static void set_record(struct run *run, size_t i, const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, text, length);
    run->records[i] = (struct hr_record){.value = {copy, length}, .partition = -1};
}

static void free_records(struct run *run, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)run->records[i].value.data);
    }
}

static void run_records(struct run *run, uint64_t records)
{
    uint64_t first = run->only == UINT64_MAX ? 0 : run->only / CHUNK * CHUNK;
    uint64_t end = run->only == UINT64_MAX ? records : first + CHUNK;
    for (; first < end; first += CHUNK) {
        size_t count = end - first < CHUNK ? (size_t)(end - first) : CHUNK;
        size_t schema = (size_t)(first / CHUNK % maker_schema_count);
        struct decoder decoder;
        decoder_open(&decoder, maker_schemas[schema]);
        for (size_t i = 0; i < count; i++) {
            maker_record(&run->maker, run->seed, first + i, schema);
            set_record(run, i, run->maker.text, run->maker.length);
        }
        decode(run, &decoder, count);
        check_chunk(run, &decoder.schema, first, count);
        free_records(run, count);
        decoder_close(&decoder);
    }
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Row or reject, by column: a reject must be of a number that the column cannot hold. */
static void check_number(struct run *run, const char *text, bool is_row, size_t row, int column, uint64_t number)
{
    char *end;
    bool integer = strpbrk(text, ".eE") == NULL;
    errno = 0;
    double expected = column == 0 ? strtod(text, NULL) : column == 1 ? (double)strtof(text, NULL) : 0;
    bool holds = isfinite(expected);
    long long whole = 0;
    if (column == 2) {
        errno = 0;
        whole = strtoll(text, &end, 10);
        holds = integer && errno == 0;
    }
    if (is_row != holds) {
        difference(run, number, "%s as %s: %s", text,
                   column == 0   ? "double"
                   : column == 1 ? "float"
                                 : "long",
                   is_row ? "taken" : "refused");
    } else if (is_row && (column == 2 ? run->chunk.columns[0].longs[row] != whole
                                      : !same_bits(run->chunk.columns[0].doubles[row], expected))) {
        difference(run, number, "%s as %s: another value", text,
                   column == 0   ? "double"
                   : column == 1 ? "float"
                                 : "long");
    }
}

static void run_numbers(struct run *run, uint64_t count)
{
    static const char *const schemas[] = {"x double", "x float", "x long"};
    for (int column = 0; column < 3; column++) {
        struct decoder decoder;
        decoder_open(&decoder, schemas[column]);
        for (uint64_t first = 0; first < count / 3; first += CHUNK) {
            for (size_t i = 0; i < CHUNK; i++) {
                maker_begin(&run->maker, run->seed + 1, first + i);
                memcpy(run->maker.text, "{\"x\":", 5);
                run->maker.length = 5;
                maker_number(&run->maker);
                run->maker.text[run->maker.length++] = '}';
                set_record(run, i, run->maker.text, run->maker.length);
            }
            decode(run, &decoder, CHUNK);
            for (size_t i = 0, row = 0; i < CHUNK; i++) {
                char text[512];
                size_t length = run->records[i].value.length - 6;
                memcpy(text, run->records[i].value.data + 5, length);
                text[length] = '\0';
                bool is_row = row < run->chunk.rows && run->chunk.record_index[row] == i;
                check_number(run, text, is_row, row, column, first + i);
                row += is_row;
            }
            free_records(run, CHUNK);
        }
        decoder_close(&decoder);
    }
}

/* Random bits, or a decimal of few digits as data has them. */
static double some_double(uint64_t *state)
{
    uint64_t bits = hr_random_splitmix(state);
    double value;
    if ((bits & 3) == 0) {
        static const double scales[] = {1, 10, 100, 1000, 1e6, 1e-3, 1e15};
        value = (double)(hr_random_splitmix(state) >> (11 + bits % 53)) / scales[(bits >> 8) % HR_ARRAY_LEN(scales)];
    } else {
        memcpy(&value, &bits, sizeof(value));
    }
    return isfinite(value) ? value : 0.5;
}

/* Written with one digit less it is another number, or the text is no shorter: large integers are written out. */
static bool is_shortest(double value, const char *text)
{
    char fewer[64];
    size_t digits = 0;
    size_t zeros = 0; /* at the end: they carry no digit */
    for (const char *p = text; *p != '\0' && *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9' && (digits > 0 || *p != '0')) {
            digits++;
            zeros = *p == '0' ? zeros + 1 : 0;
        }
    }
    digits -= zeros;
    if (digits < 2) {
        return true;
    }
    (void)snprintf(fewer, sizeof(fewer), "%.*e", (int)digits - 2, value);
    return strtod(fewer, NULL) != value || strlen(fewer) >= strlen(text);
}

static void run_doubles(struct run *run, uint64_t count)
{
    struct decoder decoder;
    uint64_t state = run->seed;
    static double values[CHUNK];
    decoder_open(&decoder, "x double");
    for (uint64_t first = 0; first < count; first += CHUNK) {
        for (size_t i = 0; i < CHUNK; i++) {
            char text[HR_NUMBER_TEXT_MAX + 8] = "{\"x\":";
            values[i] = some_double(&state);
            size_t length = 5 + hr_number_format_double(values[i], text + 5);
            text[length] = '\0';
            if (!is_shortest(values[i], text + 5) || !same_bits(strtod(text + 5, NULL), values[i])) {
                difference(run, first + i, "%.17g is written as %s", values[i], text + 5);
            }
            text[length] = '}';
            set_record(run, i, text, length + 1);
        }
        decode(run, &decoder, CHUNK);
        for (size_t i = 0; i < CHUNK; i++) {
            if (run->chunk.rows != CHUNK || !same_bits(run->chunk.columns[0].doubles[i], values[i])) {
                difference(run, first + i, "%.17g is not what was written", values[i]);
            }
        }
        free_records(run, CHUNK);
    }
    decoder_close(&decoder);
}

int main(int argc, char **argv)
{
    static struct run run = {.seed = 20261126, .only = UINT64_MAX};
    uint64_t records = 1000000;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--records") == 0) {
            records = value;
        } else if (strcmp(argv[i], "--seed") == 0) {
            run.seed = value;
        } else if (strcmp(argv[i], "--record") == 0) {
            run.only = value;
        } else {
            fprintf(stderr, "usage: differential_json [--records N] [--seed S] [--record I]\n");
            return 2;
        }
    }
    model_init(&run.model);
    hr_arena_init(&run.chunk_arena, 0);
    hr_arena_init(&run.batch_arena, 0);
    run_records(&run, records);
    uint64_t record_differences = run.differences;
    run.differences = 0;
    run.numbers = true;
    if (run.only == UINT64_MAX) {
        run_numbers(&run, records);
        run_doubles(&run, records);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " records, %" PRIu64 " rows, %" PRIu64 " rejects, %" PRIu64
           " numbers past jansson's range, %" PRIu64 " records not compared; %" PRIu64 " differences\n",
           run.seed, run.rows + run.bad + run.unsure, run.rows, run.bad, run.overflows, run.unsure, record_differences);
    printf("%" PRIu64 " numbers, %" PRIu64 " doubles there and back; %" PRIu64 " differences\n", records, records,
           run.differences);
    model_release(&run.model);
    hr_arena_release(&run.chunk_arena);
    hr_arena_release(&run.batch_arena);
    /* Mostly rejects, or mostly rows, would be a test of little. */
    bool balanced = run.only != UINT64_MAX || records < 10000 || (run.rows > records / 10 && run.bad > records / 10);
    if (!balanced) {
        printf("too few rows or too few rejects\n");
    }
    return record_differences + run.differences > 0 || !balanced;
}
