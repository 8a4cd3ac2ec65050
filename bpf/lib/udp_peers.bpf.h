/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The services that an unconnected UDP socket talks to, as pages of a few peers each. A socket keeps the backend that
 * it first got from a service while that stays in the set (BAL-2), so its list grows with services, not with datagrams.
 */
#ifndef MARTLET_LIB_UDP_PEERS_H
#define MARTLET_LIB_UDP_PEERS_H

#include "address.bpf.h"
#include "connection.bpf.h"
#include "maps.bpf.h"
#include "resolve.bpf.h"

/* Whether the socket can have pages at all: its place in `connections` counts page 0, which saves others a look-up. */
static __always_inline int may_have_udp_peers(__u64 socket_cookie)
{
    struct dp_connection *place = connection_place(socket_cookie);

    return place && place->elsewhere;
}

/* Returns the peer for a frontend; NULL when the socket has not talked to it yet. */
static __noinline struct dp_udp_peer *udp_peer_by_frontend(__u64 socket_cookie, const struct dp_frontend_key *key)
{
    struct dp_udp_page_key page_key = {.socket_cookie = socket_cookie};

    if (!may_have_udp_peers(socket_cookie))
        return 0;
    for (__u32 number = 0; number < DP_UDP_PAGES_MAX; number++) {
        struct dp_udp_page *page;

        page_key.page = number;
        page = bpf_map_lookup_elem(&udp_pages, &page_key);
        if (!page)
            return 0;
        for (int index = 0; index < DP_UDP_PEERS_PER_PAGE; index++) {
            struct dp_udp_peer *peer = &page->peers[index];

            if (peer->service_id && peer->frontend_port_be == key->port_be &&
                address_equals(&peer->frontend, &key->address))
                return peer;
        }
    }
    return 0;
}

/*
 * Returns the peer whose backend is `address` and port; NULL when the datagram came from no backend of ours. Several
 * services may have given the socket this backend: then it is the one that was asked last.
 */
static __noinline struct dp_udp_peer *udp_peer_by_backend(__u64 socket_cookie, const struct dp_address *address,
                                                          __u16 port_be)
{
    struct dp_udp_page_key page_key = {.socket_cookie = socket_cookie};

    if (!may_have_udp_peers(socket_cookie))
        return 0;
    for (__u32 number = 0; number < DP_UDP_PAGES_MAX; number++) {
        struct dp_udp_page *page;

        page_key.page = number;
        page = bpf_map_lookup_elem(&udp_pages, &page_key);
        if (!page)
            return 0;
        for (int index = 0; index < DP_UDP_PEERS_PER_PAGE; index++) {
            struct dp_udp_peer *peer = &page->peers[index];

            if (peer->service_id && !peer->is_shadowed && peer->backend_port_be == port_be &&
                address_equals(&peer->backend, address))
                return peer;
        }
    }
    return 0;
}

/* Shadows the socket's other peers that have this backend: its replies are for the peer of this dial from now on. */
__noinline int udp_peers_shadow(const struct dial *dial, const struct dp_backend *backend)
{
    struct dp_udp_page_key page_key = {};

    if (!dial || !backend)
        return 0;
    page_key.socket_cookie = dial->socket_cookie;
    for (__u32 number = 0; number < DP_UDP_PAGES_MAX; number++) {
        struct dp_udp_page *page;

        page_key.page = number;
        page = bpf_map_lookup_elem(&udp_pages, &page_key);
        if (!page)
            return 0;
        for (int index = 0; index < DP_UDP_PEERS_PER_PAGE; index++) {
            struct dp_udp_peer *peer = &page->peers[index];

            if (!peer->service_id || peer->backend_port_be != backend->port_be ||
                !address_equals(&peer->backend, &backend->address))
                continue;
            if (peer->frontend_port_be != dial->key.port_be || !address_equals(&peer->frontend, &dial->key.address))
                peer->is_shadowed = 1;
        }
    }
    return 0;
}

/* The socket asks the peer's service again, after another one with the same backend. */
static __always_inline void udp_peer_emerge(struct dp_udp_peer *peer, const struct dial *dial,
                                            const struct resolution *resolution)
{
    udp_peers_shadow(dial, resolution->backend);
    peer->is_shadowed = 0;
}

static __always_inline void udp_peer_fill(struct dp_udp_peer *peer, const struct dial *dial,
                                          const struct dp_backend *backend, __u32 backend_id, __u32 service_id)
{
    peer->frontend = dial->key.address;
    peer->frontend_port_be = dial->key.port_be;
    peer->backend = backend->address;
    peer->backend_port_be = backend->port_be;
    peer->backend_id = backend_id;
    peer->service_id = service_id;
    peer->is_shadowed = 0;
}

/* Adds a peer in the first free place, in a new page if need be. Returns zero when there is no room. */
__noinline int udp_peer_add(const struct dial *dial, const struct dp_backend *backend, __u32 backend_id,
                            __u32 service_id)
{
    struct dp_udp_page_key page_key = {};
    struct dp_connection *place;

    if (!dial || !backend)
        return 0;
    place = connection_place(dial->socket_cookie);
    if (!place)
        return 0;
    page_key.socket_cookie = dial->socket_cookie;
    for (__u32 number = 0; number < DP_UDP_PAGES_MAX; number++) {
        struct dp_udp_page fresh = {};
        struct dp_udp_page *page;

        page_key.page = number;
        page = bpf_map_lookup_elem(&udp_pages, &page_key);
        if (!page) {
            udp_peer_fill(&fresh.peers[0], dial, backend, backend_id, service_id);
            if (bpf_map_update_elem(&udp_pages, &page_key, &fresh, BPF_NOEXIST))
                return 0;
            if (number == 0)
                __sync_fetch_and_add(&place->elsewhere, 1);
            return 1;
        }
        for (int index = 0; index < DP_UDP_PEERS_PER_PAGE; index++) {
            if (page->peers[index].service_id)
                continue;
            udp_peer_fill(&page->peers[index], dial, backend, backend_id, service_id);
            return 1;
        }
    }
    return 0;
}

static __always_inline void udp_peers_forget(__u64 socket_cookie)
{
    struct dp_udp_page_key page_key = {.socket_cookie = socket_cookie};
    struct dp_connection *place = connection_place(socket_cookie);

    if (!place || !place->elsewhere)
        return;
    for (__u32 number = 0; number < DP_UDP_PAGES_MAX; number++) {
        page_key.page = number;
        if (bpf_map_delete_elem(&udp_pages, &page_key))
            return;
        if (number == 0)
            __sync_fetch_and_add(&place->elsewhere, -1);
    }
}

#endif
