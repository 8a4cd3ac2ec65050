/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps that carry the decision: `frontends` (hash), `frontend_index`, `frontend_records`, `backends` and `slots`
 * (memory-mapped arrays), `services` (names, for inspection) and `node_ports` (bind protection). Written by the agent
 * only, read by the programs.
 */
#ifndef MARTLET_ABI_FRONTENDS_H
#define MARTLET_ABI_FRONTENDS_H

#include "types.h"

/* Key of `frontends`: what clients dial. A wildcard entry has port 0 and protocol 0. */
struct dp_frontend_key {
    struct dp_address address;
    __u16 port_be;
    __u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
    __u8 pad;      /* zero */
};

/*
 * Element of `frontend_index` (array of __u64, a power of two of them): two places of `frontend_records`, zero where
 * there is none, of frontends whose keys belong into this bucket. It stands in front of `frontends`, which costs
 * several times as much to ask, and answers alone in nearly every case: a frontend is in its bucket unless that is full
 * with others, so that a bucket with room is certain about whom it does not hold. Replacing a bucket is one visible
 * write.
 */
static inline __attribute__((always_inline)) __u32 dp_frontend_bucket(struct dp_frontend_key key)
{
    __u64 sum = ((__u64)key.address.words_be[0] << 32 | key.address.words_be[1]) * 0x9e3779b97f4a7c15ull;

    sum ^= ((__u64)key.address.words_be[2] << 32 | key.address.words_be[3]) * 0xd6e8feb86659fd93ull;
    sum ^= sum >> 32;
    sum += (__u32)key.port_be << 8 | key.protocol;
    sum *= 0xff51afd7ed558ccdull;
    return sum >> 32; /* to be masked */
}

/*
 * The place in `frontend_records` that a record of this bucket usually has: its home. That it has it is said by the
 * bucket alone; but who guesses so can read both at once, not one after the other from memory that is in no cache.
 */
static inline __attribute__((always_inline)) __u32 dp_frontend_home(__u32 bucket, __u32 shift)
{
    return (bucket >> shift) + 1; /* no place is 0 */
}

/*
 * One policy's view of a frontend: what to do, and where its backend set and its choice table are in the `slots`
 * arena. The set is `set_count` backend ids, two to a word, the low half first, from word `set_word` on, ordered by
 * (address, port). The table holds positions in the set, `table_width` bytes each, packed low byte first.
 */
struct dp_choice {
    __u32 set_word;    /* index into `slots` */
    __u32 set_count;   /* backends in the set; zero unless the action is FORWARD */
    __u32 table_word;  /* index into `slots` */
    __u32 table_slots; /* slots of the table; zero: there is none, choose a position uniformly at random */
    __u8 table_width;  /* 1, 2 or 4 bytes a slot; zero when there is no table */
    __u8 action;       /* enum dp_action */
    __u16 pad;         /* zero */
};

/* Everything that the choice needs. A record never changes: a frontend is changed by giving it another one. */
struct dp_frontend {
    __u32 service_id;         /* index into `service_counters`, key of `services` and of affinity records */
    __u32 affinity_timeout_s; /* zero: no session affinity */
    __u16 flags;              /* enum dp_frontend_flags */
    __u8 kind;                /* enum dp_frontend_kind */
    __u8 pad;                 /* zero */
    struct dp_choice external; /* for everybody but this node's own sockets and its pods */
    struct dp_choice internal; /* for those (short-circuit, TP-6) */
    /*
     * What `external` was before the changes that DSR flows are being tracked for, while the flags have CHANGING; else
     * all zero. Its table says besides which slots have moved since, by the top bit of each: only their flows are
     * tracked. Without a set every slot counts as moved, and had no owner before.
     */
    struct dp_choice previous;
};

/*
 * Element of `frontend_records`. The value of `frontends` is an index here (__u32, never 0), and replacing it is the
 * one visible write. A hash map gives a replaced or deleted element to the next update at once, while programs may
 * still read it; all that they can find in it then is another frontend's index. So the record says whose it is, and its
 * place is not used again before the grace period is over.
 */
struct dp_placed_frontend {
    struct dp_frontend_key key;
    struct dp_frontend frontend;
    __u8 pad[36]; /* zero; a record is two cache lines, and the first has all that most packets ask for */
};

/* Element of `backends`; index is the backend id. Id 0 is never used. A free element is all zero. */
struct dp_backend {
    struct dp_address address;
    __u16 port_be;
    __u8 protocol;
    __u8 flags;        /* enum dp_backend_flags */
    __u32 weight;      /* relative weight, at least 1; informational: the table already holds its effect */
};

/* How many cgroups may opt out of translation. */
#define DP_SKIP_CGROUPS_MAX 16

/* Value of `services`, keyed by service id (__u32): the service port that owns the id. NUL-padded UTF-8. */
#define DP_NAME_BYTES 64
struct dp_service {
    char service_namespace[DP_NAME_BYTES];
    char name[DP_NAME_BYTES];
    char port_name[DP_NAME_BYTES];
    __u8 protocol;
    __u8 pad[7]; /* zero */
};

/* Key of `node_ports`: a (port, protocol) that a NodePort frontend of a family holds. The value is a __u8, always 1. */
struct dp_node_port_key {
    __u16 port_be;
    __u8 protocol;
    __u8 family; /* 4 or 6: a node port of one leaves the other's sockets alone */
};

/*
 * Key of `source_ranges` (LPM trie): whom the load-balancer frontends of a service port admit (LBSR). The value is a
 * __u8, enum dp_admission; the longest prefix decides, and who is in none is not admitted.
 */
struct dp_source_range {
    __u32 length; /* in bits from `service_id` on: an IPv4 /24 is 32 + 120 */
    __u32 service_id;
    struct dp_address client;
};

enum dp_admission {
    DP_ADMISSION_DENY = 1,
    DP_ADMISSION_ALLOW = 2,
};

/* Key of `service_cidrs` (LPM trie): a ServiceCIDR. An address inside that no service owns is dropped (SVC-12). */
struct dp_prefix {
    __u32 length; /* in bits of the 16-byte form: an IPv4 /24 is 120 */
    struct dp_address address;
};

#endif
