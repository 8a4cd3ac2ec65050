// A cgroup of the world's own: made below the cgroup2 mount, never the root itself, with no controller enabled (only
// the place in the tree matters to BPF programs). Killing through the cgroup reaches every process in it, whatever
// it has forked.

import HostCalls

/// A cgroup2 folder.
package struct ControlGroup: Sendable {
    /// Absolute path of its folder.
    package let path: String

    /// Where cgroup2 is mounted.
    static func mountPoint() throws(WorldError) -> String {
        let table = try onHost { () throws(CallFailure) in try readText("/proc/self/mountinfo") }
        for line in table.split(separator: "\n") {
            // proc(5): "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAGS…] - TYPE SOURCE SUPEROPTIONS"
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash > 5, fields.count > dash + 1 else { continue }
            if fields[dash + 1] == "cgroup2" { return String(fields[4]) }
        }
        throw .noControlGroups
    }

    static func create(_ path: String) throws(WorldError) -> ControlGroup {
        try onHost { () throws(CallFailure) in try makeDirectory(path) }
        return ControlGroup(path: path)
    }

    func child(_ name: String) throws(WorldError) -> ControlGroup {
        try .create(path + "/" + name)
    }

    /// Ids of the processes in this group, without those of its children.
    package func processes() -> [Int32] {
        guard let text = try? readText(path + "/cgroup.procs") else { return [] }
        return text.split(separator: "\n").compactMap { Int32($0) }
    }

    /// Whether a process lives in this group or below it.
    package var isPopulated: Bool {
        guard let text = try? readText(path + "/cgroup.events") else { return false }
        return text.contains("populated 1")
    }

    /// Kills every process in this group and below, and removes them all. Returns what would not go.
    func destroy() -> [String] {
        guard exists(path) else { return [] }
        try? writeText("1", to: path + "/cgroup.kill")
        guard eventually(within: .seconds(5), { !isPopulated }) else { return ["cgroup \(path) with processes"] }
        return remove(path)
    }

    private func remove(_ path: String) -> [String] {
        var stuck: [String] = []
        for child in namesIn(path, foldersOnly: true) { stuck += remove(path + "/" + child) }
        // A group stays busy for a moment after its last process has become a zombie.
        let gone = eventually(within: .seconds(2)) {
            (try? removeDirectory(path)) != nil || !exists(path)
        }
        return gone ? stuck : stuck + ["cgroup \(path)"]
    }
}
