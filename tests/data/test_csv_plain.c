/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way of CSV decoding (csv_index.h, csv_columns.h) against the general one: damaged records through every
 * kernel that the processor has must give the same rows and the same rejects.
 */
#include "test.h"

#include "base/random.h"
#include "data/csv_index.h"
#include "data/simd.h"
#include "rows.h"

enum { ROUNDS = 60, RECORDS = 600, RECORD_MAX = 512 }; /* several blocks (csv_index.h) a chunk */

static const char all_schema[] = "s string, i int NOT NULL, l long, d double, f float, b boolean, t string, e double";
static const char epoch_schema[] =
    "[{name: t, type: timestamp, format: epochMillis}, {name: u, type: timestamp, format: epochSeconds}, {name: v, "
    "type: timestamp}, {name: w, type: long}]";
static const char number_schema[] = "a double, b long";

struct source {
    const char *schema;
    const char *format;
    const char *header;
    const char *kinds; /* of the fields: s, i, d, b, t as in `texts` */
};

static const struct source sources[] = {
    {all_schema, "type: csv", NULL, "siidtbsd"},
    {all_schema, "{type: csv, delimiter: \";\", quote: \"'\", nullValue: NA}", "t;e;f;i;l;d;s;b;nobody", "sddiidsbs"},
    {all_schema, "type: csv", "t,e,f,i,l", "sddii"},
    {epoch_schema, "type: csv", NULL, "eeti"},
    {number_schema, "type: csv", NULL, "di"},
};

/* What is drawn for a kind of field, and now and then for another. */
static const struct {
    char kind;
    const char *texts[20];
} texts[] = {
    {'s', {"word", "a longer text that has no quotes", "", "NA", "Gr\xc3\xbc\xc3\x9f", "'a;b'", "\"a,b\"", "x"}},
    {'i',
     {"7", "-42", "0", "00012", "2147483647", "2147483648", "-", "99999999", "100000000", "", "+5", " 6", "-1234567",
      "-12345678", "-012", "--1", "-1-2", "-0", "5-1234567"}},
    {'d',
     {"52.365",   "-0.5", "12345678.5", "123456.78901234", "1.5e3", ".5",  "5.", ".", "9007199254740993", "-0",
      "16777217", "0.1",  "-0.0",       "-00.5",           "-5.",   "-.5", "-.", "-", "-1234.25",         "-12345.25"}},
    {'b', {"true", "FALSE", "false", "yes"}},
    {'t', {"1.5", "2026-01-31T10:00:00Z", "0.25", "16777216.5"}},
    {'e',
     {"1500", "1760000000000", "0", "00", "-1", "1.5", "9223372036854775807", "12345678", "123456789",
      "1234567890123456", "12345678901234567", "1760000000"}},
};

static size_t draw(uint64_t *state, size_t count)
{
    return (size_t)(hr_random_splitmix(state) % count);
}

static size_t append_field(char kind, uint64_t *state, char *out)
{
    size_t list = draw(state, HR_ARRAY_LEN(texts));
    for (size_t i = 0; i < HR_ARRAY_LEN(texts) && draw(state, 100) != 0; i++) {
        list = texts[i].kind == kind ? i : list;
    }
    if ((kind == 'i' || kind == 'd') && draw(state, 2) == 0) {
        uint64_t bits = hr_random_splitmix(state) >> (16 + draw(state, 48));
        return (size_t)(kind == 'i' ? snprintf(out, 32, "%d", (int)bits)
                                    : snprintf(out, 48, "%.*f", (int)draw(state, 9), (double)bits / 1e6));
    }
    size_t choices = 0;
    while (choices < HR_ARRAY_LEN(texts[0].texts) && texts[list].texts[choices] != NULL) {
        choices++;
    }
    const char *text = texts[list].texts[draw(state, choices)];
    memcpy(out, text, strlen(text));
    return strlen(text);
}

static size_t make_record(const struct source *source, uint64_t *state, char *out)
{
    static const char bytes[] = ",;\"'\n\r\t \0\x80\xc3\xef"
                                "0.-+eN";
    size_t length = 0;
    for (const char *kind = source->kinds; *kind != '\0'; kind++) {
        length += append_field(*kind, state, out + length);
        out[length++] = strchr(source->format, ';') != NULL ? ';' : ',';
    }
    length -= draw(state, 50) != 0;
    for (size_t damage = draw(state, 6) == 0 ? draw(state, 4) : 0; damage > 0 && length > 0; damage--) {
        out[draw(state, length)] = bytes[draw(state, sizeof(bytes) - 1)];
    }
    return draw(state, 40) == 0 ? draw(state, length + 1) : length;
}

