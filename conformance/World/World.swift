// A piece of network with nodes, pods and clients as real processes in real namespaces and cgroups, for one test: it
// is made, used and removed again, leaving nothing. What runs on its nodes (an agent) is the test's own business.
//
//     try await withWorld { world in
//         let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
//         let web = try node.addPod("web-1", addresses: ["10.0.1.2", "fd00:1::2"])
//         let client = try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"])
//         try web.serve(.tcp, port: 8080)
//         let answers = try client.ask(.tcp, "10.0.1.2", 8080, count: 100)
//         #expect(answers.servers == ["web-1": 100])
//     }

import HostCalls

/// A test's world. Belongs to one task; several may live side by side.
package final class World {
    private let identity: WorldName
    /// A folder for manifests, logs and pins; removed with the world.
    package let folder: String
    let tools: Tools
    /// The world's part of the cgroup tree.
    let group: ControlGroup

    package private(set) var nodes: [Node] = []
    private var namespaces: [NetworkNamespace] = []
    private var processes: [ChildProcess] = []
    private var probes: [Probe] = []
    private var names: Set<String> = []
    private var mounts: [String] = []
    private var fabricNamespace: NetworkNamespace?
    private var fabricPorts = 0
    private let outsideGroup: ControlGroup

    /// The environment that spawned programs get besides what they are given.
    private static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]

    /// Makes an empty world, after removing those whose owners have died. `probe` is the path of martlet-probe, by
    /// default beside the running program or test bundle.
    package init(probe: String? = nil) throws(WorldError) {
        guard isRoot() else { throw .notRoot }
        let mountPoint = try ControlGroup.mountPoint()
        WorldRemains.sweep(controlGroups: mountPoint)
        identity = WorldName()
        folder = "\(WorldRemains.scratch)/\(identity)"
        tools = try Tools(probe: probe, folder: folder)
        let folder = self.folder
        try onHost { () throws(CallFailure) in try makeDirectory(folder) }
        do {
            group = try .create("\(mountPoint)/\(identity)")
            outsideGroup = try group.child("outside")
        } catch {
            _ = WorldRemains(identity, controlGroups: mountPoint).remove()
            throw error
        }
    }

    /// The name that every object of this world begins with.
    package var name: String { "\(identity)" }

    /// Adds a node whose eth0, on the fabric that all nodes share, has these addresses (/24 and /64 unless given).
    package func addNode(
        _ name: String, zone: String? = nil, addresses: [String], mtu: Int = 1500
    ) throws(WorldError) -> Node {
        let node = try Node(name, zone: zone, addresses: addresses, mtu: mtu, in: self)
        for other in nodes { for pod in other.pods { try node.addRoutes(pod.addresses, by: other) } }
        nodes.append(node)
        return node
    }

    /// Adds a client outside of every node's cgroup, on a cable of its own to a node, which is its default router.
    package func addClient(
        _ name: String, addresses: [String], behind node: Node, mtu: Int = 1500
    ) throws(WorldError) -> Probe {
        try node.addNeighbour(name, addresses: addresses, group: try outsideGroup.child(name), mtu: mtu)
    }

    /// Adds a client outside of every node's cgroup, on the fabric beside the nodes (/24 and /64 unless given), with
    /// a node as default router if one is named.
    package func addFabricClient(
        _ name: String, addresses: [String], router: Node? = nil, mtu: Int = 1500
    ) throws(WorldError) -> Probe {
        let placed = try addresses.map { text throws(WorldError) in
            try AddressText(text, defaultV4: 24, defaultV6: 64)
        }
        let namespace = try makeNamespace(name)
        let probe = try startProbe(name, addresses: placed.map(\.address), namespace, try outsideGroup.child(name))
        try connectToFabric(probe, addresses: placed, mtu: mtu)
        let gateways = [router?.v4, router?.v6].compactMap { $0 }.filter { gateway in
            !gateway.isEmpty && placed.contains { $0.isV6 == gateway.contains(":") }
        }
        try namespace.configure(gateways.map { "route add default via \($0)" })
        return probe
    }

    /// Starts a program in a namespace and cgroup, its output going to files in the world's folder.
    package func spawn(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        in namespace: NetworkNamespace, group: ControlGroup? = nil, name: String? = nil
    ) throws(WorldError) -> ChildProcess {
        let name = name ?? String(executable.split(separator: "/").last ?? "program")
        let stem = "\(folder)/\(name)-\(processes.count + 1)"
        let program = tools.enclosed(
            executable, arguments, in: namespace.path, group: (group ?? outsideGroup).path, name: name,
            environment: Self.environment.merging(environment) { _, given in given })
        let child = try ChildProcess.start(program, outputPath: stem + ".out", errorPath: stem + ".err")
        processes.append(child)
        return child
    }

    /// Writes a file in the world's folder and returns its path.
    package func write(_ text: String, to file: String) throws(WorldError) -> String {
        let path = "\(folder)/\(file)"
        try onHost { () throws(CallFailure) in try writeText(text, to: path, create: true) }
        return path
    }

    /// Makes a folder in the world's folder and returns its path.
    package func makeFolder(_ name: String) throws(WorldError) -> String {
        let path = "\(folder)/\(name)"
        try onHost { () throws(CallFailure) in try makeDirectory(path) }
        return path
    }

    /// Mounts a BPF file system of this world's own in its folder, for an agent's pins, and returns its path.
    package func mountPins(_ name: String = "bpf") throws(WorldError) -> String {
        let path = try makeFolder(name)
        try onHost { () throws(CallFailure) in try mountFileSystem("bpf", on: path) }
        mounts.append(path)
        return path
    }

    /// Ends every process and removes everything. Throws `.leftovers` naming what would not go.
    package func tearDown() throws(WorldError) {
        for process in processes where process.exitStatus == nil { try? process.kill() }
        for probe in probes where probe.isRunning { try? probe.kill() }
        var stuck = group.destroy()
        for namespace in namespaces { stuck += namespace.destroy() }
        for mount in mounts { try? unmount(mount) }
        stuck += removeTree(folder)
        if !stuck.isEmpty { throw .leftovers(stuck) }
    }
}

