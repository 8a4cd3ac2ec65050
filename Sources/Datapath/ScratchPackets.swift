// The packet programs with small maps of their own, pinned nowhere: to be tried out. They know nothing of the datapath that
// serves the node.

package import BPF

package enum ScratchPackets {
    private static let sizes = MapSizes(
        frontends: 64, backends: 64, slotWords: 64, services: 64, nodePorts: 64, serviceCIDRs: 64, connections: 64,
        udpPages: 64, affinity: 64, sourceRanges: 64, flows: 64, eventBytes: 65536)

    /// Has the kernel verify one program by itself. It goes away with the result.
    package static func load(_ hook: PacketHook) throws(BPFError) -> BPFProgram {
        let kind: DatapathObject = hook == .xdp ? .nodePortXDP : .nodePortTC
        var object = try kind.open()
        for map in kind.maps(of: object) {
            if let size = map.size(in: sizes) { try object.setMaxEntries(map: map.rawValue, size) }
        }
        try PacketSettings().setConstants(of: &object)
        for name in object.programNames { try object.setAutoload(program: name, name == hook.programName) }
        try object.load()
        return try object.program(named: hook.programName)
    }

    /// Attaches the program in the way that is best, to a device of the calling thread's network namespace, and detaches
    /// it at once.
    package static func tryAttaching(
        _ program: borrowing BPFProgram, _ hook: PacketHook, to device: UInt32
    ) throws(BPFError) {
        switch hook {
        case .tcEgress: _ = try BPFLink.attach(program, interface: device, .tcxEgress, position: .first)
        case .tcIngress: _ = try BPFLink.attach(program, interface: device, .tcxIngress, position: .first)
        case .xdp: _ = try BPFLink.attach(xdp: program, interface: device, mode: .native)
        }
    }
}

extension PacketHook {
    /// The name of the program in its object.
    fileprivate var programName: String {
        switch self {
        case .tcEgress: "martlet_nodeport_egress"
        case .tcIngress: "martlet_nodeport_ingress"
        case .xdp: "martlet_nodeport_xdp"
        }
    }
}
