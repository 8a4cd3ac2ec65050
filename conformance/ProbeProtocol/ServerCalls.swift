// Calls that make a probe a server, and the one-line answer that its servers give to everything they are sent.
//
// A TCP server answers every line, a UDP server every datagram, with
//   name|client address:port|server's local address:port|size of the request in bytes|
// IPv4-mapped addresses are written as plain IPv4. A request that begins with "reply=N;" has its answer padded with
// "x" to N bytes, so that large packets can be sent both ways. A TCP answer ends with a newline, which counts in N.

package import HostCalls

/// Starts a server. Fails as socket, bind or listen fail.
package struct Serve: ProbeCall {
    package static let name = "serve"

    package let transport: Transport
    /// "::" serves IPv6 and IPv4 alike, answering datagrams from the address they were sent to.
    package let address: SocketAddress
    /// How the server calls itself in its answers.
    package let name: String

    package init(transport: Transport, address: SocketAddress, name: String) {
        self.transport = transport
        self.address = address
        self.name = name
    }

    package struct Reply: Codable, Sendable {
        package let server: Int
        /// With the port that the kernel chose when 0 was asked for.
        package let address: SocketAddress

        package init(server: Int, address: SocketAddress) {
            self.server = server
            self.address = address
        }
    }
}

/// Closes a server's socket, and its accepted connections unless they are to be kept. ENOENT for an unknown one.
package struct StopServing: ProbeCall {
    package static let name = "stopServing"
    package typealias Reply = Done

    package let server: Int
    package let keepConnections: Bool

    package init(server: Int, keepConnections: Bool) {
        self.server = server
        self.keepConnections = keepConnections
    }
}

/// What a server of a probe answered.
package struct Answer: Hashable, Codable, Sendable {
    /// The server's name.
    package let server: String
    /// The client as the server saw it.
    package let client: String
    /// The server's own address on this connection.
    package let local: String
    /// How many bytes of request the server received.
    package let requestSize: Int

    package init(server: String, client: String, local: String, requestSize: Int) {
        self.server = server
        self.client = client
        self.local = local
        self.requestSize = requestSize
    }

    /// Reads an answer; nil when the text is none.
    package init?(parsing text: String) {
        let fields = text.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count >= 4, let size = Int(fields[3]) else { return nil }
        self.init(server: String(fields[0]), client: String(fields[1]), local: String(fields[2]), requestSize: size)
    }

    /// The answer on the wire, padded to at least `size` bytes, without a newline.
    package func text(paddedTo size: Int) -> String {
        let plain = "\(server)|\(client)|\(local)|\(requestSize)|"
        let missing = size - plain.utf8.count
        return missing > 0 ? plain + String(repeating: "x", count: missing) : plain
    }
}
