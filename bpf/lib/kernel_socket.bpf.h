/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What only the kernel's own structure of a socket tells. Hooks see a socket through a view of it; helpers give the
 * structure itself, and the kernel checks each access to it.
 */
#ifndef MARTLET_LIB_KERNEL_SOCKET_H
#define MARTLET_LIB_KERNEL_SOCKET_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/*
 * How `struct sock_common` of include/net/sock.h begins, and with it every socket: so since Linux 3.17. It is written
 * down here, and not asked for, because the programs are to load also where /sys/kernel/btf is missing.
 */
struct kernel_socket {
    __u64 addresses_be;
    __u32 hash;
    __u32 ports;
    __u16 family;
    __u8 state;
    __u8 reuse : 4;
    __u8 reuse_port : 1;
    __u8 ipv6_only : 1;
    __u8 others : 2;
};

/* Whether this is an IPv6 socket that takes no IPv4 (IPV6_V6ONLY). */
static __always_inline int is_ipv6_only(struct bpf_sock_addr *ctx)
{
    const struct kernel_socket *socket = (const struct kernel_socket *)bpf_skc_to_tcp6_sock(ctx->sk);

    if (!socket)
        socket = (const struct kernel_socket *)bpf_skc_to_udp6_sock(ctx->sk);
    return socket && socket->ipv6_only;
}

#endif
