// A world's name: unique on this machine for all time, and telling whether its owner still lives. Namespaces,
// cgroup and scratch folder carry it, so that what a killed test left behind is found and removed by the next one.

import HostCalls

/// "martlet-PID-START-RANDOM", PID and START (clock ticks since boot) naming the process that owns the world.
struct WorldName: Hashable, CustomStringConvertible {
    private static let prefix = "martlet"

    private let pid: Int32
    private let start: UInt64
    private let suffix: String

    /// A fresh name owned by this process.
    init() {
        pid = ownProcessIdentifier()
        start = startTime(ofProcess: pid) ?? 0
        suffix = String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 36)
    }

    /// Reads the name that an object's name begins with; nil when it belongs to no world.
    init?(beginningOf text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] == Self.prefix, let pid = Int32(parts[1]),
            let start = UInt64(parts[2], radix: 36), !parts[3].isEmpty
        else { return nil }
        self.pid = pid
        self.start = start
        suffix = String(parts[3])
    }

    var description: String {
        "\(Self.prefix)-\(pid)-\(String(start, radix: 36))-\(suffix)"
    }

    /// False when the process is gone, or its id was given to another since.
    var ownerLives: Bool {
        startTime(ofProcess: pid) == start
    }
}
