/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reverse state of connected sockets, TCP and UDP: written at connect(), read by getpeername and recvmsg and by the
 * agent when a backend goes away, deleted when the socket is released. Never evicted; a full map is counted, and the
 * connection goes on without it.
 *
 * Every socket has a place in an array, by its cookie: writing there costs a tenth of an insert into a hash, and
 * releasing any other socket costs a look at one word. Sockets that share a place are rare while the array is larger
 * than the number of sockets; the second one goes to a hash, and the place counts such sockets, so that nobody else
 * asks the hash.
 */
#ifndef MARTLET_LIB_CONNECTION_H
#define MARTLET_LIB_CONNECTION_H

#include "address.bpf.h"
#include "config.bpf.h"
#include "observe.bpf.h"
#include "resolve.bpf.h"

static __always_inline struct dp_connection *connection_place(__u64 socket_cookie)
{
    __u32 index = (__u32)socket_cookie & connection_mask;

    return bpf_map_lookup_elem(&connections, &index);
}

/* Writes everything but the socket's cookie. Whoever looks meanwhile sees service 0 and passes the record over. */
static __always_inline void connection_fill(struct dp_connection *connection, const struct dial *dial,
                                            const struct resolution *resolution)
{
    *(volatile __u32 *)&connection->service_id = 0;
    barrier();
    connection->netns_cookie = dial->netns_cookie;
    connection->frontend = dial->key.address;
    connection->backend = resolution->backend->address;
    connection->frontend_port_be = dial->key.port_be;
    connection->backend_port_be = resolution->backend->port_be;
    connection->protocol = dial->key.protocol;
    barrier();
    *(volatile __u32 *)&connection->service_id = resolution->service_id;
}

/* Out of line: the place is taken by another socket. Returns zero when there is no room. */
static __noinline int connection_overflow(struct dp_connection *place, const struct dial *dial,
                                          const struct resolution *resolution)
{
    struct dp_connection connection = {};

    if (!place || !dial || !resolution || !resolution->backend)
        return 0;
    connection.socket_cookie = dial->socket_cookie;
    connection_fill(&connection, dial, resolution);
    if (!bpf_map_update_elem(&connections_overflow, &dial->socket_cookie, &connection, BPF_EXIST))
        return 1;
    if (bpf_map_update_elem(&connections_overflow, &dial->socket_cookie, &connection, BPF_NOEXIST))
        return 0;
    __sync_fetch_and_add(&place->elsewhere, 1);
    return 1;
}

static __always_inline void connection_record(const struct dial *dial, const struct resolution *resolution)
{
    struct dp_connection *place = connection_place(dial->socket_cookie);

    if (place && (place->socket_cookie == dial->socket_cookie ||
                  !__sync_val_compare_and_swap(&place->socket_cookie, 0, dial->socket_cookie)))
        connection_fill(place, dial, resolution);
    else if (!place || !connection_overflow(place, dial, resolution))
        report(dial, resolution->backend, resolution->service_id, DP_OUTCOME_CONNECTION_UNRECORDED);
}

/* The socket goes elsewhere now, or is gone. */
static __always_inline void connection_forget(__u64 socket_cookie)
{
    struct dp_connection *place = connection_place(socket_cookie);

    if (!place)
        return;
    if (place->elsewhere && !bpf_map_delete_elem(&connections_overflow, &socket_cookie))
        __sync_fetch_and_add(&place->elsewhere, -1);
    if (place->socket_cookie == socket_cookie) {
        *(volatile __u32 *)&place->service_id = 0;
        barrier();
        *(volatile __u64 *)&place->socket_cookie = 0;
    }
}

static __always_inline struct dp_connection *connection_find(__u64 socket_cookie)
{
    struct dp_connection *place = connection_place(socket_cookie);

    if (!place || place->socket_cookie == socket_cookie)
        return place;
    return place->elsewhere ? bpf_map_lookup_elem(&connections_overflow, &socket_cookie) : 0;
}

/* What the socket dialled, if `address` and port are the backend that it was sent to; else NULL. */
static __always_inline struct dp_connection *connection_behind(__u64 socket_cookie, const struct dp_address *address,
                                                               __u16 port_be)
{
    struct dp_connection *connection = connection_find(socket_cookie);

    if (!connection || !connection->service_id || connection->backend_port_be != port_be ||
        !address_equals(&connection->backend, address))
        return 0;
    return connection;
}

#endif
