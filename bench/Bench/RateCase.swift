// What the rate benchmark measures, as values: which frames go from the client's namespace to the backend's by way of the
// node, or back.

struct RateCase: Codable, Sendable {
    /// Its scene, its flows and its kind say which frames come: `reply` from the backend's side, others from the client's.
    let packet: PacketCase
    var name: String { packet.name }
    var isReply: Bool { packet.kind == .reply }

    static let all: [RateCase] = [false, true].flatMap { isIPv6 -> [RateCase] in
        let family = isIPv6 ? "IPv6" : "IPv4"
        return [(1, "1 flow"), (PacketCase.mostMasqueraded, "65,536 flows")].flatMap { flows, count in
            [
                (PacketScene.one, PacketCase.Kind.established, "DSR"), (.snat, .established, "SNAT, request"),
                (.snat, .reply, "SNAT, reply"),
            ].map { scene, kind, title in
                RateCase(
                    packet: PacketCase(
                        name: "\(family) \(title), \(count)", scene: scene, isIPv6: isIPv6, kind: kind, flows: flows))
            }
        }
    }
}

/// What the worker of the rate benchmark is told to do.
struct RatePlan: Codable, Sendable {
    let cases: [RateCase]
    /// How often each case is timed.
    let rounds: Int
    /// Frames for each figure.
    let frames: Int
    let processor: Int
    /// A folder in a BPF file system, and an empty cgroup.
    let pins: String
    let cgroup: String
    /// Paths of network namespaces: the worker's own, and those at both ends.
    let node: String
    let client: String
    let backend: String
}

/// One entry for each round: frames a second that arrived, and frames that were sent and did not.
struct RateTimes: Codable, Sendable {
    var martlet: [Double] = []
    var martletLost: [Double] = []
    var redirect: [Double] = []
    var redirectLost: [Double] = []
}

/// By the name of the case.
typealias RateResults = [String: RateTimes]
