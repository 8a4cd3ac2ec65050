// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that do nothing, on every hook that the datapath uses: the floor that its cost is measured from. Not shipped.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define EMPTY(hook, context)         \
    SEC("cgroup/" #hook)             \
    int empty_##hook(__attribute__((unused)) context *ctx)   \
    {                                \
        return 1;                    \
    }

EMPTY(connect4, struct bpf_sock_addr)
EMPTY(connect6, struct bpf_sock_addr)
EMPTY(sendmsg4, struct bpf_sock_addr)
EMPTY(sendmsg6, struct bpf_sock_addr)
EMPTY(recvmsg4, struct bpf_sock_addr)
EMPTY(recvmsg6, struct bpf_sock_addr)
EMPTY(getpeername4, struct bpf_sock_addr)
EMPTY(getpeername6, struct bpf_sock_addr)
EMPTY(bind4, struct bpf_sock_addr)
EMPTY(bind6, struct bpf_sock_addr)
EMPTY(sock_release, struct bpf_sock)
