// Beside others on one node: host ports that a CNI plugin translates, filters before and after that translation, policies
// on pod addresses, and what the node serves itself. Real rules, real agents, real sockets.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Beside others on a node", .timeLimit(.minutes(5)))
struct CoexistencePathTests {
    private static let hostPort: UInt16 = 31323

    /// As a port-mapping CNI plugin has them: destination translation where packets come in and where they are made.
    private static func hostPortRules(_ site: Site, _ pod: Probe) -> String {
        let rules = ["tcp", "udp"].map { kind in
            """
                ip daddr \(site.near.v4) \(kind) dport \(hostPort) dnat ip to \(pod.v4):\(Site.backendPort)
                ip6 daddr \(site.near.v6) \(kind) dport \(hostPort) dnat ip6 to [\(pod.v6)]:\(Site.backendPort)
            """
        }.joined(separator: "\n")
        return """
            table inet hostports {
              chain incoming { type nat hook prerouting priority dstnat;
            \(rules)
              }
              chain own { type nat hook output priority -100;
            \(rules)
              }
              chain leaving { type nat hook postrouting priority srcnat;
                ip saddr \(pod.v4) ip daddr \(pod.v4) masquerade
                ip6 saddr \(pod.v6) ip6 daddr \(pod.v6) masquerade
              }
            }
            """
    }

    @Test(
        "a CNI plugin's host port keeps working beside a service port, a NodePort and an ExternalIP of its number (COEX-3)",
        arguments: ["snat", "dsr"])
    func hostPorts(_ forwarding: String) async throws {
        let others = ["nodePortAddresses: [192.168.60.0/24, \"fd60::/64\"]"]
        try await withSite(configuration: others) { site in
            try site.near.addAddress("192.168.60.1/24")
            try site.near.addAddress("fd60::1/64")
            let pod = try site.near.addPod("hostport", addresses: ["10.0.1.77", "fd00:1::77"])
            for transport in [Transport.tcp, .udp] { try pod.serve(transport, port: Site.backendPort) }
            try site.addRules(Self.hostPortRules(site, pod))
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            service.annotations["martlet.dev/forwarding"] = forwarding
            service.port = Self.hostPort
            service.nodePort = Self.hostPort
            try site.publish([service])
            for walk in Walk.every {
                for probe in [site.client, site.a1, site.near.host, site.machine] {
                    let answers = try probe.ask(walk.transport, walk.address(of: site.near), Self.hostPort, count: 5)
                    #expect(answers.servers == ["hostport": 5], "\(walk) from \(probe.name): \(answers)")
                    #expect(answers.peerAddresses == [walk.address(of: site.near)], "\(walk) from \(probe.name)")
                }
                let nodePort = walk.isV6 ? "fd60::1" : "192.168.60.1"
                let virtual = [walk.choose(service.loadBalancerIPs), walk.choose(service.externalIPs)]
                // With DSR the backend's node knows a NodePort by the first address of its device alone.
                for address in virtual + (forwarding == "snat" ? [nodePort] : []) {
                    let answers = try site.client.ask(walk.transport, address, Self.hostPort, count: 20)
                    #expect(Set(answers.servers.keys) == ["a1", "b1"] && answers.total == 20, "\(walk) \(address)")
                }
            }
        }
    }

