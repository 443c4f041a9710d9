/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C (polynomial 0x1edc6f41, reflected 0x82f63b78; RFC 3720 appendix B.4): one instruction for eight bytes where
 * the processor has SSE 4.2, found out at run time, else eight tables of 256 words.
 */
#include <pthread.h>
#include <string.h>

#include "base/wire.h"

#define CRC32C_REFLECTED 0x82f63b78u

static uint32_t crc_tables[8][256];
static pthread_once_t crc_tables_once = PTHREAD_ONCE_INIT;

static void crc_tables_make(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t rest = byte;
        for (int bit = 0; bit < 8; bit++) {
            rest = rest >> 1 ^ (rest & 1 ? CRC32C_REFLECTED : 0);
        }
        crc_tables[0][byte] = rest;
    }
    for (int table = 1; table < 8; table++) {
        for (int byte = 0; byte < 256; byte++) {
            uint32_t before = crc_tables[table - 1][byte];
            crc_tables[table][byte] = before >> 8 ^ crc_tables[0][before & 0xff];
        }
    }
}

uint32_t hr_crc32c_portable(uint32_t seed, const void *data, size_t length)
{
    (void)pthread_once(&crc_tables_once, crc_tables_make);
    const uint8_t *bytes = data;
    uint32_t sum = ~seed;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        word ^= sum;
        sum = 0;
        for (int i = 0; i < 8; i++) {
            sum ^= crc_tables[7 - i][word >> (8 * i) & 0xff];
        }
    }
    for (; length > 0; bytes++, length--) {
        sum = sum >> 8 ^ crc_tables[0][(sum ^ *bytes) & 0xff];
    }
    return ~sum;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t seed, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint64_t sum = ~seed;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        sum = __builtin_ia32_crc32di(sum, word);
    }
    for (; length > 0; bytes++, length--) {
        sum = __builtin_ia32_crc32qi((uint32_t)sum, *bytes);
    }
    return ~(uint32_t)sum;
}
#endif

uint32_t hr_crc32c(uint32_t seed, const void *data, size_t length)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_sse42(seed, data, length);
    }
#endif
    return hr_crc32c_portable(seed, data, length);
}
