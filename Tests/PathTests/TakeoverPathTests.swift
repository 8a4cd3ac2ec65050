// From kube-proxy to Martlet and back with connections open: those of clients outside, of pods, of machines behind the
// node and of its own processes, made through rules of kube-proxy's shape, or through Martlet.

import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("From kube-proxy, and back to it", .timeLimit(.minutes(10)))
struct TakeoverPathTests {
    /// TCP connections in all; MARTLET_OPEN_CONNECTIONS for more.
    private static let wanted =
        ProcessInfo.processInfo.environment["MARTLET_OPEN_CONNECTIONS"].flatMap { Int($0) } ?? 96

    private static func service(_ site: Site) -> PublishedService {
        PublishedService(nodePort: 30080, endpoints: [(site.a1, "near"), (site.b1, "far")])
    }

    /// Of every kind of client, in both families, with a third as many UDP flows.
    private static func open(_ site: Site, _ service: PublishedService, pod: Probe) throws -> OpenConnections {
        var open = OpenConnections()
        for walk in Walk.every {
            let count = max(1, wanted / 8 / (walk.transport == .udp ? 3 : 1))
            try open.open(count, walk, from: site.client, to: walk.address(of: site.near), service.nodePort)
            for probe in [site.machine, pod, site.near.host] {
                try open.open(count, walk, from: probe, to: walk.choose(service.clusterIPs), service.port)
            }
        }
        return open
    }

    private static let foreign = """
        table inet others {
          chain forward { type filter hook forward priority filter; ip saddr 198.51.100.1 drop; }
        }
        """

    /// Chains of others in iptables' tables, with names that begin alike.
    private static let foreignTables = """
        *nat
        :CNI-HOSTPORT-DNAT - [0:0]
        :KUBE-ROUTER-SNAT - [0:0]
        -A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
        -A POSTROUTING -j KUBE-ROUTER-SNAT
        COMMIT

        """

    @Test(
        "taking over ends no connection, moves none, and leaves what is not kube-proxy's (LIFE-4, COEX-1, COEX-8, CT-7)",
        arguments: [KubeProxyMode.iptables, .nftables])
    func takeover(_ mode: KubeProxyMode) async throws {
        try await withSite(isAlone: true) { site in
            let pod = try site.near.addPod("pod", addresses: ["10.0.1.71", "fd00:1::71"])
            let service = Self.service(site)
            try site.routeClusterIPs()
            try site.addRules(Self.foreign)
            if mode != .nftables {
                for isV6 in [false, true] { try site.restore(Self.foreignTables, isV6: isV6) }
            }
            try site.addKubeProxyRules(mode, for: [service])
            let before = try site.rules(mode)
            let open = try Self.open(site, service, pod: pod)
            #expect(Set(open.servers.keys) == ["a1", "b1"])
            let early = try site.martlet(["doctor"], at: site.near)
            #expect(early.output.contains("kube-proxy's rules are"), "\(early.output)")
            let load = try site.client.startLoad(
                .tcp, site.near.v4, service.nodePort, mode: .hold, concurrency: 4, rest: .milliseconds(2))

            try site.publish([service])
            try site.startAgent()
            #expect(open.changes() == [])
            let report = try site.takeover()
            #expect(report.contains("\"connections\""), "\(report)")
            #expect(open.changes() == [])
            #expect(try load.stop().failures == [:])

            let doctor = try site.martlet(["doctor"], at: site.near)
            #expect(!doctor.output.contains("kube-proxy's rules are"), "\(doctor.output)")
            let after = try site.rules(mode)
            #expect(KubeProxyTraces.of(after) == [], "\(after)")
            #expect(KubeProxyTraces.without(before) == KubeProxyTraces.without(after))
            for walk in Walk.every {
                for probe in [site.client, site.machine, pod, site.near.host] {
                    let address = probe === site.client ? walk.address(of: site.near) : walk.choose(service.clusterIPs)
                    let port = probe === site.client ? service.nodePort : service.port
                    let answers = try probe.ask(walk.transport, address, port, count: 10)
                    #expect(answers.total == 10, "\(walk) from \(probe.name): \(answers)")
                }
            }
            #expect(open.changes() == [])
        }
    }

