// Martlet in front of machines that do not run it: the backend is any host that takes packets out of IP in IP itself and
// has the frontend's address.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Appliances", .timeLimit(.minutes(5)))
struct AppliancePathTests {
    @Test("a host that decapsulates by itself answers clients as the frontend")
    func decapsulating() async throws {
        try await withSite { site in
            let appliance = try site.world.addFabricClient("appliance", addresses: ["192.168.50.20", "fd50::20"])
            let frontends = ["203.0.113.5", "fd99::5"]
            for transport in [Transport.tcp, .udp] { try appliance.serve(transport, port: Site.backendPort) }
            // Raw sockets do not say that a veth's packets, which never were on a wire, have unfinished checksums.
            try site.client.turnOffChecksumOffload()
            let decapsulator = try Decapsulator(in: appliance, for: frontends)
            defer { decapsulator.stop() }
            // What was dialled is what arrives: the ports have to be the same.
            var service = PublishedService(port: Site.backendPort, loadBalancerIPs: frontends)
            service.annotations["martlet.dev/forwarding"] = "dsr"
            service.endpoints = [(appliance, "elsewhere")]
            try site.publish([service])
            for walk in Walk.every {
                let address = walk.choose(frontends)
                let answers = try site.client.ask(walk.transport, address, Site.backendPort, count: 20)
                #expect(answers.total == 20 && Set(answers.servers.keys) == ["appliance"], "\(walk): \(answers)")
                #expect(answers.clientAddresses == [walk.address(of: site.client)], "\(walk)")
                #expect(answers.peerAddresses == [address], "\(walk)")
            }
            #expect(decapsulator.failure == nil)
            let tunnelled = try site.count("tunnelled", at: site.near)
            #expect(tunnelled > 0 && decapsulator.packets >= tunnelled, "\(decapsulator.packets) of \(tunnelled)")
        }
    }

    @Test("a large request gets through, since the client is told what fits")
    func large() async throws {
        try await withSite { site in
            let appliance = try site.world.addFabricClient("appliance", addresses: ["192.168.50.20", "fd50::20"])
            let frontends = ["203.0.113.5", "fd99::5"]
            try appliance.serve(.tcp, port: Site.backendPort)
            // Raw sockets do not say that a veth's packets, which never were on a wire, have unfinished checksums.
            try site.client.turnOffChecksumOffload()
            let decapsulator = try Decapsulator(in: appliance, for: frontends)
            defer { decapsulator.stop() }
            var service = PublishedService(port: Site.backendPort, loadBalancerIPs: frontends)
            service.annotations["martlet.dev/forwarding"] = "dsr"
            service.endpoints = [(appliance, "elsewhere")]
            try site.publish([service])
            for address in frontends {
                let answers = try site.client.ask(
                    .tcp, address, Site.backendPort, count: 4, requestSize: 60_000, replySize: 60_000)
                #expect(answers.total == 4, "\(address): \(answers)")
            }
            #expect(decapsulator.failure == nil)
            // The appliance's MSS knows nothing of the tunnel.
            #expect(try site.count("too_big", at: site.near) > 0)
        }
    }
}
