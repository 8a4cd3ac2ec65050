// One node of the world: a namespace that forwards between its pods, its clients and the fabric, and a cgroup below
// which everything of the node lives, so that a datapath attached there sees the node's sockets and no others.

import HostCalls

/// A node. Made by `World.addNode`.
package final class Node {
    package let name: String
    package let zone: String?
    package let namespace: NetworkNamespace
    /// The node's whole cgroup: where an agent attaches its socket hooks.
    package let group: ControlGroup
    /// A probe in the node's own namespace: a host-network process.
    package let host: Probe
    /// The addresses of eth0, plain.
    package let addresses: [String]
    package private(set) var pods: [Probe] = []

    private unowned let world: World
    private let podGroups: ControlGroup
    private let systemGroups: ControlGroup
    private var interfaces: Set<String> = ["lo", "eth0"]
    /// The node's interface towards each neighbour, by the neighbour's name.
    private var cables: [String: String] = [:]

    init(
        _ name: String, zone: String?, addresses: [String], mtu: Int, in world: World
    ) throws(WorldError) {
        self.name = name
        self.zone = zone
        self.world = world
        let placed = try addresses.map { text throws(WorldError) in
            try AddressText(text, defaultV4: 24, defaultV6: 64)
        }
        self.addresses = placed.map(\.address)
        group = try world.group.child(name)
        podGroups = try group.child("pods")
        systemGroups = try group.child("system")
        namespace = try world.makeNamespace(name)
        host = try world.startProbe(
            name, addresses: placed.map(\.address), namespace, try group.child("host"),
            settings: ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.forwarding=1"])
        try world.connectToFabric(host, addresses: placed, mtu: mtu)
    }

    package var v4: String { host.v4 }
    package var v6: String { host.v6 }

    /// Adds a pod in a namespace of its own, routed by this node and known to the other nodes.
    @discardableResult
    package func addPod(_ name: String, addresses: [String], mtu: Int = 1500) throws(WorldError) -> Probe {
        let pod = try addNeighbour(name, addresses: addresses, group: try podGroups.child(name), mtu: mtu)
        pods.append(pod)
        try world.announce(addresses, of: self)
        return pod
    }

    /// Ends a pod: its process is killed, its namespace and routes go, as when a pod is deleted.
    package func removePod(_ pod: Probe) throws(WorldError) {
        pods.removeAll { $0 === pod }
        try pod.kill()
        try world.withdraw(pod.addresses, of: self)
        // A namespace is dismantled some time after its name is gone; the cable and its routes must go now.
        if let interface = cables.removeValue(forKey: pod.name) { try namespace.configure(["link del \(interface)"]) }
        try world.removeNamespace(pod.namespace)
        let stuck = pod.group.destroy()
        if !stuck.isEmpty { throw .leftovers(stuck) }
    }

    /// Adds another probe in the node's own namespace: a host-network pod.
    package func addHostProbe(_ name: String) throws(WorldError) -> Probe {
        try world.claim(name)
        return try world.startProbe(name, addresses: addresses, namespace, try podGroups.child(name))
    }

    /// Starts a program in the node's namespace and cgroup, such as an agent.
    package func spawn(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:], name: String? = nil
    ) throws(WorldError) -> ChildProcess {
        try world.spawn(
            executable, arguments, environment: environment, in: namespace, group: try systemGroup(for: name),
            name: name)
    }

    /// Runs a program in the node's namespace and cgroup to its end.
    package func run(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws(WorldError) -> ProgramResult {
        try world.tools.result(
            executable, arguments, in: namespace.path, group: systemGroups.path, environment: environment)
    }

    /// Gives an interface of the node another address, such as "192.168.51.1/24".
    package func addAddress(_ address: String, to interface: String = "eth0") throws(WorldError) {
        let placed = try AddressText(address)
        try namespace.configure([placed.assignment(to: interface)])
        try host.awaitAddresses([placed], on: interface)
    }

    package func removeAddress(_ address: String, from interface: String = "eth0") throws(WorldError) {
        try namespace.configure(["addr del \(try AddressText(address).text) dev \(interface)"])
    }

    /// Adds an interface that leads nowhere, to hold addresses: a bridge without ports, since not every kernel has the
    /// dummy driver.
    package func addDummy(_ interface: String, addresses: [String]) throws(WorldError) {
        guard interfaces.insert(interface).inserted else { throw .badName(interface) }
        let placed = try addresses.map { text throws(WorldError) in try AddressText(text) }
        try namespace.configure(
            ["link add \(interface) type bridge", "link set \(interface) up"]
                + placed.map { $0.assignment(to: interface) })
        try host.awaitAddresses(placed, on: interface)
    }

    /// A namespace behind this node on a cable of its own.
    func addNeighbour(
        _ name: String, addresses: [String], group: ControlGroup, mtu: Int
    ) throws(WorldError) -> Probe {
        let placed = try addresses.map { text throws(WorldError) in try AddressText(text) }
        let cable = NeighbourCable(
            interface: interfaceName(for: name), neighbour: world.fullName(name), addresses: placed,
            gateway: v4.isEmpty ? nil : v4, mtu: mtu)
        let neighbourNamespace = try world.makeNamespace(name)
        let probe = try world.startProbe(
            name, addresses: placed.map(\.address), neighbourNamespace, group)
        try namespace.configure(cable.routerCommands)
        cables[name] = cable.interface
        try neighbourNamespace.configure(cable.neighbourCommands)
        try host.awaitAddresses([try AddressText(NeighbourCable.gatewayV6)], on: cable.interface)
        try probe.awaitAddresses(placed, on: "eth0")
        return probe
    }

    /// The node's own interface on the cable to a pod or client behind it.
    package func interface(towards neighbour: Probe) -> String? {
        cables[neighbour.name]
    }

    /// Routes addresses behind another node there, by its own address of the same family; a family that either node
    /// lacks is left out.
    func addRoutes(_ addresses: [String], by other: Node) throws(WorldError) {
        try namespace.configure(try routeCommands("add", addresses, by: other))
    }

    func removeRoutes(_ addresses: [String], by other: Node) throws(WorldError) {
        try namespace.configure(try routeCommands("del", addresses, by: other))
    }

    private func routeCommands(
        _ verb: String, _ addresses: [String], by other: Node
    ) throws(WorldError) -> [String] {
        var commands: [String] = []
        for text in addresses {
            let address = try AddressText(text)
            let gateway = address.isV6 ? other.v6 : other.v4
            let reachable = !(address.isV6 ? v6 : v4).isEmpty && !gateway.isEmpty
            if reachable { commands.append("route \(verb) \(address.host) via \(gateway)") }
        }
        return commands
    }

    private func systemGroup(for name: String?) throws(WorldError) -> ControlGroup {
        guard let name else { return systemGroups }
        let group = ControlGroup(path: systemGroups.path + "/" + name)
        return exists(group.path) ? group : try systemGroups.child(name)
    }

    /// The pod's name as far as 15 characters go, made unique by a number where it must be.
    private func interfaceName(for name: String) -> String {
        var candidate = String(name.prefix(15))
        var number = 1
        while !interfaces.insert(candidate).inserted {
            let suffix = "-\(number)"
            candidate = String(name.prefix(15 - suffix.count)) + suffix
            number += 1
        }
        return candidate
    }
}
