// A thread in a network namespace of its own, so that a test changes neither the machine's network nor other threads.

import CLibMNL
import Glibc
import Netlink

/// Runs `body` on a new thread in a new network namespace whose loopback interface is up, and waits for it. The
/// namespace goes away with the thread, unless something in `body` keeps it.
package func inNewNetworkNamespace<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    try onOwnThread {
        guard unshare(CLONE_NEWNET) == 0 else { throw SupportError.last("make a network namespace") }
        try bringLoopbackUp()
        return try body()
    }
}

/// Runs `body` on a new thread and waits for it.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    try DedicatedThread.run { Result { try body() } }.get()
}

/// Sets the interface flag IFF_UP on `lo`.
private func bringLoopbackUp() throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard socket >= 0 else { throw SupportError.last("open a socket") }
    defer { _ = close(socket) }
    // struct ifreq: sixteen bytes of name, then the flags, forty bytes in all.
    var request = [UInt8](repeating: 0, count: 40)
    request.replaceSubrange(0..<2, with: Array("lo".utf8))
    request[16] = UInt8(IFF_UP)
    guard unsafe ioctl(socket, UInt(SIOCSIFFLAGS), &request) == 0 else { throw SupportError.last("bring lo up") }
}
