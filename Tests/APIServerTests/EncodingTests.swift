// The encodings against the recordings: what was read from one form and written in the other is the recorded one, byte
// for byte. So field numbers, orders, presence and frames are those of a real API server.

import APIServerState
import Testing

@testable import APIServer

@Suite("Encodings of the API server stand-in")
struct EncodingTests {
    static let lists: [(String, Endpoint)] = [
        ("lists/services", .services), ("lists/endpointslices", .endpointSlices), ("lists/nodes", .nodes),
        ("lists/servicecidrs", .serviceCIDRs), ("lists/services-empty", .services),
    ]

    private func page(_ list: JSON, _ endpoint: Endpoint) throws -> ObjectStore.Page {
        let objects = try (list["items"]?.array ?? []).map { item in
            StoredObject(resource: endpoint.resource, json: try Shape.shape(item, as: endpoint.message))
        }
        let version = try #require(list.at("metadata", "resourceVersion")?.string)
        return ObjectStore.Page(revision: try #require(UInt64(version)), objects: objects)
    }

    @Test("a list is written in JSON and in protobuf as the API server wrote it", arguments: lists)
    func listsAreEqual(name: String, endpoint: Endpoint) throws {
        let json = Recording(name: "\(name).json")
        let page = try page(try json.json, endpoint)
        #expect(
            String(decoding: Encoding.json.list(page, endpoint), as: UTF8.self)
                == String(decoding: try json.body, as: UTF8.self))
        #expect(Encoding.protobuf.list(page, endpoint) == (try Recording(name: "\(name).pb").body))
    }

    @Test("an object that was read from protobuf is the one of the JSON form", arguments: lists.dropLast())
    func protobufIsRead(name: String, endpoint: Endpoint) throws {
        for item in try #require(try Recording(name: "\(name).json").json["items"]?.array) {
            let shaped = try Shape.shape(item, as: endpoint.message)
            let read = try ProtobufReader.decode(
                ProtobufWriter.encode(shaped, as: endpoint.message), as: endpoint.message)
            #expect(try Shape.shape(read, as: endpoint.message) == shaped)
        }
    }

    @Test(
        "watch events are framed as the API server framed them",
        arguments: [
            ("watches/script-services", Endpoint.services), ("watches/script-endpointslices", .endpointSlices),
            ("watches/script-node1", .nodes), ("watches/script-servicecidrs", .serviceCIDRs),
        ])
    func watchesAreEqual(name: String, endpoint: Endpoint) throws {
        var json: [UInt8] = []
        var protobuf: [UInt8] = []
        for line in try Recording(name: "\(name).json").lines {
            let object = try #require(line["object"])
            let stored = StoredObject(resource: endpoint.resource, json: try Shape.shape(object, as: endpoint.message))
            let event: WatchEvent =
                switch line["type"]?.string {
                case "ADDED": .added(stored)
                case "MODIFIED": .modified(stored)
                case "DELETED": .deleted(stored)
                case _: .bookmark(revision: stored.revision, endsInitialEvents: false)
                }
            json += Encoding.json.event(event, endpoint)
            protobuf += Encoding.protobuf.event(event, endpoint)
        }
        #expect(json == (try Recording(name: "\(name).json").body))
        #expect(protobuf == (try Recording(name: "\(name).pb").body))
    }
}
