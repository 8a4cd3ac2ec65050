// Addresses and interfaces of this machine as facts. How they are asked for is in RouteSocket.swift.

package import NetworkTypes

/// One network interface (a "link" in the kernel's words).
package struct NetworkInterface: Hashable, Sendable {
    package var index: UInt32
    package var name: String
    /// `IFF_…` flags.
    package var flags: UInt32
    /// The largest packet in bytes, from the IP header on.
    package var mtu: UInt32
    /// The bridge, bond or VRF that it is part of; nil if of none.
    package var masterIndex: UInt32?
    /// The other end or the interface below, if it has one: of a veth its peer, which may be in another namespace.
    package var peerIndex: UInt32?
    /// The kind of virtual interface (`veth`, `bridge`, `vlan`, …); nil for loopback and hardware.
    package var kind: String?
    /// The link-layer address; empty if there is none.
    package var hardwareAddress: [UInt8]

    /// Switched on by its administrator (`IFF_UP`).
    package var isUp: Bool { flags & 1 != 0 }
    package var isLoopback: Bool { flags & 8 != 0 }
}

/// One address of one interface.
package struct InterfaceAddress: Hashable, Sendable {
    /// The machine's own address, also on point-to-point interfaces.
    package var address: IPAddress
    package var prefixLength: UInt8
    package var interfaceIndex: UInt32
    /// Empty when the interface has gone meanwhile.
    package var interfaceName: String
    package var scope: Scope
    /// `IFA_F_…` flags.
    package var flags: UInt32

    /// How far an address is valid (`rt_scope_t`).
    package enum Scope: Hashable, Sendable {
        case universe, site, link, host, nowhere
        /// A scope of the administrator's own.
        case custom(UInt8)

        init(kernel number: UInt8) {
            switch number {
            case 0: self = .universe
            case 200: self = .site
            case 253: self = .link
            case 254: self = .host
            case 255: self = .nowhere
            default: self = .custom(number)
            }
        }
    }

    /// Another address of the interface in the same subnet came first (IPv4, `IFA_F_SECONDARY`).
    package var isSecondary: Bool { address.family == .ipv4 && flags & 0x01 != 0 }
    /// Not to be used for new connections (`IFA_F_DEPRECATED`).
    package var isDeprecated: Bool { flags & 0x20 != 0 }
    /// Not proven to be unique yet, so not usable yet (IPv6, `IFA_F_TENTATIVE`).
    package var isTentative: Bool { flags & 0x40 != 0 }
}
