// What the worker of the churn benchmark is told to do, and what it brings back: both cross between two processes as JSON.

struct ChurnPlan: Codable, Sendable {
    /// Flows at the beginning; a fiftieth of that comes with each change.
    let flows: Int
    let changes: Int
    let endpoints: Int
    let seed: UInt64
    /// A folder in a BPF file system, and an empty cgroup.
    let pins: String
    let cgroup: String
}

/// One way of forwarding and one family.
struct ChurnResult: Codable, Sendable {
    let forwarding: String
    let isIPv6: Bool
    /// All flows that were ever begun, and the packets that they sent.
    var flows = 0
    var packets = 0
    /// Packets that came to another backend than their flow's first: while that one is in the set, and after it has left.
    var misdirected = 0
    var misdirectedOfRemoved = 0
    /// Packets that were not sent at all.
    var lost = 0
    /// Records of flows: when all had begun and nothing had changed yet, after the last change, and at the end of the
    /// tracking, when those were counted that a table does not say.
    var recordsBefore = 0
    var recordsAfter = 0
    /// Frontends that still had flows to be tracked when the set had been left alone; no bar, since flows live on.
    var changing = 0

    var isWhole: Bool { misdirected == 0 && misdirectedOfRemoved == 0 && lost == 0 }
}
