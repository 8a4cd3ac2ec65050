// What the packet benchmark measures, as values: which packets come, and what the datapath that they meet holds.

import NetworkTypes

/// The rows of the packet benchmark.
struct PacketCase: Codable, Sendable {
    enum Kind: String, Codable, Sendable {
        /// A packet of a connection that has been seen before.
        case established
        /// A packet that opens a connection, of another client each time.
        case opening
        /// A backend's reply to a masqueraded flow.
        case reply
        /// A packet that is neither to a frontend nor to be translated.
        case stranger
    }

    let name: String
    let scene: PacketScene
    let isIPv6: Bool
    var isUDP = false
    var kind = Kind.established
    var flows = 65_536
    /// How many of the scene's services are in use, in turn.
    var services = 1
    /// The ratio to the floor that the design asks for.
    var bar: Double?

    /// Whether flows have records that must be there before the measuring begins.
    var needsRecords: Bool { scene.keepsRecords && (kind == .established || kind == .reply) }
    /// Whether every packet leaves a record behind.
    var leavesRecords: Bool { scene.keepsRecords && kind == .opening }

    static let most = 1_000_000
    /// Masqueraded flows: there are 4536 ports towards each backend.
    static let mostMasqueraded = 65_536

    static let all: [PacketCase] = [false, true].flatMap { isIPv6 in
        let family = isIPv6 ? "IPv6" : "IPv4"
        return steady(family, isIPv6) + translated(family, isIPv6) + moved(family, isIPv6)
    }

    /// DSR with no state for each flow, and packets that are not ours.
    private static func steady(_ family: String, _ isIPv6: Bool) -> [PacketCase] {
        var cases: [PacketCase] = []
        for (scene, frontends) in [(PacketScene.one, "1 frontend"), (.many, "100,000 frontends")] {
            for (flows, count) in [(1, "1 flow"), (65_536, "65,536 flows"), (most, "1,000,000 flows")] {
                cases.append(
                    PacketCase(
                        name: "\(family) DSR, TCP, \(count), \(frontends)", scene: scene, isIPv6: isIPv6, flows: flows,
                        bar: 2.8))
            }
        }
        cases += [
            PacketCase(name: "\(family) DSR, UDP", scene: .one, isIPv6: isIPv6, isUDP: true),
            PacketCase(
                name: "\(family) DSR, SYN of a new flow", scene: .one, isIPv6: isIPv6, kind: .opening, flows: most),
        ]
        for (scene, title) in [(PacketScene.thousandSharing, "one set of 100"), (.thousand, "5 backends each")]
            + [(.thousandLarge, "100 backends each")]
        {
            cases.append(
                PacketCase(
                    name: "\(family) DSR, 1,000 services in use, \(title)", scene: scene, isIPv6: isIPv6,
                    services: 1000, bar: 4))
        }
        for (scene, frontends) in [(PacketScene.one, "1 frontend"), (.many, "100,000 frontends")] {
            cases.append(
                PacketCase(
                    name: "\(family) not ours, \(frontends)", scene: scene, isIPv6: isIPv6, kind: .stranger, bar: 1.7))
        }
        return cases
    }

    /// With addresses of this node, and a record for each flow.
    private static func translated(_ family: String, _ isIPv6: Bool) -> [PacketCase] {
        let make = { (name: String, kind: Kind, flows: Int) in
            PacketCase(name: "\(family) SNAT, \(name)", scene: .snat, isIPv6: isIPv6, kind: kind, flows: flows)
        }
        return [
            make("request, 1 flow", .established, 1), make("request, 65,536 flows", .established, mostMasqueraded),
            make("reply, 1 flow", .reply, 1), make("reply, 65,536 flows", .reply, mostMasqueraded),
            make("SYN of a new flow", .opening, mostMasqueraded),
        ]
    }

    /// The worst case of DSR: a table in which every slot has moved, so that every flow is tracked.
    private static func moved(_ family: String, _ isIPv6: Bool) -> [PacketCase] {
        let make = { (name: String, kind: Kind, flows: Int) in
            PacketCase(
                name: "\(family) DSR, every slot moved, \(name)", scene: .moved, isIPv6: isIPv6, kind: kind,
                flows: flows)
        }
        return [
            make("1 flow", .established, 1), make("65,536 flows", .established, 65_536),
            make("1,000,000 flows", .established, most), make("SYN of a new flow", .opening, 65_536),
        ]
    }
}

/// What a datapath of the packet benchmark holds.
enum PacketScene: String, CaseIterable, Codable, Sendable {
    case one, many, thousand, thousandSharing, thousandLarge, snat, moved

    var services: Int {
        switch self {
        case .one, .snat, .moved: 1
        // Each has a ClusterIP and an external address in both families.
        case .many: 25_000
        case .thousand, .thousandSharing, .thousandLarge: 1000
        }
    }

    var endpoints: Int {
        switch self {
        case .one, .many, .thousand, .moved: 5
        case .thousandSharing, .thousandLarge, .snat: 100
        }
    }

    /// Whether all services have the same endpoints.
    var shares: Bool {
        switch self {
        case .many, .thousandSharing: true
        case .one, .thousand, .thousandLarge, .snat, .moved: false
        }
    }

    var isDSR: Bool {
        switch self {
        case .snat: false
        case .one, .many, .thousand, .thousandSharing, .thousandLarge, .moved: true
        }
    }

    var keepsRecords: Bool {
        switch self {
        case .snat, .moved: true
        case .one, .many, .thousand, .thousandSharing, .thousandLarge: false
        }
    }
}
