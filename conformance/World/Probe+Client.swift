// What a test has a probe do as a client. Every function names the transport, then where to; the socket family
// follows from the address unless it is chosen (IPv4-mapped always is).

package import HostCalls
package import ProbeProtocol

extension Probe {
    /// Connects, asks once and closes, `count` times, and counts who answered. Errors are counted, not thrown.
    package func ask(
        _ transport: Transport, _ address: String, _ port: UInt16, family: AddressFamily? = nil, count: Int = 1,
        timeout: Duration = .seconds(2), bind: SocketAddress? = nil, requestSize: Int = 0, replySize: Int = 0,
        unconnected: Bool = false
    ) throws(WorldError) -> Answers {
        let to = SocketAddress(address, port)
        let ask = Ask(
            transport: transport, family: family ?? to.family, to: to, count: count,
            timeout: Int(timeout.wholeMilliseconds), bind: bind, requestSize: requestSize, replySize: replySize,
            unconnected: unconnected)
        return try call(ask, patience: timeout * (3 * count) + .seconds(30))
    }

    /// Opens a connection (for UDP, a connected socket) that the test goes on to use step by step.
    package func connect(
        _ transport: Transport, _ address: String, _ port: UInt16, family: AddressFamily? = nil,
        bind: SocketAddress? = nil, reuse: Bool = false, timeout: Duration = .seconds(2)
    ) throws(WorldError) -> Connection {
        let to = SocketAddress(address, port)
        let open = Open(
            transport: transport, family: family ?? to.family, to: to, bind: bind, reuse: reuse,
            timeout: Int(timeout.wholeMilliseconds))
        return Connection(self, handle: try call(open).handle)
    }

    /// Opens a UDP socket without connecting it.
    package func openDatagram(
        _ family: AddressFamily, bind: SocketAddress? = nil, reuse: Bool = false
    ) throws(WorldError) -> Connection {
        let open = Open(transport: .udp, family: family, bind: bind, reuse: reuse)
        return Connection(self, handle: try call(open).handle)
    }

    /// Binds (and listens, for a stream) and closes again; throws as bind does.
    package func bind(
        _ transport: Transport, _ address: String, _ port: UInt16, family: AddressFamily? = nil, onlyIPv6: Bool = false
    ) throws(WorldError) {
        let address = SocketAddress(address, port)
        let bind = TryBind(
            transport: transport, family: family ?? address.family, address: address, onlyIPv6: onlyIPv6)
        _ = try call(bind)
    }

    /// Begins a load in the background.
    package func startLoad(
        _ transport: Transport, _ address: String, _ port: UInt16, family: AddressFamily? = nil, mode: LoadMode,
        concurrency: Int, rest: Duration = .zero, timeout: Duration = .seconds(5), limit: Int = 0, reset: Bool = true
    ) throws(WorldError) -> Load {
        let to = SocketAddress(address, port)
        let start = StartLoad(
            transport: transport, family: family ?? to.family, to: to, mode: mode, concurrency: concurrency,
            timeout: Int(timeout.wholeMilliseconds), rest: Int(rest.wholeMilliseconds), limit: limit, reset: reset)
        return Load(self, number: try call(start).load, timeout: timeout)
    }

    /// Whether sockets of this transport can be opened here; false for Multipath TCP on a kernel without it.
    package func canOpen(_ transport: Transport, _ family: AddressFamily = .v4) throws(WorldError) -> Bool {
        do {
            let handle = try call(Open(transport: transport, family: family)).handle
            _ = try call(Close(handle: handle))
            return true
        } catch {
            let absent = ["EPROTONOSUPPORT", "ENOPROTOOPT"]
            guard let refused = error.refusal, absent.contains(refused.name) else { throw error }
            return false
        }
    }

    /// Writes a kernel setting of the probe's network namespace, such as "net.ipv4.ip_forward".
    package func set(_ setting: String, _ value: String) throws(WorldError) {
        _ = try call(SetSetting(setting: setting, value: value))
    }

    /// Reads a kernel setting.
    package func setting(_ setting: String) throws(WorldError) -> String {
        try call(ReadSetting(setting: setting)).value
    }

    /// Turns an interface's transmit checksum offload off, which XDP programs at the other end of a veth need.
    package func turnOffChecksumOffload(_ interface: String = "eth0") throws(WorldError) {
        _ = try call(SetChecksumOffload(interface: interface, on: false))
    }
}
