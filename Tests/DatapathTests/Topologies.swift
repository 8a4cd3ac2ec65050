// The nodes of DeviceSelectionTests.

import Datapath
import Netlink

extension Topology {
    static let loopback = device(1, "lo", type: .loopback, mtu: 65536, addresses: ["127.0.0.1/8", "::1/128"])

    /// A pod's device on the node.
    private static func pod(_ index: UInt32, _ name: String, above: UInt32? = nil, addresses: [String] = [])
        -> NetworkDevice
    {
        device(index, name, kind: "veth", above: above, lower: 2, elsewhere: true, addresses: addresses)
    }

    static let plainNode = [
        loopback, device(2, "eth0", addresses: ["192.0.2.1/24", "fe80::1/64"], route: true),
        pod(3, "cali1", addresses: ["fe80::ecee/64"]), pod(4, "cali2"),
    ]

    private static let bonded = [
        loopback, device(2, "eth0", above: 4), device(3, "eth1", above: 4),
        device(4, "bond0", kind: "bond", addresses: ["192.0.2.1/24"], route: true),
    ]

    private static let hypervisor = [
        device(2, "eth0", above: 3), device(3, "br0", kind: "bridge", addresses: ["192.0.2.1/24"], route: true),
        device(4, "vnet0", kind: "tun", above: 3), pod(5, "veth1", above: 3),
    ]

    static let all: [Topology] = hardware + layered + bridges + tunnels + pairs + named

    private static let hardware = [
        Topology(
            name: "one card and pods that are routed", devices: plainNode,
            expected: ["eth0*: TX", "cali1: T", "cali2: T"], skipped: ["lo is loopback"]),
        Topology(
            name: "no XDP", devices: plainNode, settings: PacketSettings(xdp: .off),
            expected: ["eth0*: T", "cali1: T", "cali2: T"]),
        Topology(
            name: "a second card with an address, a third that is unused and one that is down",
            devices: [
                device(2, "eth0", addresses: ["192.0.2.1/24"], route: true),
                device(3, "eth1", addresses: ["2001:db8::1/64"]), device(4, "eth2", addresses: ["fe80::1/64"]),
                device(5, "eth3", addresses: ["198.51.100.1/24"], isUp: false),
            ], expected: ["eth0*: TX", "eth1*: TX", "eth2: T", "eth3*: TX"]),
        Topology(
            name: "default routes alone, over two next hops",
            devices: [device(2, "eth0", route: true), device(3, "eth1", route: true)],
            expected: ["eth0*: TX", "eth1*: TX"]),
        Topology(
            name: "dummies and their like, with the node's addresses",
            devices: [
                device(2, "eth0", route: true), device(3, "kube-ipvs0", kind: "dummy", addresses: ["10.96.0.1/32"]),
                device(4, "ifb0", kind: "ifb"), device(5, "nlmon0", kind: "nlmon", type: HardwareType(rawValue: 824)),
                device(6, "can0", kind: "vcan", type: HardwareType(rawValue: 280)),
            ], expected: ["eth0*: TX"], skipped: ["kube-ipvs0 is a dummy", "can0 has packets that begin with neither"]),
    ]

    private static let layered = [
        Topology(
            name: "a bond", devices: bonded, expected: ["bond0*: TX"], skipped: ["eth0 is part of bond0"]),
        Topology(
            name: "a VLAN whose card has no address",
            devices: [device(2, "eth0"), device(3, "eth0.100", kind: "vlan", lower: 2, addresses: ["192.0.2.1/24"])],
            expected: ["eth0: T", "eth0.100*: T"]),
        Topology(
            name: "a VLAN of a bond",
            devices: bonded + [device(5, "bond0.5", kind: "vlan", lower: 4, addresses: ["198.51.100.1/24"])],
            expected: ["bond0*: T", "bond0.5*: T"]),
        Topology(
            name: "a VLAN whose card is in another namespace",
            devices: [device(3, "eth0.100", kind: "vlan", lower: 2, elsewhere: true, route: true), device(2, "other")],
            expected: ["other: T", "eth0.100*: T"]),
        Topology(
            name: "Hyper-V's synthetic device with its virtual function",
            devices: [device(2, "eth0", route: true), device(3, "enP1s1", above: 2)],
            expected: ["eth0*: TX"], skipped: ["enP1s1 is part of eth0"]),
        Topology(
            name: "members of a VRF",
            devices: [
                device(2, "blue", kind: "vrf", addresses: ["127.0.0.1/8"]),
                device(3, "eth0", above: 2, addresses: ["192.0.2.1/24"]),
            ], expected: ["eth0*: TX"], skipped: ["blue has its packets seen at its ports"]),
    ]

    private static let bridges = [
        Topology(
            name: "pods on a bridge of their own",
            devices: [
                device(2, "eth0", addresses: ["192.0.2.1/24"], route: true),
                device(3, "cni0", kind: "bridge", addresses: ["10.1.0.1/24"]), pod(4, "veth1", above: 3),
                pod(5, "veth2", above: 3),
            ], expected: ["eth0*: TX", "veth1: T", "veth2: T"], skipped: ["cni0 has no port that can be told"]),
        Topology(
            name: "a hypervisor whose card is a port", devices: hypervisor,
            expected: ["eth0*: TX", "vnet0: T", "veth1: T"], skipped: ["br0 has its packets seen at its ports"]),
        Topology(
            name: "a bridge over a VLAN of a bond",
            devices: [
                device(2, "eth0", above: 4), device(3, "eth1", above: 4), device(4, "bond0", kind: "bond"),
                device(5, "bond0.9", kind: "vlan", above: 6, lower: 4), device(6, "br0", kind: "bridge", route: true),
            ], expected: ["bond0: T", "bond0.9*: T"]),
        Topology(
            name: "a VLAN of a bridge",
            devices: [
                device(2, "eth0", above: 3), device(3, "br0", kind: "bridge"),
                device(4, "br0.7", kind: "vlan", lower: 3, addresses: ["192.0.2.1/24"]),
            ], expected: ["eth0: TX", "br0.7*: T"]),
        Topology(
            name: "a default route over a bridge of veths alone",
            devices: [device(3, "br0", kind: "bridge", route: true), pod(4, "veth1", above: 3)],
            expected: ["veth1: T"], skipped: ["br0 has no port that can be told to lead out of the node"]),
        Topology(
            name: "a bridge that stretches an overlay",
            devices: [
                device(2, "eth0", route: true), device(3, "br1", kind: "bridge"),
                device(4, "vx7", kind: "vxlan", above: 3, lower: 2),
            ], expected: ["eth0*: TX", "vx7*: T"]),
    ]

