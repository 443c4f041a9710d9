/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading through gzip and zstd, seeking, damage, and writing the same bytes again.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "data/compress.h"

enum { PLAIN_SIZE = 1000000 };

static char directory[] = "/tmp/headrace-compress-XXXXXX";
static char *plain;

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const char *data, size_t length)
{
    FILE *file = fopen(path_of(name), "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(data, 1, length, file), length);
    fclose(file);
}

/* Repetitive enough to compress, and no two parts alike. */
static void make_plain(void)
{
    plain = hr_alloc(PLAIN_SIZE + 32);
    size_t length = 0;
    for (unsigned i = 0; length < PLAIN_SIZE; i++) {
        length += (size_t)sprintf(plain + length, "line %u of many\n", i * 2654435761u);
    }
}

/* Reads all that is left in odd pieces; returns the length, -1 for an error. */
static long read_all(struct hr_reader *reader, char *out, struct hr_error *err)
{
    size_t total = 0;
    size_t count = 1;
    for (size_t piece = 1; count > 0; piece = piece * 3 % 70001 + 1) {
        size_t room = PLAIN_SIZE * 2 - total;
        if (hr_reader_read(reader, out + total, piece < room ? piece : room, &count, err) != HR_OK) {
            return -1;
        }
        total += count;
    }
    return (long)total;
}

static void compressed(enum hr_compression compression, struct hr_buf *out)
{
    struct hr_error err;
    hr_buf_init(out, 1 << 24);
    CU_ASSERT_EQUAL(hr_compress(compression, plain, PLAIN_SIZE, out, &err), HR_OK);
}

static void round_trip(enum hr_compression compression, const char *name)
{
    struct hr_buf first;
    struct hr_buf second;
    struct hr_error err = {0};
    struct hr_reader *reader = NULL;
    char *out = hr_alloc(PLAIN_SIZE * 2);
    compressed(compression, &first);
    compressed(compression, &second);
    CU_ASSERT_TRUE(hr_str_equal(hr_buf_str(&first), hr_buf_str(&second)));
    /* two members or frames are one file */
    hr_buf_append(&second, first.data, first.length);
    write_file(name, second.data, second.length);
    CU_ASSERT_EQUAL_FATAL(hr_reader_open(path_of(name), &reader, &err), HR_OK);
    CU_ASSERT_EQUAL(read_all(reader, out, &err), 2 * PLAIN_SIZE);
    CU_ASSERT_EQUAL(memcmp(out, plain, PLAIN_SIZE), 0);
    CU_ASSERT_EQUAL(memcmp(out + PLAIN_SIZE, plain, PLAIN_SIZE), 0);
    /* back, forward, across the border, to the end, past the end */
    size_t count = 0;
    static const int64_t places[] = {5, 400000, 999999, 1000001, 0, 1500000};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        CU_ASSERT_EQUAL(hr_reader_seek(reader, places[i], &err), HR_OK);
        CU_ASSERT_EQUAL(hr_reader_read(reader, out, 100, &count, &err), HR_OK);
        CU_ASSERT_EQUAL(count, 100);
        for (size_t k = 0; k < count; k++) {
            CU_ASSERT_EQUAL(out[k], plain[(size_t)(places[i] + (int64_t)k) % PLAIN_SIZE]);
        }
    }
    CU_ASSERT_EQUAL(hr_reader_seek(reader, 2 * PLAIN_SIZE, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_reader_read(reader, out, 100, &count, &err), HR_OK);
    CU_ASSERT_EQUAL(count, 0);
    if (compression != HR_COMPRESSION_NONE) {
        CU_ASSERT_EQUAL(hr_reader_seek(reader, 2 * PLAIN_SIZE + 1, &err), HR_BAD_DATA);
    }
    hr_reader_close(reader);
    hr_buf_release(&first);
    hr_buf_release(&second);
    hr_free(out);
}

static void test_plain(void)
{
    round_trip(HR_COMPRESSION_NONE, "plain.json");
}

static void test_gzip(void)
{
    round_trip(HR_COMPRESSION_GZIP, "many.json.gz");
}

static void test_zstd(void)
{
    round_trip(HR_COMPRESSION_ZSTD, "many.json.zst");
}

static long length_of(const char *name, const char *data, size_t length, struct hr_error *err)
{
    struct hr_reader *reader = NULL;
    char *out = hr_alloc(PLAIN_SIZE * 2);
    write_file(name, data, length);
    CU_ASSERT_EQUAL_FATAL(hr_reader_open(path_of(name), &reader, err), HR_OK);
    long read = read_all(reader, out, err);
    hr_reader_close(reader);
    hr_free(out);
    return read;
}

static void damage(enum hr_compression compression, const char *name)
{
    struct hr_buf data;
    struct hr_error err = {0};
    compressed(compression, &data);
    CU_ASSERT_EQUAL(length_of(name, data.data, data.length / 2, &err), -1);
    CU_ASSERT_EQUAL(err.status, HR_BAD_DATA);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, name));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "ends too early"));
    CU_ASSERT_EQUAL(length_of(name, data.data, data.length - 1, &err), -1);
    CU_ASSERT_EQUAL(length_of(name, "{\"a\":1}\n", 8, &err), -1);
    CU_ASSERT_EQUAL(length_of(name, "", 0, &err), 0);
    for (size_t at = data.length / 3; at < data.length; at += data.length / 7) {
        data.data[at] = (char)(data.data[at] ^ 0x10);
        CU_ASSERT_EQUAL(length_of(name, data.data, data.length, &err), -1);
        data.data[at] = (char)(data.data[at] ^ 0x10);
    }
    hr_buf_append(&data, "garbage", 7);
    CU_ASSERT_EQUAL(length_of(name, data.data, data.length, &err), -1);
    hr_buf_release(&data);
}

