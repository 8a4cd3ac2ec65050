// Brings the datapath into the kernel, or adopts the one that is there: maps are reused as they are, programs are exchanged
// under their links without a gap. Killed half-way, the next start completes the work.

import BPF
import CDatapathABI

struct DatapathInstaller {
    let settings: DatapathSettings
    /// What an operator should know about the installation, such as sizes that were kept.
    private(set) var notices: [String] = []
    /// Places of `connections`, as they are or will be.
    private var places: UInt32
    /// The same of `frontend_index`.
    private var buckets: UInt32
    /// The same of `frontend_records`.
    private var records: UInt32

    init(settings: DatapathSettings) {
        self.settings = settings
        places = settings.sizes.connections
        buckets = FrontendIndex.buckets(frontends: settings.sizes.frontends)
        records = MapName.frontendRecords.size(in: settings.sizes) ?? 0
    }

    /// Installs everything. The caller holds the lock of the pin folder.
    /// - Returns: the programs for devices, which are attached as devices come; nil where none are wanted, or where the
    ///   kernel cannot do them.
    mutating func install() throws(DatapathError) -> PacketPrograms? {
        try DatapathMaps.checkContract(settings.pinFolder)
        do {
            // What is named wrongly is found before anything is pinned.
            let cgroup = try CGroup.open(settings.cgroup)
            for path in settings.skipCgroups { _ = try CGroup.open(path) }
            let sockets = try load(.sock)
            let packets = try loadPacketPrograms()
            try writeContract(in: sockets)
            try fillSkipCgroups(of: sockets)
            try attach(sockets, to: cgroup)
            return packets
        } catch {
            throw .kernel(error)
        }
    }

    /// Loads an object with the maps that are pinned, and pins those that it brings; its maps alone where nobody needs
    /// its programs.
    private mutating func load(
        _ kind: DatapathObject, linkHeaderBytes: UInt32 = 14, mapsOnly: Bool = false
    ) throws(BPFError) -> BPFObject {
        var object = try kind.open()
        let maps = kind.maps(of: object)
        try adopt(maps, in: &object)
        try settings.setConstants(
            of: &object, kind, places: places, buckets: buckets, records: records, linkHeaderBytes: linkHeaderBytes)
        if mapsOnly {
            for program in object.programNames { try object.setAutoload(program: program, false) }
        }
        try object.load()
        try pin(maps, of: object)
        return object
    }

    /// What is for packets must not keep sockets from being served: without it, clients outside of the node are not.
    private mutating func loadPacketPrograms() throws(BPFError) -> PacketPrograms? {
        guard settings.packets.devices != .none else {
            _ = try load(.nodePortTC, mapsOnly: true)
            return nil
        }
        do {
            let framed = try PacketPrograms.Classifiers(load(.nodePortTC))
            let bare = try PacketPrograms.Classifiers(load(.nodePortTC, linkHeaderBytes: 0))
            return PacketPrograms(framed: framed, bare: bare, xdp: loadXDP())
        } catch {
            note("there are no packet hooks, and clients outside of this node are not served: \(error)")
            _ = try load(.nodePortTC, mapsOnly: true)
            return nil
        }
    }

    private mutating func loadXDP() -> BPFProgram? {
        guard settings.packets.xdp != .off else { return nil }
        do {
            return try load(.nodePortXDP).program(named: "martlet_nodeport_xdp")
        } catch {
            note("there is no XDP, and TC does all of the packets' work: \(error)")
            return nil
        }
    }

    /// Sizes the maps that are to be made, and takes those that are pinned already, with the sizes that they have.
    private mutating func adopt(_ maps: [MapName], in object: inout BPFObject) throws(BPFError) {
        for map in maps {
            let size = map.size(in: settings.sizes)
            if let size { try object.setMaxEntries(map: map.rawValue, size) }
            let existing: MapDescriptor
            do {
                existing = try .open(pinned: settings.pinFolder.pin(of: map))
            } catch {
                if error.isNotFound { continue }
                throw error
            }
            let found = try existing.info().maxEntries
            if let size, found != size {
                try object.setMaxEntries(map: map.rawValue, found)
                note(
                    "map \(map.rawValue) exists with room for \(found) and keeps it; the configured \(size) takes effect "
                        + "after `martlet cleanup`")
            }
            if map == .connections { places = found }
            if map == .frontendIndex { buckets = found }
            if map == .frontendRecords { records = found }
            try object.reuse(map: map.rawValue, existing)
        }
    }

    /// Every object says the same about a map that they share.
    private mutating func note(_ notice: String) {
        if !notices.contains(notice) { notices.append(notice) }
    }

    private func pin(_ maps: [MapName], of object: borrowing BPFObject) throws(BPFError) {
        for map in maps {
            do {
                try object.map(named: map.rawValue).pin(at: settings.pinFolder.pin(of: map))
            } catch {
                guard error.isExists else { throw error }
            }
        }
    }

    /// The contract's number is written last, so that a folder which carries it is complete.
    private func writeContract(in object: borrowing BPFObject) throws(BPFError) {
        let contract = try BPFMap<UInt32, dp_contract>(object.map(named: MapName.contract.rawValue))
        try contract.update(0, dp_contract(abi_version: DP_ABI_VERSION, pad: 0))
    }

    private func fillSkipCgroups(of object: borrowing BPFObject) throws(BPFError) {
        guard settings.skipCgroups.count <= Int(DP_SKIP_CGROUPS_MAX) else {
            throw BPFError(
                operation: "leave out cgroups", object: settings.skipCgroups.joined(separator: ", "), errno: 0,
                detail: "there is room for \(DP_SKIP_CGROUPS_MAX)")
        }
        let skipped = try BPFMap<UInt64, UInt8>(object.map(named: MapName.skipCgroups.rawValue))
        let wanted = Set(try settings.skipCgroups.map { path throws(BPFError) in try CGroup.open(path).id })
        let found = Set(try skipped.entries().map(\.key))
        // The programs of the last installation still read it.
        for number in found.subtracting(wanted) { _ = try skipped.delete(number) }
        for number in wanted { try skipped.update(number, 1) }
    }

    private func attach(_ object: borrowing BPFObject, to cgroup: borrowing CGroup) throws(BPFError) {
        for hook in SocketHook.allCases {
            let program = try object.program(named: hook.programName)
            try Self.attach(program, hook, cgroup, settings.pinFolder)
        }
    }

    /// Exchanges the program of the pinned link; makes and pins a link where there is none, or where the pinned one
    /// holds on to another cgroup or to one that is gone.
    private static func attach(
        _ program: borrowing BPFProgram, _ hook: SocketHook, _ cgroup: borrowing CGroup, _ folder: PinFolder
    ) throws(BPFError) {
        let pin = folder.pin(of: hook)
        do {
            let link = try BPFLink.open(pinned: pin)
            if case .cgroup(cgroup.id, _) = try link.info().target {
                try link.update(program: program)
                return
            }
        } catch {
            guard error.isNotFound else { throw error }
        }
        let link = try BPFLink.attach(program, cgroup: cgroup, hook.attachType)
        try AtomicPin.replace(pin, with: link)
    }
}
