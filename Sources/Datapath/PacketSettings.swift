// What an operator says about the packet hooks: on which devices they go, and how far down.

package struct PacketSettings: Hashable, Sendable {
    package var devices: DeviceChoice
    package var xdp: XDPChoice

    package init(devices: DeviceChoice = .automatic, xdp: XDPChoice = .native) {
        self.devices = devices
        self.xdp = xdp
    }
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
