/* SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded by recovery.py: writes when each rd_kafka_init_transactions began and ended, in seconds since 1970, to
 * standard error.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void *rd_kafka_init_transactions(void *client, int timeout_ms);

void *rd_kafka_init_transactions(void *client, int timeout_ms)
{
    void *(*real)(void *, int) = (void *(*)(void *, int))dlsym(RTLD_NEXT, "rd_kafka_init_transactions");
    double begin = now();
    void *error = real(client, timeout_ms);
    fprintf(stderr, "init_transactions %.6f %.6f\n", begin, now());
    return error;
}
