// How connections are spread: at random, by Maglev table, by weight, and what a change of that does to live traffic. Bounds
// are five standard deviations or more.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Choosing a backend", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct ChoiceTests {
    enum Algorithm: String, CaseIterable, Sendable {
        case random, maglev
    }

    private static func service(_ cluster: Cluster, _ algorithm: Algorithm?) -> ServiceObject {
        var service = cluster.makeService()
        if let algorithm { service.annotations["martlet.dev/algorithm"] = algorithm.rawValue }
        return service
    }

    @Test("all backends get about the same (BAL-1)", arguments: [nil, .random, .maglev] as [Algorithm?], Dial.every)
    func evenly(_ algorithm: Algorithm?, _ dial: Dial) throws {
        try withCluster { cluster in
            let service = Self.service(cluster, algorithm)
            try cluster.publish(service, cluster.endpoints)
            let answers = try cluster.client.ask(dial, service.frontend(dial, on: cluster.node), count: 600)
            #expect(answers.total == 600)
            for server in cluster.servers {
                #expect((140...260).contains(answers.servers[server.name] ?? 0), "\(answers)")
            }
        }
    }

    @Test("shares follow the weights of slices", arguments: Algorithm.allCases)
    func weights(_ algorithm: Algorithm) throws {
        try withCluster { cluster in
            let service = Self.service(cluster, algorithm)
            let all = cluster.endpoints
            let frontend = service.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            for (light, heavy) in [(0, 1), (1, 0)] {
                try cluster.publish(
                    service, slices: [SliceObject([all[light]], weight: 1), SliceObject([all[heavy]], weight: 3)])
                let answers = try cluster.client.ask(.tcp, frontend, count: 800)
                let share = answers.servers[cluster.servers[heavy].name] ?? 0
                #expect(answers.total == 800 && (530...670).contains(share), "\(answers)")
            }
        }
    }

    @Test("a change of algorithm or weights disturbs nothing that is under way")
    func liveChange() throws {
        try withCluster { cluster in
            var service = Self.service(cluster, nil)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            let client = cluster.client
            let fresh = try client.startLoad(.tcp, frontend.address, frontend.port, mode: .new, concurrency: 8)
            let held = try client.startLoad(
                .tcp, frontend.address, frontend.port, mode: .hold, concurrency: 8, rest: .milliseconds(1))
            let datagrams = try client.startLoad(
                .udp, frontend.address, frontend.port, mode: .hold, concurrency: 8, rest: .milliseconds(1))
            for round in 0..<12 {
                let algorithm: Algorithm = round % 2 == 0 ? .maglev : .random
                service.annotations["martlet.dev/algorithm"] = algorithm.rawValue
                try cluster.publish(service, slices: [SliceObject(cluster.endpoints, weight: round + 1)])
            }
            for load in [fresh, held, datagrams] {
                let count = try load.statistics().ok
                #expect(try eventually { () throws(WorldError) in try load.statistics().ok > count + 50 })
                let result = try load.stop()
                #expect(result.failed == 0 && result.misdirected == 0, "\(result)")
            }
        }
    }

    @Test("backends come and go under load, and no new connection fails", arguments: Algorithm.allCases)
    func liveEndpoints(_ algorithm: Algorithm) throws {
        try withCluster { cluster in
            let service = Self.service(cluster, algorithm)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.clusterIP, .tcp, .v6, on: cluster.node)
            let load = try cluster.client.startLoad(.tcp, frontend.address, frontend.port, mode: .new, concurrency: 8)
            for round in 0..<12 {
                let away = round % 4
                try cluster.publish(service, cluster.endpoints.enumerated().filter { $0.offset != away }.map(\.element))
            }
            let count = try load.statistics().ok
            #expect(try eventually { () throws(WorldError) in try load.statistics().ok > count + 50 })
            let result = try load.stop()
            #expect(result.failed == 0, "\(result)")
            #expect(Set(result.servers.keys) == ["web-1", "web-2", "web-3"])
        }
    }
}