extension World {
    /// Takes a name within this world.
    func claim(_ name: String) throws(WorldError) {
        let allowed = name.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" }
        guard !name.isEmpty, allowed, names.insert(name).inserted else { throw .badName(name) }
    }

    /// The machine-wide name of a namespace of this world.
    func fullName(_ name: String) -> String { "\(identity)-\(name)" }

    func makeNamespace(_ name: String) throws(WorldError) -> NetworkNamespace {
        try claim(name)
        let namespace = try NetworkNamespace.create(fullName(name), tools)
        namespaces.append(namespace)
        return namespace
    }

    func removeNamespace(_ namespace: NetworkNamespace) throws(WorldError) {
        namespaces.removeAll { $0.name == namespace.name }
        let stuck = namespace.destroy()
        if !stuck.isEmpty { throw .leftovers(stuck) }
    }

    func startProbe(
        _ name: String, addresses: [String], _ namespace: NetworkNamespace, _ group: ControlGroup,
        settings: [String] = []
    ) throws(WorldError) -> Probe {
        let probe = try Probe(
            name, addresses: addresses, namespace: namespace, group: group, tools: tools, settings: settings)
        probes.append(probe)
        return probe
    }

    /// Gives a probe's namespace an eth0 on the fabric, which is made for the first.
    func connectToFabric(
        _ probe: Probe, addresses: [AddressText], mtu: Int
    ) throws(WorldError) {
        let fabric = try fabric()
        let member = probe.namespace
        fabricPorts += 1
        let cable = FabricCable(port: "port\(fabricPorts)", member: member.name, addresses: addresses, mtu: mtu)
        try fabric.configure(cable.fabricCommands)
        try member.configure(cable.memberCommands)
        try probe.awaitAddresses(addresses, on: "eth0")
    }

    /// The namespace of the bridge that connects the nodes.
    package func fabric() throws(WorldError) -> NetworkNamespace {
        if let fabricNamespace { return fabricNamespace }
        let namespace = try makeNamespace("fabric")
        try namespace.configure(FabricCable.setUp)
        fabricNamespace = namespace
        return namespace
    }

    /// Lets every other node route these addresses to `node`.
    func announce(_ addresses: [String], of node: Node) throws(WorldError) {
        for other in nodes where other !== node { try other.addRoutes(addresses, by: node) }
    }

    func withdraw(_ addresses: [String], of node: Node) throws(WorldError) {
        for other in nodes where other !== node { try other.removeRoutes(addresses, by: node) }
    }
}

/// Makes a world, has the body use it, and removes it, also when the body throws (whose error then wins). All of it
/// runs on a thread of its own, where it may block as it needs to without holding up other tasks.
package func withWorld<Result: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ body: (World) async throws -> Result
) async throws -> Result {
    let thread = try OwnThread()
    defer { thread.finish() }
    return try await withTaskExecutorPreference(thread) {
        let world = try World()
        let result: Result
        do {
            result = try await body(world)
        } catch {
            try? world.tearDown()
            throw error
        }
        try world.tearDown()
        return result
    }
}