    @Test("a node whose address is an ExternalIP still serves its other ports itself (ICMP-3, PORT-3)")
    func nodeAddress() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            service.externalIPs = [site.near.v4, site.near.v6]
            try site.publish([service])
            for transport in [Transport.tcp, .udp] { try site.near.host.serve(transport, port: 2222, as: "node") }
            for walk in Walk.every {
                let address = walk.address(of: site.near)
                let own = try site.client.ask(walk.transport, address, 2222, count: 3)
                #expect(own.servers == ["node": 3], "\(walk): \(own)")
                let served = try site.client.ask(walk.transport, address, service.port, count: 20)
                #expect(Set(served.servers.keys) == ["a1", "b1"] && served.total == 20, "\(walk): \(served)")
            }
        }
    }

    @Test(
        "an unused port of a load-balancer address is refused, where the node's route leads back to the router (REJ-4)",
        arguments: [true, false])
    func unusedPorts(_ hasRoute: Bool) async throws {
        try await withSite { site in
            let service = PublishedService.everywhere([(site.a1, "near")])
            try site.publish([service])
            // The client is the router that sends everything for these addresses here.
            for gateway in hasRoute ? [site.client.v4, site.client.v6] : [] {
                try site.near.namespace.configure(["route add default via \(gateway)"])
            }
            for walk in Walk.every {
                for addresses in [service.loadBalancerIPs, service.externalIPs] {
                    let answers = try site.client.ask(walk.transport, walk.choose(addresses), 81, count: 3)
                    #expect(answers.errors == ["ECONNREFUSED": 3], "\(walk): \(answers)")
                }
            }
            #expect(try site.count("unknown_port", at: site.near) == 24)
        }
    }

    @Test("filters of others see the endpoint from their first hook on, and the client where it is kept (COEX-2)")
    func filters() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near")])
            service.isExternalLocal = true
            try site.publish([service])
            func rules(_ chain: String) -> String {
                """
                    ip saddr \(site.client.v4) ip daddr \(site.a1.v4) tcp dport \(Site.backendPort) counter name \(chain)_endpoint
                    ip daddr 203.0.113.5 counter name \(chain)_service
                """
            }
            let chains = [
                ("before", "prerouting priority dstnat - 1"), ("after", "prerouting priority dstnat + 1"),
                ("passing", "forward priority filter"),
            ]
            try site.addRules(
                """
                table inet watch {
                \(chains.map { "  counter \($0.0)_endpoint {}\n  counter \($0.0)_service {}" }.joined(separator: "\n"))
                \(chains.map { "  chain \($0.0) { type filter hook \($0.1);\n\(rules($0.0))\n  }" }.joined(separator: "\n"))
                }
                """)
            #expect(try site.client.ask(.tcp, "203.0.113.5", service.port, count: 3).total == 3)
            for (chain, _) in chains {
                #expect(try site.packets("\(chain)_endpoint") > 0, "\(chain)")
                #expect(try site.packets("\(chain)_service") == 0, "\(chain)")
            }
            // Masqueraded packets are sent on from the hook itself, and pass no filter of the node.
            service.isExternalLocal = false
            service.endpoints = [(site.b1, "far")]
            try site.publish([service])
            let before = try site.packets("passing_endpoint")
            #expect(try site.client.ask(.tcp, "203.0.113.5", service.port, count: 3).servers == ["b1": 3])
            #expect(try site.packets("passing_endpoint") == before)
            #expect(try site.packets("before_service") == 0)
        }
    }

    @Test("a policy on pod addresses holds through ClusterIPs, for sockets and for machines without (COEX-7, MASQ-1)")
    func policies() async throws {
        try await withSite { site in
            let allowed = try site.near.addPod("allowed", addresses: ["10.0.1.61", "fd00:1::61"])
            let denied = try site.near.addPod("denied", addresses: ["10.0.1.62", "fd00:1::62"])
            let service = PublishedService.everywhere([(site.a1, "near")])
            try site.publish([service])
            try site.addRules(
                """
                table inet denied {
                  chain forward { type filter hook forward priority filter;
                    ip saddr { \(denied.v4), \(site.machine.v4) } ip daddr \(site.a1.v4) drop
                    ip6 saddr { \(denied.v6), \(site.machine.v6) } ip6 daddr \(site.a1.v6) drop
                  }
                }
                """)
            for walk in Walk.every {
                let address = walk.choose(service.clusterIPs)
                #expect(
                    try allowed.ask(walk.transport, address, service.port, count: 3).servers == ["a1": 3], "\(walk)")
                for probe in [denied, site.machine] {
                    let answers = try probe.ask(
                        walk.transport, address, service.port, count: 1, timeout: .milliseconds(300))
                    #expect(answers.errors == ["ETIMEDOUT": 1], "\(walk) from \(probe.name): \(answers)")
                }
            }
        }
    }

    @Test("the agent's start changes no setting of the node but the ports that it reserves (SYSCTL-4)")
    func settings() async throws {
        try await withSite { site in
            try site.publish([])
            let host = site.near.host
            for device in ["all", "default", "eth0"] {
                #expect(try host.setting("net.ipv4.conf.\(device).route_localnet") == "0", "\(device)")
            }
            #expect(try host.setting("net.ipv4.ip_local_reserved_ports") == "61000-65535")
        }
    }
}
