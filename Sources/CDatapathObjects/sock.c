/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath_objects.h"

/* libbpf reads ELF headers in place, so the image is aligned as they are. */
static const unsigned char image[] __attribute__((aligned(16))) = {
#embed "objects/sock.bpf.o"
};

const void *martlet_sock_object(void) { return image; }
size_t martlet_sock_object_size(void) { return sizeof(image); }
