// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Socket hooks: the address that a program dials is exchanged for a backend's when the socket connects or sends, and
 * exchanged back where the program looks at it. After that no packet costs anything. Two questions are asked here: is
 * this address a frontend, and which socket was sent where. How to choose is in lib/resolve.bpf.h.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/address.bpf.h"
#include "lib/config.bpf.h"
#include "lib/connection.bpf.h"
#include "lib/context.bpf.h"
#include "lib/dial.bpf.h"
#include "lib/kernel_socket.bpf.h"
#include "lib/maps.bpf.h"
#include "lib/multipath.bpf.h"
#include "lib/resolve.bpf.h"
#include "lib/udp_peers.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Return codes of cgroup address hooks. */
enum { HOOK_REFUSE = 0, HOOK_PROCEED = 1 };

/* The one place where a verdict becomes what the kernel understands. */
static __always_inline int conclude(enum verdict verdict, __u8 protocol)
{
    switch (verdict) {
    case VERDICT_PASS:
    case VERDICT_TRANSLATE:
        return HOOK_PROCEED;
    case VERDICT_REFUSE:
        bpf_set_retval(-ECONNREFUSED);
        return HOOK_REFUSE;
    case VERDICT_SILENCE:
        /* What the caller would see in the end if its packets were dropped: a time-out, or EPERM for a datagram. */
        bpf_set_retval(protocol == IPPROTO_TCP ? -ETIMEDOUT : -EPERM);
        return HOOK_REFUSE;
    }
    return HOOK_PROCEED;
}

/* Whether this socket's dials leave reverse state. */
static __always_inline int is_recorded(const struct dial *dial)
{
    return record_tcp || dial->key.protocol == IPPROTO_UDP;
}

/* Whether it matters which socket of which namespace dials: each cookie costs 30 to 40 ns on a fresh socket. */
static __always_inline int is_identity_needed(const struct dial *dial, const struct dp_frontend *frontend)
{
    if (is_recorded(dial) || !pods_are_local_ipv4 || !pods_are_local_ipv6)
        return 1;
    return frontend->flags || frontend->affinity_timeout_s || somebody_listens();
}

/* Finds the frontend and completes the dial. NULL: not ours, or only for the node's own namespace. */
static __always_inline struct dp_frontend *begin(struct bpf_sock_addr *ctx, struct dial *dial)
{
    struct dp_frontend *frontend = find_frontend(&dial->key);

    if (!frontend)
        return 0;
    if (!is_identity_needed(dial, frontend))
        return frontend;
    dial->netns_cookie = bpf_get_netns_cookie(ctx);
    dial->is_host = dial->netns_cookie == host_netns_cookie;
    if (frontend->flags & DP_FRONTEND_HOST_ONLY && !dial->is_host)
        return 0;
    dial->socket_cookie = bpf_get_socket_cookie(ctx);
    return frontend;
}

/* A socket that was translated before and now dials something else must lose its reverse state. */
static __always_inline enum verdict connect_elsewhere(struct bpf_sock_addr *ctx, struct dial *dial)
{
    if (is_recorded(dial))
        connection_forget(bpf_get_socket_cookie(ctx));
    return resolve_unknown(ctx, dial);
}

static __always_inline enum verdict connect_to(struct bpf_sock_addr *ctx, struct dial *dial,
                                               struct resolution *resolution)
{
    struct dp_frontend *frontend;
    enum verdict verdict;

    if (dial->key.protocol != IPPROTO_TCP && dial->key.protocol != IPPROTO_UDP)
        return VERDICT_PASS;
    frontend = begin(ctx, dial);
    if (!frontend)
        return connect_elsewhere(ctx, dial);
    if (is_left_alone())
        return VERDICT_PASS;
    verdict = resolve(dial, frontend, 0, resolution);
    if (verdict != VERDICT_TRANSLATE) {
        if (is_recorded(dial))
            connection_forget(dial->socket_cookie);
        return verdict;
    }
    if (dial->key.protocol == IPPROTO_UDP)
        connection_record(dial, resolution);
    else if (record_tcp && !multipath_record(ctx, dial, resolution))
        connection_record(dial, resolution);
    count_service(resolution->service_id, 1);
    report(dial, resolution->backend, resolution->service_id, DP_OUTCOME_FORWARDED);
    return verdict;
}

