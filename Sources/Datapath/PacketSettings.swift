// What an operator says about the packet hooks: on which devices they go, how far down, and what they do with flows.

package import NetworkTypes

package struct PacketSettings: Hashable, Sendable {
    package var devices: DeviceChoice
    package var xdp: XDPChoice
    /// Source ports of masqueraded flows: outside of the ranges of node ports and ephemeral ports.
    package var sourcePorts: ClosedRange<UInt16>
    /// Outer source addresses of tunnels are spread over the range by the flow's hash, so that receivers spread flows
    /// over their queues; nil: the address of the way out.
    package var tunnelSources: PerFamily<CIDR?>
    package var timeouts: FlowTimeouts
    package var dispatch: DirectReturnDispatch

    package init(
        devices: DeviceChoice = .automatic, xdp: XDPChoice = .native, sourcePorts: ClosedRange<UInt16> = 61000...65535,
        tunnelSources: PerFamily<CIDR?> = PerFamily { _ in nil }, timeouts: FlowTimeouts = FlowTimeouts(),
        dispatch: DirectReturnDispatch = .ipip
    ) {
        self.devices = devices
        self.xdp = xdp
        self.sourcePorts = sourcePorts
        self.tunnelSources = tunnelSources
        self.timeouts = timeouts
        self.dispatch = dispatch
    }
}

/// How DSR packets go to backends of other nodes. Every node understands both.
package enum DirectReturnDispatch: String, Hashable, Sendable, CaseIterable {
    /// As they are, in a tunnel (IP in IP, IPv6 in IPv6).
    case ipip
    /// To the backend's own address, with what the client dialled in an IPv4 option or an IPv6 destination option of
    /// the packets that may open a flow.
    case option
}

/// How long a flow is remembered without a packet, in seconds. The defaults are those that kube-proxy sets and that the
/// kernel has.
package struct FlowTimeouts: Hashable, Sendable {
    package var tcpEstablished: UInt32 = 86400
    package var tcpOpening: UInt32 = 60
    /// After FIN from both sides, or a reset.
    package var tcpClosing: UInt32 = 60
    /// Of datagrams that nobody has answered.
    package var datagram: UInt32 = 30
    /// Of datagrams that went both ways.
    package var datagramStream: UInt32 = 180

    package init() {}
}

/// Which devices lead out of the node.
package enum DeviceChoice: Hashable, Sendable {
    /// No packet hooks at all.
    case none
    /// Those with a default route or an address of the node, and tunnels.
    case automatic
    /// Those whose name matches one of the patterns. A pattern with `!` in front excludes devices altogether, whatever
    /// else matches; when no other kind is given, the rest is chosen automatically.
    case patterns([String])
}

/// What is done about XDP.
package enum XDPChoice: String, Hashable, Sendable {
    case off
    /// In the driver where it can, nothing where it cannot.
    case native
    /// In the driver where it can, behind it where it cannot. The kernel has built its packet buffer by then, so this
    /// saves little over TC; it is for trying things out.
    case generic
}
