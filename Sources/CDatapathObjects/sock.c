/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath_objects.h"

static const uint8_t image[] = {
#embed "objects/sock.bpf.o"
};

size_t martlet_sock_object_size(void) { return sizeof(image); }
uint8_t martlet_sock_object_byte(size_t place) { return place < sizeof(image) ? image[place] : 0; }
