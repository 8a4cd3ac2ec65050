// A small datapath that is pinned nowhere and attached to one cgroup of its maker's: the real programs, to be tried
// out. It ends with its owner, and knows nothing of the datapath that serves the node.

package import BPF
import CDatapathABI
import DatapathImage
package import NetworkTypes

package struct ScratchDatapath: ~Copyable {
    /// A link has no place in an array of its own, since it cannot be copied.
    private final class Attachment {
        let link: BPFLink
        init(_ link: consuming BPFLink) { self.link = link }
    }

    private let frontends: BPFMap<FrontendKey, UInt32>
    private let nodePorts: BPFMap<NodePortKey, UInt8>
    private let connections: ConnectionTable
    private let control: BPFMap<UInt32, dp_event_switch>
    private var backends: MappedArray<BackendRecord>
    private var slots: MappedArray<UInt64>
    private var records: MappedArray<PlacedFrontend>
    private var events: RingBuffer
    private let programs: Programs
    private var attachments: [Attachment] = []
    private var used: UInt32 = 0
    private var places: UInt32 = 0

    private static let sizes = MapSizes(
        frontends: 64, backends: 64, slotWords: 64, services: 64, nodePorts: 64, serviceCIDRs: 64, connections: 64,
        udpPages: 64, affinity: 64, eventBytes: 65536)

    /// Loads every program; nothing is attached yet.
    ///
    /// - Parameter hostNamespaceCookie: of the namespace whose sockets count as the node's own.
    package init(hostNamespaceCookie: UInt64) throws(BPFError) {
        var object = try Self.open(hostNamespaceCookie: hostNamespaceCookie)
        try object.load()
        // All at once at the end: values that cannot be copied must not be half initialised when something throws.
        let frontends = try BPFMap<FrontendKey, UInt32>(object.map(named: MapName.frontends.rawValue))
        let nodePorts = try BPFMap<NodePortKey, UInt8>(object.map(named: MapName.nodePorts.rawValue))
        let connections = try ConnectionTable(
            places: object.map(named: MapName.connections.rawValue),
            overflow: BPFMap(object.map(named: MapName.connectionsOverflow.rawValue)))
        let control = try BPFMap<UInt32, dp_event_switch>(object.map(named: MapName.eventSwitch.rawValue))
        let backends = try MappedArray<BackendRecord>(object.map(named: MapName.backends.rawValue))
        let slots = try MappedArray<UInt64>(object.map(named: MapName.slots.rawValue))
        let records = try MappedArray<PlacedFrontend>(object.map(named: MapName.frontendRecords.rawValue))
        let events = try RingBuffer(object.map(named: MapName.events.rawValue))
        let programs = try Programs(object)
        self.frontends = frontends
        self.nodePorts = nodePorts
        self.connections = connections
        self.control = control
        self.backends = backends
        self.slots = slots
        self.records = records
        self.events = events
        self.programs = programs
    }

    /// The loaded programs, by hook.
    private struct Programs {
        private final class Holder {
            let program: BPFProgram
            init(_ program: consuming BPFProgram) { self.program = program }
        }

        private var holders: [SocketHook: Holder] = [:]

        init(_ object: borrowing BPFObject) throws(BPFError) {
            for hook in SocketHook.allCases {
                holders[hook] = Holder(try object.program(named: hook.programName))
            }
        }

        func attach(_ hook: SocketHook, _ cgroup: borrowing CGroup) throws(BPFError) -> BPFLink? {
            guard let holder = holders[hook] else { return nil }
            return try BPFLink.attach(holder.program, cgroup: cgroup, hook.attachType)
        }
    }

    /// Has the kernel verify one program by itself, and lets go of it.
    ///
    /// - Returns: what the kernel says about it.
    package static func tryLoading(_ hook: SocketHook) throws(BPFError) -> ProgramInfo {
        var object = try open(hostNamespaceCookie: 0)
        for name in object.programNames { try object.setAutoload(program: name, name == hook.programName) }
        try object.load()
        return try object.program(named: hook.programName).info()
    }

    private static func open(hostNamespaceCookie: UInt64) throws(BPFError) -> BPFObject {
        var object = try DatapathObject.sock.open()
        for map in DatapathObject.sock.maps(of: object) {
            if let size = map.size(in: sizes) { try object.setMaxEntries(map: map.rawValue, size) }
        }
        try object.setConstant("host_netns_cookie", hostNamespaceCookie)
        try object.setConstant("connection_mask", ConnectionTable.mask(places: sizes.connections))
        return object
    }

    /// Attaches one hook, until this value goes away.
    package mutating func attach(_ hook: SocketHook, cgroup path: String) throws(BPFError) {
        guard let link = try programs.attach(hook, CGroup.open(path)) else { return }
        attachments.append(Attachment(link))
    }

    /// Makes a frontend that sends every client to one backend. There is room for some 60 of them.
    package mutating func forward(
        _ frontend: AddressAndPort, _ transport: TransportProtocol, to backend: AddressAndPort
    ) throws(BPFError) {
        used += 1
        backends.write(Int(used), BackendRecord(backend, protocol: transport, weight: 1))
        slots.write(Int(used), UInt64(used))
        let choice = dp_choice(
            set_word: used, set_count: 1, table_word: 0, table_slots: 0, table_width: 0,
            action: UInt8(DP_ACTION_FORWARD.rawValue), pad: 0)
        try write(frontend, transport, choice)
    }

    /// Makes a frontend that refuses everybody.
    package mutating func reject(_ frontend: AddressAndPort, _ transport: TransportProtocol) throws(BPFError) {
        var choice = dp_choice()
        choice.action = UInt8(DP_ACTION_REJECT.rawValue)
        try write(frontend, transport, choice)
    }

    private mutating func write(
        _ frontend: AddressAndPort, _ transport: TransportProtocol, _ choice: dp_choice
    ) throws(BPFError) {
        var record = dp_frontend()
        record.service_id = 1
        record.kind = UInt8(DP_FRONTEND_CLUSTER_IP.rawValue)
        record.`internal` = choice
        record.external = choice
        let key = FrontendKey(frontend, protocol: transport)
        places += 1
        records.write(Int(places), PlacedFrontend(key, FrontendRecord(record)))
        try frontends.update(key, places)
    }

    /// Keeps sockets of the host namespace from binding to a port of a family.
    package func protect(
        _ port: UInt16, _ transport: TransportProtocol, _ family: AddressFamily
    ) throws(BPFError) {
        try nodePorts.update(NodePortKey(port: port, protocol: transport, family: family), 1)
    }

    /// Whether reverse state is kept for a socket.
    package func remembers(socketCookie: UInt64) throws(BPFError) -> Bool {
        var isThere = false
        try connections.forEach { (cookie, _) throws(BPFError) in isThere = isThere || cookie == socketCookie }
        return isThere
    }

    /// Has the programs send events from now on, for ten seconds.
    package func switchEventsOn() throws(BPFError) {
        let until = EventReader.now() + 10_000_000_000
        try control.update(0, dp_event_switch(until_ns: until, per_second: 1000, pad: 0))
    }

    /// The events that have come since the last call.
    package mutating func collectEvents() throws(BPFError) -> [DatapathEvent] {
        var collected: [DatapathEvent] = []
        try events.poll(timeout: .milliseconds(500), as: dp_event.self) { collected.append(DatapathEvent($0)) }
        return collected
    }
}
