/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath_objects.h"

static const uint8_t sock[] = {
#embed "objects/sock.bpf.o"
};

static const uint8_t nodeport_xdp[] = {
#embed "objects/nodeport_xdp.bpf.o"
};

static const uint8_t nodeport_tc[] = {
#embed "objects/nodeport_tc.bpf.o"
};

static const struct {
    const uint8_t *bytes;
    size_t size;
} images[] = {
    [MARTLET_OBJECT_SOCK] = {sock, sizeof(sock)},
    [MARTLET_OBJECT_NODEPORT_XDP] = {nodeport_xdp, sizeof(nodeport_xdp)},
    [MARTLET_OBJECT_NODEPORT_TC] = {nodeport_tc, sizeof(nodeport_tc)},
};

size_t martlet_object_size(enum martlet_object object) { return images[object].size; }

uint8_t martlet_object_byte(enum martlet_object object, size_t place)
{
    return place < images[object].size ? images[object].bytes[place] : 0;
}
