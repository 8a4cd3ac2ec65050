// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A program that the verifier must refuse: it reads a packet without looking at its end. For tests of error messages.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int read_beyond_end(struct xdp_md *ctx)
{
    return *(__u8 *)(long)ctx->data;
}

char _license[] SEC("license") = "Dual BSD/GPL";
