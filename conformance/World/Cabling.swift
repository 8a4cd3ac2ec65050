// How the namespaces of a world are wired, as commands of ip(8): what runs where is the caller's part.
//
//   client --- (veth) --- node n1 --- (veth) --- pod          behind a node: addresses are host routes in the node,
//                            |                                which is the neighbour's default router: by its first
//                          eth0                               IPv4 address, and by fe80::1 on every such link
//                            |
//                      fabric bridge --- eth0 of node n2, of clients on the fabric
//
// No node has a default route, and nothing leads out of the world.

/// A veth pair between a router's namespace and a neighbour behind it, whose side is always eth0.
struct NeighbourCable {
    /// The interface's name on the router's side.
    let interface: String
    /// The neighbour's namespace, by name.
    let neighbour: String
    let addresses: [AddressText]
    /// The router's address that serves as IPv4 gateway; nil when it has none.
    let gateway: String?
    let mtu: Int

    static let gatewayV6 = "fe80::1"

    /// To run in the router's namespace, first.
    var routerCommands: [String] {
        var commands = [
            "link add \(interface) mtu \(mtu) type veth peer name eth0 mtu \(mtu) netns \(neighbour)",
            "addr add \(Self.gatewayV6)/64 dev \(interface) nodad",
            "link set \(interface) up",
        ]
        for address in addresses {
            let source = address.isV6 ? nil : gateway
            commands.append("route add \(address.host) dev \(interface)" + (source.map { " src \($0)" } ?? ""))
        }
        return commands
    }

    /// To run in the neighbour's namespace, second.
    var neighbourCommands: [String] {
        var commands = ["link set lo up", "link set eth0 up"]
        commands += addresses.map { $0.assignment(to: "eth0") }
        if let gateway, addresses.contains(where: { !$0.isV6 }) {
            commands.append("route add default via \(gateway) dev eth0 onlink")
        }
        if addresses.contains(where: \.isV6) {
            commands.append("route add default via \(Self.gatewayV6) dev eth0")
        }
        return commands
    }
}

/// A veth pair between the fabric's bridge and a namespace on it, whose side is eth0.
struct FabricCable {
    static let bridge = "fabric0"
    /// What a new fabric namespace needs.
    static let setUp = [
        "link set lo up", "link add \(bridge) type bridge forward_delay 0 mcast_snooping 0", "link set \(bridge) up",
    ]

    let port: String
    let member: String
    let addresses: [AddressText]
    let mtu: Int

    /// To run in the fabric's namespace, first.
    var fabricCommands: [String] {
        [
            "link add \(port) mtu \(mtu) type veth peer name eth0 mtu \(mtu) netns \(member)",
            "link set \(port) master \(FabricCable.bridge) up",
        ]
    }

    /// To run in the member's namespace, second.
    var memberCommands: [String] {
        ["link set lo up", "link set eth0 up"] + addresses.map { $0.assignment(to: "eth0") }
    }
}
