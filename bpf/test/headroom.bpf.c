// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A driver that leaves next to no room in front of a frame: moves the frame to the front of its buffer, and goes on
// with the program under test.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/// Frames are moved whole up to this length; longer ones are not for this program.
#define FRAME_MAX 128

/// The kernel keeps 256 octets in front of a frame, of which 40 are its own: 4 are left.
#define MOVE 212

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
} next_program SEC(".maps");

SEC("xdp")
int without_headroom(struct xdp_md *ctx)
{
    __u8 frame[FRAME_MAX] = {};
    __u32 length = ctx->data_end - ctx->data;

    if (length > sizeof(frame))
        return XDP_ABORTED;
    // Else the comparisons become one that the verifier cannot follow.
    asm volatile("" : "+r"(length));
    if (length < 1)
        return XDP_ABORTED;
    if (bpf_xdp_load_bytes(ctx, 0, frame, length))
        return XDP_ABORTED;
    if (bpf_xdp_adjust_head(ctx, -MOVE) || bpf_xdp_adjust_tail(ctx, -MOVE) ||
        bpf_xdp_store_bytes(ctx, 0, frame, length))
        return XDP_ABORTED;
    bpf_tail_call(ctx, &next_program, 0);
    return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
