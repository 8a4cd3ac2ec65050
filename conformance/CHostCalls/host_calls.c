// The bodies of host_calls.h: each a thin wrapper, no policy, no state.

#define _GNU_SOURCE
#include "host_calls.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int host_enter_network(int namespace_fd) { return setns(namespace_fd, CLONE_NEWNET); }

int host_die_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int host_raise_file_limit(uint64_t limit) {
    struct rlimit value = {.rlim_cur = limit, .rlim_max = limit};
    return setrlimit(RLIMIT_NOFILE, &value);
}

const char *host_errno_name(int error) { return strerrorname_np(error); }

const char *host_image_path(const void *address) {
    Dl_info info;
    return dladdr(address, &info) == 0 ? NULL : info.dli_fname;
}

static uint32_t epoll_bits(uint32_t readiness) {
    uint32_t bits = EPOLLRDHUP;
    if (readiness & HOST_READABLE)
        bits |= EPOLLIN;
    if (readiness & HOST_WRITABLE)
        bits |= EPOLLOUT;
    return bits;
}

static int control(int epoll, int operation, int fd, uint32_t readiness, uint64_t token) {
    struct epoll_event event = {.events = epoll_bits(readiness), .data.u64 = token};
    return epoll_ctl(epoll, operation, fd, &event);
}

int host_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int host_epoll_add(int epoll, int fd, uint32_t readiness, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, fd, readiness, token);
}

int host_epoll_change(int epoll, int fd, uint32_t readiness, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, fd, readiness, token);
}

int host_epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }

int host_epoll_wait(int epoll, struct host_event *events, int capacity, int timeout_ms) {
    struct epoll_event found[128];
    int limit = capacity < 128 ? capacity : 128;
    int count = epoll_wait(epoll, found, limit, timeout_ms);
    for (int index = 0; index < count; index++) {
        uint32_t bits = found[index].events;
        events[index].token = found[index].data.u64;
        events[index].readiness = (bits & EPOLLIN ? HOST_READABLE : 0) | (bits & EPOLLOUT ? HOST_WRITABLE : 0) |
                                  (bits & (EPOLLERR | EPOLLHUP | EPOLLRDHUP) ? HOST_FAILED : 0);
        events[index].padding = 0;
    }
    return count;
}

socklen_t host_address_parse(const char *text, uint16_t port, int family, struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof(*storage));
    if (family == HOST_FAMILY_V4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
        if (inet_pton(AF_INET, text, &v4->sin_addr) != 1)
            return 0;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
    struct in_addr plain;
    if (family == HOST_FAMILY_MAPPED && inet_pton(AF_INET, text, &plain) == 1) {
        v6->sin6_addr.s6_addr[10] = 0xff;
        v6->sin6_addr.s6_addr[11] = 0xff;
        memcpy(&v6->sin6_addr.s6_addr[12], &plain, sizeof(plain));
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) {
        return 0;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof(*v6);
}

int host_address_text(const struct sockaddr_storage *storage, char *text, size_t capacity, uint16_t *port) {
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
        *port = ntohs(v4->sin_port);
        return inet_ntop(AF_INET, &v4->sin_addr, text, capacity) == NULL ? -1 : 0;
    }
    if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;
        *port = ntohs(v6->sin6_port);
        return inet_ntop(AF_INET6, &v6->sin6_addr, text, capacity) == NULL ? -1 : 0;
    }
    errno = EAFNOSUPPORT;
    return -1;
}

static socklen_t length_of(const struct sockaddr_storage *address) {
    return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

int host_bind(int fd, const struct sockaddr_storage *address, socklen_t length) {
    return bind(fd, (const struct sockaddr *)address, length);
}

int host_connect(int fd, const struct sockaddr_storage *address, socklen_t length) {
    return connect(fd, (const struct sockaddr *)address, length);
}

int host_disconnect(int fd) {
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    return connect(fd, &nothing, sizeof(nothing));
}

int host_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int host_local_address(int fd, struct sockaddr_storage *address) {
    socklen_t length = sizeof(*address);
    return getsockname(fd, (struct sockaddr *)address, &length);
}

int host_peer_address(int fd, struct sockaddr_storage *address) {
    socklen_t length = sizeof(*address);
    return getpeername(fd, (struct sockaddr *)address, &length);
}

int host_set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof(value));
}

int host_set_linger_zero(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

int host_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int host_ask_for_destination(int fd, int is_v6) {
    if (is_v6)
        return host_set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    return host_set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

int host_set_transmit_checksum(const char *interface, int on) {
    struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = on ? 1 : 0};
    struct ifreq request = {.ifr_data = (void *)&value};
    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int result = ioctl(fd, SIOCETHTOOL, &request);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

union control_space {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct cmsghdr alignment;
};

static void read_destination(struct msghdr *message, struct sockaddr_storage *destination) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(header), sizeof(info));
            struct sockaddr_in *v4 = (struct sockaddr_in *)destination;
            v4->sin_family = AF_INET;
            v4->sin_addr = info.ipi_addr;
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(header), sizeof(info));
            struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)destination;
            v6->sin6_family = AF_INET6;
            v6->sin6_addr = info.ipi6_addr;
        }
    }
}

ssize_t host_receive_datagram(int fd, void *bytes, size_t capacity, struct sockaddr_storage *source,
                              struct sockaddr_storage *destination) {
    union control_space space;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_name = source, .msg_namelen = sizeof(*source), .msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = &space, .msg_controllen = sizeof(space)};
    memset(source, 0, sizeof(*source));
    memset(destination, 0, sizeof(*destination));
    ssize_t count = recvmsg(fd, &message, 0);
    if (count >= 0)
        read_destination(&message, destination);
    return count;
}

static void write_source(struct msghdr *message, union control_space *space, const struct sockaddr_storage *source) {
    memset(space, 0, sizeof(*space));
    message->msg_control = space;
    if (source->ss_family == AF_INET) {
        struct in_pktinfo info = {.ipi_spec_dst = ((const struct sockaddr_in *)source)->sin_addr};
        message->msg_controllen = CMSG_SPACE(sizeof(info));
        struct cmsghdr *header = CMSG_FIRSTHDR(message);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(header), &info, sizeof(info));
        return;
    }
    struct in6_pktinfo info = {.ipi6_addr = ((const struct sockaddr_in6 *)source)->sin6_addr};
    message->msg_controllen = CMSG_SPACE(sizeof(info));
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(header), &info, sizeof(info));
}

ssize_t host_send_datagram(int fd, const void *bytes, size_t count, const struct sockaddr_storage *to,
                           const struct sockaddr_storage *source) {
    union control_space space;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (to->ss_family != 0) {
        message.msg_name = (void *)to;
        message.msg_namelen = length_of(to);
    }
    if (source->ss_family != 0)
        write_source(&message, &space, source);
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}
