// UDP flows that rules of kube-proxy's shape have translated, and what the agent makes the kernel forget of them.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("UDP flows in the kernel's connection tracking", .serialized)
struct DatagramCleanUpTests {
    private static let other = "10.96.0.99"

    /// Rules that lead the service, and an address that is none, to one server.
    private func lead(_ scene: Scene, to server: Int, _ service: TestService) throws {
        let target = "\(Scene.server(server)):8080"
        let file = try scene.world.write(
            """
            table ip kube-proxy-like
            delete table ip kube-proxy-like
            table ip kube-proxy-like {
                chain services {
                    type nat hook prerouting priority dstnat;
                    ip daddr { \(service.address), \(Self.other) } udp dport \(service.port) dnat to \(target)
                }
            }
            """, to: "rules.nft")
        let result = try scene.node.run("/usr/sbin/nft", ["-f", file])
        guard result.status == .exited(0) else { throw AgentTrouble(description: "nft: \(result.errorOutput)") }
    }

    @Test("CT-1, CT-2: a client that keeps its port follows its endpoint; what is not the service's stays")
    func follows() async throws {
        try await withScene { scene in
            // Outside of the agent's cgroup, and no packet hooks: netfilter alone translates.
            let machine = try scene.world.addClient("machine", addresses: ["10.0.1.50"], behind: scene.node)
            var dns = TestService(name: "dns", address: "10.96.0.53", port: 53, transport: "UDP")
            dns.endpoints = [Scene.server(1)]
            try scene.publish(dns)
            try lead(scene, to: 1, dns)
            let agent = try scene.start(["--device", "none"])
            let socket = try machine.openDatagram(.v4, bind: SocketAddress("10.0.1.50", 45001))
            let bystander = try machine.openDatagram(.v4, bind: SocketAddress("10.0.1.50", 45002))
            let (service, other) = (SocketAddress(dns.address, 53), SocketAddress(Self.other, 53))
            #expect(try socket.request(to: service).server == "web-1")
            #expect(try bystander.request(to: other).server == "web-1")
            try lead(scene, to: 2, dns)
            #expect(try socket.request(to: service).server == "web-1", "the kernel remembers")

            // A change of the Service alone is none of its endpoints (CT-2).
            let runs = #"kubeproxy_conntrack_reconciler_sync_duration_seconds_count{ip_family="IPv4"}"#
            #expect(try agent.waits(for: runs) { $0 == 1 })
            dns.spec = ["sessionAffinity: ClientIP"]
            try scene.publish(dns)
            #expect(try agent.waits(for: "kubeproxy_sync_proxy_rules_service_changes_total") { $0 == 2 })
            #expect(try agent.metric(runs) == 1)

            dns.endpoints = [Scene.server(2)]
            try scene.publish(dns)
            let deleted = #"kubeproxy_conntrack_reconciler_deleted_entries_total{ip_family="IPv4"}"#
            #expect(try agent.waits(for: deleted) { $0 == 1 })
            #expect(try socket.request(to: service).server == "web-2")
            #expect(try bystander.request(to: other).server == "web-1", "not a service's flow")

            // No endpoint serves: what there is stays (CT-4).
            dns.endpoints = []
            try scene.publish(dns)
            #expect(try agent.waits(for: "kubeproxy_sync_proxy_rules_endpoint_changes_total") { $0 == 3 })
            #expect(try socket.request(to: service).server == "web-2")
            #expect(try agent.metric(deleted) == 1)
            #expect(try agent.metric("martlet_conntrack_failures_total") == 0)
            try socket.close()
            try bystander.close()
            try agent.stop()
        }
    }
}
