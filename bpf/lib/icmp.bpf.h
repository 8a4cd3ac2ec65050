/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP (RFC 792) and ICMPv6 (RFC 4443): the kernel's own headers for it draw in those of the host's libc. */
#ifndef MARTLET_LIB_ICMP_H
#define MARTLET_LIB_ICMP_H

#include <linux/types.h>

enum {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO_REQUEST = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
};

enum { ICMP_CODE_HOST_UNREACHABLE = 1, ICMP_CODE_PORT_UNREACHABLE = 3, ICMP_CODE_FRAGMENTATION_NEEDED = 4 };

enum {
    ICMP6_UNREACHABLE = 1,
    ICMP6_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4,
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129,
};

enum { ICMP6_CODE_ADDRESS_UNREACHABLE = 3, ICMP6_CODE_PORT_UNREACHABLE = 4 };

/* The header of both, as errors use it; echo has identifier and sequence number in the last four octets. */
struct icmp_header {
    __u8 type;
    __u8 code;
    __be16 checksum;
    __be16 unused; /* upper half of the MTU in ICMPv6 */
    __be16 mtu_be;
};

#endif
