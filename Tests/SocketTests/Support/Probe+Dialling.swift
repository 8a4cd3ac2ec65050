// A probe's calls by address with port, as services give them.

import HostCalls
import ProbeProtocol
import World

extension Probe {
    /// The probe's own address that a socket of this family dials.
    func address(_ family: AddressFamily) -> String { family == .v6 ? v6 : v4 }

    /// Serves TCP and UDP on a port, on all addresses.
    func serveEcho(port: UInt16 = 8080) throws {
        try serve(.tcp, port: port)
        try serve(.udp, port: port)
    }

    /// `ask` of an address with its port.
    func ask(
        _ transport: Transport, _ to: SocketAddress, family: AddressFamily? = nil, count: Int = 1,
        timeout: Duration = .seconds(2), requestSize: Int = 0, replySize: Int = 0, unconnected: Bool = false
    ) throws -> Answers {
        try ask(
            transport, to.address, to.port, family: family, count: count, timeout: timeout, requestSize: requestSize,
            replySize: replySize, unconnected: unconnected)
    }

    /// `connect` to an address with its port.
    func connect(
        _ transport: Transport, _ to: SocketAddress, family: AddressFamily? = nil, timeout: Duration = .seconds(2)
    ) throws -> Connection {
        try connect(transport, to.address, to.port, family: family, timeout: timeout)
    }
}
