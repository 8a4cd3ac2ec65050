// The packet hooks on the status page, from what the kernel says and what an agent has reported. No kernel.

import Datapath
import FoundationEssentials
import Testing

@testable import Inspection

@Suite("Devices in the status")
struct DeviceStatusTests {
    private static func report() throws -> AttachmentReport {
        let text = """
            {"leftovers":[],"devices":[
              {"index":1,"name":"lo","isExternal":false,"hooks":[],"reason":"is loopback"},
              {"index":2,"name":"eth0","isExternal":true,"hooks":[
                {"hook":"tc_egress","way":"tcx"},{"hook":"tc_ingress","way":"tcx"},
                {"hook":"xdp","reason":"its driver takes no XDP programs; TC serves it"}]},
              {"index":5,"name":"veth1","isExternal":false,"hooks":[
                {"hook":"tc_egress","way":"tcx"},{"hook":"tc_ingress","way":"tcx"}]}]}
            """
        return try JSONDecoder().decode(AttachmentReport.self, from: Data(text.utf8))
    }

    private static let attached = [
        AttachedDeviceHook(hook: .tcEgress, device: 2, way: .tcx, programID: 11),
        AttachedDeviceHook(hook: .tcIngress, device: 2, way: .tcx, programID: 12),
        AttachedDeviceHook(hook: .tcEgress, device: 5, way: .clsact, programID: 13),
        AttachedDeviceHook(hook: .xdp, device: 9, way: .native, programID: 14),
    ]

    @Test("what is attached is the kernel's word, why something is not the agent's")
    func merging() throws {
        let devices = StatusReport.devices(attached: Self.attached, report: try Self.report(), names: [9: "eth9"])
        #expect(devices.map(\.index) == [1, 2, 5, 9])
        #expect(devices.map(\.name) == ["lo", "eth0", "veth1", "eth9"])
        #expect(devices.map(\.external) == [false, true, false, nil])
        #expect(devices[0].reason == "is loopback" && devices[0].hooks.isEmpty)
        #expect(devices[1].hooks.map(\.way) == ["tcx", "tcx", nil])
        #expect(devices[1].hooks.map(\.programID) == [11, 12, nil])
        #expect(devices[1].hooks[2].reason == "its driver takes no XDP programs; TC serves it")
        #expect(devices[2].hooks.map(\.attached) == [true, false])
        #expect(devices[2].hooks[1].reason == "it was attached, and is not any more")
        #expect(devices[3].hooks.map(\.name) == ["xdp"])
    }

    @Test("without an agent's word there is what is attached")
    func withoutReport() {
        let devices = StatusReport.devices(attached: Self.attached, report: nil)
        #expect(devices.map(\.index) == [2, 5, 9] && devices.allSatisfy { $0.name == nil && $0.external == nil })
        #expect(StatusReport.devices(attached: [], report: nil).isEmpty)
    }

    @Test("the page has a row for each device, with capitals for what is missing")
    func page() throws {
        let devices = StatusReport.devices(attached: Self.attached, report: try Self.report())
        let report = StatusReport(
            pinFolder: "/p", installed: true, complete: true, contractVersion: 1, supportedContractVersion: 1,
            agent: .init(running: false, status: nil, statusError: nil), hooks: [], devices: devices, maps: [],
            missingMaps: [], memoryBytes: 0, outcomes: [])
        #expect(
            StatusPage(report).text.hasSuffix(
                """
                DEVICE  INDEX  LEADS  XDP           INGRESS       EGRESS  NOTE
                lo          1  in     -             -             -       is loopback
                eth0        2  out    NOT ATTACHED  tcx           tcx     xdp: its driver takes no XDP programs; TC serves it
                veth1       5  in     -             NOT ATTACHED  clsact  tc_ingress: it was attached, and is not any more
                -           9  -      native        -             -       -

                """))
    }
}