/* No hook tells us that a socket was disconnected (connect to AF_UNSPEC): what it was connected to is history then. */
static __always_inline int is_connected(const struct bpf_sock_addr *ctx)
{
    const struct bpf_sock *socket = ctx->sk;

    return socket && socket->dst_port;
}

/*
 * The record of a socket that is connected to `peer` and now names the frontend that it dialled: such a datagram is one
 * of that connection, whatever the set has become. The kernel would discard the replies of any other backend.
 */
static __always_inline struct dp_connection *dialled_before(struct bpf_sock_addr *ctx, const struct dial *dial,
                                                            const struct dp_address *peer)
{
    struct dp_connection *connection;

    if (!is_connected(ctx))
        return 0;
    connection = connection_behind(bpf_get_socket_cookie(ctx), peer, ctx->sk->dst_port);
    if (!connection || connection->frontend_port_be != dial->key.port_be ||
        !address_equals(&connection->frontend, &dial->key.address))
        return 0;
    return connection;
}

static __always_inline int keeps_backend(const struct dp_udp_peer *peer, const struct resolution *resolution)
{
    return peer->backend_id == resolution->backend_id && peer->service_id == resolution->service_id &&
           peer->backend_port_be == resolution->backend->port_be &&
           address_equals(&peer->backend, &resolution->backend->address);
}

/* An unconnected UDP socket keeps its backend of a service while it may; a new or changed peer counts as connection. */
static __always_inline enum verdict send_to(struct bpf_sock_addr *ctx, struct dial *dial,
                                            struct resolution *resolution)
{
    struct dp_frontend *frontend = begin(ctx, dial);
    struct dp_udp_peer *peer;
    enum verdict verdict;

    if (!frontend)
        return resolve_unknown(ctx, dial);
    if (opts_out())
        return VERDICT_PASS;
    peer = udp_peer_by_frontend(dial->socket_cookie, &dial->key);
    if (!peer && is_leaving())
        return VERDICT_PASS;
    verdict = resolve(dial, frontend, peer ? peer->backend_id : 0, resolution);
    if (verdict != VERDICT_TRANSLATE)
        return verdict;
    if (peer && keeps_backend(peer, resolution)) {
        if (peer->is_shadowed)
            udp_peer_emerge(peer, dial, resolution);
        return verdict;
    }
    udp_peers_shadow(dial, resolution->backend);
    if (peer)
        udp_peer_fill(peer, dial, resolution->backend, resolution->backend_id, resolution->service_id);
    else if (!udp_peer_add(dial, resolution->backend, resolution->backend_id, resolution->service_id))
        report(dial, resolution->backend, resolution->service_id, DP_OUTCOME_UDP_PEER_UNRECORDED);
    count_service(resolution->service_id, 1);
    report(dial, resolution->backend, resolution->service_id, DP_OUTCOME_FORWARDED);
    return verdict;
}

/* What the program dialled, if the address in the context is the backend that it was given instead. */
static __always_inline int reverse_datagram(struct bpf_sock_addr *ctx, struct dp_address *address, __u16 *port_be)
{
    __u64 cookie = bpf_get_socket_cookie(ctx);
    struct dp_connection *connection;
    struct dp_udp_peer *peer;

    connection = is_connected(ctx) ? connection_behind(cookie, address, *port_be) : 0;
    if (connection) {
        *address = connection->frontend;
        *port_be = connection->frontend_port_be;
        return 1;
    }
    peer = udp_peer_by_backend(cookie, address, *port_be);
    if (!peer)
        return 0;
    *address = peer->frontend;
    *port_be = peer->frontend_port_be;
    return 1;
}

