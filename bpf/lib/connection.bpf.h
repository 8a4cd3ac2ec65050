/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reverse state of connected sockets, TCP and UDP: written at connect(), read by getpeername and recvmsg and by the
 * agent when a backend goes away, deleted when the socket is released. Never evicted; a full map is counted, and the
 * connection goes on without it.
 */
#ifndef MARTLET_LIB_CONNECTION_H
#define MARTLET_LIB_CONNECTION_H

#include "address.bpf.h"
#include "observe.bpf.h"
#include "resolve.bpf.h"

static __always_inline void connection_record(const struct dial *dial, const struct resolution *resolution)
{
    struct dp_connection connection = {
        .frontend = dial->key.address,
        .backend = resolution->backend->address,
        .frontend_port_be = dial->key.port_be,
        .backend_port_be = resolution->backend->port_be,
        .service_id = resolution->service_id,
        .netns_cookie = dial->netns_cookie,
        .protocol = dial->key.protocol,
    };

    if (bpf_map_update_elem(&connections, &dial->socket_cookie, &connection, BPF_ANY))
        report(dial, resolution->backend, resolution->service_id, DP_OUTCOME_CONNECTION_UNRECORDED);
}

/* The socket goes elsewhere now, or is gone. */
static __always_inline void connection_forget(__u64 socket_cookie)
{
    bpf_map_delete_elem(&connections, &socket_cookie);
}

/* What the socket dialled, if `address` and port are the backend that it was sent to; else NULL. */
static __always_inline struct dp_connection *connection_behind(__u64 socket_cookie, const struct dp_address *address,
                                                               __u16 port_be)
{
    struct dp_connection *connection = bpf_map_lookup_elem(&connections, &socket_cookie);

    if (!connection || connection->backend_port_be != port_be || !address_equals(&connection->backend, address))
        return 0;
    return connection;
}

#endif
