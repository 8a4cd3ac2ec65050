// The few system calls of the test world that Swift cannot call itself: those hidden behind _GNU_SOURCE or missing
// from the Glibc module (setns, epoll, accept4, dladdr), the variadic prctl, control messages (macros), and those
// that would need a pointer rebinding for every sockaddr. Names, policy and errors belong to the HostCalls target.
// Every function returns what the call returns: -1 and errno on failure.

#ifndef MARTLET_HOST_CALLS_H
#define MARTLET_HOST_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// One address family choice of a socket. MAPPED is an IPv6 socket that speaks IPv4 through ::ffff:a.b.c.d.
enum host_family {
    HOST_FAMILY_V4 = 0,
    HOST_FAMILY_V6 = 1,
    HOST_FAMILY_MAPPED = 2,
};

// What an epoll registration waits for, and what an event reports. Bits may be combined.
enum host_readiness {
    HOST_READABLE = 1,
    HOST_WRITABLE = 2,
    HOST_FAILED = 4, // error, hang-up, or the peer has closed
};

struct host_event {
    uint64_t token;
    uint32_t readiness;
    uint32_t padding;
};

int host_enter_network(int namespace_fd);
int host_die_with_parent(int signal);
int host_raise_file_limit(uint64_t limit);
const char *host_errno_name(int error);
const char *host_image_path(const void *address);

int host_epoll_create(void);
int host_epoll_add(int epoll, int fd, uint32_t readiness, uint64_t token);
int host_epoll_change(int epoll, int fd, uint32_t readiness, uint64_t token);
int host_epoll_remove(int epoll, int fd);
int host_epoll_wait(int epoll, struct host_event *events, int capacity, int timeout_ms);

// Fills STORAGE from a numeric address. Returns its length, or 0 when TEXT is no address of that family.
socklen_t host_address_parse(const char *text, uint16_t port, int family, struct sockaddr_storage *storage);
// Writes the address as text (at most 46 bytes with the final zero) and the port in host order; -1 if it is neither family.
int host_address_text(const struct sockaddr_storage *storage, char *text, size_t capacity, uint16_t *port);

int host_bind(int fd, const struct sockaddr_storage *address, socklen_t length);
int host_connect(int fd, const struct sockaddr_storage *address, socklen_t length);
int host_disconnect(int fd);
int host_accept(int fd);
int host_local_address(int fd, struct sockaddr_storage *address);
int host_peer_address(int fd, struct sockaddr_storage *address);
int host_set_option(int fd, int level, int name, int value);
int host_set_linger_zero(int fd);
int host_socket_error(int fd);
int host_ask_for_destination(int fd, int is_v6);
int host_set_transmit_checksum(const char *interface, int on);

// Datagrams with both addresses. DESTINATION (port 0) is filled when the socket asked for it, else its family is 0.
ssize_t host_receive_datagram(int fd, void *bytes, size_t capacity, struct sockaddr_storage *source,
                              struct sockaddr_storage *destination);
// SOURCE may have family 0 (the kernel chooses); TO may have family 0 (a connected socket).
ssize_t host_send_datagram(int fd, const void *bytes, size_t count, const struct sockaddr_storage *to,
                           const struct sockaddr_storage *source);

#endif
