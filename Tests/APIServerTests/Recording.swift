// Recordings of a real API server of version 1.36.2: requests, and the answers byte for byte.

import APIServerState
import Foundation
import Testing

struct Recording: CustomTestStringConvertible {
    /// Such as `lists/services.pb`.
    let name: String

    var testDescription: String { name }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Recordings")

    /// All of a folder that have a request, in order, but those whose names begin with one of the words.
    static func all(_ folder: String, except words: [String] = []) -> [Recording] {
        let path = Self.folder.appending(path: folder).path
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        return files.filter { $0.hasSuffix(".request") }.map { Recording(name: "\(folder)/\($0.dropLast(8))") }
            .filter { recording in !words.contains { recording.name.hasPrefix("\(folder)/\($0)") } }
    }

    private func file(_ ending: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: Self.folder.appending(path: "\(name).\(ending)")))
    }

    var body: [UInt8] { get throws { try file("body") } }

    var json: JSON { get throws { try JSONParser.parse(try body) } }

    /// The lines of a JSON watch.
    var lines: [JSON] {
        get throws { try body.split(separator: 0x0a).map { try JSONParser.parse(Array($0)) } }
    }

    /// The recorded request with a token, for a connection of its own.
    func request(token: String?) throws -> [UInt8] {
        let bytes = try file("request")
        let end = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8)))
        var head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        head = head.replacing("Bearer <redacted>", with: "Bearer \(token ?? "")")
        return Array("\(head)\r\nConnection: close\r\n\r\n".utf8) + bytes[end.upperBound...]
    }

    /// `200 OK`.
    var status: String {
        get throws {
            let first = String(decoding: try file("headers"), as: UTF8.self).prefix { $0 != "\r\n" && $0 != "\n" }
            return String(first.split(separator: " ", maxSplits: 1).last ?? "")
        }
    }

    /// Names in lower case.
    var headers: [String: String] {
        get throws {
            var headers: [String: String] = [:]
            for line in String(decoding: try file("headers"), as: UTF8.self).split(whereSeparator: \.isNewline)
                .dropFirst()
            {
                let sides = line.split(separator: ":", maxSplits: 1)
                if sides.count == 2 { headers[sides[0].lowercased()] = String(sides[1].drop { $0 == " " }) }
            }
            return headers
        }
    }
}
