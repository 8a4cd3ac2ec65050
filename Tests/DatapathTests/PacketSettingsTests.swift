// Settings of the packet hooks, as the real programs take them.

import Datapath
import KernelTestSupport
import NetworkTypes
import Testing

@Suite("Settings of the packet hooks", .enabled(if: canUseKernel))
struct PacketSettingsTests {
    @Test("every setting reaches the programs")
    func everything() throws {
        let ranges = PerFamily { CIDR($0 == .ipv4 ? "172.16.0.0/12" : "fd00:5::/64") }
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install(
            packets: PacketSettings(
                sourcePorts: 50000...50999, tunnelSources: ranges, timeouts: FlowTimeouts(), dispatch: .option))
        #expect(datapath.hasPacketHooks, "\(datapath.notices)")
        #expect(datapath.notices == [])
    }
}
