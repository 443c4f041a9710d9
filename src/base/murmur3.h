/* SPDX-License-Identifier: Apache-2.0
 *
 * MurmurHash3_x86_32 (Austin Appleby, public domain algorithm), with Spark's seed 42 and its hashInt and hashLong:
 * org.apache.spark.unsafe.hash.Murmur3_x86_32, hashUnsafeBytes2 (the standard tail, since Spark 3.0).
 */
#ifndef HR_BASE_MURMUR3_H
#define HR_BASE_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

#define HR_MURMUR3_SPARK_SEED 42u

int32_t hr_murmur3_bytes(const void *data, size_t length, uint32_t seed);
/* The hash of many texts with one beginning: hr_murmur3_end is hr_murmur3_bytes of the beginning and data together. */
struct hr_murmur3_beginning {
    uint32_t hash;        /* of its whole words */
    uint32_t rest;        /* bytes behind them */
    uint32_t rest_length; /* 0 … 3 */
    uint32_t length;
};
struct hr_murmur3_beginning hr_murmur3_begin(const void *data, size_t length, uint32_t seed);
int32_t hr_murmur3_end(const struct hr_murmur3_beginning *beginning, const void *data, size_t length);
int32_t hr_murmur3_int(int32_t value, uint32_t seed);
int32_t hr_murmur3_long(int64_t value, uint32_t seed);
/* Spark's Utils.nonNegativeMod. */
static inline int32_t hr_murmur3_bucket(int32_t hash, int32_t buckets)
{
    if ((buckets & (buckets - 1)) == 0) {
        return hash & (buckets - 1);
    }
    int32_t rest = hash % buckets;
    return rest < 0 ? rest + buckets : rest;
}

#endif
