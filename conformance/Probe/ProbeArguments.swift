// The command line of martlet-probe as a value, and the surroundings that it names.

import HostCalls

/// What the probe was started to be.
struct ProbeArguments {
    static let usage = """
        usage: martlet-probe [--netns PATH] [--cgroup PATH] [--set NAME=VALUE]…
               martlet-probe exec [--netns PATH] [--cgroup PATH] -- PROGRAM [ARGUMENT]…
        """

    var enclosure = Enclosure()
    /// The program to become, with its arguments; nil to serve requests.
    var program: [String]?

    /// Nil when the words make no sense.
    init?(parsing words: [String]) {
        var rest = words[...]
        let becomes = rest.first == "exec"
        if becomes { rest.removeFirst() }
        while let word = rest.popFirst() {
            if becomes && word == "--" {
                guard !rest.isEmpty else { return nil }
                program = Array(rest)
                return
            }
            guard let value = rest.popFirst() else { return nil }
            switch word {
            case "--netns": enclosure.network = value
            case "--cgroup": enclosure.group = value
            case "--set":
                guard let (setting, value) = value.splitOnce("=") else { return nil }
                enclosure.settings.append((setting, value))
            default: return nil
            }
        }
        if becomes { return nil }
    }
}

/// The namespace and cgroup of a probe, and the kernel settings it makes there first.
struct Enclosure {
    var network: String?
    var group: String?
    var settings: [(name: String, value: String)] = []

    /// Moves this process in. Must run before any socket or thread exists.
    func enter() throws(CallFailure) {
        try dieWithParent()
        if let group { try writeText("0", to: group + "/cgroup.procs") }
        if let network { try enterNetwork(network) }
        for setting in settings { try KernelSetting(setting.name).write(setting.value) }
    }
}

/// A setting under /proc/sys, which shows those of the reader's network namespace.
struct KernelSetting {
    private let path: String

    /// "net.ipv4.ip_forward"; a slash stands for a dot within a name.
    init(_ name: String) {
        let folders = name.map { character -> Character in
            switch character {
            case ".": "/"
            case "/": "."
            default: character
            }
        }
        path = "/proc/sys/" + String(folders)
    }

    func write(_ value: String) throws(CallFailure) {
        try writeText(value, to: path)
    }

    func read() throws(CallFailure) -> String {
        let text = try readText(path)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}

extension String {
    fileprivate func splitOnce(_ separator: Character) -> (String, String)? {
        guard let index = firstIndex(of: separator) else { return nil }
        return (String(self[..<index]), String(self[self.index(after: index)...]))
    }
}
