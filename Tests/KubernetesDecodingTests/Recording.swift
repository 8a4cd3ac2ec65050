// Recordings of a real 1.36.2 API server: the bodies of its answers, byte for byte, and what is in them as somebody
// else decoded it (`expected.json`).

import Foundation
import KubernetesDecoding
import ServiceModel
import Testing

struct Recording: CustomTestStringConvertible {
    /// Such as `lists/services.pb`.
    let name: String

    var testDescription: String { name }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Recordings")

    var body: [UInt8] {
        get throws { [UInt8](try Data(contentsOf: Self.folder.appending(path: name + ".body"))) }
    }

    var encoding: AnswerEncoding { name.hasSuffix(".pb") ? .protobuf : .json }

    /// The recording of the same state in the other encoding.
    var counterpart: Recording {
        Recording(name: name.hasSuffix(".pb") ? name.dropLast(2) + "json" : name.dropLast(4) + "pb")
    }

    var isThere: Bool { FileManager.default.fileExists(atPath: Self.folder.appending(path: name + ".body").path) }

    /// The body in pieces of `size` bytes, as a network may deliver it.
    func pieces(of size: Int) throws -> [[UInt8]] {
        let body = try body
        return stride(from: 0, to: body.count, by: size).map { Array(body[$0..<min($0 + size, body.count)]) }
    }

    func list(_ kind: FactKind, inPiecesOf size: Int = 1 << 20) throws -> (objects: [KubernetesObject], head: ListHead)
    {
        var reader = ListReader(kind: kind, encoding: encoding)
        var objects: [KubernetesObject] = []
        for piece in try pieces(of: size) { objects += try reader.read(piece) }
        return (objects, try reader.finish())
    }

    func watch(_ kind: FactKind, inPiecesOf size: Int = 1 << 20) throws -> [WatchEvent] {
        var reader = WatchReader(kind: kind, encoding: encoding)
        var events: [WatchEvent] = []
        for piece in try pieces(of: size) { events += reader.read(piece) }
        #expect(reader.isBetweenFrames)
        return events
    }
}

/// What `expected.json` says of the recordings that are here.
struct Expectations {
    private let root: [String: Any]

    init() throws {
        let data = try Data(contentsOf: Recording.folder.appending(path: "expected.json"))
        root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    struct List: Equatable {
        var kind: FactKind
        var resourceVersion: String
        var continueToken: String?
        /// Names with versions, sorted.
        var items: [[String]]
    }

    /// Those of the kinds that are read, and are here.
    static func recordings(_ section: String) -> [Recording] {
        let all = (try? Expectations().root[section] as? [String: Any]) ?? [:]
        return all.keys.sorted().map { Recording(name: $0) }.filter(\.isThere)
    }

    func list(_ name: String) throws -> List {
        let lists = try #require(root["lists"] as? [String: Any])
        let list = try #require(lists[name] as? [String: Any])
        let kind = try #require(list["kind"] as? String)
        return List(
            kind: try #require(FactKind(rawValue: String(kind.dropLast(4)))),
            resourceVersion: try #require(list["resourceVersion"] as? String),
            continueToken: list["continue"] as? String, items: try #require(list["items"] as? [[String]]))
    }

    /// The events of a watch as words: type, kind, name, version, and annotations where a bookmark has any.
    func watch(_ name: String) throws -> [[String]] {
        let watches = try #require(root["watches"] as? [String: Any])
        return try #require(watches[name] as? [[Any]]).map { event in
            event.map { word in
                if let marks = word as? [String: String] { return marks.map { "\($0.key)=\($0.value)" }.joined() }
                return "\(word)"
            }
        }
    }
}

extension KubernetesObject {
    /// As `expected.json` names objects.
    var name: String {
        guard let identity = decoded.identity else { return "?" }
        return identity.kind.isNamespaced ? "\(identity.name)" : identity.name.name
    }
}