    @Test("an agent that dies while it takes over is completed by the next one, and nothing is lost (LIFE-4)")
    func interruption() async throws {
        try await withSite(isAlone: true) { site in
            let pod = try site.near.addPod("pod", addresses: ["10.0.1.71", "fd00:1::71"])
            let service = Self.service(site)
            try site.routeClusterIPs()
            try site.addKubeProxyRules(.iptables, for: [service])
            let open = try Self.open(site, service, pod: pod)
            try site.publish([service])
            for milliseconds in [50, 150, 250, 350, 450, 600] {
                try site.startAgent(["--takeover"], killedAfter: .milliseconds(milliseconds))
                #expect(open.changes() == [], "killed after \(milliseconds) ms")
            }
            try site.startAgent(["--takeover"])
            let isOver = try eventually(within: .seconds(10)) { KubeProxyTraces.of(try site.rules(.iptables)) == [] }
            #expect(isOver)
            #expect(open.changes() == [])
            let listing = try site.rules(.nftables)
            #expect(listing.contains("table inet martlet"), "\(listing)")
        }
    }

    @Test(
        "going back ends no connection, moves none, and leaves everything new to kube-proxy (LIFE-3)",
        arguments: [KubeProxyMode.iptables, .nftables])
    func retreat(_ mode: KubeProxyMode) async throws {
        try await withSite { site in
            let pod = try site.near.addPod("pod", addresses: ["10.0.1.71", "fd00:1::71"])
            let service = Self.service(site)
            try site.routeClusterIPs()
            try site.publish([service])
            let open = try Self.open(site, service, pod: pod)
            #expect(Set(open.servers.keys) == ["a1", "b1"])
            let refused = try site.martlet(["retreat"], at: site.near)
            #expect(refused.status == .exited(1) && refused.errorOutput.contains("kube-proxy"), "\(refused)")
            try site.addKubeProxyRules(mode, for: [service])
            let report = try site.martlet(["retreat", "-o", "json"], at: site.near)
            #expect(report.status == .exited(0), "\(report.output)\(report.errorOutput)")
            #expect(open.changes() == [])
            let counted = try site.count("forwarded", at: site.near)
            for walk in Walk.every {
                for probe in [site.client, site.machine, pod, site.near.host] {
                    let address = probe === site.client ? walk.address(of: site.near) : walk.choose(service.clusterIPs)
                    let port = probe === site.client ? service.nodePort : service.port
                    let answers = try probe.ask(walk.transport, address, port, count: 10)
                    #expect(answers.total == 10, "\(walk) from \(probe.name): \(answers)")
                }
            }
            #expect(try site.count("forwarded", at: site.near) == counted)
            #expect(open.changes() == [])
        }
    }
}

/// What is left of kube-proxy in a listing of rules, and the rest of it.
private enum KubeProxyTraces {
    private static let words = [
        "KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ", "KUBE-PROXY", "KUBE-SVC-", "KUBE-SEP-",
        "KUBE-EXT-", "KUBE-FORWARD", "KUBE-EXTERNAL-SERVICES",
    ]

    static func of(_ listing: String) -> [String] {
        listing.split(separator: "\n").map(String.init).filter { line in
            words.contains { line.contains($0) } || line.contains("kube-proxy")
        }
    }

    /// The lines that are neither kube-proxy's nor Martlet's, without packet counters.
    static func without(_ listing: String) -> [String] {
        var lines: [String] = []
        var isInside = false
        for line in listing.split(separator: "\n").map(String.init) {
            if line.hasPrefix("table") { isInside = line.contains("kube-proxy") || line.contains("inet martlet") }
            if isInside || words.contains(where: { line.contains($0) }) { continue }
            lines.append(line.hasPrefix(":") ? String(line.prefix { $0 != "[" }) : line)
        }
        return lines
    }
}

extension Site {
    /// As a default route would: the node's own sockets have a way to ClusterIPs before they are translated.
    func routeClusterIPs() throws {
        try near.namespace.configure(["route add 10.96.0.0/16 dev eth0", "route add fd96::/64 dev eth0"])
    }

    /// Runs `martlet takeover` at the first node.
    func takeover() throws -> String {
        let result = try martlet(
            ["takeover", "-o", "json", "--state-folder", "\(world.folder)/near-state"], at: near)
        guard result.status == .exited(0) else {
            throw SiteError(description: "takeover: \(result.output)\(result.errorOutput)")
        }
        return result.output
    }
}
