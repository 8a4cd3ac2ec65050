/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading and writing the context of a socket-address hook. Each access to the context must stay an access of its own:
 * LLVM merges neighbouring 32-bit stores into 64-bit ones, which the verifier refuses for these fields, hence barriers.
 */
#ifndef MARTLET_LIB_CONTEXT_H
#define MARTLET_LIB_CONTEXT_H

#include "address.bpf.h"
#include "dial.bpf.h"

/* The context holds the 16-bit port in network order in a 32-bit field. */
static __always_inline __u16 read_port(const struct bpf_sock_addr *ctx)
{
    return (__u16)ctx->user_port;
}

static __always_inline struct dp_address read_ipv6(const struct bpf_sock_addr *ctx)
{
    struct dp_address address;

    address.words_be[0] = ctx->user_ip6[0];
    barrier();
    address.words_be[1] = ctx->user_ip6[1];
    barrier();
    address.words_be[2] = ctx->user_ip6[2];
    barrier();
    address.words_be[3] = ctx->user_ip6[3];
    barrier();
    return address;
}

/* The peer of an IPv6 socket; zero while it has none. */
static __always_inline struct dp_address read_peer_ipv6(const struct bpf_sock *socket)
{
    struct dp_address address;

    address.words_be[0] = socket->dst_ip6[0];
    barrier();
    address.words_be[1] = socket->dst_ip6[1];
    barrier();
    address.words_be[2] = socket->dst_ip6[2];
    barrier();
    address.words_be[3] = socket->dst_ip6[3];
    barrier();
    return address;
}

static __always_inline void write_ipv4(struct bpf_sock_addr *ctx, const struct dp_address *address, __u16 port_be)
{
    ctx->user_ip4 = address->words_be[3];
    barrier();
    ctx->user_port = port_be;
    barrier();
}

static __always_inline void write_ipv6(struct bpf_sock_addr *ctx, const struct dp_address *address, __u16 port_be)
{
    ctx->user_ip6[0] = address->words_be[0];
    barrier();
    ctx->user_ip6[1] = address->words_be[1];
    barrier();
    ctx->user_ip6[2] = address->words_be[2];
    barrier();
    ctx->user_ip6[3] = address->words_be[3];
    barrier();
    ctx->user_port = port_be;
    barrier();
}

static __always_inline struct dial dial_from_ipv4(const struct bpf_sock_addr *ctx, __u8 hook)
{
    struct dial dial = {.hook = hook};

    dial.key.address = address_from_ipv4(ctx->user_ip4);
    dial.key.port_be = read_port(ctx);
    dial.key.protocol = ctx->protocol;
    return dial;
}

static __always_inline struct dial dial_from_ipv6(const struct bpf_sock_addr *ctx, __u8 hook)
{
    struct dial dial = {.hook = hook};

    dial.key.address = read_ipv6(ctx);
    dial.key.port_be = read_port(ctx);
    dial.key.protocol = ctx->protocol;
    return dial;
}

#endif
