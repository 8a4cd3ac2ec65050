/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled BPF objects, carried in the binary. `make bpf` builds them; see the Makefile. */
#ifndef MARTLET_DATAPATH_OBJECTS_H
#define MARTLET_DATAPATH_OBJECTS_H

#include <stddef.h>

/* bpf/sock.bpf.c as an ELF image: its first byte, valid for ever, and its length. */
const void *martlet_sock_object(void);
size_t martlet_sock_object_size(void);

#endif
