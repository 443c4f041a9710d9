/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way of JSON decoding (json_shape.h, json_columns.h) against the general one: records of one shape, some of
 * them damaged, through every kernel that the processor has must give the same rows and the same rejects.
 */
#include "test.h"

#include "base/random.h"
#include "data/json_index.h"
#include "data/simd.h"
#include "rows.h"

enum { ROUNDS = 60, RECORDS = 600, RECORD_MAX = 1024 };

static const char all_schema[] = "s string, i int NOT NULL, l long, d double, f float, b boolean, x binary, e double";
static const char time_schema[] =
    "[{name: t, type: timestamp, format: epochMillis}, {name: u, type: timestamp, format: epochSeconds}, {name: v, "
    "type: timestamp}, {name: w, type: long}]";

struct source {
    const char *schema;
    const char *names[10]; /* of the members, in their order */
    const char *kinds;     /* of their values, as in `texts` */
};

static const struct source sources[] = {
    {all_schema, {"s", "i", "l", "d", "f", "b", "x", "e"}, "siidfbxd"},
    /* Other names, and the last value in quotes. */
    {all_schema, {"e", "f", "nobody", "i", "l", "d", "x", "b", "s"}, "dfdiidxbs"},
    {all_schema, {"i", "anything", "l", "d", "f", "e", "x", "b", "s"}, "islddfxbs"},
    {time_schema, {"v", "w", "t", "u"}, "tiee"},
    {"a_name_of_more_than_sixteen_bytes double, `grün` string, `a name that is just as long as forty-eight bytes are` "
     "long",
     {"a_name_of_more_than_sixteen_bytes", "gr\xc3\xbcn", "a name that is just as long as forty-eight bytes are"},
     "dsi"},
    {"a long", {"a"}, "i"},
    {"a string, b string", {"a", "b"}, "ss"},
    {"a long, b long, c long, d double", {"a", "b", "c", "d"}, "iiid"},
};

/* What is drawn for a kind of value, and now and then for another. */
static const struct {
    char kind;
    const char *texts[20];
} texts[] = {
    {'s',
     {"\"word\"", "\"a longer text that has nothing to escape\"", "\"\"", "\"Gr\xc3\xbc\xc3\x9f\"", "\"a\\nb\"",
      "\"a,b:{}\"", "\"\\\"\"", "\"\xc3\"", "null", "\"x\x01\""}},
    {'i', {"7",          "-42",
           "0",          "00012",
           "2147483647", "2147483648",
           "-",          "99999999",
           "100000000",  "9007199254740993",
           "012345678",  "1234567890123456",
           "1.0",        "-0",
           "-1234567",   "-12345678",
           "-012",       "--1",
           "-1-2",       "5-1234567"}},
    {'d', {"52.365", "-0.5", "12345678.5", "123456.78901234", "1.5e3", ".5", "5.",   ".",
           "0.125",  "-0",   "00.5",       "\"NaN\"",         "17",    "0",  "-0.0", "-00.5",
           "-5.",    "-.5",  "-1234.25",   "-12345.25"}},
    {'f', {"1.5", "16777216.5", "0.25", "16777217", "1e40", "\"Infinity\""}},
    {'b', {"true", "false", "null", "tru", "truee", "1"}},
    {'x', {"\"AAAA\"", "\"\"", "\"AA\"", "\"!\""}},
    {'t', {"\"2026-01-31T10:00:00Z\"", "\"2026-01-31T10:00:00.123456+02:00\"", "\"today\"", "1"}},
    {'e',
     {"1500", "1760000000000", "0", "00", "-1", "1.5", "9223372036854775807", "12345678", "123456789",
      "1234567890123456", "12345678901234567", "1760000000", "null", "253402300799999"}},
};

static size_t draw(uint64_t *state, size_t count)
{
    return (size_t)(hr_random_splitmix(state) % count);
}

static size_t append(char *out, const char *text)
{
    memcpy(out, text, strlen(text));
    return strlen(text);
}

