// Programs that the world runs to their end: ip(8), and what tests want to run inside a node. Their output goes
// through files in the world's scratch folder.

package import HostCalls

/// What a program that has ended left.
package struct ProgramResult: Sendable {
    package let status: ExitStatus
    package let output: String
    package let errorOutput: String
}

/// Paths of programs, and the folder for their output. A value; cheap to copy.
struct Tools: Sendable {
    let probe: String
    let ip: String
    /// Scratch folder, absolute.
    let folder: String

    init(probe: String?, folder: String) throws(WorldError) {
        if let probe { self.probe = probe } else { self.probe = try Self.findProbe() }
        let places = ["/sbin/ip", "/usr/sbin/ip", "/bin/ip", "/usr/bin/ip"]
        guard let ip = places.first(where: exists) else {
            throw .host(CallFailure("find", "ip(8) of iproute2", errno: 2))
        }
        self.ip = ip
        self.folder = folder
    }

    /// martlet-probe lies beside the program or test bundle that this code is part of.
    private static func findProbe() throws(WorldError) -> String {
        let images = [imagePath(), "/proc/self/exe"].compactMap { $0 }
        let candidates = images.compactMap { image -> String? in
            guard let path = resolve(image), let slash = path.lastIndex(of: "/") else { return nil }
            return path[..<slash] + "/martlet-probe"
        }
        guard let found = candidates.first(where: exists) else { throw .noProbe(candidates) }
        return found
    }

    /// Runs a program to its end, in a namespace when one is named. Throws when it cannot be started or takes longer
    /// than a minute.
    func result(
        _ executable: String, _ arguments: [String], in namespace: String? = nil, group: String? = nil,
        environment: [String: String] = [:]
    ) throws(WorldError) -> ProgramResult {
        let stem = folder + "/run-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        defer {
            try? removeFile(stem + ".out")
            try? removeFile(stem + ".err")
        }
        let program = enclosed(executable, arguments, in: namespace, group: group, environment: environment)
        let child = try ChildProcess.start(program, outputPath: stem + ".out", errorPath: stem + ".err")
        guard let status = child.wait(within: .seconds(60)) else {
            try child.kill()
            throw .program(executable, .signalled(9), output: "no end after 60 s: \(child.errorOutput)")
        }
        return ProgramResult(status: status, output: child.output, errorOutput: child.errorOutput)
    }

    /// Runs a program that must succeed.
    func run(_ executable: String, _ arguments: [String], in namespace: String? = nil) throws(WorldError) {
        let result = try result(executable, arguments, in: namespace)
        guard result.status == .exited(0) else {
            let command = ([executable] + arguments).joined(separator: " ")
            throw .program(command, result.status, output: result.errorOutput + result.output)
        }
    }

    /// Runs ip(8) commands in order with one process.
    func runBatch(_ commands: [String], in namespace: String) throws(WorldError) {
        let file = folder + "/batch-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let text = commands.joined(separator: "\n") + "\n"
        try onHost { () throws(CallFailure) in try writeText(text, to: file, create: true) }
        defer { try? removeFile(file) }
        let result = try result(ip, ["-batch", file], in: namespace)
        guard result.status == .exited(0) else {
            throw .program("ip -batch", result.status, output: result.errorOutput + "commands were:\n" + text)
        }
    }

    /// A program as it must be started to run inside a namespace and a cgroup.
    func enclosed(
        _ executable: String, _ arguments: [String], in namespace: String?, group: String?, name: String? = nil,
        environment: [String: String] = [:]
    ) -> Program {
        var words = ["exec"]
        if let namespace { words += ["--netns", namespace] }
        if let group { words += ["--cgroup", group] }
        let name = name ?? executable
        return Program(
            name: name, executable: probe, arguments: words + ["--", executable] + arguments, environment: environment)
    }
}
