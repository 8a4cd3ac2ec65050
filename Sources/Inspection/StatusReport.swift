// `martlet status` as a value: the installation, the agent, the outcomes. What it is read from is there with the agent
// down as well. How it looks as a page is in StatusPage.

import BPF
package import Datapath

package struct StatusReport: Codable, Sendable, Hashable {
    package struct Hook: Codable, Sendable, Hashable {
        package var name: String
        package var attached: Bool
        @Nullable package var linkID: UInt32?
        @Nullable package var programID: UInt32?
        /// The kernel's digest of the program, equal for equal programs.
        @Nullable package var programTag: String?
        @Nullable package var cgroupID: UInt64?
        /// Null when the cgroup is gone or out of sight.
        @Nullable package var cgroup: String?
    }

    package struct Map: Codable, Sendable, Hashable {
        package var name: String
        package var type: String
        /// Entries, or elements that hold something; null where nothing of the kind can be said.
        @Nullable package var inUse: Int?
        /// Entries; bytes for a ring buffer.
        package var size: UInt32
        /// What the kernel accounts for it.
        @Nullable package var memoryBytes: UInt64?
    }

    package struct Agent: Codable, Sendable, Hashable {
        package var running: Bool
        /// Null when the agent that runs, or the last one that did, left no state file here.
        @Nullable package var status: AgentStatus?
        /// Why the state file could not be read; null when it could, or when there is none.
        @Nullable package var statusError: String?
    }

    package struct OutcomeCount: Codable, Sendable, Hashable {
        package var name: String
        package var effect: String
        package var count: UInt64
        package var reason: String
    }

    package var pinFolder: String
    package var installed: Bool
    /// Every hook is attached to a living cgroup, and every map pinned.
    package var complete: Bool
    @Nullable package var contractVersion: UInt32?
    /// The version that this build speaks.
    package var supportedContractVersion: UInt32
    package var agent: Agent
    package var hooks: [Hook]
    /// Devices with packet hooks, and those that an agent has looked at; by index.
    package var devices: [Device]
    package var maps: [Map]
    package var missingMaps: [String]
    /// The sum over all maps that tell.
    package var memoryBytes: UInt64
    /// In the order of the enumeration; empty when they cannot be read.
    package var outcomes: [OutcomeCount]
}

extension StatusReport {
    /// Reads everything about a pin folder, whatever is there.
    package static func read(
        _ folder: PinFolder, stateFolder: String = AgentStatus.conventionalFolder
    ) throws(DatapathError) -> StatusReport {
        let agent = try readAgent(folder, stateFolder)
        do {
            let facts = try InstallationFacts.read(folder)
            var paths: [UInt64: String] = [:]
            for id in Set(facts.hooks.map(\.cgroupID)) { paths[id] = try? CGroupTree.path(of: id) }
            var counts: [(outcome: Outcome, count: UInt64)] = []
            if let maps = try? DatapathMaps.open(folder) { counts = try maps.outcomeCounts() }
            return StatusReport(
                folder, facts, agent: agent, cgroupPaths: paths, devices: readDevices(folder, agent), counts: counts)
        } catch {
            throw .kernel(error)
        }
    }

    private static func readAgent(_ folder: PinFolder, _ stateFolder: String) throws(DatapathError) -> Agent {
        let running = try folder.isHeldByAgent()
        do {
            return Agent(running: running, status: try AgentStatus.read(for: folder, in: stateFolder), statusError: nil)
        } catch {
            return Agent(running: running, status: nil, statusError: error.description)
        }
    }

    package init(
        _ folder: PinFolder, _ facts: InstallationFacts, agent: Agent, cgroupPaths: [UInt64: String],
        devices: [Device], counts: [(outcome: Outcome, count: UInt64)]
    ) {
        let attached = facts.hooks.map { Hook($0, cgroup: cgroupPaths[$0.cgroupID]) }
        let missing = facts.isInstalled ? facts.missingHooks.map { Hook(missing: $0) } : []
        self.init(
            pinFolder: folder.path, installed: facts.isInstalled,
            complete: facts.isComplete && attached.allSatisfy(\.attached), contractVersion: facts.contractVersion,
            supportedContractVersion: DatapathMaps.contractVersion, agent: agent, hooks: attached + missing,
            devices: devices,
            maps: facts.maps.map { Map($0) },
            missingMaps: facts.isInstalled ? facts.missingMaps.map(\.rawValue) : [],
            memoryBytes: facts.maps.compactMap(\.info.memoryBytes).reduce(0, +),
            outcomes: counts.map { outcome, count in
                OutcomeCount(
                    name: outcome.name, effect: outcome.effect.rawValue, count: count, reason: outcome.reason)
            })
    }
}

extension StatusReport.Hook {
    fileprivate init(_ fact: InstallationFacts.Hook, cgroup: String?) {
        self.init(
            name: fact.hook.rawValue, attached: fact.cgroupID != 0, linkID: fact.linkID, programID: fact.programID,
            programTag: fact.program?.tag, cgroupID: fact.cgroupID == 0 ? nil : fact.cgroupID, cgroup: cgroup)
    }

    fileprivate init(missing hook: SocketHook) {
        self.init(
            name: hook.rawValue, attached: false, linkID: nil, programID: nil, programTag: nil, cgroupID: nil,
            cgroup: nil)
    }
}

extension StatusReport.Map {
    fileprivate init(_ fact: InstallationFacts.Map) {
        self.init(
            name: fact.name.rawValue, type: "\(fact.info.type)", inUse: fact.inUse, size: fact.info.maxEntries,
            memoryBytes: fact.info.memoryBytes)
    }
}
