// Readiness of thousands of descriptors at once (epoll, level-triggered). Tokens are the caller's; what they stand
// for is the caller's table.

internal import CHostCalls
internal import Glibc

/// What a descriptor is ready for, or what to wait for.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: HOST_READABLE.rawValue)
    package static let writable = Readiness(rawValue: HOST_WRITABLE.rawValue)
    /// An error, a hang-up or the peer's end of stream; always reported, never asked for.
    package static let failed = Readiness(rawValue: HOST_FAILED.rawValue)
}

/// An epoll instance.
package struct Poller: Sendable {
    private let descriptor: Descriptor

    package init() throws(CallFailure) {
        descriptor = Descriptor(owning: try checked(host_epoll_create(), "epoll_create1"))
    }

    package func add(_ watched: Descriptor, for readiness: Readiness, token: UInt64) throws(CallFailure) {
        try checked(host_epoll_add(descriptor.number, watched.number, readiness.rawValue, token), "epoll_ctl", "add")
    }

    package func change(_ watched: Descriptor, to readiness: Readiness, token: UInt64) throws(CallFailure) {
        try checked(
            host_epoll_change(descriptor.number, watched.number, readiness.rawValue, token), "epoll_ctl", "modify")
    }

    /// Stops watching. A descriptor that is closed leaves by itself.
    package func remove(_ watched: Descriptor) {
        _ = host_epoll_remove(descriptor.number, watched.number)
    }

    /// Up to 128 ready descriptors, or none when the time is over.
    package func wait(milliseconds: Int32) throws(CallFailure) -> [(token: UInt64, readiness: Readiness)] {
        var events = [host_event](repeating: host_event(), count: 128)
        let count = unsafe host_epoll_wait(descriptor.number, &events, 128, milliseconds)
        if count < 0 && errno == EINTR { return [] }
        try checked(count, "epoll_wait")
        return events.prefix(Int(count)).map { ($0.token, Readiness(rawValue: $0.readiness)) }
    }
}