static void test_damage(void)
{
    damage(HR_COMPRESSION_GZIP, "bad.gz");
    damage(HR_COMPRESSION_ZSTD, "bad.zst");
    struct hr_buf data;
    struct hr_error err = {0};
    compressed(HR_COMPRESSION_GZIP, &data);
    hr_buf_append(&data, "\0\0\0\0\0\0\0\0", 8);
    CU_ASSERT_EQUAL(length_of("padded.gz", data.data, data.length, &err), PLAIN_SIZE);
    hr_buf_release(&data);
}

static void test_missing(void)
{
    struct hr_reader *reader = NULL;
    struct hr_error err = {0};
    CU_ASSERT_EQUAL(hr_reader_open(path_of("none.gz"), &reader, &err), HR_NO_INPUT);
    CU_ASSERT_PTR_NULL(reader);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "none.gz"));
    hr_reader_close(NULL);
}

static void test_limits(void)
{
    struct hr_buf small;
    struct hr_error err = {0};
    hr_buf_init(&small, 100);
    CU_ASSERT_EQUAL(hr_compress(HR_COMPRESSION_GZIP, plain, PLAIN_SIZE, &small, &err), HR_BAD_DATA);
    hr_buf_clear(&small);
    CU_ASSERT_EQUAL(hr_compress(HR_COMPRESSION_NONE, plain, PLAIN_SIZE, &small, &err), HR_BAD_DATA);
    hr_buf_release(&small);
    hr_buf_init(&small, 100);
    CU_ASSERT_EQUAL(hr_compress(HR_COMPRESSION_GZIP, NULL, 0, &small, &err), HR_OK);
    CU_ASSERT_EQUAL(small.length, 20);
    hr_buf_release(&small);
    CU_ASSERT_EQUAL(hr_compression_of("a/b.gz/c"), HR_COMPRESSION_NONE);
    CU_ASSERT_EQUAL(hr_compression_of("a.json.zst"), HR_COMPRESSION_ZSTD);
    CU_ASSERT_STRING_EQUAL(hr_compression_extension(HR_COMPRESSION_GZIP), ".gz");
}

/* Runs first and last. */
static void set_up(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    make_plain();
}

static void tear_down(void)
{
    static const char *const names[] = {"plain.json", "many.json.gz", "many.json.zst",
                                        "bad.gz",     "bad.zst",      "padded.gz"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlink(path_of(names[i]));
    }
    CU_ASSERT_EQUAL(rmdir(directory), 0);
    hr_free(plain);
}

TEST_MAIN("compress", {"set up", set_up}, {"plain", test_plain}, {"gzip", test_gzip}, {"zstd", test_zstd},
          {"damage", test_damage}, {"missing", test_missing}, {"limits", test_limits}, {"tear down", tear_down})
