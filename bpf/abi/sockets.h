/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State that the socket hooks write: what was translated for which socket (reverse state), and session affinity.
 * Reverse state lives as long as its socket: the release hook deletes it, and nothing evicts it. The kernel's own
 * sockets (NFS, Ceph) are not released through the hook, and leave theirs behind (decision 1).
 */
#ifndef MARTLET_ABI_SOCKETS_H
#define MARTLET_ABI_SOCKETS_H

#include "types.h"

/*
 * One connected socket, TCP or UDP: a cache line. Element of `connections` (array), where the place of a socket is its
 * cookie modulo the greatest power of two that fits: the kernel hands out cookies in ascending order, so that sockets
 * made one after the other are neighbours. Value of `connections_overflow` (hash by socket cookie, __u64), which takes
 * the sockets whose place is taken.
 */
struct dp_connection {
    __u64 socket_cookie; /* zero: the place is free */
    __u64 netns_cookie;  /* of the socket's network namespace: where to look for it when its backend goes away */
    struct dp_address frontend;
    struct dp_address backend;
    __u16 frontend_port_be;
    __u16 backend_port_be;
    __u32 service_id;    /* zero: being written, to be passed over */
    __u8 protocol;
    __u8 pad[3];         /* zero */
    __u32 elsewhere;     /* a property of the place: how many of its sockets' states are in other maps */
};

/* One service that an unconnected UDP socket talks to. `service_id` zero: unused. */
struct dp_udp_peer {
    struct dp_address frontend;
    struct dp_address backend;
    __u16 frontend_port_be;
    __u16 backend_port_be;
    __u32 service_id;
    __u32 backend_id;
    __u32 is_shadowed; /* 1: the socket has since asked another service that has given it the same backend */
};

/*
 * Unconnected UDP sockets keep a list of pages, so that a socket may talk to many services and lose none. Four peers
 * fill a page: resolvers and most clients know fewer services than that and pay for one look-up.
 */
#define DP_UDP_PEERS_PER_PAGE 4
#define DP_UDP_PAGES_MAX 64 /* 256 services for one socket; beyond that it is forwarded, unreversed, and counted */

struct dp_udp_page_key {
    __u64 socket_cookie;
    __u32 page; /* 0 … DP_UDP_PAGES_MAX - 1, without gaps */
    __u32 pad;  /* zero */
};

struct dp_udp_page {
    struct dp_udp_peer peers[DP_UDP_PEERS_PER_PAGE];
};

/* Who a client is to session affinity: for sockets the network namespace, for packets the source address. */
enum dp_client_kind {
    DP_CLIENT_NAMESPACE = 1, /* words 0 and 1 of `client` are the namespace's cookie, low word first */
    DP_CLIENT_ADDRESS = 2,
};

/* Key of `affinity`: a client of a service port. */
struct dp_affinity_key {
    struct dp_address client;
    __u32 service_id;
    __u16 family; /* 4 or 6: records of the two families are apart (AFF-2) */
    __u16 kind;   /* enum dp_client_kind */
};

struct dp_affinity {
    __u64 last_used_ns; /* CLOCK_MONOTONIC; each new connection renews it (AFF-3) */
    __u32 backend_id;
    __u32 position;     /* where in the set it was found: a hint that is verified before use */
};

#endif
