// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Small programs that a test attaches: two that count and refuse at connect(), two for TCX.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// An entry point has the kernel's signature, whether it looks at its context or not.
#pragma clang diagnostic ignored "-Wunused-parameter"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, __u64);
} hook_counts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} hook_cgroups SEC(".maps");

static __always_inline void count(__u32 index)
{
    __u64 *value = bpf_map_lookup_elem(&hook_counts, &index);

    if (value)
        __sync_fetch_and_add(value, 1);
}

/// Counts in element 0 and lets the call go on.
SEC("cgroup/connect4")
int count_connect(struct bpf_sock_addr *ctx)
{
    count(0);
    return 1;
}

/// Counts in element 1 and refuses the call.
SEC("cgroup/connect4")
int refuse_connect(struct bpf_sock_addr *ctx)
{
    count(1);
    return 0;
}

/// Counts in element 2 if the caller is in the cgroup of slot 0, else in element 3.
SEC("cgroup/connect4")
int compare_cgroup(struct bpf_sock_addr *ctx)
{
    count(bpf_current_task_under_cgroup(&hook_cgroups, 0) == 1 ? 2 : 3);
    return 1;
}

/// TCX: count and hand on to the next program (TCX_NEXT is -1).
SEC("tc")
int count_ingress(struct __sk_buff *skb)
{
    count(0);
    return -1;
}

SEC("tc")
int count_ingress_too(struct __sk_buff *skb)
{
    count(1);
    return -1;
}

/// TCX: count, and let the packet in without asking the programs behind.
SEC("tc")
int end_ingress(struct __sk_buff *skb)
{
    count(2);
    return 0;
}

SEC("xdp")
int count_xdp(struct xdp_md *ctx)
{
    count(2);
    return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