static __always_inline int reverse_peer_name(struct bpf_sock_addr *ctx, struct dp_address *address, __u16 *port_be)
{
    struct dp_connection *connection = connection_behind(bpf_get_socket_cookie(ctx), address, *port_be);

    if (!connection)
        connection = multipath_behind(ctx, address, *port_be);
    if (!connection)
        return 0;
    *address = connection->frontend;
    *port_be = connection->frontend_port_be;
    return 1;
}

SEC("cgroup/connect4")
int martlet_connect4(struct bpf_sock_addr *ctx)
{
    struct dial dial = dial_from_ipv4(ctx, DP_HOOK_CONNECT);
    struct resolution resolution = {};
    enum verdict verdict = connect_to(ctx, &dial, &resolution);

    if (verdict == VERDICT_TRANSLATE)
        write_ipv4(ctx, &resolution.backend->address, resolution.backend->port_be);
    return conclude(verdict, dial.key.protocol);
}

SEC("cgroup/connect6")
int martlet_connect6(struct bpf_sock_addr *ctx)
{
    struct dial dial = dial_from_ipv6(ctx, DP_HOOK_CONNECT);
    struct resolution resolution = {};
    enum verdict verdict = connect_to(ctx, &dial, &resolution);

    if (verdict == VERDICT_TRANSLATE)
        write_ipv6(ctx, &resolution.backend->address, resolution.backend->port_be);
    return conclude(verdict, dial.key.protocol);
}

SEC("cgroup/sendmsg4")
int martlet_sendmsg4(struct bpf_sock_addr *ctx)
{
    struct dial dial = dial_from_ipv4(ctx, DP_HOOK_SENDMSG);
    struct dp_address peer = address_from_ipv4(ctx->sk->dst_ip4);
    struct dp_connection *connection = dialled_before(ctx, &dial, &peer);
    struct resolution resolution = {};
    enum verdict verdict;

    if (connection) {
        write_ipv4(ctx, &connection->backend, connection->backend_port_be);
        return HOOK_PROCEED;
    }
    verdict = send_to(ctx, &dial, &resolution);
    if (verdict == VERDICT_TRANSLATE)
        write_ipv4(ctx, &resolution.backend->address, resolution.backend->port_be);
    return conclude(verdict, dial.key.protocol);
}

SEC("cgroup/sendmsg6")
int martlet_sendmsg6(struct bpf_sock_addr *ctx)
{
    struct dial dial = dial_from_ipv6(ctx, DP_HOOK_SENDMSG);
    struct dp_address peer = read_peer_ipv6(ctx->sk);
    struct dp_connection *connection = dialled_before(ctx, &dial, &peer);
    struct resolution resolution = {};
    enum verdict verdict;

    if (connection) {
        write_ipv6(ctx, &connection->backend, connection->backend_port_be);
        return HOOK_PROCEED;
    }
    verdict = send_to(ctx, &dial, &resolution);
    if (verdict == VERDICT_TRANSLATE)
        write_ipv6(ctx, &resolution.backend->address, resolution.backend->port_be);
    return conclude(verdict, dial.key.protocol);
}

/* The hooks below may only rewrite: the kernel wants HOOK_PROCEED from them. */

SEC("cgroup/recvmsg4")
int martlet_recvmsg4(struct bpf_sock_addr *ctx)
{
    struct dp_address address = address_from_ipv4(ctx->user_ip4);
    __u16 port_be = read_port(ctx);

    if (reverse_datagram(ctx, &address, &port_be))
        write_ipv4(ctx, &address, port_be);
    return HOOK_PROCEED;
}

SEC("cgroup/recvmsg6")
int martlet_recvmsg6(struct bpf_sock_addr *ctx)
{
    struct dp_address address = read_ipv6(ctx);
    __u16 port_be = read_port(ctx);

    if (reverse_datagram(ctx, &address, &port_be))
        write_ipv6(ctx, &address, port_be);
    return HOOK_PROCEED;
}

