// A thread in a network namespace of its own, so that a test changes neither the machine's network nor other threads.

import CLibMNL
import Glibc

/// Runs `body` on a new thread in a new network namespace whose loopback interface is up, and waits for it. The namespace
/// goes away with the thread, unless something in `body` keeps it.
package func inNewNetworkNamespace<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    try onOwnThread {
        guard unshare(CLONE_NEWNET) == 0 else { throw SupportError.last("make a network namespace") }
        try bringLoopbackUp()
        return try body()
    }
}

/// Runs `body` on a new thread and waits for it.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    let work = Work(body)
    var thread = pthread_t()
    let context = unsafe Unmanaged<Runnable>.passUnretained(work).toOpaque()
    let code = unsafe pthread_create(&thread, nil, { context in
        unsafe Unmanaged<Runnable>.fromOpaque(context!).takeUnretainedValue().run()
        return nil
    }, context)
    guard code == 0 else { throw SupportError("start a thread: \(code)") }
    pthread_join(thread, nil)
    guard let result = work.result else { throw SupportError("the thread left no result") }
    return try result.get()
}

/// What a thread does; a class without type parameters, so that a C function can name it.
private class Runnable {
    func run() {}
}

private final class Work<Value>: Runnable {
    private let body: () throws -> Value
    private(set) var result: Result<Value, any Error>?

    init(_ body: @escaping () throws -> Value) { self.body = body }

    override func run() { result = Result { try body() } }
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
