// The commonest question of a test: who answers when one dials this address so many times? And what came of it,
// counted by server, by error and by the peer's name.

package import HostCalls

/// Connects, sends one request, reads the answer and closes, `count` times one after another.
package struct Ask: ProbeCall {
    package static let name = "ask"
    package typealias Reply = Answers

    package let transport: Transport
    package let family: AddressFamily
    package let to: SocketAddress
    package var count: Int
    /// Milliseconds for each step of each attempt.
    package var timeout: Int
    package var bind: SocketAddress?
    /// Request and reply sizes in bytes; 0 for short ones.
    package var requestSize: Int
    package var replySize: Int
    /// UDP only: sendto and recvfrom on an unconnected socket instead of connect.
    package var unconnected: Bool

    package init(
        transport: Transport, family: AddressFamily, to: SocketAddress, count: Int = 1, timeout: Int = 2000,
        bind: SocketAddress? = nil, requestSize: Int = 0, replySize: Int = 0, unconnected: Bool = false
    ) {
        self.transport = transport
        self.family = family
        self.to = to
        self.count = count
        self.timeout = timeout
        self.bind = bind
        self.requestSize = requestSize
        self.replySize = replySize
        self.unconnected = unconnected
    }
}

/// Histograms over the attempts of an `Ask`; every attempt is counted once, in `servers` or in `errors`.
package struct Answers: Codable, Sendable, Equatable {
    /// Answers by server name.
    package var servers: [String: Int] = [:]
    /// Failures by errno name; "EBADMSG" for an answer that is none or has the wrong size.
    package var errors: [String: Int] = [:]
    /// The calls that failed, by "call NAME", such as "connect ECONNREFUSED".
    package var failedCalls: [String: Int] = [:]
    /// Answers by what getpeername (recvfrom, when unconnected) said: the address that the client believes in.
    package var peers: [String: Int] = [:]
    /// Answers by the client address, without port, that the server saw.
    package var clients: [String: Int] = [:]
    /// Answers by the server's own address and port.
    package var locals: [String: Int] = [:]

    package init() {}

    /// Answers received.
    package var total: Int { servers.values.reduce(0, +) }
    /// The names of the servers that answered.
    package var names: Set<String> { Set(servers.keys) }
}
