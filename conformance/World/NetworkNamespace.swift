// A network namespace with a name under /run/netns, where tools and agents can find it, and its configuration by
// commands of ip(8). Entering it is the started process's own business (see martlet-probe exec).

import HostCalls

/// A named network namespace.
package struct NetworkNamespace: Sendable {
    static let folder = "/run/netns"

    package let name: String
    private let tools: Tools

    package var path: String { Self.folder + "/" + name }

    static func create(_ name: String, _ tools: Tools) throws(WorldError) -> NetworkNamespace {
        try tools.run(tools.ip, ["netns", "add", name])
        return NetworkNamespace(name: name, tools: tools)
    }

    /// Runs ip(8) commands in this namespace in order, such as "addr add 10.0.0.1/24 dev eth0". Stops at the first
    /// that fails, which the error names.
    package func configure(_ commands: [String]) throws(WorldError) {
        if commands.isEmpty { return }
        try tools.runBatch(commands, in: path)
    }

    /// Removes the name; the namespace itself goes with its last process.
    func destroy() -> [String] {
        guard exists(path) else { return [] }
        do {
            try tools.run(tools.ip, ["netns", "del", name])
            return []
        } catch {
            return ["network namespace \(name) (\(error))"]
        }
    }
}
