// Has the kernel verify every program with every set of constants that the agent loads it with, on small maps that nothing is
// pinned of: what this kernel's verifier says, and how much work each program is for it.

package import BPF
import CDatapathABI
import NetworkTypes

package struct ProgramTrial: Sendable {
    /// What the constants make of the programs.
    package let configuration: String
    package let object: DatapathObject
    private let settings: DatapathSettings
    private let linkHeaderBytes: UInt32

    private static let sizes = MapSizes(
        frontends: 64, backends: 64, slotWords: 64, services: 64, nodePorts: 64, serviceCIDRs: 64, connections: 64,
        udpPages: 64, affinity: 64, sourceRanges: 64, flows: 64, eventBytes: 65536)

    /// Constants that switch something on or off, in the ways that settings can: all at their defaults, all the other
    /// way, and DSR by option, which other functions carry out.
    /// Numbers such as timeouts change nothing for the verifier.
    package static var all: [ProgramTrial] {
        var other = settings()
        (other.podsAreLocalIPv4, other.podsAreLocalIPv6, other.protectNodePorts) = (false, false, false)
        other.skipCgroups = Array(repeating: "", count: Int(DP_SKIP_CGROUPS_MAX))
        other.packets.tunnelSources = PerFamily { CIDR($0 == .ipv4 ? "198.18.0.0/16" : "2001:db8::/64") }
        var byOption = settings()
        byOption.packets.dispatch = .option
        return [
            ProgramTrial(configuration: "default", object: .sock, settings: settings(), linkHeaderBytes: 0),
            ProgramTrial(
                configuration: "cgroups left alone, the rest off", object: .sock, settings: other, linkHeaderBytes: 0),
            ProgramTrial(configuration: "default", object: .nodePortXDP, settings: settings(), linkHeaderBytes: 14),
            ProgramTrial(
                configuration: "tunnel sources", object: .nodePortXDP, settings: other, linkHeaderBytes: 14),
            ProgramTrial(configuration: "by option", object: .nodePortXDP, settings: byOption, linkHeaderBytes: 14),
            ProgramTrial(configuration: "default", object: .nodePortTC, settings: settings(), linkHeaderBytes: 14),
            ProgramTrial(
                configuration: "tunnel sources, no link header", object: .nodePortTC, settings: other,
                linkHeaderBytes: 0),
            ProgramTrial(configuration: "by option", object: .nodePortTC, settings: byOption, linkHeaderBytes: 14),
            ProgramTrial(
                configuration: "by option, no link header", object: .nodePortTC, settings: byOption,
                linkHeaderBytes: 0),
        ]
    }

    private static func settings() -> DatapathSettings {
        DatapathSettings(pinFolder: PinFolder(path: ""), cgroup: "", sizes: sizes, hostNamespaceCookie: 1)
    }

    /// The names of the object's programs.
    package func programNames() throws(BPFError) -> [String] { try object.open().programNames }

    /// Loads one program by itself, so that one refusal does not hide the rest. It is gone afterwards.
    ///
    /// - Throws: what the kernel answered, with the end of the verifier's log.
    package func load(program: String) throws(BPFError) -> ProgramInfo {
        var object = try object.open()
        for map in self.object.maps(of: object) {
            if let size = map.size(in: Self.sizes) { try object.setMaxEntries(map: map.rawValue, size) }
        }
        try settings.setConstants(
            of: &object, self.object, places: Self.sizes.connections,
            buckets: FrontendIndex.buckets(frontends: Self.sizes.frontends),
            records: MapName.frontendRecords.size(in: Self.sizes) ?? 0, linkHeaderBytes: linkHeaderBytes)
        for name in object.programNames { try object.setAutoload(program: name, name == program) }
        try object.load()
        return try object.program(named: program).info()
    }
}