    private static let tunnels = [
        Topology(
            name: "overlays and VPNs, in use or not",
            devices: [
                device(2, "eth0", route: true), device(3, "flannel.1", kind: "vxlan", addresses: ["10.1.0.0/32"]),
                device(4, "tunl0", kind: "ipip", type: .ipip, isUp: false),
                device(5, "wg0", kind: "wireguard", type: .none), device(6, "tun0", kind: "tun", type: .none),
                device(7, "tap0", kind: "tun"), device(8, "geneve0", kind: "geneve"),
                device(9, "sit0", kind: "sit", type: .sit), device(10, "gre0", kind: "gre", type: .gre),
                device(11, "ip6tnl0", kind: "ip6tnl", type: .ip6tnl),
            ],
            expected: [
                "eth0*: TX", "flannel.1*: T", "tunl0*: T", "wg0*: T", "tun0*: T", "tap0: T", "geneve0*: T", "sit0*: T",
                "gre0*: T", "ip6tnl0*: T",
            ]),
        Topology(
            name: "a modem without Ethernet",
            devices: [device(2, "ppp0", type: .ppp, addresses: ["192.0.2.1/32"], route: true)],
            expected: ["ppp0*: T"]),
    ]

    private static let pairs = [
        Topology(
            name: "a node that is a container: its card is a veth",
            devices: [
                device(
                    2, "eth0", kind: "veth", lower: 9, elsewhere: true, addresses: ["172.18.0.2/16"], route: true),
                device(3, "eth1", kind: "veth", lower: 8, elsewhere: true, addresses: ["172.19.0.2/16"]),
                pod(4, "vethab"),
            ], expected: ["eth0*: T", "eth1*: T", "vethab: T"]),
        Topology(
            name: "gateways on the pods' devices, as the ptp plugin puts them there",
            devices: [
                device(2, "eth0", route: true), pod(3, "veth1", addresses: ["10.1.0.1/32"]),
                pod(4, "veth2", addresses: ["10.1.0.1/32", "fd00::1/128"]),
            ], expected: ["eth0*: TX", "veth1: T", "veth2: T"]),
        Topology(
            name: "Cilium's pair for the host, and netkit for pods",
            devices: [
                device(2, "eth0", route: true), device(3, "cilium_net", kind: "veth", lower: 4),
                device(4, "cilium_host", kind: "veth", lower: 3, addresses: ["10.0.0.7/32"]),
                device(5, "lxc1", kind: "netkit", lower: 2, elsewhere: true),
            ], expected: ["eth0*: TX", "cilium_net: T", "cilium_host: T", "lxc1: T"]),
    ]

    private static func patterns(_ patterns: String..., xdp: XDPChoice = .native) -> PacketSettings {
        PacketSettings(devices: .patterns(patterns), xdp: xdp)
    }

    private static let named = [
        Topology(
            name: "names instead of routes and addresses",
            devices: [
                device(2, "eth0", route: true), device(3, "eth1"), device(12, "eth10"), pod(5, "veth1"),
                device(6, "flannel.1", kind: "vxlan"),
            ], settings: patterns("eth?"),
            expected: ["eth0*: TX", "eth1*: TX", "veth1: T", "flannel.1: T", "eth10: T"]),
        Topology(
            name: "excluded names have nothing, and what is built on them has no XDP",
            devices: [
                device(2, "eth0", addresses: ["192.0.2.1/24"]), device(3, "eth0.5", kind: "vlan", lower: 2),
                pod(4, "veth1"), pod(5, "docker1"),
            ], settings: patterns("eth*", "!eth0", "!docker*"), expected: ["eth0.5*: T", "veth1: T"],
            skipped: ["eth0 is excluded by the settings", "docker1 is excluded"]),
        Topology(
            name: "exclusions alone leave the rest to the automatic choice", devices: plainNode,
            settings: patterns("!cali2"), expected: ["eth0*: TX", "cali1: T"]),
        Topology(
            name: "the name of a bond's member means the bond", devices: bonded, settings: patterns("eth1"),
            expected: ["bond0*: TX"]),
        Topology(
            name: "an excluded bond has nothing, nor have its members", devices: bonded, settings: patterns("!bond0"),
            expected: []),
        Topology(
            name: "the name of a bridge means its uplinks", devices: hypervisor, settings: patterns("br0"),
            expected: ["eth0*: TX", "vnet0: T", "veth1: T"]),
        Topology(
            name: "an uplink that only its name gives away", devices: hypervisor, settings: patterns("veth1", "lo"),
            expected: ["eth0: T", "vnet0: T", "veth1*: TX"]),
        Topology(
            name: "patterns that match nothing", devices: plainNode, settings: patterns("enp*"),
            expected: ["eth0: T", "cali1: T", "cali2: T"]),
    ]
}
