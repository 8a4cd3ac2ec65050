// What a kind of network device means for the packet hooks: whether packets are seen at it, beside it or below it. Only
// what follows from the device itself and from what it is part of; the choice among devices is DeviceSelection's.

import Netlink
import NetworkTypes

/// The part that a device plays in a packet's way.
enum DeviceRole: Hashable {
    /// Packets arrive here: hardware, VLANs, bonds, veths, and whatever this build has no name for.
    case plain
    /// Packets arrive here out of others: an overlay network between nodes, or a VPN.
    case tunnel
    /// Joins ports, at which packets are seen: a bridge, or a VRF.
    case switching
    /// A part of an aggregate (bond, team, a virtual function below its synthetic device), which has its packets.
    case member(of: UInt32)
    /// No packet arrives here that matters, for the reason given.
    case unsuitable(String)

    init(_ interface: NetworkInterface, among devices: [UInt32: NetworkDevice]) {
        if interface.isLoopback || interface.hardwareType == .loopback {
            self = .unsuitable("is loopback")
        } else if let kind = interface.kind, let reason = Self.unsuitableKinds[kind] {
            self = .unsuitable(reason)
        } else if let kind = interface.kind, ["bridge", "vrf"].contains(kind) {
            self = .switching
        } else if let above = interface.masterIndex.flatMap({ devices[$0] }), above.interface.isAggregate {
            self = .member(of: above.index)
        } else if interface.hardwareType != .ethernet, !interface.hardwareType.beginsWithIP {
            self = .unsuitable("has packets that begin with neither an Ethernet nor an IP header")
        } else if interface.isTunnel {
            self = .tunnel
        } else {
            self = .plain
        }
    }

    /// Devices that exist for something else than packets of others.
    private static let unsuitableKinds = [
        "dummy": "is a dummy: no packet ever arrives there",
        "ifb": "is there to shape packets that arrived elsewhere",
        "nlmon": "shows netlink messages, not packets",
        "vsockmon": "shows messages of virtual machines, not packets",
    ]
}

extension NetworkInterface {
    /// Whether its members' packets are seen here. Bonds and teams have a kind; Hyper-V's synthetic device, which
    /// takes a virtual function in, and net_failover are drivers and have none.
    var isAggregate: Bool { [nil, "bond", "team"].contains(kind) }

    /// Whether what arrives here was inside a packet that arrived elsewhere. A tun without Ethernet is a VPN; a tap (the
    /// same kind with Ethernet) is a virtual machine's.
    var isTunnel: Bool {
        switch kind {
        case "vxlan", "geneve", "ipip", "ip6tnl", "sit", "gre", "gretap", "ip6gre", "ip6gretap", "erspan",
            "ip6erspan", "bareudp", "wireguard", "xfrm", "vti", "vti6", "amt", "gtp":
            true
        case "tun": hardwareType == .none
        default: false
        }
    }

    /// Whether a port of this kind leads out of the node. Of a bridge that holds hardware beside pods' veths and virtual
    /// machines' taps, only the first does. Tunnels lead out by themselves.
    var isUplinkKind: Bool { [nil, "bond", "team", "vlan", "dsa", "hsr", "macvlan"].contains(kind) }

    /// Whether it is one end of a pair whose other end is usually a pod's.
    var isPair: Bool { ["veth", "netkit"].contains(kind) }

    /// The device that its packets pass before they get here, if it is in this namespace: what XDP has to be attached
    /// to, since it runs below VLANs and their like.
    var lowerIndex: UInt32? {
        ["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"].contains(kind) && !peerIsElsewhere ? peerIndex : nil
    }
}

extension NetworkDevice {
    /// Whether it has an address that others reach the node by.
    ///
    /// Link-local and loopback addresses reach nothing beyond the next device. An address for itself alone (/32, /128)
    /// on a pair is a gateway that some network plugins put on each pod's device (`ptp`, Cilium's cilium_host).
    /// Tentative and deprecated addresses count, so that nothing is detached while IPv6 makes up its mind.
    var hasNodeAddress: Bool {
        addresses.contains { entry in
            guard !entry.address.isLinkLocal, !entry.address.isLoopback,
                entry.scope != .link, entry.scope != .host, entry.scope != .nowhere
            else { return false }
            let isForItselfAlone = entry.prefixLength == (entry.address.family == .ipv4 ? 32 : 128)
            return !(interface.isPair && isForItselfAlone)
        }
    }
}
