// Attaching to the devices of a network namespace of the test's own: what is attached stays, is adopted, exchanged and
// removed; and what one device refuses costs the others nothing.

import BPF
import Datapath
import Glibc
import KernelTestSupport
import Netlink
import Testing

@Suite("Packet attachments", .enabled(if: canUseKernel))
struct PacketAttachmentsTests {
    @Test(
        "packets are seen in both directions, with TCX and with clsact",
        arguments: [PacketAttachments.TCXUse.whereAvailable, .never])
    func both(tcx: PacketAttachments.TCXUse) throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            let report = try bench.follow(bench.attachments(tcx: tcx))
            for name in ["left", "right"] {
                let device = try #require(report.device(named: name))
                #expect(device.way(.tcIngress) == (tcx == .never ? .clsact : .tcx), "\(device)")
                #expect(device.way(.tcEgress) == (tcx == .never ? .clsact : .tcx), "\(device)")
            }
            #expect(report.device(named: "lo")?.reason == "is loopback")
            #expect(report.notices.isEmpty, "\(report.notices)")
            try bench.sendPacket()
            #expect(try bench.counts() == AttachmentBench.Counts(ingress: 1, egress: 1, xdp: 1))
            try bench.expectListing(of: report)
        }
    }

    @Test(
        "what is attached outlives its agent, and the next one exchanges the programs without attaching again",
        arguments: [PacketAttachments.TCXUse.whereAvailable, .never])
    func adoption(tcx: PacketAttachments.TCXUse) throws {
        try inNewNetworkNamespace {
            let first = try AttachmentBench()
            let report = try first.follow(first.attachments(tcx: tcx))
            let links = try first.linkIDs()
            let second = try AttachmentBench(after: first)
            try first.sendPacket()
            #expect(try first.counts().ingress == 1)
            #expect(try second.follow(second.attachments(tcx: tcx)) == report)
            try first.sendPacket()
            #expect(try first.counts() == AttachmentBench.Counts(ingress: 1, egress: 1, xdp: 1))
            #expect(try second.counts() == AttachmentBench.Counts(ingress: 1, egress: 1, xdp: 1))
            #expect(try second.linkIDs() == links)
            #expect(try second.follow(second.attachments(tcx: tcx)) == report)
        }
    }

    @Test("hooks that are no longer wanted go, and so do the pins of devices that are gone")
    func removal() throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            let attachments = bench.attachments()
            try ip("link add third type veth peer name fourth")
            _ = try bench.follow(attachments)
            #expect(try bench.pins().count == 12)
            try ip("link del third")
            _ = try bench.follow(attachments)
            #expect(try bench.pins().count == 6)
            let report = try bench.follow(
                bench.attachments(.off), PacketSettings(devices: .patterns(["*", "!right"]), xdp: .off))
            #expect(report.device(named: "right")?.reason == "is excluded by the settings")
            #expect(try bench.pins() == ["tc_egress_\(bench.left)", "tc_ingress_\(bench.left)"])
            try bench.sendPacket()
            #expect(try bench.counts() == AttachmentBench.Counts(ingress: 0, egress: 1, xdp: 0))
        }
    }

    @Test("filters that are no longer wanted go as well, and none stays beside a TCX link")
    func filters() throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            _ = try bench.follow(bench.attachments(tcx: .never))
            #expect(try bench.filterPins().count == 4)
            _ = try bench.follow(bench.attachments(tcx: .whereAvailable))
            #expect(try bench.filterPins().isEmpty)
            try bench.sendPacket()
            #expect(try bench.counts().ingress == 1)
            _ = try bench.follow(bench.attachments(tcx: .never))
            #expect(try bench.pins().allSatisfy { $0.hasPrefix("xdp") })
            try bench.sendPacket()
            #expect(try bench.counts().ingress == 2)
            _ = try bench.follow(bench.attachments(tcx: .never), PacketSettings(devices: .none))
            #expect(try bench.pins().isEmpty && bench.filterPins().isEmpty)
            try bench.sendPacket()
            #expect(try bench.counts().ingress == 2)
        }
    }

    @Test("another XDP program keeps its place, and TC serves the device")
    func occupied() throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            let other = try BPFLink.attach(xdp: try bench.anotherProgram(), interface: bench.right, mode: .native)
            let report = try bench.follow(bench.attachments(.generic))
            let device = try #require(report.device(named: "right"))
            let reason = try #require(device.reason(.xdp))
            #expect(reason.contains("another XDP program (count_xdp, number"), "\(reason)")
            #expect(report.notices == ["device right has no xdp: \(reason)"])
            #expect(device.way(.tcIngress) == .tcx)
            #expect(report.device(named: "left")?.way(.xdp) == .native)
            withExtendedLifetime(other) {}
        }
    }

    @Test("a driver that refuses is reported; generic XDP is taken only if asked for, and given back")
    func refused() throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            // A veth takes no program while its peer's packets may be larger than a page.
            try ip("link set left mtu 9000\nlink set right mtu 9000")
            let report = try bench.follow(bench.attachments(.native))
            let reason = try #require(report.device(named: "right")?.reason(.xdp))
            #expect(reason.contains("its driver refuses") && reason.contains("MTU of 9000"), "\(reason)")
            #expect(report.device(named: "right")?.way(.tcIngress) == .tcx)

            #expect(try bench.follow(bench.attachments(.generic)).device(named: "right")?.way(.xdp) == .generic)
            try bench.sendPacket()
            #expect(try bench.counts().xdp == 1)
            #expect(try bench.follow(bench.attachments(.generic)).device(named: "right")?.way(.xdp) == .generic)

            #expect(try bench.follow(bench.attachments(.native)).device(named: "right")?.way(.xdp) == nil)
            #expect(try XDPState.query(interface: bench.right).programIDs.isEmpty)
            try ip("link set left mtu 1500\nlink set right mtu 1500")
            #expect(try bench.follow(bench.attachments(.native)).device(named: "right")?.way(.xdp) == .native)
        }
    }

    @Test(
        "a device that goes in between costs the others nothing, and its index may come to mean another device",
        arguments: [PacketAttachments.TCXUse.whereAvailable, .never])
    func gone(tcx: PacketAttachments.TCXUse) throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            try ip("link add third type veth peer name fourth")
            let stale = try bench.selection()
            try ip("link del left")
            let report = try bench.follow(bench.attachments(tcx: tcx), stale)
            #expect(report.notices.allSatisfy { $0.hasSuffix("the device is gone") }, "\(report.notices)")
            #expect(report.notices.count == 6)
            #expect(report.device(named: "fourth")?.way(.tcIngress) == (tcx == .never ? .clsact : .tcx))

            for _ in 0..<2 {
                try ip("link add left index \(bench.left) type veth peer name right")
                let pin = "tc_ingress_\(bench.left)"
                #expect(try bench.follow(bench.attachments(tcx: tcx)).notices.isEmpty)
                #expect(try (tcx == .never ? bench.filterPins() : bench.pins()).contains(pin))
                #expect(try bench.runsProgram(pin))
                try ip("link del left")
            }
        }
    }

    @Test("clean-up removes links and filters, and leaves other people's filters")
    func cleanUp() throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            let theirs = ClassifierFilter(interface: bench.right, direction: .ingress, handle: 1, priority: 9)
            try bench.attach(theirs)
            _ = try bench.follow(bench.attachments(tcx: .never))
            let report = try Datapath.cleanUp(bench.folder)
            #expect(report.failures.isEmpty && report.foreign.isEmpty)
            #expect(report.removed.contains("filter tc_ingress_\(bench.right)"), "\(report.removed)")
            #expect(report.removed.contains("link xdp_\(bench.right)"))
            try bench.sendPacket()
            #expect(try bench.counts() == AttachmentBench.Counts(ingress: 1, egress: 0, xdp: 0))
            #expect(try theirs.programID() != nil)
        }
    }
}
