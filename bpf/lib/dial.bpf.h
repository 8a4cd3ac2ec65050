/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One attempt of a socket to reach an address, parsed once from the hook's context; and what became of it. */
#ifndef MARTLET_LIB_DIAL_H
#define MARTLET_LIB_DIAL_H

#include "../abi/frontends.h"
#include "../abi/observe.h"

struct dial {
    struct dp_frontend_key key; /* what the program asked for */
    __u8 hook;                  /* enum dp_hook */
    __u8 is_host;               /* the socket is in the node's own network namespace */
    __u16 pad;
    __u64 netns_cookie;
    __u64 socket_cookie;
};

/* What the hook must do. */
enum verdict {
    VERDICT_PASS,      /* not ours: leave the address alone */
    VERDICT_TRANSLATE, /* send to the chosen backend */
    VERDICT_REFUSE,    /* ECONNREFUSED */
    VERDICT_SILENCE,   /* what a dropped packet would come to */
};

#endif
