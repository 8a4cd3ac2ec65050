// A directory of a test's own.

import Foundation
import SystemCalls

/// Gone, with all that is in it, when the last reference is.
final class TemporaryDirectory: Sendable {
    let path = NSTemporaryDirectory() + "martlet-system-\(UUID())"

    init() throws {
        try Directory.make(path, mode: 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    func permissions(of name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: file(name))
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }
}

/// The error that an operation ends with.
func failure(_ body: () throws(SystemError) -> Void) -> SystemError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
