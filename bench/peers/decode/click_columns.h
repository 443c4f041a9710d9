/* SPDX-License-Identifier: Apache-2.0
 *
 * What a peer's decoder is, for bench/bench_decode.c: a shared library with one function, peer_decode.
 */
#ifndef HR_BENCH_CLICK_COLUMNS_H
#define HR_BENCH_CLICK_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct click_text {
    const char *data;
    size_t length;
};

/* The ten columns of click records, a chunk's worth each. Texts live until the next call, or in the records. */
struct click_columns {
    struct click_text *session_id;
    struct click_text *user_id;
    struct click_text *page;
    struct click_text *country;
    int64_t *ts;
    int64_t *device;
    int64_t *clicks;
    double *dwell;
    double *price;
    int64_t *label;
};

/* Decodes the lines of text, which has at least 64 readable bytes behind its end. Returns how many became rows. */
typedef size_t peer_decode_fn(const char *text, size_t length, size_t records, struct click_columns *columns);
size_t peer_decode(const char *text, size_t length, size_t records, struct click_columns *columns);

#ifdef __cplusplus
}
#endif

#endif
