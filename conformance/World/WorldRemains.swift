// What a world whose owner was killed has left on the machine, and its removal. Only objects whose name says that
// their owner is dead are touched; worlds of living processes are never.

import HostCalls

/// The objects that carry one world's name.
struct WorldRemains {
    /// Where scratch folders lie.
    static let scratch = "/tmp"

    private let name: WorldName
    private let controlGroups: String

    init(_ name: WorldName, controlGroups: String) {
        self.name = name
        self.controlGroups = controlGroups
    }

    /// Removes the remains of every world whose owner is dead. What resists is left to the next sweep.
    static func sweep(controlGroups: String) {
        let places = [controlGroups, NetworkNamespace.folder, scratch]
        let found = places.flatMap { namesIn($0) }.compactMap { WorldName(beginningOf: $0) }
        for name in Set(found) where !name.ownerLives {
            _ = WorldRemains(name, controlGroups: controlGroups).remove()
        }
    }

    /// Returns what would not go.
    func remove() -> [String] {
        var stuck = ControlGroup(path: "\(controlGroups)/\(name)").destroy()
        for namespace in namesIn(NetworkNamespace.folder) where namespace.hasPrefix("\(name)-") {
            let path = NetworkNamespace.folder + "/" + namespace
            try? unmount(path)
            do {
                try removeFile(path)
            } catch {
                stuck.append("network namespace \(namespace) (\(error))")
            }
        }
        return stuck + removeTree("\(WorldRemains.scratch)/\(name)")
    }
}

/// Removes a folder with everything in it, detaching what is mounted there first. Returns what would not go.
func removeTree(_ path: String) -> [String] {
    guard exists(path) else { return [] }
    var stuck: [String] = []
    for folder in namesIn(path, foldersOnly: true) {
        // Pins and mounted trees go with their mount; for an ordinary folder this fails and changes nothing.
        try? unmount(path + "/" + folder)
        stuck += removeTree(path + "/" + folder)
    }
    for file in namesIn(path) { try? removeFile(path + "/" + file) }
    do {
        try removeDirectory(path)
        return stuck
    } catch {
        return stuck + ["folder \(path) (\(error))"]
    }
}
