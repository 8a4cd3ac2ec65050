// The datapath of this node as the agent holds it: installed, locked against other agents, its maps open. It implements
// DatapathStore in Datapath+Store.swift. Letting go of it changes nothing in the kernel: traffic goes on.

package import BPF
package import DatapathImage
package import Synchronization

package final class Datapath: Sendable {
    package let maps: DatapathMaps
    package let settings: DatapathSettings
    /// What an operator should know about the installation.
    package let notices: [String]
    /// How many elements the arrays have.
    let capacity: (backends: Int, slots: Int)
    /// Stale sockets destroyed since this process started.
    package let socketsDestroyed = Atomic<UInt64>(0)
    /// Who has which place of `frontend_records`, and is found how.
    let frontendPlaces: Mutex<FrontendPlaces>
    /// For devices that come; nil where there are none.
    let packetPrograms: Mutex<PacketPrograms?>
    private let lock: Mutex<PinFolderLock>

    /// Installs the datapath or adopts the one that is pinned.
    ///
    /// - Throws: `agentIsRunning`, `otherContract`, or what the kernel refused. Whatever was forwarding before still is.
    package init(installing settings: DatapathSettings) throws(DatapathError) {
        try kernel { () throws(BPFError) in try settings.pinFolder.prepare() }
        let lock = try settings.pinFolder.lock()
        var installer = DatapathInstaller(settings: settings)
        let programs = try installer.install()
        let maps = try DatapathMaps.open(settings.pinFolder)
        let capacity = try kernel { () throws(BPFError) in
            (backends: Int(try maps.backends.info().maxEntries), slots: Int(try maps.slots.info().maxEntries))
        }
        self.frontendPlaces = Mutex(
            FrontendPlaces(
                capacity: maps.frontends.capacity, buckets: maps.frontends.buckets, grace: settings.gracePeriod))
        self.packetPrograms = Mutex(programs)
        self.lock = Mutex(lock)
        self.settings = settings
        self.notices = installer.notices
        self.maps = maps
        self.capacity = capacity
    }

    /// The capacities that the maps really have, which may differ from the settings when they were adopted.
    package func limits() throws(BPFError) -> ImageLimits {
        ImageLimits(
            frontends: maps.frontends.maxEntries, backends: capacity.backends, slotWords: capacity.slots,
            services: Int(maps.services.maxEntries), nodePorts: Int(maps.nodePorts.maxEntries),
            serviceCIDRs: Int(maps.serviceCIDRs.maxEntries),
            // Before Linux 6.13 a full trie refuses even another value for an entry that it has.
            sourceRanges: Int(maps.sourceRanges.maxEntries) - 1)
    }

    /// Restores what somebody else took away from under the agent: pins that are gone, links that were detached. Names
    /// what was restored.
    package func repairInstallation() throws(DatapathError) -> [String] {
        let missing = try kernel { () throws(BPFError) in try damage() }
        guard !missing.isEmpty else { return [] }
        try kernel { () throws(BPFError) in try settings.pinFolder.prepare() }
        try renewLock()
        try kernel { () throws(BPFError) in try repinMaps() }
        var installer = DatapathInstaller(settings: settings)
        var programs = try installer.install()
        packetPrograms.withLock { $0 = programs.take() }
        return missing
    }

    /// A folder that was removed and made again is another one than we have locked.
    private func renewLock() throws(DatapathError) {
        let folder = settings.pinFolder
        try lock.withLock { (lock) throws(DatapathError) in
            if !lock.holds(folder) { lock = try folder.lock() }
        }
    }

    private func damage() throws(BPFError) -> [String] {
        let mapPins = Set(try BPFFileSystem.entries(at: "\(settings.pinFolder.path)/maps"))
        var missing = MapName.allCases.filter { !mapPins.contains($0.rawValue) }.map { "pin of map \($0.rawValue)" }
        for hook in SocketHook.allCases {
            do {
                let link = try BPFLink.open(pinned: settings.pinFolder.pin(of: hook))
                if case .cgroup(let id, _) = try link.info().target, id != 0 { continue }
                missing.append("link of hook \(hook.rawValue)")
            } catch {
                guard error.isNotFound else { throw error }
                missing.append("link of hook \(hook.rawValue)")
            }
        }
        return missing
    }

    /// Pins the maps that we hold open again, so that a new installation finds them and no state is lost. Maps that
    /// only the programs use are made anew together with these.
    private func repinMaps() throws(BPFError) {
        try repin(maps.frontends.places.descriptor, .frontends)
        try repin(maps.frontends.index, .frontendIndex)
        try repin(maps.frontends.records, .frontendRecords)
        try repin(maps.backends, .backends)
        try repin(maps.slots, .slots)
        try repin(maps.nodePorts.descriptor, .nodePorts)
        try repin(maps.serviceCIDRs.descriptor, .serviceCIDRs)
        try repin(maps.services.descriptor, .services)
        try repin(maps.connections.places, .connections)
        try repin(maps.connections.overflow.descriptor, .connectionsOverflow)
        try repin(maps.udpPages.descriptor, .udpPages)
        try repin(maps.affinity.descriptor, .affinity)
        try repin(maps.outcomes.descriptor, .outcomes)
        try repin(maps.serviceCounters.descriptor, .serviceCounters)
        try repin(maps.eventSwitch.descriptor, .eventSwitch)
        try repin(maps.sourceRanges.descriptor, .sourceRanges)
        try repin(maps.nodeAddresses.descriptor, .nodeAddresses)
        try repin(maps.devices.descriptor, .devices)
        try repin(maps.node.descriptor, .node)
        try repin(maps.flows.descriptor, .flows)
        try repin(maps.flowReplies.descriptor, .flowReplies)
        try repin(maps.handover.descriptor, .handover)
        try repin(maps.kernelFlows.descriptor, .kernelFlows)
        try repin(maps.nextHops, .nextHops)
        try repin(maps.watch.descriptor, .watch)
        try repin(maps.captureSwitch.descriptor, .captureSwitch)
    }

    private func repin(_ map: borrowing MapDescriptor, _ name: MapName) throws(BPFError) {
        do {
            try map.pin(at: settings.pinFolder.pin(of: name))
        } catch {
            guard error.isExists else { throw error }
        }
    }
}
