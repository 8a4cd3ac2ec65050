// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Session affinity where two CPUs draw for one client at the same time: each program plays the one that writes second,
// and does in between what the other one does. Which CPU comes first is luck elsewhere, and certain here.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../lib/affinity.bpf.h"

// An entry point has the kernel's signature, whether it looks at its context or not.
#pragma clang diagnostic ignored "-Wunused-parameter"

#define SERVICE 1
#define TIMEOUT_S 10
#define NOW_NS (1000 * NANOSECONDS_PER_SECOND)
#define EXPIRED_NS (NOW_NS - TIMEOUT_S * NANOSECONDS_PER_SECOND)

/// The set has the backends 1 and 2. This CPU draws the first one, the other CPU the second.
enum { OWN = 0, OTHER = 1 };

/// What no position is.
enum { NOT_PREPARED = 97, NOT_FREE = 98, BOUND_ELSEWHERE = 99 };

static const struct dp_address address = { { 0, 0, 0, 0 } };

/// Writes the set, and unless the time is zero a record that binds the client to the first backend.
static __always_inline int prepare(struct dp_frontend *frontend, __u64 last_used_ns)
{
    struct dp_affinity_key key = affinity_of_namespace(7, &address, SERVICE);
    struct dp_affinity record = { .last_used_ns = last_used_ns, .backend_id = 1, .position = OWN };
    __u64 set = 2ull << 32 | 1;
    __u32 zero = 0;

    frontend->service_id = SERVICE;
    frontend->affinity_timeout_s = TIMEOUT_S;
    frontend->internal.set_count = 2;
    if (bpf_map_update_elem(&slots, &zero, &set, BPF_ANY))
        return -1;
    return last_used_ns ? bpf_map_update_elem(&affinity, &key, &record, BPF_ANY) : 0;
}

/// Returns the position that the dial ends with, if the record says the same.
static __always_inline int conclude(__u32 position)
{
    struct dp_affinity_key key = affinity_of_namespace(7, &address, SERVICE);
    struct dp_affinity *record = bpf_map_lookup_elem(&affinity, &key);

    return record && record->backend_id == position + 1 ? position : BOUND_ELSEWHERE;
}

/// Draws the first backend; `is_beaten`: after the other CPU has drawn the second.
static __always_inline int draw(__u64 last_used_ns, int is_beaten)
{
    struct dp_affinity_key key = affinity_of_namespace(7, &address, SERVICE);
    struct dp_frontend frontend = {};

    if (prepare(&frontend, last_used_ns))
        return NOT_PREPARED;
    if (affinity_recall(&key, &frontend, &frontend.internal, NOW_NS) != NO_POSITION)
        return NOT_FREE;
    if (is_beaten)
        affinity_bind(&key, &frontend, &frontend.internal, OTHER, NOW_NS + 1);
    return conclude(affinity_bind(&key, &frontend, &frontend.internal, OWN, NOW_NS));
}

SEC("xdp")
int draw_first(struct xdp_md *ctx)
{
    return draw(0, 0);
}

SEC("xdp")
int draw_first_beaten(struct xdp_md *ctx)
{
    return draw(0, 1);
}

SEC("xdp")
int draw_again(struct xdp_md *ctx)
{
    return draw(EXPIRED_NS, 0);
}

SEC("xdp")
int draw_again_beaten(struct xdp_md *ctx)
{
    return draw(EXPIRED_NS, 1);
}

/// Another CPU has renewed the record since this one took its time.
SEC("xdp")
int recall_renewed(struct xdp_md *ctx)
{
    struct dp_affinity_key key = affinity_of_namespace(7, &address, SERVICE);
    struct dp_frontend frontend = {};

    if (prepare(&frontend, NOW_NS + 1))
        return NOT_PREPARED;
    return affinity_recall(&key, &frontend, &frontend.internal, NOW_NS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
