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

    /// Constants that switch something on or off, in the ways that settings can; the verifier removes what is off. Numbers
    /// such as timeouts change nothing for it.
    package static var all: [ProgramTrial] {
        sockets + [("outer address of the route", false), ("outer addresses of a range", true)].flatMap(packets)
    }

    private static var sockets: [ProgramTrial] {
        var bare = settings()
        (bare.podsAreLocalIPv4, bare.podsAreLocalIPv6, bare.protectNodePorts) = (false, false, false)
        var skipping = settings()
        skipping.skipCgroups = Array(repeating: "", count: Int(DP_SKIP_CGROUPS_MAX))
        return [("default", settings()), ("everything off", bare), ("cgroups left alone", skipping)].map {
            ProgramTrial(configuration: $0, object: .sock, settings: $1, linkHeaderBytes: 0)
        }
    }

    private static func packets(_ name: String, hasTunnelSources: Bool) -> [ProgramTrial] {
        var settings = settings()
        if hasTunnelSources {
            settings.packets.tunnelSources = PerFamily { family in
                let text = family == .ipv4 ? "198.18.0.0/16" : "2001:db8::/64"
                return CIDR(text)
            }
        }
        return [
            ProgramTrial(configuration: name, object: .nodePortXDP, settings: settings, linkHeaderBytes: 14),
            ProgramTrial(
                configuration: "Ethernet, \(name)", object: .nodePortTC, settings: settings, linkHeaderBytes: 14),
            ProgramTrial(
                configuration: "no link header, \(name)", object: .nodePortTC, settings: settings, linkHeaderBytes: 0),
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
            buckets: FrontendIndex.buckets(frontends: Self.sizes.frontends), linkHeaderBytes: linkHeaderBytes)
        for name in object.programNames { try object.setAutoload(program: name, name == program) }
        try object.load()
        return try object.program(named: program).info()
    }
}
