/* Numbers as text, JSON output, wire documents, paged memory, units, UTC text, hashes: bytes that must be exact. */
#include "test.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/murmur3.h"
#include "base/number.h"
#include "base/paged.h"
#include "base/random.h"
#include "base/units.h"
#include "base/wire.h"

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* A million random bit patterns: what is written reads back to the same bits, by us and by strtod. */
static void test_double_round_trip(void)
{
    uint64_t state = 1;
    size_t wrong = 0;
    for (int i = 0; i < 1000000; i++) {
        uint64_t bits = hr_random_splitmix(&state);
        double value = double_of(bits);
        if (!isfinite(value)) {
            continue;
        }
        char text[HR_NUMBER_TEXT_MAX + 1];
        size_t length = hr_number_format_double(value, text);
        text[length] = '\0';
        double read = 0;
        double expected = strtod(text, NULL);
        wrong += !hr_number_parse_double(text, length, &read) || memcmp(&read, &value, sizeof(read)) != 0 ||
                 memcmp(&expected, &value, sizeof(read)) != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* The digits of printf with the fewest places that read back: the nearest of the shortest texts. */
static void nearest_shortest(double value, char text[64])
{
    for (int places = 0; places < 24; places++) {
        (void)snprintf(text, 64, "%.*f", places, value);
        if (strtod(text, NULL) == value) {
            return;
        }
    }
}

/* Numbers with nearly all their digits, as probabilities have them; both signs, and next to powers of two and of ten.
 */
static void test_double_shortest(void)
{
    uint64_t state = 2;
    size_t wrong = 0;
    for (int i = 0; i < 200000; i++) {
        uint64_t draw = hr_random_splitmix(&state);
        double value = (double)(draw >> 11) * 0x1p-53 + 0.001;
        value = i % 4 == 1 ? ldexp(value, (int)(draw % 24)) : i % 4 == 2 ? 1 / (1 + (double)(draw % 100000)) : value;
        value = i % 4 == 3 ? nextafter(ldexp(1, (int)(draw % 33) - 9), (double)(draw & 1) * 1e9) : value;
        if (value < 0.001 || value >= 8388608) {
            continue;
        }
        char text[HR_NUMBER_TEXT_MAX + 1];
        char expected[64];
        value = draw & 1024 ? -value : value;
        text[hr_number_format_double(value, text)] = '\0';
        nearest_shortest(value, expected);
        wrong += strcmp(text, expected) != 0 && strchr(text, 'e') == NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* The shorter of the two forms of <charconv>, the plain one when they are equally long. */
static void test_double_text(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {10000, "10000"},
        {100000, "1e+05"},
        {120000, "120000"},
        {1200000, "1200000"},
        {12000000, "1.2e+07"},
        {0.1, "0.1"},
        {-12.345, "-12.345"},
        {105.33, "105.33"},
        {0.001, "0.001"},
        {0.0012, "0.0012"},
        {0.0001, "1e-04"},
        {0.00012, "0.00012"},
        {8388607.12345678, "8388607.12345678"},
        {8388608.12345678, "8388608.12345678"},
        {0.00100001, "0.00100001"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.00000001, "1.00000001"},
        {1.000000001, "1.000000001"},
        {4294967296.5, "4294967296.5"},
        {1e23, "1e+23"},
        {5e-324, "5e-324"},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        char text[HR_NUMBER_TEXT_MAX + 1];
        text[hr_number_format_double(cases[i].value, text)] = '\0';
        TEST_TEXT_EQUAL(text, cases[i].text);
    }
    for (int64_t value = 1; value < 1000000000000; value = value * 7 + 3) {
        for (int sign = -1; sign <= 1; sign += 2) {
            char text[HR_NUMBER_TEXT_MAX + 1];
            char expected[32];
            text[hr_number_format_int64(sign * value, text)] = '\0';
            (void)snprintf(expected, sizeof(expected), "%lld", (long long)(sign * value));
            TEST_TEXT_EQUAL(text, expected);
        }
    }
}

static void test_double_edges(void)
{
    static const char *const texts[] = {
        "1e400",
        "-1e400",
        "1e-400",
        "4.9e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "0.1e1",
        "123456789012345678901234567890",
        "9007199254740993",
        "1e-5",
        "-0.0",
        "5e-324",
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        double read = 0;
        double expected = strtod(texts[i], NULL);
        CU_ASSERT_TRUE(hr_number_parse_double(texts[i], strlen(texts[i]), &read));
        CU_ASSERT_EQUAL(memcmp(&read, &expected, sizeof(read)), 0);
    }
    static const char *const refused[] = {"", " 1", "1 ", "+1", "inf", "nan", "0x10", "1e", "--1", "1.2.3"};
    for (size_t i = 0; i < HR_ARRAY_LEN(refused); i++) {
        double read = 0;
        CU_ASSERT_FALSE(hr_number_parse_double(refused[i], strlen(refused[i]), &read));
    }
}

static void test_java_text(void)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {1, "1.0"},           {0.1, "0.1"},         {100, "100.0"}, {1e7, "1.0E7"},       {9999999, "9999999.0"},
        {0.001, "0.001"},     {9.99e-4, "9.99E-4"}, {-0.0, "-0.0"}, {1.5e300, "1.5E300"}, {123456.789, "123456.789"},
        {5e-324, "4.9E-324"},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(rows); i++) {
        char text[HR_NUMBER_TEXT_MAX + 1];
        text[hr_number_format_java(rows[i].value, text)] = '\0';
        TEST_TEXT_EQUAL(text, rows[i].text);
    }
}

static void test_integers(void)
{
    int64_t value = 0;
    CU_ASSERT_TRUE(hr_number_parse_int64("-9223372036854775808", 20, &value));
    CU_ASSERT_EQUAL(value, INT64_MIN);
    CU_ASSERT_FALSE(hr_number_parse_int64("9223372036854775808", 19, &value));
    CU_ASSERT_FALSE(hr_number_parse_int64("1.0", 3, &value));
    CU_ASSERT_FALSE(hr_number_parse_int64("", 0, &value));
    char text[HR_NUMBER_TEXT_MAX + 1];
    text[hr_number_format_int64(INT64_MIN, text)] = '\0';
    TEST_TEXT_EQUAL(text, "-9223372036854775808");
}

static void test_json(void)
{
    struct hr_buf buf;
    struct hr_json json;
    hr_buf_init(&buf, 4096);
    hr_json_init(&json, &buf);
    hr_json_object_begin(&json);
    hr_json_key(&json, "a\"b");
    hr_json_array_begin(&json);
    hr_json_int(&json, -3);
    hr_json_double(&json, (double)NAN);
    hr_json_double(&json, -(double)INFINITY);
    hr_json_double(&json, 0.1);
    hr_json_null(&json);
    hr_json_bool(&json, true);
    hr_json_str(&json, HR_STR("\x01\n\xc3\xbc\xff\\"));
    hr_json_array_end(&json);
    hr_json_key(&json, "o");
    hr_json_object_begin(&json);
    hr_json_object_end(&json);
    hr_json_object_end(&json);
    TEST_TEXT_EQUAL(hr_buf_text(&buf), "{\"a\\\"b\":[-3,\"NaN\",\"-Infinity\",0.1,null,true,"
                                       "\"\\u0001\\n\xc3\xbc\xef\xbf\xbd\\\\\"],\"o\":{}}");
    hr_buf_release(&buf);
}

/* RFC 3720, appendix B.4. */
static void test_crc32c(void)
{
    uint8_t bytes[32] = {0};
    CU_ASSERT_EQUAL(hr_crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, 32);
    CU_ASSERT_EQUAL(hr_crc32c(0, bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
    }
    CU_ASSERT_EQUAL(hr_crc32c(0, bytes, 32), 0x46dd794eu);
    CU_ASSERT_EQUAL(hr_crc32c(hr_crc32c(0, bytes, 7), bytes + 7, 25), 0x46dd794eu);
}

static void test_wire(void)
{
    struct hr_buf buf;
    struct hr_wire_writer writer;
    struct hr_wire_reader reader;
    struct hr_error err;
    hr_buf_init(&buf, 4096);
    hr_wire_begin(&writer, &buf, "TEST", 3);
    hr_wire_put_u8(&writer, 200);
    hr_wire_put_u32(&writer, 0xdeadbeef);
    hr_wire_put_i64(&writer, -5);
    hr_wire_put_double(&writer, -0.0);
    hr_wire_put_str(&writer, HR_STR("text"));
    hr_wire_end(&writer);
    CU_ASSERT_EQUAL_FATAL(hr_wire_open(&reader, buf.data, buf.length, "TEST", 3, "a test", &err), HR_OK);
    CU_ASSERT_EQUAL(hr_wire_get_u8(&reader), 200);
    CU_ASSERT_EQUAL(hr_wire_get_u32(&reader), 0xdeadbeef);
    CU_ASSERT_EQUAL(hr_wire_get_i64(&reader), -5);
    CU_ASSERT_TRUE(signbit(hr_wire_get_double(&reader)));
    CU_ASSERT_TRUE(hr_str_equal_text(hr_wire_get_str(&reader), "text"));
    CU_ASSERT_EQUAL(hr_wire_done(&reader, "a test", &err), HR_OK);
    CU_ASSERT_EQUAL(hr_wire_get_u64(&reader), 0);
    CU_ASSERT_NOT_EQUAL(hr_wire_done(&reader, "a test", &err), HR_OK);
    CU_ASSERT_NOT_EQUAL(hr_wire_open(&reader, buf.data, buf.length, "TEST", 2, "a test", &err), HR_OK);
    CU_ASSERT_NOT_EQUAL(hr_wire_open(&reader, buf.data, buf.length, "OTHR", 3, "a test", &err), HR_OK);
    for (size_t length = 0; length < buf.length; length++) {
        CU_ASSERT_NOT_EQUAL(hr_wire_open(&reader, buf.data, length, "TEST", 3, "a test", &err), HR_OK);
    }
    hr_buf_release(&buf);
}

static void test_paged(void)
{
    struct hr_paged paged;
    struct hr_error err;
    hr_paged_init(&paged, 1 << 20);
    CU_ASSERT_FALSE(hr_paged_all_dirty(&paged));
    CU_ASSERT_EQUAL(hr_paged_resize(&paged, 10000, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_paged_page_count(&paged), 3);
    CU_ASSERT_TRUE(hr_paged_all_dirty(&paged));
    hr_paged_clear_dirty(&paged);
    hr_paged_mark_range(&paged, 4095, 2);
    CU_ASSERT_TRUE(paged.dirty[0] && paged.dirty[1] && !paged.dirty[2]);
    CU_ASSERT_FALSE(hr_paged_all_dirty(&paged));
    hr_paged_mark(&paged, 9999);
    CU_ASSERT_TRUE(hr_paged_all_dirty(&paged));
    paged.data[9999] = 7;
    CU_ASSERT_EQUAL(hr_paged_resize(&paged, 500000, &err), HR_OK);
    CU_ASSERT_EQUAL(paged.data[9999], 7);
    CU_ASSERT_EQUAL(paged.data[499999], 0);
    CU_ASSERT_EQUAL(hr_paged_resize(&paged, 100, &err), HR_OK);
    CU_ASSERT_EQUAL(paged.size, 500000);
    CU_ASSERT_NOT_EQUAL(hr_paged_resize(&paged, (1 << 20) + 1, &err), HR_OK);
    hr_paged_release(&paged);
}

static void test_units(void)
{
    int64_t value = 0;
    CU_ASSERT_TRUE(hr_units_parse_duration("500ms", &value) && value == 500000);
    CU_ASSERT_TRUE(hr_units_parse_duration("7d", &value) && value == 604800000000);
    CU_ASSERT_TRUE(hr_units_parse_duration("0", &value) && value == 0);
    CU_ASSERT_TRUE(hr_units_parse_duration("1.5s", &value) && value == 1500000);
    CU_ASSERT_FALSE(hr_units_parse_duration("10", &value));
    CU_ASSERT_FALSE(hr_units_parse_duration("-1s", &value));
    CU_ASSERT_FALSE(hr_units_parse_duration("1 fortnight", &value));
    CU_ASSERT_FALSE(hr_units_parse_duration("99999999999999d", &value));
    CU_ASSERT_TRUE(hr_units_parse_bytes("64KiB", &value) && value == 65536);
    CU_ASSERT_TRUE(hr_units_parse_bytes("1GB", &value) && value == 1000000000);
    CU_ASSERT_FALSE(hr_units_parse_bytes("64 pounds", &value));
}

static void test_utc(void)
{
    char text[40];
    hr_clock_format_utc(0, text);
    TEST_TEXT_EQUAL(text, "1970-01-01T00:00:00Z");
    hr_clock_format_utc(-1, text);
    TEST_TEXT_EQUAL(text, "1969-12-31T23:59:59.999999Z");
    hr_clock_format_utc(951827696500000, text);
    TEST_TEXT_EQUAL(text, "2000-02-29T12:34:56.5Z");
    hr_clock_format_utc_ms(1760000000123456, text);
    TEST_TEXT_EQUAL(text, "2025-10-09T08:53:20.123Z");
}

/* PySpark's doctest: HashingTF with 10 features puts "b" at 5; the numbers of hashInt and hashLong were computed by
 * Spark's Murmur3_x86_32 rules by hand: one block is a 4-byte text's hash. */
static void test_murmur3(void)
{
    CU_ASSERT_EQUAL(hr_murmur3_bucket(hr_murmur3_bytes("b", 1, HR_MURMUR3_SPARK_SEED), 10), 5);
    CU_ASSERT_EQUAL(hr_murmur3_bucket(hr_murmur3_bytes("a", 1, HR_MURMUR3_SPARK_SEED), 262144), 107107);
    int32_t word;
    memcpy(&word, "abcd", 4);
    CU_ASSERT_EQUAL(hr_murmur3_int(word, 42), hr_murmur3_bytes("abcd", 4, 42));
    int64_t two;
    memcpy(&two, "abcdefgh", 8);
    CU_ASSERT_EQUAL(hr_murmur3_long(two, 42), hr_murmur3_bytes("abcdefgh", 8, 42));
    /* A text in two parts, wherever it is cut. */
    const char *text = "user_id=user-0018599, and a bit";
    for (size_t length = 0; length <= strlen(text); length++) {
        for (size_t cut = 0; cut <= length; cut++) {
            struct hr_murmur3_beginning beginning = hr_murmur3_begin(text, cut, HR_MURMUR3_SPARK_SEED);
            CU_ASSERT_EQUAL(hr_murmur3_end(&beginning, text + cut, length - cut),
                            hr_murmur3_bytes(text, length, HR_MURMUR3_SPARK_SEED));
        }
    }
    for (int32_t hash = -40; hash < 40; hash++) {
        CU_ASSERT_EQUAL(hr_murmur3_bucket(hash, 16), (hash % 16 + 16) % 16);
        CU_ASSERT_EQUAL(hr_murmur3_bucket(hash, 1), 0);
    }
}

TEST_MAIN("bytes", {"double round trip", test_double_round_trip}, {"text of doubles and integers", test_double_text},
          {"doubles with all their digits", test_double_shortest}, {"double edges", test_double_edges},
          {"java text", test_java_text}, {"integers", test_integers}, {"json", test_json}, {"crc32c", test_crc32c},
          {"wire", test_wire}, {"paged", test_paged}, {"units", test_units}, {"utc", test_utc},
          {"murmur3", test_murmur3})
