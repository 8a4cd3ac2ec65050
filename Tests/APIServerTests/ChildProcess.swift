// Programs that tests run: kubectl, curl and the stand-in itself. Output goes to files, so that nothing blocks; a process
// that is still there at the end is ended by its own id.

import Foundation
import Testing

struct ProcessResult {
    var status: Int32
    var output: String
    var errors: String
}

/// A folder of its own for each test, gone with it.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/martlet-api-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

final class ChildProcess {
    private let process = Process()
    private let output: URL
    private let errors: URL
    private let end: AsyncStream<Void>

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], in folder: ScratchFolder) throws
    {
        let id = UUID().uuidString
        output = URL(filePath: "\(folder.path)/\(id).out")
        errors = URL(filePath: "\(folder.path)/\(id).err")
        for file in [output, errors] { try Data().write(to: file) }
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ["HOME": folder.path, "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        end = stream
        process.terminationHandler = { _ in continuation.finish() }
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
    }

    private func text(_ file: URL) -> String {
        (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func wait() async -> ProcessResult {
        for await _ in end {}
        return ProcessResult(status: process.terminationStatus, output: text(output), errors: text(errors))
    }

    func firstLine() throws -> String {
        String(try #require(text(output).split(separator: "\n").first))
    }

    func terminate() async -> ProcessResult {
        process.terminate()
        return await wait()
    }

    /// Waits until the output has a text; fails the test when it does not come in time.
    func waitForOutput(_ wanted: String, within limit: Duration = .seconds(30)) async throws {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while !text(output).contains(wanted) {
            try #require(clock.now < end, "no \(wanted) in: \(text(output)) \(text(errors))")
            try await clock.sleep(for: .milliseconds(20))
        }
    }

    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], in folder: ScratchFolder
    ) async throws -> ProcessResult {
        await (try ChildProcess(program, arguments, environment: environment, in: folder)).wait()
    }
}
