// What the choice of devices comes to: what is to be attached where, and where nothing is and why.

package struct DeviceAttachment: Hashable, Sendable {
    package var index: UInt32
    package var name: String
    /// Whether it leads out of the node: clients behind it are external. The others lead to pods and machines on this
    /// node; replies of masqueraded connections come in by them.
    package var isExternal: Bool
    /// Whether its packets begin with an Ethernet header. The others begin with the IP header.
    package var hasLinkHeader: Bool
    /// VLANs are built on it. TC finds their tags beside the packet (`vlan_present`), XDP in it, unless the network card
    /// has taken them out, which XDP cannot see.
    package var carriesVLANs: Bool
    /// The largest packet in bytes, from the IP header on.
    package var mtu: UInt32
    package var hooks: Set<PacketHook>

    package init(
        index: UInt32, name: String, isExternal: Bool, hasLinkHeader: Bool = true, carriesVLANs: Bool = false,
        mtu: UInt32 = 1500, hooks: Set<PacketHook>
    ) {
        self.index = index
        self.name = name
        self.isExternal = isExternal
        self.hasLinkHeader = hasLinkHeader
        self.carriesVLANs = carriesVLANs
        self.mtu = mtu
        self.hooks = hooks
    }
}

/// A device that nothing is attached to.
package struct SkippedDevice: Hashable, Codable, Sendable {
    package var index: UInt32
    package var name: String
    /// Why, as the end of a sentence that begins with the name: `is loopback`.
    package var reason: String

    package init(index: UInt32, name: String, reason: String) {
        self.index = index
        self.name = name
        self.reason = reason
    }
}
