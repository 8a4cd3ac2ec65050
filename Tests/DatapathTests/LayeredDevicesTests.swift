// Devices on top of others, on the kernel: each packet is seen where the choice of devices says, and once by each hook of
// a device.

import BPF
import Datapath
import KernelTestSupport
import Netlink
import Testing

@Suite("Packet attachments of layered devices", .enabled(if: canUseKernel))
struct LayeredDevicesTests {
    @Test("a bridge has its packets seen at its port, and once")
    func bridge() throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            try ip(
                """
                link add over address 02:00:00:00:00:02 type bridge mcast_snooping 0
                link set over addrgenmode none
                link set right address 02:00:00:00:00:03
                link set right master over
                link set over up
                """)
            let report = try bench.follow(bench.attachments(), PacketSettings(devices: .patterns(["right"])))
            #expect(report.notices.isEmpty, "\(report.notices)")
            #expect(report.device(named: "over")?.hooks.isEmpty == true)
            #expect(report.device(named: "right")?.isExternal == true)
            #expect(report.device(named: "left")?.way(.xdp) == nil)
            try bench.sendPacket()
            let counts = try bench.counts()
            #expect(counts == AttachmentBench.Counts(ingress: 1, egress: 1, xdp: 1), "\(counts)")
        }
    }

    @Test("what is built on a veth is met by TC at both")
    func stacked() throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            try ip(
                """
                addr del 198.51.100.1/24 dev right
                addr del 192.0.2.1/24 dev left
                addr add 192.0.2.1/32 dev left
                route add 192.0.2.0/24 dev left
                neigh replace 192.0.2.2 lladdr 02:00:00:00:00:07 dev left
                link add link right name over address 02:00:00:00:00:07 type macvlan mode bridge
                link set over addrgenmode none
                addr add 198.51.100.1/24 dev over
                link set over up
                """)
            let report = try bench.follow(bench.attachments(), PacketSettings(devices: .patterns(["over"])))
            #expect(report.notices.isEmpty, "\(report.notices)")
            #expect(report.device(named: "over")?.isExternal == true && report.device(named: "over")?.way(.xdp) == nil)
            #expect(report.device(named: "right")?.isExternal == false)
            #expect(report.device(named: "right")?.way(.xdp) == nil)
            try bench.sendPacket()
            #expect(try bench.counts() == AttachmentBench.Counts(ingress: 2, egress: 1, xdp: 0))
        }
    }

    @Test(
        "a tunnel leads out of the node, and has TC alone",
        arguments: [PacketAttachments.TCXUse.whereAvailable, .never])
    func tunnel(tcx: PacketAttachments.TCXUse) throws {
        try inNewNetworkNamespace {
            let bench = try AttachmentBench()
            try ip("link add over type vxlan id 7 dstport 4789 dev left")
            let report = try bench.follow(bench.attachments(.generic, tcx: tcx))
            let device = try #require(report.device(named: "over"))
            #expect(device.isExternal && device.hooks.map(\.hook) == [.tcEgress, .tcIngress])
            #expect(device.hooks.allSatisfy { $0.way == (tcx == .never ? .clsact : .tcx) }, "\(device)")
        }
    }
}
