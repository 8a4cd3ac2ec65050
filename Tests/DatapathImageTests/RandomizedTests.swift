// Long random lives: whatever the way was, the maps end up as if the last plans had been the first, and no packet ever
// saw anything in between.

import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct RandomizedTests {
    private static func fromScratch(_ generator: PlanGenerator) throws -> String {
        var harness = ImageHarness()
        try harness.apply(generator.plans.keys.sorted().compactMap { generator.plans[$0]?.change })
        return try harness.text
    }

    @Test("step by step and from scratch give the same maps", arguments: 1...5)
    func incremental(seed: UInt64) throws {
        var generator = PlanGenerator(seed: seed)
        var harness = ImageHarness()
        for step in 1...100 {
            try harness.apply(generator.nextChanges())
            #expect(harness.store.violations == [])
            if step % 7 == 0 { try harness.reclaim() }
            guard step % 10 == 0 else { continue }
            try harness.reclaim()
            #expect(try harness.store.contents().wrongTables() == [])
            #expect(try harness.text == (try Self.fromScratch(generator)), "step \(step)")
            #expect(harness.image.failures.isEmpty)
        }
    }

    @Test("a restart in between changes nothing, whatever the ids have become", arguments: 1...5)
    func restarts(seed: UInt64) throws {
        var generator = PlanGenerator(seed: 1000 + seed)
        var harness = ImageHarness()
        for round in 1...12 {
            for _ in 1...15 { try harness.apply(generator.nextChanges()) }
            // Some restarts come within a grace period, some after it.
            if round % 2 == 0 { try harness.reclaim() }
            let before = try harness.text
            try harness.restart()
            try harness.apply(generator.plans.values.map(\.change).shuffled())
            #expect(harness.last.frontends.isEmpty && harness.last.slots.isEmpty, "round \(round)")
            try harness.removeUnclaimed()
            #expect(harness.last.removedFrontends.isEmpty && harness.last.removedNodePorts.isEmpty)
            if round % 2 == 0 { #expect(try harness.text == before, "round \(round)") }
            try harness.reclaim()
            #expect(try harness.text == (try Self.fromScratch(generator)), "round \(round)")
            #expect(harness.store.violations.isEmpty)
        }
    }

    @Test("in maps that are too small, every frontend that has not failed is right", arguments: 1...6)
    func fullMaps(seed: UInt64) throws {
        var generator = PlanGenerator(seed: 2000 + seed)
        var harness = ImageHarness(
            limits: ImageLimits(frontends: 20, backends: 12, slotWords: 140, services: 9, nodePorts: 3))
        var failures = 0
        for step in 1...100 {
            try harness.apply(generator.nextChanges())
            if step % 3 == 0 { try harness.reclaim() }
            try harness.retryFailed()
            #expect(harness.store.violations == [])
            guard step % 5 == 0 else { continue }
            let failed = Set(harness.image.failures.map(\.key))
            failures += failed.count
            var roomy = ImageHarness()
            try roomy.apply(generator.plans.values.map(\.change))
            let (found, wanted) = (try harness.store.contents(), try roomy.store.contents())
            let failedAddresses = Set(failed.map(\.address))
            for key in Set(found.frontends.keys).union(wanted.frontends.keys) where !failed.contains(key) {
                // An address has a wildcard if one of its ClusterIP frontends is in force.
                if key.isWildcard, failedAddresses.contains(key.address) { continue }
                #expect(found.text(of: key) == wanted.text(of: key), "step \(step)")
            }
        }
        #expect(failures > 0)
    }

    @Test("when everything is gone, so is every bit of space, in maps that were too small as well", arguments: 1...4)
    func emptyAgain(seed: UInt64) throws {
        var generator = PlanGenerator(seed: 3000 + seed)
        let limits = ImageLimits(frontends: 20, backends: 8, slotWords: 120, services: 8, nodePorts: 3)
        var harness = ImageHarness(limits: limits)
        for _ in 1...200 { try harness.apply(generator.nextChanges()) }
        try harness.apply(generator.plans.values.map(\.removal))
        try harness.reclaim()
        #expect(try harness.text == "")
        #expect(!harness.image.hasFailures)
        #expect(harness.image.usage == DatapathImage(limits: limits).usage)
    }
}
