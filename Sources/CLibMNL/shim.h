// libmnl with the kernel headers for routes, addresses, sockets and netfilter, and the little that Swift cannot reach by itself:
// the namespace calls, which glibc hides behind _GNU_SOURCE.

#ifndef CLIBMNL_SHIM_H
#define CLIBMNL_SHIM_H

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/// Moves the calling thread, and no other, into the namespace that a descriptor stands for.
int setns(int descriptor, int kind);

/// Gives the calling thread, and no other, new namespaces of the given kinds.
int unshare(int kinds);

/// The kind of namespace that a descriptor stands for (`CLONE_NEW…`), or -1. ioctl is variadic, which Swift cannot
/// call.
static inline int clibmnl_namespace_kind(int descriptor)
{
	return ioctl(descriptor, NS_GET_NSTYPE);
}

#endif
