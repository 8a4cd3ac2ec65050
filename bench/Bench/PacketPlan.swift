// What the worker of the packet benchmark is told to do, and what it brings back: both cross between two processes as JSON.

struct PacketPlan: Codable, Sendable {
    let cases: [PacketCase]
    /// How often the programs are loaded.
    let loads: Int
    /// How often each case is timed in each load.
    let rounds: Int
    /// Packets for each figure.
    let packets: Int
    let processor: Int
    /// A folder in a BPF file system, and an empty cgroup.
    let pins: String
    let cgroup: String
    /// An object file to measure in place of the shipped one.
    let object: String?
}

/// Nanoseconds for each packet: one entry for each round.
struct PacketTimes: Codable, Sendable {
    /// An empty program, with nothing before it.
    var bare: [Double] = []
    /// The same, and the others, behind the prologue.
    var empty: [Double] = []
    var floor: [Double] = []
    var subject: [Double] = []
}

/// By the name of the case, one entry for each load.
typealias PacketResults = [String: [PacketTimes]]
