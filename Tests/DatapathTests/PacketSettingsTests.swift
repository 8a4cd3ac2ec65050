// Settings of the packet hooks, as the real programs have them.

import BPF
import KernelTestSupport
import NetworkTypes
import Synchronization
import Testing

@testable import Datapath

@Suite("Settings of the packet hooks", .enabled(if: canUseKernel))
struct PacketSettingsTests {
    @Test("every setting reaches the programs of every hook")
    func everything() throws {
        var timeouts = FlowTimeouts()
        timeouts.tcpEstablished = 7001
        timeouts.tcpOpening = 71
        timeouts.tcpClosing = 72
        timeouts.datagram = 31
        timeouts.datagramStream = 181
        let ranges = PerFamily { CIDR($0 == .ipv4 ? "172.16.0.0/12" : "fd00:5::/64") }
        let datapath = try ScratchInstallation().install(
            packets: PacketSettings(
                sourcePorts: 50000...50999, tunnelSources: ranges, timeouts: timeouts, dispatch: .option))
        #expect(datapath.notices == [])
        let constants = try datapath.packetPrograms.withLock { (programs) throws in
            switch programs {
            case .none: return [ConstantSection?]()
            case .some(let programs):
                var sections = [
                    try programs.framed.egress.constants(), try programs.framed.ingress.constants(),
                    try programs.bare.egress.constants(), try programs.bare.ingress.constants(),
                ]
                switch programs.xdp {
                case .none: break
                case .some(let xdp): sections.append(try xdp.constants())
                }
                return sections
            }
        }
        #expect(constants.count == 5)
        for section in constants {
            let section = try #require(section)
            for (name, value) in Self.expected { #expect(try section.number(name) == value, "\(name)") }
        }
    }

    private static let expected: [(String, UInt64)] = [
        ("snat_first_port", 50000), ("snat_port_count", 1000), ("tcp_established_s", 7001), ("tcp_opening_s", 71),
        ("tcp_closing_s", 72), ("datagram_opening_s", 31), ("datagram_stream_s", 181), ("dispatch_by_option", 1),
        ("tunnel_source_ipv4_be", UInt64(UInt32(0xac10_0000).bigEndian)), ("tunnel_source_ipv4_bits", 12),
        ("tunnel_source_ipv6_bits", 64),
    ]
}
