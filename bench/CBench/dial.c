/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of bench_calls.h: sockets made, dialled and closed with a clock around each call. */
#define _GNU_SOURCE
#include "bench_calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int bench_pin_to_cpu(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

int bench_take_precedence(void)
{
    struct sched_param priority = {.sched_priority = 1};

    return sched_setscheduler(0, SCHED_FIFO, &priority) ? -errno : 0;
}

uint64_t bench_netns_cookie(void)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof(cookie);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length))
        cookie = 0;
    close(fd);
    return cookie;
}

int bench_listen(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1024)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

uint32_t bench_parse_ipv4(const char *text)
{
    struct in_addr address;

    return inet_pton(AF_INET, text, &address) == 1 ? address.s_addr : 0;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Zero when connect() did what this transport is expected to do. */
static int judge(enum bench_transport transport, int result, int error)
{
    if (transport == BENCH_TCP_UNROUTED)
        return result && error == EHOSTUNREACH ? 0 : -(result ? error : EISCONN);
    return result ? -error : 0;
}

static int dial_once(enum bench_transport transport, const struct sockaddr_in *to, int listener, uint32_t *connect_ns,
                     uint32_t *close_ns)
{
    int type = transport == BENCH_UDP ? SOCK_DGRAM : SOCK_STREAM, accepted = -1, result, error;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    uint64_t begin, end;

    if (fd < 0)
        return -errno;
    if (transport == BENCH_TCP)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    begin = now_ns();
    result = connect(fd, (const struct sockaddr *)to, sizeof(*to));
    end = now_ns();
    error = errno;
    *connect_ns = (uint32_t)(end - begin);
    if (transport == BENCH_TCP && !result)
        accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    begin = now_ns();
    close(fd);
    end = now_ns();
    *close_ns = (uint32_t)(end - begin);
    if (accepted >= 0)
        close(accepted);
    return judge(transport, result, error);
}

/* The length of a request and of its answer. */
enum { MESSAGE_BYTES = 64 };

/* Reads to the end of the stream. Zero when it carried one message. */
static int read_message(int fd)
{
    char bytes[MESSAGE_BYTES];
    ssize_t count, total = 0;

    while ((count = recv(fd, bytes, sizeof(bytes), 0)) > 0)
        total += count;
    if (count < 0)
        return -errno;
    return total == MESSAGE_BYTES ? 0 : -EBADMSG;
}

/* The server's part: takes the connection that waits, reads the request, answers, closes. */
static int answer(int listener)
{
    char bytes[MESSAGE_BYTES];
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), result = 0;

    if (fd < 0)
        return -errno;
    if (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes) ||
        send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes))
        result = -EBADMSG;
    close(fd);
    return result;
}

static int request_once(const struct sockaddr_in *to, int listener, uint32_t *whole_ns, uint32_t *close_ns)
{
    char bytes[MESSAGE_BYTES] = "hello";
    uint64_t begin = now_ns(), closing, end;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) ||
        send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes))
        result = -errno;
    else
        result = answer(listener);
    if (!result)
        result = read_message(fd);
    closing = now_ns();
    close(fd);
    end = now_ns();
    *whole_ns = (uint32_t)(end - begin);
    *close_ns = (uint32_t)(end - closing);
    return result;
}

int bench_dial(enum bench_transport transport, struct bench_destinations *destinations, int listener, uint32_t count,
               uint32_t *connect_ns, uint32_t *close_ns)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(destinations->port)};

    for (uint32_t index = 0; index < count; index++) {
        int result;

        to.sin_addr.s_addr = destinations->addresses_be[destinations->next];
        destinations->next = destinations->next + 1 == destinations->count ? 0 : destinations->next + 1;
        result = transport == BENCH_REQUEST
                     ? request_once(&to, listener, connect_ns + index, close_ns + index)
                     : dial_once(transport, &to, listener, connect_ns + index, close_ns + index);
        if (result)
            return result;
    }
    return 0;
}
