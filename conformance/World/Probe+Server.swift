// What a test has a probe do as a server.

package import HostCalls
import ProbeProtocol

/// A server inside a probe.
package struct ServerHandle {
    private let probe: Probe
    private let number: Int
    /// Where it listens, with the port that the kernel chose when 0 was asked for.
    package let address: SocketAddress

    init(_ probe: Probe, _ reply: Serve.Reply) {
        self.probe = probe
        number = reply.server
        address = reply.address
    }

    /// Closes the server's socket and, unless they are to live on, its connections.
    package func stop(keepConnections: Bool = false) throws(WorldError) {
        _ = try probe.call(StopServing(server: number, keepConnections: keepConnections))
    }
}

extension Probe {
    /// Serves on every address of the probe, IPv4 and IPv6, answering with the probe's name unless told otherwise.
    @discardableResult
    package func serve(
        _ transport: Transport, port: UInt16, address: String = "::", as name: String? = nil
    ) throws(WorldError) -> ServerHandle {
        let serve = Serve(transport: transport, address: SocketAddress(address, port), name: name ?? self.name)
        return ServerHandle(self, try call(serve))
    }
}
