/* SPDX-License-Identifier: Apache-2.0
 *
 * Name, addresses, connect with a time limit: see source_socket_connection.h.
 */
#include "stream/source_socket_connection.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 3000

static int connect_address(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    int failure = 0;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        failure = errno;
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        socklen_t length = sizeof(failure);
        if (failure == EINPROGRESS && poll(&wait, 1, CONNECT_TIMEOUT_MS) == 0) {
            failure = ETIMEDOUT;
        } else if (failure == EINPROGRESS) {
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &length);
        }
    }
    if (failure != 0) {
        close(fd);
        errno = failure;
        return -1;
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    return fd;
}

int hr_connection_open(const char *host, int64_t port, const char **out_reason)
{
    char service[16];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    snprintf(service, sizeof(service), "%" PRId64, port);
    int result = getaddrinfo(host, service, &hints, &addresses);
    if (result != 0) {
        *out_reason = gai_strerror(result);
        return -1;
    }
    int fd = -1;
    errno = 0;
    for (const struct addrinfo *address = addresses; address != NULL && fd < 0; address = address->ai_next) {
        fd = connect_address(address);
    }
    int failure = errno;
    freeaddrinfo(addresses);
    if (fd < 0) {
        *out_reason = strerror(failure);
    }
    return fd;
}