static size_t append_value(char kind, uint64_t *state, char *out)
{
    size_t list = draw(state, HR_ARRAY_LEN(texts));
    for (size_t i = 0; i < HR_ARRAY_LEN(texts) && draw(state, 200) != 0; i++) {
        list = texts[i].kind == kind ? i : list;
    }
    if (strchr("idf", kind) != NULL && draw(state, 8) != 0) {
        uint64_t bits = hr_random_splitmix(state) >> (kind == 'i' ? 33 + draw(state, 30) : 40 + draw(state, 24));
        return (size_t)(kind == 'i' ? snprintf(out, 32, "%llu", (unsigned long long)bits)
                                    : snprintf(out, 48, "%.*f", (int)draw(state, 5), (double)bits / 1e3));
    }
    size_t choices = 0;
    while (choices < HR_ARRAY_LEN(texts[0].texts) && texts[list].texts[choices] != NULL) {
        choices++;
    }
    /* The first texts are the usual ones. */
    size_t choice = draw(state, choices);
    return append(out, texts[list].texts[draw(state, 6) == 0 ? choice : draw(state, choice + 1) / 4]);
}

static size_t make_record(const struct source *source, uint64_t *state, char *out)
{
    static const char bytes[] = ",:\"\\{}[]\n \0\x80\xc3\xef"
                                "0.-+eN";
    size_t members = strlen(source->kinds);
    size_t swapped = draw(state, 20) == 0 ? draw(state, members) : 0;
    size_t left_out = draw(state, 20) == 0 ? draw(state, members) : members;
    const char *blank = draw(state, 30) == 0 ? " " : "";
    size_t length = append(out, "{");
    for (size_t k = 0; k < members; k++) {
        size_t i = (k + swapped) % members;
        if (i == left_out) {
            continue;
        }
        length += append(out + length, length > 1 ? ",\"" : "\"");
        length += append(out + length, source->names[draw(state, 300) == 0 ? 0 : i]);
        length += append(out + length, "\":");
        length += append(out + length, blank);
        length += append_value(source->kinds[i], state, out + length);
    }
    length += append(out + length, "}");
    for (size_t damage = draw(state, 8) == 0 ? draw(state, 4) : 0; damage > 0; damage--) {
        out[draw(state, length)] = bytes[draw(state, sizeof(bytes) - 1)];
    }
    return draw(state, 40) == 0 ? draw(state, length + 1) : length;
}

/* Rows and rejects of one round's records, with none but the given kernel. */
static void decode(struct rows *rows, char (*records)[RECORD_MAX], const size_t *lengths, enum hr_simd kernel)
{
    hr_simd_limit(kernel);
    for (size_t i = 0; i < RECORDS; i++) {
        rows_add(rows, (struct hr_str){records[i], lengths[i]})->line = i == 7 ? 1 : 2;
        rows->records[i].flags = i == 300 ? HR_RECORD_HEADER : 0;
    }
    rows_decode(rows);
    hr_simd_limit(HR_SIMD_AVX512);
}

static void compare(const struct source *source, enum hr_simd kernel)
{
    static char records[RECORDS][RECORD_MAX];
    size_t lengths[RECORDS];
    struct rows general;
    struct rows shaped;
    rows_open(&general, source->schema, "type: json");
    rows_open(&shaped, source->schema, "type: json");
    uint64_t state = 1;
    size_t rows = 0;
    size_t rejects = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < RECORDS; i++) {
            lengths[i] = make_record(source, &state, records[i]);
        }
        decode(&general, records, lengths, HR_SIMD_NONE);
        decode(&shaped, records, lengths, kernel);
        TEST_TEXT_EQUAL(hr_buf_text(&shaped.out), hr_buf_text(&general.out));
        rows += shaped.chunk.rows;
        rejects += shaped.rejects.count;
    }
    CU_ASSERT(rows > ROUNDS * RECORDS / 8);
    CU_ASSERT(rejects > ROUNDS);
    rows_close(&general);
    rows_close(&shaped);
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