SEC("cgroup/getpeername4")
int martlet_getpeername4(struct bpf_sock_addr *ctx)
{
    struct dp_address address = address_from_ipv4(ctx->user_ip4);
    __u16 port_be = read_port(ctx);

    if (reverse_peer_name(ctx, &address, &port_be))
        write_ipv4(ctx, &address, port_be);
    return HOOK_PROCEED;
}

SEC("cgroup/getpeername6")
int martlet_getpeername6(struct bpf_sock_addr *ctx)
{
    struct dp_address address = read_ipv6(ctx);
    __u16 port_be = read_port(ctx);

    if (reverse_peer_name(ctx, &address, &port_be))
        write_ipv6(ctx, &address, port_be);
    return HOOK_PROCEED;
}

static __always_inline int is_node_port(const struct dial *dial, __u8 family)
{
    struct dp_node_port_key key = {
        .port_be = dial->key.port_be, .protocol = dial->key.protocol, .family = family};

    return bpf_map_lookup_elem(&node_ports, &key) != 0;
}

/* Whether listening on every address would take a NodePort's clients: an IPv6 socket usually gets both families. */
static __always_inline int is_node_port_anywhere(struct bpf_sock_addr *ctx, const struct dial *dial)
{
    if (address_is_ipv4(&dial->key.address))
        return is_node_port(dial, 4);
    return is_node_port(dial, 6) || (is_node_port(dial, 4) && !is_ipv6_only(ctx));
}

/* Whether a socket may listen on what it asks for: on the node, a NodePort's clients must not be taken from it. */
static __always_inline int guard_bind(struct bpf_sock_addr *ctx, const struct dial *dial)
{
    struct dp_frontend *frontend;

    if (address_is_unspecified(&dial->key.address)) {
        if (!is_node_port_anywhere(ctx, dial))
            return HOOK_PROCEED;
    } else {
        frontend = find_frontend(&dial->key);
        if (!frontend || frontend->kind != DP_FRONTEND_NODE_PORT)
            return HOOK_PROCEED;
    }
    report(dial, 0, 0, DP_OUTCOME_BIND_PROTECTED);
    bpf_set_retval(-EADDRINUSE);
    return HOOK_REFUSE;
}

static __always_inline int bind_to(struct bpf_sock_addr *ctx, struct dial *dial)
{
    if (!protect_node_ports || !dial->key.port_be)
        return HOOK_PROCEED;
    dial->netns_cookie = bpf_get_netns_cookie(ctx);
    if (dial->netns_cookie != host_netns_cookie || opts_out())
        return HOOK_PROCEED;
    dial->is_host = 1;
    dial->socket_cookie = bpf_get_socket_cookie(ctx);
    return guard_bind(ctx, dial);
}

SEC("cgroup/bind4")
int martlet_bind4(struct bpf_sock_addr *ctx)
{
    struct dial dial = dial_from_ipv4(ctx, DP_HOOK_BIND);

    return bind_to(ctx, &dial);
}

SEC("cgroup/bind6")
int martlet_bind6(struct bpf_sock_addr *ctx)
{
    struct dial dial = dial_from_ipv6(ctx, DP_HOOK_BIND);

    return bind_to(ctx, &dial);
}

/* The end of a socket is the end of its state. */
SEC("cgroup/sock_release")
int martlet_sock_release(struct bpf_sock *ctx)
{
    __u64 cookie = bpf_get_socket_cookie(ctx);

    if (ctx->protocol != IPPROTO_TCP && ctx->protocol != IPPROTO_UDP)
        return HOOK_PROCEED;
    connection_forget(cookie);
    if (ctx->protocol == IPPROTO_UDP)
        udp_peers_forget(cookie);
    return HOOK_PROCEED;
}
