// What must hold whatever happens, over random but repeatable facts.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct PlannerPropertyTests {
    static let settingsByDetector: [NodeSettings] = [clusterCIDR, .none, .nodeCIDR].map { detector in
        settings {
            $0.localDetector = detector
            $0.nodePortAddresses = detector == .none ? .all : .primary
            $0.localhostNodePorts = detector == .nodeCIDR
        }
    }

    /// The facts that a sequence of changes leaves, each once.
    struct Outcome {
        private var services: [ObjectName: FactChange] = [:]
        private var slices: [ObjectName: FactChange] = [:]
        private var others: [String: FactChange] = [:]

        mutating func take(_ change: FactChange) {
            switch change {
            case .service(let name, let value): services[name] = value.map { .service(name, $0) }
            case .endpointSlice(let name, let value): slices[name] = value.map { .endpointSlice(name, $0) }
            case .node(let name, let value): others["node \(name)"] = value.map { .node(name, $0) }
            case .serviceCIDR(let name, let value): others["range \(name)"] = value.map { .serviceCIDR(name, $0) }
            }
        }

        var facts: [FactChange] { Array(services.values) + slices.values + others.values }
    }

    /// What a follower of the changes believes.
    struct Follower {
        var plans: [ServicePortName: ServicePortPlan] = [:]
        var problems: [ObjectName: [ObjectProblem]] = [:]
        var serviceCIDRs: [CIDR] = []

        mutating func take(_ change: PlanChange) {
            #expect(change.changed.map(\.name) == change.changed.map(\.name).sorted())
            for port in change.changed {
                #expect(plans[port.name] != port.plan)
                plans[port.name] = port.plan
            }
            for (name, problems) in change.problems {
                #expect(self.problems[name] ?? [] != problems)
                self.problems[name] = problems.isEmpty ? nil : problems
            }
            serviceCIDRs = change.serviceCIDRs ?? serviceCIDRs
        }
    }

    @Test(
        "SYNC-7, EP-18: the plan after any changes is that of the facts they leave, in whatever order these arrive",
        arguments: 0..<120)
    func incremental(seed: Int) {
        var random = RandomFacts(seed: UInt64(seed))
        let settings = Self.settingsByDetector[seed % 3]
        var (planner, outcome, follower) = (Planner(settings: settings), Outcome(), Follower())
        for _ in 0..<25 {
            let batch = (0..<Int.random(in: 1...6, using: &random.generator)).map { _ in random.change() }
            batch.forEach { outcome.take($0) }
            follower.take(planner.apply(batch))
            if seed % 3 == 1, random.chance(5) {
                follower.take(planner.setNodeAddresses(planner.servicePlanner.node.addresses))
                follower.take(planner.setNodeAddresses(nil))
            }
        }
        let arrivals = outcome.facts.shuffled(using: &random.generator)
        var fresh = Planner(settings: settings)
        _ = fresh.apply(arrivals)
        var oneByOne = Planner(settings: settings)
        for fact in arrivals.reversed() { _ = oneByOne.apply([fact]) }
        for other in [fresh, oneByOne] {
            #expect(planner.servicePorts == other.servicePorts)
            #expect(planner.problems == other.problems)
            #expect(planner.serviceCIDRs == other.serviceCIDRs)
        }
        #expect(follower.plans.values.sorted { $0.name < $1.name } == planner.servicePorts)
        #expect(follower.problems.sorted { $0.key < $1.key }.flatMap(\.value) == planner.problems)
        #expect(follower.serviceCIDRs == planner.serviceCIDRs)
    }

    @Test("Every plan is ordered, complete and free of doubles, and every frontend has one owner", arguments: 0..<60)
    func invariants(seed: Int) {
        var random = RandomFacts(seed: UInt64(1000 + seed))
        var planner = Planner(settings: Self.settingsByDetector[seed % 3])
        for _ in 0..<20 { _ = planner.apply((0..<5).map { _ in random.change() }) }
        var seen: Set<FrontendAddress> = []
        for port in planner.servicePorts {
            for family in port.families {
                for frontend in family.frontends {
                    #expect(
                        seen.insert(FrontendAddress(address: frontend.address, protocol: port.name.protocolKind))
                            .inserted)
                    #expect(frontend.address.address.family == family.family)
                    expectDisposition(frontend, in: family)
                }
                expectLists(family)
            }
        }
        #expect(seen.allSatisfy { planner.owner(of: $0) != nil })
        let emptied = planner.apply(random.removals)
        #expect(planner.servicePorts.isEmpty && planner.problems.isEmpty)
        #expect(emptied.changed.allSatisfy { $0.plan == nil })
        #expect(seen.allSatisfy { planner.owner(of: $0) == nil })
    }

    private func expectLists(_ family: FamilyPlan) {
        for list in [family.cluster, family.local] {
            #expect(list == list.sorted() && Set(list.map(\.address)).count == list.count)
            #expect(list.allSatisfy { $0.weight >= 1 && $0.address.address.family == family.family })
        }
        #expect(family.serving == family.serving.sorted() && Set(family.serving).count == family.serving.count)
        #expect(Set((family.cluster + family.local).map(\.address)).isSubset(of: family.serving))
        #expect(family.usesCluster || family.cluster.isEmpty)
        #expect(family.usesLocal || family.local.isEmpty)
    }

    private func expectDisposition(_ frontend: FrontendPlan, in family: FamilyPlan) {
        for disposition in [frontend.externalTo, frontend.internalTo] {
            switch disposition {
            case .cluster: #expect(!family.cluster.isEmpty)
            case .local: #expect(!family.local.isEmpty)
            case .reject: #expect(family.cluster.isEmpty && family.local.isEmpty)
            case .drop: #expect(family.local.isEmpty && family.usesLocal)
            }
        }
        #expect(frontend.kind == .clusterIP || (frontend.internalTo != .drop && frontend.internalTo != .local))
        #expect(frontend.kind == .loadBalancer || frontend.sourceRanges.isEmpty)
    }

    @Test("Explain agrees with the plan about every frontend, from every kind of source", arguments: 0..<30)
    func explanations(seed: Int) {
        var random = RandomFacts(seed: UInt64(5000 + seed))
        var planner = Planner(settings: Self.settingsByDetector[seed % 3])
        for _ in 0..<20 { _ = planner.apply((0..<5).map { _ in random.change() }) }
        for port in planner.servicePorts {
            for family in port.families {
                for frontend in family.frontends
                where frontend.sourceRanges.isEmpty && !frontend.address.address.isLoopback {
                    let key = FrontendAddress(address: frontend.address, protocol: port.name.protocolKind)
                    let outside = planner.explain(from: .external(nil), to: key)
                    expect(outside, frontend.externalTo, in: family)
                    expect(planner.explain(from: .localhost, to: key), frontend.internalTo, in: family)
                    #expect(outside.service == port.name.description)
                }
            }
        }
    }

    private func expect(_ answer: Explanation, _ disposition: FrontendPlan.Disposition, in family: FamilyPlan) {
        switch disposition {
        case .cluster: #expect(answer.backends == family.cluster.map(\.address.description))
        case .local: #expect(answer.backends == family.local.map(\.address.description))
        case .reject: #expect(answer.outcome == .reject)
        case .drop: #expect(answer.outcome == .drop)
        }
        #expect((answer.outcome == .dnat) == (answer.masquerade != nil))
        #expect(Set(answer.masqueradedBackends).isSubset(of: answer.backends))
        #expect(!answer.rules.isEmpty && answer.reason.hasSuffix("."))
    }
}
