/* SPDX-License-Identifier: Apache-2.0
 *
 * Text gates: decoding JSON against a search for newlines in the same bytes, encoding it against copying its result.
 */
#include <string.h>

#include "click_path.h"
#include "data/simd.h"
#include "gates.h"

#define RECORDS 50000

static struct click_path path;
static char *copy;

/* As on a processor without AVX-512: every record is walked. */
static void decode_open(void)
{
    hr_simd_limit(HR_SIMD_AVX2);
    click_path_open(&path, RECORDS, false);
}

static bool columns_can(void)
{
    return hr_simd_best() == HR_SIMD_AVX512;
}

static void columns_open(void)
{
    click_path_open(&path, RECORDS, false);
}

static void decode_work(void)
{
    for (size_t first = 0; first < path.count; first += HR_CHUNK_ROWS) {
        click_path_decode(&path, first);
    }
}

static void decode_reference(void)
{
    uint64_t lines = 0;
    const char *end = path.text + path.text_length;
    for (const char *p = path.text; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) {
        lines++;
    }
    gate_keep(lines);
}

static void path_close(void)
{
    click_path_close(&path);
    hr_simd_limit(HR_SIMD_AVX512);
}

const struct gate gate_decode = {
    .name = "JSON decode / memchr over the same bytes",
    .bound = 16.0,
    .item = "row",
    .items = RECORDS,
    .open = decode_open,
    .work = decode_work,
    .reference = decode_reference,
    .close = path_close,
};

const struct gate gate_decode_columns = {
    .name = "JSON decode by column / memchr over the same bytes",
    .bound = 8.0,
    .item = "row",
    .items = RECORDS,
    .can = columns_can,
    .open = columns_open,
    .work = decode_work,
    .reference = decode_reference,
    .close = path_close,
};

/* One chunk, again and again: in the engine too its output is in the cache when it is written. */
#define ENCODE_CHUNKS 25

static void encode_open(void)
{
    click_path_open(&path, HR_CHUNK_ROWS, true);
    click_path_decode(&path, 0);
    click_path_transform(&path);
    click_path_learn(&path);
    click_path_encode(&path);
    copy = hr_arena_alloc(&path.arena, path.out.length);
}

static void encode_work(void)
{
    for (int i = 0; i < ENCODE_CHUNKS; i++) {
        hr_buf_clear(&path.out);
        click_path_encode(&path);
    }
}

/* Row by row, as an encoder that had each row ready would. */
static void encode_reference(void)
{
    for (int i = 0; i < ENCODE_CHUNKS; i++) {
        const char *from = path.out.data;
        const char *end = from + path.out.length;
        for (char *to = copy; from < end;) {
            const char *next = (const char *)memchr(from, '\n', (size_t)(end - from)) + 1;
            memcpy(to, from, (size_t)(next - from));
            to += next - from;
            from = next;
        }
        gate_keep((uint64_t)(uintptr_t)copy);
    }
}

const struct gate gate_encode = {
    .name = "JSON encode / memchr and memcpy of its lines",
    .bound = 22.0,
    .item = "row",
    .items = ENCODE_CHUNKS * HR_CHUNK_ROWS,
    .open = encode_open,
    .work = encode_work,
    .reference = encode_reference,
    .close = path_close,
};
