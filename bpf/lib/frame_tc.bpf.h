/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Access to a frame from TC: read directly where it is linear, written through helpers, since checksums may be
 * unfinished (CHECKSUM_PARTIAL). The same names for XDP are in frame_xdp.bpf.h.
 */
#ifndef MARTLET_LIB_FRAME_TC_H
#define MARTLET_LIB_FRAME_TC_H

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../abi/observe.h"

typedef struct __sk_buff frame;

/* <linux/pkt_cls.h> draws in the host's libc. UNSPEC: on to the next program of the device (TCX_NEXT), or up. */
enum { TC_ACT_UNSPEC = -1, TC_ACT_SHOT = 2, TC_ACT_REDIRECT = 7 };

/* Headers that are looked at begin and end below this offset, which lets the verifier follow. */
#define FRAME_HEADERS_MAX 255

/* Link-layer header of the devices that the program is attached to: a tunnel or TUN device has none. */
const volatile __u32 link_header_bytes = ETH_HLEN;

/* `size` bytes at `offset`; NULL when the frame is shorter. */
static __always_inline void *frame_at(frame *f, __u32 offset, __u32 size)
{
    void *start;

    if ((offset & FRAME_HEADERS_MAX) + size > f->data_end - f->data) {
        if ((offset & FRAME_HEADERS_MAX) + size > f->len)
            return 0;
        if (bpf_skb_pull_data(f, (offset & FRAME_HEADERS_MAX) + size))
            return 0;
    }
    start = (void *)(long)f->data + (offset & FRAME_HEADERS_MAX);
    if (start + size > (void *)(long)f->data_end)
        return 0;
    return start;
}

static __always_inline __u32 frame_length(frame *f)
{
    return f->len;
}

/* Link-layer header in front of the IP header. */
static __always_inline __u8 frame_link_bytes(void)
{
    return link_header_bytes;
}

static __always_inline __u32 frame_interface(frame *f)
{
    return f->ifindex;
}

static __always_inline __u8 frame_hook(frame *f)
{
    return f->ingress_ifindex == f->ifindex ? DP_HOOK_TC_INGRESS : DP_HOOK_TC_EGRESS;
}

/*
 * EtherType, and where its header begins. The kernel has taken a VLAN tag out of the frame before, and kept it beside:
 * such a packet is served at the VLAN's own device, and is nothing that we know here.
 */
static __always_inline __be16 frame_network_protocol(frame *f, __u16 *offset)
{
    *offset = link_header_bytes;
    return f->vlan_present ? 0 : f->protocol;
}

static __always_inline int frame_load(frame *f, __u32 offset, void *to, __u32 size)
{
    return bpf_skb_load_bytes(f, offset, to, size);
}

/*
 * A device may have summed the whole packet up (CHECKSUM_COMPLETE), and the kernel drops a packet that disagrees. What
 * is written here does not count there: for changes that a checksum inside of the packet makes up for.
 */
static __always_inline int frame_store(frame *f, __u32 offset, const void *from, __u32 size)
{
    return bpf_skb_store_bytes(f, offset, from, size, 0);
}

/*
 * The same for changes that nothing inside makes up for. Those of IPv6 addresses are among them: bpf_l4_csum_replace()
 * takes them for IPv4's, which the header's own checksum makes up for (until Linux 6.16, which has a flag for it).
 */
static __always_inline int frame_store_summed(frame *f, __u32 offset, const void *from, __u32 size)
{
    return bpf_skb_store_bytes(f, offset, from, size, BPF_F_RECOMPUTE_CSUM);
}

#endif
