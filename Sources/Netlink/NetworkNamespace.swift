// One network namespace, held open so that it cannot go away or be mistaken for another: its two names in the kernel,
// and running code inside it. Finding the namespaces of a machine is NamespaceCensus's.

import CLibMNL
import Glibc

/// An open network namespace.
package struct NetworkNamespace: ~Copyable, Sendable {
    private let descriptor: Int32
    /// Where it was opened.
    package let path: String
    /// The inode number that /proc shows (`net:[4026531840]`), unique while the namespace lives.
    package let inode: UInt64

    /// Opens a namespace by a path: `/proc/PID/ns/net`, `/run/netns/NAME`.
    ///
    /// - Throws: `isNotFound` when there is no such path or the process is gone; EINVAL when it is no network
    ///   namespace.
    package static func open(_ path: String) throws(NetlinkError) -> NetworkNamespace {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open network namespace", path) }
        return try NetworkNamespace(owning: descriptor, path)
    }

    /// The calling thread's namespace.
    package static func current() throws(NetlinkError) -> NetworkNamespace {
        try open("/proc/thread-self/ns/net")
    }

    /// Takes the descriptor, whatever happens.
    private init(owning descriptor: Int32, _ path: String) throws(NetlinkError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let failure = NetlinkError.last("open network namespace", path)
            _ = close(descriptor)
            throw failure
        }
        guard clibmnl_namespace_kind(descriptor) == Int32(CLONE_NEWNET) else {
            _ = close(descriptor)
            throw NetlinkError(
                operation: "open network namespace", object: path, errno: EINVAL, detail: "it is something else")
        }
        self.descriptor = descriptor
        self.path = path
        self.inode = UInt64(status.st_ino)
    }

    deinit {
        _ = close(descriptor)
    }

    /// Runs `body` on a new thread inside the namespace and waits for it; the calling thread stays where it is, and
    /// blocks.
    ///
    /// Sockets that `body` opens belong to the namespace and may be returned: they keep belonging to it.
    ///
    /// - Throws: `isPermission` without CAP_SYS_ADMIN, and whatever `body` throws.
    package borrowing func run<Value: ~Copyable & Sendable>(
        _ body: @escaping @Sendable () throws(NetlinkError) -> Value
    ) throws(NetlinkError) -> Value {
        let (descriptor, path) = (descriptor, path)
        return try DedicatedThread.run { () throws(NetlinkError) -> Value in
            guard setns(descriptor, Int32(CLONE_NEWNET)) == 0 else { throw .last("enter network namespace", path) }
            return try body()
        }
    }

    /// The number that programs get from `bpf_get_netns_cookie` (SO_NETNS_COOKIE, Linux 5.14). Never used twice.
    package borrowing func cookie() throws(NetlinkError) -> UInt64 {
        let path = path
        return try run { () throws(NetlinkError) -> UInt64 in
            let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard socket >= 0 else { throw .last("read the cookie of network namespace", path) }
            defer { _ = close(socket) }
            var cookie: UInt64 = 0
            var size = socklen_t(MemoryLayout<UInt64>.size)
            guard unsafe getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 else {
                throw .last("read the cookie of network namespace", path)
            }
            return cookie
        }
    }
}
