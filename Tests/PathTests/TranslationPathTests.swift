// Clients outside of the nodes and masqueraded flows, end to end: who answers, whom the server sees, whom the client
// sees. Real agents on two nodes, real sockets.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Translated paths", .timeLimit(.minutes(5)))
struct TranslationPathTests {
    @Test("a NodePort, a load balancer and an ExternalIP reach every endpoint, which see the node (TP-4, MASQ-4)")
    func cluster() async throws {
        try await withSite { site in
            let service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            try site.publish([service])
            for walk in Walk.every {
                for (address, port) in walk.frontends(of: service, at: site.near) {
                    let answers = try site.client.ask(walk.transport, address, port, count: 40)
                    #expect(answers.servers.count == 2 && answers.total == 40, "\(walk) \(address): \(answers)")
                    #expect(answers.clientAddresses == [walk.address(of: site.near)], "\(walk) \(address)")
                    #expect(answers.peerAddresses == [address], "\(walk) \(address)")
                }
            }
        }
    }

    @Test("large requests and replies pass, in fragments where they must (BAL-4)")
    func large() async throws {
        try await withSite { site in
            let service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            try site.publish([service])
            for walk in Walk.every {
                let (address, port) = walk.frontends(of: service, at: site.near)[0]
                let size = walk.transport == .tcp ? 60_000 : 5000
                let answers = try site.client.ask(
                    walk.transport, address, port, count: 10, requestSize: size, replySize: size)
                #expect(answers.total == 10 && answers.servers.count == 2, "\(walk): \(answers)")
            }
        }
    }

    @Test("externalTrafficPolicy Local: local endpoints, which see the client; silence with none (TP-5, TP-7, MASQ-3)")
    func local() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            service.isExternalLocal = true
            try site.publish([service])
            for walk in Walk.every {
                for (address, port) in walk.frontends(of: service, at: site.near) {
                    let answers = try site.client.ask(walk.transport, address, port, count: 10)
                    #expect(answers.servers == ["a1": 10], "\(walk) \(address): \(answers)")
                    #expect(answers.clientAddresses == [walk.address(of: site.client)], "\(walk) \(address)")
                    #expect(answers.peerAddresses == [address], "\(walk) \(address)")
                }
            }
            service.endpoints = [(site.b1, "far")]
            try site.publish([service])
            for walk in Walk.every {
                let (address, port) = walk.frontends(of: service, at: site.near)[1]
                let answers = try site.client.ask(
                    walk.transport, address, port, count: 2, timeout: .milliseconds(300))
                #expect(answers.errors == ["ETIMEDOUT": 2], "\(walk): \(answers)")
            }
            #expect(try site.count("no_local_endpoints", at: site.near) > 0)
        }
    }

    @Test("without endpoints, and on a ClusterIP's unused port, a client is refused at once (REJ-1, REJ-4, SVC-12)")
    func refusal() async throws {
        try await withSite { site in
            let service = PublishedService.everywhere([])
            try site.publish([service])
            for walk in Walk.every {
                for (address, port) in walk.frontends(of: service, at: site.near) + [
                    (walk.choose(service.clusterIPs), service.port), (walk.choose(service.clusterIPs), 81),
                ] {
                    let answers = try site.client.ask(walk.transport, address, port, count: 3)
                    #expect(answers.errors == ["ECONNREFUSED": 3], "\(walk) \(address):\(port): \(answers)")
                }
            }
        }
    }

    @Test("a machine whose sockets nobody sees gets ClusterIPs as pods do, unmasqueraded; as its own endpoint too")
    func machine() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            try site.publish([service])
            for walk in Walk.every {
                let address = walk.choose(service.clusterIPs)
                let answers = try site.machine.ask(walk.transport, address, service.port, count: 30)
                #expect(answers.servers.count == 2 && answers.total == 30, "\(walk): \(answers)")
                #expect(answers.clientAddresses == [walk.address(of: site.machine)], "MASQ-1, \(walk)")
                #expect(answers.peerAddresses == [address], "\(walk)")
            }
            for transport in [Transport.tcp, .udp] { try site.machine.serve(transport, port: Site.backendPort) }
            service.endpoints = [(site.machine, "near")]
            try site.publish([service])
            for walk in Walk.every {
                let answers = try site.machine.ask(
                    walk.transport, walk.choose(service.clusterIPs), service.port, count: 5)
                #expect(answers.servers == ["machine": 5], "\(walk): \(answers)")
                #expect(answers.clientAddresses == [walk.address(of: site.near)], "MASQ-5, \(walk)")
            }
        }
    }

    @Test("session affinity by the client's address (AFF-1, AFF-2)")
    func affinity() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            service.affinitySeconds = 600
            try site.publish([service])
            for walk in Walk.every {
                var names: Set<String> = []
                for (address, port) in walk.frontends(of: service, at: site.near) {
                    names.formUnion(try site.client.ask(walk.transport, address, port, count: 10).names)
                }
                #expect(names.count == 1, "\(walk): \(names)")
            }
        }
    }

    @Test("one client port to two virtual addresses of one backend makes two connections")
    func twoVIPs() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near")])
            service.isExternalLocal = true
            try site.publish([service])
            for isV6 in [false, true] {
                let walk = Walk(transport: .tcp, isV6: isV6)
                let from = SocketAddress(walk.address(of: site.client), 45000)
                let held = try [service.loadBalancerIPs, service.externalIPs].map { addresses in
                    try site.client.connect(
                        .tcp, walk.choose(addresses), service.port, bind: from, reuse: true)
                }
                for connection in held {
                    #expect(try connection.request().server == "a1", "\(walk)")
                }
            }
        }
    }

    @Test("datagrams go to another endpoint when theirs stops serving, connections stay (CT-2, CT-3, BAL-3)")
    func staleFlows() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near")])
            try site.publish([service])
            for isV6 in [false, true] {
                let address = Walk(transport: .udp, isV6: isV6).choose(service.loadBalancerIPs)
                let datagrams = try site.client.connect(.udp, address, service.port)
                let connection = try site.client.connect(.tcp, address, service.port)
                #expect(try datagrams.request().server == "a1" && connection.request().server == "a1")
                service.endpoints = [(site.b1, "far")]
                try site.publish([service])
                #expect(try datagrams.request().server == "b1" && connection.request().server == "a1")
                service.endpoints = [(site.a1, "near")]
                try site.publish([service])
            }
        }
    }

    @Test("an agent that is killed leaves traffic flowing, and another one takes it over (LIFE-6)")
    func restart() async throws {
        try await withSite { site in
            let service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            try site.publish([service])
            let held = try site.client.startLoad(
                .tcp, site.near.v4, service.nodePort, mode: .hold, concurrency: 8, rest: .milliseconds(5))
            try site.killAgent()
            #expect(try site.client.ask(.tcp, "203.0.113.5", 80, count: 10).total == 10)
            try site.restartAgent()
            #expect(try site.client.ask(.tcp, "203.0.113.5", 80, count: 10).total == 10)
            let result = try held.stop()
            #expect(result.failed == 0, "\(result)")
        }
    }
}
