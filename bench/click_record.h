/* SPDX-License-Identifier: Apache-2.0
 *
 * The click record that all benchmarks share: about 196 bytes of JSON, ten fields in a fixed order, record i a pure
 * function of (seed, i). A logistic model with effects of page, country, device, clicks, dwell and price decides the
 * label, so that there is something to learn; user_id has no effect.
 *
 *     session_id  uuid shape              user_id  user-%07u, 1 M users, P(rank) ~ 1/rank
 *     page        /product/%03u, 200, zipf  country  c%02u, 40, zipf
 *     ts          1760000000000 + 3 i      device   0–3
 *     clicks      0–99, zipf               dwell    exponential, mean 40, three places, at most 999
 *     price       5–205, two places        label    P(1) = sigmoid(−.6 + effects + .02 clicks + .012 dwell − .006
 * price)
 */
#ifndef HR_BENCH_CLICK_RECORD_H
#define HR_BENCH_CLICK_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define CLICK_RECORD_MAX 256

/* Writes record `index` without a newline; returns its length. out has CLICK_RECORD_MAX bytes. */
size_t click_record_write(uint64_t seed, uint64_t index, char *out);

#endif
