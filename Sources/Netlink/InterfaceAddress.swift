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
    /// The other end or the interface below, if it has one: of a veth its peer, of a VLAN the interface that carries it.
    package var peerIndex: UInt32?
    /// The peer is in another network namespace, where `peerIndex` counts.
    package var peerIsElsewhere: Bool
    /// The kind of virtual interface (`veth`, `bridge`, `vlan`, …); nil for loopback and hardware.
    package var kind: String?
    /// The link-layer address; empty if there is none.
    package var hardwareAddress: [UInt8]
    /// What its packets begin with (`ARPHRD_…`).
    package var hardwareType: HardwareType

    package init(
        index: UInt32, name: String, flags: UInt32 = 1, mtu: UInt32 = 1500, masterIndex: UInt32? = nil,
        peerIndex: UInt32? = nil, peerIsElsewhere: Bool = false, kind: String? = nil, hardwareAddress: [UInt8] = [],
        hardwareType: HardwareType = .ethernet
    ) {
        self.index = index
        self.name = name
        self.flags = flags
        self.mtu = mtu
        self.masterIndex = masterIndex
        self.peerIndex = peerIndex
        self.peerIsElsewhere = peerIsElsewhere
        self.kind = kind
        self.hardwareAddress = hardwareAddress
        self.hardwareType = hardwareType
    }

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

    package init(
        address: IPAddress, prefixLength: UInt8, interfaceIndex: UInt32, interfaceName: String = "",
        scope: Scope = .universe, flags: UInt32 = 0
    ) {
        self.address = address
        self.prefixLength = prefixLength
        self.interfaceIndex = interfaceIndex
        self.interfaceName = interfaceName
        self.scope = scope
        self.flags = flags
    }

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
