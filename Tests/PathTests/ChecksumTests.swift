// Every packet on every link has the checksums that it should have, as another program sees it: tshark validates what
// was captured on both nodes' links, at the client and at the servers while clients were served in every way.

import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

/// What passed by one device of a namespace, as dumpcap(1) saw it.
private struct Tap {
    let name: String
    let file: String
    let process: ChildProcess

    init(_ name: String, at namespace: NetworkNamespace, of site: Site) throws {
        self.name = name
        file = "\(site.world.folder)/tap-\(name).pcapng"
        process = try site.world.spawn(
            "/usr/bin/dumpcap", ["-q", "-i", "eth0", "-w", file], in: namespace, name: "tap-\(name)")
        let process = process
        guard eventually(within: .seconds(10), { process.errorOutput.contains("File:") }) else {
            throw SiteError(description: "dumpcap does not listen: \(process.errorOutput)")
        }
    }

    private var size: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return attributes?[.size] as? Int ?? 0
    }

    /// Ends them, with everything written: dumpcap takes packets from the kernel up to a second late, and forgets those
    /// that it has not taken when it is told to end.
    static func stop(_ taps: [Tap]) throws {
        var last: [Int] = []
        while taps.map(\.size) != last {
            last = taps.map(\.size)
            usleep(2_500_000)
        }
        for tap in taps { try tap.stop() }
    }

    private func stop() throws {
        try process.send(signal: SIGINT)
        guard process.wait() == .exited(0) else {
            throw SiteError(description: "dumpcap failed: \(process.errorOutput)")
        }
    }

    /// The packets that a display filter admits, a line each.
    func packets(_ filter: String, at node: Node) throws -> [Substring] {
        let checks = ["ip", "tcp", "udp"].flatMap { ["-o", "\($0).check_checksum:TRUE"] }
        let result = try node.run("/usr/bin/tshark", ["-r", file, "-n"] + checks + ["-Y", filter])
        guard result.status == .exited(0) else { throw SiteError(description: result.errorOutput) }
        return result.output.split(separator: "\n")
    }
}

@Suite("Checksums on the links", .timeLimit(.minutes(5)))
struct ChecksumTests {
    /// 0 is "bad" for each of these fields, 1 is "good".
    private static let fields = ["ip", "tcp", "udp", "icmp", "icmpv6"].map { "\($0).checksum.status" }

    /// Has every sender finish its checksums, so that they are what they will be on a wire.
    private static func finishChecksums(of site: Site) throws {
        for probe in [site.client, site.machine, site.a1, site.b1, site.near.host, site.far.host] {
            try probe.turnOffChecksumOffload()
        }
        for pod in [site.a1, site.machine] {
            if let cable = site.near.interface(towards: pod) { try site.near.host.turnOffChecksumOffload(cable) }
        }
        if let cable = site.far.interface(towards: site.b1) { try site.far.host.turnOffChecksumOffload(cable) }
    }

    @Test("are right in every packet: translated and tunnelled, refused, in fragments", arguments: ["snat", "dsr"])
    func everywhere(_ forwarding: String) async throws {
        try await withSite { site in
            try Self.finishChecksums(of: site)
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            service.annotations["martlet.dev/forwarding"] = forwarding
            let empty = PublishedService(
                name: "empty", clusterIPs: ["10.96.0.11", "fd96::11"], externalIPs: ["203.0.113.7", "fd99::7"])
            try site.publish([service, empty])
            let taps = try [
                Tap("client", at: site.client.namespace, of: site), Tap("near", at: site.near.namespace, of: site),
                Tap("far", at: site.far.namespace, of: site), Tap("a1", at: site.a1.namespace, of: site),
                Tap("b1", at: site.b1.namespace, of: site),
            ]
            for walk in Walk.every {
                for (address, port) in walk.frontends(of: service, at: site.near) {
                    let answers = try site.client.ask(walk.transport, address, port, count: 20)
                    #expect(answers.total == 20 && answers.servers.count == 2, "\(walk) \(address): \(answers)")
                }
                let refused = try site.client.ask(walk.transport, walk.choose(empty.externalIPs), empty.port, count: 2)
                #expect(refused.errors == ["ECONNREFUSED": 2], "\(walk): \(refused)")
            }
            try Tap.stop(taps)
            for tap in taps {
                let wrong = try tap.packets(Self.fields.map { "\($0) == 0" }.joined(separator: " or "), at: site.near)
                #expect(wrong.isEmpty, "\(tap.name): \(wrong.count), first \(wrong.prefix(3))")
                for field in ["tcp", "udp"] {
                    let right = try tap.packets("\(field).checksum.status == 1", at: site.near)
                    #expect(right.count > 20, "\(tap.name) saw \(right.count) packets of \(field)")
                }
            }
            // A device with XDP shows what XDP has left of it, at the node that packets are tunnelled to.
            let tunnelled = try taps[2].packets("(ip.proto == 4 or ipv6.nxt == 41) and (tcp or udp)", at: site.near)
            #expect(tunnelled.isEmpty == (forwarding == "snat"), "\(tunnelled.prefix(2))")
            let reset = try taps[0].packets("tcp.flags.reset == 1 and tcp.checksum.status == 1", at: site.near)
            let unreachable = try taps[0].packets(
                "icmp.checksum.status == 1 or icmpv6.type == 1 and icmpv6.checksum.status == 1", at: site.near)
            #expect(reset.count >= 4 && unreachable.count >= 4)
        }
    }
}
