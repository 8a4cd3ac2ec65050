/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Multipath TCP (RFC 8684): connect hooks see a subflow, but programs hold the MPTCP socket, and only that one is
 * released through our hook. Its reverse state is therefore kept in storage of the MPTCP socket itself.
 */
#ifndef MARTLET_LIB_MULTIPATH_H
#define MARTLET_LIB_MULTIPATH_H

#include "connection.bpf.h"
#include "resolve.bpf.h"

struct mptcp_sock;

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct dp_connection);
} multipath SEC(".maps");

/* Records the dial on the MPTCP socket of a subflow. Returns zero when this socket is no subflow. */
static __always_inline int multipath_record(struct bpf_sock_addr *ctx, const struct dial *dial,
                                            const struct resolution *resolution)
{
    struct mptcp_sock *owner = bpf_skc_to_mptcp_sock(ctx->sk);
    struct dp_connection *connection;

    if (!owner)
        return 0;
    connection = bpf_sk_storage_get(&multipath, owner, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (!connection) {
        report(dial, resolution->backend, resolution->service_id, DP_OUTCOME_CONNECTION_UNRECORDED);
        return 1;
    }
    connection_fill(connection, dial, resolution);
    return 1;
}

static __always_inline struct dp_connection *multipath_behind(struct bpf_sock_addr *ctx,
                                                              const struct dp_address *address, __u16 port_be)
{
    struct dp_connection *connection = bpf_sk_storage_get(&multipath, ctx->sk, 0, 0);

    if (!connection || connection->backend_port_be != port_be || !address_equals(&connection->backend, address))
        return 0;
    return connection;
}

#endif
