// An interface together with what the node does with it: what decides about attaching programs there. Who decides is
// elsewhere.

/// One network interface, its addresses, and whether packets leave by it for lack of a better route.
package struct NetworkDevice: Hashable, Sendable {
    package var interface: NetworkInterface
    /// In the order of the addresses.
    package var addresses: [InterfaceAddress]
    /// A default route of the main table, of either family, leaves by this interface or has a next hop there.
    package var carriesDefaultRoute: Bool

    package init(interface: NetworkInterface, addresses: [InterfaceAddress] = [], carriesDefaultRoute: Bool = false) {
        self.interface = interface
        self.addresses = addresses
        self.carriesDefaultRoute = carriesDefaultRoute
    }

    package var index: UInt32 { interface.index }
    package var name: String { interface.name }
}

/// What the packets of an interface begin with (`ARPHRD_…` of <linux/if_arp.h>). Open: a number without a name is a
/// value too.
package struct HardwareType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// An Ethernet header; also of most virtual interfaces.
    package static let ethernet = HardwareType(rawValue: 1)
    package static let loopback = HardwareType(rawValue: 772)
    /// Nothing before the IP header: tun and WireGuard.
    package static let none = HardwareType(rawValue: 0xfffe)
    package static let ipip = HardwareType(rawValue: 768)
    package static let ip6tnl = HardwareType(rawValue: 769)
    package static let sit = HardwareType(rawValue: 776)
    package static let gre = HardwareType(rawValue: 778)
    package static let gre6 = HardwareType(rawValue: 823)
    /// Mobile modems that carry IP alone.
    package static let rawIP = HardwareType(rawValue: 519)
    /// PPP: its header is there on the wire only, neither when the hooks run inwards nor when they run outwards.
    package static let ppp = HardwareType(rawValue: 512)

    /// Whether what the packet hooks see begins with the IP header itself.
    package var beginsWithIP: Bool {
        [.none, .ipip, .ip6tnl, .sit, .gre, .gre6, .rawIP, .ppp].contains(self)
    }
}