/* Learned from one record, compared with others. */
static void test_index(void)
{
    static const char *const texts_of_records[] = {
        "{\"name\":\"xyz\",\"n\":123,\"other\":\"\"}",
        "{\"name\":\"\",\"n\":1,\"other\":\"a longer one\"}",
        "{\"name\":\"\",\"n\":,\"other\":\"bare values are not looked at\"}",
        "{\"nome\":\"xyz\",\"n\":123,\"other\":\"\"}",
        "{\"name\":\"xyz\",\"m\":123,\"other\":\"\"}",
        "{\"name\":\"xyz\";\"n\":123,\"other\":\"\"}",
        "{\"name\":\"xyz\",\"n\":\"123\",\"other\":\"\"}",
        "{\"name\":\"xyz\",\"n\":123,\"other\":\"\" }",
        " {\"name\":\"xyz\",\"n\":123,\"other\":\"\"}",
        "{\"name\":\"x\\z\",\"n\":123,\"other\":\"\"}",
        "{\"name\":\"x\tz\",\"n\":123,\"other\":\"\"}",
        "{\"name\":\"x\xc3\xbcz\",\"n\":123,\"other\":\"\"}",
        "{\"name\":\"x\xc3z\",\"n\":123,\"other\":\"\"}",
        "{\"n\":123,\"name\":\"xyz\",\"other\":\"\"}",
        "{\"name\":\"xyz\",\"n\":123}",
        "\"\"\"\"\"\"\"\"\"\"}",
        "{\"name\":\"\",\"n\"\"other\":\"\"}",
        "{\"name\":\"0123456789012345678901234567890123456789012345678901234567\",\"n\":1,\"other\":\"\"}",
    };
    static const uint8_t odd[] = {0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0};
    enum { COUNT = HR_ARRAY_LEN(texts_of_records) };
    struct rows rows;
    struct hr_record records[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        records[i] = (struct hr_record){.value = hr_str_from(texts_of_records[i])};
    }
    rows_open(&rows, "name string, n int, other string", "type: json");
    struct hr_json_plan plan;
    hr_json_plan_compile(&plan, &rows.schema, &rows.arena);
    struct hr_json_shape *shape = hr_json_shape_new(&plan, &rows.arena);
    CU_ASSERT_FATAL(shape != NULL);
    struct hr_json_index *index = hr_json_index_new(shape, 1000, &rows.arena);
    CU_ASSERT(!hr_json_shape_learn(shape, &plan, records[14].value, &rows.arena));
    CU_ASSERT(!hr_json_shape_learn(shape, &plan, records[7].value, &rows.arena));
    CU_ASSERT(hr_json_shape_learn(shape, &plan, records[0].value, &rows.arena));
    CU_ASSERT(shape->value_count == 3 && shape->quote_count == 10 && shape->window_count == 3);
    if (hr_simd_best() == HR_SIMD_AVX512) {
        CU_ASSERT_EQUAL(hr_json_index_records(index, shape, records, COUNT, COUNT), 13);
        for (size_t i = 0; i < COUNT; i++) {
            CU_ASSERT_EQUAL(index->odd[i], odd[i]);
        }
        CU_ASSERT(index->starts[shape->values[0].place] == 9 && index->starts[shape->values[1].place] == 17);
    }
    rows_close(&rows);
}

/* So many members that a block has few records. */
static void test_wide(void)
{
    enum { MEMBERS = 300, WIDE_RECORDS = 100 };
    struct hr_buf schema;
    struct hr_buf records[WIDE_RECORDS];
    struct rows general;
    struct rows shaped;
    uint64_t state = 1;
    hr_buf_init(&schema, 1 << 20);
    for (int k = 0; k < MEMBERS; k++) {
        hr_buf_printf(&schema, "%sm%d %s", k > 0 ? ", " : "", k,
                      k % 3 == 0   ? "string"
                      : k % 3 == 1 ? "long"
                                   : "double");
    }
    for (int i = 0; i < WIDE_RECORDS; i++) {
        hr_buf_init(&records[i], 1 << 20);
        for (int k = 0; k < MEMBERS; k++) {
            hr_buf_printf(&records[i], "%s\"m%d\":", k > 0 ? "," : "{", k == 200 && i % 11 == 5 ? 8 : k);
            hr_buf_printf(&records[i], k % 3 == 0 ? "\"%zu\"" : k % 3 == 1 ? "%zu" : "%zu.5", draw(&state, 100000));
        }
        hr_buf_append_char(&records[i], '}');
    }
    rows_open(&general, hr_buf_text(&schema), "type: json");
    rows_open(&shaped, hr_buf_text(&schema), "type: json");
    for (enum hr_simd simd = HR_SIMD_NONE; simd <= HR_SIMD_AVX512; simd += HR_SIMD_AVX512) {
        struct rows *rows = simd == HR_SIMD_NONE ? &general : &shaped;
        hr_simd_limit(simd);
        for (int i = 0; i < WIDE_RECORDS; i++) {
            rows_add(rows, hr_buf_str(&records[i]));
        }
        rows_decode(rows);
    }
    CU_ASSERT_EQUAL(shaped.chunk.rows, WIDE_RECORDS);
    TEST_TEXT_EQUAL(hr_buf_text(&shaped.out), hr_buf_text(&general.out));
    rows_close(&general);
    rows_close(&shaped);
    for (int i = 0; i < WIDE_RECORDS; i++) {
        hr_buf_release(&records[i]);
    }
    hr_buf_release(&schema);
}

TEST_MAIN("json_shape", {"index", test_index}, {"kernels", test_kernels}, {"wide", test_wide})
