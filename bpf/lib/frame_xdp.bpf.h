/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Access to a frame from XDP: directly, and with finished checksums. The same names for TC are in frame_tc.bpf.h. */
#ifndef MARTLET_LIB_FRAME_XDP_H
#define MARTLET_LIB_FRAME_XDP_H

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../abi/observe.h"

typedef struct xdp_md frame;

/* Headers that are looked at begin and end below this offset, which lets the verifier follow. */
#define FRAME_HEADERS_MAX 255

/* `size` bytes at `offset`; NULL when the frame is shorter. */
static __always_inline void *frame_at(frame *f, __u32 offset, __u32 size)
{
    void *start = (void *)(long)f->data + (offset & FRAME_HEADERS_MAX);

    if (start + size > (void *)(long)f->data_end)
        return 0;
    return start;
}

static __always_inline __u32 frame_length(frame *f)
{
    return f->data_end - f->data;
}

static __always_inline __u32 frame_interface(frame *f)
{
    return f->ingress_ifindex;
}

static __always_inline __u8 frame_hook(frame *f)
{
    (void)f;
    return DP_HOOK_XDP;
}

/* Link-layer header in front of the IP header. */
static __always_inline __u8 frame_link_bytes(void)
{
    return ETH_HLEN;
}

static __always_inline int frame_load(frame *f, __u32 offset, void *to, __u32 size)
{
    return bpf_xdp_load_bytes(f, offset, to, size);
}

/* EtherType, and where its header begins. What is behind a VLAN tag is left to TC, which finds it taken off. */
static __always_inline __be16 frame_network_protocol(frame *f, __u16 *offset)
{
    struct ethhdr *ethernet = frame_at(f, 0, sizeof(*ethernet));

    *offset = sizeof(*ethernet);
    /* struct ethhdr is packed, and would be read octet by octet. */
    return ethernet ? ((__be16 *)ethernet)[6] : 0;
}

#endif
