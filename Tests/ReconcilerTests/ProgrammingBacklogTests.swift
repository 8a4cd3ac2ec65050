// A big change in pieces: everything comes out once, newest plans only, and small changes go past it.

import DatapathTestSupport
import LoadBalancing
import Reconciler
import ServiceModel
import Testing

@Suite("What is left of a big change")
struct ProgrammingBacklogTests {
    private static func port(_ number: Int, _ backend: String? = "10.0.0.1:80") -> PlanChange.Port {
        let name = ServicePortName.fixture("shop/s\(number)")
        let plan = backend.map {
            ServicePortPlan.fixture(
                "shop/s\(number)", [.clusterIP("10.96.\(number / 250).\(number % 250 + 1):80")], cluster: [$0])
        }
        return PlanChange.Port(name: name, plan: plan)
    }

    private func drain(_ backlog: inout ProgrammingBacklog, _ size: Int) -> [[PlanChange.Port]] {
        var pieces: [[PlanChange.Port]] = []
        while !backlog.isEmpty { pieces.append(backlog.next(size)) }
        return pieces
    }

    @Test("comes out in pieces, in order, everything once")
    func pieces() {
        var backlog = ProgrammingBacklog()
        let ports = (0..<25).map { Self.port($0) }
        backlog.add(ports)
        let pieces = drain(&backlog, 10)
        #expect(pieces.map(\.count) == [10, 10, 5])
        #expect(pieces.flatMap { $0 } == ports)
        #expect(backlog.next(10) == [])
    }

    @Test("what has been programmed with a newer plan meanwhile is left out")
    func superseded() {
        var backlog = ProgrammingBacklog()
        backlog.add((0..<25).map { Self.port($0) })
        _ = backlog.next(10)
        backlog.supersede([Self.port(3, nil), Self.port(12, "10.0.0.2:80")])
        let rest = drain(&backlog, 10).flatMap { $0 }
        #expect(rest == (10..<25).filter { $0 != 12 }.map { Self.port($0) })
    }

    @Test("another big change takes the place of what it is about, so that it never grows beyond one plan of each")
    func repeated() {
        var backlog = ProgrammingBacklog()
        for round in 1...50 {
            backlog.add((0..<100).map { Self.port($0, "10.0.0.\(round):80") })
            _ = backlog.next(10)
        }
        let rest = drain(&backlog, 1000).flatMap { $0 }
        #expect(rest == (10..<100).map { Self.port($0, "10.0.0.50:80") })
    }

    @Test(
        "SYNC-3: a burst of 1,000 service ports is not divided, and a change that gives frontends up never is (SYNC-9)")
    func division() {
        var change = PlanChange()
        change.changed = (0..<1000).map { Self.port($0) }
        #expect(!change.isDivisible)
        change.changed = (0..<10000).map { Self.port($0) }
        #expect(change.isDivisible)
        change.surrendersFrontends = true
        #expect(!change.isDivisible)
    }
}
