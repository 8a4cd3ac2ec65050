// The largest cluster that the design speaks of: facts through the planner, the image and the reconciler into the kernel's
// maps, as the agent has them, in this process; then one change at that size, and a restart that takes over what is there.

import BPF
import BenchSupport
import Datapath
import DatapathImage
import HostCalls
import LoadBalancing
import NetworkTypes
import PacketKit
import Reconciler

struct ScaleBench {
    let facts: SyncFacts
    let changes: Int

    static let nodeAddresses: [IPAddress] = ["192.168.50.1"]

    /// Milliseconds by the clock, and what this process had of the processors meanwhile: on a busy machine the rest is
    /// waiting.
    struct Span: Codable, Sendable {
        private(set) var milliseconds = 0.0
        private(set) var processor = 0.0

        /// What has passed since a moment. Begins another span.
        static func since(_ moment: inout Moment) -> Span {
            let now = Moment()
            defer { moment = now }
            var span = Span()
            span.milliseconds = martlet_bench.milliseconds(now.clock - moment.clock)
            span.processor = now.processor - moment.processor
            return span
        }

        struct Moment {
            let clock = ContinuousClock.now
            let processor = processorMilliseconds()
        }
    }

    /// Milliseconds; memory in bytes.
    struct Figures {
        var sync = Span()
        /// Of the first sync.
        var plan = 0.0
        var maps = 0.0
        var change: [Double] = []
        /// Of the restart: the maps found again and read; the same facts planned once more and compared.
        var adopt = Span()
        var restore = Span()
        var compare = Span()
        var mapMemory: [(name: String, bytes: UInt64)] = []
    }

    /// Room for it, as a configuration file would ask for it; what else there is keeps its default.
    var sizes: MapSizes {
        MapSizes(
            frontends: UInt32(facts.frontends + facts.frontends / 8 + 64),
            backends: UInt32(facts.services * facts.endpoints * 9 / 8 + 1024),
            slotWords: UInt32(facts.services * 240 + 65536), services: UInt32(facts.services + 1024),
            nodePorts: UInt32(facts.services + 1024))
    }

    /// Leaves the datapath pinned, with everything in it.
    func run(_ settings: DatapathSettings) async throws -> Figures {
        var figures = Figures()
        try await sync(settings, &figures)
        try await restart(settings, &figures)
        return figures
    }

    private func sync(_ settings: DatapathSettings, _ figures: inout Figures) async throws {
        let datapath = try Datapath(installing: settings)
        try datapath.setTraffic(NodeTraffic(addresses: Self.nodeAddresses))
        let store = TimedStore(datapath)
        let reconciler = Reconciler(store: store, limits: try datapath.limits(), seed: 1)
        var planner = makePlanner()
        let all = facts.all
        var moment = Span.Moment()
        let (began, planned, _, _) = try await programme(all, &planner, reconciler)
        figures.sync = .since(&moment)
        figures.plan = milliseconds(planned - began)
        figures.maps = milliseconds(store.takeTime())
        try check(datapath)
        for number in 0..<changes {
            let index = (number / 2 * 7919) % facts.services
            let change = facts.change(index, without: number % 2 == 0 ? 1 : nil)
            let (began, _, ended, _) = try await programme([change], &planner, reconciler)
            figures.change.append(milliseconds(ended - began))
            _ = await reconciler.tick(now: .now)
        }
        for map in MapName.allCases {
            let info = try MapDescriptor.open(pinned: settings.pinFolder.pin(of: map)).info()
            figures.mapMemory.append((map.rawValue, info.memoryBytes ?? 0))
        }
    }

    /// As a new agent does, on the maps that the last one left.
    private func restart(_ settings: DatapathSettings, _ figures: inout Figures) async throws {
        let all = facts.all
        var moment = Span.Moment()
        let datapath = try Datapath(installing: settings)
        figures.adopt = .since(&moment)
        let reconciler = Reconciler(store: datapath, limits: try datapath.limits(), seed: 1)
        try await reconciler.restore(now: .now)
        figures.restore = .since(&moment)
        var planner = makePlanner()
        _ = try await programme(all, &planner, reconciler)
        let report = await reconciler.allSourcesSynced(now: .now)
        guard report.errors.isEmpty else { throw CallFailure("restart", "\(report.errors)", errno: 5) }
        figures.compare = .since(&moment)
        try check(datapath)
    }

    private func makePlanner() -> Planner {
        Planner(settings: NodeSettings(nodeName: SyncFacts.nodeName), nodeAddresses: Self.nodeAddresses)
    }

    private func check(_ datapath: Datapath) throws {
        let programmed = try datapath.maps.frontends.count()
        guard programmed == facts.frontends else {
            throw CallFailure("sync", "\(programmed) of \(facts.frontends) frontends", errno: 5)
        }
    }

    /// What an agent must be told to have room for it.
    var configuration: String {
        let sizes = sizes
        return """
            apiVersion: martlet.dev/v1alpha1
            kind: MartletConfiguration
            forwarding: dsr
            nodePortAddresses: [192.168.50.0/24]
            mapSizes:
              frontends: \(sizes.frontends)
              backends: \(sizes.backends)
              slots: \(sizes.slotWords)
              services: \(sizes.services)
              nodePorts: \(sizes.nodePorts)

            """
    }
}
