// Calls on a probe's client sockets, step by step: open, connect, look, send, receive, close. A handle is a number
// that the probe gives out; an unknown handle fails with EBADF. Times are in milliseconds; a wait that runs out
// fails with ETIMEDOUT, a stream that ends early with ECONNRESET or, in order, ENODATA.

package import HostCalls

/// Opens a socket and, when `to` is there, connects it.
package struct Open: ProbeCall {
    package static let name = "open"

    package let transport: Transport
    package let family: AddressFamily
    package var to: SocketAddress?
    package var bind: SocketAddress?
    /// Allows the bound address to be shared with other sockets.
    package var reuse: Bool
    package var timeout: Int

    package init(
        transport: Transport, family: AddressFamily, to: SocketAddress? = nil, bind: SocketAddress? = nil,
        reuse: Bool = false, timeout: Int = 2000
    ) {
        self.transport = transport
        self.family = family
        self.to = to
        self.bind = bind
        self.reuse = reuse
        self.timeout = timeout
    }

    package struct Reply: Codable, Sendable {
        package let handle: Int
        package init(handle: Int) { self.handle = handle }
    }
}

/// Connects an open socket (again); without an address a datagram socket is disconnected.
package struct Reconnect: ProbeCall {
    package static let name = "reconnect"
    package typealias Reply = Done
    package let handle: Int
    package var to: SocketAddress?
    package var timeout: Int

    package init(handle: Int, to: SocketAddress?, timeout: Int = 2000) {
        self.handle = handle
        self.to = to
        self.timeout = timeout
    }
}

/// getpeername, with IPv4-mapped addresses as the kernel gives them.
package struct PeerName: ProbeCall {
    package static let name = "getpeername"
    package typealias Reply = SocketAddress
    package let handle: Int
    package init(handle: Int) { self.handle = handle }
}

/// getsockname.
package struct LocalName: ProbeCall {
    package static let name = "getsockname"
    package typealias Reply = SocketAddress
    package let handle: Int
    package init(handle: Int) { self.handle = handle }
}

/// Sends a payload of at least `size` bytes; a line is ended with a newline on a stream. With `to`, as sendto does.
package struct Send: ProbeCall {
    package static let name = "send"
    package typealias Reply = Done
    package let handle: Int
    package var payload: String
    package var size: Int
    package var to: SocketAddress?

    package init(handle: Int, payload: String = "hello", size: Int = 0, to: SocketAddress? = nil) {
        self.handle = handle
        self.payload = payload
        self.size = size
        self.to = to
    }
}

/// Receives one line or datagram.
package struct Receive: ProbeCall {
    package static let name = "receive"
    package let handle: Int
    package var timeout: Int

    package init(handle: Int, timeout: Int = 2000) {
        self.handle = handle
        self.timeout = timeout
    }

    package struct Reply: Codable, Sendable {
        package let payload: String
        /// What recvfrom reported; nil on a stream.
        package let source: SocketAddress?

        package init(payload: String, source: SocketAddress?) {
            self.payload = payload
            self.source = source
        }

        /// The payload as a server's answer, if it is one.
        package var answer: Answer? { Answer(parsing: payload) }
    }
}

package struct Close: ProbeCall {
    package static let name = "close"
    package typealias Reply = Done
    package let handle: Int
    package init(handle: Int) { self.handle = handle }
}

/// Whether a socket still stands, without sending anything.
package struct CheckAlive: ProbeCall {
    package static let name = "isAlive"
    package let handle: Int
    package init(handle: Int) { self.handle = handle }

    package struct Reply: Codable, Sendable, Equatable {
        package let alive: Bool
        /// The pending error's name, such as "ECONNABORTED" after a destruction. Reading clears it in the kernel.
        package let error: String?

        package init(alive: Bool, error: String?) {
            self.alive = alive
            self.error = error
        }
    }
}

/// Opens a socket, binds it (and listens, for a stream) and closes it again; fails as bind does.
package struct TryBind: ProbeCall {
    package static let name = "bind"
    package typealias Reply = Done
    package let transport: Transport
    package let family: AddressFamily
    package let address: SocketAddress
    /// Sets IPV6_V6ONLY first: without it an IPv6 socket at the unspecified address listens on IPv4 as well.
    package var onlyIPv6: Bool

    package init(transport: Transport, family: AddressFamily, address: SocketAddress, onlyIPv6: Bool = false) {
        self.transport = transport
        self.family = family
        self.address = address
        self.onlyIPv6 = onlyIPv6
    }
}
