// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What `martlet-bench rate` sends, forwards and counts frames with. Not shipped.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 out_interface = 0;

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} arrived SEC(".maps");

/* Sends each frame out of one interface, as it is: behind packet_prologue the generator, by itself the least that forwards. */
SEC("xdp")
int rate_redirect(__attribute__((unused)) struct xdp_md *ctx)
{
    return bpf_redirect(out_interface, 0);
}

/* The end of the way. */
SEC("xdp")
int rate_sink(__attribute__((unused)) struct xdp_md *ctx)
{
    __u32 zero = 0;
    __u64 *count = bpf_map_lookup_elem(&arrived, &zero);

    if (count)
        *count += 1;
    return XDP_DROP;
}
