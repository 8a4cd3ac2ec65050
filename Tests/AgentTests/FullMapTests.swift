// Maps too small for what the manifests ask: what fits works, what does not is reported by name, and takes its place
// when there is room. The sizes come from the agent's configuration.

import DatapathImage
import HostCalls
import Inspection
import NetworkTypes
import ProbeProtocol
import Testing
import World

@Suite("A full map", .serialized)
struct FullMapTests {
    private func service(_ number: Int, endpoints: [String] = [Scene.server(1)]) -> TestService {
        TestService(name: "s\(number)", address: "172.30.0.\(10 + number)", endpoints: endpoints)
    }

    /// A map that is too small for three services, and what makes room in it.
    struct Case: Sendable, CustomTestStringConvertible {
        var map: String
        var endpoints: @Sendable (Int) -> [String]
        /// Too few entries.
        var size: Int
        var testDescription: String { map }
    }

    static let cases = [
        Case(map: "frontends", endpoints: { _ in [Scene.server(1)] }, size: 4),
        // Element 0 is never used: room for two.
        Case(map: "backends", endpoints: { [Scene.server($0)] }, size: 3),
        Case(map: "services", endpoints: { _ in [Scene.server(1)] }, size: 3),
    ]

    @Test(
        "costs only the frontend that has no room, which is reported and programmed when there is room",
        arguments: cases)
    func full(_ full: Case) async throws {
        try await withScene(servers: 3) { scene in
            scene.mapSizes[full.map] = full.size
            let services = (1...3).map { service($0, endpoints: full.endpoints($0)) }
            try scene.publish(services[0], services[1])
            let agent = try scene.start()
            try scene.publish(services[2])
            let reason = "map \(full.map) is full"
            #expect(try agent.says(reason))
            let load = try scene.client.startLoad(
                .tcp, services[0].address, 80, mode: .new, concurrency: 2, rest: .milliseconds(5))
            #expect(
                try eventually(within: .seconds(10)) {
                    try scene.status().agent.status?.frontendErrors.contains {
                        $0.frontend == "172.30.0.13:80/TCP" && $0.service == "shop/s3:web" && $0.error.contains(reason)
                    } == true
                })
            let status = try #require(try scene.status().agent.status)
            #expect(status.frontends.failed >= 1 && status.frontends.programmed <= 6)
            #expect(try agent.metric("martlet_frontends_failed") >= 1)
            #expect(try scene.ask(services[0]).total == 20)
            #expect(try scene.ask(services[1]).total == 20)

            try scene.withdraw("s2.yaml")
            #expect(try scene.isServed(services[2], by: [full.map == "backends" ? "web-3" : "web-1"]))
            #expect(try agent.waits(for: "martlet_frontends_failed") { $0 == 0 })
            #expect(
                try eventually(within: .seconds(10)) {
                    try scene.status().agent.status?.frontendErrors.isEmpty == true
                })
            #expect(try load.stop().failed == 0)
        }
    }

    @Test("of backends leaves an address that refuses while a changed port waits for its room, and the log says so")
    func changedPort() async throws {
        try await withScene(servers: 2) { scene in
            scene.mapSizes["backends"] = 3
            var service = service(1, endpoints: [Scene.server(1), Scene.server(2)])
            service.targetPort = 9999
            try scene.publish(service)
            let agent = try scene.start(["--grace-period", "4s"])
            (service.port, service.targetPort) = (81, 8080)
            try scene.publish(service)
            #expect(try agent.says("a frontend is not programmed; nothing serves it until it is"))
            let place = try #require(IPAddress(service.address))
            let snapshot = try MapSnapshot(scene.folder)
            #expect(Array(snapshot.frontends.keys) == [FrontendKey(wildcard: place)])
            let answers = try scene.ask(service, count: 1)
            #expect(answers.errors == ["ECONNREFUSED": 1], "\(answers)")
            #expect(try scene.isServed(service, by: ["web-1", "web-2"]))
            #expect(!agent.log.contains("what it had stays in force"))
        }
    }

    @Test("stays as small as it is when the configuration grows, and the agent says so")
    func existing() async throws {
        try await withScene(servers: 1) { scene in
            scene.mapSizes["backends"] = 8
            try scene.publish(service(1))
            try scene.start().stop()
            scene.mapSizes["backends"] = 16
            let agent = try scene.start()
            let notice = "map backends exists with room for 8 and keeps it; the configured 16 takes effect after"
            #expect(agent.log.contains(notice))
            #expect(
                try eventually(within: .seconds(10)) {
                    try scene.status().agent.status?.notices.contains { $0.contains(notice) } == true
                })
            #expect(try agent.metric("martlet_map_capacity_entries{map=\"backends\"}") == 8)
            #expect(try scene.ask(service(1)).total == 20)
        }
    }

    @Test("of slots keeps what a frontend had, and the change comes when there is room")
    func slots() async throws {
        try await withScene(servers: 2) { scene in
            scene.mapSizes["slots"] = 4
            let (first, second) = (service(1), service(2, endpoints: [Scene.server(2)]))
            try scene.publish(first, second)
            let agent = try scene.start()
            #expect(try scene.isServed(second, by: ["web-2"]))
            var wide = second
            wide.endpoints = (1...20).map { "10.0.2.\($0)" }
            try scene.publish(wide)
            #expect(try agent.says("map slots is full"))
            #expect(try scene.ask(first).servers == ["web-1": 20])
            #expect(try scene.ask(second).servers == ["web-2": 20], "what it had stays in force")
            #expect(try agent.metric("martlet_frontends_failed") == 1)
            #expect(try scene.status().agent.running)
            var narrow = second
            narrow.endpoints = [Scene.server(1), Scene.server(2)]
            try scene.publish(narrow)
            #expect(try scene.isServed(narrow, by: ["web-1", "web-2"]))
            #expect(try agent.waits(for: "martlet_frontends_failed") { $0 == 0 })
        }
    }

    @Test("of connections costs the record, not the connection, and is counted")
    func connections() async throws {
        try await withScene(servers: 1) { scene in
            scene.mapSizes["connections"] = 4
            try scene.publish(service(1))
            let agent = try scene.start()
            let outcome = "martlet_socket_outcomes_total{outcome=\"connection_unrecorded\"}"
            #expect(try agent.metric(outcome) == 0)
            // 4 places, and 64 entries for sockets whose place is taken.
            let held = try (0..<100).map { _ in try scene.client.connect(.tcp, service(1).address, 80) }
            for connection in held { #expect(try connection.request().server == "web-1") }
            #expect(try agent.metric(outcome) > 0)
            for connection in held { try connection.close() }
            let unrecorded = try agent.metric(outcome)
            #expect(try scene.ask(service(1)).total == 20)
            #expect(try agent.metric(outcome) == unrecorded, "room is given back when sockets close")
        }
    }

    @Test("of node ports costs the node port that has no room, not the service's other frontends")
    func nodePorts() async throws {
        try await withScene(servers: 1) { scene in
            scene.mapSizes["nodePorts"] = 2
            let services = (1...3).map { number in
                var service = service(number)
                service.type = "NodePort"
                service.nodePort = 30000 + number
                return service
            }
            for service in services { try scene.publish(service) }
            let agent = try scene.start()
            #expect(try agent.says("map node_ports is full: it holds 2 entries"))
            for service in services { #expect(try scene.ask(service).total == 20) }
            let node = scene.node.v4
            let answered = try services.count { try scene.client.ask(.tcp, node, UInt16($0.nodePort)).total == 1 }
            #expect(answered == 2)
            #expect(try agent.metric("martlet_frontends_failed") == 1)
            try scene.withdraw("s1.yaml")
            #expect(try agent.waits(for: "martlet_frontends_failed") { $0 == 0 })
            for service in services.dropFirst() {
                #expect(try scene.client.ask(.tcp, node, UInt16(service.nodePort)).total == 1)
            }
        }
    }

    @Test("of service ranges is named in the log, the status and the metrics, and costs that range alone")
    func serviceCIDRs() async throws {
        try await withScene(servers: 1) { scene in
            scene.mapSizes["serviceCIDRs"] = 1
            try scene.publish(service(1))
            let range = """
                apiVersion: networking.k8s.io/v1
                kind: ServiceCIDR
                metadata: {name: kubernetes}
                spec: {cidrs: [172.30.0.0/16, "fd99::/112"]}
                """
            try scene.publish(range, as: "range.yaml")
            let agent = try scene.start()
            #expect(try agent.says("a service range has no room"))
            #expect(try agent.metric("martlet_service_cidrs_failed") == 1)
            #expect(
                try eventually(within: .seconds(10)) {
                    try scene.status().agent.status?.problems.contains {
                        $0.object == "service range fd99::/112" && $0.message.contains("map service_cidrs is full")
                    } == true
                })
            #expect(try scene.ask(service(1)).total == 20)
            try scene.publish(range.replacing("172.30.0.0/16, ", with: ""), as: "range.yaml")
            #expect(try agent.waits(for: "martlet_service_cidrs_failed") { $0 == 0 })
        }
    }

    @Test("of unconnected UDP sockets costs the record, not the datagram, and is counted")
    func udpPages() async throws {
        try await withScene(servers: 1) { scene in
            scene.mapSizes["udpPages"] = 1
            var dns = service(1)
            dns.transport = "UDP"
            try scene.publish(dns)
            let agent = try scene.start()
            let outcome = "martlet_socket_outcomes_total{outcome=\"udp_peer_unrecorded\"}"
            let sockets = try (0..<200).map { _ in try scene.client.openDatagram(.v4) }
            for socket in sockets { #expect(try socket.request(to: SocketAddress(dns.address, 80)).server == "web-1") }
            #expect(try agent.metric(outcome) > 0)
            for socket in sockets { try socket.close() }
            let unrecorded = try agent.metric(outcome)
            #expect(try scene.ask(dns).total == 20)
            #expect(try agent.metric(outcome) == unrecorded, "room is given back when sockets close")
        }
    }

    @Test("of affinity forgets the oldest clients and refuses nobody")
    func affinity() async throws {
        try await withScene { scene in
            scene.mapSizes["affinity"] = 2
            let services = (1...12).map { number in
                var sticky = service(number, endpoints: [Scene.server(1), Scene.server(2)])
                sticky.spec = ["sessionAffinity: ClientIP"]
                return sticky
            }
            for sticky in services { try scene.publish(sticky) }
            try scene.start()
            for _ in 0..<3 {
                for sticky in services {
                    let answers = try scene.ask(sticky, count: 6)
                    #expect(answers.total == 6)
                    #expect(answers.servers.count == 1, "one client after the other keeps its server")
                }
            }
        }
    }
}
