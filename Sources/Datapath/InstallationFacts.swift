// What is pinned in a folder, read from the outside and as far as it is there: the contract, each hook's link and
// program, each map with its size, use and cost. Also tells about an installation that is incomplete or not of this
// build.

package import BPF
import CDatapathABI
import DatapathImage

package struct InstallationFacts: Sendable {
    package struct Hook: Sendable {
        package let hook: SocketHook
        package let linkID: UInt32
        package let programID: UInt32
        /// Nil when the program cannot be asked.
        package let program: ProgramInfo?
        /// The kernel's number of the cgroup; zero once the cgroup is gone, and the hook with it.
        package let cgroupID: UInt64
    }

    package struct Map: Sendable {
        package let name: MapName
        package let info: MapInfo
        /// Entries or elements that hold something; nil for maps where nothing of the kind can be said.
        package let inUse: Int?
    }

    /// What the `contract` map says; nil when there is none.
    package let contractVersion: UInt32?
    /// Those that are pinned, in the order of attaching.
    package let hooks: [Hook]
    package let missingHooks: [SocketHook]
    /// Those that are pinned, in the order of `MapName`.
    package let maps: [Map]
    package let missingMaps: [MapName]

    package var isInstalled: Bool { !hooks.isEmpty || !maps.isEmpty }
    package var isComplete: Bool { missingHooks.isEmpty && missingMaps.isEmpty }

    /// Reads the folder. Walks the hash maps to count their entries: some milliseconds for 100,000 entries.
    package static func read(_ folder: PinFolder) throws(BPFError) -> InstallationFacts {
        var hooks: [Hook] = []
        for hook in SocketHook.allCases {
            if let attached = try read(hook, folder) { hooks.append(attached) }
        }
        let attached = Set(hooks.map(\.hook))
        let contract = try readContract(folder)
        let uses = contract == DP_ABI_VERSION ? try Self.uses(folder) : [:]
        var maps: [Map] = []
        var missing: [MapName] = []
        for name in MapName.allCases {
            guard
                let info = try pinned({ () throws(BPFError) in
                    try MapDescriptor.open(pinned: folder.pin(of: name)).info()
                })
            else {
                missing.append(name)
                continue
            }
            maps.append(Map(name: name, info: info, inUse: uses[name]))
        }
        return InstallationFacts(
            contractVersion: contract, hooks: hooks,
            missingHooks: SocketHook.allCases.filter { !attached.contains($0) }, maps: maps, missingMaps: missing)
    }

    private static func read(_ hook: SocketHook, _ folder: PinFolder) throws(BPFError) -> Hook? {
        try pinned { () throws(BPFError) in
            let info = try BPFLink.open(pinned: folder.pin(of: hook)).info()
            var cgroupID: UInt64 = 0
            if case .cgroup(let id, _) = info.target { cgroupID = id }
            let program = try? BPFProgram.open(id: info.programID).info()
            return Hook(
                hook: hook, linkID: info.id, programID: info.programID, program: program, cgroupID: cgroupID)
        }
    }

    private static func readContract(_ folder: PinFolder) throws(BPFError) -> UInt32? {
        try pinned { () throws(BPFError) in
            try BPFMap<UInt32, dp_contract>.open(pinned: folder.pin(of: .contract)).lookup(0)?.abi_version
        } ?? nil
    }

    /// How much of each map is in use; of those only that are there, and of which it can be told.
    private static func uses(_ folder: PinFolder) throws(BPFError) -> [MapName: Int] {
        guard let maps = try? DatapathMaps.open(folder) else { return [:] }
        var records: [FrontendKey: FrontendRecord] = [:]
        try maps.frontends.forEach { (key, _, record) throws(BPFError) in records[key] = record }
        let ranges = Set(records.values.flatMap(\.slotRanges))
        let backends = try MappedArray<BackendRecord>(maps.backends, access: .readOnly)
        let overflow = try maps.connections.overflow.count()
        return [
            .frontends: records.count,
            .backends: (0..<backends.count).count { !backends.read($0).isFree },
            .slots: ranges.reduce(0) { $0 + $1.count },
            .nodePorts: try maps.nodePorts.count(),
            .serviceCIDRs: try maps.serviceCIDRs.count(),
            .sourceRanges: try maps.sourceRanges.count(),
            .nodeAddresses: try maps.nodeAddresses.count(),
            .devices: try maps.devices.count(),
            .flows: try maps.flows.count(),
            .services: try maps.services.count(),
            .connections: max(0, try maps.connections.count() - overflow),
            .connectionsOverflow: overflow,
            .udpPages: try maps.udpPages.count(),
            .affinity: try maps.affinity.count(),
        ]
    }

    /// Nil when the pin is not there.
    private static func pinned<Value>(_ read: () throws(BPFError) -> Value) throws(BPFError) -> Value? {
        do {
            return try read()
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}

extension DatapathMaps {
    /// The contract that this build speaks.
    package static var contractVersion: UInt32 { DP_ABI_VERSION }
}
