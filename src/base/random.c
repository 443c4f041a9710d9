/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bytes from the kernel, and ids made of them.
 */
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/base.h"

static void system_fill(void *context, void *out, size_t length)
{
    (void)context;
    unsigned char *next = out;
    while (length > 0) {
        ssize_t got = getrandom(next, length, 0);
        HR_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            next += got;
            length -= (size_t)got;
        }
    }
}

const struct hr_random hr_random_system = {.fill = system_fill};

void hr_random_uuid(const struct hr_random *random, char out[37])
{
    unsigned char bytes[16];
    random->fill(random->context, bytes, sizeof(bytes));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
    size_t length = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[length++] = '-';
        }
        length += (size_t)snprintf(out + length, 37 - length, "%02x", bytes[i]);
    }
}
