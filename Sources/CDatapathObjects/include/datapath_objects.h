/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled BPF objects, carried in the binary. `make bpf` builds them; see the Makefile. */
#ifndef MARTLET_DATAPATH_OBJECTS_H
#define MARTLET_DATAPATH_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

/* One of bpf/, named like its file. */
enum martlet_object {
    MARTLET_OBJECT_SOCK,
    MARTLET_OBJECT_NODEPORT_XDP,
    MARTLET_OBJECT_NODEPORT_TC,
};

/*
 * An object as an ELF image: its length, and each of its bytes (0 from the length on). Without a pointer, so that Swift
 * copies it in safe code; it is read once for each start of an agent.
 */
size_t martlet_object_size(enum martlet_object object);
uint8_t martlet_object_byte(enum martlet_object object, size_t place);

#endif
