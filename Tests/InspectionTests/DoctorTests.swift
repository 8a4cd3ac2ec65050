// The doctor on this machine, and what it must not claim when hooks are left out.

import BPF
import Datapath
import Foundation
import Glibc
import NetworkTypes
import Synchronization
import SystemCalls
import Testing

@testable import Inspection

@Suite("Doctor", .enabled(if: canUseKernel))
struct DoctorTests {
    @Test("finds that this machine can do everything, proves it with translated connections, and leaves nothing behind")
    func examination() throws {
        let folder = PinFolder(path: "/sys/fs/bpf/\(uniqueName("none"))")
        let (before, diagnosis, after) = try ProcessPlace.lock.withLock { _ in
            (try ScratchCGroup.own(), Doctor(folder: folder).examine(), try ScratchCGroup.own())
        }
        // Whether this machine forwards is a matter of its settings.
        let settings: Set = ["IPv4 forwarding", "IPv6 forwarding", "reverse path filter", "source ports"]
        let bad = diagnosis.findings.filter {
            $0.result != .ok && $0.area != .conflicts && !settings.contains($0.subject)
        }
        #expect(bad.isEmpty, "\(bad)")
        #expect(diagnosis.canRun)
        let subjects = Set(diagnosis.findings.filter { $0.area == .translation }.map(\.subject))
        #expect(subjects.isSuperset(of: ["TCP over IPv4", "UDP over IPv4", "refusing over IPv4", "events"]))
        let packets = Set(diagnosis.findings.filter { $0.area == .packets }.map(\.subject))
        #expect(
            packets.isSuperset(of: ["tc_ingress", "tc_egress", "xdp", "TCX ingress", "XDP in the driver", "bpf_timer"]))
        #expect(packets.isSuperset(of: settings))
        #expect(before == after)
        let parent = try #require(before)
        #expect(try BPFFileSystem.entries(at: parent).filter { $0.hasPrefix("martlet-doctor-\(getpid())-") }.isEmpty)
    }

    @Test("names the programs of others at our hooks, and not those of the installation it is asked about")
    func conflicts() throws {
        let installation = try TestInstallation()
        let cgroup = installation.cgroup.path
        let own = ConflictChecks(folder: installation.folder, cgroup: cgroup).findings()
        #expect(own.first?.result == .ok, "\(own)")
        let elsewhere = PinFolder(path: "/sys/fs/bpf/\(uniqueName("none"))")
        let foreign = try #require(ConflictChecks(folder: elsewhere, cgroup: cgroup).findings().first)
        #expect(foreign.result == .degraded)
        for hook in SocketHook.allCases { #expect(foreign.detail.contains("\(hook.rawValue): martlet_")) }
    }

    @Test(
        "says where the node's settings lose packets, by the larger of a device's reverse path filter and everybody's")
    func settings() throws {
        let folder = "/tmp/\(uniqueName("sysctl"))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func write(_ path: String, _ value: String) throws {
            let file = URL(fileURLWithPath: "\(folder)/\(path)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("\(value)\n".utf8).write(to: file)
        }
        func details() -> [String] { PacketChecks(settings: folder).findings().suffix(4).map(\.detail) }
        try write("ipv4/ip_local_reserved_ports", "8080,61000-65534")
        try write("ipv4/ip_forward", "1")
        try write("ipv6/conf/all/forwarding", "0")
        for (name, mode) in [("all", "0"), ("default", "1"), ("lo", "1"), ("eth0", "1"), ("eth1", "2"), ("eth2", "0")] {
            try write("ipv4/conf/\(name)/rp_filter", mode)
        }
        #expect(
            details() == [
                "net/ipv4/ip_forward is on", "net/ipv6/conf/all/forwarding is 0", "strict on eth0",
                "65535 are not in net.ipv4.ip_local_reserved_ports; an agent puts them there",
            ])
        try write("ipv4/ip_local_reserved_ports", "60000-65535")
        #expect(details().last == "61000-65535 are reserved")
        try write("ipv4/conf/all/rp_filter", "1")
        #expect(details()[2] == "strict on eth0, eth2")
        try write("ipv4/conf/all/rp_filter", "2")
        #expect(details()[2] == "strict on no device")
    }

    @Test("does not prove what does not work: without its hooks nothing is translated")
    func withoutHooks() throws {
        let cookie = try InternetSocket(.udp, .ipv4).namespaceCookie()
        var datapath = try ScratchDatapath(hostNamespaceCookie: cookie)
        let findings = TranslationChecks.tryAll(&datapath, .ipv4)
        #expect(findings.map(\.result) == [.missing, .missing, .missing], "\(findings)")
    }
}
