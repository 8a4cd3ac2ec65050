// A client socket inside a probe, held by its handle. It stays open until it is closed or the probe ends.

package import HostCalls
package import ProbeProtocol

/// One socket of a probe.
package struct Connection {
    private let probe: Probe
    private let handle: Int

    init(_ probe: Probe, handle: Int) {
        self.probe = probe
        self.handle = handle
    }

    /// getpeername: whom the client believes to talk to.
    package func peer() throws(WorldError) -> SocketAddress {
        try probe.call(PeerName(handle: handle))
    }

    /// getsockname.
    package func local() throws(WorldError) -> SocketAddress {
        try probe.call(LocalName(handle: handle))
    }

    /// Sends a datagram or a line of at least `size` bytes, for datagrams optionally as sendto does.
    package func send(
        _ payload: String = "hello", size: Int = 0, to: SocketAddress? = nil
    ) throws(WorldError) {
        _ = try probe.call(Send(handle: handle, payload: payload, size: size, to: to))
    }

    /// Receives a datagram, with the source that recvfrom reports, or a line. Refused with ETIMEDOUT or ENODATA.
    package func receive(within limit: Duration = .seconds(2)) throws(WorldError) -> Receive.Reply {
        try probe.call(Receive(handle: handle, timeout: Int(limit.wholeMilliseconds)), patience: limit + .seconds(30))
    }

    /// Sends a request and returns the server's answer.
    package func request(
        _ payload: String = "hello", size: Int = 0, to: SocketAddress? = nil, within limit: Duration = .seconds(2)
    ) throws(WorldError) -> Answer {
        try send(payload, size: size, to: to)
        let reply = try receive(within: limit)
        guard let answer = reply.answer else {
            throw .refused(by: probe.name, CallFailure("answer", reply.payload, errno: 74))  // EBADMSG
        }
        return answer
    }

    /// Connects an open datagram socket to an address, or to none.
    package func reconnect(to address: SocketAddress?) throws(WorldError) {
        _ = try probe.call(Reconnect(handle: handle, to: address))
    }

    /// Whether the socket still stands, and the error it died of. Reading the error clears it.
    package func check() throws(WorldError) -> CheckAlive.Reply {
        try probe.call(CheckAlive(handle: handle))
    }

    package func close() throws(WorldError) {
        _ = try probe.call(Close(handle: handle))
    }
}

/// A load running inside a probe.
package struct Load {
    private let probe: Probe
    private let number: Int
    private let timeout: Duration

    init(_ probe: Probe, number: Int, timeout: Duration) {
        self.probe = probe
        self.number = number
        self.timeout = timeout
    }

    /// The counters now.
    package func statistics() throws(WorldError) -> LoadStatistics {
        try probe.call(InspectLoad(load: number))
    }

    /// Ends the load and returns its final counters.
    package func stop() throws(WorldError) -> LoadStatistics {
        try probe.call(StopLoad(load: number), patience: timeout + .seconds(30))
    }
}
