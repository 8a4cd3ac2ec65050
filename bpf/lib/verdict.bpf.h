/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is to become of a packet. Whoever decides returns a verdict; what it is to the kernel, and the answers that it
 * asks for, are each hook's own (conclude() in nodeport_xdp.bpf.c and nodeport_tc.bpf.c).
 */
#ifndef MARTLET_LIB_VERDICT_H
#define MARTLET_LIB_VERDICT_H

#include "../abi/packets.h"

enum packet_verdict {
    PACKET_PASSES,        /* up the stack, as it is */
    PACKET_IS_TRANSLATED, /* up the stack with another tuple, left for the kernel to route */
    PACKET_IS_FORWARDED,  /* the same, but sent on from here */
    PACKET_IS_TUNNELLED,  /* sent on from here inside of another packet */
    PACKET_IS_DISPATCHED, /* sent on from here to a backend's own address, by option */
    PACKET_HAS_RECORD,    /* not to be tunnelled after all: its flow's record says how it is translated */
    PACKET_IS_DROPPED,    /* the reason has been counted */
    PACKET_FAILS,         /* dropped, and yet to be counted: the kernel refused to write or to send it */
    PACKET_IS_SENT,       /* on its way out of a device */
    PACKET_GOES_BACK,     /* on its way out of the device that it came in by (XDP) */
    PACKET_IS_REFUSED,    /* to be answered with a reset or "port unreachable" */
    PACKET_IS_TOO_BIG,    /* to be answered with "fragmentation needed" */
    PACKET_IS_ECHOED,     /* to be answered with an echo reply */
};

/* What a verdict needs to be carried out. */
struct passage {
    struct dp_flow_key translation; /* IS_TRANSLATED, IS_FORWARDED, IS_DISPATCHED */
    struct dp_address toward;       /* IS_FORWARDED, IS_TUNNELLED, IS_DISPATCHED: whom the way is asked for */
    __u32 service_id;
    __u32 hash;                     /* IS_TUNNELLED: of the flow */
    __u16 backend_port_be;          /* IS_TUNNELLED */
    __u16 mtu;                      /* IS_TOO_BIG: what would fit */
};

#endif
