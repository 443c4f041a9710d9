/* SPDX-License-Identifier: Apache-2.0
 *
 * A TCP connection to a host and port, whichever of its addresses answers first.
 */
#ifndef HR_STREAM_SOURCE_SOCKET_CONNECTION_H
#define HR_STREAM_SOURCE_SOCKET_CONNECTION_H

#include <stdint.h>

/* A descriptor that does not block; −1 with the reason in *out_reason, which is good until the next failure. Waits at
 * most three seconds an address. */
int hr_connection_open(const char *host, int64_t port, const char **out_reason);

#endif
