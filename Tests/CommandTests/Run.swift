// One run of the martlet binary, without any privilege and without a datapath.

import Foundation
import Testing

struct Run {
    let status: Int32
    let output: String
    let errors: String

    /// Runs `martlet` with these arguments; as root, without root's capabilities.
    init(_ arguments: String...) throws { try self.init(arguments) }

    /// - Parameter path: where its output goes instead of `output`.
    init(_ arguments: [String], output path: String? = nil) throws {
        let process = Process()
        let words = [try Self.martlet()] + arguments
        let isRoot = geteuid() == 0
        let bare = ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
        let command = isRoot ? bare + words : words
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        // Files, since a full pipe would stop the program.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["output", "errors"].map { folder.appendingPathComponent($0) }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: path.map { URL(fileURLWithPath: $0) } ?? files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        status = process.terminationStatus
        output = try String(contentsOf: files[0], encoding: .utf8)
        errors = try String(contentsOf: files[1], encoding: .utf8)
    }

    /// The output as a JSON object.
    var object: [String: Any] {
        get throws {
            try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(errors)")
        }
    }

    /// The binary beside the test bundle.
    private static func martlet() throws -> String {
        var folder = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let bundle = Bundle.allBundles.map(\.bundleURL) + CommandLine.arguments.map { URL(fileURLWithPath: $0) }
        for candidate in bundle + [folder] {
            folder = candidate.deletingLastPathComponent()
            let path = folder.appendingPathComponent("martlet").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw CocoaError(.fileNoSuchFile)
    }
}

/// A file or folder of the repository.
func repository(_ path: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../\(path)").standardized
        .path
}

/// Runs a test with a file of this content.
func withFile(_ text: String, named name: String = "input.yaml", _ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-input-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    try body(file.path)
}