/* Rows and rejects of one round's records, with none but the given kernel. */
static void decode(struct rows *rows, const struct source *source, char (*records)[RECORD_MAX], const size_t *lengths,
                   enum hr_simd kernel)
{
    hr_simd_limit(kernel);
    if (source->header != NULL) {
        struct hr_record *header = rows_add(rows, hr_str_from(source->header));
        header->flags = HR_RECORD_HEADER;
        header->origin = HR_STR("in.csv");
    }
    for (size_t i = 0; i < RECORDS; i++) {
        rows_add(rows, (struct hr_str){records[i], lengths[i]})->line = i == 7 ? 1 : 2;
    }
    rows_decode(rows);
    hr_simd_limit(HR_SIMD_AVX512);
}

static void compare(const struct source *source, enum hr_simd kernel)
{
    static char records[RECORDS][RECORD_MAX];
    size_t lengths[RECORDS];
    struct rows general;
    struct rows plain;
    rows_open(&general, source->schema, source->format);
    rows_open(&plain, source->schema, source->format);
    uint64_t state = 1;
    size_t rows = 0;
    size_t rejects = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < RECORDS; i++) {
            lengths[i] = make_record(source, &state, records[i]);
        }
        decode(&general, source, records, lengths, HR_SIMD_NONE);
        decode(&plain, source, records, lengths, kernel);
        TEST_TEXT_EQUAL(hr_buf_text(&plain.out), hr_buf_text(&general.out));
        rows += plain.chunk.rows;
        rejects += plain.rejects.count;
    }
    CU_ASSERT(rows > ROUNDS);
    CU_ASSERT(rejects > ROUNDS);
    rows_close(&general);
    rows_close(&plain);
}

static void test_kernels(void)
{
    enum hr_simd best = hr_simd_best();
    for (enum hr_simd kernel = HR_SIMD_WORDS; kernel <= best; kernel++) {
        for (size_t i = 0; i < HR_ARRAY_LEN(sources); i++) {
            compare(&sources[i], kernel);
        }
    }
}

/* Not odd are records without quotes and of the right number of fields; each kernel finds the same places. */
static void test_index(void)
{
    static const char *const records_text[] = {"a,bb,ccc",
                                               ",,",
                                               "a,b",
                                               "a,b,c,d",
                                               "a,\"b\",c",
                                               " a,b,c",
                                               "",
                                               "a,b,\xc3\xbc\r\n",
                                               "a,b,\xc3",
                                               "0123456789012345678901234567890,x,y",
                                               "012345678901234567890123456789012345678901234567890123456789012,x,y"};
    static const uint8_t odd[] = {0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0};
    enum hr_simd best = hr_simd_best();
    uint16_t starts[HR_CSV_BLOCK * 4 + HR_CSV_INDEX_SLACK];
    struct hr_record records[HR_ARRAY_LEN(records_text)];
    for (size_t i = 0; i < HR_ARRAY_LEN(records_text); i++) {
        records[i] = (struct hr_record){.value = hr_str_from(records_text[i])};
    }
    for (enum hr_simd kernel = HR_SIMD_WORDS; kernel <= best; kernel++) {
        struct hr_csv_index index = {
            .dialect = {',', '"'}, .fields = 3, .stride = 4, .record_bytes_max = 1000, .starts = starts};
        hr_simd_limit(kernel);
        hr_csv_index_records(&index, records, HR_ARRAY_LEN(records_text));
        hr_simd_limit(HR_SIMD_AVX512);
        for (size_t i = 0; i < HR_ARRAY_LEN(records_text); i++) {
            CU_ASSERT_EQUAL(index.odd[i], odd[i]);
        }
        CU_ASSERT(starts[0] == 0 && starts[1] == 2 && starts[2] == 5 && starts[3] == 9);
        const uint16_t *last = starts + 10 * 4;
        CU_ASSERT(last[1] == 64 && last[2] == 66 && last[3] == 68);
    }
}

TEST_MAIN("csv_plain", {"index", test_index}, {"kernels", test_kernels})
