/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timed loops of martlet-bench, in C so that nothing but the system call lies between two readings of the clock; and
 * the bench's own BPF objects. What is compared with what is decided in Swift.
 */
#ifndef MARTLET_BENCH_CALLS_H
#define MARTLET_BENCH_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "bench_packet.h"

/* bench/bpf/empty.bpf.c as an ELF image: its first byte, valid for ever, and its length. */
const void *bench_empty_object(void);
size_t bench_empty_object_size(void);
/* The same of bench/bpf/packet.bpf.c. */
const void *bench_packet_object(void);
size_t bench_packet_object_size(void);
/* The same of bench/bpf/rate.bpf.c. */
const void *bench_rate_object(void);
size_t bench_rate_object_size(void);

enum bench_transport {
    BENCH_UDP = 0,          /* connect() sends no packet */
    BENCH_TCP = 1,          /* to a listener in this process; each connection is reset at once */
    BENCH_TCP_UNROUTED = 2, /* the route refuses (EHOSTUNREACH) after the hook has run: no packet */
    BENCH_REQUEST = 3,      /* all of it: socket(), connect(), a request, its answer, the end of the stream, close() */
};

/* Destinations, dialled in turn; `next` is where the turn is. */
struct bench_destinations {
    const uint32_t *addresses_be;
    uint32_t count;
    uint32_t next;
    uint16_t port;
};

/* Zero or a negative error number. */
int bench_pin_to_cpu(int cpu);
/* Lets nothing but the kernel's own work interrupt this thread for long: SCHED_FIFO. */
int bench_take_precedence(void);
/* SO_NETNS_COOKIE of this thread's network namespace; zero on failure. */
uint64_t bench_netns_cookie(void);
/* A listening socket on every IPv4 address, or a negative error number. */
int bench_listen(uint16_t port);
/* Parses a dotted address to network order; zero when it is none. */
uint32_t bench_parse_ipv4(const char *text);

/*
 * `count` times: a fresh socket, connect(), close(). Fills the nanoseconds of each connect() (of everything, for
 * BENCH_REQUEST) and of each close(), the release of the socket. `listener` takes the connections of BENCH_TCP and
 * BENCH_REQUEST, and is served by this very thread: nothing waits for a scheduler. Zero or a negative error number.
 */
int bench_dial(enum bench_transport transport, struct bench_destinations *destinations, int listener, uint32_t count,
               uint32_t *connect_ns, uint32_t *close_ns);

#endif
