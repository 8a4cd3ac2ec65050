// Manifests for the tests, and a directory of their own for each.

import Foundation
import Glibc
import NetworkTypes
import ServiceModel
import SystemCalls
import Testing

@testable import ManifestSource

/// A directory that is gone when the last reference is.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "martlet-manifests-\(ProcessInfo.processInfo.processIdentifier)-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// In one piece: a new file takes the place of the old.
    func replace(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)), options: .atomic)
    }

    /// Into the file that is there, or a new one.
    func write(_ name: String, _ text: String) throws {
        let path = file(name)
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: file(name), withDestinationPath: target)
    }

    /// rename(2), which Foundation does not offer over something that exists.
    func move(_ name: String, over other: String) throws {
        guard unsafe rename(file(name), file(other)) == 0 else {
            throw SystemError(operation: "rename", path: file(name), errno: errno)
        }
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }
}

/// A Service `default/NAME` with one port.
func yaml(_ name: String, port: Int = 80) -> String {
    """
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: \(name)
    spec:
      clusterIP: 10.0.0.1
      ports:
      - port: \(port)

    """
}

func objects(_ text: String, name: String = "a.yaml") throws -> [ManifestObject] {
    switch ManifestText.parse(Array(text.utf8), name: name) {
    case .objects(let objects): return objects
    case .unreadable(let problem):
        Issue.record("\(problem)")
        return []
    }
}

func content(_ text: String, name: String = "a.yaml") -> ManifestContent {
    ManifestText.parse(Array(text.utf8), name: name)
}

/// Facts as `name:port` of Services, for short expectations.
func summary(_ facts: [Fact]) -> [String] {
    facts.map { fact in
        switch fact {
        case .service(let service): "\(service.name.name):\(service.ports.first?.port ?? 0)"
        case .endpointSlice(let slice): "\(slice.name.name):\(slice.endpoints.count)"
        case .node(let node): node.name
        case .serviceCIDR(let range): range.name
        }
    }
}
