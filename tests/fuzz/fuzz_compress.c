/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a file that may be gzip or zstd, damaged or not. Read twice, the second time in two parts with a seek
 * between them: the same bytes, or the same refusal.
 */
#include <string.h>
#include <unistd.h>

#include "data/compress.h"
#include "fuzz.h"

enum { PLAIN_MAX = 1 << 20 };

/* Reads on to the end or to PLAIN_MAX bytes. False: damaged. */
static bool read_on(struct hr_reader *reader, char *out, size_t *length)
{
    size_t got = 1;
    while (got > 0 && *length < PLAIN_MAX) {
        struct hr_error err;
        size_t room = PLAIN_MAX - *length;
        if (hr_reader_read(reader, out + *length, room < 1000 ? room : 1000, &got, &err) != HR_OK) {
            return false;
        }
        *length += got;
    }
    return true;
}

static char links[2][64];

static void remove_links(void)
{
    (void)unlink(links[0]);
    (void)unlink(links[1]);
}

/* The reader looks at the ending. */
static void make_links(const char *path)
{
    static const char *const endings[] = {"gz", "zst"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(links[i], sizeof(links[i]), "/tmp/fuzz_compress-%d.%s", (int)getpid(), endings[i]);
        (void)unlink(links[i]);
        FUZZ_CHECK(symlink(path, links[i]) == 0);
    }
    (void)atexit(remove_links);
}

static void read_twice(const char *path)
{
    static char first[PLAIN_MAX];
    static char second[PLAIN_MAX];
    struct hr_reader *reader = NULL;
    struct hr_error err;
    size_t length = 0;
    if (hr_reader_open(path, &reader, &err) != HR_OK) {
        return;
    }
    bool whole = read_on(reader, first, &length);
    size_t middle = length / 2;
    size_t again = middle;
    memcpy(second, first, middle);
    if (hr_reader_seek(reader, (int64_t)middle, &err) == HR_OK) {
        FUZZ_CHECK(read_on(reader, second, &again) == whole || length == PLAIN_MAX);
        size_t common = again < length ? again : length;
        FUZZ_CHECK((!whole || again == length) && memcmp(first, second, common) == 0);
    } else {
        FUZZ_CHECK(!whole);
    }
    hr_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    if (links[0][0] == '\0') {
        make_links(path);
    }
    read_twice(links[0]);
    read_twice(links[1]);
    return 0;
}
