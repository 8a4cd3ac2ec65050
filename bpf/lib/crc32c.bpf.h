/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SCTP's checksum (CRC-32C, RFC 9260 appendix A) by differences. A CRC is linear: what changing the first four octets
 * of a message does to it is the remainder of that change, moved on by the length of the message; so the message itself
 * need not be read. Polynomials are reflected, as SCTP has them.
 */
#ifndef MARTLET_LIB_CRC32C_H
#define MARTLET_LIB_CRC32C_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define CRC32C_POLYNOMIAL 0x82f63b78u

/* Powers that messages of up to 65,535 octets need. */
#define CRC32C_POWERS 16

/* x^(8 * 2^k) modulo the polynomial: moves a remainder on by 2^k octets. */
static const __u32 crc32c_powers[CRC32C_POWERS] = {
    0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c, 0x18b8ea18, 0x510ac59a, 0xb82be955, 0xb8fdb1e7,
    0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a, 0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc,
};

/* The product of two polynomials. */
static __always_inline __u32 crc32c_multiply(__u32 left, __u32 right)
{
    __u32 product = 0;

    for (int bit = 31; bit >= 0; bit--) {
        product ^= right & -((left >> bit) & 1);
        right = (right >> 1) ^ (CRC32C_POLYNOMIAL & -(right & 1));
    }
    return product;
}

/* What the CRC of a message of `length` octets changes by when its first four change by `change` (as the CPU reads). */
__noinline __u32 crc32c_difference(__u32 change, __u32 length)
{
    for (int power = 0; power < CRC32C_POWERS; power++)
        if (length >> power & 1)
            change = crc32c_multiply(crc32c_powers[power], change);
    return change;
}

#endif
