// Direct server return, end to end: the server sees the client, the client sees the frontend, and replies do not come by
// the node that the client dialled.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Direct return paths", .timeLimit(.minutes(5)))
struct DirectReturnPathTests {
    private static func directService(_ site: Site) -> PublishedService {
        var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
        service.annotations["martlet.dev/forwarding"] = "dsr"
        return service
    }

    @Test(
        "every frontend reaches every endpoint, which see the client",
        arguments: [("ipip", "tunnelled", "decapsulated"), ("option", "dispatched", "option_taken")])
    func everywhere(_ dispatch: String, _ sent: String, _ arrived: String) async throws {
        try await withSite(configuration: ["dsrDispatch: \(dispatch)"]) { site in
            let service = Self.directService(site)
            try site.publish([service])
            for walk in Walk.every {
                for (address, port) in walk.frontends(of: service, at: site.near) {
                    let answers = try site.client.ask(walk.transport, address, port, count: 40)
                    #expect(answers.servers.count == 2 && answers.total == 40, "\(walk) \(address): \(answers)")
                    #expect(answers.clientAddresses == [walk.address(of: site.client)], "\(walk) \(address)")
                    #expect(answers.peerAddresses == [address], "\(walk) \(address)")
                }
            }
            #expect(try site.count(sent, at: site.near) > 0)
            #expect(try site.count(arrived, at: site.far) > 0)
            #expect(try site.count("sent_on", at: site.near) == 0)
            #expect(try site.count("flow_unknown", at: site.far) == 0)
        }
    }

    @Test(
        "a large request fits: the MSS that the client is offered leaves room for a tunnel, and options need none",
        arguments: ["ipip", "option"])
    func large(_ dispatch: String) async throws {
        try await withSite(configuration: ["dsrDispatch: \(dispatch)"]) { site in
            let service = Self.directService(site)
            try site.publish([service])
            for isV6 in [false, true] {
                let walk = Walk(transport: .tcp, isV6: isV6)
                let answers = try site.client.ask(
                    .tcp, walk.choose(service.loadBalancerIPs), service.port, count: 20, requestSize: 60_000,
                    replySize: 60_000)
                #expect(answers.total == 20 && answers.servers.count == 2, "\(walk): \(answers)")
            }
            #expect(try site.count("too_big", at: site.near) == 0)
        }
    }

    @Test("a service becomes DSR and ceases to be, and its connections go on")
    func change() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            try site.publish([service])
            var held: [Load] = []
            for forwarding in ["dsr", "snat", "dsr"] {
                for address in ["203.0.113.5", "fd99::5"] {
                    held.append(
                        try site.client.startLoad(
                            .tcp, address, 80, mode: .hold, concurrency: 6, rest: .milliseconds(5)))
                }
                service.annotations["martlet.dev/forwarding"] = forwarding
                try site.publish([service])
                #expect(try site.client.ask(.tcp, "203.0.113.5", 80, count: 20).total == 20, "\(forwarding)")
            }
            for load in held {
                let result = try load.stop()
                #expect(result.failed == 0, "\(result)")
            }
        }
    }

    /// So many open connections in each family, which go on asking.
    private static func hold(_ site: Site, _ count: Int) throws -> [Load] {
        try ["203.0.113.5", "fd99::5"].map { address in
            let load = try site.client.startLoad(
                .tcp, address, 80, mode: .hold, concurrency: count, rest: .milliseconds(5))
            #expect(try eventually(within: .seconds(20)) { try load.statistics().open == count })
            return load
        }
    }

    @Test("connections outlive their service (SVC-10)", arguments: ["ipip", "option"])
    func removal(_ dispatch: String) async throws {
        try await withSite(configuration: ["dsrDispatch: \(dispatch)"]) { site in
            try site.publish([Self.directService(site)])
            let held = try Self.hold(site, 20)
            try site.publish([])
            pause(milliseconds: 500)
            for load in held {
                let result = try load.stop()
                #expect(result.failed == 0, "\(result)")
                #expect(Set(result.servers.keys) == ["a1", "b1"], "\(result)")
            }
        }
    }

    @Test(
        "connections stay with their endpoint while the set changes around it (BAL-3)", arguments: ["ipip", "option"])
    func endpoints(_ dispatch: String) async throws {
        try await withSite(configuration: ["dsrDispatch: \(dispatch)"]) { site in
            var service = Self.directService(site)
            service.endpoints = [(site.b1, "far")]
            try site.publish([service])
            let held = try Self.hold(site, 20)
            for endpoints in [[(site.a1, "near"), (site.b1, "far")], [(site.a1, "near")], []] {
                service.endpoints = endpoints
                try site.publish([service])
            }
            for load in held {
                let result = try load.stop()
                #expect(result.failed == 0, "\(result)")
                #expect(Set(result.servers.keys) == ["b1"], "\(result)")
            }
        }
    }
}
